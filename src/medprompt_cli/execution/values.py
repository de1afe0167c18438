"""What a running program holds: images, masks, numbers, and why one of them is not there.

A value that could not be had carries a status and nothing else; whatever is made of it
carries that status on. No number is ever made up for one that is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume

Status = Literal[
    "measured", "absent", "truncated_fov", "not_visible", "failed_qc", "missing", "undefined"
]
"""Statuses of design; `missing` (the case has no such image or visit) and `undefined` (the
arithmetic has no answer, such as a ratio to nothing) arise in programs only."""

MEASURED: Final = "measured"


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of a subject.

    Attributes:
        label: BIDS session label, or None where a subject has one visit without a label.
        place: Its place in the order of time, from 0.
        acquired: When it was, if known.
    """

    label: str | None
    place: int
    acquired: date | None = None

    def __str__(self) -> str:
        return self.label or f"visit {self.place + 1}"


@dataclass(frozen=True, eq=False)
class Image:
    """One scan of the case, read when it is first needed.

    Attributes:
        suffix: Kind of scan; None if its name does not say.
        visit: When it was taken.
        read: Gives its voxels.
        source: What it is called in messages.
    """

    suffix: str | None
    visit: Visit
    read: Callable[[], Volume]
    source: str


class Instance(NamedTuple):
    """Which connected component of a region something is.

    Attributes:
        of: Name of the region.
        number: From 1, which is the largest.
    """

    of: str
    number: int


@dataclass(frozen=True, eq=False)
class Region:
    """Voxels on a grid, or why there are none.

    Attributes:
        name: What it is, in words: a target, or how it was made of targets.
        images: What it was seen on; the first gives the grid.
        geometry: The grid.
        voxels: (I, J, K) bool; None unless it is there.
        status: `measured`, `truncated_fov` (voxels are there, the rest is outside), or why
            there are no voxels.
        presence: Probability that it is there; None if not estimated.
        target: Canonical name, where it is one target and nothing else.
        instance: Which component of another region it is; None if it is none.
    """

    name: str
    images: tuple[Image, ...]
    geometry: Geometry
    voxels: np.ndarray | None
    status: Status = MEASURED
    presence: float | None = None
    target: str | None = None
    instance: Instance | None = None

    @property
    def empty(self) -> bool:
        """Whether it holds no voxel."""
        return self.voxels is None or not bool(self.voxels.any())

    def with_voxels(self, voxels: np.ndarray, name: str) -> Region:
        """Another region on the same grid; absent if it holds no voxel."""
        status: Status = self.status if voxels.any() else "absent"
        changed = replace(self, name=name, voxels=voxels, status=status)
        return replace(changed, target=None, instance=None)


@dataclass(frozen=True, eq=False)
class Regions:
    """Connected components, the largest first: all of a region, or those that were chosen.

    Attributes:
        name: What they are parts of.
        parts: One region each.
        status: `measured`, or why nothing is known of them. That there are none is
            `measured`.
        whole: The region they are parts of.
    """

    name: str
    parts: tuple[Region, ...]
    status: Status
    whole: Region

    def union(self) -> Region:
        """All of them as one region."""
        voxels = np.zeros(self.whole.geometry.shape, bool)
        for part in self.parts:
            if part.voxels is not None:
                voxels |= part.voxels
        if self.status not in {MEASURED, "truncated_fov"}:
            return replace(self.whole, voxels=None, status=self.status, target=None)
        whole = self.whole.voxels
        every = whole is None or np.array_equal(voxels, whole)
        return self.whole.with_voxels(voxels, self.name if every else f"chosen {self.name}")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the first unit of its dimension, or why there is none."""

    value: float | None
    dimension: str
    status: Status = MEASURED
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class Characterized:
    """What a region was found to be like.

    Attributes:
        finding: With its probability, and the numbers behind it.
        images: What shows it.
    """

    finding: Finding
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A word or a sentence, or why there is none, and what it was found by, if by anything."""

    value: str | None
    status: Status = MEASURED
    found: Characterized | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Truth:
    """Yes, no, or why it cannot be told, and what it was found by, if by anything."""

    value: bool | None
    status: Status = MEASURED
    found: Characterized | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Visits:
    """All visits, in the order of time."""

    all: tuple[Visit, ...] = field(default_factory=tuple)


Value: TypeAlias = (
    Image | tuple[Image, ...] | Region | Regions | Number | Text | Truth | Visit | Visits
)


def first_problem(*statuses: Status) -> Status:
    """The first status that is not `measured`; `measured` if all are."""
    for status in statuses:
        if status != MEASURED:
            return status
    return MEASURED
