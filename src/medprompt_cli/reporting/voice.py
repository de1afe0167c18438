"""What a language has to be able to say: facts in, one sentence out.

Every method restates what it is given and nothing else. What it leaves open (which facts to
say, in which order) is for `reporting/composition.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from medprompt_cli.reporting.facts import (
    ChangeFact,
    FateFact,
    FindingFact,
    ImageFact,
    NumberFact,
    Visit,
)
from medprompt_cli.reporting.reasons import Reason

Title = Literal[
    "technique",
    "brain",
    "structures",
    "limits",
    "lesions",
    "change",
    "impression",
    "asked",
    "elsewhere",
]


@dataclass(frozen=True, slots=True)
class OneLesion:
    """A lesion, or all of a region that is one.

    Attributes:
        region: What it is a lesion of.
        instance: Its number, the largest first; None if the whole region is meant.
        volume: None if not measured.
        diameter: The longest; None if not measured.
        product: Of the two diameters; None if not measured.
        findings: What it is like.
    """

    region: str
    instance: int | None
    volume: NumberFact | None
    diameter: NumberFact | None
    product: NumberFact | None
    findings: tuple[FindingFact, ...]

    @property
    def facts(self) -> tuple[NumberFact | FindingFact, ...]:
        """Everything that is said of it."""
        numbers = (self.volume, self.diameter, self.product)
        return (*(fact for fact in numbers if fact is not None), *self.findings)


class Voice(Protocol):
    """A language."""

    @property
    def titles(self) -> Mapping[Title, str]:
        """Headings of sections."""
        ...

    def images(self, visit: Visit, images: Sequence[ImageFact]) -> str:
        """What was scanned at a visit."""
        ...

    def read_on(self, kind: str, *, lesions: bool) -> str:
        """Kind of image that structures, or lesions, are read on."""
        ...

    def made_with(self, versions: Sequence[str]) -> str:
        """Program and weights."""
        ...

    def compared(self, visit: Visit, days: float | None) -> str:
        """The earlier visit that this one is compared with."""
        ...

    def no_earlier(self) -> str:
        """There is no earlier visit."""
        ...

    def volume(self, volume: NumberFact, fraction: NumberFact | None) -> str:
        """How large a region is, and which part of the intracranial volume."""
        ...

    def pair(
        self, kind: str, left: NumberFact, right: NumberFact, asymmetry: NumberFact | None
    ) -> str:
        """How large the two sides of a structure are."""
        ...

    def quantity(self, number: NumberFact) -> str:
        """Any number, by the name of its quantity."""
        ...

    def part_inside(self, number: NumberFact) -> str:
        """What the image shows of a region that it cuts."""
        ...

    def not_assessed(self, regions: Sequence[str], reason: Reason) -> str:
        """Regions that were not measured, and why."""
        ...

    def unlooked(self, region: str, feature: str, reason: Reason) -> str:
        """A feature that nobody looked for, of a lesion or of the brain (''), and why."""
        ...

    def missing(self, number: NumberFact) -> str:
        """A number other than the volume that was not measured, and why."""
        ...

    def review(self, regions: Sequence[str], reasons: str) -> str:
        """Regions whose masks are to be looked at, and why."""
        ...

    def absent(self, number: NumberFact) -> str:
        """A region that is not there."""
        ...

    def shift(self, finding: FindingFact, *, brief: bool = False) -> str:
        """Whether the midline is shifted."""
        ...

    def outside(self, number: NumberFact) -> str:
        """A number outside of its limits."""
        ...

    def none_outside(self, *, other: bool) -> str:
        """No structure, or no other, lies outside of its limits."""
        ...

    def lesions(self, count: NumberFact | None, volume: NumberFact) -> str:
        """How many lesions of a kind there are."""
        ...

    def lesion(self, lesion: OneLesion) -> str:
        """What one lesion is like."""
        ...

    def further_lesions(self, volumes: Sequence[NumberFact]) -> str:
        """How large the smaller lesions are, by the first and the last of their numbers."""
        ...

    def finding(self, finding: FindingFact) -> str:
        """What is said of a region."""
        ...

    def change(self, change: ChangeFact) -> str:
        """What changed between two visits."""
        ...

    def followed_on(self, kind: str) -> str:
        """Kind of image that changes were measured on."""
        ...

    def unfollowed(self, earlier: str) -> str:
        """Change since a visit was not assessed, as visits were not compared."""
        ...

    def no_change(self, earlier: str) -> str:
        """No structure changed beyond noise."""
        ...

    def fates(self, region: str, earlier: str, counts: Mapping[str, int]) -> str:
        """How many lesions met which fate."""
        ...

    def fate(self, fate: FateFact) -> str:
        """What became of one lesion."""
        ...

    def no_new(self, region: str, earlier: str) -> str:
        """No lesion is new."""
        ...

    def brief_lesions(self, volume: NumberFact, largest: OneLesion | None) -> str:
        """That there are lesions, and what the largest is like."""
        ...

    def brief_outside(self, numbers: Sequence[NumberFact]) -> str:
        """Regions on one side of their limits."""
        ...

    def brief_changes(self, changes: Sequence[ChangeFact]) -> str:
        """Regions that changed in one direction beyond noise."""
        ...
