import pytest

from medprompt_cli.evaluation.pooled import POOLED, pool
from medprompt_cli.evaluation.scores import Quantity, Score, status_of


def lesion(scan, true, predicted, shared, recall=None, region="tumor"):
    values: dict[Quantity, float | None] = {
        "true_ml": true,
        "predicted_ml": predicted,
        "shared_ml": shared,
        "lesion_recall": recall,
    }
    return [
        Score(scan, "group", region, quantity, value, status_of(value, there=true > 0))
        for quantity, value in values.items()
    ]


def pooled(scans, once=None):
    names = {scores[0].scan for scores in scans} if once is None else once
    return {(one.region, one.quantity): one for one in pool(scans, names)}


def test_scans_with_the_lesion_and_without_it_are_pooled():
    scans = [
        lesion("a", 4.0, 4.0, 2.0, recall=1.0),
        lesion("b", 2.0, 0.0, 0.0, recall=0.0),
        lesion("c", 0.0, 0.0, 0.0),
        lesion("d", 0.0, 1.0, 0.0),
        lesion("e", 0.0, 0.0, 0.0),
    ]

    found = pooled(scans)

    assert found["tumor", "giou"].value == pytest.approx((2 / 6 + 0 + 1 + 0 + 1) / 5)
    assert found["tumor", "ciou"].value == pytest.approx(2 / (6 + 2 + 1))
    assert found["tumor", "n_acc"].value == pytest.approx(2 / 3)
    assert found["tumor", "lesion_recall"].value == 0.5
    assert [found["tumor", q].n for q in ("giou", "ciou", "n_acc", "lesion_recall")] == [
        *(5, 5, 3, 2)
    ]
    assert {one.group for one in found.values()} == {POOLED}
    assert {one.scan for one in found.values()} == {None}


def test_intervals_hold_the_value_and_end_at_what_was_seen():
    scans = [lesion(str(n), 0.0, float(n < 2), 0.0) for n in range(10)]

    n_acc = pooled(scans)["tumor", "n_acc"]

    assert n_acc.value == 0.8
    assert 0.5 <= (n_acc.low or 0) < 0.8 < (n_acc.high or 0) <= 1
    always = pooled([lesion(str(n), 0.0, 0.0, 0.0) for n in range(10)])["tumor", "n_acc"]
    assert (always.value, always.low, always.high) == (1, 1, 1)


def test_a_scan_counts_once_however_often_it_was_read():
    scans = [lesion("both", 0.0, 0.0, 0.0), lesion("flair", 0.0, 1.0, 0.0)]

    assert pooled(scans, {"both"})["tumor", "n_acc"].value == 1
    assert pooled(scans)["tumor", "n_acc"].value == 0.5


def test_a_class_that_no_scan_lacks_has_no_null_accuracy():
    found = pooled([lesion("a", 1.0, 1.0, 1.0, recall=1.0)])

    assert found["tumor", "n_acc"].value is None
    assert (found["tumor", "n_acc"].status, found["tumor", "n_acc"].n) == ("absent", 0)
    assert found["tumor", "giou"].low is None  # one scan says nothing of spread


def test_what_the_weights_cannot_see_is_not_pooled():
    scores = [Score("a", "g", "cyst", "true_ml", None, "not_visible")]

    assert {one.status for one in pooled([scores]).values()} == {"not_visible"}


def test_regions_that_are_no_lesions_are_left_out():
    assert pooled([lesion("a", 1.0, 1.0, 1.0, region="left-insula")]) == {}
