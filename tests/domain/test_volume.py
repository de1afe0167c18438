"""Images, masks and label maps fit their grid, or are not made."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
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
