"""Criteria of response, from what was found of a tumour's lesions at every visit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.cohort.criteria import read_criteria
from medprompt_cli.cohort.visit_results import VisitResults
from medprompt_cli.cohort.visits import FollowedVisit
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask
from medprompt_cli.longitudinal.ledger import LesionVisit, build_ledger

GRID = Geometry((80, 80, 30), np.diag([1.0, 1.0, 2.0, 1.0]))
FAR = np.s_[60:74, 60:74, 20:24]


def block(side, slices=4, at=(5, 5, 4)):
    """A block with two sides of so many mm, over some slices."""
    i, j, k = at
    return np.s_[i : i + side, j : j + side, k : k + slices]


def follow(region, *visits, kind="T1ce", moves=True):
    """Readings by name of a tumour whose masks are blocks, visit by visit."""
    masks = []
    for boxes in visits:
        voxels = np.zeros(GRID.shape, bool)
        for box in boxes:
            voxels[box] = True
        masks.append(Mask(region, voxels, GRID))
    names = [f"ses-{n}" for n in range(1, len(visits) + 1)]
    move = np.eye(4) if moves else None
    lesions = [LesionVisit(n, m, move) for n, m in zip(names, masks, strict=True)]
    results = [_result(region, name, mask) for name, mask in zip(names, masks, strict=True)]
    ledger = build_ledger(lesions) if moves else None
    found = read_criteria((), {region: ledger}, {}, results, kind, None)
    return {reading.name: reading for reading in found}


def _result(region, name, mask) -> Any:
    ml = np.count_nonzero(mask.voxels) * GRID.voxel_volume_mm3 / 1000
    entry = ImageEntry(Path(f"{name}.nii.gz"), "sub-01", name, "T1w", {})
    visit = FollowedVisit(name, datetime(2020, 1, 1), (entry,))
    status = "measured" if ml else "absent"
    volume = (
        Measurement(region, "volume", ml, "mL")
        if ml
        else Measurement.missing(region, "volume", "mL", "absent")
    )
    return VisitResults(visit, {region: status}, (volume,))


def hgg(*visits, **how) -> Any:
    return follow("enhancing-tumor", *visits, **how)["rano-hgg, enhancing-tumor"]


@pytest.mark.parametrize(
    ("sides", "category"),
    [
        ((20, 14), "PR"),
        ((20, 15), "SD"),
        ((20, 22), "SD"),
        ((20, 23), "PD"),
        ((20, 12, 14), "PD"),
    ],
)
def test_products_of_diameters_at_the_thresholds(sides, category):
    """The diagonal is the longest diameter, the other as long: sides squared, times 2 or so."""
    found = hgg(*[[block(side)] for side in sides])

    assert found.value == category
    ratio = (sides[-1] / sides[0]) ** 2
    assert found.numbers["percent of baseline"] == pytest.approx(100 * ratio - 100, abs=3)
    assert "Imaging only" in found.notes[0]
    assert "Wen et al." in found.source


def test_all_gone_is_a_complete_response_by_images_alone():
    found = hgg([block(20)], [])

    assert found.value == "CR"
    assert any("four weeks" in note for note in found.notes)


def test_what_is_left_beside_the_target_is_no_complete_response():
    small = block(4, at=(60, 60, 4))

    assert hgg([block(20), small], [small]).value == "PR"


def test_a_new_measurable_lesion_is_progression_and_a_small_one_is_not():
    assert hgg([block(20)], [block(20), FAR]).value == "PD"
    assert hgg([block(20)], [block(20), block(5, at=(60, 60, 20))]).value == "SD"


def test_disease_on_one_slice_is_not_measurable():
    found = hgg([block(20, slices=1)], [block(8, slices=1)])

    assert found.value == "SD"
    assert any("no measurable disease" in note for note in found.notes)


def test_volumes_and_areas_have_thresholds_of_their_own():
    found = follow("enhancing-tumor", [block(20)], [block(14)])  # -51 % of either

    assert found["rano-2.0-area, enhancing-tumor"].value == "PR"
    assert found["rano-2.0-volume, enhancing-tumor"].value == "SD"


def test_a_tumour_on_flair_is_read_as_of_low_grade():
    found = follow("tumor", [block(20)], [block(17)], kind="FLAIR")

    assert found["rano-lgg, tumor"].value == "MR"
    assert "low-grade" in found["rano-lgg, tumor"].source
    assert "rano-lgg, tumor" not in follow("tumor", [block(20)], [block(17)], kind="T1w")


def test_without_registration_volumes_are_read_and_areas_are_not():
    found = follow("enhancing-tumor", [block(20)], [block(10)], moves=False)

    assert found["rano-2.0-volume, enhancing-tumor"].value == "SD"  # nothing shown measurable
    assert found["rano-hgg, enhancing-tumor"].status == "failed_qc"
    assert found["rano-hgg, enhancing-tumor"].value is None


def test_a_target_that_comes_apart_is_measured_with_its_pieces():
    """Two halves of 9 x 20 of a block of 20 x 20: neither the whole, nor new."""
    halves = [np.s_[5:14, 5:25, 4:8], np.s_[16:25, 5:25, 4:8]]

    found = hgg([block(20)], halves)

    assert found.value in {"SD", "PR"}
    assert found.numbers["now"] > 2 * 9 * 15
