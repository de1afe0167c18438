from dataclasses import replace

import pytest

from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.evaluation.instructions.outcomes import Outcome, Status
from medprompt_cli.evaluation.instructions.scores import VISIBLE, scores_of

GLOBAL = Instruction(
    *("a", "global", "global", "en", "Segment the tumor.", "[SEG] There is one tumor."),
    *("tumor", "tumor", None, "sub-01", None, "sub-01_T1w", ("uri",), (), 1, 4.0, "m"),
)
ABSENT = replace(
    GLOBAL, type="absence", pieces=0, volume_ml=0.0, mask=None, participant_id="sub-02"
)


def outcome(pair, name, true, predicted=None, shared=None, status: Status = "answered"):
    reason = "" if status == "answered" else "why"
    named = replace(pair, pair_id=name)
    return Outcome(named, status, reason, true, predicted, shared)


HALF = outcome(GLOBAL, "half", 4.0, 4.0, 2.0)  # IoU 2 / 6
WHOLE = outcome(GLOBAL, "whole", 1.0, 1.0, 1.0)
MISSED = outcome(GLOBAL, "missed", 3.0, 0.0, 0.0)
REFUSED = outcome(GLOBAL, "refused", 2.0, status="refused")
EMPTY = outcome(ABSENT, "empty", 0.0, 0.0, 0.0)
FALSE = outcome(ABSENT, "false", 0.0, 5.0, 0.0)
UNSEEN = outcome(ABSENT, "unseen", 0.0, status="not_visible")
ALL = [HALF, WHOLE, MISSED, REFUSED, EMPTY, FALSE, UNSEEN]


def numbers(outcomes, subset="all", member="all"):
    return {
        score.quantity: score
        for score in scores_of(outcomes)
        if (score.subset, score.member) == (subset, member)
    }


def test_scores_of_all_have_their_closed_form():
    found = numbers(ALL)

    ious = [1 / 3, 1, 0, 0, 1, 0, 0]
    assert found["giou"].value == pytest.approx(sum(ious) / 7)
    assert found["giou_present"].value == pytest.approx(sum(ious[:4]) / 4)
    # shared 2 + 1; united 6 + 1 + 3 + 2 + 0 + 5 + 0
    assert found["ciou"].value == pytest.approx(3 / 17)
    assert found["n_acc"].value == pytest.approx(1 / 3)
    assert found["answered"].value == pytest.approx(5 / 7)
    counted = {quantity: score.n for quantity, score in found.items()}
    assert counted == {"giou": 7, "giou_present": 4, "ciou": 7, "n_acc": 3, "answered": 7}


def test_types_are_scored_by_themselves():
    absent, there = numbers(ALL, "type", "absence"), numbers(ALL, "type", "global")

    assert absent["n_acc"].value == absent["giou"].value == pytest.approx(1 / 3)
    assert absent["ciou"].value is None
    assert absent["ciou"].status == "absent"
    assert there["n_acc"].value is None
    assert there["giou"].value == there["giou_present"].value == pytest.approx(1 / 3)
    assert numbers(ALL, "type", "basic")["giou"].value is None


def test_a_refusal_is_wrong_about_what_is_there_and_what_is_not():
    refused = [REFUSED, outcome(ABSENT, "also", 0.0, status="ambiguous")]
    found = numbers(refused)

    assert {q: s.value for q, s in found.items()} == {
        **{"answered": 0, "giou": 0, "giou_present": 0, "ciou": 0, "n_acc": 0}
    }


def test_what_weights_cannot_see_can_be_left_out():
    found = numbers(ALL, "all", VISIBLE)

    assert found["n_acc"].value == pytest.approx(1 / 2)
    assert found["giou"].n == 6


def test_a_pair_without_an_answer_has_no_number_of_its_own():
    mine = {s.quantity: s for s in scores_of([REFUSED]) if s.pair is REFUSED}

    assert mine["iou"].value is mine["predicted_ml"].value is None
    assert mine["iou"].status == "refused"
    assert mine["true_ml"].value == 2.0


def test_intervals_are_over_participants():
    people = [
        outcome(replace(GLOBAL, participant_id=f"sub-{n}"), f"{n}-{k}", 1.0, n % 2, n % 2)
        for n in range(20)
        for k in range(3)
    ]
    one_each = [one for one in people if one.pair.pair_id.endswith("-0")]
    spread, narrow = numbers(people)["giou"], numbers(one_each)["giou"]

    assert spread.value == 0.5
    assert (spread.low, spread.high) == (narrow.low, narrow.high)  # thrice says no more
    assert spread.low == pytest.approx(0.3, abs=0.06)
    assert numbers([HALF, WHOLE])["giou"].low is None  # one person has no spread
