"""Heads are moved as told, and what volumes do meanwhile is told as it is."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution.posing import POSES, Pose, PosedSegmenter, other_side
from medprompt_cli.planning.vocabulary import resolve

ORIENTATIONS = list(product(permutations(range(3)), product((1, -1), repeat=3)))
TURNED = Pose(degrees=8.0, shift=0.5)


def scan(voxels, spacing=(1.0, 1.0, 1.0)):
    return Volume(voxels.astype(np.float32), Geometry(voxels.shape, np.diag([*spacing, 1.0])))


def ball(radius, centre, shape=(40, 44, 36)):
    at = np.moveaxis(np.indices(shape), 0, -1)
    return np.linalg.norm(at - centre, axis=-1) <= radius


def test_a_mirrored_head_is_exactly_the_other_way_round():
    voxels = np.random.default_rng(0).normal(size=(5, 6, 7))
    found = Pose(mirrored=True).of(scan(voxels))

    assert np.array_equal(found.voxels, scan(voxels).voxels[::-1])


@pytest.mark.parametrize("pose", POSES[1:], ids=str)
def test_a_turned_head_keeps_its_volume_and_lies_elsewhere(pose):
    head = scan(ball(12, (20, 20, 18)) | ball(7, (20, 33, 18)))
    found = pose.of(head)

    assert found.geometry is head.geometry
    assert found.voxels.sum() == pytest.approx(head.voxels.sum(), rel=0.01)
    assert np.count_nonzero((found.voxels > 0.5) != (head.voxels > 0.5)) > 100


def test_a_turn_is_by_its_angle_about_the_middle():
    """A far voxel moves by the chord of the angle; the middle stays."""
    voxels = np.zeros((61, 61, 5))
    voxels[30, 30], voxels[55, 30] = 1, 1
    found = Pose(degrees=10.0).of(scan(voxels, (1.0, 1.0, 5.0)))  # within thick slices
    bright = np.argwhere(found.voxels[:, :, 2] > 0.3)

    assert [30, 30] in bright.tolist()
    far = bright[bright[:, 0] > 40].mean(axis=0)
    assert np.hypot(*(far - 30)) == pytest.approx(25, abs=0.7)
    assert np.hypot(*(far - (55, 30))) == pytest.approx(2 * 25 * np.sin(np.radians(5)), abs=0.7)


def test_thick_slices_do_not_mix():
    voxels = np.zeros((30, 30, 9))
    voxels[8:22, 8:22, 4] = 1
    found = TURNED.of(scan(voxels, (1.0, 1.0, 6.0)))

    assert found.voxels[:, :, 4].max() == pytest.approx(1.0)
    assert found.voxels[:, :, [3, 5]].max() == pytest.approx(0.0, abs=1e-5)


def test_a_head_is_moved_alike_however_its_file_is_stored():
    plain = scan(ball(6, (12, 10, 9), (20, 24, 18)), (1.0, 0.5, 1.5))
    pose = replace(TURNED, mirrored=True)
    expected = pose.of(plain).voxels
    for order, signs in ORIENTATIONS:
        flips = tuple(slice(None, None, sign) for sign in signs)
        voxels = plain.voxels.transpose(order)[flips]
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1
        for axis, (source, sign) in enumerate(zip(order, signs, strict=True)):
            matrix[source, axis] = sign
            matrix[source, 3] = voxels.shape[axis] - 1 if sign < 0 else 0
        geometry = Geometry(voxels.shape, plain.geometry.affine @ matrix)
        found = pose.of(Volume(voxels, geometry))
        assert np.allclose(to_canonical(found.voxels, geometry), expected, atol=1e-5)


class Halves:
    """Finds a thalamus in each half of the image, the left one `bias` times too large."""

    weights_name, weights_version, weights_sha256, device_name = "halves", "1", "0" * 64, "cpu"

    def __init__(self, bias=1.0):
        self.bias, self.asked = bias, []

    def segment(self, volumes, targets) -> Any:
        voxels = volumes.voxels
        self.asked.append([(t.name, *t.members) for t in targets])
        half = len(voxels) // 2
        ml = {
            "left-thalamus": self.bias * float(voxels[:half].sum()),
            "right-thalamus": float(voxels[half:].sum()),
            "lesion": float(voxels.max()) if voxels[0, 0, 0] else None,
        }
        sums = {t.name: PosteriorSums(ml[t.name], 0, 0.25) for t in targets if ml[t.name]}
        return SimpleNamespace(
            **dict.fromkeys(("labels", "parcels")),
            **{key: {} for key in ("masks", "presence", "volumes_ml", "limits_ml", "seconds")},
            sums=sums,
            notes=("seen",),
        )


@pytest.fixture
def head():
    voxels = np.zeros((20, 8, 8))
    voxels[2:6, 2:6, 2:6], voxels[14:17, 2:6, 2:6], voxels[0, 0, 0] = 1, 1, 2
    return scan(voxels)


def test_sides_are_told_apart_in_a_mirror(head):
    """What is the same in both looks has no spread; what favours a side has."""
    targets = resolve(["thalamus"])
    fair, unfair = Halves(), Halves(1.1)
    even, odd = (
        PosedSegmenter(s, [Pose(mirrored=True)]).segment(head, targets) for s in (fair, unfair)
    )

    assert [sums.pose_sd_ml for sums in even.sums.values()] == [0, 0]
    left, right = 64 + 2, 48
    assert odd.sums["left-thalamus"].total_ml == pytest.approx(1.1 * left)
    assert odd.sums["left-thalamus"].pose_sd_ml == pytest.approx(0.1 * left / np.sqrt(2))
    assert odd.sums["right-thalamus"].pose_sd_ml == pytest.approx(0.1 * right / np.sqrt(2))
    assert fair.asked[1] == [("right-thalamus",) * 2, ("left-thalamus",) * 2]
    assert odd.notes == (
        "seen",
        "Intervals hold the spread over 2 looks at the head, mirrored, turned and shifted.",
    )


def test_a_lesion_that_another_look_does_not_find_counts_as_nothing_there(head):
    segmenter = Halves()
    found = PosedSegmenter(segmenter, [Pose(mirrored=True)]).segment(head, resolve(["lesion"]))

    assert found.sums["lesion"].total_ml == 2.0
    assert found.sums["lesion"].pose_sd_ml == pytest.approx(np.sqrt(2))


def test_every_pose_is_looked_at_once(head):
    segmenter = Halves()
    posed = PosedSegmenter(segmenter)
    found = posed.segment(head, resolve(["left thalamus"]))

    assert list(found.seconds) == ["poses"]
    assert len(segmenter.asked) == 1 + len(POSES) == 6
    assert (posed.weights_name, posed.weights_sha256) == ("halves", "0" * 64)
    assert [other_side(n) for n in ("left-a", "right-a", "csf")] == ["right-a", "left-a", "csf"]
