"""What the summary of a subject shows of made-up visits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.cohort.criteria import read_on
from medprompt_cli.cohort.following import Followed
from medprompt_cli.cohort.longitudinal_page import as_json, as_markdown
from medprompt_cli.cohort.visits import Course, FollowedVisit, Scanned
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask
from medprompt_cli.longitudinal.change import Visit, change_table
from medprompt_cli.longitudinal.ledger import LesionVisit, build_ledger
from medprompt_cli.longitudinal.readings import lesion_activity, lesion_counts
from medprompt_cli.longitudinal.signal_change import SignalChange, SignalRule

GRID = Geometry((30, 30, 30), np.eye(4))
SMALL, BIG = np.s_[4:8, 4:8, 4:8], np.s_[4:14, 4:8, 4:8]
MASK_ML, SOFT_ML = (44.4, 55.5), (99.7, 101.3)
"""Of a lesion, at either visit."""


def volume(region, quantity, value):
    return Measurement(region, quantity, value, "mL", "measured", value / 2, value * 2)


def measured(place):
    return [
        volume("left-hippocampus", "volume", 4.4 - place),
        volume("left-hippocampus", "soft-volume", 4.0 - place),
        volume("lesion", "volume", MASK_ML[place]),
        volume("lesion", "soft-volume", SOFT_ML[place]),
        volume("ventricles", "soft-volume", 20.0 + place),
        volume("tumor", "volume", 1.0)
        if place
        else Measurement.missing("tumor", "volume", "mL", "absent"),
    ]


def lesions(name, box):
    voxels = np.zeros(GRID.shape, bool)
    voxels[box] = True
    return LesionVisit(name, Mask("lesion", voxels, GRID), np.eye(4))


@pytest.fixture
def followed():
    """A lesion whose mask grew where the images stayed as they were."""
    names = ("ses-1", "ses-2")
    entries = [ImageEntry(Path(f"{n}.nii.gz"), "sub-01", n, "FLAIR", {}) for n in names]
    dates = (datetime(2020, 1, 1), datetime(2021, 1, 1))
    course = Course(
        "sub-01",
        "FLAIR",
        tuple(
            FollowedVisit(n, day, (entry,))
            for n, day, entry in zip(names, dates, entries, strict=True)
        ),
        (),
    )
    visits = [
        Visit(n, day, measured(k)) for k, (n, day) in enumerate(zip(names, dates, strict=True))
    ]
    still = SignalChange(
        *(*names, np.zeros(GRID.shape, np.float32), GRID, ()),
        *(np.zeros(GRID.shape, np.uint8), 0.1, 99.0, SignalRule()),
    )
    signals: dict[tuple[str, str], SignalChange] = {names: still}
    ledger = build_ledger([lesions("ses-1", SMALL), lesions("ses-2", BIG)], signals=signals)
    return Followed(
        *(course, tuple(Scanned(GRID, entry, {}) for entry in entries), None, None),
        *((np.eye(4), np.eye(4)), tuple(change_table(visits)), {"lesion": ledger}, (), ()),
        signals=signals,
    )


def row_of(page, region):
    [line] = [line for line in page.splitlines() if line.startswith(f"| {region} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_lesions_are_shown_by_their_masks_and_structures_by_probabilities(followed):
    page = as_markdown(followed, "weights 1")

    assert row_of(page, "lesion")[1:4] == ["44.400", "55.500", "+25.0"]
    assert row_of(page, "left-hippocampus")[1:4] == ["4.000", "3.000", "-25.0"]


def test_a_region_with_one_of_both_volumes_is_read_on_that():
    assert read_on([("lesion", "soft-volume"), ("third-ventricle", "volume")]) == {
        "lesion": "soft-volume",
        "third-ventricle": "volume",
    }


def test_intervals_that_were_not_checked_are_marked(followed):
    page = as_markdown(followed, "weights 1")

    assert row_of(page, "lesion")[4].endswith(" *")
    assert row_of(page, "ventricles")[4].endswith(" *")
    assert not row_of(page, "left-hippocampus")[4].endswith("*")
    assert "\\* Not checked: " in page


def test_what_was_measured_once_says_where_it_was_not(followed):
    assert row_of(as_markdown(followed, "weights 1"), "tumor")[1:] == [
        *("-", "1.000", "-", "-", "-", "-", "absent at the first"),
    ]


def test_why_a_reading_says_nothing_stands_first(followed):
    ledger = followed.ledgers["lesion"]
    assert ledger is not None
    readings = tuple(map(lesion_activity, lesion_counts(ledger)))
    page = as_markdown(replace(followed, readings=readings), "weights 1")

    assert (
        "- **t2-lesion-activity**: not known: 1 may be new or growing and cannot be told. "
        in page
    )


def test_growth_that_the_images_do_not_show_cannot_be_told(followed):
    page = as_markdown(followed, "weights 1")
    [between] = as_json(followed, {})["Ledger"]["lesion"]["Between"]

    assert row_of(page, "1") == ["1", "0.064", "0.160 cannot be told"]
    assert "| ses-1 to ses-2 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |" in page
    assert (between["Fates"], between["CannotBeTold"]) == ({}, 1)
    assert between["ByMasksAlone"] == {"enlarging": 1}
    assert "more than 45.2 % (24.2 % from 0.41 mL on)" in page
