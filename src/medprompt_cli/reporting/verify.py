"""The lock: any text is held against the facts, and what they do not bear out is named.

Held are numbers with their units, roles, regions, sides and visits; regions; features and
places of lesions with how sure they are; limits, directions of change, what became of lesions,
and every denial. A word that is neither a name, nor a term, nor a plain word is refused, too:
what cannot be held against facts must not be said.

A text that passes says nothing that the facts do not hold. It may still leave out what they
hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from medprompt_cli.errors import UsageError
from medprompt_cli.language.splitting import split_sentences
from medprompt_cli.reporting.change_checks import CHANGE_CHECKS
from medprompt_cli.reporting.clauses import GENERAL, Clause, Subject, lies_within
from medprompt_cli.reporting.english import TITLES as ENGLISH_TITLES
from medprompt_cli.reporting.facts import Facts, is_lesion
from medprompt_cli.reporting.holding import (
    Held,
    Outcome,
    Refused,
    Spoken,
    instances_of,
    regions_of,
    spoken,
)
from medprompt_cli.reporting.known import Known
from medprompt_cli.reporting.korean import TITLES as KOREAN_TITLES
from medprompt_cli.reporting.number_checks import check_number, followed
from medprompt_cli.reporting.scanning import Mark
from medprompt_cli.reporting.terms import Kind
from medprompt_cli.reporting.word_checks import WORD_CHECKS, check_place

SURE = "definitely"
"""What need not be said: only what is less sure has to be called so."""

DENIABLE: frozenset[Kind] = frozenset(
    {"feature", "fate", "direction", "limit", "noise", "present", "earlier"}
)
"""Marks whose denial takes up that of the region beside them: in `no new lesion` it is denied
that one is new, not that there is one."""

_Subjects = tuple[Subject, ...]


CHECKS = {**WORD_CHECKS, **CHANGE_CHECKS, "number": check_number}
"""How a mark of each kind is held against the facts."""

CHOICE = ("conjunction", "or")

TITLES = frozenset({*ENGLISH_TITLES.values(), *KOREAN_TITLES.values()})
"""Headings of our own reports, which say nothing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a text says that the facts do not hold.

    Attributes:
        number: Of the sentence, from 1.
        sentence: As written.
        word: The word that is refused.
        reason: Why.
    """

    number: int
    sentence: str
    word: str
    reason: str

    def __str__(self) -> str:
        return f"Sentence {self.number}, {self.word!r}: {self.reason}."


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence that was held against the facts.

    Attributes:
        text: As written.
        references: Ids of the facts that bear it out.
        problems: What they do not bear out; empty if all is well.
    """

    text: str
    references: tuple[str, ...]
    problems: tuple[Problem, ...]


def verify(text: str, facts: Facts, visit: str | None = None) -> list[Problem]:
    """What a text says that the facts do not hold; nothing if it passes.

    Args:
        text: English or Korean, plain or Markdown.
        facts: All that is known of the subject.
        visit: Name of the visit that the text is about; the last if None.

    Raises:
        UsageError: If there is no such visit.
    """
    return Lock(facts, visit).problems(text)


