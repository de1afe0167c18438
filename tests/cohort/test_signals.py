"""When white matter is segmented as well, and which pairs of visits are compared."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.cohort import signals
from medprompt_cli.cohort.signals import find_signals, shows_t2_lesions, with_white_matter
from medprompt_cli.errors import InputError
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.requests import Request, of_program
from medprompt_cli.planning.vocabulary import resolve

WHITE = ("left-cerebral-white-matter", "right-cerebral-white-matter")


def asked(*names) -> Request:
    return Request(names, resolve(list(names)))


def course(kind, visits=2) -> Any:
    return SimpleNamespace(kind=kind, visits=[None] * visits)


def extended(request, courses, out, basis="x"):
    return [t.name for t in with_white_matter(request, courses, out, basis).targets]


@pytest.mark.parametrize(
    ("kind", "regions", "shown"),
    [
        ("FLAIR", ["lesion"], True),
        ("FLAIR+T1w", ["ms-lesion"], True),
        ("T2w", ["white-matter-hyperintensity"], True),
        ("T1w", ["lesion"], False),
        ("FLAIR", ["left-hippocampus", "tumor"], False),
    ],
)
def test_images_that_show_lesions_by_their_brightness(kind, regions, shown):
    assert shows_t2_lesions(kind, regions) is shown


def test_white_matter_is_added_where_lesions_are_held_against_it(tmp_path):
    assert extended(asked("lesion"), [course("FLAIR")], tmp_path) == ["lesion", *WHITE]
    assert extended(asked("lesion"), [course("T1w")], tmp_path) == ["lesion"]
    assert extended(asked("lesion"), [course("FLAIR", 1)], tmp_path) == ["lesion"]
    both = asked("lesion", "left cerebral white matter")
    assert extended(both, [course("FLAIR")], tmp_path) == ["lesion", *WHITE]
    program = of_program(compose(Intent(("lesion",), filters=("rank:largest",))), ["?"])
    assert extended(program, [course("FLAIR")], tmp_path) == ["lesion"]


def test_what_is_there_already_is_not_segmented_again_for_it(tmp_path):
    (tmp_path / LOGS).mkdir(parents=True)
    record = {"schema": 1, "status": "done", "outputs": {}, "basis": {"plan": "mine"}}
    (tmp_path / LOGS / "sub-01_FLAIR.json").write_text(json.dumps(record))

    assert extended(asked("lesion"), [course("FLAIR")], tmp_path, "mine") == ["lesion"]
    assert len(extended(asked("lesion"), [course("FLAIR")], tmp_path, "another")) == 3


@pytest.fixture
def compare(monkeypatch):
    """Which pairs are compared of visits with white matter or without, moved or not."""

    def run(whites, moves, failing=()):
        def found(first, second):
            if (first.name, second.name) in failing:
                raise InputError("Too little.", remedy="Look.", code="x")
            return SimpleNamespace(first=first.name, second=second.name)

        monkeypatch.setattr(signals, "find_signal_change", found)
        monkeypatch.setattr(signals, "SignalChange", SimpleNamespace)
        results: Any = [
            SimpleNamespace(
                visit=SimpleNamespace(name=f"{n}"),
                statuses={"lesion": "absent"},
                white_matter=lambda out, has=has: "white" if has else None,
                lesions=lambda *_: None,
            )
            for n, has in enumerate(whites)
        ]
        images: Any = [SimpleNamespace(geometry=None)] * len(whites)
        to_mid = [np.eye(4) if move else None for move in moves]
        return find_signals(results, images, to_mid, "FLAIR", None)  # pyright: ignore - no files

    return run


def test_each_visit_is_compared_with_the_next_that_could_be_registered(compare):
    assert list(compare([1, 1, 1], [1, 1, 1]).changes) == [("0", "1"), ("1", "2")]
    assert list(compare([1, 1, 1], [1, 0, 1]).changes) == [("0", "2")]
    assert compare([1], [1]).changes == {}


def test_what_is_not_compared_is_told(compare):
    lacking = compare([1, 0, 1], [1, 1, 1])
    assert lacking.changes == {}
    assert lacking.warnings[0].startswith("0 and 1 were not compared by their signal")
    assert "ask for cerebral-white-matter" in compare([0, 0], [1, 1]).warnings[0]
    failed = compare([1, 1, 1], [1, 1, 1], failing={("0", "1")})
    assert (list(failed.changes), failed.warnings) == ([("1", "2")], ("Too little.",))
