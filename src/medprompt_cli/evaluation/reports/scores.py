"""Numbers about reports: of each, of all pooled, and the mean over all.

- `report`: one report.
- `pooled`: terms, or n-grams, of all reports counted together.
- `mean`: the mean over the reports that have the number.

In FORTE, `micro` counts the terms of all categories together, and `macro` is the mean over
categories, of a report over those it has. Intervals come from drawing reports at random.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medprompt_cli.evaluation.masks import mean
from medprompt_cli.evaluation.overlap import (
    LEVEL,
    RESAMPLES,
    bootstrap_interval,
    ratio_interval,
)
from medprompt_cli.evaluation.reports.forte import Count
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES, Category
from medprompt_cli.evaluation.reports.ngrams import bleu, cider_r, rouge_l, tokens_of
from medprompt_cli.evaluation.reports.pairs import ReportPair

Measure = Literal[
    "forte", "published", "published-without-no", "published-whole-words", "ngrams"
]
Average = Literal["report", "pooled", "mean"]
Status = Literal["measured", "absent"]
Interval = tuple[float, float]

MICRO, MACRO = "micro", "macro"
RATIOS: dict[str, tuple[int, tuple[str, ...]]] = {
    "precision": (1, ("candidate",)),
    "recall": (1, ("reference",)),
    "f1": (2, ("reference", "candidate")),
}
"""Each is so many times the matched terms over these terms."""

COUNTED = {"terms_matched": "matched", "terms_reference": "reference"}
COUNTED["terms_candidate"] = "candidate"


@dataclass(frozen=True, slots=True)
class ReportScore:
    """One number about one report or all of them.

    Attributes:
        report: Its name; None for a number about all.
        measure: `forte`; `ngrams`; or `published`, FORTE as its authors' script counts it,
            `-without-no` with denied pairs dropped, `-whole-words` with our word boundary.
        category: Of terms, or `micro` or `macro`; None for n-grams.
        average: `report`, `pooled` or `mean`.
        quantity: What was computed.
        value: None if it was not.
        low: Lower end of the 95 % bootstrap interval, if there is one.
        high: Its upper end.
        n: Reports that the number is about, or of a published one pairs of sentences.
    """

    report: str | None
    measure: Measure
    category: str | None
    average: Average
    quantity: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 1

    @property
    def status(self) -> Status:
        """`absent` if there is nothing that the number could be about."""
        return "absent" if self.value is None else "measured"

    @property
    def unit(self) -> str:
        """UCUM code of the value."""
        return "1"


Counts = Mapping[Category, Count]


def forte_scores(counts: Mapping[str, Counts]) -> list[ReportScore]:
    """Every number that FORTE gives, of the counts of each report."""
    scores = []
    for name, of in counts.items():
        for category, count in {**of, MICRO: _total(of.values())}.items():
            scores += _of_one(name, category, count)
        scores += [_macro_of_one(name, of, quantity) for quantity in RATIOS]
    reports = list(counts.values())
    for category in CATEGORIES:
        scores += _of_all(category, [of[category] for of in reports])
    scores += _of_all(MICRO, [_total(of.values()) for of in reports])
    for quantity in RATIOS:
        scores += _macro_of_all(reports, quantity)
    return scores


def _total(counts: Iterable[Count]) -> Count:
    return sum(counts, Count())


def _of_one(name: str, category: str, count: Count) -> list[ReportScore]:
    found: dict[str, float | None] = {q: getattr(count, q) for q in RATIOS}
    found |= {quantity: getattr(count, what) for quantity, what in COUNTED.items()}
    return [
        ReportScore(name, "forte", category, "report", quantity, value)
        for quantity, value in found.items()
    ]


def _macro_of_one(name: str, counts: Counts, quantity: str) -> ReportScore:
    value = mean(getattr(count, quantity) for count in counts.values())
    return ReportScore(name, "forte", MACRO, "report", quantity, value)


def _of_all(category: str, counts: Sequence[Count]) -> list[ReportScore]:
    whole = _total(counts)
    scores = []
    for quantity in RATIOS:
        parts, wholes = _parts(counts, quantity)
        value, there = getattr(whole, quantity), int(np.count_nonzero(wholes))
        interval = None if value is None else ratio_interval(parts, wholes)
        scores.append(about_all("forte", category, "pooled", quantity, value, interval, there))
        scores.append(
            mean_of("forte", category, quantity, [getattr(one, quantity) for one in counts])
        )
    for quantity, what in COUNTED.items():
        value = getattr(whole, what)
        scores.append(
            about_all("forte", category, "pooled", quantity, value, None, len(counts))
        )
    return scores


def _parts(counts: Sequence[Count], quantity: str) -> tuple[list[float], np.ndarray]:
    """The numerator and denominator of a ratio for each report."""
    times, wholes = RATIOS[quantity]
    below = [sum(getattr(one, what) for what in wholes) for one in counts]
    return [times * one.matched for one in counts], np.array(below, float)


def _macro_of_all(reports: Sequence[Counts], quantity: str) -> list[ReportScore]:
    tables = [_parts([of[c] for of in reports], quantity) for c in CATEGORIES]
    value = mean(getattr(_total(of[c] for of in reports), quantity) for c in CATEGORIES)
    interval = None if value is None else _macro_interval(tables)
    there = sum(any(of[c].reference or of[c].candidate for c in CATEGORIES) for of in reports)
    each = [mean(getattr(one, quantity) for one in of.values()) for of in reports]
    return [
        about_all("forte", MACRO, "pooled", quantity, value, interval, there),
        mean_of("forte", MACRO, quantity, each),
    ]


def _macro_interval(
    tables: Sequence[tuple[Sequence[float], np.ndarray]], seed: int = 0
) -> Interval | None:
    """Percentile bootstrap interval of the mean of ratios, the same reports drawn for each.

    A ratio without anything below the line in a draw is left out of that draw's mean.
    """
    count = len(tables[0][0])
    if count < 2:  # noqa: PLR2004 - one value says nothing of spread
        return None
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    total, there = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for parts, wholes in tables:
        top, bottom = (np.asarray(side, float)[drawn].sum(axis=1) for side in (parts, wholes))
        total += np.divide(top, bottom, out=np.zeros(RESAMPLES), where=bottom > 0)
        there += bottom > 0
    means = total[there > 0] / there[there > 0]
    if not means.size:
        return None
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def ngram_scores(pairs: Sequence[ReportPair]) -> list[ReportScore]:
    """BLEU, ROUGE-L and CIDEr-R of each report, and of all."""
    ours = [tokens_of(one.reference) for one in pairs]
    theirs = [tokens_of(one.candidate) for one in pairs]
    values: dict[str, list[float | None]] = {}
    for reference, candidate in zip(ours, theirs, strict=True):
        for order, value in enumerate(bleu([reference], [candidate]).orders, start=1):
            values.setdefault(f"bleu_{order}", []).append(value)
        common = rouge_l(reference, candidate)
        values.setdefault("rouge_l_precision", []).append(common.precision)
        values.setdefault("rouge_l_recall", []).append(common.recall)
        values.setdefault("rouge_l", []).append(common.f1)
    values["cider_r"] = cider_r(ours, theirs)
    scores = [
        ReportScore(one.name, "ngrams", None, "report", quantity, each[k])
        for k, one in enumerate(pairs)
        for quantity, each in values.items()
    ]
    for order, value in enumerate(bleu(ours, theirs).orders, start=1):
        scores.append(
            about_all("ngrams", None, "pooled", f"bleu_{order}", value, None, len(pairs))
        )
    return scores + [mean_of("ngrams", None, name, each) for name, each in values.items()]


def mean_of(
    measure: Measure, category: str | None, quantity: str, values: Sequence[float | None]
) -> ReportScore:
    """The mean over the reports that have a number, with its interval."""
    there = [value for value in values if value is not None]
    return about_all(
        measure, category, "mean", quantity, mean(there), bootstrap_interval(there), len(there)
    )


def about_all(  # noqa: PLR0913, PLR0917 - one for each column that differs
    measure: Measure,
    category: str | None,
    average: Average,
    quantity: str,
    value: float | None,
    interval: Interval | None,
    n: int,
) -> ReportScore:
    """A number about all reports."""
    low, high = interval or (None, None)
    return ReportScore(None, measure, category, average, quantity, value, low, high, n)
