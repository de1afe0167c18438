"""`medprompt segment --plan`: a plan that was made before, run in place of prompts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.cli.app import app
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.plan_file import Plan, WeightsUsed, read_plan, write_plan

DSEG = "out/sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"


@pytest.fixture
def bids(tmp_path, save_scan):
    """Two subjects with a hippocampus each."""
    for sub in ("01", "02"):
        stem = f"sub-{sub}/anat/sub-{sub}_T1w"
        save_scan(tmp_path / "bids" / f"{stem}.nii.gz", "left-hippocampus")
    return tmp_path / "bids"


@pytest.fixture
def medprompt(bids, tmp_path, monkeypatch, threshold_segmenter):
    """Run `medprompt segment bids out` with further arguments, without weights."""
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        shown = CliRunner().invoke(app, ["segment", "bids", "out", *arguments])
        return shown.exit_code, shown.stdout, shown.stderr

    return run


VOLUME = """scan = image("T1w")
left_hippocampus = segment(scan, "left-hippocampus")
save(left_hippocampus, "left-hippocampus")
read(volume(left_hippocampus))
"""


@pytest.fixture
def plan(tmp_path, threshold_segmenter):
    def write(program):
        used = WeightsUsed(
            threshold_segmenter.weights_name,
            threshold_segmenter.weights_version,
            threshold_segmenter.weights_sha256,
        )
        write_plan(tmp_path / "plan.json", Plan("HC vol", parse(program), used))
        return "plan.json"

    return write


def test_a_plan_is_run_in_place_of_prompts_and_its_values_are_said(plan, medprompt):
    code, stdout, stderr = medprompt("--plan", plan(VOLUME))

    assert code == 0
    assert DSEG in stdout
    assert "sub-01_T1w: read(volume(left_hippocampus)) = 0.2 mL\n" in stderr
    assert read_plan(Path("out/plan.json")).prompt == "HC vol"

    _, again, _ = medprompt("--plan", "out/plan.json", "--json")
    first = json.loads(again)["images"][0]
    assert first["status"] == "kept"
    assert first["values"] == [
        {
            "Statement": "read(volume(left_hippocampus))",
            "Value": 200.0,
            "Unit": "mm3",
            "Status": "measured",
        }
    ]


def test_a_plan_for_other_weights_is_not_run(tmp_path, medprompt):
    other = WeightsUsed("other", "1", "0" * 64)
    write_plan(tmp_path / "plan.json", Plan("HC vol", parse(VOLUME), other))

    code, stdout, stderr = medprompt("--plan", "plan.json")

    assert (code, stdout) == (69, "")
    assert "The plan was made for weights other 1 (000000000000…)" in stderr


def test_a_plan_and_prompts_do_not_go_together(plan, medprompt):
    code, _, stderr = medprompt("-p", "brain", "--plan", plan(VOLUME))

    assert (code, stderr) == (
        2,
        "Error: Prompts were given beside the plan plan.json.\n"
        "Try: Give either prompts or a plan.\n",
    )


def test_a_plan_that_names_a_scan_and_an_option_that_names_another(plan, medprompt):
    code, _, stderr = medprompt("--plan", plan(VOLUME), "--suffix", "FLAIR")

    assert (code, stderr) == (
        2,
        "Error: The prompt asks for T1w, the options for FLAIR.\n"
        "Try: Leave out --suffix and --together, or do not name scans in the prompt.\n",
    )
