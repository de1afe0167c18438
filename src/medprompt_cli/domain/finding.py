"""What a region is like, in one word, with how sure that is and the numbers behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from medprompt_cli.domain.certainty import Certainty, certainty_of
from medprompt_cli.domain.measurement import STATUSES, UNITS, Status
from medprompt_cli.errors import InputError

MICROMETRE2_PER_SECOND = "um2/s"
"""UCUM's code of the unit of an apparent diffusion coefficient; 1e-6 mm2/s."""

EVIDENCE_UNITS: Mapping[str, str] = MappingProxyType(
    {**UNITS, MICROMETRE2_PER_SECOND: "square micrometre per second"}
)
"""Every unit that a number behind a finding may have, by its UCUM code, and what it is."""

_NO_IMAGE = re.compile(r"There is no (\w+) at ")

YES, NO = "yes", "no"
"""Values of a feature that a region has or has not."""


def no_image_note(kind: str, visit: str) -> str:
    """The note of a finding for which a kind of image is missing."""
    return f"There is no {kind} at {visit}."


def missing_image(notes: str) -> str | None:
    """The kind of image that notes of a finding miss; None if they miss none.

    >>> missing_image(no_image_note("T1ce", "ses-01"))
    'T1ce'
    """
    found = _NO_IMAGE.search(notes)
    return found[1] if found else None


class Evidence(NamedTuple):
    """One number behind a finding.

    Attributes:
        value: In `unit`.
        unit: UCUM code, one of `EVIDENCE_UNITS`.
    """

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One feature of a region, or why it could not be told.

    Attributes:
        region: What was looked at, e.g. `ms-lesion`.
        feature: Which property of it, e.g. `signal`.
        value: The property in one word, e.g. `hyper`; None unless the status is `measured`.
        probability: That the value is true, from 0 to 1; None unless it was measured.
        status: One of `STATUSES`.
        evidence: Numbers by their names; there may be some where there is no value.
        notes: What a reader has to know beside the numbers, one sentence each.
        instance: Which instance of the region, from 1; None for all of it.

    Raises:
        InputError: If there is a value or a probability without the status `measured` or
            the other way round, if a number is not finite, or if a unit is not known.
    """

    region: str
    feature: str
    value: str | None
    probability: float | None
    status: Status = "measured"
    evidence: Mapping[str, Evidence] = field(default_factory=dict[str, Evidence], hash=False)
    notes: tuple[str, ...] = ()
    instance: int | None = None

    def __post_init__(self) -> None:
        self._check_words()
        self._check_probability()
        self._check_evidence()

    @classmethod
    def missing(
        cls,
        region: str,
        feature: str,
        status: Status,
        evidence: Mapping[str, Evidence] | None = None,
        notes: tuple[str, ...] = (),
    ) -> Finding:
        """What could not be told: no value, the status that says why, and what is known."""
        return cls(region, feature, None, None, status, evidence or {}, notes)

    @property
    def certainty(self) -> Certainty | None:
        """The probability in words; None where there is none."""
        return None if self.probability is None else certainty_of(self.probability)

    def number(self, name: str) -> float | None:
        """One of the numbers behind it; None if it is not there."""
        found = self.evidence.get(name)
        return None if found is None else found.value

    def of_instance(self, instance: int) -> Finding:
        """The same, said of one instance of the region."""
        return replace(self, instance=instance)

    def _check_words(self) -> None:
        if self.status not in STATUSES:
            raise _refused(f"{self._name} has status {self.status!r}", "Use one of STATUSES.")
        measured = self.status == "measured"
        if (self.value is not None) != measured or (self.probability is not None) != measured:
            raise _refused(
                f"{self._name} has status {self.status}, value {self.value} and probability"
                f" {self.probability}",
                "Give a value and its probability if, and only if, it was measured.",
            )

    def _check_probability(self) -> None:
        if self.probability is None:
            return
        if not 0 <= self.probability <= 1:
            raise _refused(
                f"{self._name} has probability {self.probability}", "Give one from 0 to 1."
            )
        object.__setattr__(self, "probability", float(self.probability))

    def _check_evidence(self) -> None:
        numbers = {name: Evidence(float(v), unit) for name, (v, unit) in self.evidence.items()}
        for name, (value, unit) in numbers.items():
            if unit not in EVIDENCE_UNITS:
                raise _refused(
                    f"{self._name} rests on {name} in {unit!r}", "Use a code of EVIDENCE_UNITS."
                )
            if not math.isfinite(value):
                raise _refused(f"{self._name} rests on {name} {value}", "Leave it out.")
        object.__setattr__(self, "evidence", numbers)

    @property
    def _name(self) -> str:
        return f"The {self.feature} of {self.region}"


def _refused(problem: str, remedy: str) -> InputError:
    return InputError(f"{problem}.", remedy=remedy, code="bad-finding")
