"""How much there is of a region, and where: volume, count, centroid, box, distance.

Places are in RAS+ mm. A region that the border of the image cuts is measured as far as it is
seen; `touches_border` says so, and `Measurement.withheld("truncated_fov")` takes back what
means nothing then.
"""

from __future__ import annotations

import edt
import numpy as np

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.cutout import (
    AXES,
    Connectivity,
    connected_pieces,
    cut_out,
    cut_outs,
    voxel_mm3,
)

MM3_PER_ML = 1000.0

CORNERS: Connectivity = 26
"""Voxels that share a face, an edge or a corner belong to one instance, if not said otherwise.

By faces alone a slanted sheet or thread one voxel thick would fall apart into many.
"""

CENTROID = ("centroid-r", "centroid-a", "centroid-s")
"""Quantities of a centroid, along each axis of the world."""

BOX = ("box-r-min", "box-r-max", "box-a-min", "box-a-max", "box-s-min", "box-s-max")
"""Quantities of a box."""

LEAST_SINE = 1e-3
"""Axes whose cosine is below this are perpendicular: 0.06 degrees."""


def volume(mask: Mask) -> Measurement:
    """Volume in mL: voxel count times voxel volume.

    Whole voxels only, no partial-volume correction. An empty mask is absent, not 0 mL.
    """
    voxels = int(np.count_nonzero(mask.voxels))
    if not voxels:
        return Measurement.missing(mask.region, "volume", "mL", "absent")
    return Measurement(mask.region, "volume", to_ml(voxels, mask.geometry), "mL")


def to_ml(voxels: float, geometry: Geometry) -> float:
    """Volume of a number of voxels."""
    return float(voxels * voxel_mm3(geometry) / MM3_PER_ML)


def soft_volume(region: str, probability: Volume) -> Measurement:
    """Volume in mL that is expected from probabilities: their sum times the voxel volume.

    A voxel half filled counts half. Nothing but zeros is absent.

    Raises:
        InputError: If a voxel is not between 0 and 1; NaN is not.
    """
    voxels = probability.voxels
    if voxels.size and not (voxels.min() >= 0 and voxels.max() <= 1):
        raise InputError(
            f"Probabilities of {region} run from {voxels.min()} to {voxels.max()}.",
            remedy="Give probabilities from 0 to 1, without NaN.",
            code="not-a-probability",
        )
    ordered = to_canonical(voxels, probability.geometry).ravel(order="F")
    total = float(ordered.sum(dtype=np.float64))
    if not total:
        return Measurement.missing(region, "soft-volume", "mL", "absent")
    return Measurement(region, "soft-volume", to_ml(total, probability.geometry), "mL")


def count(mask: Mask, connectivity: Connectivity = CORNERS) -> Measurement:
    """Number of instances: connected pieces of the mask.

    None in an empty mask is 0, and measured: it answers how many there are.

    Args:
        mask: Of the region.
        connectivity: 26: voxels that share a face, an edge or a corner are of one piece;
            18: a face or an edge; 6: a face.
    """
    cutout = cut_out(mask)
    found = 0
    if cutout is not None:
        _, found = connected_pieces(cutout.voxels, connectivity)
    return Measurement(mask.region, "count", found, "1")


def centroid(mask: Mask) -> tuple[Measurement, Measurement, Measurement]:
    """Mean place of the voxel centres in RAS+ mm. It may lie outside of a bent region."""
    cutout = cut_out(mask)
    if cutout is None:
        x, y, z = (Measurement.missing(mask.region, name, "mm", "absent") for name in CENTROID)
        return x, y, z
    index = np.argwhere(cutout.voxels).sum(axis=0, dtype=np.int64)
    mean = index / np.count_nonzero(cutout.voxels) + cutout.corner
    place = cutout.grid.to_world(mean)
    x, y, z = (
        Measurement(mask.region, name, float(mm), "mm")
        for name, mm in zip(CENTROID, place, strict=True)
    )
    return x, y, z


def bounding_box(mask: Mask) -> tuple[Measurement, ...]:
    """Ends of the region along each axis of the world, in RAS+ mm, in the order of `BOX`.

    From edge to edge of the outermost voxels. On a grid oblique to the world it is the box
    of the world that holds the box of the grid that holds the region.
    """
    cutout = cut_out(mask)
    if cutout is None:
        return tuple(Measurement.missing(mask.region, name, "mm", "absent") for name in BOX)
    last = cutout.corner + cutout.voxels.shape
    ends = world_box(cutout.corner, last, cutout.grid)
    return tuple(
        Measurement(mask.region, name, float(mm), "mm")
        for name, mm in zip(BOX, ends, strict=True)
    )


