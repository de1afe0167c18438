"""One number about one region, with its unit, its status and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from medprompt_cli.errors import InputError

Status = Literal["measured", "absent", "truncated_fov", "not_visible", "failed_qc", "error"]
"""How it went: measured; absent (no voxel of it); truncated_fov (the image ends inside it);
not_visible (the weights cannot see it); failed_qc (what is there cannot be trusted); error
(the quantity has no value here, such as a ratio to 0)."""

STATUSES: tuple[Status, ...] = get_args(Status)
"""Every status; what was derived of two measurements has the later of theirs."""

HOUNSFIELD = "[hnsf'U]"
"""UCUM's code of the Hounsfield unit, HU in print."""

UNITS: dict[str, str] = {
    "mL": "millilitre",
    "mm": "millimetre",
    "mm2": "square millimetre",
    "1": "no unit: a count, a ratio, the signal of an MR image",
    "%": "percent",
    HOUNSFIELD: "Hounsfield unit",
}
"""Every unit a measurement may have, by its UCUM code, and what it is.

Source: The Unified Code for Units of Measure, ucum.org.
"""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of a region, or why it was not.

    Attributes:
        region: What was measured, e.g. `left-hippocampus`.
        quantity: Which property of it, e.g. `volume`.
        value: In `unit`; None unless the status is `measured`.
        unit: UCUM code, one of `UNITS`.
        status: One of `STATUSES`.
        low: Lower end of the interval around the value; None if not estimated.
        high: Upper end of it; None if not estimated.

    Raises:
        InputError: If there is a value without the status `measured` or the other way
            round, if a number is not finite, or if the interval does not hold the value.
    """

    region: str
    quantity: str
    value: float | None
    unit: str
    status: Status = "measured"
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        self._check_words()
        self._check_value()
        self._check_interval()

    @classmethod
    def missing(cls, region: str, quantity: str, unit: str, status: Status) -> Measurement:
        """What could not be measured: no value, and the status that says why."""
        return cls(region, quantity, None, unit, status)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the interval; None if it was not estimated."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def with_interval(self, low: float, high: float) -> Measurement:
        """The same measurement with an interval around its value."""
        return replace(self, low=low, high=high)

    def withheld(self, status: Status) -> Measurement:
        """The same without its value, because of what `status` says."""
        return Measurement.missing(self.region, self.quantity, self.unit, status)

    def _check_words(self) -> None:
        if self.status not in STATUSES:
            raise _refused(f"{self._name} has status {self.status!r}", "Use one of STATUSES.")
        if self.unit not in UNITS:
            raise _refused(f"{self._name} has unit {self.unit!r}", "Use a code of UNITS.")

    def _check_value(self) -> None:
        if (self.value is not None) != (self.status == "measured"):
            raise _refused(
                f"{self._name} has status {self.status} and value {self.value}",
                "Give a value if, and only if, it was measured.",
            )
        for part in ("value", "low", "high"):
            number = getattr(self, part)
            if number is None:
                continue
            if not math.isfinite(number):
                raise _refused(
                    f"{self._name} has {part} {number}",
                    "Leave the value out and give the status that says why.",
                )
            object.__setattr__(self, part, float(number))

    def _check_interval(self) -> None:
        low, value, high = self.low, self.value, self.high
        if low is None and high is None:
            return
        if low is None or value is None or high is None or not low <= value <= high:
            raise _refused(
                f"{self._name} has value {value} and interval {low} to {high}",
                "Give both ends of an interval that holds the value, or neither.",
            )

    @property
    def _name(self) -> str:
        return f"The {self.quantity} of {self.region}"


def _refused(problem: str, remedy: str) -> InputError:
    return InputError(f"{problem}.", remedy=remedy, code="bad-measurement")
