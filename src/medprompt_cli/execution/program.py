"""A program over the images of one case: masks to write, and values to put down."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.errors import UsageError
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.characterizing import FEATURES, IMAGES_OF
from medprompt_cli.execution.interpreter import Event, Interpreter
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.operations import IMPLIED, Operations, check_possible
from medprompt_cli.execution.segment import (
    CaseResult,
    Segments,
    Status,
    Target,
    TargetResult,
    plan_hash,
)
from medprompt_cli.execution.values import (
    Characterized,
    Image,
    Number,
    Region,
    Regions,
    Text,
    Truth,
    Value,
)
from medprompt_cli.execution.wording import UCUM, say
from medprompt_cli.measurement.place import to_ml
from medprompt_cli.measurement.relate import LEFT, OF_ICV, RIGHT
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.tree import (
    Assign,
    Call,
    Do,
    Expression,
    ImageList,
    Name,
    Program,
    walk,
    walk_names,
    walk_statements,
)
from medprompt_cli.planning.tree import Text as WrittenText
from medprompt_cli.planning.vocabulary import resolve

COLUMN_OF: Mapping[str, str] = {**FEATURES, "fraction_of_icv": OF_ICV}
"""What tables call that which a function gives, where it is not the function's own name."""

READ_ALONE = "Regions were looked for on {} alone: the images lie on several grids."


@dataclass(frozen=True, slots=True)
class ReadValue:
    """A value that a program asked to put down.

    Attributes:
        statement: What was asked, as it is printed.
        quantity: What it is called in tables.
        region: The first mask it is of, by the name it is saved under.
        value: Number, word, yes or no; None if there is none.
        unit: UCUM unit of a number; None of all else.
        status: `measured`, or why there is no value.
        said: The value in words.
        found: The finding that it is; None if it is none.
    """

    statement: str
    quantity: str
    region: str
    value: float | str | bool | None
    unit: str | None
    status: str
    said: str
    found: Characterized | None = None

    def as_json(self) -> dict[str, object]:
        """The fields as a record words them."""
        return {
            "Statement": self.statement,
            "Value": self.value,
            "Unit": self.unit,
            "Status": self.status,
        }


@dataclass(frozen=True, eq=False)
class ProgramResult:
    """What a program gave in one case.

    Attributes:
        case: Masks that it saved, with their results; as `segment_case` gives them.
        values: What it read, in order.
        answers: What it said.
        findings: What it found out about regions on the way, whether it was read or not.
    """

    case: CaseResult
    values: tuple[ReadValue, ...] = ()
    answers: tuple[str, ...] = ()
    findings: tuple[Characterized, ...] = ()


def suffixes_of(program: Program) -> tuple[str, ...]:
    """Kinds of image that a program takes: those it names, then those of its functions.

    None if any image will do.

    Raises:
        UsageError: If it looks at several visits, or sets images against each other: one
            case of `medprompt segment` is one visit, with its images read together.
    """
    seen: set[Expression] = set()
    named = dict.fromkeys(_named_kinds(program))
    for call in _calls(program):
        if call.function == "visits":
            raise UsageError(
                "This asks about several visits; medprompt segment looks at one at a time.",
                remedy="Use medprompt longitudinal, or medprompt ask for one subject.",
            )
        named |= dict.fromkeys(IMAGES_OF.get(call.function, ()))
        if call.function == "segment" and call.arguments[0] is not None:
            seen.add(call.arguments[0])
    if len(seen) > 1:
        raise UsageError(
            "This sets images of one visit against each other, which one label map cannot"
            " hold.",
            remedy="Run it once for each kind of image, with --suffix, or use medprompt ask.",
        )
    return tuple(named)


def check_runnable(program: Program) -> tuple[str, ...]:
    """Make sure that a program can run on each case of a cohort; its kinds of image.

    Raises:
        UsageError: If it cannot.
    """
    check(program)
    for statement in program.statements:
        check_possible(statement)
    return suffixes_of(program)


