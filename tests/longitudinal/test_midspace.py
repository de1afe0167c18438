"""The space between several visits, whatever their order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal import midspace
from medprompt_cli.longitudinal.midspace import (
    find_midspace,
    in_midspace,
    mid_grid,
    ring,
    solve,
)
from medprompt_cli.longitudinal.registration import Check, Registration
from medprompt_cli.longitudinal.transforms import (
    apart_mm,
    half,
    inverse,
    logarithm,
    mean_move,
    moved,
    translation,
    turn_of,
)

GOOD = Check(0.99, 1.3, 1.02, 0.005, 1.03, 0.1)
POINTS = np.array([[x, y, z] for x in (-60, 60) for y in (-80, 60) for z in (-50, 70)], float)


def share(visits) -> Any:
    """The mid-space; what a test expects of it is there, or it fails."""
    return find_midspace(visits)


def poses(count, seed, degrees=6.0, mm=8.0):
    """From one world to that of each visit."""
    random = np.random.default_rng(seed)
    return [
        translation(random.normal(0, mm, 3)) @ turn_of(random.normal(0, degrees, 3))
        for _ in range(count)
    ]


def between(worlds, pairs):
    return {(a, b): worlds[b] @ inverse(worlds[a]) for a, b in pairs}


@given(st.integers(2, 12), st.integers(0, 1000))
@settings(max_examples=15)
def test_moves_that_agree_are_kept_and_centred(count, seed):
    moves = between(poses(count, seed), ring(count))

    found = solve(moves, range(count))

    for (a, b), move in moves.items():
        np.testing.assert_allclose(inverse(found[b]) @ found[a], move, atol=1e-6)
    total = np.sum([logarithm(found[n]) for n in range(count)], axis=0)
    np.testing.assert_allclose(total, 0, atol=1e-8)


def test_two_visits_meet_half_way():
    (move,) = between(poses(2, 3), [(0, 1)]).values()

    found = solve({(0, 1): move}, [0, 1])

    np.testing.assert_allclose(found[0], half(move), atol=1e-8)
    np.testing.assert_allclose(found[1], inverse(half(move)), atol=1e-8)


@given(st.integers(3, 8), st.integers(0, 1000))
@settings(max_examples=10)
def test_reversed_visits_give_the_mirrored_result(count, seed):
    """With pairs that do not quite agree, as measured ones do not."""
    moves = {
        pair: poses(1, seed + n, 0.2, 0.3)[0] @ move
        for n, (pair, move) in enumerate(between(poses(count, seed), ring(count)).items())
    }
    last = count - 1
    mirrored = {(last - b, last - a): inverse(move) for (a, b), move in moves.items()}

    found = solve(moves, list(range(count)))
    other = solve(dict(sorted(mirrored.items())), list(range(count)))

    for n in range(count):
        assert apart_mm(found[n], other[last - n], POINTS).max() < 0.01


def test_what_does_not_agree_is_spread_over_the_ring():
    """Three visits that lie alike, and pairs that err by 3 mm in all: 1 mm each."""
    moves = {(0, 1): translation((3, 0, 0)), (1, 2): np.eye(4), (0, 2): np.eye(4)}

    found = solve(moves, [0, 1, 2])

    assert [round(float(found[n][0, 3]), 6) for n in range(3)] == [1.0, -1.0, 0.0]


def registered(worlds, failing=()):
    """A stand-in for registering images: visits are numbers, some pairs fail."""

    def register(first, second, *, affine):
        pair = tuple(sorted((first.number, second.number)))
        if pair in failing or first.number in failing or second.number in failing:
            return Registration(None, GOOD, "It does not stand out.")
        move = worlds[second.number] @ inverse(worlds[first.number])
        return Registration(move, GOOD, None)

    return register


@pytest.fixture
def simulate(monkeypatch):
    """Find the mid-space of visits whose registrations are made up."""

    def run(count, register):
        def prepare(number, brain):
            return SimpleNamespace(number=number, levels=[SimpleNamespace(points=POINTS)])

        monkeypatch.setattr(midspace, "prepare", prepare)
        monkeypatch.setattr(midspace, "register_prepared", register)
        return share(range(count))

    return run


def test_a_pair_that_failed_is_gone_around(simulate):
    worlds = poses(4, 8)

    found = simulate(4, registered(worlds, failing={(1, 2)}))

    assert found.failure is None
    expected = worlds[2] @ inverse(worlds[1])
    np.testing.assert_allclose(found.between(1, 2), expected, atol=1e-6)
    assert found.pairs[1, 2].first_to_second is None


def test_a_ring_broken_twice_is_mended_by_other_pairs(simulate):
    worlds = poses(4, 8)

    found = simulate(4, registered(worlds, failing={(0, 1), (2, 3)}))

    assert {(0, 2), (1, 3)} <= set(found.pairs)
    expected = worlds[3] @ inverse(worlds[0])
    np.testing.assert_allclose(found.between(0, 3), expected, atol=1e-6)


def test_a_visit_that_matches_none_is_left_out(simulate):
    found = simulate(4, registered(poses(4, 8), failing={2}))

    assert [move is None for move in found.to_mid] == [False, False, True, False]
    assert found.between(1, 2) is None
    total = np.sum([logarithm(move) for move in found.to_mid if move is not None], axis=0)
    np.testing.assert_allclose(total, 0, atol=1e-8)


def test_nothing_is_used_where_nothing_matches(simulate):
    found = simulate(2, registered(poses(2, 8), failing={0}))

    assert found.to_mid == (None, None)
    assert found.failure == "No visit could be registered with another."


def test_a_ring_that_does_not_close_is_not_used(simulate):
    good = registered(poses(3, 8))

    def one_wrong(first, second, *, affine):
        found = good(first, second, affine=affine)
        if {first.number, second.number} != {0, 2}:
            return found
        return Registration(translation((6, 0, 0)) @ found.first_to_second, GOOD, None)

    found = simulate(3, one_wrong)

    assert found.to_mid == (None, None, None)
    assert found.open_mm == pytest.approx(6, abs=0.3)
    assert "mm away from the start, more than 4.0 mm" in found.failure


@pytest.fixture(scope="module")
def three_scans(patient, known_move):
    return [
        patient.scan(pose, contrast, spacing=(4, 4, 4), shape=(48, 54, 48), seed=seed)
        for seed, (pose, contrast) in enumerate(
            [
                (np.eye(4), "FLAIR"),
                (known_move(degrees=6, mm=6, seed=1), "T1w"),
                (known_move(degrees=8, mm=5, seed=2), "FLAIR"),
            ]
        )
    ]


def test_three_scans_share_a_space_in_either_order(three_scans, brain_points):
    found = share(three_scans)
    mirrored = share(three_scans[::-1])

    assert found.failure is None
    assert found.open_mm < 1
    for move, other in zip(found.to_mid, mirrored.to_mid[::-1], strict=True):
        assert apart_mm(move, other, brain_points).max() < 1e-3
    np.testing.assert_allclose(mean_move(list(found.to_mid)), np.eye(4), atol=1e-6)


def test_images_resampled_into_mid_space_match(three_scans):
    first, _, last = three_scans
    found = share([first, last])
    grid = mid_grid([first.geometry, last.geometry], list(found.to_mid), 4.0)

    one, other = (
        in_midspace(image, move, grid).voxels
        for image, move in zip((first, last), found.to_mid, strict=True)
    )

    both = np.isfinite(one) & np.isfinite(other)
    assert np.corrcoef(one[both], other[both])[0, 1] > 0.95


def test_the_grid_holds_every_image_whole():
    geometry = Geometry((5, 6, 7), np.diag([2.0, 3, 4, 1]))
    moves = poses(2, 4)

    grid = mid_grid([geometry] * 2, moves, 1.5)

    far = np.array(geometry.shape) - 1
    for move in moves:
        for corner in np.indices((2, 2, 2)).reshape(3, -1).T * far:
            voxel = grid.to_voxel(moved(geometry.to_world(corner.astype(float)), move))
            assert (voxel >= -1e-9).all()
            assert (voxel <= np.array(grid.shape) - 1 + 1e-9).all()
    assert grid.spacing == pytest.approx((1.5, 1.5, 1.5))


def test_one_visit_stays_where_it_is(three_scans):
    found = share(three_scans[:1])

    np.testing.assert_array_equal(found.to_mid[0], np.eye(4))
    assert not found.pairs
    assert found.failure is None


def test_no_visit_at_all():
    with pytest.raises(InputError, match="0 visits and 0 masks"):
        find_midspace([])


def test_masks_for_other_visits():
    image = Volume(np.ones((4, 4, 4), np.float32), Geometry((4, 4, 4), np.eye(4)))

    with pytest.raises(InputError, match="1 visits and 2 masks"):
        find_midspace([image], [None, None])
