"""Diffusion images in `medprompt segment`: left out of a dataset until they are asked for."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.cli.app import app

T1W = "out/sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"


@pytest.fixture
def bids(tmp_path, save_scan):
    """A subject with a hippocampus."""
    save_scan(tmp_path / "bids/sub-01/anat/sub-01_T1w.nii.gz", "left-hippocampus")
    return tmp_path / "bids"


@pytest.fixture
def medprompt(tmp_path, monkeypatch, threshold_segmenter):
    """Ask for the left hippocampus, without weights."""
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    monkeypatch.chdir(tmp_path)

    def run(*arguments, source="bids", out="out"):
        words = ["segment", source, out, "-p", "left hippocampus", *arguments]
        shown = CliRunner().invoke(app, words)
        return shown.exit_code, shown.stdout, shown.stderr

    return run


def test_diffusion_images_are_done_where_they_are_asked_for(bids, medprompt, save_scan):
    trace = save_scan(bids / "sub-01/dwi/sub-01_trace.nii.gz", "left-hippocampus")
    save_scan(bids / "sub-01/dwi/sub-01_ADC.nii.gz", "left-hippocampus")
    mask = T1W.replace("T1w", "trace")

    assert medprompt()[1] == f"{T1W}\n"
    for words in (("--suffix", "dwi"), ("--suffix", "trace")):
        assert medprompt(*words)[:2] == (0, f"{mask}\n")
    code, stdout, _ = medprompt(source=str(trace), out="other")
    assert (code, stdout) == (0, mask.replace("out/", "other/") + "\n")


def test_a_session_with_nothing_but_a_series_of_diffusion_images(bids, medprompt, save_scan):
    save_scan(bids / "sub-01/dwi/sub-01_dwi.nii.gz", "left-hippocampus")
    (bids / "sub-01/dwi/sub-01_dwi.bval").write_text("0 1000 1000")
    code, _, stderr = medprompt("--together", "T1w,dwi")

    assert code == 65
    assert (
        "has no dwi beside it in sub-01 to be read together with.\n"
        "    Try: Add a diffusion-weighted image of one volume, named dwi or trace: what has a"
        " table of several b values is passed over.\n"
    ) in stderr


def test_a_dataset_of_diffusion_images_alone(tmp_path, medprompt, save_scan):
    save_scan(tmp_path / "bids/sub-01/dwi/sub-01_dwi.nii.gz", "left-hippocampus")

    assert medprompt() == (
        65,
        "",
        "Error: bids holds no image but diffusion images, which are left out of a dataset.\n"
        "Try: Ask for them with --suffix dwi.\n",
    )
