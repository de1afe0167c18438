import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from medprompt_cli.cli.app import ReportingGroup
from medprompt_cli.cli.evaluate import group
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.synthesis.demo import write_voxels

RUNNER = CliRunner()
app = typer.Typer(cls=ReportingGroup)
app.callback()(lambda: None)
app.add_typer(group, name="evaluate")

GRID = Geometry((10, 10, 10), np.eye(4))


@pytest.fixture
def files(tmp_path):
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:4], labels[4:] = 17, 53
    write_voxels(tmp_path / "truth.nii.gz", labels, GRID)
    labels[:2] = 0
    write_voxels(tmp_path / "mine.nii.gz", labels, GRID)
    (tmp_path / "scans.tsv").write_text(
        "name\tgroup\tprediction\ttruth\tscheme\n"
        "one\tgood\ttruth.nii.gz\ttruth.nii.gz\tmedprompt\n"
        "two\tbad\tmine.nii.gz\ttruth.nii.gz\tmedprompt\n"
    )
    return tmp_path


def run(*arguments):
    return RUNNER.invoke(app, ["evaluate", *map(str, arguments)])


def test_two_files_are_compared(files):
    shown = run("masks", files / "mine.nii.gz", files / "truth.nii.gz")

    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == "| Dice | mine |"
    assert "| hippocampus | 0.833 |" in lines  # 2/3 on the left, 1 on the right
    assert "| **brain** | 0.889 |" in lines
    assert not shown.stderr


def test_a_manifest_is_a_table_of_groups(files):
    shown = run("masks", files / "scans.tsv")

    assert shown.stdout.splitlines()[0] == "| Dice | good | bad |"
    assert "| hippocampus | 1.000 | 0.833 |" in shown.stdout.splitlines()
    assert shown.stderr == "1/2 one\n2/2 two\n"


def test_columns_can_be_scans_and_distances_shown(files):
    shown = run("masks", files / "scans.tsv", "--by", "scan", "--hd95")

    lines = shown.stdout.splitlines()
    assert lines[0] == "| Dice | one | two |"
    assert "| 95 % Hausdorff distance (mm) | one | two |" in lines
    assert "| hippocampus | 0.0 | 1.0 |" in lines  # the left is missed by 2 mm


def test_the_scores_can_be_had_for_machines(files):
    shown = run("masks", files / "scans.tsv", "--json", "--parquet", files / "s.parquet")

    content = json.loads(shown.stdout)
    assert content["dice"]["two"]["hippocampus"] == pytest.approx(5 / 6)
    table = pq.read_table(files / "s.parquet").to_pylist()
    assert table == content["scores"]


def test_a_truth_on_another_grid_exits_with_65(files):
    other = Geometry((10, 10, 9), np.eye(4))
    write_voxels(files / "other.nii.gz", np.full(other.shape, 17, np.uint8), other)

    shown = run("masks", files / "mine.nii.gz", files / "other.nii.gz")

    assert shown.exit_code == 65
    assert shown.stderr.startswith(
        f"Error: {files / 'mine.nii.gz'} has 10 x 10 x 10 voxels and "
        f"{files / 'other.nii.gz'} has 10 x 10 x 9.\n"
    )


def test_an_unknown_scheme_exits_with_2(files):
    shown = run("masks", files / "mine.nii.gz", files / "truth.nii.gz", "--scheme", "x")

    assert shown.exit_code == 2
    assert shown.stderr.startswith("Error: There is no label scheme called 'x'.\n")


def test_a_truth_of_another_scheme_exits_with_65(files):
    truth, labels = files / "glm.nii.gz", np.full(GRID.shape, 45, np.uint8)
    labels[:2], labels[2:5] = 17, 203
    write_voxels(truth, labels, GRID)

    shown = run("masks", files / "mine.nii.gz", truth)

    assert shown.exit_code == 65
    assert shown.stdout == ""
    assert shown.stderr.startswith(
        f"Error: {truth} is no freesurfer label map: 80% of its labelled voxels have ids "
        "that are unknown there, such as 45, 203.\n"
    )


def test_a_picture_is_drawn(files):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 200, GRID.shape).astype(np.uint8)
    write_voxels(files / "image.nii.gz", image, GRID)

    shown = run("picture", files / "image.nii.gz", files / "mine.nii.gz", files / "p.png")

    assert shown.exit_code == 0, shown.output
    assert shown.stdout == f"{files / 'p.png'}\n"
    assert (files / "p.png").read_bytes()[:4] == b"\x89PNG"
