"""Programs over a case, with a segmenter that sees what shines."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.interpreter import Interpreter
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.operations import Operations, check_possible, days_between
from medprompt_cli.execution.values import (
    Characterized,
    Image,
    Number,
    Text,
    Truth,
    Visit,
)
from medprompt_cli.execution.wording import say
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.parser import parse

GRID = Geometry((40, 40, 40), np.diag([1.0, 1.0, 1.0, 1.0]))
LEFT_CORTEX, RIGHT_CORTEX, LEFT_HIPPOCAMPUS, RIGHT_HIPPOCAMPUS = 103, 142, 117, 153
TUMOR = 5000 + LESIONS.index("tumor")
BRAIN = (LEFT_CORTEX, np.s_[5:20, 5:35, 5:35]), (RIGHT_CORTEX, np.s_[20:35, 5:35, 5:35])
FIRST = Visit("ses-01", 0, date(2020, 1, 1))
LAST = Visit("ses-02", 1, date(2022, 1, 1))


def image(*boxes, suffix="T1w", visit=FIRST):
    voxels = np.zeros(GRID.shape, np.float32)
    for value, box in (*BRAIN, *boxes):
        voxels[box] = value
    source = f"{visit.label}_{suffix}.nii"
    return Image(suffix, visit, lambda: Volume(voxels, GRID, source=source), source)


@pytest.fixture(autouse=True)
def every_lesion_is_visible(monkeypatch):
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)


@pytest.fixture
def run(threshold_segmenter):
    """Runs a program over images; gives the events."""

    def start(program, *images):
        tree = parse(program)
        case = Case.of("sub-01", images)
        looker = Looker(threshold_segmenter, check(tree).targets)
        interpreter = Interpreter(case, Operations(case, looker).table())
        return interpreter.run(tree)

    return start


def answers(events):
    return [say(event.value) for event in events if event.kind in {"answer", "read"}]


HIPPOCAMPI = (
    (LEFT_HIPPOCAMPUS, np.s_[10:12, 10:15, 10:15]),
    (RIGHT_HIPPOCAMPUS, np.s_[28:30, 10:15, 10:13]),
)


def test_volumes_and_their_asymmetry(run, threshold_segmenter):
    program = """
left = segment(image("T1w"), "left-hippocampus")
right = segment(image("T1w"), "right-hippocampus")
read(volume(left))
read(asymmetry(left, right))
"""
    events = run(program, image(*HIPPOCAMPI))

    assert answers(events) == ["0.05 mL", "50 %"]
    assert len(threshold_segmenter.seen) == 1  # one pass for both


def test_a_bare_name_is_both_sides(run):
    events = run('read(volume(segment(image(), "hippocampus")))', image(*HIPPOCAMPI))

    assert answers(events) == ["0.08 mL"]


def test_branches_follow_what_was_measured(run):
    program = """
tumor = segment(image("FLAIR"), "tumor")
if is_present(tumor):
    size = volume(tumor)
    answer("There is a tumour of {size}.")
else:
    answer("No tumour was found.")
"""
    without = run(program, image(suffix="FLAIR"))
    with_one = run(program, image((TUMOR, np.s_[10:20, 10:20, 10:15]), suffix="FLAIR"))

    assert answers(without) == ["No tumour was found."]
    assert answers(with_one) == ["There is a tumour of 0.5 mL."]
    assert [event.kind for event in with_one] == ["value", "branch", "value", "answer"]


def test_growth_between_visits(run):
    program = """
before = segment(image("FLAIR", first(visits())), "tumor")
after = segment(image("FLAIR", last(visits())), "tumor")
read(percent_change(volume(before), volume(after)))
read(annualised_change(volume(before), volume(after), first(visits()), last(visits())))
"""
    events = run(
        program,
        image((TUMOR, np.s_[10:20, 10:20, 10:15]), suffix="FLAIR"),
        image((TUMOR, np.s_[10:20, 10:20, 10:20]), suffix="FLAIR", visit=LAST),
    )

    assert [event.value.value for event in events if event.kind == "read"] == [
        100.0,
        pytest.approx(100 * 365.25 / 731),
    ]


def test_loops_go_through_the_visits_in_order_of_time(run):
    program = """
for visit in visits():
    tumor = segment(image("FLAIR", visit), "tumor")
    read(count(instances(tumor)))
"""
    two = (TUMOR, np.s_[10:12, 10:12, 10:12]), (TUMOR, np.s_[30:33, 10:12, 10:12])
    events = run(
        program, image(*two, suffix="FLAIR", visit=LAST), image(suffix="FLAIR", visit=FIRST)
    )

    assert answers(events) == ["0", "2"]


def test_instances_are_chosen_by_a_condition_and_by_side(run):
    program = """
