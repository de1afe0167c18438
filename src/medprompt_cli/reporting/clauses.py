"""What a sentence speaks of: its marks in clauses, each with the regions it is about.

A clause ends at a comma, a semicolon, a colon or an `and`; brackets hold clauses about the
same as what they stand in. A clause without a region is about what the one before is about;
before the first region it is about all that follow, and in a sentence without any about what
the sentence before was about. Beside a lesion, another region is where it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from medprompt_cli.reporting.facts import is_lesion
from medprompt_cli.reporting.names import SIDED, SIDES
from medprompt_cli.reporting.scanning import Mark
from medprompt_cli.reporting.terms import Kind

GENERAL = "*"
"""Kind of a subject that is any structure."""

ENDS = frozenset({",", ";", ":"})

CLAIMS: frozenset[Kind] = frozenset(
    {
        *("number", "quantity", "direction", "fate", "degree", "feature", "status"),
        *("limit", "noise", "present", "detection", "qc", "earlier", "read-on"),
        "said",
    }
)
"""Marks that say something of a subject."""

JOINING = frozenset({"merged", "split"})
"""Fates that name another lesion, which is not what the clause is about."""

PASSED: frozenset[Kind] = frozenset({"plain", "particle", "certainty"})
"""Marks that may stand between a place and its preposition."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A region that is spoken of.

    Attributes:
        kind: Its name without side, or `GENERAL`.
        side: left, right, both; None if none stands with it.
        mark: Where it is named.
        first: Number of the lesion; None if all of them are meant.
        last: Number of the last of several; the same as the first of one.
        followed: Whether the number is an id of the ledger.
        largest: Whether the largest of the lesions is meant.
    """

    kind: str
    side: str | None
    mark: Mark
    first: int | None = None
    last: int | None = None
    followed: bool = False
    largest: bool = False

    def regions(self, side: str | None) -> tuple[str, ...]:
        """Names of tables that it may mean.

        Args:
            side: That stands elsewhere in the clause; None if none does.
        """
        meant = self.side or (side if self.kind in SIDED else None)
        if meant == "both":
            return tuple(f"{one}-{self.kind}" for one in SIDES)
        return (f"{meant}-{self.kind}",) if meant else (self.kind,)


@dataclass(eq=False)
class Clause:
    """A part of a sentence.

    Attributes:
        marks: In order, without those that end clauses.
        parent: The clause whose brackets it stands in; None if it stands in none.
        named: Regions that it names as its subjects.
        places: Regions that it names as places of a lesion.
        others: Lesions that it names as those another merged with or split from.
        subjects: What it is about.
        alone: A side that stands with no region.
        numbering: Marks that are numbers of lesions.
    """

    marks: list[Mark] = field(default_factory=list)
    parent: Clause | None = None
    named: list[Subject] = field(default_factory=list)
    places: list[Subject] = field(default_factory=list)
    others: list[Subject] = field(default_factory=list)
    subjects: tuple[Subject, ...] = ()
    alone: str | None = None
    numbering: set[int] = field(default_factory=set)

    @property
    def side(self) -> str | None:
        """The side that counts for a subject without one."""
        return self.alone or (self.parent.side if self.parent else None)

    def of(self, kind: Kind) -> list[Mark]:
        """Its marks of a kind."""
        return [mark for mark in self.marks if mark.kind == kind]

    def has(self, kind: Kind, *values: str) -> bool:
        """Whether it has a mark of a kind, of any or of some values."""
        return any(not values or mark.value in values for mark in self.of(kind))

    def move(self, subject: Subject, to: list[Subject]) -> None:
        """Take a region that is named for what it is besides a subject."""
        self.named.remove(subject)
        to.append(subject)

    @property
    def claims(self) -> bool:
        """Whether it says something."""
        return any(
            mark.kind in CLAIMS and mark.start not in self.numbering for mark in self.marks
        )


def clauses_of(marks: Sequence[Mark], before: Sequence[Subject] = ()) -> list[Clause]:
    """The clauses of a sentence.

    Args:
        marks: Of the sentence.
        before: What the sentence before was about.
    """
    clauses = _cut(marks)
    for clause in clauses:
        _name(clause)
    _place(clauses, carried=any(is_lesion(subject.kind) for subject in before))
    _assign(clauses, tuple(before))
    return clauses


def _cut(marks: Sequence[Mark]) -> list[Clause]:
    clauses = [Clause()]
    open_: list[Clause] = [clauses[0]]

    def begin(parent: Clause | None) -> Clause:
        clauses.append(Clause(parent=parent))
        return clauses[-1]

    for mark in marks:
        if mark.word == "(":
            open_.append(begin(open_[-1]))
        elif mark.word == ")":
            if len(open_) > 1:
                open_.pop()
        elif mark.word in ENDS or mark.kind == "conjunction":
            open_[-1] = begin(open_[-1].parent)
        else:
            open_[-1].marks.append(mark)
    return _with_afterthoughts([clause for clause in clauses if clause.marks])


def _with_afterthoughts(clauses: Sequence[Clause]) -> list[Clause]:
    """Clauses, those that say no more than how sure it is joined to the one before."""
    kept: list[Clause] = []
    for clause in clauses:
        passed = all(one.kind in PASSED or one.kind == "point" for one in clause.marks)
        sure = passed and clause.has("certainty")
        if sure and clause.parent is None and kept and kept[-1].parent is None:
            kept[-1].marks += clause.marks
        else:
            kept.append(clause)
    return kept


def _name(clause: Clause) -> None:
    """Find the regions of a clause with their sides and numbers."""
    used: set[int] = set()
    for at, mark in enumerate(clause.marks):
        if mark.kind == "generic":
            clause.named.append(Subject(GENERAL, None, mark))
        if mark.kind != "region":
            continue
        side = _side_at(clause.marks, at, used)
        subject = Subject(mark.value, side, mark)
        clause.named.append(_numbered(clause, at, subject))
    sides = [mark for mark in clause.of("side") if mark.start not in used]
    clause.alone = sides[-1].value if sides else None


def _side_at(marks: Sequence[Mark], at: int, used: set[int]) -> str | None:
    """The side beside a region: right before it, or right after."""
    for step in (-1, 1):
        beside = _beside(marks, at, step)
        if beside is not None and beside.kind == "side" and beside.start not in used:
            used.add(beside.start)
            return beside.value
    return None


def _beside(marks: Sequence[Mark], at: int, step: int) -> Mark | None:
    at += step
    while step < 0 and at >= 0 and marks[at].word.lower() in {"the", "of"}:
        at += step
    return marks[at] if 0 <= at < len(marks) else None


def _numbered(clause: Clause, at: int, subject: Subject) -> Subject:
    """A lesion with its number, or its first and last, which stand right behind it."""
    marks = clause.marks
    before = [mark for mark in marks[:at] if mark.kind not in PASSED | {"side"}]
    last = before[-1].kind if before else None
    subject = replace(subject, followed=last == "followed", largest=last == "largest")
    numbers = [mark for mark in marks[at + 1 : at + 4] if mark.kind == "number"]
    behind = marks[at + 1 : at + 2]
    if not behind or not _is_number_of(behind[0]):
        return subject
    clause.numbering.add(behind[0].start)
    first = int(behind[0].number.value) if behind[0].number else None
    joined = len(marks) > at + 3 and marks[at + 2].word in {"to", "~", "-", "\u2013"}
    if joined and len(numbers) > 1 and _is_number_of(numbers[1]) and numbers[1].number:
        clause.numbering.add(numbers[1].start)
        return replace(subject, first=first, last=int(numbers[1].number.value))
    return replace(subject, first=first, last=first)


def _is_number_of(mark: Mark) -> bool:
    number = mark.number
    return number is not None and not number.unit and number.value == int(number.value)


def _place(clauses: Sequence[Clause], *, carried: bool) -> None:
    """Tell places of lesions, and lesions that others joined, from subjects.

    Args:
        clauses: Of a sentence.
        carried: Whether the sentence before was about a lesion.
    """
    named = [subject for clause in clauses for subject in clause.named]
    somewhere = carried or any(is_lesion(subject.kind) for subject in named)
    lesion = False
    for clause in clauses:
        beside = lesion or any(is_lesion(subject.kind) for subject in clause.named)
        for subject in list(clause.named):
            if is_lesion(subject.kind):
                if lesion and subject.followed and _joins(clause):
                    clause.move(subject, clause.others)
                lesion = True
            elif subject.kind == GENERAL:
                lesion = False
            elif (somewhere and lies_within(clause, subject)) or (
                beside and not _measures(clause)
            ):
                clause.named.remove(subject)
                clause.places.append(subject)
            else:
                lesion = False


def _joins(clause: Clause | None) -> bool:
    return clause is not None and (clause.has("fate", *JOINING) or _joins(clause.parent))


def lies_within(clause: Clause, subject: Subject) -> bool:
    """Whether a word says that something lies in a region."""
    at = clause.marks.index(subject.mark)
    before = [mark for mark in clause.marks[:at] if mark.kind not in PASSED | {"side"}]
    after = clause.marks[at + 1 : at + 2]
    return bool(before and before[-1].kind == "in") or bool(after and after[0].kind == "in")


def _measures(clause: Clause) -> bool:
    """Whether a clause has a number with a unit."""
    return any(mark.number and mark.number.unit for mark in clause.marks)


def _assign(clauses: Sequence[Clause], before: tuple[Subject, ...]) -> None:
    """Say of each clause what it is about."""
    current: tuple[Subject, ...] = ()
    listing = False
    for clause in clauses:
        if clause.parent is not None:
            clause.subjects = tuple(clause.named)
            continue
        if clause.named:
            current = (*current, *clause.named) if listing else tuple(clause.named)
            listing = True
        clause.subjects = current
        listing = listing and not clause.claims
    whole = [clause for clause in clauses if clause.parent is None]
    later = tuple(subject for clause in whole for subject in clause.named) or before
    for clause in clauses:
        inherited = clause.parent.subjects if clause.parent else later
        clause.subjects = clause.subjects or inherited