def run_program(
    program: Program, images: Sequence[Image], segmenter: Segments
) -> ProgramResult:
    """Run a program that `check_runnable` passed over the images of one visit.

    The network runs once, for everything that the program segments anywhere.
    """
    case = Case.of("case", images)
    together = tuple(images) if _reads_together(program, images) else ()
    alone = bool(together) and bool(suffixes_of(program)) and not _on_one_grid(images)
    if alone:  # nobody asked for them to be read as one: the rest is measured only
        together = ()
    wanted = (*check(program).targets, *implied_targets(program))
    looker = Looker(segmenter, wanted, together)
    operations = Operations(case, looker)
    events = Interpreter(case, operations.table()).run(program)
    saved = {event.name: event.value for event in events if event.kind == "save"}
    defined = {s.name: s.value for s in program.statements if isinstance(s, Assign)}
    names = dict(_save_names(program))
    [found] = looker.passes  # everything was wanted at once
    if alone and (read := case.image()) is not None:
        found = replace(found, notes=(*found.notes, READ_ALONE.format(read.suffix)))
    return ProgramResult(
        _case_result(found, dict(_masks(saved)), _origins(names, defined)),
        tuple(_read(event, names, defined) for event in events if event.kind == "read"),
        tuple(say(event.value) for event in events if event.kind == "answer"),
        operations.characterizer.findings,
    )


def plan_id(targets: Sequence[Target], program: Program | None) -> str:
    """SHA-256 of what a run asks for: of its program, or of the targets if it has none."""
    if program is None:
        return plan_hash(targets)
    return hashlib.sha256(print_program(program).encode()).hexdigest()


def implied_targets(program: Program) -> tuple[str, ...]:
    """Regions that functions of a program look at without being told to."""
    called = {call.function for call in _calls(program)}
    return tuple(name for function in sorted(called) for name in IMPLIED.get(function, ()))


def _reads_together(program: Program, images: Sequence[Image]) -> bool:
    """Whether a program that names no kind of image is given several to read as one."""
    lists = any(isinstance(e, ImageList) for e in walk_statements(program.statements))
    return len(images) > 1 and not lists and not any(_named_kinds(program))


def _on_one_grid(images: Sequence[Image]) -> bool:
    first, *others = (image.read().geometry for image in images)
    return all(first.matches(other) for other in others)


def _named_kinds(program: Program) -> Iterator[str]:
    for call in _calls(program):
        if call.function == "image" and isinstance(call.arguments[0], WrittenText):
            yield call.arguments[0].value


def _calls(program: Program) -> Iterator[Call]:
    for inside in walk_statements(program.statements):
        if isinstance(inside, Call):
            yield inside


def _save_names(program: Program) -> Iterator[tuple[Name, str]]:
    """The name that each mask is saved under."""
    for statement in program.statements:
        if isinstance(statement, Do) and statement.call.function == "save":
            mask, name = statement.call.arguments
            if isinstance(mask, Name) and isinstance(name, WrittenText):
                yield mask, name.value


def _masks(saved: Mapping[str, Value]) -> Iterator[tuple[str, Region]]:
    for name, value in saved.items():
        if isinstance(value, Regions):
            yield name, value.union()
        elif isinstance(value, Region):
            yield name, value


def _origins(names: Mapping[Name, str], defined: Mapping[str, Expression]) -> dict[str, str]:
    """The target that each saved mask goes back to, by the name it is saved under."""
    found: dict[str, str] = {}
    for mask, saved in names.items():
        for inside in walk_names(mask, defined):
            if isinstance(inside, Call) and inside.function == "segment":
                target = inside.arguments[1]
                if isinstance(target, WrittenText):
                    found.setdefault(saved, target.value)
    return found