class Lock:
    """The facts of a subject, ready to have texts held against them.

    Args:
        facts: All that is known of the subject.
        visit: Name of the visit that texts are about; the last if None.

    Raises:
        UsageError: If there is no such visit.
    """

    def __init__(self, facts: Facts, visit: str | None = None) -> None:
        names = [one.name for one in facts.visits]
        name = names[-1] if visit is None and names else visit
        if name not in names:
            raise UsageError(
                f"{facts.subject} has no visit {name!r}.",
                remedy=f"Use one of {', '.join(names)}." if names else "Measure one first.",
            )
        self._known = Known(facts, name or "")
        self._seen: dict[tuple[str, _Subjects], tuple[Checked, _Subjects]] = {}

    def problems(self, text: str) -> list[Problem]:
        """What a text says that the facts do not hold; nothing if it passes."""
        return [one for checked in self.check(text) for one in checked.problems]

    def check(self, text: str) -> list[Checked]:
        """Every sentence of a text, with what bears it out and what is refused."""
        found: list[Checked] = []
        before: tuple[Subject, ...] = ()
        for number, sentence in enumerate(split_sentences(text), start=1):
            if sentence in TITLES:
                found.append(Checked(sentence, (), ()))
                continue
            checked, subjects = self._held(sentence, before)
            problems = tuple(replace(one, number=number) for one in checked.problems)
            found.append(replace(checked, problems=problems))
            before = subjects or before
        return found

    def _held(self, sentence: str, before: _Subjects) -> tuple[Checked, _Subjects]:
        """A sentence after another, held once."""
        key = (sentence, before)
        if key not in self._seen:
            one = spoken(sentence, self._known, before)
            self._seen[key] = _checked(one), one.subjects
        return self._seen[key]


def _checked(sentence: Spoken) -> Checked:
    refused: list[tuple[str, str]] = []
    ids: list[str] = []
    denials: set[int] = set()
    for clause in sentence.clauses:
        outcomes = list(_outcomes(sentence, clause))
        for mark, outcome in outcomes:
            if isinstance(outcome, Refused):
                refused.append((mark.word, outcome.reason))
            elif outcome is not None:
                ids += outcome.ids
                if mark.kind in {*DENIABLE, "region"} and sentence.denied(mark):
                    denials.add(sentence.part_of(mark))
        refused += _unsure(sentence, clause, outcomes)
    refused += _denying_nothing(sentence, denials)
    refused += [*_twice(sentence), *_left_open(sentence)]
    problems = tuple(
        Problem(0, sentence.text, word, reason) for word, reason in dict.fromkeys(refused)
    )
    return Checked(sentence.text, tuple(dict.fromkeys(filter(None, ids))), problems)


def _outcomes(sentence: Spoken, clause: Clause) -> Iterator[tuple[Mark, Outcome]]:
    """Everything that a clause says, and what came of holding it."""
    for subject in clause.named:
        yield subject.mark, _region(sentence, clause, subject)
    for subject in clause.others:
        yield subject.mark, _known(sentence, clause, subject)
    for place in clause.places:
        yield place.mark, check_place(sentence, clause, place)
    for mark in clause.marks:
        kind = mark.kind
        if mark.as_("qc") is not None and sentence.has("qc", "review"):
            kind = "qc"
        if kind == "unknown":
            yield mark, Refused("is a word that no fact bears out")
        elif kind in CHECKS:
            yield mark, CHECKS[kind](sentence, clause, mark)


def _region(sentence: Spoken, clause: Clause, subject: Subject) -> Outcome:
    """A region that is named: it is known, and what is denied of it is so."""
    unasked = sentence.has("status", "not_asked") and not sentence.denied(subject.mark)
    if subject.kind == GENERAL or unasked:  # held by other words
        return None
    known = _known(sentence, clause, subject)
    if isinstance(known, Refused):
        return known
    if sentence.denied(subject.mark):
        return None if _denies_more(sentence, subject) else _absent(sentence, clause, subject)
    if is_lesion(subject.kind) and not subject.followed:
        return _there(sentence, clause, subject)
    if lies_within(clause, subject) and not any(one.claims for one in sentence.clauses):
        return Refused("is where something lies that is not named")
    return known


def _known(sentence: Spoken, clause: Clause, subject: Subject) -> Outcome:
    """Whether there are facts of a region, and of the lesion with that number."""
    facts = sentence.known
    regions = regions_of(clause, subject, facts)
    if not facts.knows(regions):
        return Refused("is no region that the facts hold")
    if subject.followed:
        there = subject.first is None or bool(followed(sentence, clause, subject))
        return Held() if there else Refused("is no lesion of the ledger")
    for visit in sentence.at:
        for region in regions:
            numbers = instances_of(subject, region, visit, facts)
            if all(number in facts.facts.instances(region, visit) for number in numbers):
                return Held()
    return Refused("is no lesion with that number")


