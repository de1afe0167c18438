"""A dataset as a whole: its tables, its parts, and what is wanted of it."""

from __future__ import annotations

import pickle
from datetime import date, datetime
from pathlib import Path

import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.problems import PROBLEM_KINDS
from medprompt_cli.errors import InputError, UsageError


def found(dataset):
    return [entry.path.relative_to(dataset.root).as_posix() for entry in dataset.images]


def said(dataset):
    return [
        (problem.code, problem.path.relative_to(dataset.root).as_posix(), problem.message)
        for problem in dataset.problems
    ]


def test_dates_come_from_scans_before_sessions(plant):
    root = plant(
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_FLAIR.nii.gz",
        "sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz",
    )
    plant(
        "sub-01/sub-01_sessions.tsv",
        content=b"session_id\tacq_time\nses-1\t1901-02-03\nses-2\t1902-02-03\n",
    )
    plant(
        "sub-01/ses-1/sub-01_ses-1_scans.tsv",
        content=b"filename\tacq_time\n"
        b"anat/sub-01_ses-1_T1w.nii.gz\t1901-02-03T04:05:06\n"
        b"anat/sub-01_ses-1_T1w.nii\tn/a\n"
        b"func/sub-01_ses-1_task-rest_bold.nii.gz\tn/a\n",
    )
    dataset = open_dataset(root)

    assert [entry.acquired for entry in dataset.images] == [
        date(1901, 2, 3),
        datetime(1901, 2, 3, 4, 5, 6),
        None,
    ]
    assert said(dataset) == [
        (
            "unmatched-row",
            "sub-01/ses-1/sub-01_ses-1_scans.tsv",
            "Names 'anat/sub-01_ses-1_T1w.nii', which is not there.",
        ),
        (
            "unmatched-row",
            "sub-01/sub-01_sessions.tsv",
            "Names 'ses-2', which is not there.",
        ),
    ]


def test_participants(plant):
    root = plant("sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz")
    plant(
        "participants.tsv",
        content=b"participant_id\tage\n01\t40\nsub-03\tn/a\nsub-01\t41\na b\t2\n",
    )
    dataset = open_dataset(root)

    assert {who: row["age"] for who, row in dataset.participants.items()} == {
        "sub-01": "40",
        "sub-03": None,
    }
    assert said(dataset) == [
        (
            "duplicate-row",
            "participants.tsv",
            "The row of 'sub-01' names sub-01 again; the first row is kept.",
        ),
        (
            "bad-table",
            "participants.tsv",
            "Has the participant_id 'a b', which is not letters and digits.",
        ),
        ("missing-row", "participants.tsv", "Has no row for sub-02."),
        ("unmatched-row", "participants.tsv", "Names sub-03, which has no folder."),
    ]


def test_filters(plant):
    root = plant(
        *(
            f"sub-{who}/ses-{when}/anat/sub-{who}_ses-{when}_{what}.nii.gz"
            for who in ("01", "02")
            for when in ("a", "b")
            for what in ("T1w", "FLAIR")
        )
    )
    dataset = open_dataset(
        root, subjects=["02", "sub-09"], sessions=["ses-a"], suffixes=["T1w"]
    )

    assert found(dataset) == ["sub-02/ses-a/anat/sub-02_ses-a_T1w.nii.gz"]
    assert [(p.code, p.path, p.message) for p in dataset.problems] == [
        ("no-such-subject", root, "Has no subject sub-09.")
    ]
    assert open_dataset(root, sessions=["c"]).problems[-1].message == "Has no session ses-c."
    with pytest.raises(UsageError, match=r"'0_1' cannot be a label: it is not letters"):
        open_dataset(root, subjects=["0_1"])


@pytest.mark.parametrize("part", ["sub-01", "sub-01/ses-a", "sub-01/ses-a/anat"])
def test_a_part_of_a_dataset_stands_for_that_part(plant, part, monkeypatch):
    root = plant(
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "sub-01/ses-a/func/sub-01_ses-a_task-rest_bold.nii.gz",
        "sub-02/ses-a/anat/sub-02_ses-a_T1w.nii.gz",
    )
    dataset = open_dataset(root / part)

    assert (dataset.kind, dataset.root) == ("bids", root)
    assert found(dataset) == ["sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz"]
    monkeypatch.chdir(root / part)
    assert open_dataset(Path()).images == dataset.images


def test_nothing_usable_is_a_dataset_without_images(tmp_path):
    dataset = open_dataset(tmp_path)

    assert (dataset.kind, dataset.images, dataset.problems) == ("folder", (), ())


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none does not exist\.") as caught:
        open_dataset(tmp_path / "none")
    assert caught.value.code == "missing"


def test_entries_travel_between_processes(plant):
    dataset = open_dataset(plant("sub-01/anat/sub-01_T1w.nii.gz"))

    assert pickle.loads(pickle.dumps(dataset)) == dataset
    assert len({*dataset.images, *dataset.images}) == 1


def test_every_code_is_in_kebab_case():
    assert [code for code in PROBLEM_KINDS if not code.replace("-", "a").islower()] == []
