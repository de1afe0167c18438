"""How long and how wide a region is, in mm.

A diameter runs from the centre of one voxel to that of another, and half a voxel farther at
both ends: a row of n voxels is n voxels long, one voxel is one voxel long. Half a voxel is
half the extent, in that direction, of the ellipsoid inside it. Corners of voxels would make a
ball too long, centres a box too short, by more than a voxel; so both are met within one.

A diameter belongs to one connected piece (26-connectivity; in a plane 8): of several pieces
the longest diameter of any counts, not the distance between them. What lies beyond the
border of the image is not measured: see `touches_border` of `measurement/place.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import cc3d
import numpy as np

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.cutout import (
    AXES,
    Cutout,
    connected_pieces,
    cut_out,
    exposed_faces,
)
from medprompt_cli.measurement.outline import (
    convex_outline,
    farthest_pair,
    hull_points,
    longest_chord_across,
    run_ends,
)

THICK_SLICES = 2.0
"""Spacing ratio above which a region is measured on the slices it was acquired in. The same
ratio keeps the network's kernels in plane, see networks/levels.py."""

TOLERANCE = 1.001
"""A spacing ratio this much above `THICK_SLICES` is rounding in the header."""

Direction = Literal["left-right", "posterior-anterior", "inferior-superior"]
"""What a width may be taken along: an axis of the RAS+ world."""

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


def max_diameter(mask: Mask) -> Measurement:
    """Longest distance in mm between two points of one connected piece, in any direction."""
    cutout = cut_out(mask)
    if cutout is None:
        return Measurement.missing(mask.region, "max-diameter", "mm", "absent")
    return Measurement(mask.region, "max-diameter", longest_mm(cutout), "mm")


def longest_mm(cutout: Cutout) -> float:
    """Longest diameter of any connected piece of what was cut out."""
    steps = cutout.linear
    best = 0.0
    for bound, piece in _pieces(cutout.voxels, steps, 26):
        if bound <= best:
            break
        points = run_ends(piece)
        best = max(best, farthest_pair(points[hull_points(points)], steps)[0])
    return best


@dataclass(frozen=True)
class InPlaneDiameters:
    """The longest diameter within one slice, and what is perpendicular to it.

    Attributes:
        longest_mm: Longest diameter of any piece in any slice.
        perpendicular_mm: Longest chord perpendicular to it of the same piece's convex
            outline, in the same slice.
        axis: 0, 1 or 2: the slices follow each other towards R, A or S.
        slice_index: Which slice, counted along that axis from L, P or I.
    """

    longest_mm: float
    perpendicular_mm: float
    axis: int
    slice_index: int


def reading_axis(geometry: Geometry) -> int:
    """Along which canonical axis the slices follow each other that a reader measures on.

    The acquired slices where they are more than twice as far apart as their voxels, else
    the axial ones, or what comes closest to axial on an oblique grid.
    """
    grid = geometry.canonical()
    thick = grid.spacing_ratio > THICK_SLICES * TOLERANCE
    return grid.slice_axis if thick else 2


def in_plane_diameters(mask: Mask) -> InPlaneDiameters | None:
    """The two diameters of the RANO criteria; None for an empty mask.

    The longest diameter of any connected piece of any slice of `reading_axis`; where several
    are equally long, the one with the longest perpendicular. Both run from edge to edge of
    the piece's convex outline, as with a caliper: a bay in it is bridged.
    """
    cutout = cut_out(mask)
    if cutout is None:
        return None
    axis = reading_axis(mask.geometry)
    across = [other for other in AXES if other != axis]
    steps = _flattened(cutout.linear[:, across])
    best = (0.0, 0.0, 0)
    for index, voxels in enumerate(np.moveaxis(cutout.voxels, axis, 0)):
        for bound, piece in _pieces(voxels, steps, 8):
            if bound < best[0]:
                break
            found = (*_diameters(piece, steps), index + int(cutout.corner[axis]))
            best = max(best, found, key=lambda three: three[:2])
    return InPlaneDiameters(best[0], best[1], axis, best[2])


def bidimensional(mask: Mask) -> Measurement:
    """Product in mm2 of the longest in-plane diameter and the longest perpendicular to it.

    Source: Wen et al., Updated response assessment criteria for high-grade gliomas: Response
    Assessment in Neuro-Oncology working group, J Clin Oncol 2010.
    """
    found = in_plane_diameters(mask)
    if found is None:
        return Measurement.missing(mask.region, "bidimensional", "mm2", "absent")
    product = found.longest_mm * found.perpendicular_mm
    return Measurement(mask.region, "bidimensional", product, "mm2")


def width(mask: Mask, direction: Direction = "left-right") -> Measurement:
    """Extent of the whole mask along a direction of the world, in mm.

    From the outermost face on one side to the outermost on the other, all pieces taken
    together: both lateral ventricles have the width between their outer walls.

    Args:
        mask: Of the region.
        direction: One of `DIRECTIONS`.

    Raises:
        InputError: If it is none of them.
    """
    if direction not in DIRECTIONS:
        raise InputError(
            f"The width of {mask.region} was asked for along {direction!r}.",
            remedy=f"Choose one of {', '.join(DIRECTIONS)}.",
            code="unknown-direction",
        )
    cutout = cut_out(mask)
    if cutout is None:
        return Measurement.missing(mask.region, "width", "mm", "absent")
    places, _, _ = exposed_faces(cutout.voxels)
    along = places / 2 @ cutout.linear[DIRECTIONS.index(direction)]
    return Measurement(mask.region, "width", float(along.max() - along.min()), "mm")


def _pieces(
    voxels: np.ndarray, steps: np.ndarray, connectivity: Literal[8, 26]
) -> Iterator[tuple[float, np.ndarray]]:
    """Connected pieces cut to their boxes, and how long each is at most; the longest first."""
    labels, _ = connected_pieces(voxels, connectivity)
    boxes = cc3d.statistics(labels)["bounding_boxes"][1:]
    sizes = [[side.stop - side.start for side in box] for box in boxes]
    extents = [float(np.linalg.norm(steps, axis=0) @ size) for size in sizes]
    for n in sorted(range(len(boxes)), key=lambda n: -extents[n]):
        yield extents[n], labels[tuple(boxes[n])] == n + 1


def _flattened(steps: np.ndarray) -> np.ndarray:
    """(2, 2): the two columns of `steps`, (3, 2), as coordinates within their plane."""
    along, aside = steps.T
    length = float(np.linalg.norm(along))
    shared = float(along @ aside) / length
    rest = float(np.linalg.norm(aside - along / length * shared))
    return np.array([[length, shared], [0.0, rest]])


def _diameters(piece: np.ndarray, steps: np.ndarray) -> tuple[float, float]:
    """Longest diameter and longest perpendicular chord of a piece of one slice."""
    points = run_ends(piece)
    outline = points[convex_outline(points)]
    longest, one, other = farthest_pair(outline, steps)
    return longest, longest_chord_across(outline, steps, one, other)
