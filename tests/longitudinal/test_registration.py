"""A move that is known is found; one that cannot be found is not used."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.align import Found, align
from medprompt_cli.longitudinal.registration import Registration, checked, register
from medprompt_cli.longitudinal.sampling import prepare, to_image
from medprompt_cli.longitudinal.transforms import (
    LPS,
    about,
    apart_mm,
    degrees_turned,
    inverse,
    logarithm,
    moved,
    placed,
    rotation,
)


@pytest.fixture(scope="module")
def move(known_move):
    return known_move(degrees=10, mm=10, seed=5)


@pytest.fixture(scope="module")
def flair(patient):
    return patient.scan(np.eye(4), seed=1)


@pytest.fixture(scope="module")
def moved_flair(patient, move):
    return patient.scan(move, offset=(2, -3, -4), seed=2)


@pytest.fixture(scope="module")
def found(flair, moved_flair) -> Registration:
    return register(flair, moved_flair)


def assert_recovered(registration, move, points):
    assert registration.failure is None
    rest = inverse(move) @ registration.first_to_second
    assert degrees_turned(rest) < 0.5
    assert np.linalg.norm(moved(points.mean(axis=0), rest) - points.mean(axis=0)) < 0.5
    assert apart_mm(registration.first_to_second, move, points).mean() < 0.5


def test_a_known_move_is_recovered_from_thick_slices_with_noise(found, move, brain_points):
    assert_recovered(found, move, brain_points)
    assert found.check.overlap > 0.9
    assert found.check.standing_out > 25


def test_another_contrast_and_other_slices(patient, flair, known_move, brain_points):
    move = known_move(degrees=10, mm=10, seed=6)
    t1w = patient.scan(move, "T1w", spacing=(3.2, 3.4, 3.0), shape=(60, 64, 64), seed=3)

    assert_recovered(register(flair, t1w), move, brain_points)


def test_exchanging_the_visits_gives_the_inverse(found, flair, moved_flair):
    back = register(moved_flair, flair)

    np.testing.assert_allclose(
        back.first_to_second @ found.first_to_second, np.eye(4), atol=1e-9
    )
    assert back.check == found.check


def test_neither_visit_is_privileged_on_the_way(flair, moved_flair, brain_points):
    """The order that rounding is computed in is fixed; what comes before is symmetric."""
    first, second = prepare(flair), prepare(moved_flair)

    forth, back = align(first, second), align(second, first)

    assert apart_mm(forth.move, inverse(back.move), brain_points).max() < 0.05
    one, other = checked(first, second, forth), checked(second, first, back)
    assert one.standing_out == pytest.approx(other.standing_out, rel=0.02)


def test_both_visits_are_moved_equally_far(found):
    one, other = found.to_mid

    np.testing.assert_allclose(logarithm(one), -logarithm(other), atol=1e-9)
    np.testing.assert_allclose(inverse(other) @ one, found.first_to_second, atol=1e-9)


def test_a_field_of_view_that_misses_half_of_the_head(patient, flair, known_move, brain_points):
    move = known_move(degrees=6, mm=8, seed=7)
    upper = patient.scan(move, shape=(64, 64, 24), offset=(0, 0, 30), seed=4)

    assert_recovered(register(flair, upper), move, brain_points)


def test_a_brain_mask_keeps_the_rest_from_pulling(patient, move, brain_points):
    """What is around the brain lies as it did before, as if the jaw did not go along."""
    before, after = patient.brain(np.eye(4)), patient.brain(move)
    still = patient.scan(np.eye(4), seed=1)
    first = np.where(before.voxels, still.voxels, patient.scan(move, seed=3).voxels)
    second = patient.scan(move, seed=2)

    registration = register(
        Volume(first.astype(np.float32), still.geometry), second, (before, after)
    )

    assert_recovered(registration, move, brain_points)


def test_an_affine_move_recovers_a_stretch(patient, flair):
    stretch = np.diag([1.03, 1.0, 0.98, 1.0])
    other = patient.scan(np.eye(4), seed=2)
    stretched = Volume(other.voxels, placed(other.geometry, stretch))

    found = register(flair, stretched, affine=True).first_to_second

    assert found is not None
    np.testing.assert_allclose(found[:3, :3], stretch[:3, :3], atol=0.006)


def test_noise_matches_nothing(flair):
    noise = np.random.default_rng(0).normal(100, 20, flair.voxels.shape).astype(np.float32)

    registration = register(flair, Volume(noise, flair.geometry))

    assert registration.first_to_second is None
    assert registration.to_mid is None
    assert registration.failure is not None
    assert "stands out by" in registration.failure
    assert registration.check.standing_out < 4


def test_images_that_share_nothing(patient):
    top = patient.scan(np.eye(4), shape=(64, 64, 12), offset=(0, 0, 55))
    bottom = patient.scan(np.eye(4), shape=(64, 64, 12), offset=(0, 0, -45))

    registration = register(top, bottom)

    assert registration.first_to_second is None
    assert registration.failure is not None


@pytest.mark.parametrize("degrees", [15, 25, 180])
def test_a_move_that_is_off_does_not_stand_out(flair, moved_flair, move, degrees):
    first, second = prepare(flair), prepare(moved_flair)
    off = move @ about(first.centre, rotation((0, 0.1, 1), degrees))

    check = checked(first, second, Found(off, 0.0))

    assert check.failure is not None


def test_descents_that_disagree_are_told(flair, moved_flair, move):
    check = checked(prepare(flair), prepare(moved_flair), Found(move, 2.5))

    assert check.failure is not None
    assert "ended 2.5 mm apart" in check.failure


def test_an_empty_image_has_no_head(flair):
    empty = Volume(np.zeros_like(flair.voxels), flair.geometry, source="empty.nii.gz")

    with pytest.raises(InputError, match=r"no head to be seen in empty\.nii\.gz"):
        register(flair, empty)


def test_a_mask_of_another_grid_is_refused(flair):
    other = Geometry((4, 4, 4), np.eye(4))

    with pytest.raises(InputError, match="lies on another grid"):
        register(flair, flair, (Mask("brain", np.ones((4, 4, 4), bool), other), None))


def test_simpleitk_sees_every_voxel_where_it_is():
    affine = placed(
        Geometry((3, 4, 5), np.diag([1.0, 2, 3, 1])), rotation((1, 2, 0), 20)
    ).affine
    affine[0, 2] += 0.4  # a gantry tilt
    grid = Geometry((3, 4, 5), affine)
    voxels = np.arange(60, dtype=np.float32).reshape(3, 4, 5)

    image = to_image(voxels, grid)

    world = moved(grid.to_world(np.array([2.0, 1, 3])), LPS)
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((2, 1, 3)), world)
    assert image.GetPixel(2, 1, 3) == voxels[2, 1, 3]
