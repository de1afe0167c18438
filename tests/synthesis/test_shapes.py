import math

import numpy as np
import pytest

from medprompt_cli.synthesis.shapes import (
    Ripples,
    blend,
    box_of,
    carve,
    ellipsoid,
    inside_box,
    tube,
)


@pytest.fixture
def grid():
    axis = np.arange(-20, 21, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)


def test_the_distance_to_a_ball_is_exact(grid):
    found = ellipsoid(grid, (1, 2, 3), (8, 8, 8))

    expected = np.linalg.norm(grid - np.array([[1], [2], [3]]), axis=0) - 8
    away = expected > -7.9  # the centre has no direction
    np.testing.assert_allclose(found[away], expected[away], atol=1e-3)


def test_an_ellipsoid_holds_its_closed_form_volume(grid):
    inside = ellipsoid(grid, (0, 0, 0), (6, 9, 12), yaw=30) < 0

    assert inside.sum() == pytest.approx(4 / 3 * math.pi * 6 * 9 * 12, rel=0.01)


def test_a_quarter_turn_swaps_the_half_axes(grid):
    turned = ellipsoid(grid, (0, 0, 0), (5, 11, 7), yaw=90) < 0
    swapped = ellipsoid(grid, (0, 0, 0), (11, 5, 7)) < -1e-4

    assert (turned & ~swapped).sum() <= 0.02 * swapped.sum()
    assert (swapped & ~turned).sum() == 0


def test_yaw_turns_counter_clockwise_seen_from_above():
    ahead = ellipsoid(np.array([[-5.0], [8.0], [0.0]], np.float32), (0, 0, 0), (2, 12, 2), 30)
    mirrored = ellipsoid(np.array([[5.0], [8.0], [0.0]], np.float32), (0, 0, 0), (2, 12, 2), 30)

    assert ahead[0] < 0 < mirrored[0]


def test_a_straight_tube_is_a_cylinder_with_round_ends(grid):
    found = tube(grid, [(0, 0, -8, 4), (0, 0, 8, 4)])

    beyond = np.maximum(np.abs(grid[2]) - 8, 0)
    expected = np.sqrt(grid[0] ** 2 + grid[1] ** 2 + beyond**2) - 4
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_blending_adds_at_the_seam_only():
    first = np.array([-3.0, 0.0, 5.0, 5.0])
    second = np.array([9.0, 0.0, 5.0, -2.0])

    assert blend(first, second, 4).tolist() == [-3, -1, 4, -2]
    assert carve(first, second, 4).tolist() == [9, 1, 6, 5]


def test_what_is_inside_a_tube_is_inside_its_box(grid):
    nodes = [(3, 4, 5, 2), (-6, 0, 2, 5), (-6, -9, 2, 1)]

    inside = np.flatnonzero(tube(grid, nodes) < 0)

    assert set(inside) <= set(inside_box(grid, *box_of(nodes, 0)))


def test_the_sheets_of_one_wave_are_half_a_wavelength_apart():
    ripples = Ripples(np.random.default_rng(0), wavelength=20, count=1)
    direction = ripples.waves[0] / np.linalg.norm(ripples.waves[0])
    line = direction[:, None] * np.linspace(0, 200, 8001, dtype=np.float32)

    crossings = np.flatnonzero(np.diff(np.sign(ripples(line))))

    assert np.diff(crossings) * 0.025 == pytest.approx(10, abs=0.05)


def test_distance_to_a_sheet_is_right_near_it():
    ripples = Ripples(np.random.default_rng(3), wavelength=24, count=1)
    direction = ripples.waves[0] / np.linalg.norm(ripples.waves[0])
    line = direction[:, None] * np.linspace(0, 24, 2401, dtype=np.float32)
    sheets = np.linspace(0, 24, 2401)[np.flatnonzero(np.diff(np.sign(ripples(line))))]
    apart = np.abs(np.linspace(0, 24, 2401)[:, None] - sheets).min(axis=1)

    near = apart < 3

    np.testing.assert_allclose(
        ripples.sheet_distance(line)[near], apart[near], rtol=0.3, atol=0.02
    )
