"""Scans of a session that are read together make one case, or an error that names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.cohort.run import Job, run_job
from medprompt_cli.cohort.together import form_cases
from medprompt_cli.cohort.units import choose
from medprompt_cli.planning.vocabulary import Target

KINDS = ("T1w", "FLAIR")
LESION = Target("ms-lesion", (), "lesion", visible=True)
PARCEL = Target("left-precuneus", ("left-precuneus",), "parcel", visible=True)
STEM = "sub-01/ses-a/anat/sub-01_ses-a_space-orig"
MASK = f"{STEM}_label-MsLesion_desc-FLAIRT1w_mask"
PARCELS = f"{STEM}_seg-dkt_desc-FLAIRT1w_dseg"


def scan_path(bids, session, suffix, more=""):
    stem = f"sub-01_ses-{session}{more}_{suffix}"
    return bids / "sub-01" / f"ses-{session}" / "anat" / f"{stem}.nii.gz"


@pytest.fixture
def bids(tmp_path, save_scan) -> Path:
    """One subject, two sessions; the lesion shows in FLAIR, the rest in T1w."""
    root = tmp_path / "bids"
    for session in "ab":
        save_scan(scan_path(root, session, "T1w"), "left-cerebral-white-matter")
        save_scan(scan_path(root, session, "FLAIR"), "csf", "ms-lesion", "left-precuneus")
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.11.0"}')
    return root


@pytest.fixture
def run(bids, tmp_path, threshold_segmenter):
    """Read FLAIR and T1w of every session together; say what became of each by name."""

    def run_sessions(kinds=KINDS):
        dataset = open_dataset(bids)
        images = choose(dataset.images, kinds)
        job = Job(
            tmp_path / "out",
            dataset.root,
            images,
            (),
            ("ms lesion",),
            (LESION, PARCEL),
            together=kinds,
        )
        return run_job(job, threshold_segmenter)

    return run_sessions


def load(path) -> Any:
    return nib.load(path)


def failures(summary):
    return {outcome.name: outcome.failure.code for outcome in summary.having("failed")}


def test_a_session_gives_one_set_of_masks(run, bids, tmp_path, threshold_segmenter):
    summary = run()
    out = tmp_path / "out"
    first = summary.outcomes[0]
    flair, t1w = (scan_path(bids, "a", suffix) for suffix in ("FLAIR", "T1w"))

    assert threshold_segmenter.seen == [
        f"sub-01_ses-{session}_FLAIR.nii.gz+sub-01_ses-{session}_T1w.nii.gz" for session in "ab"
    ]
    assert [o.name for o in summary.outcomes] == [
        "sub-01_ses-a_FLAIRT1w",
        "sub-01_ses-b_FLAIRT1w",
    ]
    assert first.masks == (out / f"{PARCELS}.nii.gz", out / f"{MASK}.nii.gz")
    assert (first.source, first.partners) == (flair, (t1w,))
    for mask in first.masks:
        image = load(mask)
        assert image.shape == load(flair).shape
        assert image.affine.tobytes() == load(flair).affine.tobytes()
    assert (out / "seg-dkt_dseg.tsv").is_file()


def test_every_source_is_told(run, bids, tmp_path):
    run()
    anat = "bids:source:sub-01/ses-a/anat/sub-01_ses-a"
    record = json.loads((tmp_path / "out/logs/sub-01_ses-a_FLAIRT1w.json").read_text())

    for stem in (MASK, PARCELS):
        sidecar = json.loads((tmp_path / "out" / f"{stem}.json").read_text())
        assert sidecar["Sources"] == [f"{anat}_FLAIR.nii.gz", f"{anat}_T1w.nii.gz"]
    assert record["inputs"] == [
        str(scan_path(bids, "a", "FLAIR")),
        str(scan_path(bids, "a", "T1w")),
    ]
    assert record["targets"]["ms-lesion"]["Status"] == "measured"


def test_an_absent_lesion_is_in_the_record_and_has_no_file(run, bids, tmp_path, save_scan):
    save_scan(scan_path(bids, "a", "FLAIR"), "left-cerebral-cortex")
    run()
    record = json.loads((tmp_path / "out/logs/sub-01_ses-a_FLAIRT1w.json").read_text())

    assert sorted(record["outputs"]) == [
        f"{table}/sub-01_ses-a_FLAIRT1w.parquet" for table in ("lesions", "measurements")
    ]
    assert record["targets"]["ms-lesion"] == {
        "Status": "absent",
        "Presence": 0.0,
        "VolumeMl": None,
        "DetectionLimitMl": 1.23,
    }


def test_the_order_in_which_kinds_are_named_changes_nothing(run, threshold_segmenter):
    run()
    threshold_segmenter.seen.clear()
    again = run(("flair", "T1W"))

    assert [o.status for o in again.outcomes] == ["kept", "kept"]
    assert [len(o.partners) for o in again.outcomes] == [1, 1]
    assert threshold_segmenter.seen == []


@pytest.mark.parametrize("suffix", KINDS)
def test_a_change_of_either_scan_does_the_case_again(run, bids, threshold_segmenter, suffix):
    run()
    threshold_segmenter.seen.clear()
    scan = scan_path(bids, "a", suffix)
    content = bytearray(scan.read_bytes())
    content[4] ^= 1  # the time in the header of gzip
    scan.write_bytes(content)
    again = run()

    assert [o.status for o in again.outcomes] == ["kept", "done"]
    assert len(threshold_segmenter.seen) == 1


def test_scans_of_two_grids_are_an_error_that_names_both(run, bids, tmp_path):
    flair, t1w = (scan_path(bids, "a", suffix) for suffix in ("FLAIR", "T1w"))
    ramp = np.arange(8**3, dtype=np.int16).reshape(8, 8, 8)
    nib.Nifti1Image(ramp, np.eye(4)).to_filename(t1w)
    summary = run()
    failure = summary.having("failed")[0].failure

    assert failure.as_json() == {
        "code": "grid-mismatch",
        "problem": f"{t1w} does not lie on the grid of {flair}.",
        "remedy": "Co-register the images of a case and resample them to one grid.",
    }
    assert [o.name for o in summary.having("done")] == ["sub-01_ses-b_FLAIRT1w"]
    assert not (tmp_path / "out" / f"{MASK}.nii.gz").exists()


@pytest.mark.parametrize("suffix", KINDS)
def test_a_broken_scan_is_an_error_and_not_left_out(run, bids, suffix, threshold_segmenter):
    scan = scan_path(bids, "a", suffix)
    scan.write_bytes(scan.read_bytes()[:-40])
    summary = run()
    failure = summary.having("failed")[0].failure

    assert (failure.code, failure.of_input) == ("truncated", True)
    assert failure.problem.startswith(str(scan))
    assert len(threshold_segmenter.seen) == 1


def test_a_missing_scan_is_an_error_and_not_left_out(run, bids):
    scan_path(bids, "a", "FLAIR").unlink()
    summary = run()
    failed = summary.having("failed")[0]

    assert (failed.name, summary.exit_code, summary.planned) == ("sub-01_ses-a", 1, 2)
    assert failed.failure.as_json() == {
        "code": "missing-scan",
        "problem": f"{scan_path(bids, 'a', 'T1w')} has no FLAIR beside it in sub-01_ses-a "
        "to be read together with.",
        "remedy": "Add the scan, or say in a manifest which scans are of one session.",
    }


def test_two_scans_of_a_kind_are_not_chosen_between(run, bids, save_scan):
    save_scan(scan_path(bids, "b", "T1w", "_run-2"), "csf")
    summary = run()
    first, second = scan_path(bids, "b", "T1w"), scan_path(bids, "b", "T1w", "_run-2")

    assert failures(summary) == {"sub-01_ses-b": "several-scans"}
    assert summary.having("failed")[0].failure.problem in {
        f"{one} and {other} are both T1w of sub-01_ses-b: "
        "which one is to be read together with the rest is not known."
        for one, other in ((first, second), (second, first))
    }


def test_without_kinds_every_image_is_a_case(bids):
    images = open_dataset(bids).images
    cases, refused = form_cases(images)

    assert (cases, refused) == ([(image,) for image in images], [])
