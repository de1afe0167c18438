"""Images, masks and label maps fit their grid, or are not made."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume, check_one_grid
from medprompt_cli.errors import InputError

GRID = Geometry((3, 4, 5), np.eye(4))


def build(kind, voxels):
    if kind is Volume:
        return Volume(voxels, GRID)
    if kind is Mask:
        return Mask("csf", voxels, GRID)
    return LabelMap(voxels, GRID, {24: "csf"})


@pytest.mark.parametrize("kind", [Volume, Mask, LabelMap])
def test_voxels_of_the_grids_shape_are_kept_as_they_are(kind):
    voxels = np.zeros((3, 4, 5))

    assert build(kind, voxels).voxels is voxels


@pytest.mark.parametrize("kind", [Volume, Mask, LabelMap])
@pytest.mark.parametrize("shape", [(3, 4), (4, 3, 5), (3, 4, 5, 1)])
def test_voxels_of_another_shape_are_refused(kind, shape):
    with pytest.raises(InputError, match="do not fit") as caught:
        build(kind, np.zeros(shape))

    assert str(caught.value) == f"Voxels of shape {shape} do not fit a grid of (3, 4, 5)."
    assert caught.value.remedy == "Give voxels and geometry of one and the same image."
    assert caught.value.code == "shape-mismatch"


def test_a_label_map_can_be_narrowed_to_some_regions():
    voxels = np.zeros((3, 4, 5), np.uint16)
    voxels[0], voxels[1] = 1028, 24
    whole = LabelMap(voxels, GRID, {24: "csf", 1028: "left-superior-frontal"})
    narrow = whole.only({"left-superior-frontal", "brainstem"})

    assert narrow.names == {1028: "left-superior-frontal"}
    assert narrow.voxels.dtype == np.uint16
    assert np.array_equal(narrow.voxels, np.where(voxels == 1028, 1028, 0))
    assert whole.only({"csf", "left-superior-frontal"}) is whole
    assert not whole.only(()).voxels.any()


def test_a_case_has_at_least_one_image():
    with pytest.raises(InputError, match="without any image") as caught:
        check_one_grid([])

    assert caught.value.code == "no-images"


def test_rounding_does_not_make_two_grids_of_one():
    nearly = Geometry((3, 4, 5), np.diag([1.0, 1.0, 1.0 + 1e-5, 1.0]))
    voxels = np.zeros((3, 4, 5))

    check_one_grid([Volume(voxels, GRID), Volume(voxels, nearly)])
