"""The model of a cohort finds the change that was put in, and says when it cannot."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medprompt_cli.longitudinal.trend import LEAST_PEOPLE, Person, fit_trend


def cohort(count, slope=-0.05, noise=0.02, seed=0, extra=0.0, **about):
    """People of their own level, all changing alike; every second one by `extra` more."""
    random = np.random.default_rng(seed)
    years = (0.0, 1.0, 2.0)
    people = []
    for n in range(count):
        level, own = random.normal(4, 0.5), slope + extra * (n % 2)
        values = tuple(level + own * year + random.normal(0, noise) for year in years)
        given = {name: value(n) for name, value in about.items()}
        people.append(Person(f"sub-{n:02}", years, values, **given))
    return people


def terms(trend):
    return {term.name: term for term in trend.terms}


def test_the_slope_is_that_within_people():
    """With balanced visits it is the mean of each person's own regression: closed form."""
    people = cohort(20)
    trend = fit_trend(people)
    expected = np.mean([np.polyfit(p.years, p.values, 1)[0] for p in people])
    years = terms(trend)["years"]

    assert years.coefficient == pytest.approx(expected, abs=1e-6)
    assert years.low < -0.05 < years.high
    assert years.high - years.low == pytest.approx(2 * 1.959964 * years.standard_error)
    assert years.p < 1e-6
    assert (trend.people, trend.visits, trend.converged) == (20, 60, True)
    assert trend.formula == "value ~ years + (1 | subject)"


def test_the_unit_of_values_changes_numbers_and_nothing_else():
    people = cohort(10)
    large = [Person(p.name, p.years, tuple(1000 * v for v in p.values)) for p in people]
    one, other = terms(fit_trend(people))["years"], terms(fit_trend(large))["years"]

    assert other.coefficient == pytest.approx(1000 * one.coefficient)
    assert other.p == pytest.approx(one.p)


def test_groups_may_change_at_different_speed():
    people = cohort(20, extra=-0.1, group=lambda n: "ab"[n % 2], age=lambda n: 60.0 + n % 7)
    trend = fit_trend(people)
    found = terms(trend)

    assert trend.formula == (
        "value ~ years + age + group[b against a] + years:group[b against a] + (1 | subject)"
    )
    assert found["years:group[b against a]"].coefficient == pytest.approx(-0.1, abs=0.02)
    assert found["years"].coefficient == pytest.approx(-0.05, abs=0.02)


def test_what_is_not_known_of_all_or_follows_from_the_rest_is_left_out():
    people = cohort(
        12,
        age=lambda n: None if n == 3 else 60.0 + n,
        sex=lambda n: "FM"[n % 2],
        group=lambda n: "ab"[n % 2],
    )
    trend = fit_trend(people)

    assert "sex[M against F]" in trend.formula
    assert "years:group[b against a]" in trend.formula
    assert " group[" not in trend.formula
    assert trend.notes[:2] == (
        "age is left out: it is not known of 1 people.",
        "group[b against a] is left out: the other terms determine it.",
    )


def test_few_people_have_no_model():
    trend = fit_trend(cohort(LEAST_PEOPLE - 1))

    assert (trend.terms, trend.converged) == ((), False)
    assert trend.notes == ("7 people have two visits with a value; it takes 8.",)
    assert math.isnan(trend.value_at(1))


def test_values_that_are_all_the_same_have_no_model():
    people = [Person(str(n), (0.0, 1.0), (2.0, 2.0)) for n in range(10)]

    assert fit_trend(people).notes == ("All values are the same.",)
