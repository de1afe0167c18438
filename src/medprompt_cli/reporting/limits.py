"""What a number is held against: limits that somebody gives, or the rest of the cohort."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.outliers import FAR, FEWEST, log_centre_and_spread
from medprompt_cli.errors import InputError

Verdict = Literal["below", "within", "above"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a number is expected to lie.

    Attributes:
        low: Lower limit, in the unit of the number.
        high: Upper limit.
        source: Whose limits they are, in words.
        z: Robust z of the number in its cohort; None if the limits were given.
        scans: How many scans the cohort has; None if the limits were given.
    """

    low: float
    high: float
    source: str
    z: float | None = None
    scans: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(
                f"The limits of {self.source} go from {self.low:g} to {self.high:g}.",
                remedy="Give a lower limit that is below the upper one.",
                code="bad-limits",
            )

    def verdict(self, value: float) -> Verdict:
        """Where a value lies; a limit itself is within."""
        if value < self.low:
            return "below"
        return "above" if value > self.high else "within"


@dataclass(frozen=True, slots=True)
class Norm:
    """The volumes of a cohort, by their logarithm: sizes of regions spread by factors.

    Attributes:
        centre: Median of the logarithms.
        spread: Their median absolute deviation, as a standard deviation.
        scans: How many there are.
    """

    centre: float
    spread: float
    scans: int

    def limits(self, value: float) -> Limits:
        """Limits of the cohort, with the robust z of a value in it; of 0 there is none."""
        low, high = (math.exp(self.centre + side * FAR * self.spread) for side in (-1, 1))
        z = (math.log(value) - self.centre) / self.spread if value > 0 else None
        return Limits(low, high, "this cohort", z, self.scans)


NormKey = tuple[str, str, str]
"""Region, quantity and kind of image."""


def cohort_norms(rows: Iterable[tuple[NormKey, float]]) -> dict[NormKey, Norm]:
    """What is normal in a cohort.

    Args:
        rows: A value above 0 of each scan. Lesions are left out: theirs may be of any size.
    """
    values: dict[NormKey, list[float]] = defaultdict(list)
    for key, value in rows:
        if key[0] not in LESIONS and value > 0:
            values[key].append(value)
    return {key: _norm(found) for key, found in values.items() if len(found) >= FEWEST}


def _norm(values: list[float]) -> Norm:
    return Norm(*log_centre_and_spread(values), len(values))


@dataclass(frozen=True, slots=True)
class Expectations:
    """Everything that numbers may be held against.

    Attributes:
        given: Limits by region and quantity, which come first.
        norms: Of the cohort.
    """

    given: Mapping[tuple[str, str], Limits]
    norms: Mapping[NormKey, Norm]

    def of(self, key: NormKey, value: float | None) -> Limits | None:
        """The limits of a number; None if there are none, or there is no number."""
        region, quantity, _ = key
        if value is None:
            return None
        if (region, quantity) in self.given:
            return self.given[region, quantity]
        return self.norms[key].limits(value) if key in self.norms else None


NOTHING_EXPECTED = Expectations({}, {})
