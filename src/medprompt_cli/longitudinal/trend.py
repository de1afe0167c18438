"""How a structure changes in a cohort: a mixed-effects model of all visits of all people.

    value = intercept + years [+ age + sex + group + years x group] + (1 | subject) + error

Years count from each person's first visit, so `years` is the change within a person in a year
and `age`, at the first visit, the difference between people. Each person has an intercept of
their own, drawn from a normal distribution; slopes are shared, as two visits cannot tell a
slope of one's own from error. Fitted by restricted maximum likelihood; intervals and p are
Wald's, which are a little too narrow in small cohorts.

Source: Laird and Ware, Random-effects models for longitudinal data, Biometrics 1982.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

LEAST_PEOPLE = 8
"""Fewer people with two visits or more say too little of a cohort. Own choice."""

LEAST_VISITS = 2

Z95 = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Person:
    """One structure of one person over time.

    Attributes:
        name: The subject.
        years: (N,) since the first visit.
        values: (N,) what was measured.
        age: In years at the first visit; None if not known.
        sex: None if not known.
        group: None if not known.
    """

    name: str
    years: tuple[float, ...]
    values: tuple[float, ...]
    age: float | None = None
    sex: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One fixed effect, in the unit of the values."""

    name: str
    coefficient: float
    standard_error: float
    low: float
    high: float
    p: float

    def times(self, scale: float) -> Term:
        """The same of values that are `scale` times as large."""
        return Term(
            self.name,
            scale * self.coefficient,
            scale * self.standard_error,
            scale * self.low,
            scale * self.high,
            self.p,
        )


@dataclass(frozen=True, slots=True)
class Trend:
    """What a model says.

    Attributes:
        formula: The model in words.
        terms: Its fixed effects; none if it could not be fitted.
        people: How many are in it.
        visits: How many of their visits.
        converged: Whether the fit did.
        notes: What a reader has to know beside it.
    """

    formula: str
    terms: tuple[Term, ...]
    people: int
    visits: int
    converged: bool
    notes: tuple[str, ...] = ()

    def value_at(self, years: float) -> float:
        """What the model says of a person of the reference groups and of mean age.

        NaN if it could not be fitted.
        """
        found = {term.name: term.coefficient for term in self.terms}
        return found["intercept"] + years * found["years"] if found else float("nan")


def repeated(people: Sequence[Person]) -> list[Person]:
    """Those who were measured at two different times at least."""
    return [person for person in people if len(set(person.years)) >= LEAST_VISITS]


def fit_trend(people: Sequence[Person]) -> Trend:
    """Fit the model to one structure; fewer than `LEAST_PEOPLE` with two visits give no terms.

    What is not known of everybody, or the same for all, is left out, and so is what the rest
    determines; notes say so.
    """
    names, columns, notes = _design(people)
    visits = sum(len(person.years) for person in people)
    formula = f"value ~ {' + '.join(names[1:])} + (1 | subject)"
    if (enough := len(repeated(people))) < LEAST_PEOPLE:
        said = f"{enough} people have two visits with a value; it takes {LEAST_PEOPLE}."
        return Trend(formula, (), len(people), visits, converged=False, notes=(said,))
    values = np.concatenate([person.values for person in people])
    scale = float(values.std())
    if not scale > 0:
        said = "All values are the same."
        return Trend(formula, (), len(people), visits, converged=False, notes=(said,))
    owners = np.repeat(np.arange(len(people)), [len(person.years) for person in people])
    terms, converged, said = _fitted(names, columns, values / scale, owners)
    scaled = tuple(term.times(scale) for term in terms)
    return Trend(formula, scaled, len(people), visits, converged, (*notes, *said))


def _fitted(
    names: Sequence[str], columns: np.ndarray, values: np.ndarray, owners: np.ndarray
) -> tuple[list[Term], bool, list[str]]:
    """The fixed effects, whether the fit converged, and what it warned of."""
    # A second to load, and needed by no other command.
    from statsmodels.regression.mixed_linear_model import MixedLM

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = MixedLM(values, columns, owners).fit(reml=True)
            effects, errors = np.asarray(fit.fe_params), np.asarray(fit.bse_fe)
    except (np.linalg.LinAlgError, ValueError) as error:
        return [], False, [f"The model could not be fitted: {error}."]
    said = list(dict.fromkeys(str(one.message).strip() for one in caught))
    if not (np.isfinite(effects).all() and np.isfinite(errors).all() and (errors > 0).all()):
        return [], False, [*said, "The model has no standard errors."]
    terms = [
        Term(
            name,
            float(effect),
            float(error),
            float(effect - Z95 * error),
            float(effect + Z95 * error),
            float(2 * ndtr(-abs(effect / error))),
        )
        for name, effect, error in zip(names, effects, errors, strict=True)
    ]
    return terms, bool(fit.converged), said


def _design(people: Sequence[Person]) -> tuple[list[str], np.ndarray, list[str]]:
    """Names and (N, terms) columns of the fixed effects, and what was left out."""
    counts = [len(person.years) for person in people]
    years = np.concatenate([np.zeros(0), *(person.years for person in people)])
    names, columns = ["intercept", "years"], [np.ones_like(years), years]
    notes: list[str] = []
    for name, own in _covariates(people, notes):
        column = np.repeat(own, counts)
        wanted = [(name, column)]
        if name.startswith("group"):
            wanted.append((f"years:{name}", column * years))
        for added, values in wanted:
            if np.linalg.matrix_rank(np.column_stack([*columns, values])) > len(columns):
                names.append(added)
                columns.append(values)
            else:
                notes.append(f"{added} is left out: the other terms determine it.")
    return names, np.column_stack(columns), notes


def _covariates(people: Sequence[Person], notes: list[str]) -> list[tuple[str, np.ndarray]]:
    """What differs between people: age from its mean, and 0 or 1 for every other group."""
    found: list[tuple[str, np.ndarray]] = []
    for name in ("age", "sex", "group"):
        known = [getattr(person, name) for person in people]
        if all(value is None for value in known) or len(set(known)) == 1:
            continue
        if None in known:
            notes.append(f"{name} is left out: it is not known of {known.count(None)} people.")
            continue
        if name == "age":
            ages = np.array(known, float)
            found.append((name, ages - ages.mean()))
            continue
        reference, *others = sorted(set(known))
        found += [
            (
                f"{name}[{level} against {reference}]",
                np.array([v == level for v in known], float),
            )
            for level in others
        ]
    return found
