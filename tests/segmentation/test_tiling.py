"""Boxes and tiles: every voxel once, and no tile larger than memory allows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.segmentation.tiling import Box, tiles

BOX = Box((2, 3, 4), (5, 9, 6))
sizes = st.integers(1, 40)
triples = st.tuples(sizes, sizes, sizes)


def test_shape_and_size():
    assert BOX.shape == (3, 6, 2)
    assert BOX.size == 36


def test_growing_stops_at_the_edges():
    assert BOX.grown(3, (7, 20, 7)) == Box((0, 0, 1), (7, 12, 7))


def test_a_scaled_box_holds_the_same_voxels_of_a_finer_grid():
    fine = np.zeros((40, 40, 40), bool)
    fine[BOX.scaled((2, 1, 4)).slices()] = True

    assert fine.sum() == BOX.size * 8
    assert fine[::2, :, ::4][BOX.slices()].all()


def test_slices_within_an_outer_box():
    array = np.arange(1000).reshape(10, 10, 10)
    outer = BOX.grown(2, (10, 10, 10))

    np.testing.assert_array_equal(array[outer.slices()][BOX.within(outer)], array[BOX.slices()])


@given(start=st.tuples(*[st.integers(0, 5)] * 3), shape=triples, most=st.integers(1, 40_000))
def test_tiles_cover_a_box_exactly_once(start, shape, most):
    stop = tuple(a + n for a, n in zip(start, shape, strict=True))
    box, limit = Box(start, stop), tuple(n + 3 for n in stop)
    covered = np.zeros(limit, np.uint8)
    expected = np.zeros(limit, np.uint8)
    expected[box.slices()] = 1

    for tile, haloed in tiles(box, 3, limit, most):
        covered[tile.slices()] += 1
        assert haloed == tile.grown(3, limit)

    np.testing.assert_array_equal(covered, expected)


@given(shape=triples, halo=st.integers(0, 5), most=st.integers(1, 40_000))
def test_tiles_fit_unless_they_are_mostly_halo_already(shape, halo, most):
    for tile, haloed in tiles(Box((0, 0, 0), shape), halo, shape, most):
        assert haloed.size <= most or max(tile.shape) <= 2 * halo + 2


@pytest.mark.parametrize(("most", "count"), [(26**3, 1), (26**3 - 1, 2), (16 * 16 * 16, 8)])
def test_no_more_tiles_than_needed(most, count):
    found = list(tiles(Box((0, 0, 0), (20, 20, 20)), 3, (20, 20, 20), most))

    assert len(found) == count
    assert len({math.prod(tile.shape) for tile, _ in found}) == 1