def _denies_more(sentence: Spoken, subject: Subject) -> bool:
    """Whether something beside a region is denied with it."""
    part = sentence.part_of(subject.mark)
    return any(
        mark.kind in DENIABLE and sentence.denied(mark) and sentence.part_of(mark) == part
        for mark in sentence.marks
    )


def _absent(sentence: Spoken, clause: Clause, subject: Subject) -> Outcome:
    for region in regions_of(clause, subject, sentence.known):
        for visit in sentence.at:
            number = sentence.known.volume(region, visit)
            if number is not None and number.status == "absent" and subject.first is None:
                return Held((number.id,), number.certainty)
    return Refused("is denied, and not absent")


def _there(sentence: Spoken, clause: Clause, subject: Subject) -> Outcome:
    """A lesion that is spoken of has to be there, or to have a status."""
    if sentence.has("status") or sentence.has("present") or sentence.has("fate"):
        return Held()
    facts = sentence.known.facts
    for region in regions_of(clause, subject, sentence.known):
        if sentence.changing and sentence.known.fates(region):
            return Held()
        for visit in sentence.at:
            number = sentence.known.volume(region, visit)
            listed = facts.instances(region, visit) or facts.findings_of(region, visit)
            if (number is not None and number.status == "measured") or listed:
                return Held()
        if sentence.changing and sentence.known.change(region, sentence.since):
            return Held()
    return Refused("is spoken of, and was not found")


def _unsure(
    sentence: Spoken, clause: Clause, outcomes: Sequence[tuple[Mark, Outcome]]
) -> list[tuple[str, str]]:
    """Where a text is more or less sure than the facts."""
    marks = clause.of("certainty")
    for inner in sentence.clauses:
        if inner.parent is clause and all(one.kind == "certainty" for one in inner.marks):
            marks += inner.marks
    said = {mark.value for mark in marks}
    sure: Mapping[str, str] = {
        mark.word: outcome.certainty.english
        for mark, outcome in outcomes
        if isinstance(outcome, Held) and outcome.certainty is not None
    }
    refused = []
    for word, certainty in sure.items():
        if (said and certainty not in said) or (not said and certainty != SURE):
            refused.append((word, f"is {certainty}, which is not said"))
    alone = all(mark.kind == "certainty" for mark in clause.marks)
    if marks and not sure and not (alone and clause.parent is not None):
        refused.append((marks[0].word, "is said of nothing that may be more or less sure"))
    return refused


def _denying_nothing(sentence: Spoken, held: set[int]) -> list[tuple[str, str]]:
    """Words of denial that deny nothing which was held against the facts."""
    parts = Counter(part for _, _, part in sentence.cues)
    return [
        (sentence.text[start:end], "denies nothing that the facts hold")
        for start, end, part in sentence.cues
        if part not in held or parts[part] > 1
    ]


def _twice(sentence: Spoken) -> list[tuple[str, str]]:
    """Regions that a sentence names twice: one of them stands for another."""
    named = Counter(
        (subject.kind, subject.side, subject.first, subject.followed)
        for clause in sentence.clauses
        for subject in clause.named
        if clause.alone is None
    )
    marks = {
        (subject.kind, subject.side, subject.first, subject.followed): subject.mark.word
        for clause in sentence.clauses
        for subject in clause.named
    }
    twice = [(marks[key], "is named twice") for key, count in named.items() if count > 1]
    counted = Counter(
        mark.word
        for clause in sentence.clauses
        if clause.has("number")
        for mark in (*clause.of("fate"), *clause.of("direction"))
    )
    return [*twice, *((word, "is counted twice") for word, n in counted.items() if n > 1)]


def _left_open(sentence: Spoken) -> list[tuple[str, str]]:
    """Words that leave open which of several is meant, but where all of them are denied."""
    either = [mark for mark in sentence.marks if (mark.kind, mark.value) == CHOICE]
    return [(mark.word, "leaves open which") for mark in either if not sentence.cues]
