"""`medprompt segment` as a person meets it: what is printed where, and the exit code."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.cli.app import app
from medprompt_cli.errors import DeviceError

SCANS = ("sub-01/anat/sub-01_T1w", "sub-02/anat/sub-02_T1w")


@pytest.fixture
def bids(tmp_path, save_scan):
    """Two subjects with a hippocampus each."""
    for stem in SCANS:
        save_scan(tmp_path / "bids" / f"{stem}.nii.gz", "left-hippocampus")
    return tmp_path / "bids"


@pytest.fixture(autouse=True)
def without_weights(monkeypatch, threshold_segmenter):
    """Use a segmenter without a network."""
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)


@pytest.fixture
def medprompt_and_progress(tmp_path, monkeypatch):
    """Run `medprompt segment bids out` with further arguments."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, source="bids", out="out"):
        shown = CliRunner().invoke(app, ["segment", source, out, *arguments])
        return shown.exit_code, shown.stdout, shown.stderr

    return run


@pytest.fixture
def medprompt(medprompt_and_progress):
    """Run it; leave out the line for each image that a log gets."""

    def run(*arguments, **folders):
        code, stdout, stderr = medprompt_and_progress(*arguments, **folders)
        return code, stdout, re.sub(r"^\[\d+/\d+\] .*\n", "", stderr, flags=re.MULTILINE)

    return run


def dseg(subject):
    return f"out/sub-{subject}/anat/sub-{subject}_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"


BOTH = f"{dseg('01')}\n{dseg('02')}\n"


def test_masks_on_stdout_and_the_summary_on_stderr(bids, medprompt):
    assert medprompt("-p", "left hippocampus") == (
        0,
        BOTH,
        "2 images: 2 done, 0 already there, 0 failed. Results: out\n",
    )


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_log_gets_a_line_for_every_image(bids, medprompt_and_progress, options):
    (bids / f"{SCANS[1]}.nii.gz").write_bytes(b"no image")
    code, stdout, stderr = medprompt_and_progress("-p", "left hippocampus", *options)
    lines = re.sub(r"\d+\.\d s$", "N s", stderr, flags=re.MULTILINE).splitlines()

    assert (code, "[1/2]" in stdout) == (1, False)
    assert lines[:3] == [
        "[1/2] sub-01_T1w done N s",
        f"[2/2] sub-02_T1w failed [not-an-image]: bids/{SCANS[1]}.nii.gz is neither NIfTI "
        "nor MGH: it begins with 'no i'.",
        "2 images: 1 done, 0 already there, 1 failed. Results: out",
    ]


def test_a_terminal_gets_no_such_lines(bids, medprompt_and_progress, monkeypatch):
    monkeypatch.setattr("medprompt_cli.cohort.progress.is_watched", lambda: True)

    assert "[1/2]" not in medprompt_and_progress("-p", "left hippocampus")[2]


def test_a_rerun_prints_the_same_masks(bids, medprompt):
    medprompt("-p", "left hippocampus")

    assert medprompt("-p", "left hippocampus") == (
        0,
        BOTH,
        "2 images: 0 done, 2 already there, 0 failed. Results: out\n",
    )


def test_options_choose_images(bids, medprompt):
    code, stdout, _ = medprompt(
        *("-p", "left hippocampus", "--participant-label", "02", "--suffix", "T1w")
    )

    assert (code, stdout) == (0, f"{dseg('02')}\n")


def test_what_was_not_measured_is_said(bids, medprompt):
    code, _, stderr = medprompt("-p", "left hippocampus", "-p", "brainstem", "-p", "cyst")

    assert code == 0
    assert stderr == (
        "2 images: 2 done, 0 already there, 0 failed. Results: out\n"
        "absent: brainstem in 2 images\n"
        "not_visible: cyst in 2 images\n"
    )


def test_results_that_other_prompts_replace_are_said(bids, medprompt):
    medprompt("-p", "left hippocampus", "-p", "brainstem")

    assert medprompt("-p", "left hippocampus") == (
        0,
        BOTH,
        "2 images: 2 done, 0 already there, 0 failed. Results: out\n"
        "replaced: earlier results for 'left hippocampus', 'brainstem' in 2 images\n",
    )


def test_results_that_other_weights_replace_are_said(bids, medprompt, threshold_segmenter):
    medprompt("-p", "left hippocampus")
    threshold_segmenter.weights_sha256 = "6" * 64

    assert medprompt("-p", "left hippocampus")[2] == (
        "2 images: 2 done, 0 already there, 0 failed. Results: out\n"
        "replaced: earlier results for 'left hippocampus' with the weights threshold 1.0.0 "
        "in 2 images\n"
    )


