"""Examples that work with what was written: run as their first lines say, on a small cohort."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli import api
from medprompt_cli.domain.anatomy import BASE_INDEX

VOXEL_ML = 0.2
"""The scans have voxels of 4 x 5 x 10 mm."""


@pytest.fixture
def run(repository):
    """Run an example by its name."""

    def run_example(name, *words):
        script = repository / "examples" / name
        done = subprocess.run(
            [sys.executable, script, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run_example


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, make_segmenter):
    """Three people with two visits each; of the second and third it is known who they are."""
    folder = tmp_path_factory.mktemp("cohort")
    bids = folder / "bids"
    for number, widths in enumerate(((5, 5), (5, 10), (10, 10)), start=1):
        for visit, width in enumerate(widths, start=1):
            stem = f"sub-{number:02}/ses-{visit:02}/anat/sub-{number:02}_ses-{visit:02}_T1w"
            save(bids / f"{stem}.nii.gz", width)
    (bids / "participants.tsv").write_text(
        "participant_id\tsex\nsub-01\tn/a\nsub-02\tF\nsub-03\tF\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "_open_segmenter", lambda options: make_segmenter())
        api.longitudinal(bids, folder / "out", ["left hippocampus"])
    return bids, folder / "out"


def save(path, width):
    """A scan in which the left hippocampus has `width` x 2 x 1 voxels."""
    voxels = np.full((16, 12, 10), 20, np.int16)
    voxels[3 : 3 + width, 5:7, 5] = 100 + BASE_INDEX["left-hippocampus"]
    path.parent.mkdir(parents=True)
    nib.Nifti1Image(voxels, np.diag([4.0, 5.0, 10.0, 1.0])).to_filename(path)


def test_groups(cohort, run):
    lines = run("groups.py", *cohort, "sex")

    assert lines[0].split() == ["region", "sex", "people", "mean_ml", "sd_ml"]
    # Means of two visits each: 15 and 20 voxels; 10 of the one whose sex is not known.
    mean, std = 17.5 * VOXEL_ML, 2.5 * 2**0.5 * VOXEL_ML
    assert [line.split() for line in lines[1:]] == [
        ["left-hippocampus", "F", "2", f"{mean:g}", f"{std:.2f}"],
        ["left-hippocampus", "n/a", "1", "2.0", "NaN"],
    ]


def test_the_lines_of_the_readme(cohort, repository, monkeypatch):
    bids, out = cohort
    monkeypatch.chdir(out.parent)
    text = (repository / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## From Python\n")[2].partition("\n## ")[0]
    block = section.partition("```python\n")[2].partition("```")[0]
    lines = [line.partition("#")[0].strip() for line in block.splitlines() if line]
    known: dict[str, Any] = {}
    exec("\n".join(lines[:2]), known)
    measurements, changes, cases, image, masks, failed = (eval(s, known) for s in lines[2:])

    assert set(measurements["case"]) == set(cases)
    assert cases[0] == "sub-01_ses-01_T1w"
    assert list(changes.columns) == list(known["cohort"].tables.changes.columns)
    assert image == bids / "sub-01" / "ses-01" / "anat" / "sub-01_ses-01_T1w.nii.gz"
    assert [path.name.split("_")[1] for path in masks] == ["ses-01", "ses-02"]
    assert failed == ()


def test_notebook(cohort, run):
    _, out = cohort
    (out / "logs" / "sub-02_ses-01_T1w.json").unlink()
    lines = run("notebook.py", out)

    assert lines[0] == "6 cases; not done: sub-02_ses-01_T1w"
    volumes = {line.split()[0]: line.split()[-1] for line in lines if "_T1w  " in line}
    assert volumes["sub-01_ses-01_T1w"] == f"{10 * VOXEL_ML}"
    assert volumes["sub-03_ses-02_T1w"] == f"{20 * VOXEL_ML}"
    first = next(n for n, line in enumerate(lines) if "percent_low" in line) + 1
    assert lines[first].split()[:3] == ["sub-02_ses-02_T1w", "left-hippocampus", "100.0"]
    shining = 100 + BASE_INDEX["left-hippocampus"]
    assert lines[-1].endswith(f"_dseg.nii.gz: 10 voxels, mean intensity {shining:.1f}")
