"""`medprompt slurm`: what is printed, and what is refused before anything is submitted."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from medprompt_cli.cli import slurm as command
from medprompt_cli.cli.app import app


@pytest.fixture
def bids(tmp_path, save_scan):
    """Two subjects."""
    for sub in ("01", "02"):
        stem = f"sub-{sub}/anat/sub-{sub}_T1w"
        save_scan(tmp_path / "bids" / f"{stem}.nii.gz", "left-hippocampus")
    return tmp_path / "bids"


@pytest.fixture
def medprompt(tmp_path, monkeypatch):
    """Run `medprompt slurm bids out` with further arguments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_this_command", lambda: ["medprompt"])

    def run(*arguments):
        shown = CliRunner().invoke(app, ["slurm", "bids", "out", *arguments])
        return shown.exit_code, shown.stdout, shown.stderr

    return run


def test_a_script_with_absolute_paths_and_what_follows_the_dashes(bids, medprompt, tmp_path):
    code, stdout, stderr = medprompt(
        *("-p", "left hippocampus", "--array", "2", "--gres", "gpu:1"),
        *("--sbatch", "--account=brain", "--", "--suffix", "T1w", "--force"),
    )

    assert (code, stderr) == (0, "")
    assert (
        f"medprompt segment {tmp_path}/bids {tmp_path}/out \\\n"
        "    -p 'left hippocampus' \\\n"
        "    --suffix T1w \\\n"
        "    --force \\\n"
        "    --shard=slurm \\\n"
        "    --device=cuda ||"
    ) in stdout
    assert "#SBATCH --account=brain\n" in stdout
    assert not (tmp_path / "out").exists()


def test_no_more_jobs_than_subjects(bids, medprompt):
    code, stdout, stderr = medprompt("-p", "left hippocampus", "--array", "8")

    assert (code, stderr) == (0, "2 subjects: as many jobs, not 8.\n")
    assert "#SBATCH --array=1-2\n" in stdout


def test_one_subject_is_one_job(bids, medprompt):
    _, stdout, stderr = medprompt(
        *("-p", "brain", "--array", "2", "--", "--participant-label", "01"),
    )

    assert stderr == "1 subject: one job, not 2.\n"
    assert "in an array of 1 job, then" in stdout


@pytest.mark.parametrize(
    ("given", "written"),
    [("16", "16G"), ("16GB", "16G"), ("8000m", "8000M"), ("1.5", "1500M"), ("1T", "1T")],
)
def test_memory_is_that_of_segment_in_the_spelling_of_sbatch(bids, medprompt, given, written):
    code, stdout, _ = medprompt("-p", "brain", "--array", "2", "--mem", given)

    assert code == 0
    assert f"#SBATCH --mem={written}\n" in stdout


@pytest.mark.parametrize(
    ("given", "meant"),
    [("1-8", "8"), ("0-7", "8"), ("1-8%4", "8 --at-once 4"), ("8%4", "8 --at-once 4")],
)
def test_an_array_in_the_spelling_of_slurm(bids, medprompt, given, meant):
    code, stdout, stderr = medprompt("-p", "brain", "--array", given)

    assert (code, stdout) == (2, "")
    assert f"{given} is not how many jobs: write {meant}." in " ".join(stderr.split())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-p", "hippocampuss"), 2, "hippocampuss"),
        (("-p", "brain", "--", "--colour"), 2, "No such option: --colour"),
        (("-p", "brain", "--", "--suffix", "T2w"), 65, "bids holds no image of T2w."),
        (("-p", "brain", "--", "--shard", "1/2"), 2, "divided already"),
        (("-p", "brain", "--array", "0"), 2, "--array"),
        (("-p", "brain", "--mem", "16000"), 2, "is no amount of memory, or has no unit"),
        (("-p", "brain", "--mem", "1G"), 2, "--mem 1G is too little"),
        (("-p", "brain", "--time", "4h"), 2, "--time 4h is no time as SLURM writes it"),
    ],
)
def test_what_the_jobs_would_refuse_is_refused_before(
    bids, medprompt, arguments, code, message
):
    found, stdout, stderr = medprompt(*arguments)

    assert (found, stdout) == (code, "")
    assert message in stderr


def test_submitting_prints_the_jobs(bids, medprompt, monkeypatch):
    handed = []

    def submit(script):
        handed.append(script)
        return "array 7, tables 8"

    monkeypatch.setattr("medprompt_cli.cohort.slurm.submit", submit)
    _, script, _ = medprompt("-p", "brain")

    assert medprompt("-p", "brain", "--submit")[:2] == (0, "array 7, tables 8\n")
    assert handed == [script]
