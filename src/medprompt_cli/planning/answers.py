"""Sentences that end a dialogue, and the words by which its values are told back.

A sentence is made from what a program already holds, so it can name nothing that was not
looked at: each kind of sentence wants names of one sort, and its words are these here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from medprompt_cli.planning.tree import Call, Expression, Name, Text, walk_names

Told = Literal[
    "true",
    "false",
    "zero",
    "one",
    "several",
    "positive",
    "negative",
    "text",
    "absent",
    "unknown",
]
"""What a dialogue is told of a value that it asked to read."""

TOLD: tuple[Told, ...] = get_args(Told)

About = Literal["nothing", "mask", "value", "values"]
"""What a sentence is about: one mask, one value, or any number of values."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A kind of sentence.

    Attributes:
        kind: Its name.
        about: What has to be named in it.
        text: With `{region}` for what the names are of, and `{it}` for the name itself.
    """

    kind: str
    about: About
    text: str


_SENTENCES: tuple[tuple[str, About, str], ...] = (
    ("one-visit", "nothing", "There is one visit only, so no change can be told."),
    ("stopped", "nothing", "Not everything that was asked for fits into one dialogue."),
    ("absent", "mask", "No {region} was found."),
    ("unknown", "mask", "Whether there is {a} {region} cannot be told."),
    ("saved", "mask", "The {region} was marked."),
    ("appeared", "mask", "The {region} was not there at the first visit."),
    ("gone", "mask", "The {region} of the first visit is not there any more."),
    ("grew", "value", "Larger at the last visit than at the first ({region}): {it}."),
    ("shrank", "value", "Smaller at the last visit than at the first ({region}): {it}."),
    ("same", "value", "The same at both visits ({region}): {it}."),
    ("values", "values", ""),
)

SENTENCES: Mapping[str, Sentence] = {one[0]: Sentence(*one) for one in _SENTENCES}
"""Every kind of sentence, by name."""

_DEFINED = Mapping[str, Expression]


def sentence(kind: str, names: Sequence[str], defined: _DEFINED) -> str:
    """The text of a sentence about values of a program.

    Args:
        kind: Of `SENTENCES`.
        names: What it is about.
        defined: Every name so far, with what it holds.

    >>> sentence("values", ["left_caudate_volume"], {})
    'left caudate volume: {left_caudate_volume}.'
    """
    if SENTENCES[kind].about == "values":
        each = [f"{name.replace('_', ' ')}: {{{name}}}" for name in names]
        return "; ".join(each) + "."
    text = SENTENCES[kind].text
    for name in names:
        region = region_of(Name(name), defined)
        article = "an" if region[0] in "aeiou" else "a"
        text = text.format(region=region, a=article, it=f"{{{name}}}")
    return text


def region_of(expression: Expression, defined: _DEFINED) -> str:
    """The target that a value goes back to, in words; `such` before one that was narrowed."""
    targets, narrowed = [], False
    for inside in walk_names(expression, defined):
        if not isinstance(inside, Call):
            continue
        if inside.function == "segment":
            target = inside.arguments[1]
            targets.append(target.value if isinstance(target, Text) else "region")
        elif inside.function in _NARROWING:
            narrowed = True
    name = targets[0].replace("-", " ") if targets else "region"
    return f"such {name}" if narrowed else name


_NARROWING = frozenset(
    {"where", "within", "side", "largest", "smallest", "nearest", "subtract", "intersect"}
)
