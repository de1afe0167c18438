"""One image in, an answer for every target out."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.bids.images import read_image
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError
from medprompt_cli.execution.segment import plan_hash, segment_case
from medprompt_cli.planning.vocabulary import Target, resolve

GRID = Geometry((20, 20, 20), np.diag([1.0, 1.0, 1.0, 1.0]))


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
    _, by_name = case(["cyst", "left hippocampus"], "left-hippocampus")

    assert by_name["cyst"].as_json() == {
        "Status": "not_visible",
        "Presence": None,
        "VolumeMl": None,
    }
    assert by_name["left-hippocampus"].status == "measured"


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
    volume = Volume(np.full(GRID.shape, 117.0), GRID, notes=("A singleton axis was left out.",))
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


def lesion(name):
    return Target(name, (), "lesion", visible=True)


def region(name, *parcels):
    """A parcel, or a union of several."""
    return Target(name, parcels or (name,), "structure", visible=True)


BRAIN = ("left-cerebral-white-matter", "right-cerebral-white-matter")


@pytest.fixture
def answer(tmp_path, save_scan, threshold_segmenter):
    """Segment targets, seen or not by the bundled weights, in a scan of given regions."""

    def run(targets, *regions):
        volume = read_image(save_scan(tmp_path / "scan.nii.gz", *regions))
        result = segment_case(volume, targets, threshold_segmenter)
        return result, {r.name: r for r in result.results}

    return run


def test_a_lesion_that_is_there_is_measured(answer):
    result, by_name = answer([lesion("ms-lesion"), lesion("infarct")], *BRAIN, "ms-lesion")

    assert by_name["ms-lesion"].volume_ml == pytest.approx(1 * 5 * 4 * 10 / 1000)
    assert [(m.region, int(m.voxels.sum())) for m in result.masks] == [("ms-lesion", 20)]
    assert {name: r.status for name, r in by_name.items()} == {
        "ms-lesion": "measured",
        "infarct": "absent",
    }


@pytest.mark.parametrize("presence", [None, 0.0, 0.9])
def test_no_lesion_in_a_brain_is_absent_whatever_its_presence(
    answer, threshold_segmenter, presence
):
    threshold_segmenter.presence = presence
    result, by_name = answer([lesion("ms-lesion")], *BRAIN)

    assert by_name["ms-lesion"].as_json() == {
        "Status": "absent",
        "Presence": presence,
        "VolumeMl": None,
        "DetectionLimitMl": 1.23,
    }
    assert (result.labels, result.masks) == (None, ())


@pytest.mark.parametrize("regions", [(), ("csf",)], ids=["nothing", "fluid only"])
def test_of_lesions_nothing_is_known_where_no_brain_is_seen(answer, regions):
    result, by_name = answer([lesion("ms-lesion"), *resolve(["csf"])], *regions)

    assert by_name["ms-lesion"].as_json() == {
        "Status": "truncated_fov",
        "Presence": 0.0,
        "VolumeMl": None,
    }
    assert result.masks == ()


def test_a_lesion_at_the_edge_of_the_image_is_cut(threshold_segmenter):
    voxels = np.full(GRID.shape, 102, np.float32)
    voxels[:3, 5:12, 5:12] = 5002
    result = segment_case(Volume(voxels, GRID), [lesion("ms-lesion")], threshold_segmenter)

    assert result.results[0].status == "truncated_fov"
    assert result.results[0].visible_volume_ml == pytest.approx(3 * 49 / 1000)
    assert [mask.region for mask in result.masks] == ["ms-lesion"]


def test_what_only_a_status_leans_on_is_not_in_the_result(answer):
    hippocampus = resolve(["left hippocampus"])
    result, _ = answer([*hippocampus, lesion("ms-lesion")], *BRAIN, "left-hippocampus")

    assert [r.name for r in result.results] == ["left-hippocampus", "ms-lesion"]
    assert np.unique(result.labels.voxels).tolist() == [0, 17]
    assert result.labels.names == {17: "left-hippocampus"}


def test_parcels_get_a_map_of_their_own(answer):
    targets = [region("left-precuneus"), region("left-insula"), *resolve(["left hippocampus"])]
    result, by_name = answer(targets, "left-precuneus", "left-insula", "left-hippocampus")

    assert {name: r.status for name, r in by_name.items()} == dict.fromkeys(
        ("left-precuneus", "left-insula", "left-hippocampus"), "measured"
    )
    assert result.parcels.voxels.dtype == np.uint16
    assert np.unique(result.parcels.voxels).tolist() == [0, 1025, 1035]
    assert np.unique(result.labels.voxels).tolist() == [0, 17]
    assert result.masks == ()


def test_a_union_of_parcels_is_a_mask(answer):
    lobe = region("left-occipital-lobe", "left-cuneus", "left-lingual")
    result, by_name = answer([lobe], "left-cuneus", "left-lingual", "left-insula")

    assert by_name["left-occipital-lobe"].volume_ml == pytest.approx(2 * 5 * 4 * 10 / 1000)
    assert [(m.region, int(m.voxels.sum())) for m in result.masks] == [(lobe.name, 40)]
    assert (result.labels, result.parcels) == (None, None)


@pytest.mark.parametrize(
    ("regions", "status"),
    [
        (("left-insula",), "failed_qc"),
        (("left-cerebral-cortex",), "failed_qc"),
        (("right-insula",), "absent"),
        ((), "absent"),
    ],
    ids=["beside a parcel", "in its structure", "on the other side", "without a brain"],
)
def test_a_parcel_without_a_voxel_was_missed_if_its_structure_is_seen_whole(
    answer, regions, status
):
    _, by_name = answer([region("left-precuneus")], *regions)

    assert by_name["left-precuneus"].status == status


def test_a_parcel_is_cut_where_its_structure_is(threshold_segmenter):
    voxels = np.zeros(GRID.shape, np.float32)
    voxels[:8, 2:18, 2:18] = 103
    voxels[:4, 2:5, 2:5] = 1125
    voxels[4:7, 9:12, 9:12] = 1135
    volume = Volume(voxels, GRID)
    targets = [region(f"left-{name}") for name in ("precuneus", "insula", "cuneus")]
    result = segment_case(volume, targets, threshold_segmenter)

    assert [(r.status, r.visible_volume_ml) for r in result.results] == [
        ("truncated_fov", pytest.approx(36 / 1000)),
        ("measured", None),
        ("absent", None),
    ]


def test_a_parcel_at_the_edge_of_a_structure_that_is_whole_is_not_cut(threshold_segmenter):
    voxels = np.zeros(GRID.shape, np.float32)
    voxels[1:19, 1:19, 1:19] = 103
    voxels[0:3, 9:11, 9:11] = 1125
    result = segment_case(Volume(voxels, GRID), [region("left-precuneus")], threshold_segmenter)

    assert result.results[0].status == "measured"


def test_images_read_together_reach_the_network_together(threshold_segmenter):
    t1w = Volume(np.full(GRID.shape, 102.0), GRID, source="a/T1w.nii", notes=("One.",))
    flair = Volume(np.full(GRID.shape, 20.0), GRID, source="a/FLAIR.nii", notes=("Two.",))
    result = segment_case([t1w, flair], resolve(["brain"]), threshold_segmenter)

    assert threshold_segmenter.seen == ["T1w.nii+FLAIR.nii"]
    assert result.notes == ("T1w.nii: One.", "FLAIR.nii: Two.")
    assert result.masks[0].voxels.all()


def test_images_of_two_grids_are_not_read_together(threshold_segmenter):
    shifted = Geometry(GRID.shape, np.diag([1.0, 1.0, 1.01, 1.0]))
    volumes = [
        Volume(np.ones(GRID.shape), grid, source=name)
        for grid, name in ((GRID, "T1w.nii"), (shifted, "FLAIR.nii"))
    ]
    with pytest.raises(InputError, match="does not lie on the grid") as caught:
        segment_case(volumes, resolve(["brain"]), threshold_segmenter)

    assert str(caught.value) == "FLAIR.nii does not lie on the grid of T1w.nii."
    assert caught.value.remedy == (
        "Co-register the images of a case and resample them to one grid."
    )
    assert caught.value.code == "grid-mismatch"
    assert threshold_segmenter.seen == []
