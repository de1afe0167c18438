"""Rows say what was measured, of what, and by what."""

from __future__ import annotations

import json

import pytest

from medprompt_cli.bids.schemas import Origin, to_table
from medprompt_cli.cohort.rows import Sources, finding_rows, measurement_rows
from medprompt_cli.domain.finding import Evidence, Finding
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.execution.measuring import Measured
from medprompt_cli.measurement.quality import Quality

FLAIR, T1W = "bids:source:a_FLAIR.nii.gz", "bids:source:a_T1w.nii.gz"


@pytest.fixture
def sources():
    origin = Origin(
        participant_id="sub-01", session_id="ses-1", case="c", method="m", version="1"
    )
    return Sources(origin, (FLAIR, T1W), {"lesion": "a_mask.nii.gz"})


def test_an_intensity_names_its_image_and_all_else_names_all(sources):
    numbers = (
        Measurement("lesion", "volume", 1.5, "mL").with_interval(1.0, 2.0),
        Measurement("lesion", "mean", 7.0, "1"),
    )
    others = ((Measurement("lesion", "mean", 9.0, "1"),),)
    quality = Quality("review", ("uncertain", "in-pieces"), 0.4)
    region = Measured("lesion", numbers, others, 2, 0.75, quality)
    rows = to_table("lesions", measurement_rows([region], sources)).to_pylist()

    assert [(row["quantity"], row["value"], row["source"]) for row in rows] == [
        ("volume", 1.5, f"{FLAIR} {T1W}"),
        ("mean", 7.0, FLAIR),
        ("mean", 9.0, T1W),
    ]
    assert (rows[0]["lower"], rows[0]["upper"], rows[1]["lower"]) == (1.0, 2.0, None)
    for row in rows:
        assert (row["instance"], row["presence"], row["mask"]) == (2, 0.75, "a_mask.nii.gz")
        assert (row["qc"], row["qc_reasons"]) == ("review", "uncertain; in-pieces")
        assert (row["expected_dice"], row["participant_id"]) == (0.4, "sub-01")


def test_what_passes_has_no_reasons_and_what_is_not_there_no_quality(sources):
    volume = (Measurement("a", "volume", 1.0, "mL"),)
    rows = measurement_rows(
        [Measured("a", volume, quality=Quality("pass")), Measured("b", volume)], sources
    )

    assert [(row.qc, row.qc_reasons, row.mask) for row in rows] == [
        ("pass", None, None),
        (None, None, None),
    ]


def test_findings_carry_the_numbers_behind_them(sources):
    evidence = {"z": Evidence(2.5, "1")}
    found = [
        Finding("lesion", "signal", "hyper", 0.9, evidence=evidence, notes=("A.", "B.")),
        Finding.missing("lesion", "lobe", "not_visible"),
    ]
    rows = to_table("findings", finding_rows(found, sources)).to_pylist()

    assert json.loads(rows[0]["evidence"]) == {"z": {"value": 2.5, "unit": "1"}}
    assert (rows[0]["value"], rows[0]["probability"], rows[0]["notes"]) == (
        *("hyper", 0.9),
        "A. B.",
    )
    assert (rows[1]["value"], rows[1]["evidence"], rows[1]["status"]) == (
        *(None, None),
        "not_visible",
    )
