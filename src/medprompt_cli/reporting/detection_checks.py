"""Whether it is so that none of a volume or more is there, and that smaller ones may be."""

from __future__ import annotations

from medprompt_cli.reporting.clauses import Clause
from medprompt_cli.reporting.facts import NumberFact
from medprompt_cli.reporting.holding import Held, Outcome, Refused, Spoken, regions_of
from medprompt_cli.reporting.scanning import Mark


def check_detection(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """That lesions below a volume would not be seen."""
    if mark.value == "from":
        return None if clause.has("number") else Refused("is said without a number")
    limited = _limited(sentence, clause)
    if limited and not sentence.denied(mark) and sentence.has("detection", "from"):
        return Held(tuple(one.id for one in limited))
    return Refused("is said of what has no such volume")


def check_least(sentence: Spoken, clause: Clause, mark: Mark) -> Outcome:
    """The volume from which on lesions are not there."""
    number = mark.number
    if number is None or not sentence.denied(mark):
        return Refused("is no number from which on anything is there")
    for one in _limited(sentence, clause):
        if number.unit == "mL" and number.matches(one.detection_limit_ml or 0.0):
            return Held((one.id,))
    return Refused("is not the volume from which on none is there")


def _limited(sentence: Spoken, clause: Clause) -> list[NumberFact]:
    """Volumes of what a clause is about that is absent, as far as it can be seen."""
    volumes = (
        sentence.known.volume(region, visit)
        for subject in clause.subjects
        for region in regions_of(clause, subject, sentence.known)
        for visit in sentence.at
    )
    return [one for one in volumes if one and one.detection_limit_ml is not None]
