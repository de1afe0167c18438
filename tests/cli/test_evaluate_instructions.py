import json
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from medprompt_cli.bids.instruction_set import PAIRS, pairs_text
from medprompt_cli.cli.app import app
from medprompt_cli.domain.instruction import Instruction

RUNNER = CliRunner()


@pytest.fixture
def instructions(tmp_path, save_scan, threshold_segmenter, monkeypatch):
    """One image and two questions about it, answered by a threshold."""
    image = save_scan(tmp_path / "sub-01_T1w.nii.gz", "tumor", "brainstem")
    about = ("sub-01", None, "sub-01_T1w", (image.as_uri(),), (), 0, 0.0, None)
    pairs = [
        Instruction(a, "absence", "global", "en", a, "[SEG] No.", a, a, None, *about)
        for a in ("tumor", "edema")
    ]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / PAIRS).write_text(pairs_text(pairs))
    made = SimpleNamespace(Segmenter=lambda **options: threshold_segmenter)
    monkeypatch.setitem(sys.modules, "medprompt_cli.segmentation.segmenter", made)
    return tmp_path / "set"


def run(*words):
    return RUNNER.invoke(app, ["evaluate", "instructions", *map(str, words)])


def test_the_table_is_printed_and_kept(instructions, tmp_path):
    shown = run(instructions, "-o", tmp_path / "scores")

    assert shown.exit_code == 0, shown.output
    assert "| **absence** | 2 | 2 | 1.000 | 0.500 | - | - | 0.500 |" in shown.stdout
    assert shown.stderr == "sub-01_T1w done\n"
    assert (tmp_path / "scores" / "instructions.md").read_text() == shown.stdout
    assert run(instructions, "-o", tmp_path / "scores").stderr == "sub-01_T1w already there\n"


def test_scores_can_be_had_as_json(instructions):
    content = json.loads(run(instructions, "--json").stdout)

    [n_acc] = [
        row for row in content["scores"] if (row["member"], row["quantity"]) == ("all", "n_acc")
    ]
    assert (n_acc["value"], n_acc["n"], n_acc["status"]) == (0.5, 2, "measured")
    assert content["failures"] == {}


def test_an_image_that_is_not_there_is_named_and_the_exit_code_is_1(instructions, tmp_path):
    (tmp_path / "sub-01_T1w.nii.gz").unlink()
    shown = run(instructions)

    assert shown.exit_code == 1
    assert "sub-01_T1w failed\n" in shown.stderr
    assert "failed [missing] sub-01_T1w: " in shown.stderr
    assert "- sub-01_T1w was not judged: " in shown.stdout


def test_a_folder_without_a_set_exits_with_65(tmp_path):
    shown = run(tmp_path)

    assert shown.exit_code == 65
    assert shown.stderr.startswith(f"Error: {tmp_path} holds no instruction set: ")
