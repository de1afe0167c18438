"""What examples say where something is missing or fails."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli import api


@pytest.fixture
def example(repository, tmp_path):
    """Run an example, with stand-ins for commands: their names, and what they do in bash."""

    def run(name, *words, commands=()):
        for command, does in dict(commands).items():
            path = tmp_path / "bin" / command
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/bash\n{does}\n")
            path.chmod(0o755)
        shell = "bash" if name.endswith(".sh") else sys.executable
        return subprocess.run(
            [shell, str(repository / "examples" / name), *map(str, words)],
            env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("groups.py", ("bids", "out"), "usage: groups.py BIDS OUT COLUMN"),
        ("notebook.py", (), "usage: notebook.py OUT"),
        ("volumes.py", ("bids", "out"), "usage: volumes.py BIDS OUT PROMPT [PROMPT ...]"),
        ("groups.py", ("no", "out", "sex"), "no/participants.tsv is not there."),
    ],
)
def test_missing_arguments(example, name, words, said):
    done = example(name, *words)

    assert (done.returncode, done.stderr) == (1, f"{said}\n")


def test_a_column_that_is_not_there(example, tmp_path):
    (tmp_path / "participants.tsv").write_text("participant_id\tsex\nsub-01\tF\n")
    done = example("groups.py", tmp_path, tmp_path, "age")

    said = f"{tmp_path}/participants.tsv has no column 'age'; it has participant_id, sex.\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_volumes_names_a_scan_that_failed(
    repository, tmp_path, save_scan, threshold_segmenter, monkeypatch, capsys
):
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    folder, out = tmp_path / "bids", tmp_path / "out"
    save_scan(folder / "sub-01" / "anat" / "sub-01_T1w.nii.gz", "left-hippocampus")
    empty = folder / "sub-02" / "anat" / "sub-02_T1w.nii.gz"
    empty.parent.mkdir(parents=True)
    nib.Nifti1Image(np.zeros((16, 16, 16), np.int16), np.eye(4)).to_filename(empty)
    script = repository / "examples" / "volumes.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(folder), str(out), "left hippocampus"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(script), run_name="__main__")

    shown = capsys.readouterr()
    assert left.value.code == 1
    assert shown.out.splitlines()[-1].startswith("sub-01_T1w")
    assert shown.err == (
        f"1 of 2 failed:\n  sub-02_T1w: {empty} shows nothing: all voxels are 0.\n"
    )


SEGMENTS = """\
echo "$1" >> {called}
case $1 in
    segment) mkdir -p {out}/logs; echo mask; exit {code};;
    status) echo "1 case: 0 done, 1 failed"; exit 1;;
esac
"""


@pytest.mark.parametrize("code", [0, 1, 75])
def test_segment_folder_lists_what_failed_and_ends_with_the_code(example, tmp_path, code):
    called, out = tmp_path / "called", tmp_path / "out"
    stand_in = SEGMENTS.format(called=called, out=out, code=code)
    done = example("segment_folder.sh", "bids", out, "brain", commands={"medprompt": stand_in})

    assert called.read_text().split() == ["check", "segment", "status"]
    assert done.stdout == "written: mask\n1 case: 0 done, 1 failed\n"
    assert done.returncode == code


def test_slurm_submit_waits_for_a_job_of_a_named_cluster(example, tmp_path):
    commands = {
        "medprompt": 'if [[ $1 == slurm ]]; then echo "array 7;north, tables 8;north"; fi',
        "srun": f'echo "$*" > {tmp_path}/srun',
    }
    done = example("slurm_submit.sh", "bids", tmp_path / "out", "2", "brain", commands=commands)

    assert done.returncode == 0, done.stderr
    assert "--dependency=afterany:8 true" in (tmp_path / "srun").read_text()
