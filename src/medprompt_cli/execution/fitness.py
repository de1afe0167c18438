"""Whether a case has what a program needs, found out without reading an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from medprompt_cli.execution.case import Case
from medprompt_cli.execution.values import Visit
from medprompt_cli.planning.checker import Needs, check
from medprompt_cli.planning.tree import Call, Program, Text, walk_statements


@dataclass(frozen=True, slots=True)
class Misfit:
    """A case that a program cannot be run on.

    Attributes:
        case: Its name: of the subject, and of the visit where one was looked at alone.
        reason: What it lacks.
    """

    case: str
    reason: str


def misfits(case: Case, program: Program) -> list[Misfit]:
    """What a subject lacks for a program; of one visit, what each of its visits lacks."""
    needs = check(program)
    if needs.visits > len(case.visits):
        there = "1 visit" if len(case.visits) == 1 else f"{len(case.visits)} visits"
        return [Misfit(case.name, f"has {there}; {needs.visits} are compared.")]
    if _looks_at_visits(program):
        return [Misfit(case.name, reason) for reason in _lacks(case, program, needs)]
    return [
        Misfit(_label(case, visit), reason)
        for visit in case.visits
        for reason in _lacks(replace(case, own=visit), program, needs)
    ]


def _label(case: Case, visit: Visit) -> str:
    return f"{case.name} {visit.label}" if visit.label else case.name


def _lacks(case: Case, program: Program, needs: Needs) -> list[str]:
    wanted = [one for call in _image_calls(program) for one in _asked(call, case)]
    named = {suffix for suffix, _ in wanted}
    wanted += [(suffix, case.own) for suffix in needs.suffixes if suffix not in named]
    reasons = (
        f"has no {suffix or 'image'} at {visit}; there: {there(case, visit)}."
        for suffix, visit in wanted
        if case.image(suffix, visit) is None
    )
    return list(dict.fromkeys(reasons))


def there(case: Case, visit: Visit) -> str:
    """The kinds of image at a visit, in words."""
    return ", ".join(case.kinds(visit)) or "none"


def _asked(call: Call, case: Case) -> Iterator[tuple[str | None, Visit]]:
    suffix, visit = call.arguments
    kind = suffix.value if isinstance(suffix, Text) else None
    if visit is None:
        yield kind, case.own
    elif isinstance(visit, Call):
        yield kind, case.visits[0 if visit.function == "first" else -1]
    else:
        yield from ((kind, each) for each in case.visits)


def _image_calls(program: Program) -> Iterator[Call]:
    for inside in walk_statements(program.statements):
        if isinstance(inside, Call) and inside.function == "image":
            yield inside


def _looks_at_visits(program: Program) -> bool:
    return any(
        isinstance(inside, Call) and inside.function == "visits"
        for inside in walk_statements(program.statements)
    )
