"""Scores and terms of reports, as Markdown for people and as long tables for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES
from medprompt_cli.evaluation.reports.published import Difference
from medprompt_cli.evaluation.reports.scores import MACRO, MICRO, Measure, ReportScore
from medprompt_cli.evaluation.reports.trace import KeywordRow

Cell = str | float | int | bool | None


def _column(
    name: str, kind: pa.DataType, description: str, *, optional: bool = False
) -> pa.Field:
    return pa.field(name, kind, nullable=optional, metadata={"description": description})


SCORES = pa.schema(
    [
        _column("report", pa.string(), "Null for a number about all reports", optional=True),
        _column("measure", pa.string(), "forte, ngrams, or a variant of published"),
        _column("category", pa.string(), "Of terms; null for n-grams", optional=True),
        _column("average", pa.string(), "report, pooled or mean"),
        _column("quantity", pa.string(), "What was computed, e.g. f1 or bleu_4"),
        _column("value", pa.float64(), "Null if not measured", optional=True),
        _column("unit", pa.string(), "UCUM code: always 1"),
        _column("status", pa.string(), "measured, or absent if there is nothing to measure"),
        _column("low", pa.float64(), "Lower end of the 95 % bootstrap interval", optional=True),
        _column("high", pa.float64(), "Upper end", optional=True),
        _column("n", pa.int64(), "Reports it is about; if published, pairs of sentences"),
    ],
    metadata={"schema_version": "1"},
)
"""One row for each number."""

KEYWORDS = pa.schema(
    [
        _column("report", pa.string(), "Name of the report"),
        _column("measure", pa.string(), "forte or published"),
        _column("side", pa.string(), "reference or candidate"),
        _column("sentence", pa.int64(), "Number of the sentence in that text, from 1"),
        _column("text", pa.string(), "The sentence"),
        _column("category", pa.string(), "degree, landmark, feature or impression"),
        _column("term", pa.string(), "Name of the group of synonyms"),
        _column("polarity", pa.string(), "positive, negative or neutral", optional=True),
        _column("words", pa.string(), "The term as written"),
        _column("start", pa.int64(), "Its offset in the sentence", optional=True),
        _column("end", pa.int64(), "Offset after it", optional=True),
        _column("counted", pa.bool_(), "False if its sentence said the same before"),
        _column("outcome", pa.string(), "matched, contradicted, missed or added"),
        _column("partner", pa.int64(), "Sentence of the other text", optional=True),
        _column("similarity", pa.float64(), "Of the two, if they are a pair", optional=True),
    ],
    metadata={"schema_version": "1"},
)
"""One row for each term of each text: the counted ones add up to the scores."""

NGRAMS = {f"bleu_{order}": f"BLEU-{order}" for order in range(1, 5)}
NGRAMS |= {"rouge_l": "ROUGE-L", "cider_r": "CIDEr-R (0 to 10)"}

RULES = {"left": "the script only", "both": "whole words only"}
VARIANT_HEADS: dict[Measure, str] = {
    "published": "Published",
    "published-without-no": "Published, pairs with `no` dropped",
    "published-whole-words": "Published, whole words",
}


def rows(records: Iterable[object], schema: pa.Schema) -> list[dict[str, Cell]]:
    """Records as dictionaries with the columns of a schema."""
    return [{name: getattr(one, name) for name in schema.names} for one in records]


def write_parquet(records: Iterable[object], schema: pa.Schema, path: Path) -> None:
    """Write a long table.

    Raises:
        OutputError: If it cannot be written.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows(records, schema), schema=schema), sink)
    write_file(path, sink.getvalue().to_pybytes())


class _Numbers:
    """The numbers about all reports, ready to be shown."""

    def __init__(self, scores: Iterable[ReportScore]) -> None:
        self._of = {
            (one.measure, one.category, one.average, one.quantity): one
            for one in scores
            if one.report is None
        }

    def cell(self, measure: Measure, category: str | None, average: str, quantity: str) -> str:
        one = self._of.get((measure, category, average, quantity))
        if one is None or one.value is None:
            return NOTHING
        if quantity.startswith("terms"):
            return f"{one.value:.0f}"
        spread = "" if one.low is None else f" ({one.low:.3f} to {one.high:.3f})"
        return f"{one.value:.3f}{spread}"

    def has(self, measure: Measure) -> bool:
        return any(key[0] == measure for key in self._of)


def markdown(scores: Sequence[ReportScore]) -> str:
    """The numbers about all reports: terms, then n-grams, then the published procedure."""
    numbers = _Numbers(scores)
    tables = [_forte(numbers), _ngrams(numbers)]
    tables += [_published(numbers)] if numbers.has("published") else []
    return "\n".join(tables)


def _forte(numbers: _Numbers) -> str:
    heads = [
        "Terms",
        "Reference",
        "Candidate",
        "Precision",
        "Recall",
        "F1",
        "F1, mean of reports",
    ]
    lines = []
    for category in (*CATEGORIES, MICRO, MACRO):
        cells = [
            numbers.cell("forte", category, "pooled", quantity)
            for quantity in ("terms_reference", "terms_candidate", "precision", "recall", "f1")
        ]
        cells.append(numbers.cell("forte", category, "mean", "f1"))
        lines.append([f"**{category}**" if category in {MICRO, MACRO} else category, *cells])
    return _table(heads, lines)


def _ngrams(numbers: _Numbers) -> str:
    lines = [
        [head, *(numbers.cell("ngrams", None, average, name) for average in ("pooled", "mean"))]
        for name, head in NGRAMS.items()
    ]
    return _table(["Words", "Pooled", "Mean of reports"], lines)


def _published(numbers: _Numbers) -> str:
    lines = [
        [
            head,
            f"**{category}**" if category == MACRO else category,
            *(
                numbers.cell(measure, category, "mean", q)
                for q in ("precision", "recall", "f1")
            ),
        ]
        for measure, head in VARIANT_HEADS.items()
        for category in (*CATEGORIES, MACRO)
    ]
    return _table(["Procedure", "Terms", "Precision", "Recall", "F1 of the means"], lines, 2)


def difference_table(found: Sequence[Difference]) -> str:
    """Where the published word boundary and ours disagree."""
    if not found:
        return "No term is found by one word boundary and not by the other.\n"
    lines = [
        [one.category, one.term, RULES[one.rule], _quoted(one.words), str(one.sentences)]
        for one in found
    ]
    return _table(["Category", "Term", "Found by", "In", "Sentences"], lines, 4)


def keyword_table(keywords: Iterable[KeywordRow]) -> str:
    """Every term of every text, for people."""
    heads = ["Report", "Side", "Sentence", "Category", "Term", "Polarity", "Words", "Outcome"]
    lines = [
        [
            *(one.report, one.side, f"{one.sentence}: {_quoted(one.text)}", one.category),
            *(one.term, one.polarity or NOTHING, _quoted(one.words), _fate(one)),
        ]
        for one in keywords
    ]
    return _table(heads, lines, len(heads))


def _fate(one: KeywordRow) -> str:
    other = "" if one.partner is None else f", {one.partner}"
    return f"{one.outcome}{other}" if one.counted else f"{one.outcome}{other}, not counted"


def _quoted(text: str) -> str:
    """Text that cannot break a cell."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table, its first columns to the left and numbers to the right."""
    rule = ["---"] * left + ["--:"] * (len(heads) - left)
    return "\n".join([*map(table_line, [heads, rule, *lines]), ""])
