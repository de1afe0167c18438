"""Opening every image of a dataset: headers, voxels, and what is wrong with them."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.cohort.inspection import inspect

AFFINE = np.diag([0.5, 0.5, 3.0, 1.0])


def image_bytes(affine=AFFINE, *, voxels=None):
    if voxels is None:
        voxels = np.arange(10 * 12 * 9, dtype=np.int16).reshape(10, 12, 9)
    return gzip.compress(nibabel.Nifti1Image(voxels, affine).to_bytes())


@pytest.fixture
def folder(tmp_path):
    """A folder with a good image, one broken in its header and one in its voxels."""
    (tmp_path / "good_T1w.nii.gz").write_bytes(image_bytes())
    flat = np.zeros((10, 12, 1), dtype=np.int16)
    (tmp_path / "flat_T1w.nii.gz").write_bytes(image_bytes(voxels=flat))
    content = bytearray(image_bytes())
    content[-5] ^= 1
    (tmp_path / "flipped_FLAIR.nii.gz").write_bytes(content)
    return tmp_path


def codes(inspection):
    return {problem.path.name: problem.code for problem in inspection.problems}


def test_headers_are_read_and_the_rest_goes_on(folder):
    inspection = inspect(open_dataset(folder))

    assert [i.entry.stem for i in inspection.usable] == ["flipped_FLAIR", "good_T1w"]
    assert codes(inspection) == {"flat_T1w.nii.gz": "two-dimensional"}
    assert inspection.spacings() == {
        "FLAIR": {(0.5, 0.5, 3.0): 1},
        "T1w": {(0.5, 0.5, 3.0): 1},
    }


def test_deep_finds_what_only_the_voxels_show(folder):
    inspection = inspect(open_dataset(folder), deep=True)

    assert [i.entry.stem for i in inspection.usable] == ["good_T1w"]
    assert codes(inspection) == {
        "flat_T1w.nii.gz": "two-dimensional",
        "flipped_FLAIR.nii.gz": "damaged",
    }


@pytest.mark.parametrize("deep", [False, True])
def test_progress_hears_of_each_image_once(folder, deep):
    heard = []
    inspect(open_dataset(folder), deep=deep, advance=heard.append)

    assert sorted(heard) == ([False, True, True] if deep else [False, False, True])


def test_problems_are_said_once_and_the_worst_first(tmp_path):
    for who in ("01", "02"):
        path = tmp_path / f"sub-{who}/anat/sub-{who}_T1w.nii.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(image_bytes())
    (tmp_path / "sub-01/anat/sub-01_FLAIR.nii.gz").touch()
    (tmp_path / "T1w.json").write_text("{")
    (tmp_path / "participants.tsv").write_text("participant_id\nsub-01\n")
    problems = inspect(open_dataset(tmp_path)).problems

    assert [(problem.severity, problem.code) for problem in problems] == [
        ("skipped", "empty"),
        ("warning", "bad-sidecar"),
        ("note", "missing-row"),
    ]


def test_what_reading_mended_is_a_note(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(image_bytes() + b"rest")
    shallow = inspect(open_dataset(tmp_path))
    deep = inspect(open_dataset(tmp_path), deep=True)

    assert shallow.problems == ()
    assert [(p.code, p.severity, p.message) for p in deep.problems] == [
        ("mended", "note", "4 bytes after the gzip stream were left out.")
    ]


@pytest.mark.shared
def test_a_series_is_decoded_whatever_was_asked(shared_data):
    inspection = inspect(open_dataset(shared_data / "ct"))

    assert [image.usable for image in inspection.images] == [True]
    assert {problem.code for problem in inspection.problems} == {"mended"}
