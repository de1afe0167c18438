"""Changes whose every number is known."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.change import (
    COLUMNS,
    Change,
    Visit,
    change,
    change_table,
    days_between,
    symmetrised_percent,
)
from medprompt_cli.longitudinal.repeatability import Limits, Repeatability

ML = st.floats(0.01, 1000)
LIMITS = Limits("m", "s", {"soft-volume": {"hippocampus": Repeatability((1.0, 1.0, 1.0))}})
"""t(0.975, 3) times 1: 3.18 %."""


def changed(*args, **kwargs) -> Any:
    """The change; what a test expects of it is there, or it fails."""
    return change(*args, **kwargs)


def test_every_number_of_a_loss_over_two_years(volume_of):
    found = changed(volume_of(4.0), volume_of(3.61), days=730.5, limits=LIMITS)

    assert found.status == "measured"
    assert found.absolute == pytest.approx(-0.39)
    assert found.percent == pytest.approx(-9.75)
    assert found.symmetrised_percent == pytest.approx(200 * -0.39 / 7.61)
    assert found.annual_linear_percent == pytest.approx(-4.875)
    assert found.annual_compound_percent == pytest.approx(-5.0)
    assert found.limit_percent == pytest.approx(3.1824, abs=1e-3)
    assert found.exceeds_limit is True


def test_a_change_within_the_noise(volume_of):
    found = changed(volume_of(4.0), volume_of(4.1), limits=LIMITS)

    assert found.exceeds_limit is False
    assert found.annual_linear_percent is None
    assert found.annual_compound_percent is None


def test_a_limit_that_is_not_known_decides_nothing(volume_of):
    found = changed(volume_of(4.0, "lesion"), volume_of(8.0, "lesion"), 100, LIMITS)

    assert found.limit_percent is None
    assert found.exceeds_limit is None


def test_the_interval_adds_errors_in_quadrature(volume_of):
    first = volume_of(10.0, interval=(9.6, 10.3))
    second = volume_of(12.0, interval=(11.6, 12.5))

    found = changed(first, second)

    assert found.absolute_low == pytest.approx(2 - math.hypot(0.4, 0.3))
    assert found.absolute_high == pytest.approx(2 + math.hypot(0.5, 0.4))
    low = math.log(1.2) - math.hypot(math.log(12 / 11.6), math.log(10.3 / 10))
    assert found.percent_low == pytest.approx(100 * (math.exp(low) - 1))
    assert found.percent_low < found.percent < found.percent_high


def test_an_interval_that_reaches_zero_has_no_percent(volume_of):
    found = changed(volume_of(0.2, interval=(0.0, 0.5)), volume_of(0.4, interval=(0.1, 0.8)))

    assert found.absolute_low is not None
    assert found.percent_low is None
    assert found.percent == pytest.approx(100)


@given(ML, ML)
def test_exchanging_visits_changes_the_sign_alone(first, second):
    forth, back = symmetrised_percent(first, second), symmetrised_percent(second, first)

    assert forth is not None
    assert back == pytest.approx(-forth)
    assert abs(forth) <= 200


@given(ML, st.floats(0.5, 2), st.integers(1, 12))
def test_a_constant_rate_is_the_same_over_any_interval(volume, factor, years):
    first = Measurement("brain", "volume", volume, "mL")
    last = Measurement("brain", "volume", volume * factor**years, "mL")

    found = changed(first, last, days=365.25 * years)

    assert found.annual_compound_percent == pytest.approx(100 * (factor - 1), abs=1e-6)


def test_what_was_not_measured_has_no_change(volume_of):
    gone = Measurement.missing("left-hippocampus", "soft-volume", "mL", "truncated_fov")

    found = changed(volume_of(4.0), gone, 365, LIMITS)

    assert found.status == "truncated_fov"
    assert found.first == 4.0
    numbers = dataclasses.asdict(found)
    for name in ("second", "absolute", "percent", "symmetrised_percent", "exceeds_limit"):
        assert numbers[name] is None


def test_from_nothing_there_is_no_percent(volume_of):
    found = changed(volume_of(0.0), volume_of(2.0), 365)

    assert found.absolute == 2.0
    assert found.percent is None
    assert found.annual_linear_percent is None
    assert found.symmetrised_percent == 200


def test_a_rate_that_no_number_holds(volume_of):
    assert changed(volume_of(1.0), volume_of(10.0), days=1).annual_compound_percent is None


def test_two_regions_are_not_compared(volume_of):
    with pytest.raises(InputError, match="compared with the soft-volume of brain"):
        change(volume_of(1.0), volume_of(1.0, "brain"))


def test_days_count_parts_of_a_day():
    assert days_between(datetime(2024, 3, 4, 9, 30), datetime(2024, 3, 5, 21, 30)) == 1.5
    assert days_between(None, datetime(2024, 3, 5)) is None


def test_visits_out_of_order_are_refused():
    with pytest.raises(InputError, match=r"2024-03-04.* was given as later than .*2024-03-05"):
        days_between(datetime(2024, 3, 5), datetime(2024, 3, 4))


def test_a_time_zone_on_one_side_is_refused():
    with pytest.raises(InputError, match="cannot be compared: one has a time zone"):
        days_between(datetime(2024, 3, 5), datetime(2024, 3, 6, tzinfo=UTC))


def test_the_table_holds_every_pair_and_what_one_visit_lacks(volume_of):
    visits = [
        Visit("ses-01", datetime(2024, 1, 1), [volume_of(4.0), volume_of(1.0, "lesion")]),
        Visit("ses-02", None, [volume_of(3.8)]),
        Visit("ses-03", datetime(2025, 12, 31), [volume_of(3.6)]),
    ]

    rows = list(change_table(visits, LIMITS))

    pairs = [(row.first, row.second, row.change.region) for row in rows]
    assert pairs == [
        ("ses-01", "ses-02", "left-hippocampus"),
        ("ses-01", "ses-02", "lesion"),
        ("ses-01", "ses-03", "left-hippocampus"),
        ("ses-01", "ses-03", "lesion"),
        ("ses-02", "ses-03", "left-hippocampus"),
    ]
    assert [row.change.days for row in rows] == [None, None, 730, 730, None]
    assert rows[1].change.status == "error"
    assert rows[1].change.first == 1.0


def test_every_number_is_described():
    assert list(COLUMNS) == [field.name for field in dataclasses.fields(Change)]
