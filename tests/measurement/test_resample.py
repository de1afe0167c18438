"""An image on another grid shows the same world."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.measurement.intensity import finite_voxels, mean
from medprompt_cli.measurement.resample import NOTE, resampled


def ramp(grid: Geometry) -> Volume:
    """An image that shows 3 + 2 r - a + s, in mm."""
    places = grid.to_world(np.moveaxis(np.indices(grid.shape), 0, -1))
    return Volume((3 + places @ [2, -1, 1]).astype(np.float32), grid, "CT", "ct.nii.gz")


def test_a_linear_image_stays_linear_on_an_oblique_grid(oblique):
    image = ramp(Geometry((60, 60, 60), np.diag([2.0, 2.0, 3.0, 1.0]) + _at(-60)))
    grid = Geometry((7, 8, 9), oblique)
    found = resampled(image, grid)

    assert np.allclose(found.voxels, ramp(grid).voxels, atol=1e-3)
    assert (found.modality, found.source, found.notes) == ("CT", "ct.nii.gz", (NOTE,))


def test_the_same_grid_gives_the_image_itself():
    image = ramp(Geometry((4, 5, 6), np.eye(4)))

    assert resampled(image, Geometry((4, 5, 6), np.eye(4))) is image


def test_what_was_not_scanned_is_left_out_of_the_mean():
    image = ramp(Geometry((4, 4, 4), np.eye(4)))
    grid = Geometry((4, 4, 8), np.eye(4))
    found = resampled(image, grid)
    mask = Mask("all", np.ones(grid.shape, bool), grid)

    assert np.isnan(found.voxels[:, :, 4:]).all()
    assert finite_voxels(mask, found).value == 64
    assert mean(mask, found).value == pytest.approx(image.voxels.mean())


def _at(mm):
    shift = np.zeros((4, 4))
    shift[:3, 3] = mm
    return shift
