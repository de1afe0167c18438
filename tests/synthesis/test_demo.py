import csv
import json
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_header, read_labels
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.errors import UsageError
from medprompt_cli.evaluation.cases import read_cases
from medprompt_cli.evaluation.judging import judge
from medprompt_cli.synthesis.demo import TRUTH, DemoOptions, write_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo")
    write_demo(root, DemoOptions(subjects=2, sessions=2, small=True))
    return root


def table(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def volumes(demo):
    rows = table(demo / TRUTH / "volumes.tsv")
    return {
        (r["participant_id"], r["session_id"], r["region"]): float(r["volume_ml"]) for r in rows
    }


def test_it_is_a_dataset_without_problems(demo):
    dataset = open_dataset(demo)

    assert dataset.problems == ()
    found = [(e.subject, e.session, e.suffix) for e in dataset.images]
    assert sorted(found) == [
        (f"sub-{n:02}", f"ses-{m:02}", suffix)
        for n in (1, 2)
        for m in (1, 2)
        for suffix in ("FLAIR", "T1w")
    ]


def test_sessions_and_scans_carry_their_dates(demo):
    sessions = table(demo / "sub-01" / "sub-01_sessions.tsv")
    days = [datetime.fromisoformat(row["acq_time"]) for row in sessions]

    assert [row["session_id"] for row in sessions] == ["ses-01", "ses-02"]
    assert 345 <= (days[1] - days[0]).days <= 385
    scans = table(demo / "sub-01" / "ses-01" / "sub-01_ses-01_scans.tsv")
    assert [row["filename"] for row in scans] == [
        "anat/sub-01_ses-01_T1w.nii.gz",
        "anat/sub-01_ses-01_FLAIR.nii.gz",
    ]
    assert datetime.fromisoformat(scans[0]["acq_time"]) == days[0]


def test_participants_are_described(demo):
    people = table(demo / "participants.tsv")
    described = json.loads((demo / "participants.json").read_text())

    assert [row["participant_id"] for row in people] == ["sub-01", "sub-02"]
    assert set(described) == set(people[0]) - {"participant_id"}


def test_the_flair_has_thick_slices_and_is_oblique(demo):
    flair = read_image(demo / "sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii.gz").geometry

    assert flair.spacing == pytest.approx((2, 2, 6), abs=1e-4)
    assert np.count_nonzero(np.abs(flair.affine[:3, :3]) > 1e-3) == 5


def test_truth_lies_on_the_grid_of_its_scan_to_the_last_bit(demo):
    for image in sorted(demo.glob("sub-*/ses-*/anat/*.nii.gz")):
        entities, suffix = image.name.removesuffix(".nii.gz").rsplit("_", 1)
        place = demo / TRUTH / image.parent.relative_to(demo)
        for kind in (f"seg-truth_desc-{suffix}_dseg", f"label-Lesion_desc-{suffix}_mask"):
            truth = read_header(place / f"{entities}_space-orig_{kind}.nii.gz").geometry
            source = read_header(image).geometry
            assert truth.shape == source.shape
            assert np.array_equal(truth.affine, source.affine)


def test_what_changes_changes_as_told(demo):
    found = volumes(demo)
    for subject in ("sub-01", "sub-02"):
        for region, factor in (
            ("left-lateral-ventricle", 1.10),
            ("right-hippocampus", 0.95),
            ("lesion-1", 1.30),
        ):
            first, second = (found[subject, s, region] for s in ("ses-01", "ses-02"))
            assert second / first == pytest.approx(factor, abs=0.5 * 0.008 / first + 1e-3)
        assert found[subject, "ses-01", "lesion-3"] == found[subject, "ses-02", "lesion-3"] > 0
        assert found[subject, "ses-01", "lesion-2"] > 0 == found[subject, "ses-02", "lesion-2"]
        assert found[subject, "ses-01", "lesion-4"] == 0 < found[subject, "ses-02", "lesion-4"]


def test_what_is_new_has_no_percent_and_stays(tmp_path):
    write_demo(tmp_path / "demo", DemoOptions(subjects=1, sessions=3, small=True))
    rows = table(tmp_path / "demo" / TRUTH / "volumes.tsv")
    new = [row for row in rows if row["region"] == "lesion-4"]
    gone = [row for row in rows if row["region"] == "lesion-2"]

    assert [row["percent_change"] for row in new] == ["n/a"] * 3
    before, at_once, later = (float(row["volume_ml"]) for row in new)
    assert before == 0 < at_once == later
    assert [float(row["percent_change"]) for row in gone] == [0, -100, -100]


def test_the_table_of_volumes_is_what_the_label_maps_hold(demo):
    found = volumes(demo)
    place = demo / TRUTH / "sub-02" / "ses-02" / "anat"
    labels = read_labels(place / "sub-02_ses-02_space-orig_seg-truth_desc-T1w_dseg.nii.gz")
    lesion = read_labels(place / "sub-02_ses-02_space-orig_label-Lesion_desc-T1w_mask.nii.gz")

    for name, index in BASE_INDEX.items():
        counted = (labels.voxels == index).sum() * 0.008
        assert found["sub-02", "ses-02", name] == pytest.approx(counted, abs=6e-4)
    assert found["sub-02", "ses-02", "lesion"] == pytest.approx(
        lesion.voxels.sum() * 0.008, abs=6e-4
    )


def test_both_scans_of_a_visit_show_the_same_anatomy_in_the_same_place(demo):
    middles, sizes = [], []
    for suffix in ("T1w", "FLAIR"):
        name = f"sub-01_ses-02_space-orig_seg-truth_desc-{suffix}_dseg.nii.gz"
        labels = read_labels(demo / TRUTH / "sub-01" / "ses-02" / "anat" / name)
        where = np.argwhere(labels.voxels == BASE_INDEX["left-thalamus"])
        middles.append(labels.geometry.to_world(where).mean(axis=0))
        sizes.append(len(where) * labels.geometry.voxel_volume_mm3)

    assert middles[0] == pytest.approx(middles[1], abs=0.7)
    assert sizes[0] == pytest.approx(sizes[1], rel=0.06)


def test_lesions_are_bright_on_flair(demo):
    image = read_image(demo / "sub-01/ses-02/anat/sub-01_ses-02_FLAIR.nii.gz").voxels
    place = demo / TRUTH / "sub-01/ses-02/anat"
    lesion = read_labels(
        place / "sub-01_ses-02_space-orig_label-Lesion_desc-FLAIR_mask.nii.gz"
    ).voxels
    labels = read_labels(
        place / "sub-01_ses-02_space-orig_seg-truth_desc-FLAIR_dseg.nii.gz"
    ).voxels
    white = np.isin(labels, (2, 41)) & (lesion == 0)

    assert image[lesion > 0].mean() > 1.3 * image[white].mean()


def test_the_manifest_names_every_scan_and_its_truth(demo):
    cases = read_cases(demo / TRUTH / "manifest.tsv")

    assert [case.name for case in cases] == [
        f"sub-{n:02}_ses-{m:02}_{suffix}"
        for n in (1, 2)
        for m in (1, 2)
        for suffix in ("T1w", "FLAIR")
    ]
    assert [case.group for case in cases[:2]] == ["T1w", "FLAIR"]
    assert cases[0].truth is not None
    found: Any = SimpleNamespace(labels=read_labels(cases[0].truth), masks={}, parcels=None)
    scores = next(judge(cases[:1], lambda volumes, names: found))
    assert {one.value for one in scores if one.quantity == "dice"} == {1.0}


def test_the_same_seed_gives_the_same_bytes(demo, tmp_path):
    write_demo(tmp_path, DemoOptions(subjects=1, sessions=1, small=True))
    other = tmp_path.with_name("other")
    write_demo(other, DemoOptions(subjects=1, sessions=1, small=True, seed=1))

    image = "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz"
    assert (tmp_path / image).read_bytes() == (demo / image).read_bytes()
    assert (other / image).read_bytes() != (demo / image).read_bytes()


def test_each_image_is_reported_once_written(tmp_path):
    seen = []

    written = write_demo(
        tmp_path,
        DemoOptions(subjects=1, sessions=1, small=True),
        lambda path: seen.append((path, path.exists())),
    )

    assert seen == [(path, True) for path in written]


def test_a_folder_with_anything_in_it_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()

    with pytest.raises(UsageError, match="is not empty: it holds") as caught:
        write_demo(tmp_path, DemoOptions())

    assert str(caught.value) == f"{tmp_path} is not empty: it holds notes.txt."
    assert caught.value.remedy == "Give a folder that is new or empty."
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_refused(tmp_path):
    file = tmp_path / "demo"
    file.touch()

    with pytest.raises(UsageError, match="is a file") as caught:
        write_demo(file, DemoOptions())

    assert str(caught.value) == f"{file} is a file."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subjects": 0}, "A demo cannot have 0 subjects."),
        ({"sessions": 9}, "A demo cannot have 9 sessions."),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(UsageError, match="A demo cannot have") as caught:
        DemoOptions(**options)

    assert str(caught.value) == message
