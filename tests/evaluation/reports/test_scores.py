import pytest

from medprompt_cli.evaluation.overlap import bootstrap_interval, ratio_interval
from medprompt_cli.evaluation.reports.forte import Count
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.scores import forte_scores, ngram_scores

NONE = dict.fromkeys(CATEGORIES, Count())
COUNTS = {
    "a": NONE | {"degree": Count(1, 2, 1), "feature": Count(3, 3, 3)},
    "b": NONE | {"degree": Count(1, 1, 4)},
    "c": NONE,
}


@pytest.fixture
def numbers():
    return {
        (one.report, one.category, one.average, one.quantity): one
        for one in forte_scores(COUNTS)
    }


def test_a_report_has_its_numbers(numbers):
    assert numbers["a", "degree", "report", "precision"].value == 1
    assert numbers["a", "degree", "report", "recall"].value == 1 / 2
    assert numbers["a", "degree", "report", "f1"].value == 2 / 3
    assert numbers["a", "micro", "report", "f1"].value == 8 / 9
    assert numbers["a", "macro", "report", "f1"].value == pytest.approx((2 / 3 + 1) / 2)
    assert numbers["a", "degree", "report", "terms_reference"].value == 2
    assert numbers["c", "micro", "report", "f1"].value is None
    assert numbers["c", "micro", "report", "f1"].status == "absent"


def test_reports_are_pooled_by_their_terms(numbers):
    one = numbers[None, "degree", "pooled", "f1"]

    assert one.value == 2 * 2 / 8
    assert (one.low, one.high) == ratio_interval([2, 2, 0], [3, 5, 0])
    assert one.n == 2
    assert numbers[None, "micro", "pooled", "f1"].value == 2 * 5 / 14
    assert numbers[None, "degree", "pooled", "terms_candidate"].value == 5


def test_the_mean_is_over_the_reports_that_have_the_number(numbers):
    one = numbers[None, "degree", "mean", "f1"]

    assert one.value == pytest.approx((2 / 3 + 2 / 5) / 2)
    assert (one.low, one.high) == bootstrap_interval([2 / 3, 2 / 5])
    assert one.n == 2


def test_macro_is_the_mean_over_categories(numbers):
    one = numbers[None, "macro", "pooled", "f1"]

    assert one.value == pytest.approx((4 / 8 + 1) / 2)
    assert one.low is not None
    assert one.high is not None
    assert 2 / 5 <= one.low <= one.value <= one.high <= 1
    assert one.n == 2


def test_a_category_that_nobody_uses_has_no_score(numbers):
    for average in ("pooled", "mean"):
        one = numbers[None, "landmark", average, "f1"]
        assert (one.value, one.low, one.status, one.n) == (None, None, "absent", 0)


def test_one_report_has_no_interval():
    for one in forte_scores({"a": COUNTS["a"]}):
        assert (one.low, one.high) == (None, None)


def test_ngrams_of_each_report_and_of_all():
    pairs = [ReportPair("a", "a b c d", "a b c d"), ReportPair("b", "e f g h", "x y z w")]
    numbers = {(one.report, one.average, one.quantity): one for one in ngram_scores(pairs)}

    assert numbers["a", "report", "bleu_4"].value == 1
    assert numbers["b", "report", "bleu_4"].value == 0
    assert numbers[None, "mean", "bleu_4"].value == 0.5
    assert numbers[None, "mean", "bleu_4"].n == 2
    assert numbers[None, "pooled", "bleu_1"].value == pytest.approx(0.5)
    assert numbers[None, "mean", "rouge_l"].value == 0.5
    assert numbers[None, "mean", "cider_r"].value == pytest.approx(5)
