"""`medprompt measure` and `medprompt tables`: what is printed where, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app


@pytest.fixture
def aseg(tmp_path):
    voxels = np.zeros((12, 12, 12), np.uint8)
    voxels[3:7, 3:8, 3:8] = 17
    path = tmp_path / "in" / "aseg.nii.gz"
    path.parent.mkdir()
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)
    return path


@pytest.fixture
def medprompt(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        shown = CliRunner().invoke(app, [str(word) for word in words])
        return shown.exit_code, shown.stdout, shown.stderr

    return run


def test_parts_are_printed_and_put_together(medprompt, aseg):
    code, stdout, stderr = medprompt("measure", aseg, "out", "--labels", "freesurfer")

    assert (code, stdout) == (0, "out/measurements/sub-aseg_image.parquet\n")
    assert stderr == (
        "1 case: 1 measured, 0 failed. Tables: out\n"
        "without their image, so without intensities: 1\n"
    )
    code, stdout, _ = medprompt("tables", "out", "-o", "all.csv")
    assert (code, stdout) == (0, "all.csv\nall.json\n")
    table = pd.read_csv("all.csv")
    assert set(table["region"]) == {"left-hippocampus"}
    assert json.loads((aseg.parents[1] / "all.json").read_text())["value"]["Description"]


def test_intensities_of_an_image(medprompt, aseg):
    code, _, stderr = medprompt("measure", aseg, "out", "--image", aseg)
    table = pd.read_parquet("out/measurements")

    assert (code, stderr) == (0, "1 case: 1 measured, 0 failed. Tables: out\n")
    assert table[table["quantity"] == "mean"]["value"].tolist() == [17]


def test_a_broken_mask(medprompt, aseg):
    aseg.write_bytes(b"no image")
    code, stdout, stderr = medprompt("measure", aseg, "out")

    assert (code, stdout) == (65, "")
    assert stderr.startswith(
        "1 case: 0 measured, 1 failed. Tables: out\nfailed [not-an-image]: "
    )
    assert "\n    Try: " in stderr


def test_tables_of_nothing(medprompt, tmp_path):
    (tmp_path / "out").mkdir()
    code, _, stderr = medprompt("tables", "out", "--table", "lesions")

    assert code == 65
    assert stderr == (
        "Error: out holds no lesions: there is no .parquet file in out/lesions.\n"
        "Try: Give the folder that medprompt segment or medprompt measure wrote to.\n"
    )


def test_measuring_does_not_load_torch(aseg, tmp_path):
    out = str(tmp_path / "out")
    program = (
        "import sys; from medprompt_cli.api import measure, tables; "
        f"measure({str(aseg)!r}, {out!r}); tables({out!r}); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
