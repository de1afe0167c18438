"""`medprompt train pack`: label maps in, a bank out."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app
from medprompt_cli.synthesis.bank import read_bank


@pytest.fixture
def folder(tmp_path):
    voxels = np.zeros((9, 10, 8), np.int16)
    voxels[1:5, 2:6, 3:7] = 3
    (tmp_path / "maps").mkdir()
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / "maps" / "one.nii.gz")
    return tmp_path / "maps"


def pack(*arguments):
    return CliRunner().invoke(app, ["train", "pack", *map(str, arguments)])


def test_a_line_is_printed_for_each_map(folder, tmp_path):
    shown = pack(folder, tmp_path / "heads.labels.xz")

    assert (shown.exit_code, shown.stdout) == (0, "one.nii.gz\t4x4x4\n")
    (packed,) = read_bank(tmp_path / "heads.labels.xz")
    assert packed.layers == ()


@pytest.mark.parametrize("alone", ["--atlas", "--template"])
def test_an_atlas_needs_its_template_and_a_template_its_atlas(folder, tmp_path, alone):
    shown = pack(folder, tmp_path / "heads.labels.xz", alone, tmp_path / "atlas.nii.gz")

    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == (
        "Error: --atlas and --template go together: one was given without the other.\n"
        "Try: Give the labels of an atlas and the T1 brain they lie on, or neither.\n"
    )
