"""Which scan of each visit is followed, and what is said of the others."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.cohort.visits import Scanned, find_courses, protocol_differences
from medprompt_cli.domain.geometry import Geometry

DATES = {"a": date(2020, 1, 1), "b": date(2021, 1, 1), "c": date(2022, 1, 1)}


def scan(session, suffix="T1w", subject="01", acquired: Any = "by session", **entities):
    stem = "_".join(f"{k}-{v}" for k, v in entities.items())
    when = DATES.get(session) if acquired == "by session" else acquired
    return ImageEntry(
        Path(f"sub-{subject}_ses-{session}_{stem}_{suffix}.nii.gz"),
        f"sub-{subject}",
        f"ses-{session}",
        suffix,
        {"sub": subject, "ses": session, **entities},
        when,
    )


def one(entries, targets=("left-hippocampus",), together=()):
    [course] = find_courses(entries, targets, together)
    return course


def names(course):
    return [visit.entry.path.name for visit in course.visits]


@pytest.mark.parametrize(
    ("target", "kind"),
    [("left-hippocampus", "T1w"), ("ms-lesion", "FLAIR"), ("enhancing-tumor", "T1ce")],
)
def test_the_kind_that_shows_it_best_of_those_all_visits_have(target, kind):
    scans = [
        scan(session, suffix, **more)
        for session in "ab"
        for suffix, more in (("T1w", {}), ("FLAIR", {}), ("T1w", {"ce": "gd"}))
    ]

    assert one(scans, (target,)).kind == kind


def test_structures_on_a_kind_for_lesions_are_told():
    scans = [scan(session, suffix) for session in "ab" for suffix in ("T1w", "FLAIR")]
    course = one(scans, ("left-hippocampus", "ms-lesion"))

    assert course.kind == "FLAIR"
    assert course.warnings == (
        "Structures are followed on FLAIR, which was chosen for lesions; follow them on T1w in"
        " a folder of their own, with --suffix T1w.",
    )


def test_a_kind_that_all_visits_have_beats_one_that_shows_it_better():
    course = one([scan("a", "T1w"), scan("a", "FLAIR"), scan("b", "FLAIR")])

    assert (course.kind, course.warnings, len(course.visits)) == ("FLAIR", (), 2)


def test_a_visit_without_the_kind_is_left_out_and_named():
    course = one([scan("a"), scan("b"), scan("c", "FLAIR")])

    assert [visit.name for visit in course.visits] == ["ses-a", "ses-b"]
    assert course.warnings == ("ses-c has no T1w, which 2 of 3 visits have: it is left out.",)


def test_of_several_scans_that_like_those_of_other_visits():
    course = one([scan("a", acq="fast"), scan("a", acq="hires"), scan("b", acq="hires")])

    assert [entry.entities["acq"] for v in course.visits for entry in v.sources] == [
        "hires"
    ] * 2
    assert course.warnings == (
        "ses-a has 2 scans of the kind T1w; sub-01_ses-a_acq-hires_T1w.nii.gz is followed.",
    )


def test_dates_order_visits_and_labels_where_there_are_none():
    late = scan("a", acquired=datetime(2023, 1, 1, 9))
    assert [v.name for v in one([late, scan("b")]).visits] == ["ses-b", "ses-a"]

    undated = [scan("10", acquired=None), scan("9", acquired=None)]
    course = one(undated)
    assert [visit.name for visit in course.visits] == ["ses-9", "ses-10"]
    assert course.warnings == ("No dates are known: there are no changes a year.",)


def test_dates_that_contradict_labels_are_not_used():
    dates = {"1": date(2022, 1, 1), "2": None, "3": date(2021, 1, 1)}
    course = one([scan(session, acquired=when) for session, when in dates.items()])

    assert [visit.when for visit in course.visits] == [None] * 3
    assert course.warnings[-1] == (
        "The dates contradict the order of the labels, and are not used."
    )


def test_scans_read_together_need_all_kinds():
    scans = [scan("a", "T1w"), scan("a", "FLAIR"), scan("b", "T1w")]
    course = one(scans, together=("FLAIR", "T1w"))

    assert (course.kind, len(course.visits)) == ("FLAIR+T1w", 1)
    assert "has no FLAIR beside it" in course.warnings[0]


def test_every_subject_has_a_course():
    courses = find_courses([scan("a", subject="02"), scan("a", subject="01")], ())

    assert [course.subject for course in courses] == ["sub-01", "sub-02"]


def grid(*spacing):
    return Geometry((4, 4, 4), np.diag([*spacing, 1.0]))


def test_what_differs_between_scans():
    one_ = Scanned(grid(1.0, 1.0, 3.0), scan("a"), {"EchoTime": 0.09, "Manufacturer": "A"})
    same = Scanned(grid(3.01, 1.0, 1.0), scan("b"), {"EchoTime": 0.0901})
    other = Scanned(grid(1.0, 1.0, 4.0), scan("b", acq="2d"), {"Manufacturer": "B"})

    assert protocol_differences(one_, same) == []  # the same voxels, stored in another order
    assert protocol_differences(one_, other) == [
        "voxels of 1 x 1 x 3 and 1 x 1 x 4 mm",
        "acq none and 2d",
        "Manufacturer A and B",
    ]
