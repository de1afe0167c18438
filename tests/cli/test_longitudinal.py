"""`medprompt longitudinal` as a person meets it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.cli.app import app


@pytest.fixture
def bids(tmp_path, save_scan):
    """One subject with two visits, the second without a T1w; another with one."""
    root = tmp_path / "bids"
    for stem in ("sub-01/ses-1/anat/sub-01_ses-1", "sub-02/anat/sub-02"):
        save_scan(root / f"{stem}_T1w.nii.gz", "left-hippocampus")
    save_scan(root / "sub-01/ses-2/anat/sub-01_ses-2_T2w.nii.gz", "left-hippocampus")
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.11.0"}')
    return root


@pytest.fixture
def medprompt(tmp_path, bids, monkeypatch, threshold_segmenter):
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        shown = CliRunner().invoke(app, ["longitudinal", "bids", "out", *arguments])
        return shown.exit_code, shown.stdout, shown.stderr

    return run


def test_one_summary_a_subject_and_what_speaks_against_it(medprompt):
    code, stdout, stderr = medprompt("-p", "left hippocampus")

    assert (code, stdout) == (0, "out/sub-01_longitudinal.md\nout/sub-02_longitudinal.md\n")
    assert "2 images: 2 done, 0 already there, 0 failed.\n" in stderr
    assert "2 subjects: 2 followed, 0 already there, 0 failed. Results: out\n" in stderr
    assert "sub-01: There is one visit only: nothing to compare it with.\n" in stderr
    assert "sub-01: ses-2 has no T1w, which 1 of 2 visits have: it is left out.\n" in stderr
    assert "Nobody has two visits with dates" in stderr


def test_json(medprompt):
    code, stdout, _ = medprompt("-p", "left hippocampus", "--json")
    told = json.loads(stdout)

    assert (code, told["exit_code"], told["stopped"]) == (0, 0, None)
    assert [(s["subject"], s["visits"], s["error"]) for s in told["subjects"]] == [
        ("sub-01", 1, None),
        ("sub-02", 1, None),
    ]


def test_a_scan_that_cannot_be_read_is_told(medprompt, bids):
    (bids / "sub-02/anat/sub-02_T1w.nii.gz").write_bytes(b"no image")
    code, stdout, stderr = medprompt("-p", "left hippocampus")

    assert (code, stdout) == (1, "out/sub-01_longitudinal.md\n")
    assert "failed [no-visit]: sub-02 has no visit that was segmented.\n" in stderr


def test_limits_that_cannot_be_read(medprompt, tmp_path):
    (tmp_path / "limits.toml").write_text("no = [")
    code, _, stderr = medprompt("-p", "left hippocampus", "--limits", "limits.toml")

    assert code == 65
    assert "The table of repeatability limits cannot be read" in stderr
