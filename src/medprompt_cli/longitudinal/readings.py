"""What published criteria say of measured change, each with its source, from images alone.

A reading is a category that follows from numbers by a rule somebody published; it is no
diagnosis. Where the rule was made for another method of measuring, the reading says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from medprompt_cli.domain.measurement import Status
from medprompt_cli.longitudinal.change import DAYS_PER_YEAR, Change
from medprompt_cli.longitudinal.ledger import FateRule, Ledger, LesionRow
from medprompt_cli.longitudinal.signal_change import SignalChange

IMAGING_ONLY = "Imaging only: signs and symptoms, drugs and other examinations are not in it."

SHORT_DAYS = 335.0
"""Over less than 11 months, noise blown up to a year passes for change. Own choice, near the
year that rates of atrophy were published for."""

FROM_SIENA = (
    "The cut-offs were derived with SIENA, which registers the two scans; they are not this"
    " method's."
)

SIENA_CUTS: tuple[tuple[float, str], ...] = (
    (-0.52, "below the cut-off of 95 % specificity"),
    (-0.46, "below the cut-off of 90 % specificity"),
    (-0.40, "below the cut-off of 80 % specificity"),
    (-0.37, "below the optimal cut-off"),
)
"""Percent a year that tell patients with MS from controls, the graver first."""

SIENA_SOURCE = (
    "De Stefano et al., Establishing pathological cut-offs of brain atrophy rates in multiple"
    " sclerosis, J Neurol Neurosurg Psychiatry 2016, doi:10.1136/jnnp-2014-309903"
)

NORMAL_AGES = (45.0, 55.0, 65.0, 75.0)
NORMAL_LOSS = (0.15, 0.30, 0.46, 0.61)
NORMAL_95TH = (0.52, 0.77, 1.05, 1.45)
"""Loss of brain volume of healthy people by age, percent a year: the mean, and what 95 % stay
below."""

NORMAL_SOURCE = (
    "Opfer et al., Estimates of age-dependent cutoffs for pathological brain volume loss using"
    " SIENA/FSL, Neurobiol Aging 2018, PMID 29407463"
)

NEDA_LOSS = 0.4
NEDA_SOURCE = "NEDA-4: no more than 0.4 % loss of brain volume a year"

LESION_SOURCE = (
    "Counts after MAGNIMS-CMSC-NAIMS 2021, Lancet Neurol; for enlarging there is no definition"
    " all agree on, and the rule is that of Arch Neurol 1992;49:261-263"
)

SIGNAL_SOURCE = (
    "After Schmidt et al., NeuroImage: Clinical 2019, PMC6517532: the difference of the images"
    " against that of normal-appearing white matter; the thresholds are this method's own"
)

NOISE_UNKNOWN = "how large this method's own noise is, is not known for this structure"
NOT_FOLLOWED = (
    "the lesions of a visit could not be followed: not registered, or not to be trusted there"
)

OWN_NOISE_SOURCE = "test and retest with this method; no published cut-off is applied"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule says.

    Attributes:
        name: Which rule, e.g. `rano-2.0-volume`.
        value: Its category in words; None unless the status is `measured`.
        status: As of a measurement.
        source: Who published the rule.
        numbers: What it was applied to, name and unit to value; None where not known.
        notes: What a reader has to know beside it, one sentence each.
        reason: Why there is no value, in words; None if there is, or the status says all.
    """

    name: str
    value: str | None
    status: Status
    source: str
    numbers: Mapping[str, float | None] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = (IMAGING_ONLY,)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LesionCounts:
    """Lesions by their fate between one visit and the one before.

    Attributes:
        first: Name of the earlier visit.
        second: Name of the later visit.
        counts: Lesions by fate; None if one of the visits could not be registered.
        unseen: Lesions that one of the two images does not reach.
        too_small: Those that are new, or whose fate cannot be told, and smaller at both visits
            than the rule counts.
        unsure: The others whose fate cannot be told, by what masks alone would say.
    """

    first: str
    second: str
    counts: Mapping[str, int] | None
    unseen: int
    too_small: int
    unsure: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def untold(self) -> int:
        """How many lesions have a fate that cannot be told."""
        return sum(self.unsure.values())

    @property
    def maybe_growing(self) -> int:
        """How many of these may be new or enlarging."""
        return self.unsure.get("new", 0) + self.unsure.get("enlarging", 0)

    @property
    def new_or_enlarging(self) -> int | None:
        """The count of trials; None if it is not known."""
        if self.counts is None:
            return None
        return self.counts.get("new", 0) + self.counts.get("enlarging", 0)


