"""Subjects with known change: its signs, sizes and fates come out."""

from __future__ import annotations

import json
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli import api
from medprompt_cli.api import LongitudinalOptions, longitudinal
from medprompt_cli.cohort import following
from medprompt_cli.cohort.signals import SignalsFound
from medprompt_cli.longitudinal.midspace import Midspace
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.plan_file import Plan, WeightsUsed, write_plan

PROMPTS = ("left hippocampus", "ventricles", "lesion")
GROWING, GONE, NEW = 1, 2, 3


def read_summary(out):
    return json.loads((out / "sub-01_longitudinal.json").read_text())


def load(path) -> Any:
    return nib.load(path)


def parts(folder) -> Any:
    return pd.read_parquet(folder)


def changes(out):
    table = parts(out / "changes").set_index(["region", "quantity"])
    return table.sort_index()


def test_known_change_comes_out(followed, heads):
    summary, out = followed
    [subject] = summary.subjects
    table = changes(out)
    hippocampus = table.loc["left-hippocampus", "soft-volume"]
    ventricles = table.loc["ventricles", "soft-volume"]
    days = (heads[1][1].acquired - heads[0][1].acquired).total_seconds() / 86400
    counts = [np.count_nonzero(voxels == 117) for voxels, _ in heads]

    assert (summary.exit_code, subject.failure, subject.notes) == (0, None, ())
    assert hippocampus["percent"] == pytest.approx(100 * (counts[1] / counts[0] - 1))
    assert hippocampus["percent"] == pytest.approx(-5, abs=0.5)
    assert 4 < ventricles["percent"] < 10  # the lateral ones grow by 10 %, the others stay
    assert hippocampus["days"] == pytest.approx(days)
    assert hippocampus["annual_linear_percent"] == pytest.approx(
        hippocampus["percent"] * 365.25 / days
    )
    assert (hippocampus["exceeds_limit"], ventricles["exceeds_limit"]) == (True, False)
    assert (hippocampus["earlier_session"], hippocampus["session_id"]) == ("ses-1", "ses-2")


def test_every_lesion_has_its_fate_and_keeps_its_id(followed, heads):
    _, out = followed
    ledger = parts(out / "ledger")
    fates = ledger[ledger["session_id"] == "ses-2"].set_index("lesion")["fate"].to_dict()
    counts = read_summary(out)["Ledger"]["lesion"]["Between"]
    assert sorted(fates.values()) == ["enlarging", "new", "resolved"]
    assert counts[0]["Fates"] == {"enlarging": 1, "resolved": 1, "new": 1}

    growing, gone, new = (
        next(id_ for id_, fate in fates.items() if fate == wanted)
        for wanted in ("enlarging", "resolved", "new")
    )
    numbers = ((GROWING, growing, (0, 1)), (GONE, gone, (0,)), (NEW, new, (1,)))
    for session, (_, sharp) in enumerate(heads):
        path = out / f"sub-01/ses-{session + 1}/anat"
        stem = f"sub-01_ses-{session + 1}_space-orig_seg-LesionIds_desc-FLAIR_dseg"
        image = load(path / f"{stem}.nii.gz")
        ids = np.asarray(image.dataobj)
        assert np.array_equal(image.affine, sharp.geometry.affine)
        for number, id_, there in numbers:
            expected = (sharp.lesions == number) & (session in there)
            assert np.array_equal(ids == id_, expected)
        names = pd.read_csv(path / f"{stem}.tsv", sep="\t")
        assert list(names["name"]) == [f"lesion-{n}" for n in names["index"]]
    grown = ledger[ledger["lesion"] == growing].set_index("session_id")["volume_ml"]
    assert grown["ses-2"] / grown["ses-1"] == pytest.approx(1.3, abs=0.01)
    lost = ledger[(ledger["lesion"] == gone) & (ledger["session_id"] == "ses-2")].iloc[0]
    assert lost["status"] == "absent"
    assert lost[["volume_ml", "mask"]].isna().all()


