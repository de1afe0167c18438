"""Scores as a Markdown table for people, and as a long table for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.domain.anatomy import BASE_NAMES
from medprompt_cli.evaluation.masks import BRAIN_MASK, MEAN_OF_17, SEVENTEEN, by_kind
from medprompt_cli.evaluation.overlap import bootstrap_interval
from medprompt_cli.evaluation.schemes import BRAIN, Scheme
from medprompt_cli.evaluation.scores import Quantity, Score

By = Literal["group", "scan"]

HEADINGS: dict[Quantity, str] = {
    "dice": "Dice",
    "hd95_mm": "95 % Hausdorff distance (mm)",
    "volume_bias_pct": "Volume, % above the truth",
}
DIGITS: dict[Quantity, str] = {"dice": ".3f", "hd95_mm": ".1f", "volume_bias_pct": "+.1f"}

NOTHING = "-"
"""What stands where nothing was measured."""

SUMMARY = (MEAN_OF_17, BRAIN, BRAIN_MASK)
ROWS = (*SEVENTEEN, "csf", *SUMMARY)
STRUCTURES = frozenset((*BASE_NAMES, BRAIN, BRAIN_MASK))
"""Regions of the table; others have tables of their own."""


def _column(
    name: str, kind: pa.DataType, description: str, *, optional: bool = False
) -> pa.Field:
    return pa.field(name, kind, nullable=optional, metadata={"description": description})


SCORES = pa.schema(
    [
        _column("scan", pa.string(), "Null for a number about several scans", optional=True),
        _column("group", pa.string(), "What it is pooled with"),
        _column("region", pa.string(), "Base structure, brain, brain-mask, parcel or lesion"),
        _column("quantity", pa.string(), "What was computed, e.g. dice or hd95_mm"),
        _column("value", pa.float64(), "Null if not measured", optional=True),
        _column("unit", pa.string(), "UCUM code: 1, %, mm or mL"),
        _column("status", pa.string(), "measured, absent, missed or not_visible"),
        _column("low", pa.float64(), "Lower end of the 95 % bootstrap interval", optional=True),
        _column("high", pa.float64(), "Upper end", optional=True),
        _column("n", pa.int64(), "Scans that the number is about"),
    ],
    metadata={"schema_version": "2"},
)
"""One row for each scan, region and quantity; then those about several scans."""


def rows(scores: Sequence[Score]) -> list[dict[str, str | float | int | None]]:
    """The long table as dictionaries, with the columns of SCORES."""
    return [{name: getattr(one, name) for name in SCORES.names} for one in scores]


def write_parquet(scores: Sequence[Score], path: Path) -> None:
    """Write the long table.

    Raises:
        OutputError: If it cannot be written.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows(scores), schema=SCORES), sink)
    write_file(path, sink.getvalue().to_pybytes())


@dataclass
class _Column:
    """Scans shown together: their scores, and the marks of their notes."""

    scans: list[list[Score]] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)

    def values(self, row: str, quantity: Quantity) -> list[float | None]:
        return [by_kind(scores, quantity).get(row) for scores in self.scans]


def markdown(
    scans: Sequence[Sequence[Score]],
    schemes: Mapping[str, Scheme],
    *,
    quantity: Quantity = "dice",
    also: Sequence[Quantity] = (),
    by: By = "group",
) -> str:
    """A table with a line for each kind of structure and a column for each group.

    Args:
        scans: The scores of each scan; those without base structures are passed over.
        schemes: Scheme of each scan's truth; its notes go under the table.
        quantity: What to show.
        also: What to add as one more line, over the 17 kinds.
        by: Whether a column is a group of scans or one scan. A group shows the mean over
            its scans and, in the summary lines, its bootstrap interval.

    Returns:
        The table; empty if no scan has base structures.
    """
    columns, notes = _columns(scans, schemes, by)
    if not columns:
        return ""
    heads = [_head(title, len(column.scans)) for title, column in columns.items()]
    lines = [
        table_line([HEADINGS[quantity], *heads]),
        table_line(["---", *["--:"] * len(heads)]),
    ]
    for row in ROWS:
        cells = [_cell(c.values(row, quantity), row, quantity) for c in columns.values()]
        if row != BRAIN_MASK or set(cells) != {NOTHING}:
            marks = [column.marks.get(row, "") for column in columns.values()]
            cells = [cell + mark for cell, mark in zip(cells, marks, strict=True)]
            lines.append(table_line([_row_name(row), *cells]))
    for other in also:
        values = [column.values(MEAN_OF_17, other) for column in columns.values()]
        cells = [_cell(each, MEAN_OF_17, other) for each in values]
        lines.append(table_line([f"{HEADINGS[other]}, {MEAN_OF_17}", *cells]))
    foot = [f"- [{number}] {note}" for number, note in enumerate(notes, start=1)]
    return "\n".join([*lines, "", *foot]).rstrip() + "\n"


def _columns(
    scans: Sequence[Sequence[Score]], schemes: Mapping[str, Scheme], by: By
) -> tuple[dict[str, _Column], list[str]]:
    """Columns by title, and the notes that their marks point to."""
    columns: dict[str, _Column] = {}
    notes: list[str] = []
    for all_scores in scans:
        scores = [one for one in all_scores if one.region in STRUCTURES]
        if not scores:
            continue
        scan = scores[0].scan or ""
        column = columns.setdefault(scores[0].group if by == "group" else scan, _Column())
        column.scans.append(scores)
        for kind, text in schemes[scan].notes.items():
            note = f"{kind} ({schemes[scan].name}): {text}."
            notes += [note] if note not in notes else []
            column.marks[kind] = f" [{notes.index(note) + 1}]"
    return columns, notes


def _head(title: str, scans: int) -> str:
    return title if scans == 1 else f"{title} (n = {scans})"


def _row_name(row: str) -> str:
    return f"**{row}**" if row in SUMMARY else row


def _cell(values: Sequence[float | None], row: str, quantity: Quantity) -> str:
    measured = [value for value in values if value is not None]
    if not measured:
        return NOTHING
    form = DIGITS[quantity]
    text = format(sum(measured) / len(measured), form)
    interval = bootstrap_interval(measured) if row in SUMMARY else None
    if interval:
        text += f" ({interval[0]:{form}} to {interval[1]:{form}})"
    return text if len(measured) == len(values) else f"{text}, n = {len(measured)}"


def table_line(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
