"""What memory ran out of is told where a reader looks: the record, the sidecar, the summary."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.cli.app import app
from medprompt_cli.cohort.memory import GIB, Allowance
from medprompt_cli.domain.attempt import Attempt

NOTE = "Memory ran out once; computed in bfloat16 on cpu in tiles of 0.3 GB."
TRIES = (
    Attempt("cuda:0 (A)", "bfloat16", 1.2, ran_out=True),
    Attempt("cpu", "bfloat16", 0.3, ran_out=False),
)
DSEG = "sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.json"


@pytest.fixture
def starved(threshold_segmenter, monkeypatch):
    """A segmenter that needs two tries for the first subject, and fails for the third."""
    segment = threshold_segmenter.segment
    threshold_segmenter.device_name = "cuda:0 (A)"

    def segment_in_tries(volumes, targets):
        if "sub-03" in volumes.source:
            raise MemoryError("tried bfloat16 on cpu in tiles of 0.3 GB")
        found = segment(volumes, targets)
        found.seconds = {"coarse": 0.25, "fine": 0.5}
        if "sub-01" in volumes.source:
            found.notes, found.attempts = (NOTE,), TRIES
        return found

    monkeypatch.setattr(threshold_segmenter, "segment", segment_in_tries)
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    return threshold_segmenter


def record(out, name):
    return json.loads((out / "logs" / f"{name}.json").read_bytes())


def test_the_record_and_the_sidecar_say_which_try_gave_the_result(run, out, starved):
    run("left hippocampus", segmenter=starved)
    found = record(out, "sub-01_T1w")

    assert found["device"] == "cpu"
    assert found["attempts"] == [
        {"Device": "cuda:0 (A)", "Precision": "bfloat16", "TileGb": 1.2, "RanOut": True},
        {"Device": "cpu", "Precision": "bfloat16", "TileGb": 0.3, "RanOut": False},
    ]
    assert json.loads((out / DSEG).read_bytes())["Notes"][-1] == NOTE
    assert "attempts" not in record(out, "sub-02_T1w")
    assert record(out, "sub-02_T1w")["device"] == "cuda:0 (A)"


def test_what_nothing_mends_is_a_failure_of_one_image(run, out, starved, statuses):
    assert statuses(run("left hippocampus", segmenter=starved)) == {
        "sub-01_T1w": "done",
        "sub-02_T1w": "done",
        "sub-02_run-2_T1w": "done",
        "sub-03_FLAIR": "failed",
    }
    error = record(out, "sub-03_FLAIR")["error"]
    assert error["code"] == "out-of-memory"
    assert error["problem"].endswith(
        "needs more memory than there is: tried bfloat16 on cpu in tiles of 0.3 GB."
    )


def test_the_summary_says_what_images_might_take_and_how_busy_the_device_was(
    bids, out, starved
):
    words = ["segment", str(bids), str(out), "-p", "left hippocampus", "--json"]
    shown = CliRunner().invoke(app, [*words, "--mem", "3000M"])
    summary = json.loads(shown.stdout)

    assert summary["memory"] == {"images_gb": 2.0, "source": "--mem"}
    assert summary["device_busy"] == pytest.approx(3 * 0.75 / summary["seconds"], rel=0.01)
    assert shown.exit_code == 1

    again = json.loads(CliRunner().invoke(app, [*words, "--participant-label=01"]).stdout)
    assert (again["memory"], again["seconds"], again["device_busy"]) == (None, 0.0, None)


def test_an_image_that_does_not_fit_is_left_out_and_the_rest_goes_on(run, out, statuses):
    summary = run("left hippocampus", memory=Allowance(GIB // 4, "--mem"))

    assert set(statuses(summary).values()) == {"failed"}
    assert record(out, "sub-01_T1w")["error"]["code"] == "too-large-for-memory"
    assert statuses(run("left hippocampus")) == dict.fromkeys(statuses(summary), "done")
