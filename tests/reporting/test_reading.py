"""What an output folder holds of a subject: images, masks, places, and what is gone."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.errors import InputError
from medprompt_cli.reporting.reading import read_cases

AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
SHAPE = (8, 9, 7)


def save(path, voxels, **sidecar):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.Nifti1Image(voxels, AFFINE).to_filename(path)
    if sidecar:
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))


@pytest.fixture
def out(tmp_path):
    """One visit with a label map, a mask, and two lesions that were followed."""
    image = np.random.default_rng(0).integers(0, 100, SHAPE).astype(np.int16)
    save(tmp_path / "data/sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz", image)
    out = tmp_path / "out"
    uri = "bids:source:sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz"
    about = {"Sources": [uri], "PlanHash": "0" * 64}
    stem = out / "sub-01/ses-01/anat/sub-01_ses-01_space-orig"
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 2:4, 3] = 17
    ids = np.zeros(SHAPE, np.uint8)
    ids[2, 2:5, 2] = 1
    ids[5:7, 5:7, 5:7] = 4
    region = {"left-hippocampus": {"Status": "measured"}}
    lesion = {"ms-lesion": {"Status": "measured"}}
    save(
        stem.with_name(f"{stem.name}_seg-medprompt_desc-T1w_dseg.nii.gz"),
        labels,
        **about,
        Targets=region,
    )
    save(
        stem.with_name(f"{stem.name}_label-MsLesion_desc-T1w_mask.nii.gz"),
        (ids > 0).astype(np.uint8),
        **about,
        Targets=lesion,
    )
    followed = stem.with_name(f"{stem.name}_seg-MsLesionIds_desc-T1w_dseg.nii.gz")
    save(followed, ids, Sources=[uri])
    followed.with_name(followed.name.replace(".nii.gz", ".tsv")).write_text(
        "index\tname\n1\tms-lesion-1\n4\tms-lesion-4\n"
    )
    (out / "seg-medprompt_dseg.tsv").write_text(
        "index\tname\n0\tbackground\n17\tleft-hippocampus\n"
    )
    (out / "dataset_description.json").write_text(
        json.dumps({"Name": "out", "DatasetLinks": {"source": "../data"}})
    )
    return out


def test_a_scan_comes_with_its_regions(out):
    [case] = read_cases(out, "sub-01")
    [image], [labels], [mask] = case.images, case.labels, case.masks

    assert (case.name, case.visit, case.notes) == ("sub-01_ses-01_T1w", "ses-01", ())
    assert np.allclose(image.geometry.affine, AFFINE)
    assert labels.names == {17: "left-hippocampus"}
    assert (labels.voxels == 17).sum() == 4
    assert (mask.region, mask.voxels.sum()) == ("ms-lesion", 11)
    assert case.to_shared is None


def test_lesions_that_were_followed_have_places_by_their_ids(out):
    [case] = read_cases(out, "sub-01")

    assert case.places == {
        "ms-lesion@1": pytest.approx((4, 6, 6)),
        "ms-lesion@4": pytest.approx((11, 11, 16.5)),
    }


def test_a_transform_is_taken_from_the_summary(out):
    move = np.eye(4)
    move[0, 3] = 7
    visits = [
        {"Case": "sub-01_ses-01_T1w", "ToMidspace": move.tolist()},
        {"Case": "sub-01_ses-02_T1w", "ToMidspace": None},
    ]
    (out / "sub-01_longitudinal.json").write_text(json.dumps({"Visits": visits}))
    [case] = read_cases(out, "sub-01")

    assert case.to_shared is not None
    assert np.array_equal(case.to_shared, move)


def test_a_damaged_summary_is_named(out):
    (out / "sub-01_longitudinal.json").write_text("{")

    with pytest.raises(InputError, match=r"sub-01_longitudinal\.json cannot be read"):
        read_cases(out, "sub-01")


def test_a_scan_whose_image_is_gone_says_so(out):
    image = out.parent / "data/sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz"
    image.unlink()
    [case] = read_cases(out, "sub-01")

    assert case.images == ()
    assert "sub-01_ses-01_T1w.nii.gz" in case.notes[0]
    assert len(case.masks) == 1


def test_a_scan_without_a_mask_is_known_by_its_tables(out):
    uri = "bids:source:sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz"
    both = read_cases(out, "sub-01", {"sub-01_ses-01_FLAIR": [uri], "sub-01_ses-01_T1w": [uri]})

    assert [(case.name, len(case.images), len(case.masks)) for case in both] == [
        ("sub-01_ses-01_FLAIR", 1, 0),
        ("sub-01_ses-01_T1w", 1, 1),
    ]
    assert both[0].visit == "ses-01"


def test_of_a_subject_without_files_there_is_nothing(out):
    assert read_cases(out, "sub-99") == []
