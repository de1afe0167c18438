"""Visits that fail, lack or were changed: said, not used, and never lost."""

from __future__ import annotations

import json
import shutil
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli import api
from medprompt_cli.api import LongitudinalOptions, longitudinal
from medprompt_cli.cohort import following
from medprompt_cli.cohort import longitudinal as running
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.errors import UsageError
from medprompt_cli.longitudinal.midspace import Midspace
from medprompt_cli.longitudinal.repeatability import Limits, Repeatability, write_limits

PROMPTS = ("left hippocampus", "ventricles", "lesion")
LESION = 5000 + LESIONS.index("lesion")
LIMITS = Limits(
    "a method",
    "nobody",
    {
        "soft-volume": {
            "hippocampus": Repeatability((0.5,) * 4),
            "ventricles": Repeatability((9.0,)),
        }
    },
)


def load(path) -> Any:
    return nib.load(path)


def parts(folder) -> Any:
    return pd.read_parquet(folder)


def changes(out):
    table = parts(out / "changes").set_index(["region", "quantity"])
    return table.sort_index()


def test_a_failed_registration_is_told_and_not_used(run, tmp_path, summary_of, monkeypatch):
    failed = Midspace((None, None), {}, None, "Only 3% of the smaller head lies there.")
    monkeypatch.setattr(following, "find_midspace", lambda *_, **__: failed)
    summary = run()
    out, found = tmp_path / "out", summary_of()

    assert summary.exit_code == 0
    assert found["Ledger"] == {"lesion": None}
    assert [visit["ToMidspace"] for visit in found["Visits"]] == [None, None]
    assert "Only 3% of the smaller head lies there." in found["Notes"][0]
    assert parts(out / "ledger").empty
    assert list(out.rglob("*LesionIds*")) == []
    assert changes(out).loc["left-hippocampus", "soft-volume"]["percent"] < -4
    assert "t2-lesion-activity" not in str(found["Readings"])


def test_one_visit_is_said_and_no_failure(run, tmp_path, summary_of):
    summary = run(sessions=("1",))
    found = summary_of()

    assert summary.exit_code == 0
    assert found["Notes"] == ["There is one visit only: nothing to compare it with."]
    assert found["FirstToLast"] == []
    assert found["Ledger"]["lesion"] == found["Ledger"]["lesion"] | {
        "Lesions": 2,
        "Between": [],
    }
    assert parts(tmp_path / "out" / "changes").empty
    assert summary.cohort == ()


def test_visits_whose_names_do_not_belong_together_are_told(run, bids):
    """As of a person whose second visit is called after another subject."""
    scan = bids / "sub-02/ses-2/anat/sub-02_ses-2_FLAIR.nii.gz"
    (bids / "sub-01/ses-2").rename(bids / "sub-02-2")
    scan.parent.mkdir(parents=True)
    (bids / "sub-02-2/anat/sub-01_ses-2_FLAIR.nii.gz").rename(scan)
    shutil.rmtree(bids / "sub-02-2")
    summary = run()

    assert summary.exit_code == 0
    assert any("names share sub- and differ in ses-" in said for said in summary.notes)


def test_what_has_not_changed_is_kept_and_a_changed_visit_is_not(
    run, bids, tmp_path, monkeypatch, summary_of
):
    run()
    before = {p: p.read_bytes() for p in (tmp_path / "out").glob("*_longitudinal.*")}
    with monkeypatch.context() as patch:
        patch.setattr(running, "follow", None)  # whoever calls it fails
        again = run()
    assert again.subjects[0].kept
    assert before == {p: p.read_bytes() for p in before}

    scan = bids / "sub-01/ses-2/anat/sub-01_ses-2_FLAIR.nii.gz"
    image = load(scan)
    voxels = np.asarray(image.dataobj).copy()
    voxels[voxels == LESION] = 50
    nib.Nifti1Image(voxels, image.affine, image.header).to_filename(scan)
    changed = run()

    assert not changed.subjects[0].kept
    between = summary_of()["Ledger"]["lesion"]["Between"][0]
    # one is smaller than what the segmenter says that it sees for sure
    assert (between["Fates"], between["CannotBeTold"]) == ({"resolved": 1}, 1)
    [said] = summary_of()["Warnings"]
    assert said.startswith("No lesion was found at ses-2; one of less than 1.23 mL may be")
    assert [p.name for p in (tmp_path / "out").rglob("*LesionIds*.nii.gz")] == [
        "sub-01_ses-1_space-orig_seg-LesionIds_desc-FLAIR_dseg.nii.gz"
    ]


def edit(path):
    """As somebody would who corrects the ledger by hand."""
    if path.suffix == ".gz":
        image = load(path)
        voxels = np.asarray(image.dataobj).copy()
        voxels[voxels == 1] = 0
        nib.Nifti1Image(voxels, image.affine, image.header).to_filename(path)
    elif path.suffix == ".parquet":
        pd.read_parquet(path).assign(fate="stable").to_parquet(path)
    else:
        path.write_text(path.read_text().replace("lesion", "spot", 1))


