"""What changed between two visits, in every way that it is written.

With V1 at the earlier and V2 at the later of two visits, t days apart:

    absolute      V2 - V1
    percent       100 (V2 - V1) / V1
    symmetrised   200 (V2 - V1) / (V1 + V2)
    linear        percent times 365.25 / t, a year
    compound      100 ((V2 / V1)^(365.25 / t) - 1), a year

Exchanging the visits changes but the sign of the symmetrised change: repeatability is learnt
of it and compared with it. What rests on something that was not measured has no value.

The interval of a change treats the errors of both visits as independent. Those that a method
makes the same way each time cancel, so the interval is wider than it had to be; whether a
change is more than noise is for the repeatability limit to say.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from medprompt_cli.domain.measurement import STATUSES, Measurement, Status
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.repeatability import Limits

DAYS_PER_YEAR = 365.25
SECONDS_PER_DAY = 86_400.0

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "region": "What was measured",
        "quantity": "Which property of it",
        "unit": "UCUM code of first, second and absolute",
        "status": "measured if both visits were, else the graver of their statuses",
        "first": "V1, value at the earlier visit",
        "second": "V2, value at the later visit",
        "days": "t, days from the earlier to the later visit",
        "absolute": "V2 - V1",
        "absolute_low": "V2 - V1 - sqrt((V2 - low2)^2 + (high1 - V1)^2), 95 %",
        "absolute_high": "V2 - V1 + sqrt((high2 - V2)^2 + (V1 - low1)^2), 95 %",
        "percent": "100 (V2 - V1) / V1",
        "percent_low": "100 (exp(ln(V2/V1) - sqrt(ln(V2/low2)^2 + ln(high1/V1)^2)) - 1), 95 %",
        "percent_high": "100 (exp(ln(V2/V1) + sqrt(ln(high2/V2)^2 + ln(V1/low1)^2)) - 1), 95 %",
        "symmetrised_percent": "200 (V2 - V1) / (V1 + V2)",
        "annual_linear_percent": "100 (V2 - V1) / V1 times 365.25 / t",
        "annual_compound_percent": "100 ((V2 / V1)^(365.25 / t) - 1)",
        "limit_percent": "Symmetrised change that 95 % of repeated measurements stay within",
        "exceeds_limit": "Whether the symmetrised change, without its sign, is above the limit",
    }
)
"""What each number of a `Change` is. Source of the intervals: Zou and Donner, Construction of
confidence limits about effect measures, Statistics in Medicine 2008."""


@dataclass(frozen=True, slots=True)
class Change:
    """One quantity of one region at two visits; `COLUMNS` says what each number is."""

    region: str
    quantity: str
    unit: str
    status: Status
    first: float | None = None
    second: float | None = None
    days: float | None = None
    absolute: float | None = None
    absolute_low: float | None = None
    absolute_high: float | None = None
    percent: float | None = None
    percent_low: float | None = None
    percent_high: float | None = None
    symmetrised_percent: float | None = None
    annual_linear_percent: float | None = None
    annual_compound_percent: float | None = None
    limit_percent: float | None = None
    exceeds_limit: bool | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What was measured at one visit.

    Attributes:
        name: The session, e.g. `ses-01`.
        when: Date and time of the scan; None if not known.
        measurements: Each region and quantity once.
    """

    name: str
    when: datetime | None
    measurements: Sequence[Measurement]


@dataclass(frozen=True, slots=True)
class VisitChange:
    """A change and the visits it lies between, by their names."""

    first: str
    second: str
    change: Change


def days_between(first: datetime | None, second: datetime | None) -> float | None:
    """Days, with parts of a day; None if either is not known.

    Raises:
        InputError: If the second is earlier, or only one of them names its time zone.
    """
    if first is None or second is None:
        return None
    if (first.utcoffset() is None) != (second.utcoffset() is None):
        raise InputError(
            f"{first.isoformat()} and {second.isoformat()} cannot be compared: one has a time"
            " zone.",
            remedy="Write both times in scans.tsv in the same way.",
            code="times-differ-in-kind",
        )
    days = (second - first).total_seconds() / SECONDS_PER_DAY
    if days < 0:
        raise InputError(
            f"A visit on {second.isoformat()} was given as later than one on"
            f" {first.isoformat()}.",
            remedy="Put the visits in the order of their dates.",
            code="visits-out-of-order",
        )
    return days


