"""Names for the values of a program, after what they hold."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from medprompt_cli.planning.functions import FUNCTIONS, Type
from medprompt_cli.planning.parser import RESERVED, VARIABLE
from medprompt_cli.planning.tree import (
    Call,
    Comparison,
    Expression,
    ImageList,
    Name,
    Text,
    walk,
)

VISITS = ("first", "last")
IN_LOOP = "visit"

_RANKS = ("largest", "smallest", "nearest")


def name_for(expression: Expression, defined: Mapping[str, Expression]) -> str:
    """A name for a value that is not taken yet.

    Args:
        expression: The value.
        defined: Every name so far, with what it holds.

    >>> name_for(Call("image", (Text("FLAIR"), Call("first", (Call("visits", ()),)))), {})
    'first_flair'
    """
    for name in _candidates(expression, defined):
        if VARIABLE.fullmatch(name) and name not in RESERVED and name not in defined:
            return name
    return _numbered("value", defined)


def output_name(variable: str, saved: Mapping[Name, str]) -> str:
    """The name to save a mask under.

    The first and the last visit may use one name, as they have folders of their own.

    Args:
        variable: The name of the mask in the program.
        saved: What was saved so far, with its names.

    >>> output_name("first_csf", {Name("last_csf"): "csf"})
    'csf'
    """
    visit, rest = _visit_and_rest(variable)
    name = rest.replace("_", "-")
    users = [_visit_and_rest(mask.name)[0] for mask, used in saved.items() if used == name]
    if not users or {visit, *users} == {*VISITS}:
        return name
    return _numbered(variable.replace("_", "-"), set(saved.values()), "-")


def _visit_and_rest(variable: str) -> tuple[str, str]:
    visit, _, rest = variable.partition("_")
    return (visit, rest) if visit in VISITS and rest else ("", variable)


def _candidates(expression: Expression, defined: Mapping[str, Expression]) -> Iterator[str]:
    if not isinstance(expression, Call):
        yield _numbered("scans" if isinstance(expression, ImageList) else "value", defined)
        return
    if expression.function == "image":
        name = _image_name(expression)
        yield name
        name = f"{IN_LOOP}_{name}"
    elif expression.function == "segment":
        name = _target_name(expression, defined)
        yield name
        image = _first_name(expression)
        name = f"{IN_LOOP if image.startswith(IN_LOOP) else image}_{name}"
    elif _is_measured(expression):
        name = _measured_name(expression)
    else:
        name = _changed_name(expression)
    yield name
    yield _numbered(name, defined)


def _image_name(call: Call) -> str:
    suffix, visit = call.arguments
    name = suffix.value.lower() if isinstance(suffix, Text) else "scan"
    chosen = visit.function if isinstance(visit, Call) else ""
    return f"{chosen}_{name}" if chosen in VISITS else name


def _target_name(call: Call, defined: Mapping[str, Expression]) -> str:
    target = call.arguments[1]
    name = target.value.replace("-", "_") if isinstance(target, Text) else "mask"
    for inside in _resolved(call.arguments[0], defined):
        visit = inside.function if isinstance(inside, Call) else ""
        if visit in VISITS:
            return f"{visit}_{name}"
    return name


def _resolved(
    expression: Expression | None, defined: Mapping[str, Expression]
) -> Iterator[Expression]:
    for inside in walk(expression) if expression else ():
        yield inside
        if isinstance(inside, Name) and inside.name in defined:
            yield from _resolved(defined[inside.name], defined)


def _changed_name(call: Call) -> str:
    """A name for a mask made of another: `largest_lesion`, `new_lesion`."""
    visit, rest = _visit_and_rest(_first_name(call))
    return "_".join(word for word in (visit, _word(call), rest) if word)


def _is_measured(call: Call) -> bool:
    result = FUNCTIONS[call.function].result
    return result is not None and result.type in {Type.NUMBER, Type.TEXT, Type.TRUTH}


def _measured_name(call: Call) -> str:
    """A name for what was measured: `first_tumor_volume`, `tumor_volume_change`."""
    inner = call.arguments[0] if call.arguments else None
    first = _first_name(call)
    if isinstance(inner, Call) and inner.function in _RANKS:
        first = _changed_name(inner)
    if first == "value":
        calls = (inside for inside in walk(call) if isinstance(inside, Call))
        first = "visits" if any(c.function == "visits" for c in calls) else first
    visit, rest = _visit_and_rest(first)
    kept = visit if FUNCTIONS[call.function].visits == 1 else ""
    return "_".join(word for word in (kept, rest, call.function) if word)


def _word(call: Call) -> str:
    if call.function in _RANKS:
        return call.function
    if call.function == "instances":
        return "separate"
    second = call.arguments[1] if len(call.arguments) > 1 else None
    if call.function == "side" and isinstance(second, Text):
        return second.value
    if call.function == "where" and isinstance(second, Comparison):
        about, said = second.left, second.right
        if isinstance(about, Call) and about.function == "fate" and isinstance(said, Text):
            return said.value
    return "chosen"


def _first_name(expression: Expression) -> str:
    names = (inside.name for inside in walk(expression) if isinstance(inside, Name))
    return next((name for name in names if name != "it"), "value")


def _numbered(name: str, taken: Container[str], joint: str = "_") -> str:
    number = 2
    while f"{name}{joint}{number}" in taken:
        number += 1
    return name if name not in taken else f"{name}{joint}{number}"
