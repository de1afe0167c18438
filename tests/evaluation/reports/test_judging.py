import pytest

from medprompt_cli.evaluation.reports.judging import judge_reports
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.published_scores import VARIANTS

PAIRS = [
    ReportPair("a", "Mild edema of the pons. No shift.", "Slight edema of the pons. No shift."),
    ReportPair("b", "Old infarct, left thalamus.", "Lateral infarct of thalami. No edema."),
]


@pytest.fixture(scope="module")
def found(ours):
    return judge_reports(PAIRS, ours, published=True)


def test_every_number_can_be_traced_to_its_terms(found):
    for score in found.scores:
        if score.measure != "forte" or score.report is None or score.quantity[:5] != "terms":
            continue
        rows = [
            row
            for row in found.keywords
            if (row.measure, row.report, row.counted) == ("forte", score.report, True)
            and score.category in {row.category, "micro"}
        ]
        side = "candidate" if score.quantity == "terms_candidate" else "reference"
        rows = [row for row in rows if row.side == side]
        if score.quantity == "terms_matched":
            rows = [row for row in rows if row.outcome == "matched"]
        assert score.value == len(rows), score


def test_terms_are_where_they_are_said_to_be(found):
    for row in found.keywords:
        if row.measure == "forte":
            assert row.text[row.start : row.end] == row.words
        else:
            assert f" {row.words}" in f" {row.text.lower()}"


def test_the_published_procedure_has_its_own_numbers(found):
    numbers = {
        (one.measure, one.category, one.quantity): one
        for one in found.scores
        if one.measure.startswith("published")
    }

    assert len(numbers) == len(VARIANTS) * 5 * 3
    # Pairs: edema-edema, shift-shift, infarct-infarct; `late` is hit in `lateral`.
    degree = numbers["published", "degree", "precision"]
    assert degree.value == pytest.approx((1 + 0) / 2)
    assert degree.n == 2
    whole = numbers["published-whole-words", "degree", "precision"]
    assert (whole.value, whole.n) == (1, 1)
    macro = numbers["published", "macro", "recall"].value
    recalls = [numbers["published", c, "recall"].value for c in CATEGORIES]
    there = [value for value in recalls if value is not None]
    assert macro == pytest.approx(sum(there) / len(there))


def test_the_table_of_differences_is_there_if_asked_for(found, ours):
    assert ("degree", "late", "left", "lateral") in {
        (one.category, one.term, one.rule, one.words) for one in found.differences
    }
    assert judge_reports(PAIRS, ours).differences == []


def test_a_published_term_that_is_matched_is_so_on_both_sides(found):
    rows = [row for row in found.keywords if row.measure == "published" and row.report == "a"]

    outcomes = {(row.side, row.words): row.outcome for row in rows if row.category == "degree"}
    assert outcomes == {("reference", "mild"): "matched", ("candidate", "slight"): "matched"}
