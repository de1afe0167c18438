import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.evaluation.overlap import Overlap
from medprompt_cli.evaluation.regions import (
    Detection,
    RegionPair,
    detect,
    score_region,
    sizes_of,
)

GRID = Geometry((10, 10, 10), np.diag([1.0, 1.0, 2.0, 1.0]))
MASKS = arrays(bool, (4, 5, 6), elements=st.booleans())


def mask(*places):
    voxels = np.zeros(GRID.shape, bool)
    for place in places:
        voxels[place] = True
    return voxels


def values(judged):
    return {one.quantity: one.value for one in score_region(judged, "scan", "group")}


def statuses(judged):
    return {one.quantity: one.status for one in score_region(judged, "scan", "group")}


def test_lesions_that_meet_are_found_and_the_rest_is_counted():
    truth = mask(np.s_[0:2, 0, 0], np.s_[4:6, 0, 0], np.s_[8:10, 0, 0])
    prediction = mask(np.s_[1:5, 0, 0], np.s_[0, 9, 9])

    found = detect(prediction, truth)

    assert found == Detection(true=3, found=2, predicted=2, right=1)
    assert found.recall == pytest.approx(2 / 3)
    assert found.precision == 0.5
    assert found.f1 == pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3))


def test_voxels_that_touch_by_a_corner_are_one_lesion():
    assert detect(mask(), mask((0, 0, 0), (1, 1, 1))).true == 1
    assert detect(mask(), mask((0, 0, 0), (2, 2, 2))).true == 2


def test_nothing_found_has_a_recall_and_an_f1_and_no_precision():
    nothing = detect(mask(), mask((1, 1, 1)))

    assert (nothing.recall, nothing.precision, nothing.f1) == (0, None, 0)


def test_without_a_true_lesion_there_is_no_recall():
    spurious = detect(mask((1, 1, 1)), mask())

    assert (spurious.recall, spurious.f1, spurious.predicted) == (None, None, 1)


@given(MASKS, MASKS)
def test_the_other_way_round_recall_and_precision_change_places(one, other):
    there, back = detect(one, other), detect(other, one)

    assert (there.recall, there.precision) == (back.precision, back.recall)
    if there.f1 is not None and back.f1 is not None:
        assert there.f1 == pytest.approx(back.f1)


def test_the_scores_of_a_lesion():
    truth = mask(np.s_[0:4, 0, 0])
    prediction = mask(np.s_[2:8, 0, 0])

    found = values(RegionPair("ms-lesion", prediction, truth, GRID))

    assert found["true_ml"] == pytest.approx(4 * 2 / 1000)
    assert found["predicted_ml"] == pytest.approx(6 * 2 / 1000)
    assert found["shared_ml"] == pytest.approx(2 * 2 / 1000)
    assert found["dice"] == pytest.approx(2 * 2 / 10)
    assert found["volume_bias_pct"] == pytest.approx(50)
    assert found["hd95_mm"] == pytest.approx(np.percentile([0, 0, 1, 2, 3, 4], 95))
    assert (found["lesions_true"], found["lesions_predicted"], found["lesion_f1"]) == (1, 1, 1)


def test_a_parcel_has_no_lesions():
    found = values(RegionPair("left-insula", mask(np.s_[:2]), mask(np.s_[:2]), GRID))

    assert found["dice"] == 1
    assert not {quantity for quantity in found if quantity.startswith("lesion")}


def test_a_lesion_that_is_missed_scores_nothing_and_lies_nowhere():
    judged = RegionPair("tumor", mask(), mask(np.s_[:2]), GRID)

    assert values(judged)["dice"] == 0
    assert values(judged)["lesion_recall"] == 0
    assert values(judged)["hd95_mm"] is None
    assert statuses(judged)["hd95_mm"] == statuses(judged)["lesion_precision"] == "missed"


@pytest.mark.parametrize("truth", [None, mask()], ids=["known-absent", "empty"])
def test_where_there_is_no_lesion_only_what_was_drawn_counts(truth):
    judged = RegionPair("tumor", mask((1, 1, 1), (5, 5, 5)), truth, GRID)
    found = values(judged)

    assert found["true_ml"] == found["shared_ml"] == found["lesions_true"] == 0
    assert found["predicted_ml"] == pytest.approx(2 * 2 / 1000)
    assert found["lesions_predicted"] == 2
    unscored = ("dice", "volume_bias_pct", "hd95_mm", "lesion_precision", "lesion_recall")
    assert {found[quantity] for quantity in (*unscored, "lesion_f1")} == {None}
    assert {statuses(judged)[quantity] for quantity in unscored} == {"absent"}


def test_what_the_weights_cannot_see_is_not_wrong():
    judged = RegionPair("cyst", None, mask(np.s_[:2]), GRID)

    assert set(values(judged).values()) == {None}
    assert set(statuses(judged).values()) == {"not_visible"}
    assert sizes_of(score_region(judged, "scan", "group")) is None


def test_sizes_are_read_back():
    judged = RegionPair("cyst", mask(np.s_[1:3]), mask(np.s_[:2]), GRID)

    sizes = sizes_of(score_region(judged, "scan", "group"))

    assert sizes == Overlap(shared=0.2, predicted=0.4, true=0.4)
