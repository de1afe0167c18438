"""One image in, the answer to every target out: masks, or the reason there is none."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

MM3_PER_ML = 1000.0

CUT_SHARE = 0.1
"""A region counts as cut by the field of view if it touches one face of the grid with more
than this share of its cross-section, taken as that of a ball of its volume. The brain of a
tight crop touches with 3 %, a brainstem cut through its medulla with about 30 %."""

EVEN_ODDS = 0.5
"""Presence above which a region without a voxel was missed rather than absent."""

Status = Literal["measured", "absent", "truncated_fov", "not_visible", "failed_qc"]


class Target(Protocol):
    """What a prompt asks for."""

    @property
    def name(self) -> str:
        """Canonical name, e.g. `left-hippocampus` or `ventricles`."""
        ...

    @property
    def members(self) -> tuple[str, ...]:
        """The base structures it is made of; empty for a lesion."""
        ...

    @property
    def visible(self) -> bool:
        """Whether the weights can see it."""
        ...


class Segmented(Protocol):
    """Masks of one image, on its grid."""

    @property
    def labels(self) -> LabelMap:
        """The base structures that were asked for."""
        ...

    @property
    def masks(self) -> Mapping[str, Mask]:
        """By name of the target, those that are not base structures."""
        ...

    @property
    def presence(self) -> Mapping[str, float | None]:
        """By name of the target, the probability that it is there."""
        ...

    @property
    def volumes_ml(self) -> Mapping[str, float]:
        """By name of the target, in mL."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the masks should know."""
        ...

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time by stage."""
        ...


class Segments(Protocol):
    """A network with its weights loaded."""

    weights_name: str
    weights_version: str
    weights_sha256: str
    device_name: str

    def segment(self, volume: Volume, targets: Sequence[Target], /) -> Segmented:
        """Find the targets in one image."""
        ...


@dataclass(frozen=True)
class TargetResult:
    """The answer to one target in one image.

    Attributes:
        name: Canonical name of the target.
        status: measured; absent (no voxel of it); truncated_fov (the image ends inside
            it); not_visible (the weights cannot see it); failed_qc (no voxel of it, though
            it is probably there).
        presence: Probability that it is there; None if not estimated.
        volume_ml: None unless measured.
        visible_volume_ml: Of a truncated region, the part inside the image.
    """

    name: str
    status: Status
    presence: float | None = None
    volume_ml: float | None = None
    visible_volume_ml: float | None = None

    def as_json(self) -> dict[str, object]:
        """The fields as a sidecar words them."""
        content: dict[str, object] = {
            "Status": self.status,
            "Presence": self.presence,
            "VolumeMl": self.volume_ml,
        }
        if self.visible_volume_ml is not None:
            content["VisibleVolumeMl"] = self.visible_volume_ml
        return content


@dataclass(frozen=True, eq=False)
class CaseResult:
    """What one image gave.

    Attributes:
        labels: Regions that do not overlap; None if none of them has a voxel.
        masks: The other regions that have voxels.
        results: One for every target that was asked for, in order.
        notes: What a reader of the masks should know, one sentence each.
        seconds: Time by stage.
    """

    labels: LabelMap | None
    masks: tuple[Mask, ...]
    results: tuple[TargetResult, ...]
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Extent:
    """How much of a grid a region fills, and with how much of it each face is touched."""

    voxels: int
    faces_mm2: tuple[float, ...]


def plan_hash(targets: Iterable[Target]) -> str:
    """SHA-256 over what is asked for; the order of the prompts does not matter."""
    asked = sorted((target.name, sorted(target.members)) for target in targets)
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def segment_case(volume: Volume, targets: Sequence[Target], segmenter: Segments) -> CaseResult:
    """Segment what can be seen, and give every target its status."""
    visible = [target for target in targets if target.visible]
    found = segmenter.segment(volume, visible)
    extents = label_extents(found.labels.voxels, volume.geometry)
    results = tuple(_result(target, found, extents, volume.geometry) for target in targets)
    there = {r.name for r in results if r.status in {"measured", "truncated_fov"}}
    return CaseResult(
        found.labels if extents else None,
        tuple(mask for name, mask in found.masks.items() if name in there),
        results,
        (*volume.notes, *found.notes),
        found.seconds,
    )


def _result(
    target: Target, found: Segmented, extents: Mapping[int, Extent], geometry: Geometry
) -> TargetResult:
    if not target.visible:
        return TargetResult(target.name, "not_visible")
    presence = found.presence.get(target.name)
    presence = None if presence is None else round(presence, 4)
    if target.name in found.masks:
        whole = label_extents(found.masks[target.name].voxels, geometry).values()
    else:
        whole = [
            extents[BASE_INDEX[name]] for name in target.members if BASE_INDEX[name] in extents
        ]
    if not whole:
        missed = presence is not None and presence > EVEN_ODDS
        return TargetResult(target.name, "failed_qc" if missed else "absent", presence)
    volume = round(found.volumes_ml[target.name], 4)
    if is_cut(whole, geometry):
        return TargetResult(target.name, "truncated_fov", presence, None, volume)
    return TargetResult(target.name, "measured", presence, volume)


def label_extents(voxels: np.ndarray, geometry: Geometry) -> dict[int, Extent]:
    """Extent of every id above 0 that occurs.

    Args:
        voxels: (I, J, K) bool, or unsigned integers below 256.
        geometry: Their grid.
    """
    counts = sum(_counts(voxels[:, :, k]) for k in range(voxels.shape[2]))
    faces = []
    for axis in range(3):
        area = geometry.voxel_volume_mm3 / geometry.spacing[axis]
        faces += [_counts(np.take(voxels, end, axis)) * area for end in (0, -1)]
    return {
        index: Extent(int(count), tuple(float(face[index]) for face in faces))
        for index, count in enumerate(np.asarray(counts))
        if index and count
    }


def _counts(plane: np.ndarray) -> np.ndarray:
    return np.bincount(plane.ravel(), minlength=256)


def is_cut(parts: Iterable[Extent], geometry: Geometry) -> bool:
    """Whether the field of view ends inside the region made of these parts."""
    parts = list(parts)
    volume = sum(part.voxels for part in parts) * geometry.voxel_volume_mm3
    cross_section = math.pi * (3 * volume / (4 * math.pi)) ** (2 / 3)
    touched = np.sum([part.faces_mm2 for part in parts], axis=0)
    return bool(touched.max() > CUT_SHARE * cross_section)
