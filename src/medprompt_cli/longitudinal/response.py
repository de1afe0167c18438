"""Response of a glioma to treatment, by its measured size at all visits so far.

Response is told against the baseline, progression against the nadir, the smallest size so far.
What the criteria ask for beside sizes, such as steroids and how the person is, is not here, so
every category is of images only; and complete and partial responses stand until they have been
confirmed on a scan at least four weeks later.

Source: the table of Response criteria in neuro-oncology, Neuro-Oncology Advances 2023,
doi:10.1093/noajnl/vdad118; Wen et al., RANO 2.0, J Clin Oncol 2023, doi:10.1200/JCO.23.01059.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from medprompt_cli.domain.measurement import STATUSES, Measurement
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.readings import IMAGING_ONLY, Reading

Criteria = Literal["rano-hgg", "rano-lgg", "rano-2.0-area", "rano-2.0-volume"]

LEAST_MM = 10.0
"""Both diameters of measurable disease reach this."""


@dataclass(frozen=True, slots=True)
class ResponseRule:
    """The numbers of a set of criteria.

    Attributes:
        quantity: What sizes are of.
        partial_percent: Decrease from the baseline from which a response is partial.
        progression_percent: Increase from the nadir from which it is progression.
        minor_percent: Decrease from which it is minor; None where there is no such category.
        source: Who published them.
    """

    quantity: str
    partial_percent: float
    progression_percent: float
    minor_percent: float | None
    source: str


RULES: Mapping[Criteria, ResponseRule] = MappingProxyType(
    {
        "rano-hgg": ResponseRule(
            *("bidimensional", 50.0, 25.0, None),
            "RANO for high-grade gliomas, Wen et al., J Clin Oncol 2010",
        ),
        "rano-lgg": ResponseRule(
            *("bidimensional", 50.0, 25.0, 25.0),
            "RANO for low-grade gliomas, van den Bent et al., Lancet Oncol 2011",
        ),
        "rano-2.0-area": ResponseRule(
            *("bidimensional", 50.0, 25.0, None),
            "RANO 2.0, Wen et al., J Clin Oncol 2023, doi:10.1200/JCO.23.01059",
        ),
        "rano-2.0-volume": ResponseRule(
            *("volume", 65.0, 40.0, None),
            "RANO 2.0, Wen et al., J Clin Oncol 2023, doi:10.1200/JCO.23.01059",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class TumourVisit:
    """What the criteria take from one visit.

    Attributes:
        size: Volume, or product of diameters, of all target lesions together. `absent` means
            that there is none left.
        diameters_mm: The longest in-plane diameter and the longest perpendicular to it, of the
            largest lesion; None if not measured.
        new_lesion: Whether a lesion is there that was not at the baseline; None if not known.
        other_worse: Whether what is not measured has clearly grown: T2 and FLAIR around a
            high-grade glioma, enhancement in a low-grade one; None if not known.
        others_left: Whether nothing is left of what is measured, but other lesions are: no
            complete response.
    """

    size: Measurement
    diameters_mm: tuple[float, float] | None = None
    new_lesion: bool | None = None
    other_worse: bool | None = None
    others_left: bool = False


def response(criteria: Criteria, visits: Sequence[TumourVisit]) -> Reading:
    """The category of the last visit: CR, PR, MR (low-grade only), SD or PD.

    Without measurable disease at the baseline (a diameter below 10 mm, or none known) a
    decrease has no category: what is left are CR, SD and PD.

    Args:
        criteria: Which.
        visits: The baseline first, then every visit since, in order.

    Raises:
        InputError: If there are fewer than two visits, or sizes are of another quantity.
    """
    rule = RULES[criteria]
    _check(criteria, rule, visits)
    sizes = [_size(visit) for visit in visits]
    baseline, last, now = sizes[0], visits[-1], sizes[-1]
    notes = [IMAGING_ONLY]
    if baseline is None or now is None:
        given = (visits[0].size.status, last.size.status)
        status = STATUSES[max(map(STATUSES.index, given))]
        return Reading(criteria, None, status, rule.source, {}, tuple(notes))
    nadir = min(size for size in sizes[:-1] if size is not None)
    numbers: dict[str, float | None] = {
        "baseline": baseline,
        "nadir": nadir,
        "now": now,
        "percent of baseline": _percent(baseline, now),
        "percent of nadir": _percent(nadir, now),
    }
    measurable = _is_measurable(visits[0])
    if not measurable:
        notes.append("There was no measurable disease at the baseline, or it was not shown.")
    for known, what in (
        (last.new_lesion, "Whether there is a new lesion"),
        (last.other_worse, "Whether what is not measured has grown"),
    ):
        if known is None:
            notes.append(f"{what} was not looked at.")
    value = _category(rule, last, (baseline, nadir, now), measurable=measurable)
    if value in {"CR", "PR"}:
        notes.append("To be confirmed on a scan at least four weeks later.")
    return Reading(criteria, value, "measured", rule.source, numbers, tuple(notes))


def _category(
    rule: ResponseRule,
    last: TumourVisit,
    sizes: tuple[float, float, float],
    *,
    measurable: bool,
) -> str:
    baseline, nadir, now = sizes
    if last.new_lesion or last.other_worse or _has_grown(nadir, now, rule):
        return "PD"
    if now == 0 and baseline > 0 and not last.others_left:
        return "CR"
    decrease = -(_percent(baseline, now) or 0.0)
    if measurable and decrease >= rule.partial_percent:
        return "PR"
    if measurable and rule.minor_percent is not None and decrease >= rule.minor_percent:
        return "MR"
    return "SD"


def _has_grown(nadir: float, now: float, rule: ResponseRule) -> bool:
    """Whether a tumour has come back, or grown by what progression takes."""
    percent = _percent(nadir, now)
    return now > 0 if percent is None else percent >= rule.progression_percent


def _percent(before: float, after: float) -> float | None:
    return 100 * (after - before) / before if before > 0 else None


def _size(visit: TumourVisit) -> float | None:
    """The size; none of it left is 0, for the criteria name that size."""
    return 0.0 if visit.size.status == "absent" else visit.size.value


def _is_measurable(visit: TumourVisit) -> bool:
    return visit.diameters_mm is not None and min(visit.diameters_mm) >= LEAST_MM


def _check(criteria: Criteria, rule: ResponseRule, visits: Sequence[TumourVisit]) -> None:
    quantities = sorted({visit.size.quantity for visit in visits})
    if len(visits) < len(("baseline", "now")) or quantities != [rule.quantity]:
        raise InputError(
            f"{criteria} was asked of {len(visits)} visits with {quantities}.",
            remedy=f"Give the {rule.quantity} at the baseline and at each visit since.",
            code="bad-visits",
        )
