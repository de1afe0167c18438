"""Pass, review or fail, and why."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.measurement.quality import Evidence, Quality, expected_dice, judge

SURE = PosteriorSums(4.0, 3.9, 0.1)


def hippocampus(**changes):
    values = {"volume_ml": 4.0, "largest_share": 1.0, "presence": 0.99, "sums": SURE}
    return Evidence("left-hippocampus", **(values | changes))


def told(quality: Quality):
    """Level, reasons, and the expected Dice to nine digits."""
    dice = quality.expected_dice
    return quality.level, quality.reasons, None if dice is None else round(dice, 9)


def test_a_mask_of_certain_voxels_passes():
    assert told(judge(hippocampus(), 4.2)) == ("pass", (), 0.975)


@pytest.mark.parametrize(
    ("inside", "level"), [(3.1, "pass"), (2.9, "review"), (2.1, "review"), (1.9, "fail")]
)
def test_expected_dice_decides(inside, level):
    found = judge(hippocampus(sums=PosteriorSums(4.0, inside, 1.0)), 4.0)

    assert told(found) == (level, () if level == "pass" else ("uncertain",), inside / 4)


def test_uncertain_lesions_are_looked_at_and_never_fail():
    lesion = Evidence("ms-lesion", 4.0, 0.1, 0.9, PosteriorSums(4.0, 0.5, 1.0))

    assert judge(lesion) == Quality("review", ("uncertain",), 0.125)


@pytest.mark.parametrize(
    ("presence", "level"), [(None, "pass"), (0.5, "pass"), (0.49, "review"), (0.09, "fail")]
)
def test_voxels_of_what_is_probably_not_there(presence, level):
    found = judge(hippocampus(presence=presence))

    assert found.level == level
    assert found.reasons == (() if level == "pass" else ("unlikely-present",))


def test_sides_that_differ_and_pieces_are_looked_at():
    # 200 (4 - 6.1) / 10.1 = 41.6 %; (4 - 5.9): 38 %
    assert judge(hippocampus(), 6.1).reasons == ("asymmetric",)
    assert judge(hippocampus(), 5.9).reasons == ()
    assert judge(hippocampus(largest_share=0.8)).reasons == ("in-pieces",)
    everything = hippocampus(largest_share=0.8, presence=0.3)
    reasons = ("unlikely-present", "in-pieces", "asymmetric")
    assert told(judge(everything, 9.0)) == ("review", reasons, 0.975)


def test_thin_structures_and_unions_may_be_in_pieces_and_differ():
    for region in ("left-inferior-lateral-ventricle", "csf", "basal-ganglia", "left-insula"):
        assert judge(Evidence(region, 4.0, 0.3), 40.0) == Quality("pass")


def test_expected_dice_is_near_the_mean_of_drawn_truths():
    random = np.random.default_rng(0)
    p = random.beta(0.3, 0.9, 20_000)
    mask = p > 0.5
    sums = PosteriorSums(p.sum(), p[mask].sum(), (p * (1 - p)).sum())
    truths = random.random((200, p.size)) < p
    dice = 2 * (truths & mask).sum(axis=1) / (truths.sum(axis=1) + mask.sum())

    assert expected_dice(float(mask.sum()), sums) == pytest.approx(dice.mean(), abs=0.002)


def test_nothing_has_a_dice_of_0():
    assert expected_dice(0.0, PosteriorSums(0.0, 0.0, 0.0)) == 0.0