def world_box(first: np.ndarray, last: np.ndarray, grid: Geometry) -> np.ndarray:
    """(..., 6) RAS+ mm, as in `BOX`, of voxels from `first` to before `last`, (..., 3)."""
    middle = grid.to_world((first + last - 1) / 2)
    half = (last - first) / 2 @ np.abs(grid.affine[:3, :3]).T
    ends = np.stack([middle - half, middle + half], axis=-1)
    return ends.reshape(*ends.shape[:-2], 6)


def touches_border(mask: Mask) -> bool:
    """Whether the region holds a voxel of the first or last plane of the image, on any axis.

    The image may end inside such a region: its volume, surface, diameters and centroid are
    then those of the part that is seen.
    """
    cutout = cut_out(mask)
    return cutout is not None and cutout.touches_border


def distance(first: Mask, second: Mask) -> Measurement:
    """Shortest way in mm between two regions, from edge to edge.

    From the centre of a voxel to the nearest centre of the other region, less half a voxel
    at both ends: half the extent, in that direction, of the ellipsoid inside a voxel. Across
    n empty voxels along an axis that is n voxels. Regions that overlap, or touch be it at a
    corner, are 0 mm apart. Absent if one of them is.

    Raises:
        InputError: If the regions lie on different grids, or on one with slanted axes.
    """
    region = f"{first.region}/{second.region}"
    _check_distance(first.geometry, second.geometry, region)
    both = cut_outs(first, second)
    if both is None:
        return Measurement.missing(region, "distance", "mm", "absent")
    spacing = np.asarray(first.geometry.canonical().spacing)
    return Measurement(region, "distance", _gap_mm(*both, spacing), "mm")


def _gap_mm(first: np.ndarray, second: np.ndarray, spacing: np.ndarray) -> float:
    if np.argmax(first) > np.argmax(second):  # of ways equally long, the same both ways round
        first, second = second, first
    grown = _grown(first)
    if (grown & second).any():
        return 0.0
    index = np.argwhere(first)
    gaps: list[float] = []
    for goal, reach in ((first, 0), (grown, 1)):  # by centres, by edges: a slice reaches far
        way = _way_to(goal, spacing)
        way[~second] = np.inf
        steps = np.abs(index - np.unravel_index(int(np.argmin(way)), way.shape))
        lengths = np.linalg.norm(steps * spacing, axis=1)
        between = np.linalg.norm(np.maximum(steps - reach, 0) * spacing, axis=1)
        nearest = np.lexsort((lengths, between))[0]
        extent = np.linalg.norm(steps[nearest] * spacing**2) / lengths[nearest]
        gaps.append(float(lengths[nearest] - extent))
    return min(gaps)


def _grown(voxels: np.ndarray) -> np.ndarray:
    """The voxels and all that touch them, within the array."""
    for axis in AXES:
        along = np.moveaxis(voxels, axis, 0)
        grown = along.copy()
        grown[1:] |= along[:-1]
        grown[:-1] |= along[1:]
        voxels = np.moveaxis(grown, 0, axis)
    return np.ascontiguousarray(voxels)


def _check_distance(first: Geometry, second: Geometry, region: str) -> None:
    if not first.matches(second):
        raise InputError(
            f"The masks of {region} lie on grids of {first.shape} and {second.shape} voxels"
            " in different places.",
            remedy="Resample one of them to the grid of the other.",
            code="grid-mismatch",
        )
    cosines = first.affine[:3, :3] / np.asarray(first.spacing)
    slant = float(np.abs(cosines.T @ cosines - np.eye(3)).max())
    if slant > LEAST_SINE:
        angle = float(np.degrees(np.arcsin(slant)))
        raise InputError(
            f"The masks of {region} lie on a grid whose axes are {angle:.1f} degrees off"
            " perpendicular.",
            remedy="Resample the masks to a grid with perpendicular axes.",
            code="slanted-grid",
        )


def _way_to(voxels: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """From every voxel centre to the nearest of those that are set, in mm."""
    way: object = edt.edt(~voxels, anisotropy=tuple(spacing))  # pyright: ignore - edt has no stub
    return np.asarray(way)
