"""One small volume in all 48 orientations reads as the same scan."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from medprompt_cli.bids.nifti import read_volume
from medprompt_cli.domain.geometry import from_canonical, to_canonical

ORIENTATIONS = [
    "".join(code) for axes in permutations(("LR", "PA", "IS")) for code in product(*axes)
]


@pytest.fixture(scope="module")
def upright(shared_data):
    return read_volume(shared_data / "orientation" / "RAS.nii.gz")


@pytest.mark.shared
@pytest.mark.parametrize("code", ORIENTATIONS)
def test_each_orientation_holds_the_same_scan(shared_data, upright, code):
    volume = read_volume(shared_data / "orientation" / f"{code}.nii.gz")

    assert volume.geometry.orientation == code
    turned = to_canonical(volume.voxels, volume.geometry)
    np.testing.assert_array_equal(turned, upright.voxels)
    assert volume.geometry.canonical().matches(upright.geometry)
    np.testing.assert_array_equal(from_canonical(turned, volume.geometry), volume.voxels)


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_each_orientation_survives_the_disk(save_nifti, ramp, code):
    """The same identity without real data: every voxel keeps its place in the world."""
    rows = {"L": -1, "R": 1, "P": -1, "A": 1, "I": -1, "S": 1}
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, letter in enumerate(code):
        world = next(i for i, pair in enumerate(("LR", "PA", "IS")) if letter in pair)
        affine[world, axis] = rows[letter] * (1 + world)
    volume = read_volume(save_nifti(affine=affine))

    assert volume.geometry.orientation == code
    upright = volume.geometry.canonical()
    turned = to_canonical(volume.voxels, volume.geometry)
    voxel = np.array([3, 4, 5])
    there = upright.to_voxel(volume.geometry.to_world(voxel)).round().astype(int)
    assert turned[tuple(there)] == volume.voxels[3, 4, 5]
