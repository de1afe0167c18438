"""Reports with one error each: the lock refuses them, and lets the true ones by."""

from __future__ import annotations

import numpy as np
import pytest

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
