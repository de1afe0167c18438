"""The error of counting voxels, against bodies whose volume is known."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask
from medprompt_cli.measurement.counting import counting_sd_ml


def ellipsoid(radii, spacing, random):
    """An ellipsoid anywhere on a grid, turned any way."""
    i, j, k = (int(44 / step) for step in spacing)
    shape = (i, j, k)
    axes = [
        (np.arange(n) - n / 2 + random.uniform(-0.5, 0.5)) * step
        for n, step in zip(shape, spacing, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    inside = ((points @ turn / np.array(radii)) ** 2).sum(axis=-1) < 1
    return Mask("ball", inside, Geometry(shape, np.diag([*spacing, 1.0])))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 4.0)])
@pytest.mark.parametrize("radii", [(4.0, 4.0, 4.0), (9.0, 9.0, 9.0), (5.0, 5.0, 18.0)])
def test_95_percent_of_volumes_and_more_are_within(spacing, radii):
    random = np.random.default_rng(0)
    true = 4 / 3 * np.pi * np.prod(radii) / 1000
    masks = [ellipsoid(radii, spacing, random) for _ in range(60)]
    errors = [m.voxels.sum() * m.geometry.voxel_volume_mm3 / 1000 - true for m in masks]
    told = [counting_sd_ml(mask) for mask in masks]

    assert np.mean(np.abs(errors) <= 1.96 * np.array(told)) >= 0.95
    assert np.mean(told) < 12 * np.std(errors)  # wide where a ball is a whole number of slices


def test_it_does_not_depend_on_how_axes_are_stored():
    mask = ellipsoid((4.0, 6.0, 9.0), (1.0, 1.0, 3.0), np.random.default_rng(1))
    affine = mask.geometry.affine[:, [2, 0, 1, 3]]
    turned = np.moveaxis(mask.voxels, 2, 0)
    other = Mask("ball", turned, Geometry(turned.shape, affine))

    assert counting_sd_ml(other) == pytest.approx(counting_sd_ml(mask))


def test_one_voxel_and_none():
    voxels = np.zeros((3, 3, 3), bool)
    grid = Geometry((3, 3, 3), np.diag([10.0, 10.0, 10.0, 1.0]))
    assert counting_sd_ml(Mask("none", voxels, grid)) == 0
    voxels[1, 1, 1] = True
    assert counting_sd_ml(Mask("one", voxels, grid)) == pytest.approx(np.sqrt(3 * 3 / 12))
