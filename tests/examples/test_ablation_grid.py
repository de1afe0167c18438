"""Both ways through thick slices start from the same voxels and are judged on one grid."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.evaluation.cases import Judged
from medprompt_cli.evaluation.schemes import SCHEMES

THIN = Geometry((4, 5, 12), np.diag([1.0, 1.0, 1.0, 1.0]))


@pytest.fixture
def grid(benchmark_module):
    return benchmark_module("ablation_grid")


def test_interpolated_slices_follow_a_ramp(grid):
    thick = Geometry((4, 5, 3), np.array(np.diag([1.0, 1.0, 4.0, 1.0])))
    voxels = np.broadcast_to(np.array([1.5, 5.5, 9.5], np.float32), thick.shape).copy()

    found = grid.interpolated(Volume(voxels, thick), THIN)

    expected = np.clip(np.arange(12), 1.5, 9.5)
    np.testing.assert_allclose(found, np.broadcast_to(expected, THIN.shape), rtol=1e-6)


def thick_scan_of(grid, tmp_path):
    voxels = np.zeros((10, 9, 13), np.float32)
    voxels[3:7, 2:6, 2:9] = 17
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / "scan.nii.gz")
    nib.save(nib.Nifti1Image(voxels.astype(np.uint8), np.eye(4)), tmp_path / "truth.nii.gz")
    case = Judged(
        name="a",
        group="g",
        images=(tmp_path / "scan.nii.gz",),
        truth=tmp_path / "truth.nii.gz",
        scheme=SCHEMES["freesurfer"],
    )
    return grid.thick_scan(case, 4.0), case


def shining(volume):
    """A segmenter that takes what shines for left hippocampus."""
    return LabelMap((volume.voxels > 8.6).astype(np.uint8) * 17, volume.geometry, {})


def test_both_ways_are_judged_on_the_thick_grid(grid, tmp_path):
    scan, case = thick_scan_of(grid, tmp_path)
    assert scan.volume.geometry.shape == (10, 9, 3)
    assert scan.thin.shape == (10, 9, 12)
    folder = tmp_path / "ways"
    folder.mkdir()
    grid.write_scan(scan, folder)
    dice = {}
    for way in grid.WAYS:
        seconds = grid.run_way(way, folder, shining)
        assert seconds["a"] > 0
        labels = np.load(folder / "a.npy")
        assert labels.shape == (10, 9, 3)
        dice[way] = grid.dice_of(labels, scan, case)

    assert scan.truth.voxels[4, 4].tolist() == [0, 17, 0]  # of 4 voxels 2, 4 and 1
    assert scan.volume.voxels[4, 4].tolist() == [8.5, 17, 4.25]
    assert dice == {"native grid": 1.0, "resampled to the thin grid": 1.0}


def test_a_way_is_judged_by_what_its_process_leaves(grid, tmp_path, monkeypatch):
    scan, case = thick_scan_of(grid, tmp_path)

    def in_this_process(command):
        _, script, folder, _, way, *options = command
        assert script.endswith("ablation_grid.py")
        assert options == ["--threads", "1"]
        return 9.0, 1.5, json.dumps(grid.run_way(way, Path(folder), shining))

    monkeypatch.setattr(grid, "measured", in_this_process)
    found = grid.outcome_of("native grid", [scan], [case], ["--threads", "1"])

    assert found.peak_gb == 1.5
    assert found.dice == [1.0]
    assert 0 < found.seconds[0] < 9


def test_ways_are_compared_with_the_first(grid):
    native = grid.Outcome([1.0, 3.0, 2.0], [0.5, 0.6, 0.7], 1.25)
    other = grid.Outcome([4.0, 6.0, 5.0], [0.4, 0.5, 0.6], 2.5)

    shown = grid.table({"native": native, "other": other}).splitlines()[2:]

    assert shown == [
        "| native | 2.00 | 1.25 | 0.600 |  |",
        "| other | 5.00 | 2.50 | 0.500 | -0.100 (-0.100 to -0.100) |",
    ]
