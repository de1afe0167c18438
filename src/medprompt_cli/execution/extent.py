"""How much of a grid regions fill, and where the field of view cuts them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask

CUT_SHARE = 0.1
"""A region counts as cut by the field of view if it touches one face of the grid with more
than this share of its cross-section, taken as that of a ball of its volume. The brain of a
tight crop touches with 3 %, a brainstem cut through its medulla with about 30 %."""


@dataclass(frozen=True)
class Extent:
    """How much of a grid a region fills, and with how much of it each face is touched.

    Attributes:
        voxels: How many it holds.
        faces_mm2: Area on the first and last plane of I, then of J, then of K.
    """

    voxels: int
    faces_mm2: tuple[float, ...]


def extents_by_name(labels: LabelMap | None) -> dict[str, Extent]:
    """Extent of every region of a label map that has a voxel; none without a map."""
    if labels is None:
        return {}
    found = label_extents(labels.voxels, labels.geometry)
    return {labels.names[index]: extent for index, extent in found.items()}


def label_extents(voxels: np.ndarray, geometry: Geometry) -> dict[int, Extent]:
    """Extent of every id above 0 that occurs.

    Args:
        voxels: (I, J, K) bool, or unsigned integers.
        geometry: Their grid.
    """
    ids = int(voxels.max()) + 1
    counts = np.sum([_counts(plane, ids) for plane in voxels], axis=0)
    faces = []
    for axis in range(3):
        area = geometry.voxel_volume_mm3 / geometry.spacing[axis]
        faces += [_counts(np.take(voxels, end, axis), ids) * area for end in (0, -1)]
    return {
        int(index): Extent(int(counts[index]), tuple(float(face[index]) for face in faces))
        for index in np.flatnonzero(counts)
        if index
    }


def _counts(plane: np.ndarray, ids: int) -> np.ndarray:
    return np.bincount(plane.ravel(), minlength=ids)


def cut_faces(parts: Iterable[Extent], geometry: Geometry) -> np.ndarray:
    """At which faces, (6,) bool, the field of view ends inside the region of these parts."""
    parts = list(parts)
    volume = sum(part.voxels for part in parts) * geometry.voxel_volume_mm3
    cross_section = math.pi * (3 * volume / (4 * math.pi)) ** (2 / 3)
    touched = np.array([part.faces_mm2 for part in parts]).reshape(-1, 6).sum(axis=0)
    return touched > CUT_SHARE * cross_section


def is_cut(parts: Iterable[Extent], geometry: Geometry) -> bool:
    """Whether the field of view ends inside the region made of these parts."""
    return bool(cut_faces(parts, geometry).any())


def ends_outside(mask: Mask) -> bool:
    """Whether the field of view ends inside a region that is not empty."""
    # views, not copies: most lesions touch no face, and an image may have fifty
    faces = (np.moveaxis(mask.voxels, axis, 0)[end] for axis in range(3) for end in (0, -1))
    if not any(face.any() for face in faces):
        return False
    extents = label_extents(mask.voxels, mask.geometry)
    return is_cut(extents.values(), mask.geometry)
