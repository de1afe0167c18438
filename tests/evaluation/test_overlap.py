import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medprompt_cli.evaluation.overlap import (
    Overlap,
    bootstrap_interval,
    confusion,
    cumulative_iou,
    generalized_iou,
    hausdorff95_mm,
    null_accuracy,
    overlap,
    ratio_interval,
)

CLASSES = 4
LABELS = arrays(np.uint8, (3, 4, 5), elements=st.integers(0, CLASSES - 1))


def ball(radius, shift, spacing=(1.0, 1.0, 1.0)):
    shape = [math.ceil(56 / s) for s in spacing]
    axes = [(np.arange(n) - n / 2) * s for n, s in zip(shape, spacing, strict=True)]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    return (i - shift) ** 2 + j**2 + k**2 <= radius**2


def both(first, second):
    return overlap(confusion(first, second, 2), [1])


@given(LABELS, LABELS)
def test_one_pass_counts_what_comparing_label_by_label_counts(prediction, truth):
    table = confusion(prediction, truth, CLASSES)

    for label in range(CLASSES):
        ours, theirs = prediction == label, truth == label
        expected = Overlap(int((ours & theirs).sum()), int(ours.sum()), int(theirs.sum()))
        assert overlap(table, [label]) == expected


@given(LABELS, LABELS)
def test_a_union_is_counted_as_its_mask(prediction, truth):
    table = confusion(prediction, truth, CLASSES)

    assert overlap(table, [1, 3]) == both(np.isin(prediction, (1, 3)), np.isin(truth, (1, 3)))


@given(LABELS, LABELS)
def test_dice_and_jaccard_are_symmetric_and_tell_the_same(prediction, truth):
    one, other = both(prediction == 1, truth == 1), both(truth == 1, prediction == 1)

    assert one.dice == other.dice
    if one.dice is None or one.jaccard is None:
        assert one.dice is one.jaccard
    else:
        assert one.dice == pytest.approx(2 * one.jaccard / (1 + one.jaccard))


@given(LABELS)
def test_a_map_agrees_with_itself(labels):
    counts = both(labels == 2, labels == 2)

    assert counts.dice in {1, None}
    assert counts.volume_bias_pct in {0, None}


def test_what_is_empty_on_both_sides_has_no_score():
    nothing = Overlap(0, 0, 0)

    assert nothing.dice is None
    assert nothing.jaccard is None
    assert nothing.volume_bias_pct is None


def test_what_is_empty_on_one_side_scores_nothing():
    assert Overlap(0, 7, 0).dice == 0
    assert Overlap(0, 0, 7).dice == 0
    assert Overlap(0, 7, 0).volume_bias_pct is None
    assert Overlap(0, 0, 7).volume_bias_pct == -100


def test_two_shifted_balls_overlap_by_their_closed_form():
    radius, shift = 12.0, 6.0
    counts = both(ball(radius, 0), ball(radius, shift))

    lens = math.pi * (4 * radius + shift) * (2 * radius - shift) ** 2 / 12
    assert counts.dice == pytest.approx(lens / (4 / 3 * math.pi * radius**3), abs=0.01)


def test_a_larger_ball_has_its_closed_form_bias():
    counts = both(ball(13.0, 0), ball(10.0, 0))

    assert counts.volume_bias_pct == pytest.approx(100 * (1.3**3 - 1), rel=0.02)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.5, 1, 2)], ids=["even", "uneven"])
def test_concentric_balls_lie_apart_by_the_difference_of_their_radii(spacing):
    found = hausdorff95_mm(ball(13, 0, spacing), ball(9, 0, spacing), spacing)

    assert found == pytest.approx(4, abs=max(spacing) / 2)


def test_distance_is_measured_in_mm_along_the_axis_of_the_shift():
    thin = np.zeros((9, 9, 9), bool)
    thin[2] = True
    moved = np.roll(thin, 3, axis=0)

    assert hausdorff95_mm(thin, moved, (2.5, 1, 1)) == 7.5
    assert hausdorff95_mm(thin, thin, (2.5, 1, 1)) == 0


def test_five_percent_of_outliers_are_left_out():
    truth = np.zeros((200, 1, 1), bool)
    truth[:100] = True
    truth = np.repeat(truth, 3, axis=1)
    few, many = truth.copy(), truth.copy()
    few[150, 0] = True
    many[150:170] = True

    assert hausdorff95_mm(few, truth, (1, 1, 1)) == 0
    assert (hausdorff95_mm(many, truth, (1, 1, 1)) or 0) > 50


def test_there_is_no_distance_to_nothing():
    something = np.ones((2, 2, 2), bool)

    assert hausdorff95_mm(something, ~something, (1, 1, 1)) is None
    assert hausdorff95_mm(~something, something, (1, 1, 1)) is None


def test_generalised_iou_counts_empty_against_empty_as_right():
    samples = [Overlap(5, 10, 5), Overlap(0, 0, 0), Overlap(0, 3, 0)]

    assert generalized_iou(samples) == pytest.approx((0.5 + 1 + 0) / 3)
    assert cumulative_iou(samples) == pytest.approx(5 / 13)
    assert null_accuracy(samples) == 0.5


def test_without_samples_there_is_no_mean():
    assert generalized_iou([]) is None
    assert cumulative_iou([Overlap(0, 0, 0)]) is None
    assert null_accuracy([Overlap(1, 1, 1)]) is None


def test_the_bootstrap_interval_is_about_that_of_the_normal_mean():
    values = np.random.default_rng(1).normal(5, 2, size=400).tolist()

    low, high = bootstrap_interval(values) or (0, 0)

    spread = 1.96 * float(np.std(values)) / math.sqrt(len(values))
    assert low == pytest.approx(np.mean(values) - spread, abs=0.1 * spread)
    assert high == pytest.approx(np.mean(values) + spread, abs=0.1 * spread)


def test_the_bootstrap_interval_is_repeatable_and_of_one_value_there_is_none():
    assert bootstrap_interval([0.2, 0.5, 0.9]) == bootstrap_interval([0.2, 0.5, 0.9])
    assert bootstrap_interval([0.2, 0.5, 0.9], level=0.5) != bootstrap_interval([0.2, 0.5, 0.9])
    assert bootstrap_interval([0.5]) is None


def test_the_interval_of_a_ratio_is_that_of_the_sums():
    """With all wholes alike a ratio of sums is a mean, and a whole of 0 adds nothing."""
    parts = [1.0, 2.0, 4.0, 7.0]

    low, high = ratio_interval(parts, [2.0] * 4) or (0, 0)

    assert (2 * low, 2 * high) == pytest.approx(bootstrap_interval(parts))
    assert ratio_interval([3.0, 0.0], [4.0, 0.0]) == (0.75, 0.75)
    assert ratio_interval([0.0, 0.0], [0.0, 0.0]) is None
    assert ratio_interval([3.0], [4.0]) is None
