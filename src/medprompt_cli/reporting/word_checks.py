"""Whether what words say of regions is so: features, places, sizes, limits, statuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from medprompt_cli.domain.parcels import LOBES
from medprompt_cli.reporting.clauses import GENERAL, Clause, Subject
from medprompt_cli.reporting.detection_checks import check_detection
from medprompt_cli.reporting.facts import FindingFact, NumberFact, is_lesion
from medprompt_cli.reporting.holding import (
    Held,
    Outcome,
    Refused,
    Spoken,
    instances_of,
    regions_of,
    unfollowed,
)
from medprompt_cli.reporting.names import LANDMARKS, SIDED, split_side
from medprompt_cli.reporting.reasons import (
    NEEDED,
    NO_PLACE,
    Cause,
    Reason,
    has_no_place,
    why,
    why_no_shift,
    why_unlooked,
)
from medprompt_cli.reporting.scanning import Mark
from medprompt_cli.reporting.terms import Kind
from medprompt_cli.reporting.wording import degree_of

PLACES = ("lobe", "territory")
SHIFT = "midline-shift"
OTHER = ("other", "그 밖에", "다른", "나머지")
"""Words for the structures that were not named."""


def check_feature(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """A feature of a lesion, or the midline."""
    feature, _, value = mark.value.partition("=")
    if clause.has("status"):
        no = sentence.denied(mark)
        return Refused("is denied") if no else _not_assessed(sentence, clause, feature)
    if not value:
        return None
    if feature == SHIFT:
        return _shift(sentence, clause, mark)
    found = _findings(sentence, clause, feature)
    if feature in NO_PLACE and value == "none":
        nowhere = bool(found) and all(map(has_no_place, found)) and not sentence.denied(mark)
        ids = tuple(one.id for one in found)
        return Held(ids) if nowhere else Refused("is what no finding says")
    images = [one.value for one in clause.of("image")]
    if images:
        found = [one for one in found if images[0] in one.kinds]
    return _agreeing(found, value, no=sentence.denied(mark))


def _agreeing(found: Sequence[FindingFact], value: str, *, no: bool) -> Outcome:
    """Findings that all have the value; or, if it is denied, that all have another."""
    known = [one for one in found if one.value is not None]
    if known and all((one.value == value) != no for one in known):
        least = min(known, key=lambda one: 1.0 if one.probability is None else one.probability)
        return Held(tuple(one.id for one in known), least.certainty)
    return Refused("is denied, which no finding does" if no else "is what no finding says")


def _findings(sentence: Spoken, clause: Clause, *features: str) -> list[FindingFact]:
    """Findings about the subjects; of a region without any, those of its lesions."""
    known, found = sentence.known, []
    for subject in clause.subjects:
        for region in regions_of(clause, subject, known):
            for visit in sentence.at:
                numbers = instances_of(subject, region, visit, known)
                own = known.findings(region, visit, numbers or (None,))
                kept = [one for one in own if one.feature in features]
                if not kept and not numbers:
                    every = known.facts.instances(region, visit)
                    lesions = known.findings(region, visit, every)
                    kept = [one for one in lesions if one.feature in features]
                found += kept
    return found


def _not_assessed(sentence: Spoken, clause: Clause, feature: str) -> Outcome:
    """That a feature was not assessed; the reason, if one is said, has to be that of it."""
    facts = sentence.known.facts
    found = _findings(sentence, clause, feature)
    if feature == SHIFT:
        brain = (one for visit in sentence.at for one in facts.findings_of("brain", visit))
        found = [one for one in brain if one.feature == feature]
    said = _reasons_said(sentence, clause)
    if not found:
        images = [one for one in facts.images if one.visit in sentence.at]
        shifts = {why_no_shift(facts, visit) for visit in sentence.at}
        fits = said == (shifts if feature == SHIFT else {why_unlooked(feature, images)})
        ids = tuple(one.id for one in images) if feature in NEEDED else ()
        return Held(ids) if fits else Refused("was never asked for, or for another reason")
    missing = [one for one in found if one.value is None and not has_no_place(one)]
    if not missing:
        return Refused("was assessed")
    fitting = [one for one in missing if said <= {why(one)}]
    return Held((fitting[0].id,)) if fitting else Refused("was not assessed, but not for this")


def _reasons_said(sentence: Spoken, clause: Clause) -> set[Reason]:
    """Why something was not assessed, as a clause and its brackets say it."""
    said = set()
    for one in (clause, *(inner for inner in sentence.clauses if inner.parent is clause)):
        images = [mark.value for mark in one.of("image")]
        for mark in one.of("status"):
            if mark.value == "not_read":
                said.add(Reason("not_read", images[0] if images else ""))
            elif mark.value != "unknown":
                said.add(Reason(cast("Cause", mark.value)))
    return said


def _shift(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    facts = sentence.known.facts
    found = [
        one
        for visit in sentence.at
        for one in facts.findings_of("brain", visit)
        if one.feature == SHIFT and one.value is not None
    ]
    if sentence.denied(mark):
        return _agreeing(found, "none", no=False)
    sides = [one.value for one in clause.of("side")]
    for one in found:
        if one.value != "none" and (not sides or one.value in sides):
            return Held((one.id,), one.certainty)
    return Refused("is not what was found")


def check_place(sentence: Spoken, clause: Clause, place: Subject) -> Outcome:
    """Where a lesion lies."""
    if sentence.denied(place.mark) or place.kind not in LANDMARKS:
        return Refused("is no place that a finding gives")
    wanted = place.regions(clause.side)
    feature = "lobe" if place.kind in LOBES else "territory"
    found = [one for one in _findings(sentence, clause, feature) if one.value is not None]
    if found and all(_lies_in(one.value or "", place.kind, wanted) for one in found):
        return Held(tuple(one.id for one in found), found[0].certainty)
    return Refused("is not where the finding places it")


def _lies_in(value: str, kind: str, wanted: Sequence[str]) -> bool:
    """Whether a place is meant by names; by one without side on either side."""
    return value in wanted or (wanted == (kind,) and split_side(value)[1] == kind)


def check_visit(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """What changed since a visit changed since an earlier one."""
    names = [one.name for one in sentence.known.facts.visits]
    if clause.has("since") and names.index(mark.value) >= names.index(sentence.known.visit):
        return Refused("is no earlier visit")
    return None


def check_side(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """A side that stands by itself: that of a pair, of the midline's shift, of a lesion."""
    if mark.value != clause.alone or clause.has("feature", f"{SHIFT}=yes"):
        return None
    for subject in clause.subjects:
        if subject.kind in SIDED and subject.side in {None, mark.value}:
            continue
        lobes = _findings(sentence, clause, *PLACES) if is_lesion(subject.kind) else []
        sides = {split_side(one.value)[0] for one in lobes if one.value}
        if sides != {mark.value}:
            return Refused("is not the side of it")
    return None if clause.subjects else Refused("is the side of nothing")


