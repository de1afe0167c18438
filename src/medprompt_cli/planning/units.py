"""Dimensions of numbers, the units they are written in, and their arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Dimension(StrEnum):
    """What a number is a number of. Numbers of two dimensions are never compared."""

    VOLUME = "volume"
    AREA = "area"
    LENGTH = "length"
    COUNT = "count"
    RATIO = "ratio"
    PERCENT = "percent"
    INTENSITY = "intensity"
    DENSITY = "density"
    TIME = "time"
    RATE = "rate"
    BARE = "bare"
    """A number written without a unit: a count, a ratio or an intensity, as it is needed."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A constant of the language: `10 * mm3`.

    Attributes:
        name: As it is written in a program.
        dimension: What it measures.
        factor: What one of it is in the first unit of its dimension.
        ucum: Its code in outputs.
    """

    name: str
    dimension: Dimension
    factor: float
    ucum: str


UNITS: Mapping[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("mm3", Dimension.VOLUME, 1.0, "mm3"),
        Unit("mL", Dimension.VOLUME, 1000.0, "mL"),
        Unit("mm2", Dimension.AREA, 1.0, "mm2"),
        Unit("cm2", Dimension.AREA, 100.0, "cm2"),
        Unit("mm", Dimension.LENGTH, 1.0, "mm"),
        Unit("cm", Dimension.LENGTH, 10.0, "cm"),
        Unit("percent", Dimension.PERCENT, 1.0, "%"),
        Unit("HU", Dimension.DENSITY, 1.0, "[hnsf'U]"),
        Unit("day", Dimension.TIME, 1.0, "d"),
        Unit("month", Dimension.TIME, 365.25 / 12, "mo"),
        Unit("year", Dimension.TIME, 365.25, "a"),
        Unit("percent_per_year", Dimension.RATE, 1.0, "%/a"),
    )
}
"""Every unit, by name. The first of a dimension is the one that factors are of."""

ADAPTABLE = frozenset({Dimension.COUNT, Dimension.RATIO, Dimension.INTENSITY})
"""What a bare number may be taken for."""

_FACTORS = frozenset({Dimension.BARE, Dimension.COUNT, Dimension.RATIO})
_PRODUCTS: Mapping[tuple[Dimension, Dimension], Dimension] = {
    (Dimension.LENGTH, Dimension.LENGTH): Dimension.AREA,
    (Dimension.LENGTH, Dimension.AREA): Dimension.VOLUME,
    (Dimension.AREA, Dimension.LENGTH): Dimension.VOLUME,
    (Dimension.RATE, Dimension.TIME): Dimension.PERCENT,
    (Dimension.TIME, Dimension.RATE): Dimension.PERCENT,
}
_QUOTIENTS: Mapping[tuple[Dimension, Dimension], Dimension] = {
    (Dimension.VOLUME, Dimension.AREA): Dimension.LENGTH,
    (Dimension.VOLUME, Dimension.LENGTH): Dimension.AREA,
    (Dimension.AREA, Dimension.LENGTH): Dimension.LENGTH,
    (Dimension.PERCENT, Dimension.TIME): Dimension.RATE,
    (Dimension.PERCENT, Dimension.RATE): Dimension.TIME,
}


def common(left: Dimension, right: Dimension) -> Dimension | None:
    """The dimension that both numbers have; None if they cannot be set against each other.

    >>> common(Dimension.COUNT, Dimension.BARE), common(Dimension.VOLUME, Dimension.LENGTH)
    (<Dimension.COUNT: 'count'>, None)
    """
    if left == right:
        return left
    if left == Dimension.BARE and right in ADAPTABLE:
        return right
    if right == Dimension.BARE and left in ADAPTABLE:
        return left
    return None


def combined(operator: str, left: Dimension, right: Dimension) -> Dimension | None:
    """The dimension of a sum, a difference, a product or a quotient; None if there is none.

    >>> combined("/", Dimension.VOLUME, Dimension.VOLUME)
    <Dimension.RATIO: 'ratio'>
    """
    if operator in {"+", "-"}:
        return common(left, right)
    if left in _FACTORS and right in _FACTORS:
        return _of_factors(operator, left, right)
    if right in _FACTORS:
        return left
    if operator == "*":
        return right if left in _FACTORS else _PRODUCTS.get((left, right))
    return Dimension.RATIO if left == right else _QUOTIENTS.get((left, right))


def _of_factors(operator: str, left: Dimension, right: Dimension) -> Dimension:
    if left == right == Dimension.BARE:
        return Dimension.BARE
    counts = {left, right} <= {Dimension.COUNT, Dimension.BARE}
    return Dimension.COUNT if counts and operator == "*" else Dimension.RATIO
