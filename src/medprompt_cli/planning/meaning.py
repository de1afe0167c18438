"""What the values of a program mean, whatever way they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from medprompt_cli.planning.coherence import has_sides, side_of
from medprompt_cli.planning.filters import (
    FATES,
    Filter,
    format_number,
    kind_of,
)
from medprompt_cli.planning.intent import Compares
from medprompt_cli.planning.printer import print_expression
from medprompt_cli.planning.tree import Call, Comparison, Expression, Name, Number, Text

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TRAITS = {"enhances": "enhancing", "restricts_diffusion": "diffusion-restricting"}
_MAX_SIZE = 1e9


@dataclass(frozen=True, slots=True)
class Part:
    """A target, seen and narrowed.

    Attributes:
        target: Its canonical name; carries the side if only one is meant.
        filters: What it was narrowed by.
        images: Suffixes of the images that it was seen on.
        visit: Of that visit; the words of `values.py`.
    """

    target: str
    filters: frozenset[Filter]
    images: frozenset[str]
    visit: str

    def narrowed(self, *filters: Filter) -> Part:
        """The same, narrowed by more."""
        return replace(self, filters=self.filters | set(filters))

    @property
    def bare(self) -> tuple[str, frozenset[Filter]]:
        """What is left when no side is said."""
        side = side_of(self.target)
        target = self.target.removeprefix(f"{side}-") if side else self.target
        return target, frozenset(f for f in self.filters if f.kind != "side")

    @property
    def side(self) -> frozenset[str]:
        """The sides that are said."""
        said = frozenset(f.value for f in self.filters if f.kind == "side")
        own = side_of(self.target)
        return said | {own} if own else said


@dataclass(frozen=True, slots=True)
class Sight:
    """Images: their suffixes and their visits."""

    images: frozenset[str]
    visits: frozenset[str]


@dataclass(frozen=True, slots=True)
class Region:
    """A mask or instances: all the parts together."""

    parts: frozenset[Part]


@dataclass(frozen=True, slots=True)
class Measured:
    """A quantity of a region.

    Attributes:
        quantity: Of `QUANTITIES`; empty for what none of them stands for.
        parts: Of the region.
        images: Suffixes of the images it was measured on.
    """

    quantity: str
    parts: frozenset[Part]
    images: frozenset[str]


@dataclass(frozen=True, slots=True)
class Related:
    """Two values set against each other; `quantity` as in `Measured`."""

    quantity: str
    one: Meaning
    other: Meaning


@dataclass(frozen=True, slots=True)
class Written:
    """A number or a text that is written out, or a visit by its word."""

    value: Number | Text | str


def words_of(meaning: Meaning) -> set[str]:
    """The visits that a value may be."""
    if isinstance(meaning, Related):
        return words_of(meaning.one) | words_of(meaning.other)
    return {str(meaning.value)} if isinstance(meaning, Written) else set()


Meaning: TypeAlias = Sight | Region | Measured | Related | Written


def joined(meanings: Iterable[Meaning]) -> Meaning:
    """What is meant where one of several values is."""
    one, *rest = meanings
    for other in rest:
        if isinstance(one, Region) and isinstance(other, Region):
            one = Region(one.parts | other.parts)
        elif isinstance(one, Sight) and isinstance(other, Sight):
            one = Sight(one.images | other.images, one.visits | other.visits)
        elif one != other:
            one = Related("", one, other)
    return one


def parts_of(meaning: Meaning) -> frozenset[Part]:
    """Every part that a value is about."""
    if isinstance(meaning, (Region, Measured)):
        return meaning.parts
    if isinstance(meaning, Related):
        return parts_of(meaning.one) | parts_of(meaning.other)
    return frozenset()


def images_of(meaning: Meaning) -> frozenset[str]:
    """Suffixes of every image that a value is from."""
    if isinstance(meaning, (Measured, Sight)):
        return meaning.images
    if isinstance(meaning, Related):
        return images_of(meaning.one) | images_of(meaning.other)
    return frozenset(image for part in parts_of(meaning) for image in part.images)


def compared(one: Meaning, other: Meaning) -> Compares:
    """What two values are compared by: visits, sides or images; else none."""
    left, right = parts_of(one), parts_of(other)
    if not left or not right:
        return "none"
    if {p.visit for p in left} != {p.visit for p in right}:
        return "visits"
    if {p.bare for p in left} != {p.bare for p in right}:
        return "none"
    if {p.side for p in left} != {p.side for p in right}:
        return "sides"
    return "images" if images_of(one) != images_of(other) else "none"


def narrowed(parts: frozenset[Part], *filters: Filter) -> Region:
    """A region, narrowed by filters."""
    return Region(frozenset(part.narrowed(*filters) for part in parts))


def on_side(parts: frozenset[Part], side: str) -> Region:
    """One side of a region: part of the name where the name has sides."""
    return Region(frozenset(_on_side(part, side) for part in parts))


def _on_side(part: Part, side: str) -> Part:
    if has_sides(part.target):
        return replace(part, target=f"{side}-{part.target}")
    return part if side_of(part.target) == side else part.narrowed(Filter("side", side))


def place_filters(parts: frozenset[Part]) -> list[Filter]:
    """What it means to lie in a region."""
    kinds = {part.target: kind_of(part.target) for part in parts}
    return [
        Filter(
            "lobe" if kind == "lobe" else "territory" if kind == "territory" else "region", n
        )
        for n, kind in kinds.items()
    ]


def condition_filter(condition: Expression, known: Mapping[str, Meaning]) -> Filter:
    """What a condition of `where` says; in its own words if no filter does."""
    found = None
    if isinstance(condition, Call) and condition.function in _TRAITS:
        found = Filter("trait", _TRAITS[condition.function])
    elif isinstance(condition, Comparison):
        found = _comparison_filter(condition, known)
    return found or Filter("where", print_expression(condition))


def _comparison_filter(condition: Comparison, known: Mapping[str, Meaning]) -> Filter | None:
    about, sign, said = condition.left, condition.operator, condition.right
    if isinstance(said, Call):
        about, sign, said = said, _MIRRORED.get(sign, sign), about
    if isinstance(said, Name) and isinstance(value := known.get(said.name), Written):
        said = value.value
    if not isinstance(about, Call) or about.arguments[0] != Name("it"):
        return None
    if isinstance(said, Text) and sign == "==":
        return _word_filter(about.function, said.value)
    if isinstance(said, Number) and about.function in {"volume", "max_diameter"}:
        return _size_filter(sign, said)
    return None


def _word_filter(function: str, word: str) -> Filter | None:
    if function == "fate" and word in FATES:
        return Filter("fate", word)
    kinds = ("signal", "lobe", "territory")
    return next((Filter(kind, word) for kind in kinds if kind == function), None)


def _size_filter(sign: str, bound: Number) -> Filter | None:
    written = format_number(bound.value)
    exact = 0 <= bound.value < _MAX_SIZE and float(written) == bound.value
    if sign not in _MIRRORED or not exact or not bound.unit:
        return None
    return Filter("size", f"{sign}{written}{bound.unit}")
