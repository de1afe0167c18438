"""A cohort is segmented once, survives what is wrong with an image, and can be resumed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids import atomic
from medprompt_cli.cohort.turns import Turns
from medprompt_cli.errors import DeviceError, OutputError, PreemptedError

NAMES = ("sub-01_T1w", "sub-02_T1w", "sub-02_run-2_T1w", "sub-03_FLAIR")
DSEG = "sub-{0}/anat/sub-{0}_space-orig_seg-medprompt_desc-T1w_dseg"
MASK = "sub-{0}/anat/sub-{0}_space-orig_label-Ventricles_desc-T1w_mask"
AGAIN = "Run the same command again to go on: what is done is kept."


def load(path) -> Any:
    return nib.load(path)


def record(out, name):
    return json.loads((out / "logs" / f"{name}.json").read_text())


def test_every_image_gets_its_files_and_a_record(run, out, bids, contents, statuses):
    summary = run()

    assert statuses(summary) == dict.fromkeys(sorted(NAMES), "done")
    assert (summary.exit_code, summary.stopped, summary.planned) == (0, None, 4)
    assert len([name for name in contents() if name.endswith(".nii.gz")]) == 8
    for outcome in summary.outcomes:
        assert [path.name[-12:-7] for path in outcome.masks] == ["_dseg", "_mask"]
        for mask in outcome.masks:
            image = load(mask)
            source = load(outcome.source)
            assert image.shape == source.shape
            assert image.affine.tobytes() == source.affine.tobytes()
    assert np.unique(
        np.asarray(load(out / f"{DSEG.format('01')}.nii.gz").dataobj)
    ).tolist() == [
        0,
        17,
    ]
    assert sorted(path.name for path in (out / "logs").glob("*.json")) == sorted(
        f"{name}.json" for name in NAMES
    )


def test_images_that_are_worked_on_at_once_come_out_as_one_by_one(
    run, out, contents, statuses, make_segmenter, monkeypatch
):
    together = threading.Barrier(2)

    class OnDevice(make_segmenter):
        cases_at_once = 2

        def segment(self, volumes, targets):
            together.wait(60)  # passed by two images at a time only
            return super().segment(volumes, targets)

    run()
    alone = contents()
    shutil.rmtree(out)
    monkeypatch.setattr(Turns, "write", None)  # other processes do that
    summary = run(segmenter=OnDevice())

    assert statuses(summary) == dict.fromkeys(sorted(NAMES), "done")
    assert contents() == alone


def test_a_record_says_what_was_done_with_what(run, out, bids):
    run()
    scan = bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    found = record(out, "sub-01_T1w")

    assert found["status"] == "done"
    assert found["inputs"] == [str(scan)]
    assert found["basis"]["bytes"] == scan.stat().st_size
    assert found["basis"]["modified_ns"] == scan.stat().st_mtime_ns
    assert found["basis"]["weights"] == "5" * 64
    assert found["weights"] == {"Name": "threshold", "Version": "1.0.0", "SHA256": "5" * 64}
    assert found["prompts"] == ["left hippocampus", "ventricles"]
    assert found["targets"]["left-hippocampus"]["Status"] == "measured"
    assert list(found["seconds"]) == ["read", "network", "measure", "write"]
    images = [f"{s.format('01')}{end}" for s in (DSEG, MASK) for end in (".nii.gz", ".json")]
    assert found["outputs"] == {
        name: (out / name).stat().st_size
        for name in (*images, "measurements/sub-01_T1w.parquet")
    }


def test_a_rerun_does_nothing_and_still_names_every_mask(run, contents, threshold_segmenter):
    first, before = run(), contents()
    threshold_segmenter.seen.clear()
    second = run()

    assert threshold_segmenter.seen == []
    assert [o.status for o in second.outcomes] == ["kept"] * 4
    assert [o.masks for o in second.outcomes] == [o.masks for o in first.outcomes]
    assert [o.targets for o in second.outcomes] == [dict(o.targets) for o in first.outcomes]
    assert contents() == before


def test_a_rerun_does_what_is_missing(run, out, contents, threshold_segmenter):
    run()
    before = contents()
    (out / f"{MASK.format('01')}.nii.gz").unlink()
    (out / "logs" / "sub-03_FLAIR.json").unlink()
    threshold_segmenter.seen.clear()
    run()

    assert threshold_segmenter.seen == ["sub-01_T1w.nii.gz", "sub-03_FLAIR.nii.gz"]
    assert contents() == before


def test_a_changed_image_is_done_again(run, bids, save_scan, threshold_segmenter):
    run()
    threshold_segmenter.seen.clear()
    save_scan(bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz", "left-hippocampus", "brainstem")
    run()

    assert threshold_segmenter.seen == ["sub-01_T1w.nii.gz"]


def test_other_weights_do_everything_again(run, threshold_segmenter):
    run()
    threshold_segmenter.weights_sha256 = "6" * 64
    threshold_segmenter.seen.clear()
    run()

    assert len(threshold_segmenter.seen) == 4


def test_other_prompts_replace_what_earlier_ones_gave(run, out, contents):
    run("left hippocampus", "ventricles")
    run("left hippocampus")

    assert not [name for name in contents() if "_mask" in name]
    assert (out / f"{DSEG.format('01')}.nii.gz").exists()
    assert all("mask" not in name for name in record(out, "sub-01_T1w")["outputs"])


def test_force_does_everything_again_with_the_same_bytes(run, contents, threshold_segmenter):
    run()
    before = contents()
    threshold_segmenter.seen.clear()
    run(force=True)

    assert len(threshold_segmenter.seen) == 4
    assert contents() == before


def test_a_mask_corrected_by_hand_is_kept_until_forced(run, out, statuses):
    run()
    mask = out / f"{DSEG.format('01')}.nii.gz"
    mask.write_bytes(b"corrected")
    kept = run()

    assert statuses(kept)["sub-01_T1w"] == "kept"
    assert [o.edited for o in kept.outcomes if o.edited] == [(mask,)]

    blocked = run("right hippocampus")
    failure = next(o.failure for o in blocked.outcomes if o.failure)

    assert blocked.exit_code == 1
    assert failure.as_json() == {
        "code": "edited",
        "problem": f"{mask} was changed after medprompt wrote it, and is not overwritten.",
        "remedy": "Move it away to keep it, or overwrite it with --force.",
    }
    assert mask.read_bytes() == b"corrected"

    run("left hippocampus", force=True)

    assert mask.read_bytes() != b"corrected"


def test_a_broken_scan_is_recorded_and_the_rest_goes_on(run, out, bids, statuses):
    scan = bids / "sub-02" / "anat" / "sub-02_T1w.nii.gz"
    scan.write_bytes(scan.read_bytes()[:-40])
    summary = run()
    failure = next(o.failure for o in summary.outcomes if o.failure)

    assert summary.exit_code == 1
    assert statuses(summary) == {
        **dict.fromkeys(NAMES, "done"),
        "sub-02_T1w": "failed",
    }
    assert failure.of_input
    assert failure.problem.startswith(str(scan))
    assert record(out, "sub-02_T1w")["status"] == "failed"
    assert record(out, "sub-02_T1w")["error"] == failure.as_json()
    assert not (out / f"{DSEG.format('02')}.nii.gz").exists()


def test_what_failed_is_tried_again(run, bids, save_scan, statuses, threshold_segmenter):
    scan = bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    good = scan.read_bytes()
    scan.write_bytes(b"")
    scan.write_bytes(good[:50])
    assert statuses(run())["sub-01_T1w"] == "failed"

    scan.write_bytes(good)
    threshold_segmenter.seen.clear()

    assert statuses(run())["sub-01_T1w"] == "done"
    assert threshold_segmenter.seen == ["sub-01_T1w.nii.gz"]


def test_what_was_not_fetched_counts_as_failed(run, bids):
    scan = bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    scan.unlink()
    scan.symlink_to("../../.git/annex/objects/aa/bb/MD5E-s9--00.nii.gz")
    summary = run()
    failed = summary.having("failed")

    assert summary.exit_code == 1
    assert [(o.failure.code, o.failure.problem) for o in failed] == [
        ("not-fetched", f"{scan}: only a pointer to the content is here.")
    ]


def test_no_usable_image_at_all_exits_65(run, bids):
    for scan in bids.rglob("*.nii.gz"):
        scan.write_bytes(scan.read_bytes()[:60])

    assert run().exit_code == 65


class Failing:
    """Fails on one image with one error; sees the others as another segmenter does."""

    def __init__(self, segmenter, name, error):
        self.segmenter, self.name, self.error = segmenter, name, error

    def __getattr__(self, name):
        return getattr(self.segmenter, name)

    def segment(self, volume, targets):
        result = self.segmenter.segment(volume, targets)
        if self.name in volume.source:
            raise self.error
        return result


def test_one_image_that_meets_a_bug_does_not_end_the_run(run, out, bids, threshold_segmenter):
    bug = ZeroDivisionError("division by zero")
    summary = run(segmenter=Failing(threshold_segmenter, "sub-01", bug))
    found = record(out, "sub-01_T1w")

    assert [o.status for o in summary.outcomes] == ["failed", "done", "done", "done"]
    assert found["error"] == {
        "code": "internal",
        "problem": f"{bids}/sub-01/anat/sub-01_T1w.nii.gz met an internal error, "
        "ZeroDivisionError: division by zero.",
        "remedy": "Report the traceback in its record under logs/.",
    }
    assert found["traceback"].startswith("Traceback (most recent call last):")


def test_one_image_that_is_too_large_does_not_end_the_run(run, out, bids, threshold_segmenter):
    summary = run(segmenter=Failing(threshold_segmenter, "sub-01", MemoryError()))
    found = record(out, "sub-01_T1w")

    assert [o.status for o in summary.outcomes] == ["failed", "done", "done", "done"]
    assert found["traceback"] is None
    assert found["error"] == {
        "code": "out-of-memory",
        "problem": f"{bids}/sub-01/anat/sub-01_T1w.nii.gz needs more memory than there is.",
        "remedy": "Give the run a limit with --mem, or a machine with more memory.",
    }


def test_a_lost_device_ends_the_run(run, threshold_segmenter):
    lost = DeviceError("cuda:0 is gone.", remedy="Use --device cpu.")
    summary = run(segmenter=Failing(threshold_segmenter, "run-2", lost))

    assert summary.stopped is lost
    assert [o.name for o in summary.outcomes] == ["sub-01_T1w", "sub-02_T1w"]
    assert summary.planned == 4


def test_a_full_disk_ends_the_run_and_a_rerun_completes_it(
    run, out, contents, monkeypatch, statuses
):
    complete = (run(), contents())[1]
    shutil.rmtree(out)
    sync = os.fsync

    def fsync(descriptor):
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if name.startswith(".sub-02_space"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(atomic.os, "fsync", fsync)
    summary = run()

    path = out / f"{DSEG.format('02')}.nii.gz"
    assert isinstance(summary.stopped, OutputError)
    assert str(summary.stopped) == f"{path} could not be written: No space left on device."
    assert summary.stopped.remedy == (
        "Free some space, then run the same command again: what is done is kept."
    )
    assert statuses(summary)["sub-02_T1w"] == "failed"
    assert "sub-03_FLAIR" not in statuses(summary)
    assert record(out, "sub-02_T1w")["error"]["problem"] == str(summary.stopped)
    assert not [name for name in contents() if "sub-02_space" in name or ".part" in name]

    monkeypatch.undo()
    assert run().exit_code == 0
    assert contents() == complete


def test_an_image_that_cannot_be_written_does_not_end_the_run(run, out, statuses):
    run()
    shutil.rmtree(out / "sub-01")
    (out / "sub-01").write_bytes(b"")
    summary = run()
    failure = next(o.failure for o in summary.outcomes if o.failure)

    assert statuses(summary)["sub-01_T1w"] == "failed"
    assert failure.code == "output"
    assert failure.problem == (
        f"{out / DSEG.format('01')}.nii.gz could not be written: Not a directory."
    )
    assert summary.exit_code == 1


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGUSR2"])
def test_a_signal_drops_the_image_and_keeps_the_others(
    run, out, contents, threshold_segmenter, name
):
    complete = (run(), contents())[1]
    shutil.rmtree(out)

    class Signalling(Failing):
        def segment(self, volume, targets):
            if "sub-03" in volume.source:
                os.kill(os.getpid(), getattr(signal, name))
            return self.segmenter.segment(volume, targets)

    summary = run(segmenter=Signalling(threshold_segmenter, "", None))

    assert isinstance(summary.stopped, PreemptedError)
    assert str(summary.stopped) == f"{name} stopped the run before its end."
    assert summary.stopped.remedy == AGAIN
    assert [o.status for o in summary.outcomes] == ["done"] * 3
    assert not [path for path in out.rglob("*") if path.name.endswith(".part")]

    assert run().exit_code == 0
    assert contents() == complete


def test_ctrl_c_keeps_what_is_done(run, out, contents, threshold_segmenter):
    complete = (run(), contents())[1]
    shutil.rmtree(out)
    summary = run(segmenter=Failing(threshold_segmenter, "run-2", KeyboardInterrupt()))

    assert isinstance(summary.stopped, KeyboardInterrupt)
    assert [o.name for o in summary.outcomes] == ["sub-01_T1w", "sub-02_T1w"]

    run()
    assert contents() == complete


def test_two_images_that_would_share_a_file_are_told_apart(run, bids, save_scan, contents):
    save_scan(bids / "sub-01" / "anat" / "sub-01_space-orig_T1w.nii.gz", "left-hippocampus")
    summary = run()
    failure = next(o.failure for o in summary.outcomes if o.failure)

    assert failure.code == "name-collision"
    assert failure.problem == (
        f"{bids}/sub-01/anat/sub-01_space-orig_T1w.nii.gz: its results would have the names "
        f"of those of {bids}/sub-01/anat/sub-01_T1w.nii.gz."
    )
    assert summary.exit_code == 1


def test_statuses_other_than_measured_are_counted(run):
    summary = run("left hippocampus", "brainstem", "cyst")

    assert {status: dict(counts) for status, counts in summary.unanswered.items()} == {
        "absent": {"brainstem": 4},
        "not_visible": {"cyst": 4},
    }
