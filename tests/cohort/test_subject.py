"""All scans of one subject: their visits in order, and which image is which."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.cohort.subject import case_of, kinds_of, visits_of
from medprompt_cli.errors import InputError


def entry(session, suffix="T1w", acquired=None, subject="sub-01", **entities):
    path = Path(f"/data/{subject}_{session}_{suffix}.nii.gz")
    return ImageEntry(path, subject, session, suffix, {"sub": "01", **entities}, acquired)


def test_visits_are_in_the_order_of_their_dates():
    late, early = (
        entry("ses-a", acquired=date(2022, 5, 1)),
        entry("ses-b", acquired=date(2020, 1, 1)),
    )

    visits = visits_of([late, early])

    assert [(v.label, v.place) for v in visits] == [("ses-b", 0), ("ses-a", 1)]


@pytest.mark.parametrize("dated", [None, date(2020, 1, 1)])
def test_without_all_dates_labels_count_and_numbers_as_numbers(dated):
    entries = [entry("ses-10"), entry("ses-2", acquired=dated), entry("ses-1")]

    assert [v.label for v in visits_of(entries)] == ["ses-1", "ses-2", "ses-10"]


def test_a_case_knows_its_kinds_and_a_scan_with_contrast_agent():
    entries = [entry("ses-1"), entry("ses-1", ce="gd"), entry("ses-2", "FLAIR")]

    case = case_of(entries)

    assert kinds_of(case) == {"ses-1": ("T1w", "T1ce"), "ses-2": ("FLAIR",)}
    assert case.own.label == "ses-2"


def test_two_subjects_are_no_case():
    with pytest.raises(InputError, match="here are 2: sub-01, sub-02") as caught:
        case_of([entry("ses-1"), entry("ses-1", subject="sub-02")])
    assert caught.value.remedy == "Choose one with --participant-label."
