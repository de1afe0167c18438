"""Categories of response, at and beside every threshold."""

from __future__ import annotations

from typing import Any

import pytest

from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.response import RULES, TumourVisit, response

KNOWN: dict[str, Any] = {
    "diameters_mm": (30.0, 20.0),
    "new_lesion": False,
    "other_worse": False,
}
UNIT = {"bidimensional": "mm2", "volume": "mL"}


def visits(criteria, *sizes, **known):
    """Visits with these sizes; None for a tumour that is gone."""
    quantity = RULES[criteria].quantity
    unit = UNIT[quantity]
    return [
        TumourVisit(
            Measurement.missing("tumor", quantity, unit, "absent")
            if size is None
            else Measurement("tumor", quantity, size, unit),
            **{**KNOWN, **known},
        )
        for size in sizes
    ]


@pytest.mark.parametrize(
    ("criteria", "sizes", "category"),
    [
        ("rano-hgg", (600, 300), "PR"),
        ("rano-hgg", (600, 301), "SD"),
        ("rano-hgg", (600, 749), "SD"),
        ("rano-hgg", (600, 750), "PD"),
        ("rano-hgg", (600, 300, 375), "PD"),  # against the nadir, though below the baseline
        ("rano-hgg", (600, 300, 374), "SD"),
        ("rano-hgg", (600, None), "CR"),
        ("rano-hgg", (600, None, 50), "PD"),  # came back
        ("rano-lgg", (600, 450), "MR"),
        ("rano-lgg", (600, 451), "SD"),
        ("rano-lgg", (600, 300), "PR"),
        ("rano-lgg", (600, 750), "PD"),
        ("rano-2.0-area", (600, 450), "SD"),
        ("rano-2.0-volume", (20, 7.0), "PR"),
        ("rano-2.0-volume", (20, 7.1), "SD"),
        ("rano-2.0-volume", (20, 27.9), "SD"),
        ("rano-2.0-volume", (20, 28.0), "PD"),
    ],
)
def test_thresholds(criteria, sizes, category):
    reading = response(criteria, visits(criteria, *map(float_or_none, sizes)))

    assert (reading.value, reading.status) == (category, "measured")
    assert any("Imaging only" in note for note in reading.notes)
    confirmed = any("four weeks" in note for note in reading.notes)
    assert confirmed is (category in {"CR", "PR"})


def float_or_none(size):
    return None if size is None else float(size)


def test_a_new_lesion_is_progression_whatever_the_size():
    found = response("rano-2.0-volume", visits("rano-2.0-volume", 20.0, 5.0, new_lesion=True))

    assert found.value == "PD"


def test_growth_of_what_is_not_measured_is_progression():
    assert (
        response("rano-hgg", visits("rano-hgg", 600.0, 600.0, other_worse=True)).value == "PD"
    )


def test_what_was_not_looked_at_is_said():
    reading = response(
        "rano-hgg", visits("rano-hgg", 600.0, 600.0, new_lesion=None, other_worse=None)
    )

    assert reading.value == "SD"
    assert any("new lesion was not looked at" in note for note in reading.notes)
    assert any("has grown was not looked at" in note for note in reading.notes)


@pytest.mark.parametrize("diameters", [(30.0, 9.0), None])
def test_disease_that_is_not_measurable_cannot_respond_in_part(diameters):
    reading = response("rano-hgg", visits("rano-hgg", 600.0, 200.0, diameters_mm=diameters))

    assert reading.value == "SD"
    assert any("no measurable disease" in note for note in reading.notes)


def test_a_size_that_was_not_measured_has_no_category():
    first, last = visits("rano-2.0-volume", 20.0, 20.0)
    cut = Measurement.missing("tumor", "volume", "mL", "truncated_fov")

    reading = response("rano-2.0-volume", [first, TumourVisit(cut, None, False, False)])

    assert (reading.value, reading.status) == (None, "truncated_fov")
    assert reading.numbers == {}
    middle_missing = response("rano-2.0-volume", [first, TumourVisit(cut), last])
    assert middle_missing.value == "SD"


def test_one_visit_has_no_response():
    with pytest.raises(InputError, match="asked of 1 visits"):
        response("rano-hgg", visits("rano-hgg", 600.0))


def test_areas_are_no_volumes():
    with pytest.raises(InputError, match=r"with \['volume'\]"):
        response("rano-hgg", visits("rano-2.0-volume", 600.0, 600.0))
