"""Whether a number that is written is one that the facts hold, of that region, in that role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from medprompt_cli.reporting.clauses import Clause, Subject
from medprompt_cli.reporting.detection_checks import check_least
from medprompt_cli.reporting.facts import FateFact, is_lesion
from medprompt_cli.reporting.holding import (
    Held,
    Outcome,
    Refused,
    Spoken,
    instances_of,
    regions_of,
)
from medprompt_cli.reporting.known import Candidate
from medprompt_cli.reporting.scanning import Mark, Quantity

TO = frozenset({"to", "~", "-", "\u2013", "\u2014", "에서"})
BY = frozenset({"x", "\u00d7", "by"})
"""What stands between two numbers that belong together."""

SURE_PERCENT = 95.0
"""An interval may be called by it."""

BY_UNIT: dict[str, frozenset[str]] = {
    "mL": frozenset({"volume"}),
    "mm": frozenset({"diameter"}),
    "mm2": frozenset({"product"}),
}
"""What a number without another word is, by its unit."""

CHANGED_BY_UNIT: dict[str, frozenset[str]] = {
    "mL": frozenset({"first", "second", "absolute"}),
    "%": frozenset({"percent"}),
    "d": frozenset({"days"}),
}
"""The same in a sentence about change."""

SIZES = frozenset({"percent", "absolute", "shift"})
"""Numbers whose direction may be said in a word instead of by a sign."""

FATE_OF = {"up": "enlarging", "down": "shrinking", "same": "stable"}

PIECES = frozenset({"", "pieces"})
"""Units of what is counted."""


def check_number(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Hold one number, or several that belong together, by the first of them."""
    number = mark.number
    if number is None or mark.start in clause.numbering or _joined_before(clause, mark):
        return None
    if clause.has("detection", "from"):
        return check_least(sentence, clause, mark)
    if sentence.denied(mark):
        return Refused("is a number that is denied")
    numbers, joint = _chain(clause, mark)
    if joint in BY:
        return _spacing(sentence, clause, numbers)
    if len(numbers) == 2:  # noqa: PLR2004 - a pair
        return _pair(sentence, clause, numbers[0], numbers[1])
    return _one(sentence, clause, mark, number)


def _one(sentence: Spoken, clause: Clause, mark: Mark, number: Quantity) -> Outcome:
    if number.value == SURE_PERCENT and number.unit == "%" and _roles(clause) == {"interval"}:
        return None
    if number.unit in PIECES and _counts_fates(clause):
        return _fate_count(sentence, clause, number)
    return _single(sentence, clause, mark, number)


def _joint(clause: Clause, at: int) -> str | None:
    """What joins the number at a place to the next; None if nothing does."""
    marks = clause.marks
    if at + 2 >= len(marks) or marks[at + 2].number is None:
        return None
    if marks[at + 2].start in clause.numbering:
        return None
    word = marks[at + 1].word.lower()
    return word if word in TO or word in BY else None


def _joined_before(clause: Clause, mark: Mark) -> bool:
    at = clause.marks.index(mark)
    first = at - 2
    return first >= 0 and bool(clause.marks[first].number) and bool(_joint(clause, first))


def _chain(clause: Clause, mark: Mark) -> tuple[list[Quantity], str | None]:
    """Numbers that belong together, all in the unit of the last, and what joins them."""
    at = clause.marks.index(mark)
    found, joint = [at], None
    while (word := _joint(clause, found[-1])) is not None:
        joint = word
        found.append(found[-1] + 2)
    numbers = [clause.marks[n].number for n in found]
    known = [number for number in numbers if number is not None]
    return [_in_unit_of(number, known[-1]) for number in known], joint


def _in_unit_of(number: Quantity, other: Quantity) -> Quantity:
    return number if number.unit else _with_unit(number, other.unit)


def _with_unit(number: Quantity, unit: str) -> Quantity:
    return Quantity(number.value, unit, number.within, number.signed)


def _roles(clause: Clause) -> set[str]:
    """What the words of a clause say that its numbers are; in brackets those around too."""
    found = {mark.value for mark in clause.of("quantity")}
    found |= {"noise" for mark in clause.of("noise") if mark.value == "limit"}
    if not found and clause.parent is not None and not clause.parent.has("limit"):
        marks = clause.parent.of("quantity")
        before = [mark for mark in marks if mark.start < clause.marks[0].start]
        return {mark.value for mark in before}
    return found


