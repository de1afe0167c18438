"""Rows of tables to facts: ids, visits, images, what is missing."""

from __future__ import annotations

import pandas as pd
import pytest

from medprompt_cli.reporting.gathering import Tables, gather, row_id
from medprompt_cli.reporting.limits import Expectations, Limits, Norm, NormKey


def test_a_fact_is_found_by_the_id_of_its_row(facts, tables):
    row = tables["lesions"][0]

    assert row_id("lesions", row) == "lesions:sub-01_ses-02_FLAIR:lesion:1:volume"
    assert facts.rows[row_id("lesions", row)].value == 4.9


def test_every_row_has_an_id_of_its_own(facts, tables):
    assert len(facts.rows) == sum(map(len, tables.values())) + len(facts.images)


def test_rows_with_one_key_are_told_apart(build, tables):
    twice = [*tables["findings"], tables["findings"][0]]
    name = row_id("findings", twice[0])

    assert {name, f"{name}#2"} <= build(findings=twice).rows.keys()


def test_rows_of_pandas_give_the_same_facts(facts, build, tables):
    frames = {name: pd.DataFrame(rows).to_dict("records") for name, rows in tables.items()}

    assert build(**frames) == facts


def test_rows_of_other_subjects_are_left_out(build, tables):
    other = {**tables["measurements"][0], "participant_id": "sub-02", "value": 99.0}
    found = build(measurements=[*tables["measurements"], other])

    assert found == build()


def test_visits_are_in_the_order_of_their_days(facts):
    assert [visit.name for visit in facts.visits] == ["ses-01", "ses-02"]
    assert facts.last is not None
    assert facts.last.when is not None
    assert facts.last.when.isoformat() == "2025-04-18"
    assert facts.before("ses-02") == facts.visits[0]
    assert facts.before("ses-01") is None


def test_of_two_images_structures_are_read_on_one_and_lesions_on_the_other(facts):
    assert facts.read_on("left-hippocampus", "ses-02") == "sub-01_ses-02_T1w"
    assert facts.numbers_of("left-hippocampus", "ses-02")["volume"].value == 3.212
    assert facts.read_on("lesion", "ses-02") == "sub-01_ses-02_FLAIR"


def test_findings_are_those_of_the_image_that_lesions_are_counted_on(build, tables):
    """Lesion 1 of another image is another lesion."""
    other = [{**row, "case": "sub-01_ses-02_T1w"} for row in tables["findings"][:3]]
    found = build(findings=[*tables["findings"], *other])

    assert {one.case for one in found.findings_of("lesion", "ses-02", 1)} == {
        "sub-01_ses-02_FLAIR"
    }


def test_images_that_were_read_together_show_a_finding_together(build, tables):
    uris = "bids:source:a/sub-01_ses-02_dwi.nii.gz bids:source:a/sub-01_ses-02_ADC.nii.gz"
    row = {**tables["findings"][0], "source": uris}

    assert build(findings=[row]).findings[0].kinds == ("dwi", "ADC")


def test_a_lesion_knows_when_and_how_large_it_was_last_seen(facts):
    rows = {(fate.lesion, fate.visit): fate for fate in facts.fates}

    assert (rows[1, "ses-02"].before_ml, rows[1, "ses-02"].before) == (3.6, "ses-01")
    assert rows[3, "ses-02"].before_ml is None


def test_what_is_given_comes_before_the_cohort(build):
    key = ("left-hippocampus", "volume")
    given: dict[tuple[str, str], Limits] = {key: Limits(3.3, 4.0, "a table")}
    norms: dict[NormKey, Norm] = {(*key, "T1w"): Norm(1.2, 0.1, 20)}

    by_table = build(Expectations(given, norms)).numbers_of("left-hippocampus", "ses-02")
    by_cohort = build(Expectations({}, norms)).numbers_of("left-hippocampus", "ses-02")
    assert by_table["volume"].verdict == "below"
    assert by_cohort["volume"].verdict == "within"
    assert by_table["volume"].limits == given[key]
    assert by_cohort["volume"].limits is not None
    assert by_cohort["volume"].limits.z == pytest.approx((1.16690 - 1.2) / 0.1, abs=1e-3)


def test_a_subject_without_sessions_has_one_visit():
    row = {
        **{"participant_id": "sub-01", "session_id": None, "case": "sub-01_T1w"},
        **{"region": "brain", "quantity": "volume", "value": 1.0, "unit": "mL"},
        **{"status": "measured", "version": "0.1.0", "weights": None},
    }
    facts = gather("sub-01", Tables(measurements=[row]))

    assert [visit.name for visit in facts.visits] == [""]
    assert facts.numbers_of("brain", "")["volume"].kind == "T1w"
    assert facts.versions == ("medprompt 0.1.0",)
