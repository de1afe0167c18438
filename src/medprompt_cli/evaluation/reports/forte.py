"""FORTE: which clinical terms of a reference its candidate says, category by category.

Sentences are paired one to one (pairing.py). Within a pair, what a term says, its category,
meaning and polarity, counts once on each side, and is matched if the other side says the
same. Terms of a sentence that is left over may match what its nearest sentence said and its
own partner did not: two sentences told as one. Everything else is missed or added.

Unlike the published script (published.py), no candidate sentence goes uncounted, none counts
twice, and a denied finding is a finding: it matches a denied one only.

Source: FORTE, https://www.nature.com/articles/s41467-025-57426-0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from medprompt_cli.evaluation.reports.lexicon import CATEGORIES, Category
from medprompt_cli.evaluation.reports.pairing import (
    Similarity,
    in_order,
    lexical_similarity,
    pair,
)
from medprompt_cli.evaluation.reports.sentences import Hit, Item, Polarity, Sentence

Side = Literal["reference", "candidate"]
Outcome = Literal["matched", "contradicted", "missed", "added"]

OPPOSITE: dict[Polarity, Polarity] = {
    "positive": "negative",
    "negative": "positive",
    "neutral": "neutral",
}


@dataclass(frozen=True, slots=True)
class Count:
    """How many terms there are, and how many of them both texts say.

    Attributes:
        matched: In both.
        reference: In the reference.
        candidate: In the candidate.
    """

    matched: int = 0
    reference: int = 0
    candidate: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.matched + other.matched,
            self.reference + other.reference,
            self.candidate + other.candidate,
        )

    @property
    def precision(self) -> float | None:
        """Share of the candidate's terms that are right; None if it has none."""
        return self.matched / self.candidate if self.candidate else None

    @property
    def recall(self) -> float | None:
        """Share of the reference's terms that are found; None if it has none."""
        return self.matched / self.reference if self.reference else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both, 0 if one is missing; None if neither text has a term."""
        total = self.reference + self.candidate
        return 2 * self.matched / total if total else None


@dataclass(frozen=True, slots=True)
class Keyword:
    """A term where it stands, and what became of it.

    Attributes:
        side: The text it stands in.
        sentence: Number of its sentence there.
        text: The sentence.
        hit: The term.
        counted: Whether it counts: not, if its sentence said the same before.
        outcome: `matched`; else `contradicted` if the paired sentence says the opposite, or
            `missed` in a reference and `added` in a candidate.
        partner: Number of the sentence of the other text that it was compared with; None
            if there was none.
        similarity: Of the two sentences as paired; None if they were not.
    """

    side: Side
    sentence: int
    text: str
    hit: Hit
    counted: bool
    outcome: Outcome
    partner: int | None
    similarity: float | None


@dataclass(frozen=True)
class Comparison:
    """What FORTE says of one report.

    Attributes:
        counts: Of every category.
        keywords: Every term of both texts.
    """

    counts: dict[Category, Count]
    keywords: tuple[Keyword, ...]


@dataclass
class _Side:
    """The sentences of a text, and what of them is not matched yet."""

    name: Side
    sentences: Sequence[Sentence]
    open: dict[int, set[Item]] = field(default_factory=dict)
    partner: dict[int, tuple[int, float]] = field(default_factory=dict)
    found: dict[tuple[int, Item], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.open = {one.number: set(one.items) for one in self.sentences}

    def alone(self) -> list[Sentence]:
        return [one for one in in_order(self.sentences) if one.number not in self.partner]


def compare(
    reference: Sequence[Sentence],
    candidate: Sequence[Sentence],
    similarity: Similarity = lexical_similarity,
) -> Comparison:
    """Compare the terms of two reports."""
    ours, theirs = _Side("reference", reference), _Side("candidate", candidate)
    for first, second, alike in pair(reference, candidate, similarity):
        ours.partner[first.number] = (second.number, alike)
        theirs.partner[second.number] = (first.number, alike)
        _match(ours, first.number, theirs, second.number)
    for side, other in ((ours, theirs), (theirs, ours)):
        for one in side.alone():
            nearest = _nearest(side.open[one.number], other)
            if nearest is not None:
                _match(side, one.number, other, nearest)
    keywords = (*_keywords(ours, theirs), *_keywords(theirs, ours))
    return Comparison(_counts(keywords), keywords)


def _match(side: _Side, mine: int, other: _Side, theirs: int) -> None:
    for item in side.open[mine] & other.open[theirs]:
        side.found[mine, item] = theirs
        other.found[theirs, item] = mine
        side.open[mine].discard(item)
        other.open[theirs].discard(item)


def _nearest(said: set[Item], other: _Side) -> int | None:
    """The sentence that leaves open most of what is said; None if none does any of it."""
    shared = {
        one.number: len(said & other.open[one.number]) for one in in_order(other.sentences)
    }
    best = max(shared, key=lambda number: shared[number], default=None)
    return best if best is not None and shared[best] else None


def _keywords(side: _Side, other: _Side) -> Iterable[Keyword]:
    said = {one.number: set(one.items) for one in other.sentences}
    for one in side.sentences:
        paired, alike = side.partner.get(one.number, (None, None))
        seen: set[Item] = set()
        for hit in one.hits:
            partner = side.found.get((one.number, hit.item))
            yield Keyword(
                side.name,
                one.number,
                one.text,
                hit,
                hit.item not in seen,
                _outcome(side.name, hit.item, partner, said.get(paired or 0, set())),
                paired if partner is None else partner,
                alike if partner in {None, paired} else None,
            )
            seen.add(hit.item)


def _outcome(side: Side, item: Item, partner: int | None, said: set[Item]) -> Outcome:
    if partner is not None:
        return "matched"
    category, term, polarity = item
    if polarity != "neutral" and (category, term, OPPOSITE[polarity]) in said:
        return "contradicted"
    return "missed" if side == "reference" else "added"


def _counts(keywords: Iterable[Keyword]) -> dict[Category, Count]:
    tally = Counter(
        (one.hit.item[0], one.side, one.outcome == "matched") for one in keywords if one.counted
    )
    return {
        category: Count(
            tally[category, "reference", True],
            tally[category, "reference", True] + tally[category, "reference", False],
            tally[category, "candidate", True] + tally[category, "candidate", False],
        )
        for category in CATEGORIES
    }
