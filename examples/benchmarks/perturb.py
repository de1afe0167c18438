"""Make a scan worse in one known way, and carry label maps along to its grid.

All of it is done on arrays turned towards R, A, S, so that the axial direction is the last
axis, and spacings are those of the scan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import SimpleITK

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.volume import LabelMap, Volume

AXIAL = 2
ROBUST = (0.5, 99.5)
"""Percentiles between which intensities count as the range of an image."""

AIR_SHARE = 0.25
FAINT = 0.1
NOISE_SHARE = 0.05
BIAS = 0.3
BIAS_POINTS = 4
"""Control points of the bias field along each axis."""

TURN_DEGREES = 20.0
TURN_AXIS = (1.0, 1.0, 1.0)
"""Slanted, so that no axis of the grid stays an axis of the head."""


@dataclass(frozen=True)
class Change:
    """One way to make a scan worse.

    Attributes:
        image: Takes a volume, turned towards R, A, S, and a random generator.
        labels: Brings a label map of the scan, turned likewise, onto the grid of the result.
    """

    image: Callable[[Volume, np.random.Generator], Volume]
    labels: Callable[[LabelMap], LabelMap]


def upright(volume: Volume) -> Volume:
    """The same voxels with axes permuted and flipped towards R, A, S."""
    turned = np.ascontiguousarray(to_canonical(volume.voxels, volume.geometry))
    return replace(volume, voxels=turned, geometry=volume.geometry.canonical())


def upright_labels(labels: LabelMap) -> LabelMap:
    """Likewise for a label map."""
    turned = np.ascontiguousarray(to_canonical(labels.voxels, labels.geometry))
    return replace(labels, voxels=turned, geometry=labels.geometry.canonical())


def to_sitk(voxels: np.ndarray, geometry: Geometry) -> SimpleITK.Image:
    """An image with the spacing of the grid, its first voxel at 0."""
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(voxels.T))
    image.SetSpacing(geometry.spacing)
    return image


def from_sitk(image: SimpleITK.Image) -> np.ndarray:
    """The voxels, (I, J, K)."""
    return np.ascontiguousarray(SimpleITK.GetArrayFromImage(image).T)


def thick_grid(geometry: Geometry, count: int) -> Geometry:
    """The grid whose slices are each `count` axial slices of `geometry`; a rest is cut off."""
    i, j, k = geometry.shape
    merge = np.diag([1.0, 1.0, count, 1.0])
    merge[AXIAL, 3] = (count - 1) / 2
    return Geometry((i, j, k // count), geometry.affine @ merge)


def slices_in(geometry: Geometry, thickness_mm: float) -> int:
    """How many axial slices make one of `thickness_mm`, at least 1."""
    return max(1, round(thickness_mm / geometry.spacing[AXIAL]))


def thick_slices(volume: Volume, _: np.random.Generator, *, thickness_mm: float) -> Volume:
    """Axial slices averaged, as a scanner's slice profile does, box-shaped."""
    count = slices_in(volume.geometry, thickness_mm)
    grid = thick_grid(volume.geometry, count)
    whole = volume.voxels[:, :, : grid.shape[AXIAL] * count]
    averaged = SimpleITK.BinShrink(to_sitk(whole, volume.geometry), [1, 1, count])
    return replace(volume, voxels=from_sitk(averaged), geometry=grid)


def majority(labels: LabelMap, *, thickness_mm: float) -> LabelMap:
    """The label of most voxels of each thick voxel; of several the smallest."""
    count = slices_in(labels.geometry, thickness_mm)
    grid = thick_grid(labels.geometry, count)
    i, j, k = grid.shape
    parts = labels.voxels[:, :, : k * count].reshape(i, j, k, count)
    winner, most = np.zeros(grid.shape, labels.voxels.dtype), np.zeros(grid.shape, np.uint8)
    for label in np.unique(parts):
        votes = (parts == label).sum(axis=3, dtype=np.uint8)
        winner[votes > most] = label
        np.maximum(most, votes, out=most)
    return replace(labels, voxels=winner, geometry=grid)


def turned_grid(geometry: Geometry) -> Geometry:
    """A grid of the same spacing around the same middle, large enough for the turned one."""
    rotation = np.abs(np.array(_turn(np.zeros(3)).GetMatrix()).reshape(3, 3))
    extent = rotation @ (np.array(geometry.shape) * geometry.spacing)
    i, j, k = (math.ceil(e / s) for e, s in zip(extent, geometry.spacing, strict=True))
    affine = geometry.affine.copy()
    shift = (np.array(geometry.shape) - np.array((i, j, k))) / 2
    affine[:3, 3] = geometry.to_world(shift)
    return Geometry((i, j, k), affine)


def _turn(centre: np.ndarray) -> SimpleITK.VersorTransform:
    turn = SimpleITK.VersorTransform(TURN_AXIS, math.radians(TURN_DEGREES))
    turn.SetCenter(centre.tolist())
    return turn


