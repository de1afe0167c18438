"""How far volumes move when a head lies a little differently in the scanner.

A scan is segmented again with its head mirrored, turned and shifted. No volume should move;
how far each does is a part of its error that the probabilities of one look do not tell.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import affine_transform

from medprompt_cli.domain.attempt import Attempt
from medprompt_cli.domain.geometry import Geometry, from_canonical, to_canonical
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.execution.segment import (
    Segmented,
    Segments,
    Target,
    attempts_of,
    cases_at_once,
)
from medprompt_cli.measurement.diameters import THICK_SLICES
from medprompt_cli.measurement.relate import LEFT, RIGHT

NOTE = "Intervals hold the spread over {} looks at the head, mirrored, turned and shifted."

SLANTED = (0.6, -0.48, 0.64)
"""The axis that a head is turned about where slices are thin: none of the grid's, length 1."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head lies otherwise than it was scanned.

    Attributes:
        mirrored: Whether left and right are exchanged.
        degrees: How far it is turned, about its middle: on thick slices within them.
        shift: How far it is moved within the slices, in voxels.
    """

    mirrored: bool = False
    degrees: float = 0.0
    shift: float = 0.0

    def of(self, volume: Volume) -> Volume:
        """The image of the head in this pose, on the same grid; interpolated linearly."""
        grid = volume.geometry.canonical()
        voxels = to_canonical(volume.voxels, volume.geometry)
        voxels = voxels[::-1] if self.mirrored else voxels
        if self.degrees or self.shift:
            voxels = self._moved(voxels, grid)
        return replace(volume, voxels=from_canonical(voxels, volume.geometry))

    def _moved(self, voxels: np.ndarray, grid: Geometry) -> np.ndarray:
        linear, slices = grid.affine[:3, :3], grid.slice_axis
        axis = np.array(SLANTED)
        if grid.spacing_ratio > THICK_SLICES:
            axis = linear[:, slices] / np.linalg.norm(linear[:, slices])
        step = np.linalg.inv(linear) @ _rotation(axis, self.degrees) @ linear
        middle = (np.array(grid.shape) - 1) / 2
        shift = np.where(np.arange(3) == slices, 0.0, self.shift)
        found = np.empty(voxels.shape, np.float32)
        affine_transform(
            voxels,
            step,
            tuple(middle - step @ middle + shift),  # pyright: ignore - scipy has no stubs
            output=found,
            order=1,
            mode="nearest",
        )
        return found


POSES = (
    Pose(mirrored=True),
    Pose(degrees=3.0, shift=0.5),
    Pose(degrees=-3.0, shift=0.25),
    Pose(mirrored=True, degrees=2.0, shift=-0.5),
    Pose(mirrored=True, degrees=-2.0, shift=-0.25),
)
"""As heads lie from one visit to the next: a few degrees and part of a voxel off."""


@dataclass(frozen=True)
class _Looked:
    """What was found, as `Segmented` has it."""

    labels: LabelMap
    parcels: LabelMap | None
    masks: Mapping[str, Mask]
    presence: Mapping[str, float | None]
    volumes_ml: Mapping[str, float]
    sums: Mapping[str, PosteriorSums]
    limits_ml: Mapping[str, float | None]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class _Mirrored:
    """A target on the other side."""

    target: Target

    @property
    def name(self) -> str:
        return other_side(self.target.name)

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(map(other_side, self.target.members))

    @property
    def visible(self) -> bool:
        return self.target.visible


class PosedSegmenter:
    """A segmenter that looks at every head in several poses.

    Masks and all else are those of the first look, at the scan as it is; its sums say how
    far the expected volumes of all looks are spread.

    Args:
        segmenter: The network.
        poses: How heads lie in further looks.
    """

    def __init__(self, segmenter: Segments, poses: Sequence[Pose] = POSES) -> None:
        self.segmenter, self.poses = segmenter, tuple(poses)
        self.weights_name, self.weights_version = (
            *(segmenter.weights_name, segmenter.weights_version),
        )
        self.weights_sha256 = segmenter.weights_sha256
        self.device_name = segmenter.device_name
        self.cases_at_once = cases_at_once(segmenter)

    def segment(
        self, volumes: Volume | Sequence[Volume], targets: Sequence[Target], /
    ) -> Segmented:
        """Find the targets, and how far their volumes are spread over all looks."""
        found = self.segmenter.segment(volumes, targets)
        streams = [volumes] if isinstance(volumes, Volume) else list(volumes)
        began = time.perf_counter()
        looks = [{name: sums.total_ml for name, sums in found.sums.items()}]
        looks += [self._look(pose, streams, targets) for pose in self.poses]
        sums = {
            # what a look does not find at all has no sums: 0 mL
            name: replace(own, pose_sd_ml=_sd([look.get(name, 0.0) for look in looks]))
            for name, own in found.sums.items()
        }
        return _Looked(
            found.labels,
            found.parcels,
            found.masks,
            found.presence,
            found.volumes_ml,
            sums,
            found.limits_ml,
            (*found.notes, NOTE.format(len(looks))),
            {**found.seconds, "poses": time.perf_counter() - began},
            attempts_of(found),
        )

    def _look(
        self, pose: Pose, streams: Sequence[Volume], targets: Sequence[Target]
    ) -> dict[str, float]:
        """Expected volumes in a pose, by the names of the targets as the scan has them."""
        moved = [pose.of(stream) for stream in streams]
        asked = [_Mirrored(t) if pose.mirrored else t for t in targets]
        found = self.segmenter.segment(moved[0] if len(moved) == 1 else moved, asked).sums
        return {
            other_side(name) if pose.mirrored else name: sums.total_ml
            for name, sums in found.items()
        }


def other_side(name: str) -> str:
    """The same region on the other side; itself if it has no side."""
    for side, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        if name.startswith(side):
            return other + name.removeprefix(side)
    return name


def _sd(values: Sequence[float]) -> float:
    """Standard deviation, divided by n - 1."""
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def _rotation(axis: np.ndarray, degrees: float) -> np.ndarray:
    """(3, 3) turn about an axis of length 1. Source: Rodrigues' formula."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(degrees)
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