def change_table(
    visits: Sequence[Visit],
    limits: Limits | None = None,
    pairs: Iterable[tuple[int, int]] | None = None,
) -> Iterator[VisitChange]:
    """Every change of every region and quantity between pairs of visits.

    Args:
        visits: In the order of their dates.
        limits: What this method's own noise is; without, no limit is known.
        pairs: Places of earlier and later visits; all if left out.

    Raises:
        InputError: If the visits are not in order.
    """
    wanted = itertools.combinations(range(len(visits)), 2) if pairs is None else pairs
    for earlier, later in wanted:
        one, other = visits[earlier], visits[later]
        days = days_between(one.when, other.when)
        before, after = _keyed(one), _keyed(other)
        for key in dict.fromkeys([*before, *after]):
            known = before.get(key) or after[key]
            missing = Measurement.missing(known.region, known.quantity, known.unit, "error")
            found = change(before.get(key, missing), after.get(key, missing), days, limits)
            yield VisitChange(one.name, other.name, found)


def change(
    first: Measurement,
    second: Measurement,
    days: float | None = None,
    limits: Limits | None = None,
) -> Change:
    """The change from one measurement to a later one of the same.

    Raises:
        InputError: If they are of different regions, quantities or units.
    """
    _check_same(first, second)
    words = (first.region, first.quantity, first.unit)
    limit = None if limits is None else limits.percent(first.region, first.quantity)
    if first.value is None or second.value is None:
        gravest = max(STATUSES.index(first.status), STATUSES.index(second.status))
        return Change(
            *words,
            STATUSES[gravest],
            first.value,
            second.value,
            days,
            limit_percent=limit,
        )
    low, high = _absolute_interval(first, second)
    percent = _percent(first.value, second.value)
    percent_low, percent_high = _percent_interval(first, second)
    symmetrised = symmetrised_percent(first.value, second.value)
    exceeds = None
    if limit is not None and symmetrised is not None:
        exceeds = abs(symmetrised) > limit
    return Change(
        *words,
        "measured",
        first.value,
        second.value,
        days,
        second.value - first.value,
        low,
        high,
        percent,
        percent_low,
        percent_high,
        symmetrised,
        _linear(percent, days),
        _compound(first.value, second.value, days),
        limit,
        exceeds,
    )


def symmetrised_percent(first: float, second: float) -> float | None:
    """200 (V2 - V1) / (V1 + V2); None unless both are 0 or more and one of them more.

    >>> symmetrised_percent(3.0, 5.0), symmetrised_percent(5.0, 3.0)
    (50.0, -50.0)
    """
    if min(first, second) < 0 or first + second == 0:
        return None
    return 200 * (second - first) / (first + second)


def _percent(first: float, second: float) -> float | None:
    return 100 * (second - first) / first if first > 0 and second >= 0 else None


def _linear(percent: float | None, days: float | None) -> float | None:
    return percent * DAYS_PER_YEAR / days if percent is not None and days else None


def _compound(first: float, second: float, days: float | None) -> float | None:
    """None where a change within days, gone on for a year, leaves all numbers behind."""
    if not days or first <= 0 or second < 0:
        return None
    try:
        return 100 * ((second / first) ** (DAYS_PER_YEAR / days) - 1)
    except OverflowError:
        return None


def _absolute_interval(
    first: Measurement, second: Measurement
) -> tuple[float, float] | tuple[None, None]:
    before, after = first.interval, second.interval
    if before is None or after is None or first.value is None or second.value is None:
        return None, None
    apart = second.value - first.value
    low = math.hypot(second.value - after[0], before[1] - first.value)
    high = math.hypot(after[1] - second.value, first.value - before[0])
    return apart - low, apart + high


def _percent_interval(
    first: Measurement, second: Measurement
) -> tuple[float, float] | tuple[None, None]:
    """The same of logarithms; none if an interval reaches 0, where there are none."""
    before, after = first.interval, second.interval
    if before is None or after is None or first.value is None or second.value is None:
        return None, None
    if min(before[0], after[0]) <= 0:
        return None, None
    apart = math.log(second.value / first.value)
    low = math.hypot(math.log(second.value / after[0]), math.log(before[1] / first.value))
    high = math.hypot(math.log(after[1] / second.value), math.log(first.value / before[0]))
    return 100 * math.expm1(apart - low), 100 * math.expm1(apart + high)


def _keyed(visit: Visit) -> dict[tuple[str, str], Measurement]:
    return {(one.region, one.quantity): one for one in visit.measurements}


def _check_same(first: Measurement, second: Measurement) -> None:
    for name in ("region", "quantity", "unit"):
        if getattr(first, name) != getattr(second, name):
            raise InputError(
                f"The {first.quantity} of {first.region} in {first.unit} was compared with the"
                f" {second.quantity} of {second.region} in {second.unit}.",
                remedy="Compare one and the same quantity of one region.",
                code="quantities-differ",
            )
