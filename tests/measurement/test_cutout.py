"""Connected pieces are those of another implementation, whatever the mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from medprompt_cli.measurement.cutout import connected_pieces

NEIGHBOURS = {6: (3, 1), 18: (3, 2), 26: (3, 3), 8: (2, 2)}
"""Dimensions, and how many axes a step may change, by connectivity."""


@pytest.mark.parametrize("connectivity", NEIGHBOURS)
@given(data=st.data())
def test_pieces_are_those_of_scipy(connectivity, data):
    dimensions, steps = NEIGHBOURS[connectivity]
    shape = data.draw(array_shapes(min_dims=dimensions, max_dims=dimensions, max_side=12))
    voxels = data.draw(arrays(bool, shape))
    structure = ndimage.generate_binary_structure(dimensions, steps)
    expected = np.empty(shape, np.int32)
    count = ndimage.label(voxels, structure, expected)

    labels, number = connected_pieces(voxels, connectivity)

    assert number == count
    np.testing.assert_array_equal(labels > 0, voxels)
    pairs = {*zip(labels[voxels].tolist(), expected[voxels].tolist(), strict=True)}
    assert len(pairs) == count


def test_the_background_of_one_slice_is_0():
    """What memory held before is not taken for a piece: many masks, one after the other."""
    rng = np.random.default_rng(0)
    for _ in range(2_000):
        voxels = rng.random(rng.integers(3, 24, 2)) < rng.uniform(0.1, 0.9)
        labels, number = connected_pieces(voxels, 8)

        assert not labels[~voxels].any()
        assert labels.max(initial=0) == number
