"""A grid keeps its place: orientations, reorientation and world coordinates."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.geometry import (
    GRID_TOLERANCE_MM,
    Geometry,
    from_canonical,
    to_canonical,
)
from medprompt_cli.errors import InputError

SHAPE = (3, 4, 5)
CODES = [
    "".join(codes)
    for order in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*order)
]
"""All 48 ways to lay an array along the world's axes."""

angles = st.floats(-np.pi, np.pi)
spacings = st.tuples(*[st.floats(0.3, 6.0)] * 3)


def laid_along(code, spacing=(1.0, 2.0, 3.0)):
    """An affine whose array axes point along `code`, worked out one axis at a time."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, letter in enumerate(code):
        world = next(w for w, ends in enumerate(("LR", "PA", "IS")) if letter in ends)
        affine[world, axis] = spacing[axis] * (1 if letter in "RAS" else -1)
    affine[:3, 3] = (7.0, -11.0, 13.0)
    return affine


def turned(angles, spacing=(1.0, 1.0, 1.0)):
    """An affine turned about the three world axes in turn."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = (n for n in range(3) if n != axis)
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    affine = np.eye(4)
    affine[:3, :3] = matrix * np.asarray(spacing)
    affine[:3, 3] = (3.0, 5.0, -8.0)
    return affine


def numbered(shape=SHAPE):
    return np.arange(np.prod(shape)).reshape(shape)


def test_there_are_48_orientations():
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("code", CODES)
def test_orientation_is_named_as_nibabel_names_it(code):
    geometry = Geometry(SHAPE, laid_along(code))

    assert geometry.orientation == code == "".join(nib.aff2axcodes(geometry.affine))


@given(angles=st.tuples(angles, angles, angles), spacing=spacings)
def test_an_oblique_orientation_uses_every_axis_once(angles, spacing):
    code = Geometry(SHAPE, turned(angles, spacing)).orientation

    assert sorted("RAS"["RLAPSI".index(letter) // 2] for letter in code) == ["A", "R", "S"]


@pytest.mark.parametrize("code", CODES)
def test_canonical_runs_towards_right_anterior_superior(code):
    geometry = Geometry(SHAPE, laid_along(code))

    assert geometry.canonical().orientation == "RAS"
    assert geometry.canonical().canonical().matches(geometry.canonical())


@pytest.mark.parametrize("code", CODES)
def test_every_voxel_keeps_its_place_when_reoriented(code):
    geometry, voxels = Geometry(SHAPE, laid_along(code)), numbered()
    canonical, moved = geometry.canonical(), to_canonical(voxels, geometry)

    assert moved.shape == canonical.shape
    for index in np.ndindex(moved.shape):
        came_from = geometry.to_voxel(canonical.to_world(np.array(index, float)))
        assert moved[index] == voxels[tuple(np.rint(came_from).astype(int))]


@pytest.mark.parametrize("code", CODES)
def test_reorientation_is_undone_exactly(code):
    geometry, voxels = Geometry(SHAPE, laid_along(code)), numbered((*SHAPE, 2))

    back = from_canonical(to_canonical(voxels, geometry), geometry)

    np.testing.assert_array_equal(back, voxels)


@pytest.mark.parametrize("code", CODES)
def test_reorientation_agrees_with_nibabel(code):
    geometry, voxels = Geometry(SHAPE, laid_along(code)), numbered().astype(np.int16)
    expected = nib.as_closest_canonical(nib.Nifti1Image(voxels, geometry.affine))

    np.testing.assert_array_equal(to_canonical(voxels, geometry), np.asarray(expected.dataobj))
    np.testing.assert_allclose(geometry.canonical().affine, expected.affine, atol=1e-12)


@given(angles=st.tuples(angles, angles, angles), spacing=spacings)
def test_world_and_voxel_undo_each_other(angles, spacing):
    geometry = Geometry(SHAPE, turned(angles, spacing))
    points = np.array([[0.0, 0.0, 0.0], [2.0, 3.0, 4.0], [0.5, -1.0, 9.0]])

    np.testing.assert_allclose(geometry.to_voxel(geometry.to_world(points)), points, atol=1e-9)


@given(angles=st.tuples(angles, angles, angles), spacing=spacings)
def test_turning_changes_neither_spacing_nor_volume(angles, spacing):
    geometry = Geometry(SHAPE, turned(angles, spacing))

    assert geometry.spacing == pytest.approx(spacing)
    assert geometry.voxel_volume_mm3 == pytest.approx(np.prod(spacing))


def test_a_shear_changes_the_volume_by_the_determinant():
    affine = np.eye(4)
    affine[0, 1] = 1.0

    geometry = Geometry(SHAPE, affine)

    assert geometry.spacing == pytest.approx((1.0, np.sqrt(2), 1.0))
    assert geometry.voxel_volume_mm3 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("spacing", "axis", "ratio"),
    [
        ((0.5, 0.5, 5.0), 2, 10.0),
        ((4.0, 1.0, 1.0), 0, 4.0),
        ((1.0, 3.0, 2.0), 1, 3.0),
        ((1.0, 1.0, 1.0), 2, 1.0),
        ((2.0, 2.0, 1.0), 1, 2.0),
    ],
)
def test_slices_lie_along_the_widest_spacing(spacing, axis, ratio):
    geometry = Geometry(SHAPE, np.diag([*spacing, 1.0]))

    assert geometry.slice_axis == axis
    assert geometry.slice_spacing == max(spacing)
    assert geometry.in_plane_spacing == min(spacing)
    assert geometry.spacing_ratio == pytest.approx(ratio)


@pytest.mark.parametrize(("shift", "same"), [(0.0, True), (0.5, True), (2.0, False)])
def test_grids_match_within_the_tolerance(shift, same):
    affine, moved = np.eye(4), np.eye(4)
    moved[0, 3] = shift * GRID_TOLERANCE_MM

    assert Geometry(SHAPE, affine).matches(Geometry(SHAPE, moved)) is same


def test_a_small_turn_is_judged_at_the_far_corner():
    small, large = (2, 2, 2), (512, 512, 400)
    turn = turned((2e-5, 0.0, 0.0))
    straight = turned((0.0, 0.0, 0.0))

    assert Geometry(small, straight).matches(Geometry(small, turn))
    assert not Geometry(large, straight).matches(Geometry(large, turn))


def test_grids_of_different_shape_do_not_match():
    assert not Geometry((3, 4, 5), np.eye(4)).matches(Geometry((3, 4, 6), np.eye(4)))


@pytest.mark.parametrize(
    "affine",
    [np.zeros((4, 4)), np.diag([1.0, 1.0, 0.0, 1.0]), np.full((4, 4), np.nan), np.eye(3)],
    ids=["zero", "flat", "nan", "3x3"],
)
def test_an_affine_without_volume_is_refused(affine):
    with pytest.raises(InputError, match="gives voxels no volume") as caught:
        Geometry(SHAPE, affine)

    assert str(caught.value) == f"Affine {affine.tolist()} gives voxels no volume."
    assert caught.value.remedy == "Re-export the image: its NIfTI sform is empty or damaged."
    assert caught.value.code == "no-affine"
