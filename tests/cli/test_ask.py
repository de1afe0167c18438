"""`medprompt ask` as a person meets it: the answer, the transcript, the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.cli.app import app
from medprompt_cli.cohort import asking
from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.planning.parser import parse
from medprompt_cli.segmentation import segmenter

pytestmark = pytest.mark.weights
GROWTH = "how much has the tumour grown since the first visit?"


@pytest.fixture
def bids(tmp_path, save_scan):
    """A subject with a tumour at its second visit, and one without."""
    for sub, visits in (("01", ((), ("tumor",))), ("02", ((), ()))):
        for n, lesions in enumerate(visits, 1):
            stem = f"sub-{sub}/ses-{n}/anat/sub-{sub}_ses-{n}_FLAIR"
            regions = ("left-cerebral-cortex", "right-cerebral-cortex", *lesions)
            save_scan(tmp_path / "bids" / f"{stem}.nii.gz", *regions)
    return tmp_path / "bids"


@pytest.fixture
def ask(bids, tmp_path, monkeypatch, threshold_segmenter):
    """Ask a question about the dataset, with the bundled prompt weights and no others."""
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)
    monkeypatch.setattr(segmenter, "Segmenter", lambda **_: threshold_segmenter)
    monkeypatch.chdir(tmp_path)

    def run(question, *options, case="bids"):
        shown = CliRunner().invoke(app, ["ask", str(case), question, *options])
        return shown.exit_code, shown.stdout, shown.stderr

    return run


def test_a_question_is_answered_and_the_transcript_is_kept(ask):
    code, stdout, stderr = ask(GROWTH, "--participant-label", "01")

    assert code == 0
    assert stdout.startswith("The tumor was not there at the first visit.\n")
    assert "read(count(visits()))    # 2\n" in stderr
    transcript = json.loads(Path("medprompt-ask/sub-01_ask.json").read_text())
    assert transcript["ending"] == "answered"
    assert transcript["answers"] == stdout.splitlines()
    assert len(transcript["turns"]) <= 20
    assert {turn["told"] for turn in transcript["turns"]} >= {"several", "false", "true"}
    assert transcript["weights"]["Name"] == "threshold"
    page = Path("medprompt-ask/sub-01_ask.md").read_text()
    assert page.startswith(f"# {GROWTH}\n")
    [mask] = Path("medprompt-ask").rglob("*_mask.nii.gz")
    assert mask.parent.parent.name == "ses-2"
    assert int((read_labels(mask).voxels > 0).sum()) == 20


def test_a_folder_of_one_subject_is_a_case_and_no_tumour_ends_it_early(ask, bids):
    code, stdout, _ = ask(GROWTH, "--json", case=bids / "sub-02")

    transcript = json.loads(stdout)
    assert (code, transcript["answers"]) == (0, ["No tumor was found."])
    assert not any("change" in turn["statement"] for turn in transcript["turns"])


def test_several_subjects_are_no_case(ask):
    code, stdout, stderr = ask(GROWTH)

    assert (code, stdout) == (65, "")
    assert stderr == (
        "Error: A case is one subject; here are 2: sub-01, sub-02.\n"
        "Try: Choose one with --participant-label.\n"
    )


def test_a_question_about_something_else_is_refused_before_any_scan(ask, threshold_segmenter):
    code, _, stderr = ask("will it rain in Paris tomorrow?", "--participant-label", "01")

    assert code == 65
    assert stderr.startswith("Error: 'will it rain in Paris tomorrow?' is refused: ")
    assert threshold_segmenter.seen == []


def test_everything_is_too_much_for_a_dialogue(ask):
    code, _, stderr = ask("volumes of all structures", "--participant-label", "01")

    assert code == 2
    assert "asks for every structure" in stderr


def test_a_dialogue_without_an_answer_exits_1_and_keeps_what_was_said(ask, monkeypatch):
    class Broken:
        def __init__(self, *_):
            self.left = list(parse("a = count(visits())\nread(volume(b))").statements)

        def next(self):
            return self.left.pop(0)

        def tell(self, *_):
            """Nothing is read before it breaks."""

    monkeypatch.setattr(asking, "EndpointSpeaker", Broken)
    code, stdout, stderr = ask(
        GROWTH, "--participant-label", "01", "--agent-endpoint", "http://localhost:1"
    )

    assert (code, stdout) == (1, "")
    assert "No full answer: " in stderr
    transcript = json.loads(Path("medprompt-ask/sub-01_ask.json").read_text())
    assert (transcript["ending"], len(transcript["turns"])) == ("failed", 1)
    assert transcript["writer"] == "endpoint default"