found = instances(segment(image(), "tumor"))
large = where(found, volume(it) > 10 * mm3)
read(count(found))
read(count(large))
read(count(side(found, "left")))
read(volume(largest(side(found, "right"))))
"""
    events = run(
        program,
        image((TUMOR, np.s_[10:12, 10:12, 10:12]), (TUMOR, np.s_[30:33, 10:12, 10:12])),
    )

    assert answers(events) == ["2", "1", "1", "0.012 mL"]


def test_what_is_absent_has_no_volume_and_no_zero(run):
    events = run('read(volume(segment(image(), "tumor")))', image())

    assert events[-1].value == Number(None, "volume", "absent")
    assert answers(events) == ["not known (absent)"]


def test_a_condition_that_cannot_be_told_takes_neither_way(run):
    program = """
if volume(segment(image(), "tumor")) > 1 * mL:
    answer("large")
else:
    answer("small")
"""
    events = run(program, image())

    assert [event.kind for event in events] == ["undecided"]
    assert events[0].value == Truth(None, "absent")


def test_instances_of_instances_are_themselves(run):
    program = """
found = instances(segment(image(), "tumor"))
read(count(instances(where(found, volume(it) > 10 * mm3))))
"""
    boxes = (TUMOR, np.s_[10:12, 10:12, 10:12]), (TUMOR, np.s_[30:33, 10:12, 10:12])

    assert answers(run(program, image(*boxes))) == ["1"]


def test_masks_are_combined_and_kept(run):
    program = """
whole = segment(image(), "cerebral-cortex")
rest = subtract(whole, segment(image(), "left-cerebral-cortex"))
save(rest, "right-rest")
"""
    (event,) = (event for event in run(program, image()) if event.kind == "save")

    assert event.name == "right-rest"
    assert event.value.voxels.sum() == 15 * 30 * 30


def test_an_image_that_is_not_there_is_named_with_what_there_is(run):
    with pytest.raises(InputError, match="has no FLAIR") as caught:
        run('read(volume(segment(image("FLAIR"), "tumor")))', image(), image(suffix="T2w"))

    assert str(caught.value) == "sub-01 has no FLAIR at ses-01; there: T1w, T2w."
    assert caught.value.remedy == "Ask for an image that every case has, or add it."


def test_measures_of_an_image(run):
    flair = image((TUMOR, np.s_[10:14, 10, 10]), suffix="FLAIR")
    program = """
tumor = segment(image("FLAIR"), "tumor")
read(mean(image("FLAIR"), tumor))
read(max_diameter(tumor))
read(fraction_of_icv(tumor))
read(distance(tumor, segment(image("FLAIR"), "right-cerebral-cortex")))
"""
    found = [event.value for event in run(program, flair) if event.kind == "read"]

    assert found[0] == Number(float(TUMOR), "intensity")
    assert found[1].value == pytest.approx(4.0, abs=1.0)
    assert found[2].value == pytest.approx(4 / (30**3 - 4), rel=1e-6)
    assert found[3].value == pytest.approx(7.0, abs=1.0)


def test_what_could_only_be_answered_wrongly_is_refused_before_an_image_is_read():
    text = 'x = segment(image(), "lesion")\nn = where(instances(x), fate(it) == "{}")\n'
    possible, not_possible = (parse(text.format(f)).statements[1] for f in ("new", "resolved"))

    check_possible(possible)
    with pytest.raises(UsageError, match="A lesion that has resolved is not in the later scan"):
        check_possible(not_possible)


UNSURE, NAMED = (
    Characterized(Finding.missing("tumor", "signal", "failed_qc", notes=(note,)), ())
    for note in ("Too little of it is seen.", "ADC is unknown.")
)


def test_days_between_visits_need_both_dates():
    assert days_between(FIRST, LAST) == 731
    assert days_between(FIRST, Visit("ses-03", 2)) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Number(1234.5678, "volume"), "1.23 mL"),
        (Number(1234567.8, "volume"), "1235 mL"),
        (Number(3.0, "count"), "3"),
        (Number(-12.345, "percent"), "-12.3 %"),
        (Number(None, "length", "truncated_fov"), "not known (cut by the edge of the image)"),
        (Truth(value=True), "yes"),
        (Truth(None, "not_visible"), "not known (not visible to these weights)"),
        (Truth(None, "failed_qc"), "not known (not found, though it is probably there)"),
        (Truth(None, "failed_qc", UNSURE), "not known (too little of it is seen)"),
        (Text(None, "failed_qc", NAMED), "not known (ADC is unknown)"),
        (Text("hyper"), "hyper"),
        (FIRST, "ses-01"),
        (Visit(None, 2), "visit 3"),
    ],
)
def test_values_in_words(value, said):
    assert say(value) == said
