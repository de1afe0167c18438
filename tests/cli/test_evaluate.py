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


def write_masks(files):
    truth, found = np.zeros(GRID.shape, np.uint8), np.zeros(GRID.shape, np.uint8)
    truth[:2], truth[6:8], found[:4] = 1, 1, 255
    write_voxels(files / "lesions.nii.gz", truth, GRID)
    write_voxels(files / "found.nii.gz", found, GRID)


def test_a_mask_of_lesions_is_judged(files):
    write_masks(files)

    shown = run(
        *("masks", files / "found.nii.gz", files / "lesions.nii.gz"),
        *("--scheme", "ms-lesion", "--targets", "ms-lesion"),
    )

    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[2] == (
        "| found | ms-lesion | 0.40 | 0.500 | 4.0 | +0 | 2 | 1 | 1.00 | 0.50 | 0.67 |"
    )
    assert lines[-1] == "| ms-lesion | - | 0.50, n = 1 | 0.33, n = 1 | 0.33, n = 1 |"


def test_a_manifest_may_hold_structures_and_lesions(files):
    write_masks(files)
    (files / "scans.tsv").write_text(
        "name\tprediction\ttruth\tscheme\n"
        "one\ttruth.nii.gz\ttruth.nii.gz\tmedprompt\n"
        "two\tfound.nii.gz\tlesions.nii.gz\tms-lesion\n"
    )

    shown = run("masks", files / "scans.tsv", "--parquet", files / "s.parquet")

    lines = shown.stdout.splitlines()
    assert lines[0] == "| Dice | one |"
    assert [line.split(" | ")[1] for line in lines if line.startswith("| two")] == [
        *("lesion", "ms-lesion")
    ]
    pooled = [r for r in pq.read_table(files / "s.parquet").to_pylist() if r["scan"] is None]
    assert {row["region"] for row in pooled} == {"lesion", "ms-lesion"}


def test_voxels_can_be_compared_by_number(files):
    write_masks(files)
    moved = Geometry(GRID.shape, np.diag([-1.0, 1.0, 1.0, 1.0]))
    write_voxels(files / "moved.nii.gz", np.ones(GRID.shape, np.uint8), moved)
    words = ("masks", files / "moved.nii.gz", files / "lesions.nii.gz", "--scheme", "infarct")

    assert run(*words).exit_code == 65
    assert run(*words, "--grid", "voxels").exit_code == 0


def test_options_of_two_files_are_refused_with_a_manifest(files):
    shown = run("masks", files / "scans.tsv", "--grid", "voxels")

    assert shown.exit_code == 2
    assert shown.stderr == (
        "Error: --targets and --grid are about two files, and a manifest was given.\n"
        "Try: Write them into its columns targets and grid.\n"
    )


def test_a_picture_is_drawn(files):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 200, GRID.shape).astype(np.uint8)
    write_voxels(files / "image.nii.gz", image, GRID)

    shown = run("picture", files / "image.nii.gz", files / "mine.nii.gz", files / "p.png")

    assert shown.exit_code == 0, shown.output
    assert shown.stdout == f"{files / 'p.png'}\n"
    assert (files / "p.png").read_bytes()[:4] == b"\x89PNG"