def test_doing_the_same_again_replaces_nothing(bids, medprompt):
    medprompt("-p", "left hippocampus")

    assert medprompt("-p", "left hippocampus", "--force")[2] == (
        "2 images: 2 done, 0 already there, 0 failed. Results: out\n"
    )


@pytest.mark.parametrize("prompt", ["brainstem", "left hippocampus"])
def test_what_a_filter_leaves_behind_is_said(bids, medprompt, prompt):
    medprompt("-p", "left hippocampus")
    stderr = medprompt("-p", prompt, "--participant-label", "02")[2]

    others = [line for line in stderr.splitlines() if line.startswith(("replaced", "mixed"))]
    assert (
        others
        == {
            "left hippocampus": [],
            "brainstem": [
                "replaced: earlier results for 'left hippocampus' in 1 image",
                "mixed: 1 image in OUT still answers 'left hippocampus'; "
                "run without filters to bring it up to date",
            ],
        }[prompt]
    )


def test_of_many_targets_the_first_few_are_named(bids, medprompt):
    stderr = medprompt("-p", "all")[2]

    assert stderr.splitlines()[1] == (
        "absent: left-cerebral-white-matter in 2 images, left-cerebral-cortex in 2 images, "
        "left-lateral-ventricle in 2 images, left-inferior-lateral-ventricle in 2 images, "
        "left-cerebellar-white-matter in 2 images, and 26 more targets"
    )


