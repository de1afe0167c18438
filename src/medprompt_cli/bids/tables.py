"""BIDS tables: tab-separated text, `n/a` for nothing, dates in ISO 8601."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from medprompt_cli.bids.problems import Problem, reason_of

Row = dict[str, str | None]
"""One line of a table by column name; None where it says n/a or nothing."""

ISO_8601 = re.compile(
    r"\d{4}-\d\d-\d\d(?P<time>T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?"
)
"""A date, or a date and time. Source: BIDS, units, date time information."""

SAVE_AGAIN = "Save the table as UTF-8 text with tabs between columns."


@dataclass(frozen=True)
class Table:
    """A table that could be read.

    Attributes:
        path: The file.
        columns: Names of the columns, as the first line gives them.
        rows: Line number in the file, counted from 1, and content of each row.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Row], ...]


def read_table(path: Path, problems: list[Problem]) -> Table | None:
    """Read a table; a line that cannot be read is left out and goes to `problems`.

    A byte order mark and Windows line ends are accepted.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return _parse(path, text, problems)
    except OSError as error:
        problems.append(bad_table(path, reason_of(path, error)))
    except UnicodeDecodeError as error:
        problems.append(bad_table(path, f"Is not UTF-8 text: byte {error.start} is not."))
    except csv.Error as error:
        problems.append(bad_table(path, f"Cannot be read: {error}."))
    return None


def bad_table(path: Path, message: str) -> Problem:
    """A table, or a line of it, that cannot be read."""
    return Problem(path, "bad-table", message, SAVE_AGAIN)


def duplicate_row(path: Path, said: str) -> Problem:
    """A row whose key an earlier row of the table `path` has."""
    said = f"{said} again; the first row is kept."
    return Problem(path, "duplicate-row", said, "Remove one of the rows.")


def _parse(path: Path, text: str, problems: list[Problem]) -> Table | None:
    if "\0" in text:
        problems.append(bad_table(path, "Is not UTF-8 text: it holds null characters."))
        return None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True)
    columns = tuple(name.strip() for name in next(reader, []))
    if not columns or len(set(columns)) < len(columns):
        problems.append(bad_table(path, f"Line 1 names no column, or one twice: {columns}."))
        return None
    rows = []
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) == len(columns):
            row = {c: _value(v) for c, v in zip(columns, cells, strict=True)}
            rows.append((reader.line_num, row))
        else:
            said = f"Line {reader.line_num} has {len(cells)} cells for {len(columns)} columns."
            problems.append(bad_table(path, said))
    return Table(path, columns, tuple(rows))


def _value(cell: str) -> str | None:
    return None if cell.strip() in {"", "n/a"} else cell


def read_keyed(path: Path, key: str, problems: list[Problem]) -> dict[str, Row]:
    """Read a table by its column `key`; of rows with the same key the first is kept."""
    table = read_table(path, problems)
    if table is None:
        return {}
    if key not in table.columns:
        problems.append(bad_table(path, f"Has no column {key!r}: only {table.columns}."))
        return {}
    rows: dict[str, Row] = {}
    for line, row in table.rows:
        name = (row[key] or "").strip()
        if not name:
            problems.append(bad_table(path, f"Line {line} has no {key}."))
        elif name in rows:
            problems.append(duplicate_row(path, f"Line {line} names {name!r}"))
        else:
            rows[name] = row
    return rows


def parse_date(text: str) -> date:
    """Read a date, or a datetime where a time is given; years before 1925 are fine.

    A datetime has no zone: `Z` or an offset is turned into UTC first.

    Raises:
        ValueError: If `text` is not ISO 8601 or no day of the calendar.
    """
    matched = ISO_8601.fullmatch(text.strip())
    if matched is None:
        raise ValueError(text)
    if matched["time"] is None:
        return date.fromisoformat(text.strip())
    moment = datetime.fromisoformat(text.strip())
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def date_or_problem(path: Path, text: str | None, problems: list[Problem]) -> date | None:
    """Read a date out of the table `path`; None if there is none or it is malformed."""
    if text is None:
        return None
    try:
        return parse_date(text)
    except (ValueError, OverflowError):
        problems.append(
            Problem(
                path,
                "bad-date",
                f"Holds the date {text!r}, which is not ISO 8601.",
                "Write dates as 2024-03-31 or 2024-03-31T14:05:00.",
            )
        )
        return None


def dates_of(path: Path, key: str, problems: list[Problem]) -> dict[str, date | None]:
    """The `acq_time` of every row of a scans.tsv or sessions.tsv, by its column `key`."""
    return dict(_dates(path, key, problems))


def _dates(path: Path, key: str, problems: list[Problem]) -> Iterator[tuple[str, date | None]]:
    for name, row in read_keyed(path, key, problems).items():
        yield name, date_or_problem(path, row.get("acq_time"), problems)