def check_quantity(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """A word for what is measured wants its number."""
    near = [clause, *(one for one in sentence.clauses if clause in (one.parent,))]
    near += [clause.parent] if clause.parent is not None else []
    if any(one.has("number") or one.has("status") for one in near):
        return None
    return Refused("is said without a number") if mark.kind == "quantity" else None


def check_largest(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """The largest of the lesions is meant, or nothing is known of it."""
    meant = any(subject.largest for subject in clause.named) and not sentence.denied(mark)
    return None if meant else Refused("is said of what was not compared")


def check_degree(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """How large a lesion is."""
    if sentence.denied(mark):
        return Refused("is denied, and no degree is")
    known = sentence.known
    for subject in filter(lambda one: is_lesion(one.kind), clause.subjects):
        for region in regions_of(clause, subject, known):
            for visit in sentence.at:
                numbers = instances_of(subject, region, visit, known) or (None,)
                for number in numbers:
                    found = known.facts.numbers_of(region, visit, number).get("max-diameter")
                    value = found.value if found else None
                    if found and value is not None and degree_of(value) == mark.value:
                        return Held((found.id,))
    return Refused("is not how large it is")


def check_status(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Why a region was not measured."""
    of_feature = next((c for c in (clause, clause.parent) if c and c.has("feature")), None)
    if of_feature is not None:  # held by what was not assessed, the feature
        return None if of_feature.has("status") else Refused("is said of what was assessed")
    if sentence.denied(mark):
        return Refused("is denied, and no status is")
    if unfollowed(sentence):  # held by what was not assessed, the change
        known = mark.value in {"unknown", "not_compared"}
        return None if known else Refused("is not why")
    unasked = sentence.has("status", "not_asked")
    return (_not_asked if unasked else _not_measured)(sentence, clause, mark)


def _not_measured(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    ids: list[str] = []
    around = clause.parent.of("quantity") if clause.parent is not None else []
    for number in _volumes(sentence, clause, clause.of("quantity") or around):
        if number is None:
            return Refused("is said of what was never asked for")
        wrong = number.status in {"measured", "absent"} or mark.value not in {
            "unknown",
            number.status,
        }
        if wrong:
            return Refused(f"is said of {number.region}, whose status is {number.status}")
        ids.append(number.id)
    return Held(tuple(ids)) if ids else Refused("is said of nothing")


def _not_asked(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """That nobody asked for regions."""
    known = sentence.known
    regions = {r for one in clause.subjects for r in regions_of(clause, one, known)}
    unknown = bool(regions) and not any(known.knows([region]) for region in regions)
    fits = unknown and mark.value in {"unknown", "not_asked"}
    return Held() if fits else Refused("is said of what was asked for")


def _volumes(
    sentence: Spoken, clause: Clause, quantities: Sequence[Mark] = ()
) -> list[NumberFact | None]:
    """Volumes of all that a clause is about, or what stands in their place.

    Args:
        sentence: That the clause is of.
        clause: Of it.
        quantities: Words for numbers that are meant instead.
    """
    roles = [mark.value for mark in quantities]
    return [
        sentence.known.missing(region, visit, roles[0])
        if roles
        else sentence.known.volume(region, visit)
        for subject in clause.subjects
        for region in regions_of(clause, subject, sentence.known)
        for visit in sentence.at
    ]


def check_limit(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Whether volumes lie below, within or above their limits."""
    no = sentence.denied(mark)
    if any(subject.kind == GENERAL for subject in clause.subjects):
        return _none_outside(sentence, mark, no=no)
    wanted = {"outside": {"below", "above"}}.get(mark.value, {mark.value})
    ids: list[str] = []
    for number in _volumes(sentence, clause):
        verdict = number.verdict if number else None
        if number is None or verdict is None:
            return Refused("is said of what is held against no limits")
        if (verdict in wanted) == no:
            return Refused(f"is said of {number.region}, which lies {verdict} its limits")
        ids.append(number.id)
    return Held(tuple(ids)) if ids else Refused("is said of nothing")


def _none_outside(sentence: Spoken, mark: Mark, *, no: bool) -> Outcome:
    held = sentence.known.held
    outside = [number for number in held if number.verdict != "within"]
    inside = tuple(number.id for number in held if number not in outside)
    other = any(word in sentence.text.lower() for word in OTHER)
    if no and mark.value == "outside" and inside and bool(outside) == other:
        return Held(inside)
    return Refused("is not what holds of all structures")


def check_present(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Whether a region is there."""
    if clause.has("feature") or clause.places:
        return None
    wanted = "absent" if sentence.denied(mark) else "measured"
    for number in _volumes(sentence, clause):
        if number is not None and number.status == wanted:
            return Held((number.id,), number.certainty)
    return Refused("is not what was found")


def check_qc(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Whether masks are to be reviewed, and why."""
    if not sentence.has("qc", "review"):
        return None if mark.kind == "quantity" else Refused("is not what was found")
    if sentence.denied(mark):
        return Refused("is denied, and there are some")
    reason = mark.as_("qc")
    ids: list[str] = []
    for number in _volumes(sentence, clause):
        if number is None or number.qc != "review":
            return Refused("is said of a mask that is not to be reviewed")
        if reason != "review" and reason not in number.qc_reasons.split("; "):
            return Refused("is not why it is to be reviewed")
        ids.append(number.id)
    return Held(tuple(ids)) if ids else Refused("is said of nothing")


def check_earlier(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Whether there is an earlier visit."""
    there = sentence.known.earlier is not None
    same = there != sentence.denied(mark)
    return Held() if same and clause.marks else Refused("is not so")


def check_read_on(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """Which kind of image regions are read on."""
    facts, visit = sentence.known.facts, sentence.known.visit
    named = {one.value for one in sentence.marks if one.kind == "image"}
    denied = any(sentence.denied(one) for one in clause.marks)
    if mark.value == "changes":
        moved = sentence.known.moved()
        so = not denied and bool(moved) and named == {one.kind for one in moved}
        return Held(tuple(one.id for one in moved)) if so else Refused("is not so")
    if denied or named != facts.kinds_read(visit, lesions=mark.value == "lesions"):
        return Refused("is not so")
    images = (one for one in facts.images if one.visit == visit and one.kind in named)
    return Held(tuple(image.id for image in images))


def check_said(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """A word that a finding has as its value."""
    if sentence.denied(mark):
        return Refused("is denied")
    said = mark.word.lower()
    features = {one.feature for one in sentence.known.facts.findings}
    for one in _findings(sentence, clause, *features):
        if one.value is not None and one.value.lower() == said:
            return Held((one.id,), one.certainty)
    return Refused("is what no finding says")


def check_date(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """The day of a visit."""
    days = {one.name: one.when for one in sentence.known.facts.visits}
    same = [name for name in sentence.visits if days.get(name) == days[mark.value]]
    fits = bool(same) or not sentence.visits
    return Held() if fits and clause.marks else Refused("is the day of another visit")


WORD_CHECKS: Mapping[Kind, Callable[[Spoken, Clause, Mark], Outcome]] = {
    "feature": check_feature,
    "degree": check_degree,
    "status": check_status,
    "limit": check_limit,
    "present": check_present,
    "detection": check_detection,
    "qc": check_qc,
    "earlier": check_earlier,
    "read-on": check_read_on,
    "said": check_said,
    "date": check_date,
    "visit": check_visit,
    "side": check_side,
    "quantity": check_quantity,
    "largest": check_largest,
}
