"""Windows, noise and surfaces."""

from __future__ import annotations

import math

import pytest
import torch

from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_model import Lesion, Spot
from medprompt_cli.synthesis.lesion_shapes import (
    reach_of,
    smooth_noise,
    surface,
    ventricle_box,
    window_round,
)

CPU = torch.device("cpu")
GRID = (torch.Size((40, 50, 20)), (1.0, 0.5, 2.0))


def window(reach=30.0, grid=GRID, centre=(0.0, 0.0, 0.0)):
    found = window_round(grid, centre, (reach, reach, reach), CPU)
    assert found is not None
    return found


def level_of(one, where, draw):
    """The surface where there is nothing but air."""
    level = surface(one, where, torch.zeros(where.shape, dtype=torch.uint8), draw)
    assert level is not None
    return level


def lesion(**more):
    spot = Spot(more.pop("home", "white"), (2.0, -1.0, 3.0), (0.6, 0.0, 0.8))
    settings = {"radius_mm": 8.0, "layers": (("ms", 0.0),), "roughness": 0.0} | more
    return Lesion("ms", spot, **settings)


def test_windows_hold_the_voxels_within_reach():
    found = window_round(GRID, (3.0, -4.0, 5.0), (2.0, 1.0, 3.0), CPU)

    assert found is not None
    x, y, z = found.axes
    for axis, centre, reach in zip((x, y, z), (3, -4, 5), (2, 1, 3), strict=True):
        assert float((axis - centre).abs().max()) <= reach
    assert found.shape == (4, 4, 3)
    assert x.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert torch.arange(40)[found.box[0]].sub(19.5).tolist() == x.tolist()


def test_windows_end_with_the_image():
    found = window(reach=1000.0)

    assert found.shape == (40, 50, 20)
    assert window_round(GRID, (26.0, 0.0, 0.0), (5.0, 5.0, 5.0), CPU) is None


def test_coordinates_along_a_direction():
    found = window()

    along = found.along(torch.tensor([0.0, 0.6, 0.8]), (1.0, 2.0, 3.0))

    i, j, k = 7, 11, 13
    y, z = (j - 24.5) * 0.5, (k - 9.5) * 2
    assert float(along[i, j, k]) == pytest.approx(0.6 * (y - 2) + 0.8 * (z - 3), abs=1e-4)


@pytest.mark.parametrize("scale", [4.0, 9.0])
def test_noise_has_its_mean_its_variance_and_its_scale(scale):
    grid = (torch.Size((64, 64, 64)), (1.0, 1.0, 1.0))
    fields = torch.stack([smooth_noise(Draw(s), window(100.0, grid), scale) for s in range(4)])

    assert fields.shape[1:] == (64, 64, 64)
    assert float(fields.mean()) == pytest.approx(0, abs=0.2)
    assert float(fields.std()) == pytest.approx(1, abs=0.15)
    # the integrals of the squared cubic B-spline, and of its squared slope, are known
    slope = math.sqrt((2 / 3) / (151 / 315)) / scale * float(fields.std())
    assert float(fields.diff(dim=1).std()) == pytest.approx(slope, rel=0.15)


def test_noise_does_not_know_the_spacing():
    coarse = smooth_noise(Draw(5), window(8.0, (torch.Size((9, 9, 9)), (2.0,) * 3)), 6.0)
    fine = smooth_noise(Draw(5), window(8.0, (torch.Size((17, 17, 17)), (1.0,) * 3)), 6.0)

    torch.testing.assert_close(fine[::2, ::2, ::2], coarse, rtol=0, atol=1e-4)


@pytest.mark.parametrize("stretch", [(1.0, 1.0), (1.8, 0.8), (0.6, 1.3)])
def test_a_smooth_ellipsoid_has_its_closed_form_volume(stretch):
    grid = (torch.Size((48, 48, 48)), (1.0, 1.0, 1.0))
    found = window(100.0, grid)

    level = level_of(lesion(stretch=stretch), found, Draw(3))

    assert int((level < 0).sum()) == pytest.approx(4 / 3 * math.pi * 8**3, rel=0.03)


def test_a_round_surface_has_distances_for_levels():
    found = window(100.0)

    level = level_of(lesion(), found, Draw(3))

    x, y, z = (axis - at for axis, at in zip(found.axes, (2.0, -1.0, 3.0), strict=True))
    away = (x[:, None, None] ** 2 + y[:, None] ** 2 + z**2).sqrt() - 8
    torch.testing.assert_close(level, away, rtol=0, atol=1e-4)


def test_bumps_change_the_surface_and_not_its_volume():
    grid = (torch.Size((56, 56, 56)), (1.0, 1.0, 1.0))
    found = window(100.0, grid)
    smooth = level_of(lesion(), found, Draw(0)) < 0

    rough = [level_of(lesion(roughness=0.35), found, Draw(s)) < 0 for s in range(24)]

    sizes = torch.tensor([float(r.sum()) for r in rough]) / float(smooth.sum())
    assert float(sizes.mean()) == pytest.approx(1, abs=0.2)
    for one in rough:
        overlap = 2 * float((one & smooth).sum()) / float(one.sum() + smooth.sum())
        assert 0.2 < overlap < 0.97


def test_a_wedge_opens_from_its_tip_to_the_surface():
    grid = (torch.Size((90, 90, 90)), (1.0, 1.0, 1.0))
    found = window(100.0, grid)
    wedge = lesion(form="wedge", sink_mm=20.0, home="cortex")

    level = level_of(wedge, found, Draw(3))

    height = -found.along(torch.tensor(wedge.spot.axis), wedge.middle_mm)
    for at in (10, 15, 20):
        disc = (level < 0) & ((height - at).abs() < 0.5)
        assert int(disc.sum()) == pytest.approx(math.pi * (8 * at / 20) ** 2, rel=0.25)
    assert not ((level < 0) & (height < -0.5)).any()


@pytest.mark.parametrize("form", ["ellipsoid", "wedge"])
@pytest.mark.parametrize("seed", range(4))
def test_the_window_is_large_enough(form, seed):
    """Nothing of an ellipsoid lies outside; of a wedge, nothing this side of the skull."""
    grid = (torch.Size((120, 120, 120)), (1.0, 1.0, 1.0))
    found = window(1000.0, grid)
    one = lesion(
        form=form,
        roughness=0.5,
        stretch=(1.4, 0.7),
        sink_mm=18.0,
        home="cortex",
        radius_mm=12.0,
    )

    inside = level_of(one, found, Draw(seed)) < 0

    if form == "wedge":
        height = -found.along(torch.tensor(one.spot.axis), one.middle_mm)
        inside &= height < one.sink_mm + 3
    held = window_round(grid, *reach_of(one), CPU)
    assert held is not None
    assert inside.any()
    outside = inside.clone()
    outside[held.box] = False
    assert float(outside.sum()) <= 0.01 * float(inside.sum())


def test_a_box_round_the_ventricles(lesion_head):
    box = ventricle_box(lesion_head, (1.0, 1.0, 1.0))

    assert box is not None
    middle, half = box
    assert middle == pytest.approx((0, -2, 6), abs=2.5)
    assert half == pytest.approx((13 + 2, 22 + 2, 7 + 2), abs=3)
    assert ventricle_box(torch.zeros_like(lesion_head), (1.0, 1.0, 1.0)) is None


def test_a_band_needs_ventricles():
    band = lesion(form="band")

    assert surface(band, window(), torch.zeros(GRID[0], dtype=torch.uint8), Draw(1)) is None
