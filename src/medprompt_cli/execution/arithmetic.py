"""Numbers of a program: what is unknown stays unknown, and nothing divides by nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medprompt_cli.execution.values import MEASURED, Number, Text, Truth, Value, first_problem
from medprompt_cli.planning.units import Dimension, combined

_DO: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
_ASK: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
DAYS_PER_YEAR = 365.25


def calculate(operator: str, left: Number, right: Number) -> Number:
    """Sum, difference, product or quotient."""
    dimension = combined(operator, Dimension(left.dimension), Dimension(right.dimension))
    name = dimension or left.dimension
    if left.value is None or right.value is None:
        return Number(None, name, first_problem(left.status, right.status))
    if operator == "/" and right.value == 0:
        return Number(None, name, "undefined")
    return Number(_DO[operator](left.value, right.value), name, visit=left.visit)


def compare(operator: str, left: Value, right: Value) -> Truth:
    """Two numbers or two texts; a side that was left out of a text fits either side."""
    if not isinstance(left, (Number, Text)) or not isinstance(right, (Number, Text)):
        return Truth(None, "undefined")
    if left.value is None or right.value is None:
        return Truth(None, first_problem(left.status, right.status))
    if isinstance(left.value, str) or isinstance(right.value, str):
        same = _same_place(str(left.value), str(right.value))
        return Truth(same == (operator == "=="))
    return Truth(_ASK[operator](left.value, right.value))


def _same_place(one: str, other: str) -> bool:
    """Whether two words are the same; one without side is equal on either."""
    return one == other or _bare(one) == other or one == _bare(other)


def _bare(word: str) -> str:
    return word.removeprefix("left-").removeprefix("right-")


def ratio(number: Number, other: Number) -> Number:
    """The first divided by the second."""
    return _of_two(number, other, lambda a, b: a / b, Dimension.RATIO, other.value)


def difference(number: Number, other: Number) -> Number:
    """The first minus the second."""
    return _of_two(number, other, lambda a, b: a - b, number.dimension)


def change(earlier: Number, later: Number) -> Number:
    """Later minus earlier."""
    return _of_two(earlier, later, lambda a, b: b - a, earlier.dimension)


def percent_change(earlier: Number, later: Number) -> Number:
    """100 (later - earlier) / earlier."""
    return _of_two(
        earlier, later, lambda a, b: 100 * (b - a) / a, Dimension.PERCENT, earlier.value
    )


def annualised_change(earlier: Number, later: Number, days: float | None) -> Number:
    """Percent change divided by the years between; unknown without both dates."""
    found = percent_change(earlier, later)
    if found.value is None:
        return Number(None, Dimension.RATE, found.status)
    if days is None:
        return Number(None, Dimension.RATE, "missing")
    if days <= 0:
        return Number(None, Dimension.RATE, "undefined")
    return Number(found.value * DAYS_PER_YEAR / days, Dimension.RATE)


def asymmetry(left: Number, right: Number) -> Number:
    """200 (left - right) / (left + right), in percent."""
    whole = None
    if left.value is not None and right.value is not None:
        whole = left.value + right.value
    return _of_two(left, right, lambda a, b: 200 * (a - b) / (a + b), Dimension.PERCENT, whole)


def _of_two(
    one: Number,
    other: Number,
    law: Callable[[float, float], float],
    dimension: str,
    divisor: float | None = 1.0,
) -> Number:
    if one.value is None or other.value is None:
        return Number(None, dimension, first_problem(one.status, other.status))
    if divisor == 0:
        return Number(None, dimension, "undefined")
    return Number(law(one.value, other.value), dimension, MEASURED)
