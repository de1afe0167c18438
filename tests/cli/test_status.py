"""`medprompt status` as a person and a script meet it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.cli.app import app

SCANS = ("sub-01/anat/sub-01_T1w", "sub-02/anat/sub-02_T1w", "sub-03/anat/sub-03_T1w")


@pytest.fixture(autouse=True)
def done(tmp_path, save_scan, monkeypatch, threshold_segmenter):
    """Segment three subjects; the third is broken."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    for stem in SCANS:
        save_scan(tmp_path / "bids" / f"{stem}.nii.gz", "left-hippocampus")
    (tmp_path / "bids" / f"{SCANS[2]}.nii.gz").write_bytes(b"no image")
    api.segment("bids", "out", ["left hippocampus"])


@pytest.fixture
def medprompt():
    def run(*arguments):
        shown = CliRunner().invoke(app, ["status", "out", *arguments])
        return shown.exit_code, shown.stdout

    return run


def test_in_words(medprompt, save_scan, tmp_path):
    save_scan(tmp_path / "bids" / f"{SCANS[1]}.nii.gz", "left-hippocampus", "brainstem")

    assert medprompt() == (
        1,
        "3 cases: 1 done, 1 failed, 0 to do, 1 stale. Results: out\n"
        "stale: 1 of an image that has changed\n"
        "failed [not-an-image]: 1\n"
        f"  sub-03_T1w: bids/{SCANS[2]}.nii.gz is neither NIfTI nor MGH: it begins with"
        " 'no i'.\n"
        "    Try: Give a .nii, .nii.gz, .mgh or .mgz file, or a DICOM folder.\n",
    )


def test_as_json(medprompt):
    code, stdout = medprompt("--json")
    told = json.loads(stdout)

    assert (code, told["exit_code"]) == (1, 1)
    assert told["counts"] == {"done": 2, "failed": 1, "todo": 0, "stale": 0}
    assert told["prompts"] == ["left hippocampus"]
    assert told["cases"][0] == {
        "name": "sub-01_T1w",
        "status": "done",
        "why": None,
        "error": None,
        "edited": [],
    }
    assert told["cases"][2]["error"]["code"] == "not-an-image"


def test_exit_codes(medprompt, save_scan, tmp_path):
    save_scan(tmp_path / "bids" / f"{SCANS[2]}.nii.gz", "left-hippocampus")
    (tmp_path / "out" / "logs" / "sub-03_T1w.json").unlink()

    assert medprompt() == (
        75,
        "3 cases: 2 done, 0 failed, 1 to do, 0 stale. Results: out\n",
    )

    api.segment("bids", "out", ["left hippocampus"])

    assert medprompt() == (
        0,
        "3 cases: 3 done, 0 failed, 0 to do, 0 stale. Results: out\n",
    )


def test_a_folder_that_nobody_segmented_into(tmp_path):
    (tmp_path / "empty").mkdir()
    shown = CliRunner().invoke(app, ["status", "empty"])

    assert shown.exit_code == 65
    assert shown.stderr == (
        "Error: empty holds no run of medprompt segment.\n"
        "Try: Give the folder that medprompt segment writes to.\n"
    )
