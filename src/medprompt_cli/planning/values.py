"""What is known of a value before any image is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medprompt_cli.planning.functions import Parameter, Type
from medprompt_cli.planning.units import Dimension

REGIONS = frozenset({Type.MASK, Type.INSTANCES})
SEEN = REGIONS | {Type.IMAGE, Type.IMAGES}
"""Types that lie on the grid of one visit."""

OWN, FIRST, LAST, EACH, SOME = "own", "first", "last", "each", "some"
"""Visits: the case's own, the earliest, the latest, that of a loop, one of several."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value, by what it is.

    Attributes:
        type: What it is.
        dimension: Of a number.
        words: Of a text: the key of `functions.WORDS` that it is chosen from, if any.
        visit: The visit it is of or was measured at; None if of none or of several.
        images: Suffixes of the images it was seen on; an empty text for any image.
    """

    type: Type
    dimension: Dimension | None = None
    words: str | None = None
    visit: str | None = None
    images: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As a sentence names it: `a Mask`, `a Number of volume`."""
        number = f"{self.type} of {self.dimension}" if self.dimension else self.type
        return _with_article(number if self.dimension != Dimension.BARE else "bare Number")


def a(dimension: Dimension) -> str:
    """A dimension as a sentence names it.

    >>> a(Dimension.AREA), a(Dimension.BARE)
    ('an area', 'a bare number')
    """
    return _with_article("bare number" if dimension == Dimension.BARE else dimension)


def _with_article(word: str) -> str:
    if word.endswith("s"):
        return word
    return f"{'an' if word[0] in 'aeiouAEIOU' else 'a'} {word}"


def fits(value: Value, parameter: Parameter) -> bool:
    """Whether a parameter takes a value, by its type; instances are a mask, too."""
    types = parameter.types
    return value.type in types or (value.type == Type.INSTANCES and Type.MASK in types)


def fits_dimension(value: Value, parameter: Parameter) -> bool:
    """Whether a parameter takes a value, by what it is a number of."""
    return not parameter.dimensions or value.dimension in parameter.dimensions


def one_visit(values: Iterable[Value]) -> str | None:
    """The visit that all values with a visit have; None if there is no such visit."""
    visits = {value.visit for value in values} - {None}
    return visits.pop() if len(visits) == 1 else None


def either(one: Value, other: Value) -> Value | None:
    """What is known of a value that is one of two; None if they are of two sorts."""
    if (one.type, one.dimension) != (other.type, other.dimension):
        return None
    return Value(
        one.type,
        one.dimension,
        one.words if one.words == other.words else None,
        one.visit if one.visit == other.visit else SOME,
        tuple(dict.fromkeys((*one.images, *other.images))),
    )
