"""What a prompt asks about fates, such as how many lesions are new: counted for a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from medprompt_cli.cohort.visit_results import VisitResults
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.measurement import Status
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.longitudinal.evidence import Signals
from medprompt_cli.longitudinal.ledger import FATES, Fate, Ledger, LesionVisit, build_ledger
from medprompt_cli.longitudinal.readings import LesionCounts, lesion_counts
from medprompt_cli.planning.requests import Request
from medprompt_cli.planning.summary import summarise

if TYPE_CHECKING:
    from medprompt_cli.planning.intent import Intent

NEW_LESIONS = "new-lesions"
ONE_VISIT = "There is one visit only: nothing to compare it with."
MAYBE_STABLE: tuple[Fate, ...] = ("enlarging", "shrinking")
"""What masks say of these and images do not show, may as well be stable."""


@dataclass(frozen=True, slots=True)
class AskedFate:
    """What a prompt asks for.

    Attributes:
        region: Lesions of this kind.
        fate: Those with this fate from the first to the last visit.
    """

    region: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class FateAnswer:
    """The answer for one subject.

    Attributes:
        asked: What it answers.
        first: Name of the first visit.
        last: Name of the last.
        count: How many; None unless the status is `measured`.
        status: As of a measurement.
        note: Why there is no count, or what a reader has to know beside it; may be empty.
    """

    asked: AskedFate
    first: str
    last: str
    count: int | None
    status: Status
    note: str = ""

    def __str__(self) -> str:
        said = "not known" if self.count is None else str(self.count)
        about = f"{self.asked.fate} {self.asked.region}, {self.first} to {self.last}: {said}"
        return f"{about}. {self.note}" if self.note else f"{about}."

    def as_json(self) -> dict[str, object]:
        """The fields, for a summary."""
        return {
            "Region": self.asked.region,
            "Fate": self.asked.fate,
            "First": self.first,
            "Last": self.last,
            "Count": self.count,
            "Status": self.status,
            "Note": self.note or None,
        }


def asked_fates(request: Request) -> tuple[AskedFate, ...]:
    """The fates that a request asks for; none if it asks for none."""
    if request.program is None:
        return ()
    intent = summarise(request.program)
    fates = _fates_of(intent)
    lesions = [name for name in intent.targets if name in LESIONS]
    return tuple(AskedFate(region, fate) for region in lesions for fate in fates)


def _fates_of(intent: Intent) -> list[Fate]:
    named = [str(one.value) for one in intent.conditions if one.kind == "fate"]
    if NEW_LESIONS in intent.quantities:
        named.append("new")
    return [cast("Fate", fate) for fate in FATES if fate in named]


def answer_fates(
    asked: Sequence[AskedFate],
    results: Sequence[VisitResults],
    ledgers: Mapping[str, Ledger | None],
    to_mid: Sequence[np.ndarray | None],
    signals: Signals,
) -> tuple[FateAnswer, ...]:
    """Count the lesions of every fate asked for, from the first visit to the last.

    Args:
        asked: What is asked for.
        results: Of every visit.
        ledgers: By region.
        to_mid: The move of every visit to mid-space; None if it has none.
        signals: How the images of two visits differ.
    """
    names = [result.visit.name for result in results]
    found: list[FateAnswer] = []
    for one in asked:
        about = (one, names[0], names[-1])
        if len(names) == 1:
            found.append(FateAnswer(*about, None, "error", ONE_VISIT))
            continue
        ledger = ledgers.get(one.region)
        counts = None if ledger is None else _whole(ledger, results, to_mid, signals)
        found.append(_answer(about, counts))
    return tuple(found)


def _answer(about: tuple[AskedFate, str, str], found: LesionCounts | None) -> FateAnswer:
    if found is None or found.counts is None:
        said = "The lesions of one of these visits are not known, or it was not registered."
        return FateAnswer(*about, None, "failed_qc", said)
    fate = about[0].fate
    count = found.counts.get(fate, 0)
    among = MAYBE_STABLE if fate == "stable" else (fate,)
    untold = sum(found.unsure.get(one, 0) for one in among)
    if untold:
        said = f"{count} at least; of {untold} more it cannot be told."
        return FateAnswer(*about, None, "failed_qc", said)
    small = f"{found.too_small} more are too small to count."
    return FateAnswer(
        *about, count, "measured", small if fate == "new" and found.too_small else ""
    )


def _whole(
    ledger: Ledger,
    results: Sequence[VisitResults],
    to_mid: Sequence[np.ndarray | None],
    signals: Signals,
) -> LesionCounts | None:
    """Lesions by fate from the first visit to the last, as if there were no others."""
    if len(results) == len(("first", "last")):
        return lesion_counts(ledger)[0]
    visits: list[LesionVisit] = []
    for place in (0, -1):
        labels, move = ledger.labels[place], to_mid[place]
        if labels is None or move is None:
            return None
        limit = results[place].limits_ml.get(ledger.region, 0.0)
        visits.append(LesionVisit(ledger.visits[place], _mask(labels, ledger), move, limit))
    return lesion_counts(build_ledger(visits, ledger.rule, signals))[0]


def _mask(labels: LabelMap, ledger: Ledger) -> Mask:
    return Mask(ledger.region, labels.voxels > 0, labels.geometry)
