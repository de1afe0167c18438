"""One measurement beside another: signs, units, and what stays unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.measurement import Measurement, Status
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.relate import asymmetry, fraction_of_icv, ratio

POSITIVE = st.floats(1e-3, 1e3)


def number(measurement: Measurement) -> float:
    assert measurement.value is not None
    return measurement.value


def ml(value, region="left-hippocampus", status: Status = "measured"):
    return Measurement(region, "volume", value, "mL", status)


def right(value, status: Status = "measured"):
    return ml(value, "right-hippocampus", status)


def test_asymmetry_is_the_difference_over_the_mean_in_percent():
    found = asymmetry(ml(3.0), right(2.0))

    assert found == Measurement("hippocampus", "volume-asymmetry", 40.0, "%")
    assert asymmetry(ml(2.0), right(3.0)).value == -40


@given(left=POSITIVE, other=POSITIVE, times=POSITIVE)
def test_asymmetry_changes_its_sign_and_has_no_scale(left, other, times):
    found = number(asymmetry(ml(left), right(other)))

    assert asymmetry(ml(other), right(left)).value == -found
    assert asymmetry(ml(times * left), right(times * other)).value == pytest.approx(
        found, abs=1e-9
    )
    assert -200 <= found <= 200
    assert asymmetry(ml(left), right(left)).value == 0


def test_sides_that_are_no_pair_are_both_named():
    assert asymmetry(ml(1.0, "left-caudate"), right(1.0)).region == (
        "left-caudate/right-hippocampus"
    )


@pytest.mark.parametrize(
    "sides", [("right-caudate", "left-caudate"), ("lesion", "left-caudate")]
)
def test_swapped_sides_are_refused(sides):
    with pytest.raises(InputError, match="as the left, and") as caught:
        asymmetry(ml(1.0, sides[0]), ml(2.0, sides[1]))

    assert caught.value.remedy == "Give the left side first and the right side second."


@given(above=POSITIVE, below=POSITIVE)
def test_a_ratio_times_its_inverse_is_1(above, below):
    there, back = ratio(ml(above), right(below)), ratio(right(below), ml(above))

    assert number(there) * number(back) == pytest.approx(1)
    assert (there.unit, there.region) == ("1", "left-hippocampus/right-hippocampus")
    assert there.quantity == "volume-ratio"


def test_two_quantities_of_one_region_have_a_ratio():
    above = Measurement("lesion", "max-diameter", 30.0, "mm")
    below = Measurement("lesion", "width", 20.0, "mm")

    assert ratio(above, below) == Measurement("lesion", "max-diameter/width-ratio", 1.5, "1")


def test_a_share_of_the_intracranial_volume_is_in_percent():
    found = fraction_of_icv(ml(3.0), ml(1500.0, "intracranial"))

    assert found == Measurement("left-hippocampus", "volume-fraction-of-icv", 0.2, "%")
    diameter = Measurement("lesion", "width", 20.0, "mm")
    with pytest.raises(InputError, match="is no volume but in mm"):
        fraction_of_icv(diameter, Measurement("intracranial", "width", 150.0, "mm"))


@pytest.mark.parametrize("relate", [asymmetry, ratio, fraction_of_icv])
def test_what_was_not_measured_stays_unknown_with_the_graver_status(relate):
    absent, cut = ml(None, status="absent"), right(None, "truncated_fov")

    for pair, status in [
        ((absent, right(2.0)), "absent"),
        ((ml(2.0), cut), "truncated_fov"),
        ((absent, cut), "truncated_fov"),
        ((ml(None, status="error"), cut), "error"),
    ]:
        assert (relate(*pair).value, relate(*pair).status) == (None, status)


def test_nothing_is_divided_by_0():
    assert asymmetry(ml(0.0), right(0.0)).status == "error"
    assert asymmetry(ml(1.0), right(-1.0)).status == "error"
    assert ratio(ml(1.0), right(0.0)).status == "error"
    assert fraction_of_icv(ml(1.0), ml(0.0, "intracranial")).status == "error"


def test_only_what_is_alike_is_compared():
    diameter = Measurement("right-hippocampus", "max-diameter", 20.0, "mm")

    with pytest.raises(InputError, match="was compared with the max-diameter"):
        asymmetry(ml(1.0), diameter)
    with pytest.raises(InputError, match=r"in mL was compared with .* in mm"):
        ratio(ml(1.0), diameter)
    with pytest.raises(InputError, match="was compared with the soft-volume"):
        fraction_of_icv(ml(1.0), Measurement("intracranial", "soft-volume", 1.0, "mL"))