def lesion_counts(ledger: Ledger) -> tuple[LesionCounts, ...]:
    """Lesions by fate, from each visit to the next."""
    found: list[LesionCounts] = []
    usable = {
        v: labels is not None for v, labels in zip(ledger.visits, ledger.labels, strict=True)
    }
    for first, second in pairwise(ledger.visits):
        before = {row.lesion: row for row in ledger.at(first)}
        pairs = [(before[row.lesion], row) for row in ledger.at(second)]
        small = [a for b, a in pairs if _is_speck(b, a, ledger.rule)]
        counted = [a for _, a in pairs if a not in small]
        counts = Counter(row.fate for row in counted if row.fate)
        unsure = Counter(row.unsure for row in counted if row.unsure)
        unseen = sum("truncated_fov" in (b.status, a.status) for b, a in pairs)
        known = usable[first] and usable[second]
        fates = dict(counts) if known else None
        found.append(
            LesionCounts(
                first, second, fates, unseen, len(small), dict(unsure) if known else {}
            )
        )
    return tuple(found)


def _is_speck(before: LesionRow, after: LesionRow, rule: FateRule) -> bool:
    """Whether a lesion that is new, or whose fate cannot be told, is too small to count."""
    largest = max(before.volume_ml or 0.0, after.volume_ml or 0.0)
    return (after.fate == "new" or after.unsure is not None) and largest < rule.least_ml


def lesion_activity(counts: LesionCounts) -> Reading:
    """New or enlarging T2 lesions between two visits: `active` or `not active`."""
    numbers: dict[str, float | None] = {"too small to count": counts.too_small}
    numbers["not in both images"] = counts.unseen
    numbers["cannot be told"] = counts.untold
    name = "t2-lesion-activity"
    if counts.counts is None or counts.new_or_enlarging is None:
        return Reading(name, None, "failed_qc", LESION_SOURCE, numbers, reason=NOT_FOLLOWED)
    numbers |= {fate: counts.counts.get(fate, 0) for fate in ("new", "enlarging")}
    if not counts.new_or_enlarging and counts.maybe_growing:
        # The masks are good enough; masks and images together do not say it.
        said = f"{counts.maybe_growing} may be new or growing and cannot be told"
        return Reading(name, None, "error", LESION_SOURCE, numbers, reason=said)
    value = "active" if counts.new_or_enlarging else "not active"
    return Reading(name, value, "measured", LESION_SOURCE, numbers)


def signal_activity(found: SignalChange) -> Reading:
    """Whether images became brighter somewhere in white matter or lesions, and where darker."""
    numbers: dict[str, float | None] = {}
    for way in ("brighter", "darker"):
        volumes = [patch.volume_ml for patch in found.patches if patch.way == way]
        numbers[f"{way} patches"] = len(volumes)
        numbers[f"{way}, mL"] = sum(volumes)
    numbers["noise, percent of white matter"] = 100 * found.noise
    value = "brighter somewhere" if numbers["brighter patches"] else "nowhere brighter"
    name = f"t2-signal-activity, {found.first} to {found.second}"
    return Reading(name, value, "measured", SIGNAL_SOURCE, numbers)


def brain_loss(brain: Change, age: float | None = None) -> tuple[Reading, ...]:
    """The change of brain volume a year beside published cut-offs.

    Args:
        brain: Of the whole brain.
        age: In years, at the earlier visit; without it norms by age are left out.
    """
    rate = brain.annual_compound_percent
    numbers = {"percent a year": rate, "days": brain.days}
    notes = (IMAGING_ONLY, FROM_SIENA, *_caveats(brain))
    status, reason = _status(brain, rate), _no_rate(brain)
    readings = [
        Reading(name, value, status, source, numbers, notes, reason)
        for name, value, source in (
            ("brain-loss-ms", _siena(rate), SIENA_SOURCE),
            ("brain-loss-neda-4", _neda(rate), NEDA_SOURCE),
        )
    ]
    if age is not None:
        mean, highest = normal_loss(age) or (None, None)
        numbers = {
            **numbers,
            "age": age,
            "mean of age": mean,
            "95th percentile of age": highest,
        }
        value = None
        if rate is not None and highest is not None:
            value = "above the 95th percentile" if -rate > highest else "within 95 % of healthy"
        if highest is None and brain.status == "measured":
            ages = f"{NORMAL_AGES[0]:.0f} to {NORMAL_AGES[-1]:.0f}"
            status, reason = "error", reason or f"norms go from {ages} years"
        readings.append(
            Reading("brain-loss-age", value, status, NORMAL_SOURCE, numbers, notes, reason)
        )
    return tuple(readings)


