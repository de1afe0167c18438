"""Whether what is said of change is so: its direction, noise, and what became of lesions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medprompt_cli.reporting.clauses import GENERAL, JOINING, Clause, Subject
from medprompt_cli.reporting.facts import ChangeFact, FateFact, is_lesion
from medprompt_cli.reporting.holding import (
    Held,
    Outcome,
    Refused,
    Spoken,
    regions_of,
    unfollowed,
)
from medprompt_cli.reporting.number_checks import FATE_OF, PIECES, followed
from medprompt_cli.reporting.scanning import Mark
from medprompt_cli.reporting.terms import Kind

SIGNS = {"up": 1, "down": -1}


def check_direction(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Whether regions grew or shrank, or neither."""
    if _counts(clause):
        return None
    no = sentence.denied(mark)
    if unfollowed(sentence) or any(one.kind == GENERAL for one in clause.subjects):
        whole = _unfollowed(sentence, mark, no=no) if unfollowed(sentence) else None
        return whole or _nothing(sentence, no=no)
    if any(subject.followed for subject in clause.subjects):
        return _fate(sentence, clause, FATE_OF.get(mark.value, ""), no=no)
    ids: list[str] = []
    for region, change in _changes(sentence, clause):
        if change is None or change.direction is None:
            return Refused(f"is said of {region}, whose change is not known")
        if not _fits(sentence, change, mark.value, no=no):
            return Refused(f"is not how {region} changed")
        ids.append(change.id)
    return Held(tuple(ids)) if ids else Refused("is said of nothing")


def _unfollowed(sentence: Spoken, mark: Mark, *, no: bool) -> Outcome:
    """That change since the visit before was not assessed."""
    known = sentence.known
    if no or mark.value != "any" or known.earlier is None:
        return Refused("is not so")
    if sentence.since not in {None, known.earlier}:
        return Refused("is said since another visit than the one before")
    if known.facts.followed(known.earlier, known.visit):
        return Refused("was assessed")
    return Held()


def _counts(clause: Clause) -> bool:
    """Whether the words of a clause say what is counted."""
    counted = any(
        mark.number and mark.number.unit in PIECES and mark.start not in clause.numbering
        for mark in clause.marks
    )
    lesion = any(is_lesion(one.kind) and not one.followed for one in clause.subjects)
    return counted and lesion


def _changes(sentence: Spoken, clause: Clause) -> list[tuple[str, ChangeFact | None]]:
    """Every region that a clause is about, and its change."""
    return [
        (region, sentence.known.change(region, sentence.since))
        for subject in clause.subjects
        for region in regions_of(clause, subject, sentence.known)
    ]


def _fits(sentence: Spoken, change: ChangeFact, direction: str, *, no: bool) -> bool:
    """Whether a change is what is said; one within noise has to be said to be that."""
    within = change.exceeds_limit is False
    if change.untold:  # neither larger nor smaller, nor the same
        return direction == "any" and not no
    if direction == "same":
        return not no and (within or change.direction == 0)
    if no:
        return within
    if within and not sentence.has("noise", "within"):
        return False
    return direction == "any" or SIGNS[direction] == change.direction


def _nothing(sentence: Spoken, *, no: bool) -> Outcome:
    """That no structure changed beyond noise."""
    judged = sentence.known.judged()
    recent = sentence.since in {None, sentence.known.earlier}
    if no and recent and judged and not any(change.exceeds_limit for change in judged):
        return Held(tuple(change.id for change in judged))
    return Refused("is not what holds of all structures")


def check_noise(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Whether changes are beyond the noise of the method."""
    if mark.value == "limit":
        return None
    no = sentence.denied(mark)
    if any(subject.kind == GENERAL for subject in clause.subjects):
        return _nothing(sentence, no=no) if mark.value == "beyond" else Refused("is not known")
    wanted = {"beyond": True, "within": False}.get(mark.value)
    ids: list[str] = []
    for region, change in _changes(sentence, clause):
        if change is None or change.status != "measured":
            return Refused(f"is said of {region}, whose change is not known")
        so = change.untold if mark.value == "untold" else change.exceeds_limit is wanted
        if so == no:
            return Refused(f"is not so of {region}")
        ids.append(change.id)
    return Held(tuple(ids)) if ids else Refused("is said of nothing")


def check_fate(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """What became of a lesion, or whether any met a fate."""
    if _counts(clause):
        return None
    no = sentence.denied(mark)
    if any(subject.followed for subject in clause.subjects):
        return _fate(sentence, clause, mark.value, no=no)
    rows = _rows(sentence, clause)
    if sentence.since not in {None, sentence.known.earlier}:
        return Refused("is said since another visit than the one before")
    met = [row for row in rows if row.fate == mark.value]
    if no and rows and not met:
        return Held(tuple(row.id for row in rows))
    if met and not no:
        return Held(tuple(row.id for row in met))
    return Refused("is not what became of any lesion")


def _rows(sentence: Spoken, clause: Clause) -> list[FateFact]:
    """What became of the lesions that a clause is about since the visit before."""
    return [
        row
        for subject in clause.subjects
        for region in regions_of(clause, subject, sentence.known)
        for row in sentence.known.fates(region)
        if row.visit == sentence.known.visit and row.fate
    ]


def _fate(sentence: Spoken, clause: Clause, fate: str, *, no: bool) -> Outcome:
    """What became of one lesion; of one that joined another, also of which."""
    for subject in clause.subjects:
        row = _row(sentence, clause, subject)
        if row is None or (row.fate == fate) == no:
            return Refused("is not what became of it")
        if sentence.since not in {None, row.before, sentence.known.earlier}:
            return Refused("is said since a visit that it was not seen at")
        if fate in JOINING and not _related(sentence, row):
            return Refused("is said of another lesion than it has to do with")
        return Held((row.id,))
    return Refused("is said of nothing")


def _row(sentence: Spoken, clause: Clause, subject: Subject) -> FateFact | None:
    found = [
        row for row in followed(sentence, clause, subject) if row.visit == sentence.known.visit
    ]
    return found[0] if found else None


def _related(sentence: Spoken, row: FateFact) -> bool:
    named = {one.first for clause in sentence.clauses for one in clause.others}
    return named == set(row.related)


CHANGE_CHECKS: Mapping[Kind, Callable[[Spoken, Clause, Mark], Outcome]] = {
    "direction": check_direction,
    "noise": check_noise,
    "fate": check_fate,
}
