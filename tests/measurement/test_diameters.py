"""Diameters are the longest there are, of one piece, in the plane a reader would choose."""

from __future__ import annotations

import itertools

import cc3d
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.volume import Mask
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.diameters import (
    InPlaneDiameters,
    bidimensional,
    in_plane_diameters,
    max_diameter,
    reading_axis,
    width,
)
from medprompt_cli.measurement.outline import convex_outline

ARRAYS = st.lists(st.booleans(), min_size=60, max_size=60).map(
    lambda voxels: np.reshape(voxels, (3, 4, 5))
)


def in_plane(mask: Mask) -> InPlaneDiameters:
    found = in_plane_diameters(mask)
    assert found is not None
    return found


def test_one_voxel_is_one_voxel_long(mask_of):
    one = mask_of(np.ones((1, 1, 1)), (0.5, 0.75, 0.6))

    assert max_diameter(one).value == 0.75
    assert bidimensional(one).value == 0.75 * 0.5
    assert width(one).value == 0.5
    assert width(one, "inferior-superior").value == pytest.approx(0.6)


def test_a_row_is_as_long_as_its_voxels(mask_of):
    row = mask_of(np.ones((7, 1, 1)), (0.5, 0.5, 0.5))
    found = in_plane(row)

    assert max_diameter(row).value == pytest.approx(3.5)
    assert (found.longest_mm, found.perpendicular_mm) == pytest.approx((3.5, 0.5))


def test_an_empty_mask_has_no_diameter(mask_of):
    empty = mask_of(np.zeros((3, 4, 5)))

    assert in_plane_diameters(empty) is None
    for measure in (max_diameter, bidimensional, width):
        assert (measure(empty).value, measure(empty).status) == (None, "absent")


@given(voxels=ARRAYS)
def test_no_two_voxels_of_a_piece_are_farther_apart(mask_of, voxels):
    """By comparing every voxel with every other."""
    if not voxels.any():
        return
    labels = cc3d.connected_components(np.pad(voxels, 1), connectivity=26)
    longest = 0.0
    for n in range(1, labels.max() + 1):
        at = np.argwhere(labels == n)
        apart = np.linalg.norm(at[:, None] - at[None], axis=2)
        longest = max(longest, float(apart.max()))

    assert max_diameter(mask_of(voxels)).value == pytest.approx(longest + 1)


@given(voxels=ARRAYS)
def test_the_longest_in_a_plane_is_the_longest_of_any_slice(mask_of, voxels):
    if not voxels.any():
        return
    found = in_plane(mask_of(voxels))
    per_slice = []
    for k in range(voxels.shape[2]):
        if voxels[:, :, k].any():
            alone = np.zeros_like(voxels)
            alone[:, :, k] = voxels[:, :, k]
            per_slice.append(in_plane(mask_of(alone)))
            assert per_slice[-1].slice_index == k

    assert found == max(per_slice, key=lambda d: (d.longest_mm, d.perpendicular_mm))
    assert found.perpendicular_mm <= found.longest_mm + 1e-9
    longest = max_diameter(mask_of(voxels)).value
    assert longest is not None
    assert found.longest_mm <= longest + 1e-9


def test_of_two_pieces_the_longer_counts(mask_of):
    voxels = np.zeros((30, 12, 3), dtype=bool)
    voxels[0:4, 2, 1] = True
    voxels[20:26, 2:4, 1] = True
    found = in_plane(mask_of(voxels))

    assert max_diameter(mask_of(voxels)).value == pytest.approx(np.hypot(5, 1) + 1)
    assert found.longest_mm == pytest.approx(np.hypot(5, 1) + 1)
    assert found.slice_index == 1
    assert width(mask_of(voxels)).value == 26


@pytest.mark.parametrize(("a", "b"), [(20, 12), (20, 20), (31, 7)])
def test_an_ellipse_has_its_two_axes(mask_of, a, b):
    x, y = np.indices((81, 81)) - 40.0
    for angle in (0.0, 0.4, 1.1):
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        disc = (u / a) ** 2 + (v / b) ** 2 <= 1
        found = in_plane(mask_of(disc[:, :, None]))

        assert found.longest_mm == pytest.approx(2 * a, abs=1)
        assert found.perpendicular_mm == pytest.approx(2 * b, abs=1)


def test_the_longest_chord_across_need_not_meet_the_middle(mask_of):
    """A triangle: the longest chord across its longest side ends at the corner opposite."""
    x, y = np.indices((81, 41))
    triangle = (y <= x / 2) & (y <= 4 * (80 - x) / 3) & (y < 30)
    found = in_plane(mask_of(triangle[:, :, None]))

    assert found.longest_mm == pytest.approx(81)
    assert found.perpendicular_mm == pytest.approx(30)


@pytest.mark.parametrize(
    ("spacing", "axis"),
    [
        ((1.0, 1.0, 1.0), 2),
        ((0.5, 0.5, 1.0), 2),
        ((2.0, 1.0, 1.0), 2),  # twice as coarse is not thick
        ((3.0, 1.0, 1.0), 0),  # sagittal slices
        ((1.0, 3.0, 1.0), 1),  # coronal
        ((0.5, 0.5, 5.0), 2),
    ],
)
def test_a_reader_measures_on_acquired_slices_if_they_are_thick(
    mask_of, every_way, spacing, axis
):
    mask = mask_of(np.ones((2, 3, 4)), spacing)

    for _, geometry in every_way(mask.voxels, mask.geometry):
        assert reading_axis(geometry) == axis


def test_thick_sagittal_slices_are_measured_sagittally(solids, mask_of):
    """Axial slices of this ellipsoid would show it shorter."""
    inside = solids["ellipsoid"](9, 12, 20).inside
    at = (np.indices((9, 40, 50)) - np.reshape([4, 19.5, 24.5], (3, 1, 1, 1))).astype(float)
    mask = mask_of(inside(at[0] * 3, at[1], at[2]), (3.0, 1.0, 1.0))
    found = in_plane(mask)

    assert (found.axis, found.slice_index) == (0, 4)
    assert found.longest_mm == pytest.approx(40, abs=1)
    assert found.perpendicular_mm == pytest.approx(24, abs=1)


def test_a_width_along_no_direction_is_refused(mask_of):
    with pytest.raises(InputError, match="was asked for along 'sideways'") as caught:
        width(mask_of(np.ones((1, 1, 1))), "sideways")  # type: ignore[arg-type]

    assert caught.value.remedy.startswith("Choose one of left-right, ")


def test_a_solid_body_of_a_million_voxels_takes_no_time(mask_of):
    """Compared pair by pair, its surface alone would take minutes."""
    at = np.indices((124, 124, 124)) - 61.5
    ball = mask_of((at**2).sum(axis=0) <= 60**2)

    assert max_diameter(ball).value == pytest.approx(120, abs=1)


@given(
    corners=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12, unique=True
    )
)
def test_the_outline_holds_every_point_and_only_corners(corners):
    points = np.array(corners)
    outline = points[convex_outline(points)]

    assert len({tuple(p) for p in outline}) == len(outline)
    if len(outline) < 3:
        return
    ring = itertools.pairwise([*outline, outline[0]])
    for (ax, ay), (bx, by) in ring:
        left = (bx - ax) * (points[:, 1] - ay) - (by - ay) * (points[:, 0] - ax)
        assert (left >= 0).all()  # on the left of every side: anticlockwise, and convex
        assert (left == 0).sum() >= 2
