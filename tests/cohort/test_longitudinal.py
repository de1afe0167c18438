"""Subjects with known change: its signs, sizes and fates come out, or a reason why not."""

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
from medprompt_cli.cohort import longitudinal as running
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.errors import UsageError
from medprompt_cli.longitudinal.midspace import Midspace
from medprompt_cli.longitudinal.repeatability import Limits, Repeatability, write_limits
from medprompt_cli.synthesis.demo_scans import make_person, visits

PROMPTS = ("left hippocampus", "ventricles", "lesion")
GROWING, GONE, NEW = 1, 2, 3
SHOWN = ({GROWING, GONE}, {GROWING, NEW})
"""Lesions of the demo that are painted at either visit."""

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


@pytest.fixture(scope="session")
def heads():
    """Two visits of one person, in two positions, as images in which regions shine."""
    random = np.random.default_rng((0, 1))
    person = make_person(random)
    images = []
    for (sharp, _), shown in zip(visits(person, random, 2, small=True), SHOWN, strict=True):
        voxels = sharp.voxels.astype(np.int16) // 2
        inside = sharp.labels > 0
        voxels[inside] = 100 + sharp.labels[inside].astype(np.int16)
        voxels[np.isin(sharp.lesions, list(shown))] = LESION
        images.append((voxels, sharp))
    return images


@pytest.fixture(autouse=True)
def without_weights(monkeypatch, threshold_segmenter):
    """Use a segmenter without a network."""
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    return threshold_segmenter


def write_bids(root, heads):
    """The person, with dates."""
    for session, (voxels, sharp) in zip("12", heads, strict=True):
        folder = root / "sub-01" / f"ses-{session}"
        (folder / "anat").mkdir(parents=True)
        name = f"anat/sub-01_ses-{session}_FLAIR.nii.gz"
        image = nib.Nifti1Image(voxels, sharp.geometry.affine)
        image.header.set_xyzt_units("mm")
        image.to_filename(folder / name)
        (folder / f"sub-01_ses-{session}_scans.tsv").write_text(
            f"filename\tacq_time\n{name}\t{sharp.acquired.isoformat()}\n"
        )
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.11.0"}')
    return root


@pytest.fixture(scope="module")
def followed(tmp_path_factory, heads, make_segmenter):
    """What became of the person, with registration and all; and where it lies."""
    folder = tmp_path_factory.mktemp("followed")
    (folder / "limits.toml").write_text(write_limits(LIMITS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "_open_segmenter", lambda options: make_segmenter())
        options = LongitudinalOptions(limits=folder / "limits.toml")
        summary = longitudinal(
            write_bids(folder / "bids", heads), folder / "out", PROMPTS, options
        )
    return summary, folder / "out"


@pytest.fixture
def bids(tmp_path, heads):
    return write_bids(tmp_path / "bids", heads)


@pytest.fixture
def run(bids, tmp_path, monkeypatch):
    """Follow the person, without the seconds that registration takes."""
    still = Midspace((np.eye(4), np.eye(4)), {}, None, None)
    monkeypatch.setattr(following, "find_midspace", lambda *_, **__: still)

    def follow(**options):
        return longitudinal(bids, tmp_path / "out", PROMPTS, LongitudinalOptions(**options))

    return follow


@pytest.fixture
def summary_of(tmp_path):
    return lambda: read_summary(tmp_path / "out")


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
    assert summary_of()["Ledger"]["lesion"]["Between"][0]["Fates"] == {"resolved": 2}
    assert [p.name for p in (tmp_path / "out").rglob("*LesionIds*.nii.gz")] == [
        "sub-01_ses-1_space-orig_seg-LesionIds_desc-FLAIR_dseg.nii.gz"
    ]


def test_lesions_that_are_not_known_do_not_resolve(run, tmp_path, summary_of, monkeypatch):
    statuses = running._statuses

    def unsure(outcome):
        found = statuses(outcome)
        return found | {"lesion": "failed_qc"} if "ses-2" in outcome.name else found

    monkeypatch.setattr(running, "_statuses", unsure)
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
