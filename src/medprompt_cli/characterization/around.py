"""What lies around a lesion: boxes, distances, labels by the names they have."""

from __future__ import annotations

import math
from collections.abc import Callable

import edt
import numpy as np
from scipy.spatial import KDTree

from medprompt_cli.domain.anatomy import VENTRICLE_KINDS
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError

Box = tuple[slice, slice, slice]

FLUID_KINDS = frozenset((*VENTRICLE_KINDS, "csf"))
"""Labelled voxels of these kinds are no tissue."""

SIDES = ("left", "right")


def check_grids(lesion: Mask, *others: Mask | LabelMap | Volume) -> None:
    """Raise InputError unless everything lies on the grid of the lesion."""
    for other in others:
        if not lesion.geometry.matches(other.geometry):
            seen = getattr(other, "source", "") or "what it is compared with"
            raise InputError(
                f"{lesion.region} lies on a grid of {lesion.geometry.shape}, {seen} on another,"
                f" of {other.geometry.shape}.",
                remedy="Resample the mask, the labels and the images to one grid.",
                code="grid-mismatch",
            )


def nothing(lesion: Mask, feature: str) -> Finding:
    """What is found of a lesion without a voxel."""
    note = f"There is no voxel of {lesion.region}."
    return Finding.missing(lesion.region, feature, "absent", notes=(note,))


def kind_of(name: str) -> str:
    """A region's name without its side.

    >>> kind_of("left-thalamus"), kind_of("brainstem")
    ('thalamus', 'brainstem')
    """
    side, _, kind = name.partition("-")
    return kind if side in SIDES else name


def side_of(name: str) -> str | None:
    """`left`, `right`, or None for what has no side."""
    side = name.partition("-")[0]
    return side if side in SIDES else None


def is_tissue(name: str) -> bool:
    """Whether a labelled region is tissue rather than fluid."""
    return kind_of(name) not in FLUID_KINDS


def labelled(
    labels: LabelMap, wanted: Callable[[str], bool], box: Box | None = None
) -> np.ndarray:
    """(I, J, K) bool: voxels whose region is wanted by its name, within a box."""
    voxels = labels.voxels if box is None else labels.voxels[box]
    return coded(labels, voxels, lambda name: int(wanted(name))).astype(bool)


def coded(labels: LabelMap, ids: np.ndarray, code: Callable[[str], int]) -> np.ndarray:
    """What `code` gives for the names of some ids of a label map; 0 for those without one."""
    table = np.zeros(max(int(ids.max(initial=0)), *labels.names, 0) + 1, dtype=np.int16)
    for index, name in labels.names.items():
        table[index] = code(name) if index else 0
    return table[ids]


def box_around(lesion: Mask, margin_mm: float) -> Box:
    """The box of a lesion that is not empty, with a margin, cut at the border of the image."""
    inverse = np.linalg.inv(lesion.geometry.affine[:3, :3])
    between_planes = 1 / np.linalg.norm(inverse, axis=1)  # not the spacing, if axes slant
    voxels = lesion.voxels
    sides: list[slice] = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(voxels.any(axis=others))
        first, last = int(filled[0]), int(filled[-1]) + 1
        voxels = voxels[(slice(None),) * axis + (slice(first, last),)]
        margin = math.ceil(margin_mm / between_planes[axis])
        end = min(last + margin, lesion.geometry.shape[axis])
        sides.append(slice(max(first - margin, 0), end))
    return sides[0], sides[1], sides[2]


def inside(lesion: Mask, voxels: np.ndarray) -> np.ndarray:
    """(N,) what an array on the lesion's grid holds in the lesion, which is not empty."""
    box = box_around(lesion, 0.0)
    return voxels[box][lesion.voxels[box]]


def mm_from(voxels: np.ndarray, geometry: Geometry) -> np.ndarray:
    """From every voxel to the nearest that is set, centre to centre.

    Args:
        voxels: (I, J, K) bool, the whole image or a box of it.
        geometry: Of the image. Axes that slant are taken as perpendicular, which is near
            enough for a shell but not for a distance that is reported.
    """
    way: object = edt.edt(~voxels, anisotropy=geometry.spacing)
    return np.asarray(way)


def points_of(voxels: np.ndarray, geometry: Geometry, box: Box | None = None) -> np.ndarray:
    """(N, 3) RAS+ mm: centres of the voxels that are set, in a box of an image."""
    corner = np.zeros(3) if box is None else np.array([side.start for side in box])
    return geometry.to_world(np.argwhere(voxels) + corner)


def mm_between(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) from each point to the nearest of the others; infinite if there is none.

    Args:
        points: (N, 3) mm.
        others: (M, 3) mm.
    """
    if not len(others):
        return np.full(len(points), np.inf)
    way, _ = KDTree(others).query(points)
    return np.asarray(way)
