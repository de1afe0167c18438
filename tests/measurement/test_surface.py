"""The surface of what is smaller, thinner and odder than the solids of the phantoms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.volume import Mask
from medprompt_cli.measurement import directions
from medprompt_cli.measurement.surface import sphericity, surface_area

SPACINGS = pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 3.0)])


def area(mask: Mask) -> float:
    found = surface_area(mask).value
    assert found is not None
    return found


def faces_mm2(shape, spacing):
    a, b, c = (n * s for n, s in zip(shape, spacing, strict=True))
    return 2 * (a * b + b * c + a * c)


@SPACINGS
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (9, 1, 1), (1, 1, 9), (2, 2, 2), (20, 20, 1), (1, 20, 20)]
)
def test_few_voxels_keep_their_faces(mask_of, shape, spacing):
    found = surface_area(mask_of(np.ones(shape), spacing))

    assert found.unit == "mm2"
    assert found.value == pytest.approx(faces_mm2(shape, spacing), rel=0.03)


def test_an_empty_mask_has_no_surface(mask_of):
    empty = mask_of(np.zeros((3, 4, 5)))

    for measure in (surface_area, sphericity):
        assert (measure(empty).value, measure(empty).status) == (None, "absent")


@SPACINGS
def test_what_is_cut_by_the_border_is_closed_there(mask_of, spacing):
    """Half a ball: half its surface, and the disc of the cut."""
    radius, shape = 15, tuple(round(34 / s) for s in spacing)
    at = (np.indices(shape) - (np.reshape(shape, (3, 1, 1, 1)) - 1) / 2).astype(float)
    at *= np.reshape(spacing, (3, 1, 1, 1))
    whole = (at**2).sum(axis=0) <= radius**2
    half = whole[shape[0] // 2 :]

    found = surface_area(mask_of(half, spacing)).value

    assert found == pytest.approx(3 * np.pi * radius**2, rel=0.03)


def test_two_bodies_have_the_surface_of_both(solids, mask_of):
    one = solids["ball"](8).draw((1.0, 1.0, 1.0)).voxels
    two = np.concatenate([one, one], axis=1)

    assert area(mask_of(two)) == pytest.approx(2 * area(mask_of(one)), rel=1e-6)


def test_the_cavity_of_a_shell_counts(solids):
    spacing = (1.0, 1.0, 1.0)
    outer, inner = solids["ball"](18).draw(spacing), solids["ball"](8).draw(spacing)
    shell = solids["shell"](18, 8).draw(spacing)

    assert area(shell) == pytest.approx(area(outer) + area(inner), rel=0.01)


@pytest.mark.parametrize("kept", [0, 40_000])
def test_a_surface_too_large_to_remember_has_the_same_area(solids, monkeypatch, kept):
    mask = solids["box"](20, 16, 12).draw((1.0, 1.0, 1.0))
    expected = area(mask)
    monkeypatch.setattr(directions, "KEPT_PAIRS", kept)

    assert area(mask) == expected


@pytest.mark.parametrize("turn", [(1, 1, 0), (1, 1, 1), (2, 1, 0), (3, 2, 1)])
def test_a_slanted_plane_is_as_large_as_it_is(mask_of, turn):
    """A slab across a cube of voxels: its faces alone would be up to 1.7 times too large."""
    normal = np.array(turn) / np.linalg.norm(turn)
    at = np.indices((48, 48, 48)) - 23.5
    across = np.einsum("i,iabc->abc", normal, at)
    inside = (np.abs(across) < 4.2) & ((at**2).sum(axis=0) - across**2 < 20**2)

    rim = 2 * np.pi * 20 * 8.4
    expected = 2 * np.pi * 20**2 + rim
    assert surface_area(mask_of(inside)).value == pytest.approx(expected, rel=0.03)


@given(
    voxels=st.lists(st.booleans(), min_size=60, max_size=60),
    power=st.integers(-2, 3),
    spacing=st.sampled_from([(1.0, 1.0, 1.0), (0.5, 0.5, 3.0), (1.0, 2.0, 0.75)]),
)
def test_a_larger_scale_gives_a_larger_area(mask_of, voxels, power, spacing):
    array = np.reshape(voxels, (3, 4, 5))
    small = mask_of(array, spacing)
    large = mask_of(array, tuple(2.0**power * s for s in spacing))

    if not array.any():
        return
    assert area(large) == pytest.approx(4.0**power * area(small), rel=1e-6)
    roundness = sphericity(small).value
    assert roundness is not None
    assert sphericity(large).value == pytest.approx(roundness, rel=1e-6)
    assert 0 < roundness <= 1


@given(voxels=st.lists(st.booleans(), min_size=60, max_size=60))
def test_the_area_is_never_above_that_of_the_faces(mask_of, voxels):
    array = np.reshape(voxels, (3, 4, 5))
    padded = np.pad(array, 1).astype(int)
    faces = sum(np.abs(np.diff(padded, axis=axis)).sum() for axis in range(3))

    if array.any():
        assert 0 < area(mask_of(array)) <= faces * (1 + 1e-9)
