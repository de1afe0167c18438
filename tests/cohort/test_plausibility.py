"""A volume that nobody else has is marked for review."""

from __future__ import annotations

import pyarrow as pa
import pytest

from medprompt_cli.bids.schemas import MeasurementRow, to_table
from medprompt_cli.cohort.plausibility import with_plausibility
from medprompt_cli.domain.outliers import FEWEST


def row(case, value, region="left-hippocampus", quantity="volume", **about):
    return MeasurementRow(
        participant_id=case.partition("_")[0],
        session_id=None,
        case=case,
        method="m",
        version="1",
        source=None,
        region=region,
        quantity=quantity,
        value=value,
        unit="mL",
        status="measured" if value is not None else "absent",
        **about,
    )


def cohort(*volumes, kind="T1w", **about):
    return [row(f"sub-{n:02}_{kind}", v, **about) for n, v in enumerate(volumes)]


def judged(*rows) -> pa.Table:
    return with_plausibility(to_table("measurements", rows))


ALIKE = [4.0 + n / 100 for n in range(FEWEST)]


@pytest.mark.parametrize("odd", [0.4, 1.0, 12.0])
def test_an_unusual_volume_marks_every_row_of_its_region_and_case(odd):
    rows = cohort(*ALIKE, odd)
    beside = [
        row(rows[-1].case, 100.0, quantity="mean"),
        row(rows[-1].case, 4.0, region="x"),
    ]
    found = judged(*rows, *beside)

    assert found["qc"].to_pylist() == [None] * FEWEST + ["review", "review", None]
    assert found["qc_reasons"].to_pylist()[-3:] == ["unusual-volume"] * 2 + [None]
    assert found.schema == to_table("measurements", []).schema


def test_what_failed_stays_failed_and_keeps_its_reason():
    rows = cohort(*ALIKE)
    other = row("sub-99_T1w", 40.0, qc="review", qc_reasons="uncertain")
    failed = row("sub-99_T1w", 40.0, quantity="x", qc="fail", qc_reasons="uncertain")
    found = judged(*rows, other, failed)

    assert found["qc"].to_pylist()[-2:] == ["review", "fail"]
    assert found["qc_reasons"].to_pylist()[-2:] == ["uncertain; unusual-volume"] * 2


def test_a_cohort_that_is_alike_to_the_last_digit_has_no_outliers_within_some_percent():
    found = judged(*cohort(*[4.0] * FEWEST, 4.2))

    assert set(found["qc"].to_pylist()) == {None}


def test_few_cases_other_kinds_and_lesions_are_not_judged():
    few = cohort(*ALIKE[1:], 40.0, kind="FLAIR")[1:]
    lesions = cohort(*ALIKE, 400.0, region="ms-lesion")
    missing = cohort(None, None, region="right-hippocampus")
    table = judged(*few, *lesions, *missing)

    assert set(table["qc"].to_pylist()) == {None}
    assert table.equals(to_table("measurements", [*few, *lesions, *missing]))
