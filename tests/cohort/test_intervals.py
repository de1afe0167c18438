"""`--intervals full`: wider intervals, said in the rows, and made anew when asked for."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app
from medprompt_cli.cohort.status import status_of
from medprompt_cli.execution.posing import POSES


@pytest.fixture
def volumes(out):
    """Rows of the volume of the left hippocampus, case by case."""

    def read():
        table = pd.read_parquet(out / "measurements")
        chosen = (table["quantity"] == "volume") & (table["region"] == "left-hippocampus")
        return table[chosen].set_index("case")

    return read


def test_intervals_hold_what_the_poses_are_spread_over(run, out, volumes):
    run("left hippocampus")
    quick = volumes()
    run("left hippocampus", intervals="full")
    full = volumes()

    name = "sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.json"
    notes = json.loads((out / name).read_text())["Notes"]
    assert (full["value"] == quick["value"]).all()
    assert ((full["upper"] - full["lower"]) > 0.05).all()
    assert ((quick["upper"] - quick["lower"]) < 1e-6).all()  # every voxel is certain
    assert set(quick["method"]) == {"medprompt segment"}
    assert set(full["method"]) == {"medprompt segment --intervals full"}
    assert any(f"spread over {1 + len(POSES)} looks" in note for note in notes)


def test_they_are_made_when_they_are_asked_for_and_then_kept(run, out, threshold_segmenter):
    run("left hippocampus")
    threshold_segmenter.seen.clear()
    made = run("left hippocampus", intervals="full")

    assert {outcome.status for outcome in made.outcomes} == {"done"}
    assert len(threshold_segmenter.seen) == 4 * (1 + len(POSES))
    assert {case.progress for case in status_of(out).cases} == {"done"}
    kept = run("left hippocampus", intervals="full")
    assert {outcome.status for outcome in kept.outcomes} == {"kept"}
    back = run("left hippocampus")
    assert {outcome.status for outcome in back.outcomes} == {"done"}


@pytest.mark.parametrize("words", [("segment",), ("longitudinal",)], ids="".join)
def test_commands_take_the_option(bids, out, all_seeing, volumes, words):
    given = [*words, bids, out, "-p", "left hippocampus", "--suffix", "T1w"]
    given += ["--participant-label", "01", "--intervals", "full"]
    CliRunner().invoke(app, [str(word) for word in given])

    assert set(volumes()["method"]) == {"medprompt segment --intervals full"}
