"""The functions of the plan language, once: everybody who needs to know reads this table.

A parameter of type Mask takes Instances as well: they are their union, unless the
function's own line says otherwise. Parameters after `=` can be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from medprompt_cli.planning.filters import FATES, SIDES, SIGNALS
from medprompt_cli.planning.intent import IMAGES
from medprompt_cli.planning.units import Dimension
from medprompt_cli.planning.vocabulary import all_targets


class Type(StrEnum):
    """What a value is."""

    IMAGE = "Image"
    IMAGES = "Images"
    VISIT = "Visit"
    VISITS = "Visits"
    MASK = "Mask"
    INSTANCES = "Instances"
    NUMBER = "Number"
    TEXT = "Text"
    TRUTH = "Truth"


class TextKind(StrEnum):
    """What a text holds that has to be written out."""

    TARGET = "Target"
    """A canonical name."""
    SUFFIX = "Suffix"
    """Of an image."""
    SIDE = "Side"
    NAME = "Name"
    """Of an output."""
    SENTENCE = "Sentence"
    """With names of values in braces."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a function is given.

    Attributes:
        name: For keywords: `image(visit=...)`.
        types: Any of these.
        literal: What the text holds, where it has to be written out.
        dimensions: What a number may be a number of; empty for any.
        default: What it means to leave it out; None if it cannot be left out.
        about_it: Whether it is a condition on `it`, one instance after the other.
    """

    name: str
    types: tuple[Type, ...]
    literal: TextKind | None = None
    dimensions: tuple[Dimension, ...] = ()
    default: str | None = None
    about_it: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a function gives.

    Attributes:
        type: None for the type of the first argument.
        dimension: Of a number; None for the one of the numbers it is given.
        words: Key of `WORDS`: what a Text is chosen from; None if it is free.
    """

    type: Type | None
    dimension: Dimension | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language.

    Attributes:
        name: As it is written.
        group: What it is for: choose, see, combine, instances, measure, relate,
            characterize or answer.
        parameters: In order; those that can be left out come last.
        result: What it gives; None for what stands alone as a statement.
        meaning: One sentence.
        signature: How it is called, for people.
        suffix: Kind of image that a case must have for it.
        visits: How many visits a case must have for it.
    """

    name: str
    group: str
    parameters: tuple[Parameter, ...]
    result: Result | None
    meaning: str
    signature: str
    suffix: str | None = None
    visits: int = 1

    @property
    def required(self) -> int:
        """How many parameters cannot be left out."""
        return sum(parameter.default is None for parameter in self.parameters)


_TABLE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "choose": (
        (
            "image(suffix: Suffix = any, visit: Visit = the case's own) -> Image",
            "A scan of the case.",
        ),
        ("visits() -> Visits", "All visits, in the order of time."),
        ("first(visits: Visits) -> Visit", "The earliest visit."),
        ("last(visits: Visits) -> Visit", "The latest visit."),
    ),
    "see": (
        (
            "segment(images: Image | Images, target: Target) -> Mask",
            "Where the target is; empty where it is absent.",
        ),
    ),
    "combine": (
        ("union(mask: Mask, other: Mask) -> Mask", "What is in one of them or in both."),
        ("intersect(mask: Mask, other: Mask) -> Mask", "What is in both."),
        ("subtract(mask: Mask, other: Mask) -> Mask", "What is in the first alone."),
        (
            "within(mask: Mask | Instances, region: Mask) -> as given",
            "Of a mask what lies in the region; of instances those that lie in it or touch it.",
        ),
        (
            "side(mask: Mask | Instances, side: Side) -> as given",
            "Of a mask what lies on that side; of instances those that lie mostly there.",
        ),
        ("rim(mask: Mask, width: Number[length]) -> Mask", "A shell of that width around it."),
    ),
    "instances": (
        ("instances(mask: Mask) -> Instances", "Its connected components."),
        ("largest(instances: Instances) -> Mask", "The one of largest volume."),
        ("smallest(instances: Instances) -> Mask", "The one of smallest volume."),
        ("nearest(instances: Instances, other: Mask) -> Mask", "The one nearest to a mask."),
        (
            "where(instances: Instances, condition: Truth about it) -> Instances",
            "Those that the condition holds for.",
        ),
    ),
    "measure": (
        ("volume(mask: Mask) -> Number[volume]", "Volume; of instances, of all together."),
        ("count(instances: Instances | Visits) -> Number[count]", "How many there are."),
        ("max_diameter(mask: Mask) -> Number[length]", "Longest diameter of any instance."),
        (
            "bidimensional(mask: Mask) -> Number[area]",
            "RANO product: longest diameter in a slice times the longest one across it.",
        ),
        ("width(mask: Mask) -> Number[length]", "Extent from left to right."),
        ("surface_area(mask: Mask) -> Number[area]", "Area of the surface."),
        ("mean(image: Image, mask: Mask) -> Number[intensity]", "Mean intensity."),
        ("std(image: Image, mask: Mask) -> Number[intensity]", "Spread of the intensity."),
        (
            "percentile(image: Image, mask: Mask, rank: Number[percent | bare])"
            " -> Number[intensity]",
            "The intensity that so many percent of the voxels do not exceed.",
        ),
        ("density(image: Image, mask: Mask) -> Number[density]", "Mean density on CT."),
        ("centroid(mask: Mask) -> Text", "Its middle, in RAS+ mm."),
        ("distance(mask: Mask, other: Mask) -> Number[length]", "Shortest distance."),
    ),
    "relate": (
        (
            "asymmetry(left: Mask | Number, right: Mask | Number) -> Number[percent]",
            "Left minus right, of their mean; of two masks, by volume.",
        ),
        (
            "ratio(number: Number, other: Number) -> Number[ratio]",
            "The first divided by the second.",
        ),
        (
            "fraction_of_icv(mask: Mask) -> Number[ratio]",
            "Its part of the intracranial volume.",
        ),
        (
            "difference(number: Number, other: Number) -> Number[as given]",
            "The first minus the second.",
        ),
        ("change(earlier: Number, later: Number) -> Number[as given]", "Later minus earlier."),
        (
            "percent_change(earlier: Number, later: Number) -> Number[percent]",
            "Later minus earlier, of the earlier.",
        ),
        (
            "annualised_change(earlier: Number, later: Number, earlier_visit: Visit,"
            " later_visit: Visit) -> Number[rate]",
            "Percent change for each year between the two visits.",
        ),
    ),
    "characterize": (
        (
            "signal(mask: Mask, image: Image = the one it was seen on) -> Text[signal]",
            "Whether it is brighter or darker than its surroundings.",
        ),
        (
            "lobe(mask: Mask, image: Image = the one it was seen on) -> Text[lobe]",
            "The lobe it lies in, with its side; equal to the lobe's name without side, too.",
        ),
        (
            "territory(mask: Mask, image: Image = the one it was seen on) -> Text[territory]",
            "The arterial territory it lies in, as for a lobe.",
        ),
        (
            "fate(mask: Mask, earlier: Image = that of the first visit) -> Text[fate]",
            "What became of it since the earlier image.",
        ),
        ("enhances(mask: Mask) -> Truth", "Whether it takes up contrast agent."),
        ("restricts_diffusion(mask: Mask) -> Truth", "Whether diffusion is restricted in it."),
        ("is_present(mask: Mask) -> Truth", "Whether it is there at all."),
        ("presence(mask: Mask) -> Number[ratio]", "Probability that it is there, from 0 to 1."),
    ),
    "answer": (
        ("save(mask: Mask | Instances, name: Name)", "Write the mask under a name."),
        ("read(value: Number | Text | Truth)", "Write the value down; in a dialogue, say it."),
        ("answer(text: Sentence)", "Say a sentence, with the values of names in braces."),
    ),
}

_SUFFIXES: Mapping[str, str] = {
    "density": "ct",
    "enhances": "T1ce",
    "restricts_diffusion": "dwi",
}
_OF_TWO_VISITS = frozenset({"change", "percent_change", "annualised_change", "fate"})

_KINDS = frozenset(kind.value for kind in TextKind)
_SIGNATURE = re.compile(r"(?P<name>\w+)\((?P<given>.*?)\)(?: -> (?P<result>.+))?")
_PARAMETER = re.compile(r"(?P<name>\w+): (?P<types>[^=]+?)(?: = (?P<default>[^,]+))?(?:, |$)")
_BRACKETS = re.compile(r"\[([^]]+)\]")


def _functions() -> Iterator[Function]:
    for group, rows in _TABLE.items():
        for signature, meaning in rows:
            found = _SIGNATURE.fullmatch(signature)
            if found is None:
                raise ValueError(signature)
            name, given, result = found.group("name", "given", "result")
            yield Function(
                name,
                group,
                tuple(_parameter(match) for match in _PARAMETER.finditer(given)),
                _result(result) if result else None,
                meaning,
                signature,
                _SUFFIXES.get(name),
                2 if name in _OF_TWO_VISITS else 1,
            )


def _parameter(match: re.Match[str]) -> Parameter:
    types = match["types"].removesuffix(" about it")
    dimensions = _BRACKETS.search(types)
    words = _BRACKETS.sub("", types).split(" | ")
    return Parameter(
        match["name"],
        tuple(Type.TEXT if word in _KINDS else Type(word) for word in words),
        TextKind(words[0]) if words[0] in _KINDS else None,
        tuple(map(Dimension, dimensions[1].split(" | "))) if dimensions else (),
        match["default"],
        types != match["types"],
    )


def _result(text: str) -> Result:
    if text == "as given":
        return Result(None)
    found = _BRACKETS.search(text)
    type_, inside = Type(_BRACKETS.sub("", text)), found[1] if found else None
    if type_ == Type.NUMBER and inside != "as given":
        return Result(type_, Dimension(inside or ""))
    return Result(type_, words=inside if type_ == Type.TEXT else None)


FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _functions()}
"""Every function, by name."""

STATEMENTS: tuple[str, ...] = tuple(f.name for f in FUNCTIONS.values() if f.result is None)
"""Those that stand alone on a line."""


def _names(*kinds: str) -> tuple[str, ...]:
    found = [t.name for t in all_targets() if not kinds or t.kind in kinds]
    bare = [name.removeprefix("left-").removeprefix("right-") for name in found]
    return tuple(sorted({*found, *bare}))


LITERALS: Mapping[TextKind, tuple[str, ...]] = {
    TextKind.TARGET: _names(),
    TextKind.SUFFIX: IMAGES,
    TextKind.SIDE: SIDES,
}
"""What a text that is written out may be, where there is a list of it."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "signal": SIGNALS,
    "fate": FATES,
    "lobe": _names("lobe"),
    "territory": _names("territory"),
}
"""What a function's Text is one of."""
