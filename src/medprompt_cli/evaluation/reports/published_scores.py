"""What the published procedure says of all reports, with and without its own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from medprompt_cli.evaluation.masks import mean
from medprompt_cli.evaluation.overlap import ratio_interval
from medprompt_cli.evaluation.reports.forte import Side
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES, Category, Lexicon
from medprompt_cli.evaluation.reports.published import Boundary, Row, Synonyms, synonyms_of
from medprompt_cli.evaluation.reports.scores import MACRO, Measure, ReportScore, about_all
from medprompt_cli.evaluation.reports.trace import KeywordRow

VARIANTS: tuple[tuple[Measure, Boundary, Callable[[Row], bool]], ...] = (
    ("published", "left", lambda _: True),
    ("published-without-no", "left", lambda row: not row.negated),
    ("published-whole-words", "both", lambda _: True),
)
"""The script up to its table; with its last step; and with the word boundary changed."""


def published_scores(rows: Sequence[Row], lexicon: Lexicon) -> list[ReportScore]:
    """Mean precision and recall over pairs, and the F1 of these means."""
    synonyms = synonyms_of(lexicon)
    return [
        score
        for measure, rule, keep in VARIANTS
        for score in _of_variant(measure, rule, [row for row in rows if keep(row)], synonyms)
    ]


def _of_variant(
    measure: Measure, rule: Boundary, rows: Sequence[Row], synonyms: dict[Category, Synonyms]
) -> Iterator[ReportScore]:
    values: dict[str, list[float | None]] = {"precision": [], "recall": [], "f1": []}
    for category in CATEGORIES:
        same, each = synonyms[category], []
        for row in rows:
            ours, theirs = (side[category] for side in row.hits[rule])
            each.append((row.report, *same.precision_recall(ours, theirs)))
        precision = _mean(measure, category, "precision", [(name, p) for name, p, _ in each])
        recall = _mean(measure, category, "recall", [(name, r) for name, _, r in each])
        f1 = _harmonic(precision.value, recall.value)
        counted = sum(p is not None or r is not None for _, p, r in each)
        yield from (precision, recall)
        yield about_all(measure, category, "mean", "f1", f1, None, counted)
        for quantity, value in zip(values, (precision.value, recall.value, f1), strict=True):
            values[quantity].append(value)
    for quantity, found in values.items():
        yield about_all(measure, MACRO, "mean", quantity, mean(found), None, len(rows))


def _mean(
    measure: Measure,
    category: Category,
    quantity: str,
    each: Sequence[tuple[str, float | None]],
) -> ReportScore:
    """The mean over pairs; for its interval, the pairs of a report are drawn together."""
    of_report: dict[str, list[float]] = {}
    for name, value in each:
        if value is not None:
            of_report.setdefault(name, []).append(value)
    sums, counts = map(sum, of_report.values()), map(len, of_report.values())
    interval = ratio_interval(list(sums), list(counts)) if of_report else None
    value = mean(value for _, value in each)
    there = sum(map(len, of_report.values()))
    return about_all(measure, category, "mean", quantity, value, interval, there)


def _harmonic(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def published_keywords(rows: Iterable[Row], lexicon: Lexicon) -> Iterator[KeywordRow]:
    """Every hit of the published procedure, pair by pair."""
    synonyms = synonyms_of(lexicon)
    for row in rows:
        for category in CATEGORIES:
            same = synonyms[category]
            ours, theirs = (
                {hit: same.main_key(hit) for hit in sorted(side[category])}
                for side in row.hits["left"]
            )
            answered = {
                (key, other)
                for other in theirs.values()
                for key in ours.values()
                if key in same.meaning(other)
            }
            matched = {key for key, _ in answered}, {other for _, other in answered}
            yield from _of_side(row, category, "reference", ours, matched[0])
            yield from _of_side(row, category, "candidate", theirs, matched[1])


def _of_side(
    row: Row, category: Category, side: Side, keys: Mapping[str, str], matched: set[str]
) -> Iterator[KeywordRow]:
    """The hits of one sentence, each with its main key."""
    mine, other = row.reference, row.candidate
    if side == "candidate":
        mine, other = other, mine
    unanswered = "missed" if side == "reference" else "added"
    seen: set[str] = set()
    for hit, key in keys.items():
        yield KeywordRow(
            report=row.report,
            measure="published",
            side=side,
            sentence=mine.number,
            text=mine.text,
            category=category,
            term=key.strip(),
            polarity=None,
            words=hit,
            start=None,
            end=None,
            counted=key not in seen,
            outcome="matched" if key in matched else unanswered,
            partner=other.number,
            similarity=row.similarity,
        )
        seen.add(key)
