"""Instances: none lost, none merged, and always in one order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.domain.volume import Mask
from medprompt_cli.measurement.instances import find_instances, instance_masks
from medprompt_cli.measurement.place import centroid, count

ARRAYS = st.lists(st.booleans(), min_size=60, max_size=60).map(
    lambda voxels: np.reshape(voxels, (3, 4, 5))
)


def test_the_largest_comes_first_and_ties_go_by_place(mask_of):
    voxels = np.zeros((12, 12, 12), bool)
    for corner in [(8, 1, 1), (1, 8, 1), (1, 1, 8), (1, 1, 1)]:
        voxels[corner] = True
    voxels[5:7, 5, 5] = True
    found = find_instances(mask_of(voxels, region="ms-lesion"))

    assert found.names == {n: f"ms-lesion-{n}" for n in range(1, 6)}
    places = [[m.value for m in centroid(mask)] for mask in instance_masks(found)]
    assert places == [[5.5, 5, 5], [1, 1, 1], [1, 1, 8], [1, 8, 1], [8, 1, 1]]


@pytest.mark.parametrize("step", [(0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 0, -1)])
def test_voxels_that_share_a_corner_are_one(mask_of, step):
    voxels = np.zeros((5, 5, 5), bool)
    voxels[2, 2, 2] = voxels[tuple(2 + np.array(step))] = True
    apart = np.zeros((5, 5, 5), bool)
    apart[0, 0, 2] = apart[tuple(2 * np.abs(step) + [0, 0, 2 * (step[2] == 0)])] = True

    assert count(mask_of(voxels)).value == len(find_instances(mask_of(voxels)).names) == 1


def test_an_empty_mask_has_none(mask_of):
    found = find_instances(mask_of(np.zeros((3, 4, 5))))

    assert found.names == {}
    assert list(instance_masks(found)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 5, 1), (7, 1, 1), (1, 1, 1)])
def test_a_single_row_of_voxels_is_no_trap(mask_of, shape):
    row = np.arange(np.prod(shape)).reshape(shape) % 2 == 0

    assert count(mask_of(row)).value == (np.prod(shape) + 1) // 2


@given(voxels=ARRAYS)
def test_instances_are_the_mask_cut_in_pieces(mask_of, voxels):
    mask = mask_of(voxels)
    found = find_instances(mask)
    pieces = list(instance_masks(found))

    assert np.array_equal(found.voxels > 0, voxels)
    assert len(pieces) == count(mask).value
    sizes = [np.count_nonzero(piece.voxels) for piece in pieces]
    assert sizes == sorted(sizes, reverse=True)
    assert all(count(piece).value == 1 for piece in pieces)


def test_numbers_do_not_depend_on_how_the_file_is_stored(mask_of, every_way):
    mask = mask_of(np.random.default_rng(2).random((9, 8, 7)) > 0.93)
    expected = find_instances(mask).voxels

    for voxels, geometry in every_way(mask.voxels, mask.geometry):
        found = find_instances(Mask("region", voxels, geometry))
        assert np.array_equal(to_canonical(found.voxels, geometry), expected)


def test_more_instances_than_a_byte_counts(mask_of):
    voxels = np.zeros((40, 40, 3), bool)
    voxels[::2, ::2, 1] = True

    assert len(find_instances(mask_of(voxels)).names) == 400
    assert find_instances(mask_of(voxels)).voxels.max() == 400