def _case_result(
    found: CaseResult, saved: dict[str, Region], origins: Mapping[str, str]
) -> CaseResult:
    """What the network gave, with the masks that the program saved and no others."""
    known = {result.name: result for result in found.results}
    plain = [name for region in saved.values() for name in _targets_of(region)]
    made = {name: region for name, region in saved.items() if region.target is None}
    return replace(
        found,
        labels=found.labels.only(plain) if _holds(found.labels, plain) else None,
        parcels=found.parcels.only(plain) if _holds(found.parcels, plain) else None,
        masks=(
            *(mask for mask in found.masks if mask.region in plain),
            *(
                Mask(name, region.voxels, region.geometry)
                for name, region in made.items()
                if region.voxels is not None and not region.empty
            ),
        ),
        results=(
            *(known[name] for name in dict.fromkeys(plain)),
            *(
                _made_result(name, region, known.get(origins.get(name, "")))
                for name, region in made.items()
            ),
        ),
        sums={name: sums for name, sums in found.sums.items() if name in plain},
    )


def _targets_of(region: Region) -> list[str]:
    return [] if region.target is None else [t.name for t in resolve([region.target])]


def _holds(labels: LabelMap | None, names: Sequence[str]) -> TypeGuard[LabelMap]:
    return labels is not None and bool(set(labels.names.values()) & set(names))


def _made_result(name: str, region: Region, origin: TargetResult | None) -> TargetResult:
    """The answer to a mask that was made of others.

    What is not there of an absent lesion might have been too small to be seen: the limit of
    the lesion is that of every part of it.
    """
    status: Status
    match region.status:
        case "missing" | "undefined":
            status = "failed_qc"
        case known:
            status = known
    if region.voxels is None or region.empty:
        status = "absent" if status == "measured" else status
        limit = origin.limit_ml if origin is not None and status == "absent" else None
        presence = region.presence
        if presence is None and origin is not None and limit is not None:
            presence = origin.presence
        return TargetResult(name, status, presence, limit_ml=limit)
    volume = round(to_ml(int(region.voxels.sum()), region.geometry), 4)
    if status == "truncated_fov":
        return TargetResult(name, status, region.presence, None, volume)
    return TargetResult(name, status, region.presence, volume)


def _read(
    event: Event, saved: Mapping[Name, str], defined: Mapping[str, Expression]
) -> ReadValue:
    value = event.value
    statement = event.statement.strip()
    asked = _asked(statement, defined)
    about = _quantity(asked), _region(asked, saved, value)
    if (pair := _pair(asked, saved)) is not None:
        about = "volume-asymmetry", pair
    if isinstance(value, Number):
        unit = UCUM.get(value.dimension)
        return ReadValue(statement, *about, value.value, unit, value.status, say(value))
    if isinstance(value, (Text, Truth)):
        told = value.value, None, value.status, say(value)
        return ReadValue(statement, *about, *told, value.found)
    raise ValueError(event)


def _asked(statement: str, defined: Mapping[str, Expression]) -> Expression:
    """What a `read` is of; of a name, what it holds."""
    [line] = parse(statement).statements
    given = line.call.arguments[0] if isinstance(line, Do) else None
    if given is None:
        raise ValueError(statement)
    return defined.get(given.name, given) if isinstance(given, Name) else given


def _quantity(asked: Expression) -> str:
    if not isinstance(asked, Call):
        return "value"
    return COLUMN_OF.get(asked.function, asked.function.replace("_", "-"))


def _pair(asked: Expression, saved: Mapping[Name, str]) -> str | None:
    """The structure whose two masks an asymmetry is of; None of anything else."""
    if not isinstance(asked, Call) or asked.function != "asymmetry":
        return None
    names = [saved.get(side, "") for side in asked.arguments if isinstance(side, Name)]
    kind = names[0].removeprefix(LEFT) if names else ""
    return kind if names == [LEFT + kind, RIGHT + kind] else None


def _region(asked: Expression, saved: Mapping[Name, str], value: Value) -> str:
    """The name that a mask is saved under; where it is saved under none, what is known."""
    if isinstance(value, (Text, Truth)) and value.found and isinstance(asked, Call):
        mask = asked.arguments[0]
        named = saved.get(mask) if isinstance(mask, Name) else None
        return named or value.found.finding.region
    names = [inside for inside in walk(asked) if isinstance(inside, Name)]
    known = [saved[name] for name in names if name in saved]
    return known[0] if known else (names[0].name.replace("_", "-") if names else "case")
