"""The atlas parcels are carried from: labels in MNI space, and the brain they lie on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, KINDS
from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.parcels import FAMILIES, PARCELS, Parcel
from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.bank import crop_box

BRIGHTEST = 95
"""Percentile of the unlabelled brain that stands for white matter, the brightest there."""

EXTRA_KINDS = {91: "cerebral-white-matter", 92: "cerebral-white-matter"}
"""Basal forebrain, which FreeSurfer's base structures leave to the white matter."""

SECTORS: tuple[tuple[str, str], ...] = tuple(
    (kind, side) for kinds in FAMILIES.values() for kind in kinds for side in ("left", "right")
)
"""What parcels divide: one side of one kind of structure."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Labels along R, A, S, cropped to the brain.

    Attributes:
        kinds: (I, J, K) uint8: positions in `KINDS` plus 1; 0 in the fluid around the brain.
        nearest: (I, J, K, F) uint8: the nearest parcel that each of the F `SECTORS` may
            hold, as its position in `PARCELS` plus 1.
        geometry: The grid of both.
    """

    kinds: np.ndarray
    nearest: np.ndarray
    geometry: Geometry


def read_atlas(labels: Path, template: Path) -> Atlas:
    """Read parcel labels and the T1 brain they were drawn on.

    Args:
        labels: Ids as in `PARCELS` and FreeSurfer; cerebral white matter unlabelled.
        template: T1-weighted brain without skull, on the same grid.

    Raises:
        InputError: If a file cannot be read, the two grids differ, or a parcel is missing.

    Source: Mindboggle's OASIS-TRT-20_jointfusion_DKT31_CMA_labels_in_MNI152_v2.
    """
    from medprompt_cli.bids.nifti import read_labels, read_volume

    ids, brain = read_labels(labels), read_volume(template)
    geometry = ids.geometry.canonical()
    if not geometry.matches(brain.geometry.canonical()):
        raise InputError(
            f"{template} does not lie on the grid of {labels}.",
            remedy="Give the labels and the brain of one atlas, resampled to one grid.",
            code="shape-mismatch",
        )
    voxels = to_canonical(ids.voxels, ids.geometry)
    missing = [p.name for p in PARCELS if not (voxels == p.index).any()]
    if missing:
        raise InputError(
            f"{labels} has no voxel of {', '.join(missing)}.",
            remedy="Give Mindboggle's DKT31 + CMA labels in MNI152 space.",
            code="missing-parcel",
        )
    return build_atlas(voxels, to_canonical(brain.voxels, brain.geometry), geometry)


def build_atlas(ids: np.ndarray, brain: np.ndarray, geometry: Geometry) -> Atlas:
    """Fill in the white matter, and find the nearest parcels of every voxel.

    Args:
        ids: (I, J, K) labels along R, A, S.
        brain: (I, J, K) T1-weighted intensities without skull.
        geometry: Their grid.
    """
    kinds = _kinds(ids, brain)
    box = crop_box(kinds)
    start = np.array([side.start for side in box])
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_world(start)
    ids, kinds = ids[box], np.ascontiguousarray(kinds[box])
    nearest = np.stack([_nearest(ids, _parcels_of(*sector)) for sector in SECTORS], axis=-1)
    i, j, k = kinds.shape
    return Atlas(kinds, nearest, Geometry((i, j, k), affine))


def _kinds(ids: np.ndarray, brain: np.ndarray) -> np.ndarray:
    kind_of = {s.index: s.kind for s in BASE_STRUCTURES if s.kind != "csf"} | EXTRA_KINDS
    kind_of |= {p.index: FAMILIES[p.family][0] for p in PARCELS}
    table = np.zeros(max(int(ids.max()), *kind_of) + 1, np.uint8)
    for index, kind in kind_of.items():
        table[index] = KINDS.index(kind) + 1
    kinds = table[ids]
    cortex = kinds == KINDS.index("cerebral-cortex") + 1
    unlabelled = (ids == 0) & (brain > 0)
    bright = (np.median(brain[cortex]) + np.percentile(brain[unlabelled], BRIGHTEST)) / 2
    kinds[unlabelled & (brain > bright)] = KINDS.index("cerebral-white-matter") + 1
    return kinds


def _parcels_of(kind: str, side: str) -> tuple[Parcel, ...]:
    return tuple(
        parcel
        for parcel in PARCELS
        if kind in FAMILIES[parcel.family] and parcel.side in (side, "midline")
    )


def _nearest(ids: np.ndarray, parcels: tuple[Parcel, ...]) -> np.ndarray:
    """The nearest of `parcels` to each voxel: its position in `PARCELS` plus 1."""
    table = np.zeros(int(ids.max()) + 1, np.uint8)
    for parcel in parcels:
        table[parcel.index : parcel.index + 1] = PARCELS.index(parcel) + 1
    regions = SimpleITK.DanielssonDistanceMapImageFilter()
    regions.InputIsBinaryOff()
    regions.SquaredDistanceOn()
    regions.UseImageSpacingOff()
    regions.Execute(SimpleITK.GetImageFromArray(table[ids]))
    return SimpleITK.GetArrayFromImage(regions.GetVoronoiMap()).astype(np.uint8)
