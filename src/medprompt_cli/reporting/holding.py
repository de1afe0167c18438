"""One sentence and what it is held against; what comes of holding a mark of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from medprompt_cli.domain.certainty import Certainty
from medprompt_cli.language.negation import clause_of, cues_in, denied
from medprompt_cli.language.words import words_of
from medprompt_cli.reporting.clauses import Clause, Subject, clauses_of
from medprompt_cli.reporting.facts import is_lesion
from medprompt_cli.reporting.known import Candidate, Known
from medprompt_cli.reporting.scanning import Mark
from medprompt_cli.reporting.terms import Kind

CHANGING: frozenset[Kind] = frozenset({"direction", "noise", "since", "fate"})
"""Marks that make a sentence one about change."""

FIXED: frozenset[Kind] = frozenset({"status", "direction", "fate", "noise", "detection"})
"""Marks that may hold a word of denial which is part of what they mean."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a mark says is so.

    Attributes:
        ids: Of the facts that bear it out.
        certainty: How sure they are; None if that is not a matter of being sure.
    """

    ids: tuple[str, ...] = ()
    certainty: Certainty | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What a mark says is not so, or not known.

    Attributes:
        reason: Why, as the end of a sentence that begins with the word.
    """

    reason: str


Outcome = Held | Refused | None
"""None where a mark says nothing that could be held against anything."""


@dataclass(eq=False)
class Spoken:
    """A sentence.

    Attributes:
        text: As written.
        marks: Of it.
        clauses: Of it.
        known: What it is held against.
        cues: Words of denial: where they begin and end, and the part of the sentence.
        last: What the number that was held last may be; its interval may follow.
    """

    text: str
    marks: Sequence[Mark]
    clauses: Sequence[Clause]
    known: Known
    last: tuple[Candidate, ...] = ()
    _denied: list[tuple[int, int, int, bool]] = field(default_factory=list)
    cues: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        words = words_of(self.text)
        clauses = clause_of(words)
        # what denies inside a term, as in `not assessed`, denies nothing outside of it
        terms = [
            (inside[0], inside[-1])
            for mark in self.marks
            if mark.kind in FIXED
            and (inside := [n for n, w in enumerate(words) if _in(mark, w.start, w.end)])
        ]
        no = denied(words, terms)
        self._denied = [
            (word.start, word.end, number, said)
            for word, number, said in zip(words, clauses, no, strict=True)
        ]
        self.cues = [
            (words[first].start, words[last].end, clauses[first])
            for first, last, kind in cues_in(words)
            if kind != "neutral" and not any(a <= first and last <= b for a, b in terms)
        ]

    def denied(self, mark: Mark) -> bool:
        """Whether a mark is denied, by a word outside of it."""
        inside = [said for start, end, _, said in self._denied if _in(mark, start, end)]
        return bool(inside) and inside[-1]

    def part_of(self, mark: Mark) -> int:
        """Number of the part of the sentence, as denial knows them, that a mark is in."""
        return next((n for start, end, n, _ in self._denied if _in(mark, start, end)), -1)

    def has(self, kind: Kind, *values: str) -> bool:
        """Whether the sentence has a mark of a kind, of any or of some values."""
        there = self._values.get(kind, frozenset())
        return any(value in there for value in values) if values else bool(there)

    @cached_property
    def _values(self) -> Mapping[Kind, set[str]]:
        found: dict[Kind, set[str]] = {}
        for mark in self.marks:
            found.setdefault(mark.kind, set()).add(mark.value)
        return found

    @cached_property
    def changing(self) -> bool:
        """Whether it is about change."""
        return any(self.has(kind) for kind in CHANGING) or self.has("quantity", "annual")

    @cached_property
    def visits(self) -> tuple[str, ...]:
        """Visits that it names."""
        return tuple(dict.fromkeys(mark.value for mark in self.marks if mark.kind == "visit"))

    @cached_property
    def since(self) -> str | None:
        """The earlier visit that it names; None if it names none."""
        return next((name for name in self.visits if name != self.known.visit), None)

    @cached_property
    def at(self) -> tuple[str, ...]:
        """Visits whose numbers it may state."""
        if self.changing:
            return (self.known.visit,)
        return self.visits or (self.known.visit,)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What it was about, for the sentence after it."""
        for clause in reversed(self.clauses):
            if clause.subjects and clause.parent is None:
                return clause.subjects
        return ()


def _in(mark: Mark, start: int, end: int) -> bool:
    return mark.start <= start and end <= mark.end


def spoken(text: str, known: Known, before: Sequence[Subject] = ()) -> Spoken:
    """Read a sentence.

    Args:
        text: The sentence.
        known: What it is to be held against.
        before: What the sentence before was about.
    """
    marks = known.scanner.scan(text)
    return Spoken(text, marks, clauses_of(marks, before), known)


def unfollowed(sentence: Spoken) -> bool:
    """Whether it says, of no region, that change was not assessed."""
    named = any(clause.named for clause in sentence.clauses)
    return not named and sentence.has("direction") and sentence.has("status", "unknown")


def regions_of(clause: Clause, subject: Subject, known: Known) -> tuple[str, ...]:
    """Regions of the tables that a subject may mean."""
    if is_lesion(subject.kind) and subject.side is None:
        return known.lesion_kinds(subject.kind)
    return subject.regions(clause.side)


def instances_of(subject: Subject, region: str, visit: str, known: Known) -> tuple[int, ...]:
    """Numbers of the lesions that a subject means; empty if all of a region are meant."""
    if subject.followed:
        return ()
    if subject.largest:
        return known.facts.instances(region, visit)[:1]
    if subject.first is None or subject.last is None:
        return ()
    return tuple(range(subject.first, subject.last + 1))
