"""Volumes, counts and places: small cases counted by hand, and identities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.place import (
    BOX,
    CENTROID,
    bounding_box,
    centroid,
    count,
    distance,
    soft_volume,
    touches_border,
    volume,
)

ARRAYS = st.lists(st.booleans(), min_size=60, max_size=60).map(
    lambda voxels: np.reshape(voxels, (3, 4, 5))
)


def number(measurement: Measurement) -> float:
    assert measurement.value is not None
    return measurement.value


def values(measurements):
    return [m.value for m in measurements]


def test_a_volume_is_a_count_of_voxels(mask_of):
    voxels = np.zeros((5, 5, 5))
    voxels[1:3, 1:4, 2] = 1

    found = volume(mask_of(voxels, (0.5, 0.5, 3.0), region="csf"))
    assert (found.region, found.quantity, found.unit) == ("csf", "volume", "mL")
    assert found.value == 6 * 0.75 / 1000


def test_what_is_not_there_is_absent_and_counts_0(mask_of):
    empty = mask_of(np.zeros((3, 4, 5)))

    for found in (volume(empty), *centroid(empty), *bounding_box(empty)):
        assert (found.value, found.status) == (None, "absent")
    assert (count(empty).value, count(empty).status) == (0.0, "measured")
    assert not touches_border(empty)


def test_one_voxel_lies_where_it_lies(mask_of, oblique):
    voxels = np.zeros((4, 5, 6))
    voxels[1, 2, 3] = 1
    straight = mask_of(voxels, (1.0, 2.0, 3.0))

    assert volume(straight).value == 6 / 1000
    assert count(straight).value == 1
    assert [m.quantity for m in centroid(straight)] == list(CENTROID)
    assert values(centroid(straight)) == [1.0, 4.0, 9.0]
    assert [m.quantity for m in bounding_box(straight)] == list(BOX)
    assert values(bounding_box(straight)) == [0.5, 1.5, 3.0, 5.0, 7.5, 10.5]
    turned = mask_of(voxels, affine=oblique)
    assert values(centroid(turned)) == pytest.approx(
        turned.geometry.to_world(np.array([1, 2, 3]))
    )


def test_the_box_of_an_oblique_grid_holds_every_corner(mask_of, oblique):
    mask = mask_of(np.ones((4, 5, 6)), affine=oblique)
    corners = np.array(np.meshgrid([-0.5, 3.5], [-0.5, 4.5], [-0.5, 5.5])).reshape(3, -1).T
    world = mask.geometry.to_world(corners)

    expected = np.column_stack([world.min(axis=0), world.max(axis=0)]).ravel()
    assert values(bounding_box(mask)) == pytest.approx(expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_the_border_of_the_image_is_noticed(mask_of, axis, end):
    inside = np.zeros((4, 5, 6))
    inside[1:-1, 1:-1, 1:-1] = 1
    at_border = inside.copy()
    at_border[tuple(end if a == axis else 2 for a in range(3))] = 1

    assert not touches_border(mask_of(inside))
    assert touches_border(mask_of(at_border))


def test_a_soft_volume_is_the_sum_of_probabilities():
    probability = np.zeros((3, 4, 5), np.float32)
    probability[1, 1, :2] = 0.25, 0.75
    grid = Geometry((3, 4, 5), np.diag([1.0, 2.0, 3.0, 1.0]))

    found = soft_volume("ms-lesion", Volume(probability, grid))
    assert (found.region, found.quantity) == ("ms-lesion", "soft-volume")
    assert (found.value, found.unit) == (6 / 1000, "mL")
    nothing = soft_volume("ms-lesion", Volume(0 * probability, grid))
    assert (nothing.value, nothing.status) == (None, "absent")


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan, np.inf])
def test_what_is_no_probability_is_refused(wrong):
    probability = np.zeros((3, 4, 5), np.float32)
    probability[1, 2, 3] = wrong

    with pytest.raises(InputError, match="Probabilities of csf run from") as caught:
        soft_volume("csf", Volume(probability, Geometry((3, 4, 5), np.eye(4))))

    assert caught.value.code == "not-a-probability"


def test_a_ball_half_filled_at_its_edge_has_its_volume(solids):
    """Partial volumes from an eight times finer grid: the sum is exact, the count is not."""
    fine = solids["ball"](6).draw((0.25, 0.25, 0.25)).voxels[:52, :52, :52]
    share = fine.reshape(13, 4, 13, 4, 13, 4).mean(axis=(1, 3, 5), dtype=np.float64)
    soft = soft_volume("ball", Volume(share, Geometry((13, 13, 13), np.eye(4))))

    assert soft.value == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=0.002)


@given(voxels=ARRAYS, other=ARRAYS)
def test_volumes_of_parts_add_up(mask_of, voxels, other):
    def mm3(array):
        return round(1000 * (volume(mask_of(array)).value or 0))

    assert mm3(voxels) + mm3(other) == mm3(voxels | other) + mm3(voxels & other)
    assert mm3(voxels) + mm3(~voxels) == voxels.size


@pytest.mark.parametrize(
    ("gap", "spacing", "expected"),
    [(0, (1.0, 1.0, 1.0), 0.0), (1, (1.0, 1.0, 1.0), 1.0), (4, (0.5, 2.0, 2.0), 2.0)],
)
def test_distance_is_the_empty_space_between(mask_of, gap, spacing, expected):
    one, two = np.zeros((16, 9, 9), bool), np.zeros((16, 9, 9), bool)
    one[2:5, 2:7, 2:7] = True
    two[5 + gap : 7 + gap, 4:6, 4:6] = True
    first, second = mask_of(one, spacing, "one"), mask_of(two, spacing, "two")

    found = distance(first, second)
    assert (found.region, found.quantity, found.unit) == ("one/two", "distance", "mm")
    assert found.value == expected
    assert distance(second, first).value == expected


def test_distance_between_balls(solids):
    """Their centres are 26 mm apart, on a slant."""
    ball = solids["ball"]
    grid = ball(30).draw((1.0, 1.0, 1.0)).geometry
    at = np.moveaxis(grid.to_world(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    shift = np.array([6.0, 8.0, 24.0]).reshape(3, 1, 1, 1) / 2
    one = Mask("one", ball(8).inside(*(at - shift)), grid)
    two = Mask("two", ball(5).inside(*(at + shift)), grid)

    assert distance(one, two).value == pytest.approx(26 - 8 - 5, abs=1)


@given(one=ARRAYS, two=ARRAYS, spacing=st.sampled_from([(1.0, 1.0, 1.0), (1.0, 2.0, 0.5)]))
def test_no_pair_of_voxels_is_closer(mask_of, one, two, spacing):
    """By comparing every voxel with every other."""
    found = distance(mask_of(one, spacing), mask_of(two, spacing))
    assert distance(mask_of(two, spacing), mask_of(one, spacing)) == found
    if not (one.any() and two.any()):
        assert found.status == "absent"
        return
    steps = np.abs(np.argwhere(one)[:, None] - np.argwhere(two)[None])
    centres = np.linalg.norm(steps * spacing, axis=2).min()
    if (steps.max(axis=2) <= 1).any():
        assert found.value == 0
    elif spacing == (1.0, 1.0, 1.0):
        assert found.value == pytest.approx(centres - 1)
    else:
        assert centres - 2 <= number(found) <= centres - 0.5


def test_a_thick_slice_between_is_less_than_many_thin_voxels(mask_of):
    """Centres are 6 mm apart through the slice and 5 mm in it; edges 3 and 4.5 mm."""
    one, two = np.zeros((16, 3, 4), bool), np.zeros((16, 3, 4), bool)
    one[0, 1, 0] = two[0, 1, 2] = two[10, 1, 0] = True
    spacing = (0.5, 0.5, 3.0)

    assert distance(mask_of(one, spacing), mask_of(two, spacing)).value == 3
    two[1, 2, 1] = True
    assert distance(mask_of(one, spacing), mask_of(two, spacing)).value == 0


def test_regions_may_be_far_apart_and_of_one_voxel(mask_of):
    one, two = np.zeros((40, 40, 40), bool), np.zeros((40, 40, 40), bool)
    one[0, 0, 0] = two[30, 0, 39] = True

    apart = distance(mask_of(one), mask_of(two)).value
    assert apart == pytest.approx(np.hypot(30, 39) - 1)


def test_distance_needs_one_grid_with_straight_axes(mask_of):
    one = mask_of(np.ones((3, 4, 5)))
    with pytest.raises(InputError, match="in different places") as caught:
        distance(one, mask_of(np.ones((3, 4, 5)), (1.0, 1.0, 1.5)))
    assert caught.value.code == "grid-mismatch"

    slanted = np.eye(4)
    slanted[1, 2] = np.tan(np.radians(18.5))
    tilted = mask_of(np.ones((3, 4, 5)), affine=slanted)
    with pytest.raises(InputError, match=r"18\.5 degrees off perpendicular") as caught:
        distance(tilted, tilted)
    assert caught.value.code == "slanted-grid"
