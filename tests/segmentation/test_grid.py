"""From an image on its own grid to what the network reads."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import torch

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.segmentation.grid import (
    HEAD_MARGIN,
    bounding_box,
    head_box,
    network_grid,
    pad_to_cells,
)
from medprompt_cli.segmentation.tiling import Box

CPU = torch.device("cpu")
ORIENTATIONS = list(product(permutations(range(3)), product((1, -1), repeat=3)))


@pytest.fixture
def scan():
    noise = np.random.default_rng(3).random((9, 14, 5), np.float32)
    affine = np.diag([1.0, 1.2, 4.0, 1.0])
    affine[:3, 3] = (-5, 7, 11)
    return Volume(noise, Geometry(noise.shape, affine))


def turn(volume, order, signs):
    """The same image, stored along other axes: the world does not move."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    voxels = volume.voxels.transpose(order)
    for axis, (source, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[source, axis] = sign
        if sign < 0:
            matrix[source, 3] = voxels.shape[axis] - 1
            voxels = np.flip(voxels, axis)
    geometry = Geometry(voxels.shape, volume.geometry.affine @ matrix)
    return Volume(np.asfortranarray(voxels), geometry)


def test_there_are_48_orientations(scan):
    codes = {turn(scan, *how).geometry.orientation for how in ORIENTATIONS}

    assert len(codes) == 48


def test_every_orientation_gives_the_network_the_same_image(scan):
    straight = network_grid(scan)
    for order, signs in ORIENTATIONS:
        grid = network_grid(turn(scan, order, signs))

        assert torch.equal(grid.image, straight.image)
        assert grid.levels == straight.levels
        assert grid.shape == straight.shape == (9, 14, 5)


def test_padding_is_zero_at_the_far_ends_up_to_whole_core_voxels(scan):
    grid = network_grid(scan)

    assert tuple(grid.image.shape) == (12, 16, 5)
    assert [level.index for level in grid.core] == [2, 3, 4, 5]
    assert not grid.image[9:].any()
    assert not grid.image[:, 14:].any()
    assert grid.image[:9, :14].min() == 0
    assert 1 <= grid.image.max() <= 1.5


def test_the_image_is_left_as_it_was(scan):
    before = scan.voxels.copy()

    network_grid(scan)

    np.testing.assert_array_equal(scan.voxels, before)


def test_ct_is_seen_through_a_window_of_soft_tissue():
    hounsfield = np.full((8, 8, 8), -1000, np.float32)
    hounsfield[2:6, 2:6, 2:6] = 40
    hounsfield[2, 2:6, 2:6] = 1500
    hounsfield[5, 2:6, 2:6] = 0
    geometry = Geometry((8, 8, 8), np.diag([2.0, 2.0, 2.0, 1.0]))

    seen = network_grid(Volume(hounsfield, geometry, "CT")).image

    line = seen[:, 4, 4].tolist()
    assert line == pytest.approx([0, 0, 1, 0.5, 0.5, 0.1, 0, 0], abs=1e-6)


def test_image_at_a_level_is_the_mean_of_native_voxels(scan):
    grid = network_grid(scan)
    core = grid.core[0]
    assert core.factors == (4, 4, 1)

    coarse = grid.image_at(core, Box((1, 1, 2), (3, 4, 4)), CPU)

    blocks = grid.image.reshape(3, 4, 4, 4, 5).mean(dim=(1, 3))
    torch.testing.assert_close(coarse, blocks[None, None, 1:3, 1:4, 2:4])
    native = grid.image_at(grid.levels[0], Box((0, 3, 1), (4, 5, 2)), CPU)
    assert torch.equal(native[0, 0], grid.image[0:4, 3:5, 1:2])


def test_head_box_holds_the_bright_and_a_margin():
    coarse = torch.zeros(20, 20, 20)
    coarse[8:12, 6, 9] = 1.0

    box = head_box(coarse)

    assert box == Box((5, 3, 6), (15, 10, 13))
    assert box == Box((8, 6, 9), (12, 7, 10)).grown(HEAD_MARGIN, (20, 20, 20))


def test_a_dark_image_is_all_head():
    assert head_box(torch.zeros(4, 5, 6)) == Box((0, 0, 0), (4, 5, 6))


def test_bounding_box_of_nothing():
    assert bounding_box(torch.zeros(4, 5, 6, dtype=torch.bool), 2) is None


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 5.0), (4.0, 4.0, 4.0)])
def test_padding_to_cells_divides_by_all_pooling(spacing):
    levels = tuple(level for level in plan_levels(spacing) if level.index >= 2)
    image = torch.ones(1, 1, 11, 9, 10)

    padded = pad_to_cells(image, levels)

    cells = [b // a for a, b in zip(levels[0].factors, levels[-1].factors, strict=True)]
    assert [n % c for n, c in zip(padded.shape[2:], cells, strict=True)] == [0, 0, 0]
    assert all(
        0 <= n - m < c for n, m, c in zip(padded.shape[2:], (11, 9, 10), cells, strict=True)
    )
    assert torch.equal(padded[:, :, :11, :9, :10], image)
    assert padded.sum() == image.sum()
