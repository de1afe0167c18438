"""`--json`: on every command that prints, one document, and what is in it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import nibabel as nib
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.cli.commands import COMMANDS
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.bids.schemas import TABLES, to_table
from medprompt_cli.cli import slurm
from medprompt_cli.cli.app import app
from medprompt_cli.cli.documents import print_json
from medprompt_cli.planning import compile as compiling
from medprompt_cli.planning import prompt_model
from medprompt_cli.planning.compile import Compiled
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.printer import print_program
from medprompt_cli.weights.registry import read_registry

WITHOUT = {
    ("train", "run"): "prints JSON in any case, a line now and then",
    ("train", "prompts"): "prints JSON in any case, a line now and then",
    ("train", "calibrate"): "prints JSON in any case",
}
"""Commands without the option, and why."""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_it_or_a_reason(words):
    options = {name for param in COMMANDS[words].params for name in param.opts}

    assert ("--json" in options) is (words not in WITHOUT)
    if words in WITHOUT:
        assert "JSON" in (COMMANDS[words].help or "")


@pytest.fixture
def medprompt(tmp_path, monkeypatch, threshold_segmenter):
    """Run a command with `--json` in an empty folder: exit code, document, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)

    def run(*words):
        shown = CliRunner().invoke(app, [*map(str, words), "--json"])
        return shown.exit_code, json.loads(shown.stdout), shown.stderr

    return run


@pytest.fixture
def bids(tmp_path, save_scan):
    for sub in ("01", "02"):
        stem = f"bids/sub-{sub}/anat/sub-{sub}_T1w"
        save_scan(tmp_path / f"{stem}.nii.gz", "left-hippocampus")
    (tmp_path / "bids" / "dataset_description.json").write_text(
        '{"Name": "x", "BIDSVersion": "1.11.0"}'
    )
    return Path("bids")


@pytest.fixture
def labels(tmp_path):
    """A box of 80 voxels of 1 mm: the left hippocampus."""
    voxels = np.zeros((12, 12, 12), np.uint8)
    voxels[3:8, 3:7, 3:7] = 17
    (tmp_path / "in").mkdir()
    nib.Nifti1Image(voxels, np.eye(4)).to_filename(tmp_path / "in" / "aseg.nii.gz")
    return Path("in/aseg.nii.gz")


def test_measure_and_tables(medprompt, labels):
    code, found, _ = medprompt("measure", labels, "out", "--labels", "freesurfer")

    assert code == found["exit_code"] == 0
    (case,) = found["cases"]
    assert case == {
        "name": "sub-aseg_image",
        "inputs": ["in/aseg.nii.gz"],
        "status": "done",
        "tables": ["out/measurements/sub-aseg_image.parquet"],
        "targets": {
            "left-hippocampus": {"Status": "measured", "Presence": None, "VolumeMl": 0.08}
        },
        "error": None,
    }
    code, found, _ = medprompt("tables", "out", "-o", "all.csv")
    assert code == 0
    assert found == {"table": "measurements", "files": ["all.csv", "all.json"], "notes": []}


def test_a_mask_that_cannot_be_measured(medprompt, labels):
    labels.write_bytes(b"no image")
    code, found, _ = medprompt("measure", labels, "out")

    assert code == found["exit_code"] == 65
    assert found["cases"][0]["error"]["code"] == "not-an-image"
    assert (found["cases"][0]["status"], found["cases"][0]["tables"]) == ("failed", [])


def test_run_tells_participants_as_segment_does_and_the_group_its_tables(medprompt, bids):
    code, found, _ = medprompt(
        "run", bids, "out", "participant", "--participant_label", "02", "-p", "left hippocampus"
    )
    assert (code, found["planned"], found["exit_code"]) == (0, 1, 0)
    assert found["images"][0]["targets"]["left-hippocampus"]["Status"] == "measured"

    code, found, _ = medprompt("run", bids, "out", "group")
    files = ["out/measurements.tsv", "out/measurements.json"]
    assert (code, found) == (0, {"tables": [{"table": "measurements", "files": files}]})


