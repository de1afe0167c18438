"""FORTE counted by the book: parity where boundaries are alike, a table where they differ."""

from __future__ import annotations

import pytest

from medprompt_cli.evaluation.reports.lexicon import (
    CATEGORIES,
    Category,
    Lexicon,
    read_lexicon,
)
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.published import KeyIndex, differences
from medprompt_cli.evaluation.reports.terms import TermIndex

TABLES: dict[Category, dict[str, tuple[str, ...]]] = {
    "degree": {" mild": (" mild", " slight"), " slight": (" mild", " slight")},
    "landmark": {" pons": (" pons",), " thalamus": (" thalamus",)},
    "feature": {
        " edema": (" edema",),
        " mass lesion ": (" mass lesion ", " mass effect"),
        " mass effect": (" mass lesion ", " mass effect"),
    },
    "impression": {" ich": (" ich",), " stroke": (" stroke",)},
}


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("forte")


@pytest.fixture
def lexicon():
    groups: dict[Category, tuple[tuple[str, ...], ...]] = {
        category: tuple(
            tuple(word.strip() for word in same) for same in dict.fromkeys(table.values())
        )
        for category, table in TABLES.items()
    }
    return Lexicon("test", groups, TABLES, frozenset())


@pytest.fixture
def counted(script, lexicon):
    """Count pairs of sentences; gives what came of them, and the index."""

    def run(*pairs):
        index = KeyIndex(lexicon, TermIndex(lexicon))
        made = [ReportPair(str(n), *pair) for n, pair in enumerate(pairs)]
        return script.count_pairs(made, lexicon, index), index

    return run


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        ("mild edema", "slight edema", (1.0, 1.0)),
        ("mild edema", "milder edema", (1.0, 1.0)),  # a boundary on the left is enough
        ("(mild) edema", "mild edema", (0.0, None)),  # and there has to be one
        ("edema", "pons", (None, None)),
        ("mild edema", "edema", (None, 0.0)),
    ],
)
def test_the_book_counts_like_this(script, reference, candidate, expected):
    assert script.by_the_book(reference, candidate, TABLES["degree"]) == expected


def test_a_space_behind_a_key_loses_its_synonyms(script):
    table = TABLES["feature"]

    assert list(script.without_synonyms(table)) == ["mass lesion"]
    pair = ("mass lesion seen", "mass effect seen")
    assert script.by_the_book(*pair, table) == (0.0, 0.0)


def test_ours_is_held_to_the_book_only_where_boundaries_are_alike(counted):
    parity, _ = counted(
        ("mild edema of the pons", "slight edema of the pons"),
        ("milder edema of the pons", "mild edema of the pons"),
        ("mass lesion of the pons", "mass effect of the pons"),
    )

    assert parity.holds
    assert parity.tallies["degree"].alike == [True, False, True]
    assert parity.tallies["degree"].ours_agrees(alike=False) == 0
    assert parity.tallies["feature"].alike == [True, True, False]
    assert dict(parity.lost) == {("feature", "mass lesion"): 1}


def test_a_count_that_is_off_is_noticed(counted):
    parity, _ = counted(("mild edema", "slight edema"))
    parity.tallies["degree"].ours[0] = (1.0, 0.5)

    assert not parity.holds
    assert not counted()[0].holds  # nothing was compared


def test_the_report_shows_where_boundaries_differ(script, counted):
    parity, index = counted(("milder edema of the pons", "mild (edema) of the pons"))
    lines = script.report(parity, differences(parity.rows, index)).splitlines()

    assert "| degree | mild | the script only | milder | 1 |" in lines
    assert "| feature | edema | whole words only | (edema) | 1 |" in lines
    assert "| landmark | 1 | 1 | 1 | 1 | 0 | 0 |" in lines
    assert lines[-1].startswith("1 pairs, and 0 dropped")
    assert lines[-1].endswith("are alike: kept.")


@pytest.mark.shared
def test_ours_agrees_with_the_published_procedure_on_its_own_lists(script, shared_data):
    lexicon = read_lexicon(shared_data / "text" / "FORTE_brain.json")
    index = KeyIndex(lexicon, TermIndex(lexicon))
    pairs = script.made_pairs(lexicon, 400, 7)
    parity = script.count_pairs(pairs, lexicon, index)

    assert parity.holds
    for category in CATEGORIES:
        tally = parity.tallies[category]
        assert sum(tally.alike) > 300
        assert len(tally.alike) - sum(tally.alike) > 5
        assert len(set(tally.book)) > 3
