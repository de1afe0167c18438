"""How many lesions are new, grown or gone: counted from the first visit to the last, or not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medprompt_cli.cohort.fate_answers import AskedFate, answer_fates, asked_fates
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask
from medprompt_cli.longitudinal.ledger import LesionVisit, build_ledger
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.requests import Request, of_program
from medprompt_cli.planning.vocabulary import resolve

GRID = Geometry((30, 30, 30), np.eye(4))
A, A_GROWN, B, C = (
    *(np.s_[2:6, 2:6, 2:6], np.s_[2:12, 2:6, 2:6]),
    *(np.s_[20:24, 20:24, 20:24], np.s_[2:6, 20:24, 20:24]),
)
NEW, GONE = AskedFate("lesion", "new"), AskedFate("lesion", "resolved")


def answers(*visits, asked=(NEW,), moves=None, limits=None) -> Any:
    names = [f"ses-{n}" for n in range(1, len(visits) + 1)]
    moves = moves or [np.eye(4)] * len(visits)
    limits = limits or [0.0] * len(visits)
    lesions = []
    for name, boxes, move, limit in zip(names, visits, moves, limits, strict=True):
        voxels = np.zeros(GRID.shape, bool)
        for box in boxes:
            voxels[box] = True
        lesions.append(LesionVisit(name, Mask("lesion", voxels, GRID), move, limit))
    results: Any = [
        SimpleNamespace(visit=SimpleNamespace(name=n), limits_ml={"lesion": limit})
        for n, limit in zip(names, limits, strict=True)
    ]
    return answer_fates(asked, results, {"lesion": build_ledger(lesions)}, moves, {})


def test_two_visits():
    new, gone = answers([A, B], [A, C], asked=(NEW, GONE))

    assert (new.count, new.status, str(new)) == (
        1,
        "measured",
        "new lesion, ses-1 to ses-2: 1.",
    )
    assert gone.count == 1


def test_what_came_and_went_between_is_neither():
    """C is there at the second of three visits alone; B is new since the first."""
    new, gone = answers([A], [A, C], [A, B], asked=(NEW, GONE))

    assert (new.count, gone.count) == (1, 0)
    assert (new.first, new.last) == ("ses-1", "ses-3")


def test_growth_adds_up_over_visits():
    half = np.s_[2:8, 2:6, 2:6]
    [found] = answers([A], [half], [A_GROWN], asked=(AskedFate("lesion", "enlarging"),))

    assert found.count == 1


def test_one_visit_has_no_answer_and_a_note():
    [found] = answers([A])

    assert (found.count, found.status) == (None, "error")
    assert str(found) == (
        "new lesion, ses-1 to ses-1: not known. There is one visit only: nothing to compare it"
        " with."
    )


def test_a_visit_that_was_not_registered_has_no_answer():
    [found] = answers([A], [A, B], moves=[np.eye(4), None])
    assert (found.count, found.status) == (None, "failed_qc")
    [found] = answers([A], [A], [A, B], moves=[np.eye(4), np.eye(4), None])
    assert (found.count, found.status) == (None, "failed_qc")


def test_what_cannot_be_told_is_not_counted_as_nothing():
    large = np.s_[14:24, 14:24, 14:24]
    [found] = answers([], [A, large], limits=[0.5, 0.0])

    assert (found.count, found.status) == (None, "failed_qc")
    assert found.note == "1 at least; of 1 more it cannot be told."


def test_specks_are_told_beside_the_count():
    [found] = answers([A], [A, B, np.s_[28:30, 28:30, 2:4]])

    assert (found.count, found.note) == (1, "1 more are too small to count.")


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (Intent(("lesion",), ("new-lesions",), "visits", visits="first-last"), (NEW,)),
        (
            Intent(("lesion",), ("count",), "visits", ("resolved",), visits="first-last"),
            (GONE,),
        ),
        (Intent(("lesion",), ("change",), "visits", visits="first-last"), ()),
    ],
)
def test_what_a_prompt_asks_for(intent, expected):
    assert asked_fates(of_program(compose(intent), ["?"])) == expected


def test_names_ask_for_no_fate():
    assert asked_fates(Request(("lesion",), resolve(["lesion"]))) == ()
