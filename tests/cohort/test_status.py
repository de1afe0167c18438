"""What a folder is said to hold is what the next run finds there."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.cohort.run import Job, run_job
from medprompt_cli.cohort.shards import Shard, share_of
from medprompt_cli.cohort.status import status_of
from medprompt_cli.errors import InputError
from medprompt_cli.planning.vocabulary import resolve

DSEG = "sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"


@pytest.fixture
def told(out):
    """How far every case is said to be, with why where there is a why."""

    def ask():
        return {
            case.name: " ".join(
                filter(None, [case.progress, case.why, (case.error or {}).get("code")])
            )
            for case in status_of(out).cases
        }

    return ask


@pytest.fixture
def all_done():
    names = ("sub-01_T1w", "sub-02_T1w", "sub-02_run-2_T1w", "sub-03_FLAIR")
    return dict.fromkeys(names, "done")


def test_all_is_done_after_a_run(run, out, told, all_done):
    run()

    assert told() == all_done
    assert status_of(out).exit_code == 0
    assert status_of(out).prompts == ("left hippocampus", "ventricles")


def test_what_a_run_did_not_reach_is_to_do(run, out, told, all_done, threshold_segmenter):
    segment = threshold_segmenter.segment

    def stop_at_the_third(volume, targets):
        if len(threshold_segmenter.seen) == 2:
            raise KeyboardInterrupt
        return segment(volume, targets)

    threshold_segmenter.segment = stop_at_the_third
    run()

    assert told() == {**all_done, "sub-02_run-2_T1w": "todo", "sub-03_FLAIR": "todo"}
    assert status_of(out).exit_code == 75


def test_a_failure_is_told_with_its_cause_until_it_is_mended(run, bids, out, told, all_done):
    scan = bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    good = scan.read_bytes()
    scan.write_bytes(good[:60])
    run()

    assert told() == {**all_done, "sub-01_T1w": "failed truncated"}
    failed = status_of(out).having("failed")[0]
    assert failed.error is not None
    assert set(failed.error) == {"code", "problem", "remedy"}
    assert status_of(out).exit_code == 1

    scan.write_bytes(good)
    run()

    assert told() == all_done


def test_an_image_that_makes_no_case_is_told_until_it_is_there(
    run, bids, save_scan, told, all_done
):
    scan = bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    scan.unlink()
    scan.symlink_to("gone.nii.gz")
    run()
    rest = {name: done for name, done in all_done.items() if name != "sub-01_T1w"}

    assert told() == {"sub-01/anat/sub-01_T1w.nii.gz": "failed not-fetched", **rest}

    scan.unlink()

    assert told() == rest

    save_scan(scan, "left-hippocampus")
    run()

    assert told() == all_done


def test_what_has_changed_since_is_stale(run, bids, out, told, all_done):
    run()
    scan = bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    scan.write_bytes(scan.read_bytes() + b"\0")
    os.utime(bids / "sub-03" / "anat" / "sub-03_FLAIR.nii.gz", ns=(0, 0))  # same contents
    (out / "measurements" / "sub-03_FLAIR.parquet").unlink()

    assert told() == {
        **all_done,
        "sub-01_T1w": "stale image",
        "sub-03_FLAIR": "todo removed",
    }


@pytest.mark.parametrize(
    ("what", "why"), [("prompts", "stale prompts"), ("weights", "stale weights")]
)
def test_results_of_another_question_are_stale(
    run, told, all_done, threshold_segmenter, what, why
):
    run()
    segment = threshold_segmenter.segment

    def stop_at_the_second(volume, targets):
        if "sub-02" in volume.source:
            raise KeyboardInterrupt
        return segment(volume, targets)

    threshold_segmenter.segment = stop_at_the_second
    if what == "weights":
        threshold_segmenter.weights_sha256 = "6" * 64
        run()
    else:
        run("brainstem")

    assert told() == {**dict.fromkeys(all_done, why), "sub-01_T1w": "done"}


def test_what_was_cut_off_between_renames_is_to_do(run, out, told, all_done):
    run()
    path = out / "logs" / "sub-01_T1w.json"
    path.write_text(path.read_text().replace('"status": "done"', '"status": "writing"'))

    assert told() == {**all_done, "sub-01_T1w": "todo interrupted"}


def test_a_file_changed_by_hand_is_named(run, out, told, all_done):
    run()
    (out / DSEG).write_bytes(b"corrected")

    assert told() == all_done
    assert [c.edited for c in status_of(out).cases if c.edited] == [(str(out / DSEG),)]


@pytest.fixture
def run_part(bids, out, threshold_segmenter):
    """Run some subjects, or one shard of the dataset."""

    def run_some(subjects=None, number=None, prompts=("left hippocampus",)):
        dataset = open_dataset(bids, subjects=subjects)
        share = number and share_of(dataset.images, Shard(number, 3, "--shard"))
        job = Job(
            out,
            dataset.root,
            dataset.images,
            (),
            prompts,
            resolve(prompts),
            some=subjects is not None,
            share=share,
        )
        return run_job(job, threshold_segmenter)

    return run_some


def test_a_shard_is_told_as_a_part_of_the_whole(run_part, told, all_done):
    run_part(number=1)

    assert sorted(told().values()) == ["done", "done", "todo", "todo"]

    run_part(number=2)
    run_part(number=3)

    assert told() == all_done


def test_jobs_over_subjects_are_told_together(run_part, out, told, all_done):
    for subject in ("01", "02", "03"):
        run_part([subject])

    assert told() == all_done
    assert len(list((out / "logs" / "agenda").iterdir())) == 3

    run_part(["01"], prompts=("brainstem",))

    assert told() == {"sub-01_T1w": "done"}
    assert status_of(out).prompts == ("brainstem",)


def test_a_folder_without_a_run(out):
    with pytest.raises(InputError, match="holds no run of medprompt segment") as caught:
        status_of(out)

    assert caught.value.exit_code == 65


def test_a_damaged_agenda_is_passed_over(run, out, told, all_done):
    run()
    folder = out / "logs" / "agenda"
    for n, content in enumerate(("", "[]", '{"schema": 1}', "\xff", '{"schema": 2}')):
        (folder / f"{n}.json").write_text(content)

    assert told() == all_done


def test_every_file_is_looked_at_once(run, out, monkeypatch):
    """What ten thousand cases cost is timed by examples/benchmarks/status.py."""
    run("left hippocampus")
    looked = Counter()
    stat = os.stat
    monkeypatch.setattr(
        os, "stat", lambda path, **how: looked.update([str(path)]) or stat(path)
    )
    status_of(out)

    assert looked[str(out / DSEG)] == 1
    assert max(n for path, n in looked.items() if path.endswith(".nii.gz")) == 1
