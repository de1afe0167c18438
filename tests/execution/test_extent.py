"""How much of a grid a region fills, and what counts as cut."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.execution.extent import (
    CUT_SHARE,
    cut_faces,
    extents_by_name,
    is_cut,
    label_extents,
)

GRID = Geometry((20, 20, 20), np.diag([1.0, 1.0, 1.0, 1.0]))


def ball(radius, centre=(9.5, 9.5, 9.5), geometry=GRID):
    axes = np.ogrid[tuple(slice(0, n) for n in geometry.shape)]
    squares = [
        ((axis - c) * s) ** 2 for axis, c, s in zip(axes, centre, geometry.spacing, strict=True)
    ]
    return squares[0] + squares[1] + squares[2] <= radius**2


def test_extents_count_voxels_and_the_faces_they_touch():
    geometry = Geometry((4, 5, 6), np.diag([2.0, 3.0, 4.0, 1.0]))
    voxels = np.zeros((4, 5, 6), np.uint8)
    voxels[0, 1:3, 2:5] = 7
    voxels[3, 4, 5] = 255
    extents = label_extents(voxels, geometry)

    assert {index: extent.voxels for index, extent in extents.items()} == {7: 6, 255: 1}
    assert extents[7].faces_mm2 == pytest.approx((6 * 12, 0, 0, 0, 0, 0))
    assert extents[255].faces_mm2 == pytest.approx((0, 12, 0, 8, 0, 6))


def test_a_ball_inside_the_image_is_whole_and_half_a_ball_is_cut():
    whole = label_extents(ball(6).astype(np.uint8), GRID).values()
    half = label_extents(ball(6, (0, 9.5, 9.5)).astype(np.uint8), GRID).values()

    assert not is_cut(whole, GRID)
    assert is_cut(half, GRID)


def test_a_tight_crop_is_not_a_cut():
    """The largest face of a ball in its bounding box is small beside its cross-section."""
    side = 121
    geometry = Geometry((side, side, side), np.eye(4))
    voxels = ball(60.0, (60, 60, 60), geometry)
    extent = label_extents(voxels, geometry)[1]

    assert voxels[0].any()
    assert voxels[-1].any()
    assert max(extent.faces_mm2) < CUT_SHARE * math.pi * 60**2
    assert not is_cut([extent], geometry)


def test_ids_may_be_large_and_are_told_apart():
    voxels = np.zeros(GRID.shape, np.uint16)
    voxels[3:5, 3, 3] = 1028
    voxels[0, 0, 0] = 2035
    names = {1028: "left-superior-frontal", 2035: "right-insula", 630: "anterior-vermis"}
    extents = extents_by_name(LabelMap(voxels, GRID, names))

    assert {name: extent.voxels for name, extent in extents.items()} == {
        "left-superior-frontal": 2,
        "right-insula": 1,
    }
    assert extents["right-insula"].faces_mm2 == pytest.approx((1, 0, 1, 0, 1, 0))


def test_no_map_has_no_extents():
    assert extents_by_name(None) == {}


def test_cut_is_the_face_that_the_region_ends_at():
    half = label_extents(ball(6, (9.5, 19, 9.5)), GRID).values()

    assert cut_faces(half, GRID).tolist() == [False, False, False, True, False, False]
    assert not cut_faces([], GRID).any()
