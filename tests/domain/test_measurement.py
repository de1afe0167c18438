"""A measurement has a value if, and only if, it was measured."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medprompt_cli.domain.measurement import HOUNSFIELD, STATUSES, UNITS, Measurement
from medprompt_cli.errors import InputError


def test_what_was_measured_has_a_value_and_maybe_an_interval():
    plain = Measurement("csf", "volume", np.float64(2), "mL")
    bounded = plain.with_interval(1, 3)

    assert (plain.value, plain.status, plain.interval) == (2.0, "measured", None)
    assert type(plain.value) is float
    assert bounded == Measurement("csf", "volume", 2.0, "mL", "measured", 1.0, 3.0)
    assert bounded.interval == (1.0, 3.0)


@pytest.mark.parametrize("status", [s for s in STATUSES if s != "measured"])
def test_what_was_not_measured_has_none(status):
    bounded = Measurement("csf", "volume", 2.0, "mL", low=1.0, high=3.0)

    withheld = bounded.withheld(status)

    assert withheld == Measurement.missing("csf", "volume", "mL", status)
    assert (withheld.value, withheld.interval, withheld.status) == (None, None, status)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"status": "absent"}, "has status absent and value 2.0"),
        ({"value": None}, "has status measured and value None"),
        ({"status": "lost"}, "has status 'lost'"),
        ({"unit": "ml"}, "has unit 'ml'"),
        ({"value": math.nan}, "has value nan"),
        ({"value": math.inf}, "has value inf"),
        ({"low": -math.inf, "high": 3}, "has low -inf"),
        ({"low": 1}, "has value 2.0 and interval 1.0 to None"),
        ({"low": 3, "high": 4}, "has value 2.0 and interval 3.0 to 4.0"),
        ({"low": 3, "high": 1}, "has value 2.0 and interval 3.0 to 1.0"),
        ({"value": None, "status": "absent", "low": 1, "high": 3}, "value None and interval"),
    ],
)
def test_what_contradicts_itself_is_refused(fields, problem):
    words = {"region": "csf", "quantity": "volume", "value": 2.0, "unit": "mL", **fields}

    with pytest.raises(InputError, match="The volume of csf has") as caught:
        Measurement(**words)

    assert problem in str(caught.value)
    assert caught.value.code == "bad-measurement"
    assert caught.value.remedy


def test_units_are_codes_of_ucum():
    assert set(UNITS) == {"mL", "mm", "mm2", "1", "%", HOUNSFIELD}
    assert HOUNSFIELD == "[hnsf'U]"
