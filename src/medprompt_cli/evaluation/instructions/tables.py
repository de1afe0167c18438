"""How instructions were answered, as Markdown for people and as a long table for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.columns import COUNT, NUMBER, TEXT, VERSIONED, column
from medprompt_cli.evaluation.instructions.outcomes import (
    STATUS_MEANS,
    STATUSES,
    Outcome,
    Status,
)
from medprompt_cli.evaluation.instructions.scores import ALL, InstructionScore, Quantity
from medprompt_cli.evaluation.report import NOTHING, table_line

SCORES = pa.schema(
    [
        column("pair_id", TEXT, "Null for a number about several pairs", optional=True),
        column("case", TEXT, "The image", optional=True),
        column("participant_id", TEXT, "BIDS subject", optional=True),
        column("instruction", TEXT, "The words", optional=True),
        column("subset", TEXT, "pair, all, type, form, language or target"),
        column("member", TEXT, "Which pair, type, language and so on"),
        column("quantity", TEXT, "What was computed, e.g. giou"),
        column("value", NUMBER, "Null if not measured", optional=True),
        column("unit", TEXT, "UCUM code: 1 or mL"),
        column("status", TEXT, "measured, absent (nothing to measure), or why no answer"),
        column("reason", TEXT, "Why there is no answer", optional=True),
        column("low", NUMBER, "Lower end of the 95 % bootstrap interval", optional=True),
        column("high", NUMBER, "Upper end", optional=True),
        column("n", COUNT, "Pairs that the number is about"),
    ],
    metadata=VERSIONED,
)
"""One row for each pair and quantity; then those about several pairs."""

COLUMNS: dict[Quantity, str] = {
    "answered": "Answered",
    "giou": "gIoU",
    "giou_present": "gIoU, what is there",
    "ciou": "cIoU",
    "n_acc": "N-Acc",
}
HEADS = {
    ALL: "",
    "type": "",
    "form": "asked as ",
    "language": "language ",
    "target": "target ",
}
"""What stands before the name of a line, by subset."""

SHOWN = 30
"""So many instructions without an answer are listed; the long table has all."""


def rows(scores: Iterable[InstructionScore]) -> list[dict[str, str | float | int | None]]:
    """The long table as dictionaries, with the columns of SCORES."""
    return [_row(one) for one in scores]


def _row(one: InstructionScore) -> dict[str, str | float | int | None]:
    of = one.pair
    return {
        "pair_id": None if of is None else of.pair.pair_id,
        "case": None if of is None else of.pair.case,
        "participant_id": None if of is None else of.pair.participant_id,
        "instruction": None if of is None else of.pair.instruction,
        "subset": one.subset,
        "member": one.member,
        "quantity": one.quantity,
        "value": one.value,
        "unit": one.unit,
        "status": one.status,
        "reason": None if of is None or of.answered else of.reason,
        "low": one.low,
        "high": one.high,
        "n": one.n,
    }


def write_parquet(scores: Iterable[InstructionScore], path: Path) -> None:
    """Write the long table.

    Raises:
        OutputError: If it cannot be written.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows(scores), schema=SCORES), sink)
    write_file(path, sink.getvalue().to_pybytes())


def markdown(scores: Sequence[InstructionScore], outcomes: Sequence[Outcome]) -> str:
    """The numbers about several pairs, then the instructions that have no answer."""
    lines: dict[tuple[str, str], dict[Quantity, InstructionScore]] = {}
    for one in scores:
        if one.pair is None:
            lines.setdefault((one.subset, one.member), {})[one.quantity] = one
    shown = [
        [_name(*key), *_counts(line), *(_cell(line[quantity]) for quantity in COLUMNS)]
        for key, line in lines.items()
        if line["giou"].n
    ]
    heads = ["Instructions", "Pairs", "Of them absent", *COLUMNS.values()]
    tables = [_table(heads, shown, 1)]
    if unanswered := [one for one in outcomes if not one.answered]:
        tables.append(_unanswered(unanswered))
    return "\n".join(tables)


def _name(subset: str, member: str) -> str:
    return f"**{member}**" if subset in {ALL, "type"} else f"{HEADS[subset]}{member}"


def _counts(line: dict[Quantity, InstructionScore]) -> tuple[str, str]:
    return str(line["giou"].n), str(line["n_acc"].n)


def _cell(one: InstructionScore) -> str:
    if one.value is None:
        return NOTHING
    spread = "" if one.low is None else f" ({one.low:.3f} to {one.high:.3f})"
    return f"{one.value:.3f}{spread}"


def _unanswered(outcomes: Sequence[Outcome]) -> str:
    """Every instruction without an answer, by why; those of most pairs first.

    What the weights cannot see is one line for each lesion, whatever the words.
    """
    counted = Counter(_said(one) for one in outcomes)
    ordered = sorted(
        counted.items(),
        key=lambda item: (STATUSES.index(item[0][1]), -item[1], item[0]),
    )
    lines = [
        [words, f"{status}: {STATUS_MEANS[status]}", reason, str(count)]
        for (words, status, reason), count in ordered[:SHOWN]
    ]
    table = _table(["Without an answer", "Status", "Why", "Pairs"], lines, 3)
    more = len(ordered) - SHOWN
    return f"{table}\n... and {more} more instructions.\n" if more > 0 else table


def _said(one: Outcome) -> tuple[str, Status, str]:
    if one.status == "not_visible":
        return f"(all about {one.pair.asked})", one.status, ""
    return one.pair.instruction, one.status, one.reason


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]], left: int) -> str:
    rule = ["---"] * left + ["--:"] * (len(heads) - left)
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join([*map(table_line, [heads, rule, *escaped]), ""])
