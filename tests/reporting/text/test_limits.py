"""What numbers are held against."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medprompt_cli.domain.outliers import FAR, FEWEST
from medprompt_cli.errors import InputError
from medprompt_cli.reporting.limits import Limits, cohort_norms

KEY = ("left-hippocampus", "volume", "T1w")


def test_a_limit_itself_is_within():
    limits = Limits(2.0, 4.0, "a table")

    assert [limits.verdict(value) for value in (1.99, 2.0, 4.0, 4.01)] == [
        *("below", "within", "within", "above")
    ]


@pytest.mark.parametrize(("low", "high"), [(4.0, 2.0), (math.nan, 2.0), (1.0, math.inf)])
def test_limits_that_are_none_are_refused(low, high):
    with pytest.raises(InputError, match="The limits of a table go from"):
        Limits(low, high, "a table")


def test_a_cohort_gives_limits_and_z_in_closed_form():
    values = np.exp(np.arange(-5, 6) / 10)
    norm = cohort_norms((KEY, float(value)) for value in values)[KEY]

    limits = norm.limits(math.exp(-1.0))
    assert (norm.centre, norm.scans) == (pytest.approx(0), 11)
    assert norm.spread == pytest.approx(1.4826 * 0.3)
    assert limits.z == pytest.approx(-1 / norm.spread)
    assert limits.low == pytest.approx(math.exp(-FAR * norm.spread))


def test_z_and_limits_agree_on_who_is_outside():
    rng = np.random.default_rng(0)
    norm = cohort_norms((KEY, float(value)) for value in rng.lognormal(1, 0.1, 30))[KEY]

    for value in rng.lognormal(1, 0.5, 200):
        limits = norm.limits(float(value))
        assert limits.z is not None
        assert (limits.verdict(float(value)) != "within") == (abs(limits.z) > FAR)


def test_a_few_scans_and_lesions_give_no_norm():
    assert cohort_norms((KEY, 1.0) for _ in range(FEWEST - 1)) == {}
    assert cohort_norms((("lesion", "volume", "FLAIR"), 1.0) for _ in range(FEWEST)) == {}
