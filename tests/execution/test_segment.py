"""One image in, an answer for every target out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medprompt_cli.bids.images import read_image
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution.segment import (
    CUT_SHARE,
    is_cut,
    label_extents,
    plan_hash,
    segment_case,
)
from medprompt_cli.planning.vocabulary import Target, resolve

GRID = Geometry((20, 20, 20), np.diag([1.0, 1.0, 1.0, 1.0]))


def ball(radius, centre=(9.5, 9.5, 9.5), geometry=GRID):
    axes = np.ogrid[tuple(slice(0, n) for n in geometry.shape)]
    squares = [
        ((axis - c) * s) ** 2 for axis, c, s in zip(axes, centre, geometry.spacing, strict=True)
    ]
    return squares[0] + squares[1] + squares[2] <= radius**2


@pytest.fixture
def case(tmp_path, save_scan, threshold_segmenter):
    """Segment prompts in a scan that shows the given structures."""

    def run(prompts, *structures):
        scan = save_scan(tmp_path / "scan.nii.gz", *structures)
        result = segment_case(read_image(scan), resolve(prompts), threshold_segmenter)
        return result, {r.name: r for r in result.results}

    return run


def test_what_is_there_is_measured(case):
    result, by_name = case(
        ["left hippocampus", "ventricles"], "left-hippocampus", "third-ventricle"
    )
    found = by_name["left-hippocampus"]

    assert [r.name for r in result.results] == ["left-hippocampus", "ventricles"]
    assert (found.status, found.presence, found.visible_volume_ml) == ("measured", 1.0, None)
    assert found.volume_ml == pytest.approx(1 * 5 * 4 * 10 / 1000)
    assert np.unique(result.labels.voxels).tolist() == [0, 17]
    assert [mask.region for mask in result.masks] == ["ventricles"]
    assert result.masks[0].voxels.sum() == 20


def test_what_is_absent_has_no_mask_and_no_volume(case):
    result, by_name = case(["left hippocampus", "ventricles"], "left-hippocampus")

    assert by_name["ventricles"].as_json() == {
        "Status": "absent",
        "Presence": 0.0,
        "VolumeMl": None,
    }
    assert result.masks == ()


@pytest.mark.parametrize(
    ("presence", "status"),
    [
        (None, "absent"),
        (0.0, "absent"),
        (0.5, "absent"),
        (0.51, "failed_qc"),
        (1.0, "failed_qc"),
    ],
)
def test_what_is_probably_there_and_has_no_voxel_was_missed(
    case, threshold_segmenter, presence, status
):
    threshold_segmenter.presence = presence
    result, by_name = case(["left hippocampus", "ventricles"])

    for found in by_name.values():
        assert (found.status, found.presence) == (status, presence)
        assert (found.volume_ml, found.visible_volume_ml) == (None, None)
    assert (result.labels, result.masks) == (None, ())


def test_nothing_found_means_no_label_map(case):
    result, by_name = case(["left hippocampus"])

    assert result.labels is None
    assert by_name["left-hippocampus"].status == "absent"


def test_what_the_weights_cannot_see_is_said_and_not_asked_for(case):
    _, by_name = case(["tumor", "left hippocampus"], "left-hippocampus")

    assert by_name["tumor"].as_json() == {
        "Status": "not_visible",
        "Presence": None,
        "VolumeMl": None,
    }
    assert by_name["left-hippocampus"].status == "measured"


def test_extents_count_voxels_and_the_faces_they_touch():
    geometry = Geometry((4, 5, 6), np.diag([2.0, 3.0, 4.0, 1.0]))
    voxels = np.zeros((4, 5, 6), np.uint8)
    voxels[0, 1:3, 2:5] = 7
    voxels[3, 4, 5] = 255
    extents = label_extents(voxels, geometry)

    assert {index: extent.voxels for index, extent in extents.items()} == {7: 6, 255: 1}
    assert extents[7].faces_mm2 == pytest.approx((6 * 12, 0, 0, 0, 0, 0))
    assert extents[255].faces_mm2 == pytest.approx((0, 12, 0, 8, 0, 6))


def test_a_ball_inside_the_image_is_whole_and_half_a_ball_is_cut():
    whole = label_extents(ball(6).astype(np.uint8), GRID).values()
    half = label_extents(ball(6, (0, 9.5, 9.5)).astype(np.uint8), GRID).values()

    assert not is_cut(whole, GRID)
    assert is_cut(half, GRID)


def test_a_tight_crop_is_not_a_cut():
    """The largest face of a ball in its bounding box is small beside its cross-section."""
    side = 121
    geometry = Geometry((side, side, side), np.eye(4))
    voxels = ball(60.0, (60, 60, 60), geometry)
    extent = label_extents(voxels, geometry)[1]

    assert voxels[0].any()
    assert voxels[-1].any()
    assert max(extent.faces_mm2) < CUT_SHARE * math.pi * 60**2
    assert not is_cut([extent], geometry)


def test_a_cut_region_keeps_the_volume_of_what_is_seen(threshold_segmenter, tmp_path):
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[:3, 5:12, 5:12] = 116
    volume = Volume(voxels.astype(np.float32), GRID, source="cut.nii.gz")
    result = segment_case(volume, resolve(["brainstem"]), threshold_segmenter)

    assert result.results[0].as_json() == {
        "Status": "truncated_fov",
        "Presence": 1.0,
        "VolumeMl": None,
        "VisibleVolumeMl": pytest.approx(3 * 49 / 1000),
    }
    assert result.labels is not None


def test_notes_of_reading_and_segmenting_are_both_kept(threshold_segmenter):
    volume = Volume(
        ball(4).astype(np.float32) * 117, GRID, notes=("A singleton axis was left out.",)
    )
    result = segment_case(volume, resolve(["left hippocampus"]), threshold_segmenter)

    assert result.notes == ("A singleton axis was left out.",)


def test_the_hash_of_a_plan_is_of_what_is_asked_not_of_how():
    one = plan_hash(resolve(["left hippocampus", "ventricles"]))

    assert one == plan_hash(resolve(["ventricles and left hippocampus"]))
    assert one != plan_hash(resolve(["left hippocampus"]))
    assert one != plan_hash(resolve(["right hippocampus", "ventricles"]))
    assert len(one) == 64


def test_the_hash_of_a_plan_follows_the_meaning_of_its_words():
    before = Target("ventricles", ("third-ventricle",), "group", visible=True)
    after = Target("ventricles", ("third-ventricle", "fourth-ventricle"), "group", visible=True)

    assert plan_hash([before]) != plan_hash([after])
