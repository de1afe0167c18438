"""Jobs share the subjects of a cohort: each subject in one job, none left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.cohort import shards
from medprompt_cli.cohort.shards import Shard, parse_shard, share_of, split, subject_sizes
from medprompt_cli.errors import UsageError

SIZES = st.dictionaries(st.from_regex(r"sub-[a-z0-9]{1,4}", fullmatch=True), st.integers(0, 99))


def array(task, ids, *, step=None):
    """The variables of one task of an array, as SLURM sets them."""
    values = {
        "ID": task,
        "MIN": min(ids),
        "MAX": max(ids),
        "COUNT": len(ids),
        "STEP": step or 1,
    }
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


@given(SIZES, st.integers(1, 40))
def test_every_subject_is_in_exactly_one_part(sizes, parts):
    shares = split(sizes, parts)

    assert len(shares) == parts
    assert sorted(subject for share in shares for subject in share) == sorted(sizes)


@given(SIZES, st.integers(1, 40))
def test_parts_do_not_hang_on_the_order_of_subjects(sizes, parts):
    assert split(sizes, parts) == split(dict(reversed(sizes.items())), parts)


@given(SIZES, st.integers(1, 40))
def test_the_fullest_part_is_close_to_the_least_possible(sizes, parts):
    fullest = max(sum(sizes[s] for s in share) for share in split(sizes, parts))

    # No division does better than the mean, nor than the largest subject.
    assert fullest <= sum(sizes.values()) / parts + max(sizes.values(), default=0)


def test_the_known_worst_case_of_dividing_so():
    sizes = {str(n): size for n, size in enumerate([5, 5, 4, 4, 3, 3, 3])}

    assert max(sum(sizes[s] for s in share) for share in split(sizes, 3)) == 11  # 9 is best


def test_subjects_of_no_size_are_spread_as_well():
    assert [len(share) for share in split(dict.fromkeys("abcdefg", 0), 3)] == [3, 2, 2]


@pytest.mark.parametrize(
    ("ids", "step"),
    [
        (range(1, 9), 1),
        (range(8), 1),
        (range(5, 12, 3), 3),
        (range(4, 12, 3), 3),
        (range(1000, 1003), 1),
    ],
    ids=["from-1", "from-0", "step", "end-beside-step", "far"],
)
def test_an_array_covers_every_part_once_wherever_its_ids_start(ids, step):
    found = [parse_shard("slurm", array(task, ids, step=step)) for task in ids]

    assert [shard.number for shard in found] == list(range(1, len(ids) + 1))
    assert {shard.of for shard in found} == {len(ids)}


def test_a_single_task_is_the_whole_and_says_so():
    shard = parse_shard("slurm", array(7, [7]))

    assert (shard.number, shard.of) == (1, 1)
    assert shard.told == "task 7 of the SLURM array 7-7, which has no other: the whole cohort"


@pytest.mark.parametrize(
    ("text", "environment", "message"),
    [
        ("0/4", {}, "--shard '0/4' is no part of a whole."),
        ("5/4", {}, "--shard '5/4' is no part of a whole."),
        ("1/0", {}, "--shard '1/0' is no part of a whole."),
        ("-1/4", {}, "--shard '-1/4' is no part of a whole."),
        ("2", {}, "--shard '2' is no part of a whole."),
        ("２/4", {}, "--shard '２/4' is no part of a whole."),  # noqa: RUF001 - the point
        (
            "slurm",
            {},
            "--shard slurm was given outside an array job: SLURM_ARRAY_TASK_ID is not set.",
        ),
        (
            "slurm",
            array(5, [1, 5, 9, 20]),
            "--shard slurm cannot place task 5 of an array of 4 from 1 to 20: the ids have "
            "gaps.",
        ),
        (
            "slurm",
            {**array(1, [1, 2]), "SLURM_ARRAY_TASK_COUNT": "two"},
            "--shard slurm needs the variable SLURM_ARRAY_TASK_COUNT, which is 'two'.",
        ),
        (
            "slurm",
            {"SLURM_ARRAY_TASK_ID": "1"},
            "--shard slurm needs the variable SLURM_ARRAY_TASK_MIN, which is not set.",
        ),
    ],
)
def test_what_is_no_part_is_refused(text, environment, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        parse_shard(text, environment)


def entry(subject, session=None, path="gone.nii.gz"):
    return ImageEntry(Path(path), subject, session, "T1w", {"sub": subject[4:]})


def test_visits_of_a_subject_and_spellings_of_its_name_stay_together():
    images = [entry(f"sub-{n:02}", f"ses-{v}") for n in range(5) for v in "ab"]
    images += [entry("sub-AB"), entry("sub-ab")]
    shares = [share_of(images, Shard(n, 3, "")) for n in (1, 2, 3)]

    assert sorted(s for share in shares for s in share.subjects) == [
        *(f"sub-{n:02}" for n in range(5)),
        "sub-ab",
    ]


def test_an_array_over_subjects_does_not_split_again():
    shard = parse_shard("slurm", array(3, range(1, 9)))
    with pytest.raises(UsageError, match="cannot be split") as caught:
        share_of([entry("sub-03")], shard)

    assert str(caught.value) == (
        "1 subject cannot be split among 8 tasks (task 3 of the SLURM array 1-8)."
    )
    assert caught.value.remedy == (
        "Leave out --shard if every task has subjects of its own; otherwise submit 1 task "
        "at most."
    )


def test_parts_named_by_hand_may_be_more_than_subjects():
    shares = [share_of([entry("sub-03")], Shard(n, 3, "")) for n in (1, 2, 3)]

    assert [sorted(share.subjects) for share in shares] == [["sub-03"], [], []]


def test_sizes_are_voxels_and_bytes_where_headers_are_many(tmp_path, save_scan, monkeypatch):
    scan = save_scan(tmp_path / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    bad = tmp_path / "sub-02" / "anat" / "sub-02_T1w.nii.gz"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"no image, of 22 bytes.")
    images = open_dataset(tmp_path).images

    assert subject_sizes(images) == {"sub-01": 12 * 14 * 10, "sub-02": 0}
    assert str(share_of(images, Shard(1, 2, "--shard 1/2"))) == (
        "shard 1/2 (--shard 1/2): 1 of 2 subjects, 100 % of the work"
    )

    monkeypatch.setattr(shards, "MAX_HEADERS", 1)

    assert subject_sizes(images) == {"sub-01": scan.stat().st_size, "sub-02": 22}


def test_what_is_used_is_said():
    images = [entry(f"sub-{n}") for n in range(5)]

    assert str(share_of(images, Shard(2, 3, "--shard 2/3"))) == (
        "shard 2/3 (--shard 2/3): 2 of 5 subjects"
    )