def test_a_full_disk_is_said_once(bids, medprompt, monkeypatch, tmp_path):
    sync = os.fsync

    def fsync(descriptor):
        if Path(f"/proc/self/fd/{descriptor}").readlink().name.startswith(".sub-01_space"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    assert medprompt("-p", "left hippocampus") == (
        1,
        "",
        "2 images: 0 done, 0 already there, 1 failed, 1 not reached. Results: out\n"
        f"Error: {dseg('01')} could not be written: No space left on device.\n"
        "Try: Free some space, then run the same command again: what is done is kept.\n",
    )


def test_a_broken_scan(bids, medprompt):
    scan = bids / f"{SCANS[0]}.nii.gz"
    scan.write_bytes(scan.read_bytes()[:-30])
    code, stdout, stderr = medprompt("-p", "left hippocampus")
    summary, failed, remedy = stderr.splitlines()

    assert (code, stdout) == (1, f"{dseg('02')}\n")
    assert summary == "2 images: 1 done, 0 already there, 1 failed. Results: out"
    assert failed.startswith(f"failed [truncated]: bids/{SCANS[0]}.nii.gz ")
    assert remedy.startswith("    Try: ")


def test_no_scan_that_can_be_read_exits_65(bids, medprompt):
    for stem in SCANS:
        (bids / f"{stem}.nii.gz").write_bytes(b"no image")

    code, stdout, _ = medprompt("-p", "left hippocampus")

    assert (code, stdout) == (65, "")


def test_a_mask_changed_by_hand_is_named(bids, medprompt, tmp_path):
    medprompt("-p", "left hippocampus")
    (tmp_path / dseg("01")).write_bytes(b"corrected")

    assert medprompt("-p", "left hippocampus")[2] == (
        "2 images: 0 done, 2 already there, 0 failed. Results: out\n"
        f"changed by hand, and kept: {dseg('01')}\n"
    )


def test_json(bids, medprompt):
    (bids / f"{SCANS[1]}.nii.gz").write_bytes(b"no image")
    code, stdout, stderr = medprompt("-p", "left hippocampus", "--json")
    summary = json.loads(stdout)
    done, failed = summary["images"]

    assert code == 1
    assert stderr.startswith("2 images: 1 done")
    assert (summary["planned"], summary["exit_code"], summary["stopped"]) == (2, 1, None)
    assert done == {
        "name": "sub-01_T1w",
        "inputs": [f"bids/{SCANS[0]}.nii.gz"],
        "status": "done",
        "masks": [dseg("01")],
        "targets": {
            "left-hippocampus": {"Status": "measured", "Presence": 1.0, "VolumeMl": 0.2}
        },
        "values": [],
        "error": None,
    }
    assert (failed["status"], failed["masks"]) == ("failed", [])
    assert set(failed["error"]) == {"code", "problem", "remedy"}


@pytest.mark.parametrize(
    "ending",
    [
        (
            lambda: os.kill(os.getpid(), signal.SIGTERM),
            75,
            "Error: SIGTERM stopped the run before its end.\n"
            "Try: Run the same command again to go on: what is done is kept.\n",
        ),
        (
            lambda: signal.raise_signal(signal.SIGINT),
            130,
            "Error: Ctrl-C stopped the run before its end.\n"
            "Try: Run the same command again to go on: what is done is kept.\n",
        ),
    ],
    ids=["preempted", "ctrl-c"],
)
def test_a_run_that_is_stopped(bids, medprompt, threshold_segmenter, monkeypatch, ending):
    stop, code, message = ending
    segment = threshold_segmenter.segment

    def stop_at_the_second(volume, targets):
        if "sub-02" in volume.source:
            stop()
        return segment(volume, targets)

    monkeypatch.setattr(threshold_segmenter, "segment", stop_at_the_second)

    assert medprompt("-p", "left hippocampus") == (
        code,
        f"{dseg('01')}\n",
        f"2 images: 1 done, 0 already there, 0 failed, 1 not reached. Results: out\n{message}",
    )


def test_a_lost_device_exits_69(bids, medprompt, threshold_segmenter, monkeypatch):
    def lose(volume, targets):
        raise DeviceError("cuda:0 is gone.", remedy="Use --device cpu.")

    monkeypatch.setattr(threshold_segmenter, "segment", lose)
    code, stdout, stderr = medprompt("-p", "left hippocampus")

    assert (code, stdout) == (69, "")
    assert stderr.endswith("Error: cuda:0 is gone.\nTry: Use --device cpu.\n")


def test_an_unknown_target_exits_2_with_the_nearest_names(medprompt):
    code, stdout, stderr = medprompt("-p", "hippocampuss", source="nowhere")

    assert (code, stdout) == (2, "")
    assert "hippocampuss" in stderr
    assert "hippocampus" in stderr.partition("Try:")[2]


def test_an_output_folder_inside_the_input_exits_2(bids, medprompt):
    assert medprompt("-p", "brain", out="bids/out") == (
        2,
        "",
        "Error: The output folder bids/out lies inside the input bids.\n"
        "Try: Give an output folder outside the input, or bids/derivatives/medprompt.\n",
    )


def test_a_folder_without_images_exits_65(tmp_path, medprompt):
    (tmp_path / "empty").mkdir()

    assert medprompt("-p", "brain", source="empty") == (
        65,
        "",
        "Error: empty holds no image.\nTry: See what is there with: medprompt check empty\n",
    )


def test_a_prompt_is_needed(medprompt):
    code, _, stderr = medprompt()

    assert (code, stderr.splitlines()[0]) == (2, "Error: No target was named.")


def test_scans_of_a_session_are_read_together(bids, medprompt, save_scan):
    save_scan(bids / "sub-01/anat/sub-01_FLAIR.nii.gz", "left-cerebral-cortex", "brainstem")
    code, stdout, stderr = medprompt(
        *("-p", "left hippocampus and brainstem", "--together", "FLAIR, T1w"),
        *("--participant-label", "01"),
    )

    assert (code, stdout, stderr) == (
        0,
        "out/sub-01/anat/sub-01_space-orig_seg-medprompt_desc-FLAIRT1w_dseg.nii.gz\n",
        "1 case: 1 done, 0 already there, 0 failed. Results: out\n",
    )


def test_json_names_every_scan_of_a_case(bids, medprompt, save_scan):
    save_scan(bids / "sub-01/anat/sub-01_FLAIR.nii.gz", "brainstem")
    code, stdout, _ = medprompt("-p", "brain", "--together", "FLAIR,T1w", "--json")
    images = {image["name"]: image for image in json.loads(stdout)["images"]}

    assert code == 1
    assert images["sub-01_FLAIRT1w"]["inputs"] == [
        "bids/sub-01/anat/sub-01_FLAIR.nii.gz",
        "bids/sub-01/anat/sub-01_T1w.nii.gz",
    ]
    assert images["sub-02"]["error"]["code"] == "missing-scan"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--together", "T1w"),
            "Error: T1w cannot be read together: these are not two or more kinds of scan.\n"
            "Try: Name each kind once, such as FLAIR,T1w.\n",
        ),
        (
            ("--together", "T1w,t1w,FLAIR"),
            "Error: T1w, t1w, FLAIR cannot be read together: these are not two or more kinds "
            "of scan.\nTry: Name each kind once, such as FLAIR,T1w.\n",
        ),
        (
            ("--together", "T1w,FLAIR", "--suffix", "T1w"),
            "Error: Only T1w is to be segmented, and T1w, FLAIR together.\n"
            "Try: Name the scans that are to be read together, and no other suffix.\n",
        ),
    ],
    ids=["one", "twice", "suffix"],
)
def test_what_cannot_be_read_together_exits_2(bids, medprompt, options, message):
    assert medprompt("-p", "brain", *options) == (2, "", message)


def test_the_size_an_absent_lesion_would_have_needed_is_said(bids, medprompt):
    code, _, stderr = medprompt("-p", "tumor", "-p", "left hippocampus")

    assert code == 0
    assert stderr == (
        "2 images: 2 done, 0 already there, 0 failed. Results: out\n"
        "absent: tumor in 2 images\n"
        "absent tumor: one of less than 1.23 mL may be there and not be seen\n"
    )
