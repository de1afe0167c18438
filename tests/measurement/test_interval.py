"""Intervals follow from what is undecided, by the formula."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.measurement.interval import NORMAL_95, volume_sd_ml, with_interval

VOLUME = Measurement("left-hippocampus", "soft-volume", 4.0, "mL")


def test_the_two_parts_of_the_variance():
    assert volume_sd_ml(0.9, 100.0, 0.0) == pytest.approx(math.sqrt(0.1 * 0.9))
    assert volume_sd_ml(0.9, 0.0, 0.5) == pytest.approx(0.45)
    assert volume_sd_ml(0.9, 100.0, 0.5) == pytest.approx(math.sqrt(0.09 + 0.45**2))


def test_what_is_certain_has_an_interval_of_no_width():
    found = with_interval(VOLUME, PosteriorSums(4.0, 4.0, 0.0))

    assert found.interval == (4.0, 4.0)


def test_the_interval_lies_around_the_expected_volume():
    found = with_interval(VOLUME, PosteriorSums(4.0, 3.5, 0.2))
    reach = NORMAL_95 * volume_sd_ml(0.2)

    assert found.interval == pytest.approx((4 - reach, 4 + reach))


def test_what_several_looks_are_spread_over_is_added():
    found = with_interval(VOLUME, PosteriorSums(4.0, 3.5, 0.2, pose_sd_ml=0.3))
    reach = NORMAL_95 * math.sqrt(volume_sd_ml(0.2) ** 2 + 0.3**2)

    assert found.interval == pytest.approx((4 - reach, 4 + reach))


def test_a_mask_outside_of_it_is_held_too():
    hard = Measurement("left-hippocampus", "volume", 9.0, "mL")

    assert with_interval(hard, PosteriorSums(4.0, 3.5, 0.01)).interval == pytest.approx(
        (4 - NORMAL_95 * volume_sd_ml(0.01), 9.0)
    )


def test_what_was_not_measured_has_none():
    missing = Measurement.missing("left-hippocampus", "volume", "mL", "truncated_fov")

    assert with_interval(missing, PosteriorSums(4.0, 3.5, 0.2)) is missing


@given(
    total=st.floats(0, 2000),
    spread=st.floats(0, 500),
    mask=st.floats(0, 2000),
)
def test_no_interval_is_below_0_or_leaves_the_value_out(total, spread, mask):
    volume = Measurement("x", "volume", mask, "mL")
    found = with_interval(volume, PosteriorSums(total, 0.0, spread)).interval

    assert found is not None
    assert 0 <= found[0] <= mask <= found[1]
