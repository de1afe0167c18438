"""What became of lesions, as programs ask for it: measured where there are two visits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.execution import fates
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.dialogue import Transcript, hold
from medprompt_cli.execution.interpreter import Interpreter
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.operations import Operations
from medprompt_cli.execution.values import Image, Visit
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.tree import Program

GRID = Geometry((48, 48, 48), np.diag([2.0, 2.0, 2.0, 1.0]))
LESION = 5000 + LESIONS.index("lesion")
LEFT_WHITE, RIGHT_WHITE = 102, 141
GROWING, GROWN = np.s_[10:14, 10:14, 10:14], np.s_[8:16, 10:14, 10:14]
GONE, NEW = np.s_[10:14, 30:34, 10:14], np.s_[30:34, 10:14, 30:34]
STABLE = np.s_[30:34, 30:34, 10:14]


def image(session, *boxes, suffix="T1w", overlooked=()):
    voxels = np.zeros(GRID.shape, np.float32)
    voxels[4:24, 4:44, 4:44], voxels[24:44, 4:44, 4:44] = LEFT_WHITE, RIGHT_WHITE
    for box in boxes:
        voxels[box] = LESION
    for box in overlooked:
        voxels[box] = LESION + 500  # as bright, but no lesion that the segmenter knows
    visit = Visit(f"ses-{session}", session - 1)
    return Image(suffix, visit, lambda: Volume(voxels, GRID, source=f"{session}"), f"{session}")


FIRST = image(1, GROWING, GONE, STABLE)
SECOND = image(2, GROWN, NEW, STABLE)


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """Visits lie as they lie."""
    found = SimpleNamespace(to_mid=(np.eye(4), np.eye(4)))
    monkeypatch.setattr(fates, "find_midspace", lambda *_: found)


@pytest.fixture
def values(threshold_segmenter):
    """What a program reads in a case of some images."""

    def run(program, *images) -> list[Any]:
        case = Case.of("case", images or (FIRST, SECOND))
        operations = Operations(case, Looker(threshold_segmenter))
        tree = program if isinstance(program, Program) else parse(program)
        events = Interpreter(case, operations.table()).run(tree)
        return [event.value for event in events if event.kind == "read"]

    return run


def new_lesions():
    return compose(Intent(("lesion",), ("new-lesions",), "visits", visits="first-last"))


def counted(fate, visit="last", other="first"):
    return (
        f"other = image(visit={other}(visits()))\n"
        f'lesion = segment(image(visit={visit}(visits())), "lesion")\n'
        f'read(count(where(instances(lesion), fate(it, other) == "{fate}")))\n'
    )


def test_new_lesions_since_the_first_visit_are_counted(values):
    [found] = values(new_lesions())

    assert (found.value, found.status) == (1, "measured")


@pytest.mark.parametrize(
    ("fate", "count"), [("new", 1), ("enlarging", 1), ("stable", 1), ("shrinking", 0)]
)
def test_every_fate_of_what_is_there(values, fate, count):
    assert values(counted(fate))[0].value == count


def test_what_becomes_of_lesions_of_the_first_visit(values):
    [found] = values(counted("resolved", "first", "last"))

    assert found.value == 1


def test_one_visit_has_no_fates_and_says_why(values):
    [found] = values(counted("new"), SECOND)

    assert (found.value, found.status) == (None, "missing")


def test_without_registration_fates_are_not_known(values, monkeypatch):
    lost = SimpleNamespace(to_mid=(None, None))
    monkeypatch.setattr(fates, "find_midspace", lambda *_: lost)

    [found] = values(counted("new"))

    assert (found.value, found.status) == (None, "failed_qc")


def test_an_image_without_a_head_is_not_registered(values, monkeypatch):
    def fail(*_):
        raise InputError("There is no head.", remedy="Look.", code="no-head")

    monkeypatch.setattr(fates, "find_midspace", fail)

    assert values(counted("new"))[0].status == "failed_qc"


def test_a_lesion_that_may_have_been_overlooked_is_not_told_to_be_new(values):
    """The segmenter says that it may overlook what is smaller than 1.234 mL; this is 0.512."""
    [found] = values(new_lesions(), image(1), image(2, NEW))
    [large] = values(new_lesions(), image(1), image(2, np.s_[28:36, 10:14, 28:36]))

    assert (found.value, found.status) == (None, "undefined")
    assert (large.value, large.status) == (1, "measured")


def test_on_flair_the_images_have_to_agree(values):
    """The mask of one visit misses a lesion that both images show as bright as ever."""
    after = image(2, GROWING, STABLE, NEW, suffix="FLAIR")
    before = image(1, GROWING, STABLE, suffix="FLAIR")
    overlooked = image(1, GROWING, STABLE, suffix="FLAIR", overlooked=(NEW,))

    assert values(counted("new"), before, after)[0].value == 1
    [unknown] = values(counted("new"), overlooked, after)
    assert (unknown.value, unknown.status) == (None, "undefined")


def test_the_network_runs_once_for_each_visit(values, threshold_segmenter):
    values(new_lesions())

    assert sorted(threshold_segmenter.seen) == ["1", "2"]


def test_what_is_no_lesion_has_no_fate(values):
    program = (
        'white = segment(image(), "left-cerebral-white-matter")\n'
        "read(fate(white, image(visit=first(visits()))))\n"
    )
    assert (values(program)[0].value, values(program)[0].status) == (None, "undefined")


def test_which_have_resolved_is_refused_before_it_is_answered_wrongly(threshold_segmenter):
    statements = iter(parse(counted("resolved")).statements)
    speaker: Any = SimpleNamespace(next=lambda: next(statements, None), tell=lambda *_: None)
    case = Case.of("case", (FIRST, SECOND))
    operations = Operations(case, Looker(threshold_segmenter))

    transcript = hold(speaker, Interpreter(case, operations.table()), Transcript("?", "c", {}))

    assert transcript.ending == "failed"
    assert "A lesion that has resolved is not in the later scan" in (transcript.error or "")
    assert "medprompt longitudinal" in (transcript.error or "")


def test_segment_says_where_fates_are_told():
    from medprompt_cli.execution.program import check_runnable

    with pytest.raises(UsageError, match="about several visits") as caught:
        check_runnable(new_lesions())
    assert (
        caught.value.remedy == "Use medprompt longitudinal, or medprompt ask for one subject."
    )
