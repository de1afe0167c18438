"""Solids are measured as their formulas say, on every grid and in every orientation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.measurement.diameters import (
    DIRECTIONS,
    bidimensional,
    in_plane_diameters,
    max_diameter,
    width,
)
from medprompt_cli.measurement.intensity import finite_voxels, mean, percentile, std
from medprompt_cli.measurement.place import (
    bounding_box,
    centroid,
    count,
    distance,
    soft_volume,
    volume,
)
from medprompt_cli.measurement.surface import sphericity, surface_area

SPACINGS = pytest.mark.parametrize(
    "spacing",
    [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (0.5, 0.5, 3.0)],
    ids=["1mm", "half", "thick-slices"],
)


def number(measurement: Measurement) -> float:
    assert measurement.value is not None
    return measurement.value


@SPACINGS
def test_volume_and_surface_are_those_of_the_formula(phantom, spacing):
    mask = phantom.draw(spacing)

    assert volume(mask).value == pytest.approx(phantom.volume / 1000, rel=0.02)
    assert surface_area(mask).value == pytest.approx(phantom.surface, rel=0.03)


@SPACINGS
@pytest.mark.parametrize(
    ("name", "sizes"), [("ball", (14,)), ("ellipsoid", (20, 15, 12)), ("shell", (17, 9))]
)
def test_where_the_grid_lies_matters_little(solids, name, sizes, spacing):
    solid = solids[name](*sizes)
    for offset in np.random.default_rng(5).uniform(-0.5, 0.5, (3, 3)):
        mask = solid.draw(spacing, offset)

        assert volume(mask).value == pytest.approx(solid.volume / 1000, rel=0.02)
        assert surface_area(mask).value == pytest.approx(solid.surface, rel=0.03)


@SPACINGS
def test_diameters_are_right_within_a_voxel(phantom, spacing):
    mask = phantom.draw(spacing)
    found = in_plane_diameters(mask)

    assert found is not None
    assert max_diameter(mask).value == pytest.approx(phantom.diameter, abs=max(spacing))
    assert found.longest_mm == pytest.approx(phantom.in_plane[0], abs=spacing[0])
    assert found.perpendicular_mm == pytest.approx(phantom.in_plane[1], abs=spacing[0])
    assert bidimensional(mask).value == found.longest_mm * found.perpendicular_mm
    for axis, direction in enumerate(DIRECTIONS):
        extent = pytest.approx(2 * phantom.half[axis], abs=spacing[axis])
        assert width(mask, direction).value == extent


@SPACINGS
def test_the_middle_is_in_the_middle(phantom, spacing):
    mask = phantom.draw(spacing, (0.25, 0.5, -0.25))

    assert [m.value for m in centroid(mask)] == pytest.approx([0, 0, 0], abs=spacing[2] / 2)
    ends = [number(m) for m in bounding_box(mask)]
    for axis in range(3):
        extent = pytest.approx(2 * phantom.half[axis], abs=spacing[axis])
        assert ends[2 * axis + 1] - ends[2 * axis] == extent


def test_a_ball_is_round_and_a_box_is_not(solids):
    assert number(sphericity(solids["ball"](14).draw((1.0, 1.0, 1.0)))) > 0.98
    cube = number(sphericity(solids["box"](24, 24, 24).draw((1.0, 1.0, 1.0))))
    assert cube == pytest.approx((math.pi / 6) ** (1 / 3), rel=0.01)


def everything(mask: Mask, other: Mask, image: Volume) -> list[Measurement]:
    """Every measurement there is of two masks and an image."""
    found = [volume(mask), surface_area(mask), sphericity(mask), max_diameter(mask)]
    found += [bidimensional(mask), count(mask), distance(mask, other)]
    found += [width(mask, direction) for direction in DIRECTIONS]
    found += [*centroid(mask), *bounding_box(mask), finite_voxels(mask, image)]
    found += [mean(mask, image), std(mask, image), percentile(mask, image, 30)]
    return [*found, soft_volume("soft", Volume(image.voxels % 1, image.geometry))]


def awkward_case(affine: np.ndarray) -> tuple[Mask, Mask, Volume]:
    """Blobs of many shapes, small and large, some at the border; and noise."""
    random = np.random.default_rng(11)
    shape = (13, 9, 11)
    noise = random.normal(size=shape)
    for axis in range(3):
        noise = noise + np.roll(noise, 1, axis) + np.roll(noise, 2, axis)
    grid = Geometry(shape, affine)
    image = random.normal(100, 20, shape).astype(np.float32)
    return (
        Mask("one", noise > 5, grid),
        Mask("other", noise < -9, grid),
        Volume(image, grid),
    )


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 3.0), (2.0, 0.75, 1.0)])
def test_48_orientations_give_the_same_bits(every_way, spacing):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-20.0, 14.5, 8.25)
    mask, other, image = awkward_case(affine)
    expected = everything(mask, other, image)
    assert all(m.status == "measured" for m in expected)

    ways = (every_way(x.voxels, x.geometry) for x in (mask, other, image))
    seen = 0
    for one, two, shown in zip(*ways, strict=True):
        found = everything(Mask("one", *one), Mask("other", *two), Volume(*shown))
        assert found == expected
        seen += 1
    assert seen == 48


def test_48_orientations_of_an_oblique_grid_give_the_same_bits(every_way, oblique):
    mask, other, image = awkward_case(oblique)
    expected = everything(mask, other, image)
    ways = (every_way(x.voxels, x.geometry) for x in (mask, other, image))

    for one, two, shown in zip(*ways, strict=True):
        found = everything(Mask("one", *one), Mask("other", *two), Volume(*shown))
        for got, wanted in zip(found, expected, strict=True):
            if got.quantity.startswith(("centroid", "box")):  # the origin itself is rounded
                assert got.value == pytest.approx(wanted.value, abs=1e-10)
            else:
                assert got == wanted


def test_a_turned_head_has_the_same_size(solids, oblique):
    straight = solids["ellipsoid"](20, 15, 12).draw((0.8, 1.1, 1.5))
    turned = Mask("phantom", straight.voxels, Geometry(straight.voxels.shape, oblique))

    for measure in (volume, surface_area, sphericity, max_diameter, bidimensional):
        assert measure(turned).value == pytest.approx(measure(straight).value, rel=1e-6)


def test_a_slanted_grid_is_measured_in_the_world(solids):
    """A tilted gantry: slices are shifted against each other, by 0.3 mm a mm."""
    spacing = (0.5, 0.5, 2.0)
    affine = np.diag([*spacing, 1.0])
    affine[1, 2] = 0.3 * spacing[2]
    shape = (80, 100, 24)
    at = np.einsum("ij,jabc->iabc", affine[:3, :3], np.indices(shape).astype(float))
    middle = affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    ball = solids["ball"](15)
    mask = Mask(
        "ball", ball.inside(*(at - middle[:, None, None, None])), Geometry(shape, affine)
    )

    assert volume(mask).value == pytest.approx(ball.volume / 1000, rel=0.02)
    assert surface_area(mask).value == pytest.approx(ball.surface, rel=0.03)
    assert max_diameter(mask).value == pytest.approx(30, abs=2.2)
    assert [m.value for m in centroid(mask)] == pytest.approx(middle, abs=0.2)
