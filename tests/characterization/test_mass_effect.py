"""A head whose middle is bent by a known shift, and turned as heads are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr

from medprompt_cli.characterization.mass_effect import (
    LEAST_SHIFT_MM,
    SEVERE_SHIFT_MM,
    SHIFT_ERROR_MM,
    middle_plane,
    midline_shift,
)
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap

NAMES = {
    2: "left-cerebral-white-matter",
    41: "right-cerebral-white-matter",
    4: "left-lateral-ventricle",
    43: "right-lateral-ventricle",
    14: "third-ventricle",
}


def turn(yaw: float, roll: float) -> np.ndarray:
    """(3, 3): about the axis upwards, then about that to the front, in degrees."""
    y, r = math.radians(yaw), math.radians(roll)
    about_s = [[math.cos(y), -math.sin(y), 0], [math.sin(y), math.cos(y), 0], [0, 0, 1]]
    about_a = [[math.cos(r), 0, math.sin(r)], [0, 1, 0], [-math.sin(r), 0, math.cos(r)]]
    return np.array(about_a) @ np.array(about_s)


def head(shift=0.0, yaw=0.0, roll=0.0, spacing=1.5, without=()) -> LabelMap:
    """An ellipsoid of 140 x 170 x 120 mm, its middle pushed to the right around the foramen.

    The push is whole within 22 mm of the middle of its length and none at 45 mm, before the
    fifth at either end that the plane is laid through.
    """
    half = np.array([70.0, 85.0, 60.0])
    across = int(2 * 95 / spacing)
    shape = (across, across, across)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * spacing
    geometry = Geometry(shape, affine)
    world = geometry.to_world(np.moveaxis(np.indices(shape), 0, -1))
    r, a, s = np.moveaxis(world @ turn(yaw, roll), -1, 0)
    middle = shift * np.clip((45 - np.abs(a)) / (45 - 22), 0, 1)
    inside = (r / half[0]) ** 2 + (a / half[1]) ** 2 + (s / half[2]) ** 2 <= 1
    labels = np.where(inside, np.where(r < middle, 2, 41), 0)
    across = np.abs(r - middle)
    lateral = (across >= 1) & (across <= 12) & (np.abs(a) <= 20) & (np.abs(s - 8) <= 7)
    labels[lateral] = np.where(r < middle, 4, 43)[lateral]
    labels[(across <= 2) & (a <= 12) & (a >= -12) & (np.abs(s + 8) <= 7)] = 14
    for index in without:
        labels[labels == index] = 2
    return LabelMap(labels.astype(np.uint8), geometry, NAMES)


@pytest.mark.parametrize(
    ("shift", "yaw", "roll"),
    [(0, 0, 0), (2, 0, 0), (4, 0, 0), (8, 0, 0), (-6, 0, 0), (6, 8, 0), (6, 0, 8), (-9, -6, 5)],
)
def test_the_shift_that_was_made_is_measured(shift, yaw, roll, number):
    found = midline_shift(head(shift, yaw, roll))

    assert found.number("shift") == pytest.approx(shift, abs=0.75)
    assert found.number("septum") == found.number("shift")
    assert found.number("third-ventricle") == pytest.approx(shift, abs=0.75)
    word = "none" if abs(shift) <= LEAST_SHIFT_MM else ("right" if shift > 0 else "left")
    assert found.value == word
    measured = abs(number(found, "shift"))
    if word != "none":
        wanted = ndtr((measured - LEAST_SHIFT_MM) / SHIFT_ERROR_MM)
        assert found.probability == pytest.approx(wanted)
    severe = ndtr((measured - SEVERE_SHIFT_MM) / SHIFT_ERROR_MM)
    assert found.number("probability-over-5-mm") == pytest.approx(severe)


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (8, 0), (0, 8), (-6, 5)])
def test_the_plane_is_that_of_the_falx(yaw, roll):
    plane = middle_plane(head(8, yaw, roll))

    assert plane is not None
    normal = turn(yaw, roll) @ np.array([1.0, 0, 0])
    found = np.array([1, -plane.along_a, -plane.along_s])
    off = math.degrees(math.acos(found @ normal / np.linalg.norm(found)))
    assert off < 0.5
    assert plane.off(np.zeros((1, 3)))[0] == pytest.approx(0, abs=0.5)


def test_a_patch_on_the_wrong_side_does_not_bend_the_plane():
    """Below at the frontal end, 6 mm of the left hemisphere are labelled as right."""
    bent = head(6)
    world = bent.geometry.to_world(np.moveaxis(np.indices(bent.geometry.shape), 0, -1))
    r, a, s = np.moveaxis(world, -1, 0)
    patch = (r > -6) & (r < 0) & (a > 60) & (s < -10)
    bent.voxels[patch & (bent.voxels == 2)] = 41

    plane, found = middle_plane(bent), midline_shift(bent)

    assert plane is not None
    assert abs(plane.along_s) < 0.01
    assert found.number("shift") == pytest.approx(6, abs=0.75)


def test_without_ventricles_at_the_septum_the_third_is_taken():
    found = midline_shift(head(6, without=(4,)))

    assert found.number("septum") is None
    assert found.number("shift") == pytest.approx(6, abs=0.75)


def test_without_any_ventricle_nothing_is_said():
    found = midline_shift(head(6, without=(4, 43, 14)))

    assert (found.value, found.status) == (None, "failed_qc")
    assert found.notes == ("Neither the septum nor the third ventricle is to be seen.",)


def test_a_brain_cut_at_its_front_has_no_plane():
    whole = head(6)
    front = whole.geometry.shape[1] * 3 // 4
    cut = whole.voxels[:, :front]
    found = midline_shift(LabelMap(cut, Geometry(cut.shape, whole.geometry.affine), NAMES))

    assert (found.value, found.status) == (None, "truncated_fov")


def test_one_hemisphere_has_no_middle():
    whole = head()
    left = np.where(np.isin(whole.voxels, (2, 4)), whole.voxels, 0)

    found = midline_shift(LabelMap(left, whole.geometry, NAMES))

    assert (found.value, found.status) == (None, "failed_qc")
    empty = LabelMap(np.zeros_like(left), whole.geometry, NAMES)
    assert midline_shift(empty).status == "failed_qc"
