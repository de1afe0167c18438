"""Moves and their halves, means and inverses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.longitudinal.transforms import (
    about,
    apart_mm,
    centred,
    degrees_turned,
    fraction,
    from_lps,
    half,
    inverse,
    logarithm,
    mean_move,
    moved,
    placed,
    rotation,
    to_lps,
    translation,
    turn_of,
)

VECTORS = arrays(float, 3, elements=st.floats(-60, 60))
RIGID = st.builds(lambda turn, shift: translation(shift) @ turn_of(turn), VECTORS, VECTORS)
SMALL_STRETCH = arrays(float, (3, 3), elements=st.floats(-0.05, 0.05))


@given(RIGID)
def test_half_twice_is_the_whole_and_stays_rigid(move):
    root = half(move)

    np.testing.assert_allclose(root @ root, move, atol=1e-9)
    np.testing.assert_allclose(root[:3, :3] @ root[:3, :3].T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(root, fraction(move, 0.5), atol=1e-7)
    assert degrees_turned(move) == pytest.approx(2 * degrees_turned(root), abs=1e-6)


@given(RIGID, SMALL_STRETCH)
def test_half_of_an_affine_move(move, stretch):
    move = move.copy()
    move[:3, :3] @= np.eye(3) + stretch

    root = half(move)

    np.testing.assert_allclose(root @ root, move, atol=1e-8)


@given(RIGID)
def test_half_of_the_inverse_is_the_inverse_of_half(move):
    np.testing.assert_allclose(half(inverse(move)), inverse(half(move)), atol=1e-9)


@given(RIGID, VECTORS)
def test_half_does_not_depend_on_the_origin(move, origin):
    np.testing.assert_allclose(half(about(origin, move)), about(origin, half(move)), atol=1e-8)


@given(RIGID)
def test_the_mean_of_a_move_and_the_way_back_is_to_stay(move):
    np.testing.assert_allclose(mean_move([move, inverse(move)]), np.eye(4), atol=1e-8)


@given(st.lists(RIGID, min_size=1, max_size=4), RIGID)
def test_centred_moves_have_mean_zero_wherever_they_led(moves, anywhere):
    small = [fraction(move, 0.2) for move in moves]

    found = centred(small)
    other = centred([fraction(anywhere, 0.2) @ move for move in small])

    total = np.sum([logarithm(move) for move in found], axis=0)
    np.testing.assert_allclose(total, 0, atol=1e-8)
    for one, same in zip(found, other, strict=True):
        np.testing.assert_allclose(one, same, atol=1e-6)


def test_ras_and_lps_differ_in_the_sign_of_two_axes():
    move = translation((1, 2, 3)) @ rotation((0, 0, 1), 30) @ rotation((1, 0, 0), 20)
    point = np.array([5.0, -7, 11])

    across = moved(point * (-1, -1, 1), to_lps(move))

    np.testing.assert_allclose(across * (-1, -1, 1), moved(point, move), atol=1e-12)
    np.testing.assert_allclose(from_lps(to_lps(move)), move)


def test_distance_of_a_turn_grows_with_the_radius():
    points = np.array([[0.0, 0, 0], [10, 0, 0], [0, 20, 0]])

    apart = apart_mm(np.eye(4), rotation((0, 0, 1), 60), points)

    np.testing.assert_allclose(apart, [0, 10, 20], atol=1e-9)


def test_a_placed_grid_takes_its_voxels_along():
    grid = Geometry((3, 4, 5), np.diag([2.0, 3, 4, 1]))
    move = translation((1, 2, 3)) @ rotation((1, 1, 0), 40)

    there = placed(grid, move)

    voxel = np.array([1.0, 2, 3])
    np.testing.assert_allclose(there.to_world(voxel), moved(grid.to_world(voxel), move))