def test_the_summary_reads_what_was_found(followed):
    _, out = followed
    found = read_summary(out)
    readings = {reading["Name"]: reading for reading in found["Readings"]}
    page = (out / "sub-01_longitudinal.md").read_text()

    activity = readings["t2-lesion-activity, lesion, ses-1 to ses-2"]
    assert (activity["Value"], activity["Numbers"]["new"]) == ("active", 1)
    assert readings["ventricle-change"]["Value"] == "no change beyond noise"
    assert found["Registration"]["Failure"] is None
    assert found["Registration"]["Pairs"][0]["StandingOut"] > 10
    assert np.array(found["Visits"][0]["ToMidspace"]).shape == (4, 4)
    assert all((out / name).is_file() for name in found["Files"])
    assert "| left-hippocampus |" in page
    assert "beyond noise" in page
    assert "For research only" in page


def test_the_images_themselves_bear_out_every_fate(followed):
    """White matter was not asked for, and was segmented for this."""
    _, out = followed
    ledger = parts(out / "ledger")
    z = ledger[ledger["session_id"] == "ses-2"].set_index("fate")["signal_z"]
    [signal] = read_summary(out)["Signal"]
    ways = {patch["Way"] for patch in signal["Patches"]}
    name = "sub-01/ses-2/anat/sub-01_ses-2_space-orig_seg-SignalChange_desc-FLAIR_dseg.nii.gz"
    patches = load(out / name)

    assert z["new"] > 5
    assert z["enlarging"] > 2
    assert z["resolved"] < -5
    assert (signal["First"], signal["Second"], ways) == (
        "ses-1",
        "ses-2",
        {"brighter", "darker"},
    )
    assert name in read_summary(out)["Files"]
    assert set(np.unique(patches.dataobj)) <= {0, *(p["Number"] for p in signal["Patches"])}
    assert "Signal of white matter" in (out / "sub-01_longitudinal.md").read_text()


def test_results_that_are_there_are_gone_on_with_and_the_lack_is_told(
    bids, tmp_path, monkeypatch, summary_of
):
    still = Midspace((np.eye(4), np.eye(4)), {}, None, None)
    monkeypatch.setattr(following, "find_midspace", lambda *_, **__: still)
    api.segment(bids, tmp_path / "out", PROMPTS)
    summary = longitudinal(bids, tmp_path / "out", PROMPTS)

    assert len(summary.segmented.having("kept")) == 2
    assert summary_of()["Signal"] == []
    assert any("ask for cerebral-white-matter" in said for said in summary_of()["Warnings"])


@pytest.fixture
def how_many_new(tmp_path, without_weights):
    """A plan that asks how many lesions are new."""
    used = WeightsUsed(
        without_weights.weights_name,
        without_weights.weights_version,
        without_weights.weights_sha256,
    )
    program = compose(Intent(("lesion",), ("new-lesions",), "visits", visits="first-last"))
    write_plan(tmp_path / "plan.json", Plan("how many new lesions", program, used, "en"))
    return tmp_path / "plan.json"


def test_how_many_are_new_is_answered(bids, tmp_path, monkeypatch, how_many_new, summary_of):
    still = Midspace((np.eye(4), np.eye(4)), {}, None, None)
    monkeypatch.setattr(following, "find_midspace", lambda *_, **__: still)
    monkeypatch.setattr(following, "find_signals", lambda *_: SignalsFound({}))
    options = LongitudinalOptions(plan=how_many_new)
    [subject] = longitudinal(bids, tmp_path / "out", (), options).subjects
    [again] = longitudinal(bids, tmp_path / "out", (), options).subjects
    [asked] = summary_of()["Asked"]

    assert (asked["Fate"], asked["Status"]) == ("new", "measured")
    assert asked["Count"] == 1
    assert subject.answers == ("new lesion, ses-1 to ses-2: 1.",) == again.answers
    assert again.kept
    assert (
        "- new lesion, ses-1 to ses-2: 1."
        in (tmp_path / "out/sub-01_longitudinal.md").read_text()
    )


def test_how_many_are_new_at_one_visit_is_not_known(bids, tmp_path, how_many_new, summary_of):
    options = LongitudinalOptions(plan=how_many_new, sessions=("1",))
    summary = longitudinal(bids, tmp_path / "out", (), options)
    [asked] = summary_of()["Asked"]

    assert summary.exit_code == 0
    assert (asked["Count"], asked["Status"]) == (None, "error")
    assert asked["Note"] == "There is one visit only: nothing to compare it with."