def _single(sentence: Spoken, clause: Clause, mark: Mark, number: Quantity) -> Outcome:
    roles = _roles(clause) - {"interval"}
    if number.unit in PIECES and (not roles or "count" in roles):
        roles = {"count"}
    wanted = roles or _usual(sentence, number.unit)

    def fitting(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
        return tuple(
            one for one in candidates if one.role in wanted and _fits(number, one, sentence)
        )

    free = fitting(_of_sentence(sentence))
    groups = [fitting(group) for group in _of_subjects(sentence, clause, mark)]
    if not free and not (groups and all(groups)):
        return Refused("is no number that the facts hold here")
    sentence.last = free or tuple(one for group in groups for one in group)
    return Held(tuple(group[0].id for group in ([free] if free else groups)))


def _usual(sentence: Spoken, unit: str) -> frozenset[str]:
    if sentence.has("feature", "midline-shift=yes") and unit == "mm":
        return frozenset({"shift"})
    if not sentence.changing:
        return BY_UNIT.get(unit, frozenset())
    return CHANGED_BY_UNIT.get(unit, frozenset()) | BY_UNIT.get(unit, frozenset())


def _fits(number: Quantity, candidate: Candidate, sentence: Spoken) -> bool:
    unit = "" if candidate.unit == "1" else candidate.unit
    if candidate.role == "count":
        if number.unit not in PIECES:
            return False
    elif number.unit != unit:
        return False
    directed = sentence.has("direction", "up", "down") or candidate.role == "shift"
    return number.matches(candidate.value, unsigned=candidate.role in SIZES and directed)


def _of_subjects(sentence: Spoken, clause: Clause, mark: Mark) -> list[list[Candidate]]:
    """Numbers of each region that the clause is about; one has to fit in every group."""
    groups: list[list[Candidate]] = []
    for subject in clause.subjects:
        if subject.followed:
            groups.append(list(_of_lesion(sentence, clause, subject, mark)))
            continue
        regions = regions_of(clause, subject, sentence.known)
        found = [list(_of_region(sentence, clause, subject, one)) for one in regions]
        if is_lesion(subject.kind):  # `lesion` may mean any kind of it
            found = [list(chain.from_iterable(found))]
        groups += found
    return groups


def _of_region(
    sentence: Spoken, clause: Clause, subject: Subject, region: str
) -> Iterator[Candidate]:
    known = sentence.known
    images = [one.value for one in clause.of("image")]
    if sentence.changing and subject.first is None:
        yield from known.changed(region, sentence.since)
    for visit in sentence.at:
        yield from _ratios(sentence, region, visit)
        for number in instances_of(subject, region, visit, known) or (None,):
            yield from known.numbers(region, visit, number, images[0] if images else None)


def _ratios(sentence: Spoken, other: str, visit: str) -> Iterator[Candidate]:
    """Ratios to a region, of the regions that the sentence names beside it."""
    named = (
        region
        for clause in sentence.clauses
        for subject in clause.named
        for region in regions_of(clause, subject, sentence.known)
    )
    for region in named:
        for fact in sentence.known.facts.numbers_of(region, visit).values():
            if fact.other == other and fact.value is not None:
                yield Candidate(fact.value, fact.unit, fact.quantity, fact.id)


def _of_sentence(sentence: Spoken) -> Iterator[Candidate]:
    """Numbers of no region: the shift of the midline, days between visits."""
    if sentence.has("feature", "midline-shift=yes"):
        yield from _shifts(sentence)
    if sentence.changing:
        yield from sentence.known.days(sentence.since)


def _shifts(sentence: Spoken) -> Iterator[Candidate]:
    for visit in sentence.at:
        for finding in sentence.known.facts.findings_of("brain", visit):
            shift = finding.evidence.get("shift")
            if finding.feature == "midline-shift" and shift is not None:
                yield Candidate(shift.value, shift.unit, "shift", finding.id)


def _of_lesion(
    sentence: Spoken, clause: Clause, subject: Subject, mark: Mark
) -> Iterator[Candidate]:
    """The volume of a followed lesion, at the visit that stands right behind it."""
    named = [one for one in clause.of("visit") if one.start > mark.start]
    named = named or clause.of("visit")
    visit = named[0].value if named else sentence.known.visit
    for fate in followed(sentence, clause, subject):
        if fate.visit == visit and fate.volume_ml is not None:
            yield Candidate(fate.volume_ml, "mL", "volume", fate.id)


def followed(sentence: Spoken, clause: Clause, subject: Subject) -> list[FateFact]:
    """The rows of a lesion of the ledger."""
    return [
        fate
        for region in regions_of(clause, subject, sentence.known)
        for fate in sentence.known.fates(region)
        if fate.lesion == subject.first
    ]


def _pair(sentence: Spoken, clause: Clause, low: Quantity, high: Quantity) -> Outcome:
    """From one number to another: an interval, limits, a change, or several lesions."""
    if low.unit != high.unit:
        return Refused("begins a range of two units")
    roles = _roles(clause)
    if "interval" in roles:
        return _interval(sentence, low, high)
    if clause.has("limit") or (clause.parent is not None and clause.parent.has("limit")):
        return _limits(sentence, clause, low, high)
    for holds in (_several, _moved):
        found = holds(sentence, clause, low, high)
        if found is not None:
            return found
    return Refused("begins a range that the facts do not hold")


def _interval(sentence: Spoken, low: Quantity, high: Quantity) -> Outcome:
    for of in sentence.last:
        if of.low is None or of.high is None or low.unit != of.unit:
            continue
        if low.matches(of.low) and high.matches(of.high):
            return Held((of.id,))
    return Refused("begins an interval that is not that of the number before")


def _limits(sentence: Spoken, clause: Clause, low: Quantity, high: Quantity) -> Outcome:
    for region in _regions(sentence, clause):
        number = sentence.known.volume(region)
        limits = number.limits if number else None
        if number is None or limits is None or number.unit != low.unit:
            continue
        if low.matches(limits.low) and high.matches(limits.high):
            return Held((number.id,))
    return Refused("begins limits that are others")


def _regions(sentence: Spoken, clause: Clause) -> list[str]:
    return [
        region
        for subject in clause.subjects
        for region in regions_of(clause, subject, sentence.known)
    ]


def _several(sentence: Spoken, clause: Clause, low: Quantity, high: Quantity) -> Outcome:
    """The smallest and the largest of several lesions."""
    for subject in clause.subjects:
        if subject.followed or subject.first == subject.last:
            continue
        for region in regions_of(clause, subject, sentence.known):
            found = _volumes(sentence, subject, region)
            if not found or low.unit != "mL":
                continue
            values = [value for value, _ in found]
            if low.matches(min(values)) and high.matches(max(values)):
                return Held(tuple(name for _, name in found))
    return None


def _volumes(sentence: Spoken, subject: Subject, region: str) -> list[tuple[float, str]]:
    """Volumes of lesions and the ids of their facts; none if one of them is not there."""
    visit = sentence.at[0]
    numbers = instances_of(subject, region, visit, sentence.known)
    found = [
        sentence.known.facts.numbers_of(region, visit, number).get("volume")
        for number in numbers
    ]
    known = [(one.value, one.id) for one in found if one and one.value is not None]
    return known if len(known) == len(numbers) else []


def _moved(sentence: Spoken, clause: Clause, first: Quantity, second: Quantity) -> Outcome:
    """From the volume at one visit to that at another."""
    if not sentence.changing:
        return None
    for subject in clause.subjects:
        if subject.followed:
            rows = followed(sentence, clause, subject)
            return _fate_moved(sentence, rows, first, second)
        for region in regions_of(clause, subject, sentence.known):
            held = _region_moved(sentence, region, first, second)
            if held is not None:
                return held
    return None


def _region_moved(sentence: Spoken, region: str, first: Quantity, second: Quantity) -> Outcome:
    found = list(sentence.known.changed(region, sentence.since))
    after = {one.id: one for one in found if one.role == "second"}
    for one in found:
        other = after.get(one.id)
        if one.role != "first" or other is None or one.unit != first.unit:
            continue
        if first.matches(one.value) and second.matches(other.value):
            return Held((one.id,))
    return None


def _fate_moved(
    sentence: Spoken, rows: Sequence[FateFact], first: Quantity, second: Quantity
) -> Outcome:
    for row in rows:
        if row.visit != sentence.known.visit or row.before_ml is None or row.volume_ml is None:
            continue
        since = sentence.since in {None, row.before}
        fits = first.matches(row.before_ml) and second.matches(row.volume_ml)
        if since and fits and first.unit == "mL":
            return Held(tuple(filter(None, (row.before_id, row.id))))
    return None


def _spacing(sentence: Spoken, clause: Clause, numbers: Sequence[Quantity]) -> Outcome:
    """The edges of an image's voxels."""
    kinds = {mark.value for one in (clause, clause.parent) if one for mark in one.of("image")}
    for image in sentence.known.facts.images:
        if image.visit not in (sentence.visits or (sentence.known.visit,)):
            continue
        edges = image.spacing_mm
        same = len(edges) == len(numbers) and image.kind in kinds
        if same and all(
            number.unit == "mm" and number.matches(edge)
            for number, edge in zip(numbers, edges, strict=True)
        ):
            return Held((image.id,))
    return Refused("begins sizes of voxels that no image has")


def _counts_fates(clause: Clause) -> bool:
    """Whether a number says how many lesions met a fate."""
    lesion = any(is_lesion(one.kind) and not one.followed for one in clause.subjects)
    return lesion and (clause.has("fate") or clause.has("direction", *FATE_OF))


def _fate_count(sentence: Spoken, clause: Clause, number: Quantity) -> Outcome:
    marks = (*clause.of("fate"), *clause.of("direction"))
    fate = FATE_OF.get(marks[0].value, marks[0].value)
    if sentence.since not in {None, sentence.known.earlier}:
        return Refused("is counted since another visit than the one before")
    for region in _regions(sentence, clause):
        met = [
            row
            for row in sentence.known.fates(region)
            if row.visit == sentence.known.visit
            and (row.untold if fate == "untold" else row.fate == fate)
        ]
        if len(met) == number.value:
            return Held(tuple(row.id for row in met))
    return Refused("is another count than the facts hold")