def test_report(medprompt, tmp_path):
    row = {
        **{"participant_id": "sub-01", "case": "sub-01_T1w", "region": "brain"},
        **{"quantity": "volume", "value": 1200.0, "unit": "mL", "status": "measured"},
        **{"method": "medprompt segment", "version": "0.1.0"},
    }
    (tmp_path / "measurements").mkdir()
    part = to_table("measurements", []).from_pylist([row], TABLES["measurements"])
    pq.write_table(part, tmp_path / "measurements" / "sub-01_T1w.parquet")
    code, found, _ = medprompt("report", tmp_path, "--no-pages")
    assert (code, found) == (
        0,
        {
            "exit_code": 0,
            "index": None,
            "subjects": [
                {
                    "subject": "sub-01",
                    "files": [f"{tmp_path}/sub-01_report.json", f"{tmp_path}/sub-01_report.md"],
                    "notes": [],
                    "error": None,
                }
            ],
        },
    )
    code, found, stderr = medprompt("report", tmp_path, "--visit", "ses-09", "--no-pages")
    assert code == found["exit_code"] == 1
    assert found["subjects"][0]["error"]["code"] == "report-failed"
    assert "failed [report-failed]" in stderr


def test_slurm(medprompt, bids, monkeypatch):
    monkeypatch.setattr(slurm, "_this_command", lambda: ["medprompt"])
    monkeypatch.setattr("medprompt_cli.cohort.slurm.submit", lambda script: "array 7, tables 8")
    words = ("slurm", bids, "out", "-p", "left hippocampus", "--array", "2")
    code, printed, _ = medprompt(*words)
    _, submitted, _ = medprompt(*words, "--submit")

    assert (code, printed["tasks"], printed["subjects"]) == (0, 2, ["sub-01", "sub-02"])
    assert printed["script"].startswith("#!/bin/bash\n")
    assert printed["jobs"] is None
    assert submitted == {**printed, "jobs": {"array": "7", "tables": "8"}}


def test_plan_with_the_cases_that_cannot(medprompt, bids, save_scan, monkeypatch):
    save_scan(bids.absolute() / "sub-02" / "anat" / "sub-02_FLAIR.nii.gz", "tumor")
    intent = Intent(("tumor",), ("volume",), images=("FLAIR",))
    program = compose(intent)
    compiled = Compiled("ok", "tumor on FLAIR", program, print_program(program), intent)
    monkeypatch.setattr(prompt_model, "load_prompt_model", lambda path: path)
    monkeypatch.setattr(compiling, "compile_prompt", lambda text, model: compiled)
    code, found, stderr = medprompt("plan", "tumor on FLAIR", "--check", bids)

    assert (code, found["status"], found["targets"]) == (1, "ok", ["tumor"])
    misfits = [{"case": "sub-01", "reason": "has no FLAIR at visit 1; there: T1w."}]
    assert found["check"] == {"subjects": 2, "can": 1, "misfits": misfits}
    assert stderr.endswith(
        "sub-01: has no FLAIR at visit 1; there: T1w.\n1 of 2 subjects can satisfy this plan.\n"
    )


def test_demo(medprompt):
    code, found, _ = medprompt("demo", "bids", "--small", "--subjects", "1", "--sessions", "1")

    assert code == 0
    assert found["truth"] == "bids/derivatives/truth"
    assert [Path(path).name for path in found["images"]] == [
        "sub-01_ses-01_T1w.nii.gz",
        "sub-01_ses-01_FLAIR.nii.gz",
    ]
    assert all(Path(path).is_file() for path in found["images"])


def test_a_picture(medprompt, labels):
    code, found, _ = medprompt("evaluate", "picture", labels, labels, "p.png", "--slices", "1")

    assert (code, found) == (0, {"file": "p.png"})


def test_a_bank(medprompt, labels):
    code, found, stderr = medprompt("train", "pack", "in", "heads.labels.xz")

    maps = [{"name": "aseg.nii.gz", "shape": [5, 4, 4], "dice": None}]
    assert (code, found) == (0, {"bank": "heads.labels.xz", "maps": maps})
    assert stderr == "aseg.nii.gz\t5x4x4\n"


def test_weights(medprompt, monkeypatch):
    code, found, _ = medprompt("weights", "list")
    assert code == 0
    assert {entry["name"]: entry["sha256"] for entry in found} == {
        name: entry.sha256 for name, entry in read_registry().items()
    }

    lines = {"sha256": "5" * 64, "bytes": 7, "finest_mm": 2}
    monkeypatch.setattr("medprompt_cli.training.export.export", lambda run, out: lines)
    assert medprompt("weights", "export", "run", "w.safetensors")[:2] == (0, lines)


def test_a_document_is_json_whatever_is_in_it(capsys):
    name = b"sub-\xff\xed\x95\xb4.nii".decode("utf-8", "surrogateescape")
    print_json({"path": Path(name), "scores": [math.nan, 0.5, -math.inf], "text": "해마"})
    shown = capsys.readouterr().out

    assert "\udcff" not in shown
    assert "해마" in shown
    assert json.loads(shown) == {"path": name, "scores": [None, 0.5, None], "text": "해마"}
