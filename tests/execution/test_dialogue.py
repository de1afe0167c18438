"""The loop of a dialogue: what is told, what is kept, and how it ends."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.dialogue import Transcript, hold, told_of
from medprompt_cli.execution.interpreter import Interpreter
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.operations import Operations
from medprompt_cli.execution.values import Image, Number, Text, Truth, Visit
from medprompt_cli.planning.grammar_dialogue import MOST_STATEMENTS
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.parser import parse
from medprompt_cli.training.teacher import Teacher

GRID = Geometry((30, 30, 30), np.diag([1.0, 1.0, 1.0, 1.0]))
TUMOR = 5000 + LESIONS.index("tumor")
GROWTH = Intent(("tumor",), ("percent-change",), "visits", visits="first-last")


class Scripted:
    """Says what it was given, and remembers what it was told."""

    def __init__(self, text):
        self.left = list(parse(text).statements)
        self.told = []

    def next(self):
        return self.left.pop(0) if self.left else None

    def tell(self, told, said):
        self.told.append((told, said))


class Taught:
    """Goes on as the teacher does, by what it is told."""

    def __init__(self, intent):
        self.asks, self.told, self.begun = Teacher().answer([intent]), None, False

    def next(self):
        try:
            statement = self.asks.send(self.told) if self.begun else next(self.asks)
        except StopIteration:
            return None
        self.begun, self.told = True, None
        return statement

    def tell(self, told, said):
        assert said
        self.told = told


@pytest.fixture(autouse=True)
def every_lesion_is_visible(monkeypatch):
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)


def scan(visit, *boxes):
    voxels = np.zeros(GRID.shape, np.float32)
    voxels[3:15, 3:27, 3:27], voxels[15:27, 3:27, 3:27] = 103, 142
    for box in boxes:
        voxels[box] = TUMOR
    source = f"ses-{visit}_FLAIR.nii.gz"
    when = Visit(f"ses-{visit}", visit, date(2020 + visit, 1, 1))
    return Image("FLAIR", when, lambda: Volume(voxels, GRID, source=source), source)


@pytest.fixture
def dialogue(threshold_segmenter):
    def start(speaker, *images):
        case = Case.of("sub-01", images)
        table = Operations(case, Looker(threshold_segmenter)).table()
        return hold(speaker, Interpreter(case, table), Transcript("?", "sub-01", {}))

    return start


SMALL, LARGE, OTHER = np.s_[5:9, 5:9, 5:9], np.s_[5:9, 5:9, 5:13], np.s_[20:22, 20:22, 20:22]


@pytest.mark.parametrize(
    ("visits", "answers"),
    [
        (
            [[SMALL]],
            ["There is one visit only, so no change can be told.", "tumor volume: 0.064 mL."],
        ),
        ([[], []], ["No tumor was found."]),
        (
            [[], [SMALL]],
            ["The tumor was not there at the first visit.", "last tumor volume: 0.064 mL."],
        ),
        ([[SMALL], []], ["The tumor of the first visit is not there any more."]),
        ([[SMALL], [LARGE]], ["Larger at the last visit than at the first (tumor): 100 %."]),
        ([[LARGE], [SMALL]], ["Smaller at the last visit than at the first (tumor): -50 %."]),
        (
            [[SMALL], [LARGE, OTHER]],
            [
                "Larger at the last visit than at the first (tumor): 112 %.",
                "last separate tumor count: 2; last largest separate tumor volume: 0.128 mL.",
            ],
        ),
    ],
    ids=["one-visit", "none", "new", "gone", "grown", "smaller", "several"],
)
def test_growth_is_answered_by_what_is_there(dialogue, visits, answers):
    found = dialogue(Taught(GROWTH), *(scan(n, *boxes) for n, boxes in enumerate(visits)))

    assert (found.ending, found.answers) == ("answered", answers)
    assert len(found.turns) <= MOST_STATEMENTS


def test_what_is_read_is_told_and_every_value_is_kept(dialogue):
    speaker = Scripted(
        'tumor = segment(image(), "tumor")\n'
        'save(tumor, "tumor")\n'
        "read(volume(tumor))\n"
        'answer("Done.")'
    )

    found = dialogue(speaker, scan(0, SMALL))

    assert speaker.told == [("positive", "0.064 mL")]
    assert found.turns[2].as_json() | {"seconds": 0} == {
        "statement": "read(volume(tumor))",
        "said": "0.064 mL",
        "value": 64.0,
        "unit": "mm3",
        "status": "measured",
        "told": "positive",
        "seconds": 0,
    }
    assert [(name, int(mask.voxels.sum())) for name, mask in found.saved] == [("tumor", 64)]
    assert "| 3 | `read(volume(tumor))` | 0.064 mL |" in found.as_markdown()


def test_a_statement_that_means_nothing_ends_the_dialogue_and_says_why(dialogue):
    found = dialogue(Scripted("read(volume(tumor))"), scan(0))

    assert (found.ending, found.answers) == ("failed", [])
    assert "'tumor'" in str(found.error)
    assert found.as_markdown().count("*No answer:") == 1


def test_a_dialogue_without_end_is_cut_and_says_so(dialogue):
    text = "\n".join(f"a{n} = count(visits())" for n in range(MOST_STATEMENTS + 5))

    found = dialogue(Scripted(text), scan(0))

    assert (found.ending, len(found.turns)) == ("unfinished", MOST_STATEMENTS)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Number(3.0, "count"), "several"),
        (Number(1.0, "count"), "one"),
        (Number(0.0, "count"), "zero"),
        (Number(0.0, "percent"), "zero"),
        (Number(-2.5, "percent"), "negative"),
        (Number(None, "volume", "absent"), "absent"),
        (Number(None, "volume", "truncated_fov"), "unknown"),
        (Truth(value=True), "true"),
        (Truth(value=False), "false"),
        (Truth(None, "not_visible"), "unknown"),
        (Text("left-insula"), "text"),
        (Text(None, "undefined"), "unknown"),
    ],
)
def test_what_is_told_of_a_value(value, told):
    assert told_of(value) == told