EDITED = (
    "ledger/sub-01.parquet",
    "sub-01/ses-2/anat/sub-01_ses-2_space-orig_seg-LesionIds_desc-FLAIR_dseg.nii.gz",
    "sub-01_longitudinal.md",
    "sub-01_longitudinal.json",
)


@pytest.mark.parametrize("name", EDITED)
def test_what_was_edited_by_hand_is_not_overwritten(run, tmp_path, name):
    run()
    path = tmp_path / "out" / name
    edit(path)
    mine = path.read_bytes()
    [kept] = run().subjects  # nothing else has changed: nothing to do
    [blocked] = run(affine=True).subjects  # everything would be written again

    assert kept.kept
    assert kept.warnings[-1] == f"{path} was changed after medprompt wrote it."
    assert blocked.failure is not None
    assert blocked.failure.code == "edited"
    assert blocked.failure.problem == (
        f"{path} was changed after medprompt wrote it, and is not overwritten."
    )
    assert blocked.failure.remedy.endswith("or overwrite it with --force.")
    assert path.read_bytes() == mine


def test_force_overwrites_and_a_file_moved_away_is_written_again(run, tmp_path):
    run()
    path = tmp_path / "out" / EDITED[0]
    before = path.read_bytes()
    edit(path)
    assert run(force=True).exit_code == 0
    assert path.read_bytes() == before

    edit(path)
    path.rename(tmp_path / "mine.parquet")
    [again] = run().subjects
    assert (again.failure, again.kept, path.read_bytes()) == (None, False, before)


def test_a_summary_that_cannot_be_read_any_more_is_not_overwritten(run, tmp_path):
    run()
    path = tmp_path / "out/sub-01_longitudinal.json"
    path.write_text("{ my notes")

    [subject] = run().subjects

    assert subject.failure is not None
    assert (subject.failure.code, path.read_text()) == ("edited", "{ my notes")


def test_lesions_that_are_not_known_do_not_resolve(run, tmp_path, summary_of, monkeypatch):
    read = running.read_results

    def unsure(out, visit, targets):
        failed = {"lesion": {"Status": "failed_qc"}} if "ses-2" in visit.name else {}
        return read(out, visit, {**targets, **failed})

    monkeypatch.setattr(running, "read_results", unsure)
    run()
    ledger = parts(tmp_path / "out" / "ledger")
    second = ledger[ledger["session_id"] == "ses-2"]

    assert set(second["status"]) == {"failed_qc"}
    assert second["fate"].isna().all()
    assert summary_of()["Warnings"] == [
        "The lesion at ses-2 is failed_qc: the ledger passes over that visit."
    ]


def test_noise_of_other_weights_is_not_applied(run, tmp_path):
    summary = run()

    assert "is that of anatomy-small 0.3.0, not of threshold 1.0.0" in summary.notes[0]
    assert changes(tmp_path / "out")["limit_percent"].isna().all()


def test_noise_of_t1w_is_not_applied_to_flair(run, tmp_path, summary_of, without_weights):
    without_weights.weights_name, without_weights.weights_version = "anatomy-small", "0.3.0"
    run()

    assert summary_of()["Warnings"] == [
        "This method's own noise is known for T1w with voxels up to 1.5 mm, not for FLAIR of 2"
        " mm: no change is held against it."
    ]
    assert summary_of()["Limits"] is None
    assert changes(tmp_path / "out")["exceeds_limit"].isna().all()


def test_a_changed_protocol_is_told_and_not_held_against_noise(run, bids, tmp_path, summary_of):
    (tmp_path / "limits.toml").write_text(write_limits(LIMITS))
    for session, echo in (("1", 0.09), ("2", 0.12)):
        path = bids / f"sub-01/ses-{session}/anat/sub-01_ses-{session}_FLAIR.json"
        path.write_text(json.dumps({"EchoTime": echo}))
    run(limits=tmp_path / "limits.toml")
    row = changes(tmp_path / "out").loc["left-hippocampus", "soft-volume"]

    assert summary_of()["Warnings"] == [
        "The scans of ses-1 and ses-2 differ: EchoTime 0.09 and 0.12. Change between them may"
        " come from that."
    ]
    assert (row["warnings"], row["exceeds_limit"]) == ("EchoTime 0.09 and 0.12", None)


def test_shards_are_refused(bids, tmp_path):
    with pytest.raises(UsageError, match="cannot be made of a part") as caught:
        longitudinal(bids, tmp_path / "out", PROMPTS, LongitudinalOptions(shard="1/2"))

    assert caught.value.remedy.startswith("Share out medprompt segment")


def test_a_subject_that_cannot_be_followed_does_not_end_the_run(run, monkeypatch):
    def fail(*_):
        raise ValueError("broken")

    monkeypatch.setattr(running, "follow", fail)
    summary = run()
    failure = summary.subjects[0].failure

    assert summary.exit_code == 1
    assert failure is not None
    assert "ValueError: broken" in failure.problem


def test_the_outcome_of_the_visits_is_that_of_segment(run, bids, tmp_path):
    api.segment(bids, tmp_path / "out", PROMPTS)
    summary = run()

    assert len(summary.segmented.having("kept")) == 2