def normal_loss(age: float) -> tuple[float, float] | None:
    """Mean and 95th percentile of the loss of brain volume at an age, percent a year.

    Linear between the published ages; None outside of them.

    >>> normal_loss(60)
    (0.38, 0.91)
    """
    if not NORMAL_AGES[0] <= age <= NORMAL_AGES[-1]:
        return None
    place = min(bisect_right(NORMAL_AGES, age), len(NORMAL_AGES) - 1)
    share = (age - NORMAL_AGES[place - 1]) / (NORMAL_AGES[place] - NORMAL_AGES[place - 1])
    mean, highest = (
        round(table[place - 1] + share * (table[place] - table[place - 1]), 6)
        for table in (NORMAL_LOSS, NORMAL_95TH)
    )
    return mean, highest


def ventricle_change(ventricles: Change) -> Reading:
    """Whether ventricles changed by more than this method's own noise."""
    value = None
    if ventricles.exceeds_limit is not None and ventricles.absolute is not None:
        grown = "enlarged" if ventricles.absolute > 0 else "smaller"
        value = grown if ventricles.exceeds_limit else "no change beyond noise"
    numbers = {
        "absolute, mL": ventricles.absolute,
        "mL a year": ml_a_year(ventricles),
        "percent a year": ventricles.annual_compound_percent,
        "symmetrised percent": ventricles.symmetrised_percent,
        "limit, percent": ventricles.limit_percent,
    }
    status = _status(ventricles, ventricles.exceeds_limit)
    reason = NOISE_UNKNOWN if status == "error" else None
    caveats = _caveats(ventricles)
    notes = (IMAGING_ONLY, *(caveats if reason is None else caveats[:-1]))  # said as the reason
    return Reading("ventricle-change", value, status, OWN_NOISE_SOURCE, numbers, notes, reason)


def ml_a_year(change: Change) -> float | None:
    """The absolute change, linear, a year; None if days or volumes are not known."""
    if change.absolute is None or not change.days:
        return None
    return change.absolute * DAYS_PER_YEAR / change.days


def _siena(rate: float | None) -> str | None:
    if rate is None:
        return None
    return next((words for cut, words in SIENA_CUTS if rate < cut), "above every cut-off")


def _neda(rate: float | None) -> str | None:
    if rate is None:
        return None
    return "no more loss than allowed" if -rate <= NEDA_LOSS else "more loss than allowed"


def _status(change: Change, needed: object) -> Status:
    """Of a reading that rests on a change; `error` if what it needs is not known."""
    if change.status != "measured":
        return change.status
    return "error" if needed is None else "measured"


def _no_rate(change: Change) -> str | None:
    """Why a change that was measured has no rate; None if it has one."""
    if change.status != "measured" or change.annual_compound_percent is not None:
        return None
    if change.days is None:
        return "the visits have no dates, so there is no loss a year"
    return f"over {change.days:.0f} days there is no loss a year"


def _caveats(change: Change) -> tuple[str, ...]:
    """What speaks against taking a change at its word."""
    notes: list[str] = []
    if change.days is not None and change.days < SHORT_DAYS:
        notes.append(
            f"Over {change.days:.0f} days, noise is blown up to a year and may pass for change."
        )
    if change.exceeds_limit is False:
        notes.append("The change is not larger than this method's own noise.")
    if change.exceeds_limit is None:
        notes.append(f"{NOISE_UNKNOWN[:1].upper()}{NOISE_UNKNOWN[1:]}.")
    return tuple(notes)
