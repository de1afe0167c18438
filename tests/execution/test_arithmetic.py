"""Numbers of a program by hand, and what cannot be had."""

from __future__ import annotations

import pytest

from medprompt_cli.execution import arithmetic
from medprompt_cli.execution.arithmetic import calculate, compare
from medprompt_cli.execution.values import Number, Status, Text, Truth


def ml(value, status: Status = "measured"):
    return Number(value, "volume", status)


LOST = ml(None, "truncated_fov")


@pytest.mark.parametrize(
    ("operator", "expected", "dimension"),
    [("+", 8.0, "volume"), ("-", 4.0, "volume"), ("/", 3.0, "ratio")],
)
def test_numbers_of_one_dimension(operator, expected, dimension):
    found = calculate(operator, ml(6.0), ml(2.0))

    assert (found.value, found.dimension, found.status) == (expected, dimension, "measured")


def test_a_length_times_a_length_is_an_area():
    assert calculate("*", Number(2.0, "length"), Number(3.0, "length")) == Number(6.0, "area")


@pytest.mark.parametrize("operator", ["+", "-", "/"])
def test_what_is_unknown_stays_unknown_with_its_reason(operator):
    for pair in ((LOST, ml(1.0)), (ml(1.0), LOST)):
        found = calculate(operator, *pair)
        assert (found.value, found.status) == (None, "truncated_fov")


def test_nothing_is_divided_by_nothing():
    zero = ml(0.0)

    assert calculate("/", ml(1.0), zero).status == "undefined"
    assert arithmetic.ratio(ml(1.0), zero).status == "undefined"
    assert arithmetic.percent_change(zero, ml(1.0)).status == "undefined"
    assert arithmetic.asymmetry(zero, zero).status == "undefined"


def test_changes_by_hand():
    before, after = ml(4000.0), ml(5000.0)

    assert arithmetic.difference(before, after) == Number(-1000.0, "volume")
    assert arithmetic.change(before, after) == Number(1000.0, "volume")
    assert arithmetic.percent_change(before, after) == Number(25.0, "percent")
    assert arithmetic.asymmetry(ml(5.0), ml(3.0)) == Number(50.0, "percent")
    assert arithmetic.ratio(after, before) == Number(1.25, "ratio")


def test_a_yearly_change_needs_the_days_between():
    before, after = ml(100.0), ml(110.0)

    assert arithmetic.annualised_change(before, after, 730.5).value == pytest.approx(5.0)
    assert arithmetic.annualised_change(before, after, None).status == "missing"
    assert arithmetic.annualised_change(before, after, 0).status == "undefined"
    assert arithmetic.annualised_change(LOST, after, 365).status == "truncated_fov"


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("<", False), ("<=", False), (">", True), (">=", True), ("==", False), ("!=", True)],
)
def test_comparisons(operator, expected):
    assert compare(operator, ml(2.0), ml(1.0)) == Truth(expected)
    assert compare(operator, LOST, ml(1.0)) == Truth(None, "truncated_fov")


def test_a_lobe_without_a_side_is_equal_on_either():
    place = Text("right-parietal-lobe")

    assert compare("==", place, Text("parietal-lobe")) == Truth(True)
    assert compare("==", place, Text("left-parietal-lobe")) == Truth(False)
    assert compare("!=", place, Text("left-parietal-lobe")) == Truth(True)
    assert compare("==", Text(None, "absent"), place) == Truth(None, "absent")