def turn(voxels: np.ndarray, geometry: Geometry, interpolator: int) -> np.ndarray:
    """Voxels turned about the middle of their grid, on `turned_grid`."""
    image, grid = to_sitk(voxels, geometry), turned_grid(geometry)
    spacing = np.array(geometry.spacing)
    middle = (np.array(geometry.shape) - 1) / 2 * spacing
    resample = SimpleITK.ResampleImageFilter()
    resample.SetSize(grid.shape)
    resample.SetOutputSpacing(geometry.spacing)
    resample.SetOutputOrigin((middle - (np.array(grid.shape) - 1) / 2 * spacing).tolist())
    resample.SetTransform(_turn(middle))
    resample.SetInterpolator(interpolator)
    resample.SetDefaultPixelValue(float(voxels.min()))
    return from_sitk(resample.Execute(image))


def turned(volume: Volume, _: np.random.Generator) -> Volume:
    """The head turned in its grid, resampled linearly."""
    voxels = turn(volume.voxels, volume.geometry, SimpleITK.sitkLinear)
    return replace(volume, voxels=voxels, geometry=turned_grid(volume.geometry))


def turned_labels(labels: LabelMap) -> LabelMap:
    """Likewise for a label map, by nearest neighbour."""
    voxels = turn(labels.voxels, labels.geometry, SimpleITK.sitkNearestNeighbor)
    return replace(labels, voxels=voxels, geometry=turned_grid(labels.geometry))


def noisy(volume: Volume, rng: np.random.Generator) -> Volume:
    """Rician noise, as in magnitude images, of NOISE_SHARE of the robust range."""
    low, high = np.percentile(volume.voxels, ROBUST)
    scale = NOISE_SHARE * (high - low)
    real, imaginary = (rng.normal(0, scale, volume.voxels.shape) for _ in range(2))
    voxels = np.hypot(volume.voxels - low + real, imaginary) + low
    return replace(volume, voxels=voxels.astype(np.float32))


def bias_field(geometry: Geometry, rng: np.random.Generator) -> np.ndarray:
    """A smooth field, (I, J, K), from 1 - BIAS to 1 + BIAS: cubic B-splines through points."""
    points = rng.uniform(-1, 1, (BIAS_POINTS,) * 3)
    control = SimpleITK.GetImageFromArray(points)
    extent = np.array(geometry.shape) * geometry.spacing
    control.SetSpacing((extent / (BIAS_POINTS - 1)).tolist())
    image = to_sitk(np.zeros(geometry.shape, np.uint8), geometry)
    field = from_sitk(
        SimpleITK.Resample(
            control,
            image,
            SimpleITK.Transform(),
            SimpleITK.sitkBSpline,
            0.0,
            SimpleITK.sitkFloat64,
        )
    )
    middle, reach = (field.max() + field.min()) / 2, (field.max() - field.min()) / 2
    return 1 + BIAS * (field - middle) / reach


def biased(volume: Volume, rng: np.random.Generator) -> Volume:
    """Multiplied by a bias field."""
    voxels = volume.voxels * bias_field(volume.geometry, rng)
    return replace(volume, voxels=voxels.astype(np.float32))


def head_of(voxels: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The voxels, (I, J, K) bool, that are brighter than air, and the holes they enclose.

    Air is the darkest value where AIR_SHARE of the voxels have it, as in skull-stripped
    scans, else what is below FAINT of the robust range.
    """
    darkest = float(voxels.min())
    if np.mean(voxels == darkest) > AIR_SHARE:
        shining = voxels > darkest
    else:
        low, high = np.percentile(voxels, ROBUST)
        shining = voxels > low + FAINT * (high - low)
    image = to_sitk(shining.astype(np.uint8), geometry)
    return from_sitk(SimpleITK.BinaryFillhole(image)) > 0


def inverted(volume: Volume, _: np.random.Generator) -> Volume:
    """Bright and dark tissue exchanged inside the head; the air stays as it is."""
    head = head_of(volume.voxels, volume.geometry)
    low, high = np.percentile(volume.voxels[head], ROBUST)
    mirrored = low + high - np.clip(volume.voxels, low, high)
    voxels = np.where(head, mirrored, volume.voxels).astype(np.float32)
    return replace(volume, voxels=voxels)


def unchanged(labels: LabelMap) -> LabelMap:
    """The label map itself: the grid stays."""
    return labels


def _thick(thickness_mm: float) -> Change:
    return Change(
        partial(thick_slices, thickness_mm=thickness_mm),
        partial(majority, thickness_mm=thickness_mm),
    )


CHANGES: Mapping[str, Change] = {
    "3 mm slices": _thick(3),
    "5 mm slices": _thick(5),
    "7 mm slices": _thick(7),
    "turned by 20 degrees": Change(turned, turned_labels),
    "noise of 5 %": Change(noisy, unchanged),
    "bias of 30 %": Change(biased, unchanged),
    "contrast inverted": Change(inverted, unchanged),
}
"""By name, as in the table."""
