"""Regions put together and taken apart; what is unknown stays unknown."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution import combining
from medprompt_cli.execution.values import Image, Region, Status, Visit

GRID = Geometry((20, 20, 20), np.diag([-1.0, 1.0, 2.0, 1.0]))
IMAGE = Image("T1w", Visit(None, 0), lambda: Volume(np.zeros(GRID.shape), GRID), "a.nii")


def of(found: Region) -> np.ndarray:
    """Its voxels, which are there."""
    if found.voxels is None:
        raise AssertionError(found.status)
    return found.voxels


def region(name, *boxes, status: Status = "measured"):
    if not boxes:
        return Region(name, (IMAGE,), GRID, None, status)
    voxels = np.zeros(GRID.shape, bool)
    for box in boxes:
        voxels[box] = True
    return Region(name, (IMAGE,), GRID, voxels, status)


A = region("a", np.s_[2:6, 2:6, 2:6])
B = region("b", np.s_[4:8, 2:6, 2:6])
ABSENT = region("c", status="absent")
UNSEEN = region("d", status="not_visible")


def test_union_intersection_and_difference_are_those_of_sets():
    both, shared, rest = (
        f(A, B) for f in (combining.union, combining.intersect, combining.subtract)
    )

    assert np.array_equal(of(both), of(A) | of(B))
    assert np.array_equal(of(shared), of(A) & of(B))
    assert np.array_equal(of(rest), of(A) & ~of(B))
    assert (both.name, shared.name, rest.name) == ("a or b", "a in b", "a without b")
    assert {both.status, shared.status, rest.status} == {"measured"}


def test_what_is_absent_adds_nothing_and_takes_nothing_away():
    assert np.array_equal(of(combining.union(A, ABSENT)), of(A))
    assert np.array_equal(of(combining.union(ABSENT, A)), of(A))
    assert np.array_equal(of(combining.subtract(A, ABSENT)), of(A))
    assert combining.intersect(A, ABSENT).status == "absent"
    assert combining.union(ABSENT, ABSENT).status == "absent"
    assert combining.subtract(ABSENT, A).status == "absent"


@pytest.mark.parametrize(
    "operation", [combining.union, combining.intersect, combining.subtract]
)
def test_what_cannot_be_seen_makes_the_result_unknown(operation):
    for pair in ((A, UNSEEN), (UNSEEN, A)):
        found = operation(*pair)
        assert (found.voxels, found.status) == (None, "not_visible")


def test_nothing_left_is_absent():
    assert combining.subtract(A, A).status == "absent"
    assert combining.subtract(A, A).empty


def test_a_rim_is_a_shell_of_its_width_in_mm():
    found = combining.rim(region("p", np.s_[10, 10, 10]), 2.0)

    at = np.argwhere(of(found)) - 10
    away = np.linalg.norm(at * GRID.spacing, axis=1)
    assert away.min() > 0
    assert away.max() <= 2
    assert len(at) == 14  # the points of a grid of 1 x 1 x 2 mm within 2 mm, less the middle


def test_instances_come_largest_first_and_diagonal_neighbours_are_one():
    scattered = region("m", np.s_[0, 0, 0], np.s_[1, 1, 1], np.s_[5:8, 5, 5], np.s_[15, 15, 15])

    found = combining.instances(scattered)

    assert [int(of(part).sum()) for part in found.parts] == [3, 2, 1]
    assert [part.name for part in found.parts] == ["m 1", "m 2", "m 3"]
    assert np.array_equal(of(found.union()), of(scattered))


def test_of_an_absent_region_there_are_no_instances_and_of_an_unseen_one_nothing_is_known():
    none, unknown = combining.instances(ABSENT), combining.instances(UNSEEN)

    assert (none.parts, none.status, none.union().status) == ((), "measured", "absent")
    assert (unknown.parts, unknown.status) == ((), "not_visible")
    assert unknown.union().status == "not_visible"
    assert combining.by_size(none, largest=True).status == "absent"
    assert combining.by_size(unknown, largest=True).status == "not_visible"


def test_the_largest_the_smallest_and_the_nearest():
    found = combining.instances(
        region("m", np.s_[0, 0, 0], np.s_[5:8, 5, 5], np.s_[15, 15, 15:17])
    )

    assert of(combining.by_size(found, largest=True))[6, 5, 5]
    assert of(combining.by_size(found, largest=False))[0, 0, 0]
    assert of(combining.nearest(found, region("r", np.s_[15, 10, 15])))[15, 15, 15]
    assert combining.nearest(found, ABSENT).status == "absent"


def test_instances_within_a_region_lie_in_it_or_touch_it():
    wall = region("wall", np.s_[10:, :, :])
    found = combining.instances(region("m", np.s_[8, 5, 5], np.s_[12, 5, 5], np.s_[2, 5, 5]))

    kept = combining.within(found, wall)

    assert [tuple(np.argwhere(of(part))[0]) for part in kept.parts] == [
        (8, 5, 5),
        (12, 5, 5),
    ]
    assert combining.within(found, ABSENT).parts == ()
    assert combining.within(found, UNSEEN).status == "not_visible"


def test_sides_are_those_of_the_hemispheres_not_of_the_grid():
    """World x grows towards the right and falls along the first axis; the brain lies off
    the middle of the grid."""
    hemispheres = region("left", np.s_[6:9, :, :]), region("right", np.s_[2:5, :, :])
    found = region("m", np.s_[3, 5, 5], np.s_[7:9, 5, 5])

    left = combining.side(found, "left", hemispheres)
    right = combining.on_side(combining.instances(found), "right", hemispheres)

    assert [tuple(at) for at in np.argwhere(of(left))] == [(7, 5, 5), (8, 5, 5)]
    assert [tuple(np.argwhere(of(part))[0]) for part in right.parts] == [(3, 5, 5)]


def test_without_a_brain_sides_are_not_made_up():
    nothing = ABSENT, ABSENT

    assert combining.side(A, "left", nothing).status == "failed_qc"
    assert combining.on_side(combining.instances(A), "left", nothing).status == "failed_qc"
