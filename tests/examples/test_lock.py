"""Reports with one error each: the lock refuses them, and lets the true ones by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medprompt_cli.reporting.composition import compose
from medprompt_cli.reporting.gathering import Tables, gather, row_id
from medprompt_cli.reporting.report import Section, Sentence

LEAST_REFUSED = 0.99


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("lock")


@pytest.mark.slow
def test_errors_are_refused_and_true_reports_are_not(script):
    tally = script.judge(list(script.cases(200)), 1250)

    assert sum(tally.reports.values()) == 200
    assert tally.passed == tally.reports
    assert sum(tally.made.values()) == 1250
    assert all(tally.made[language, way] > 100 for language, way in tally.made)
    refused = sum(tally.refused.values()) / sum(tally.made.values())
    assert refused >= LEAST_REFUSED, tally.escaped


def test_a_number_is_ten_percent_off_or_one_in_its_last_digit(script):
    [case] = script.cases(1)
    rng = np.random.default_rng(0)

    changed = {
        script.other_number("Brain: 1180 mL, lesion 2 of ses-02.", case, rng) for _ in range(50)
    }
    assert changed == {
        "Brain: 1298 mL, lesion 2 of ses-02.",
        "Brain: 1062 mL, lesion 2 of ses-02.",
        "Brain: 1180 mL, lesion 3 of ses-02.",
        "Brain: 1180 mL, lesion 1 of ses-02.",
    }
    assert script.other_number("Made with medprompt 0.1.0.", case, rng) is None


def test_a_denial_is_added_or_taken_away(script):
    [case] = script.cases(1)
    rng = np.random.default_rng(0)

    changed = {script.other_denial("No midline shift.", case, rng) for _ in range(30)}
    assert "midline shift." in changed


def test_regions_change_within_their_sort(script):
    [case] = script.cases(1)
    rng = np.random.default_rng(0)
    kinds = {script.other_region("Left thalamus: 7 mL.", case, rng) for _ in range(30)}

    assert len(kinds) > 5
    assert not any("lobe" in text or "thalamus" in text for text in kinds)


def test_a_small_run_prints_its_table(script, capsys):
    script.main(subjects=2, wanted=10)

    printed = capsys.readouterr().out
    assert "| untouched, let through | 1 of 1 | 1 of 1 |" in printed
    assert "of 10 mutants refused" in printed


@pytest.fixture
def tables(benchmark_module):
    return benchmark_module("lock_tables")


def test_what_stands_in_no_row_is_found_without_the_lock(tables):
    about = {"participant_id": "sub-1", "case": "sub-1_T1w", "quantity": "volume", "unit": "mL"}
    values = {"left-hippocampus": 3.21, "right-hippocampus": 3.47, "brainstem": 19.0}
    rows = [
        {**about, "region": region, "value": value, "status": "measured"}
        for region, value in values.items()
    ]
    facts = gather("sub-1", Tables(measurements=rows))
    by_id = {row_id("measurements", row): row for row in rows}
    report = compose(facts)

    def missing(old: str, new: str) -> list[str]:
        [told] = [one for one in report.sentences if one.text.startswith("Hippocampus")]
        changed = replace(told, text=told.text.replace(old, new))
        traced = tables.Traced()
        tables.trace(replace(report, sections=(Section("x", (changed,)),)), by_id, traced)
        return [word for _, word, _ in traced.missing]

    assert missing("", "") == []
    assert missing("3.21", "3.22") == ["3.22"]
    assert missing("Hippocampus", "Brainstem") == ["Brainstem"]
    on_the_left = Sentence("On the right: 3.21 mL.", (next(iter(by_id)),))
    traced = tables.Traced()
    other = replace(report, sections=(Section("x", (on_the_left,)),))
    tables.trace(other, by_id, traced)
    assert [word for _, word, _ in traced.missing] == ["right"]
    assert traced.found["numbers"] == 1
