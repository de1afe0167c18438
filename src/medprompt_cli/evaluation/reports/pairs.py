"""The reports to judge: two folders of text, or a table of pairs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medprompt_cli.bids.problems import reason_of
from medprompt_cli.errors import InputError, UsageError

COLUMNS = ("id", "reference", "candidate")
MARKDOWN = ".md"
TEXTS = (".txt", MARKDOWN)
"""Endings of the files of a folder."""

_HEADING = re.compile(r"(?m)^#{1,6} .*\n?")


@dataclass(frozen=True, slots=True)
class ReportPair:
    """Two texts about one examination.

    Attributes:
        name: What to call it.
        reference: What was to be said.
        candidate: What was said instead; may be empty.
    """

    name: str
    reference: str
    candidate: str


def read_folders(candidates: Path, references: Path) -> list[ReportPair]:
    """Pair the .txt and .md files of two folders, and of what is in them, by name.

    The ending does not count: a report in .md may be the partner of one in .txt.

    Raises:
        InputError: If a folder is none, a file has no partner or cannot be read, a name is
            there twice, or a reference is empty.
    """
    theirs, ours = _texts(candidates), _texts(references)
    for name, path in ours.items():
        if name not in theirs:
            raise _alone(path, "candidate", candidates / name)
    for name, path in theirs.items():
        if name not in ours:
            raise _alone(path, "reference", references / name)
    pairs = [ReportPair(name, _text(ours[name]), _text(theirs[name])) for name in ours]
    for one in pairs:
        if not one.reference.strip():
            raise InputError(
                f"{ours[one.name]} is empty: there is nothing to judge by.",
                remedy="Write the reference into it, or remove it and its partner.",
                code="empty",
            )
    return pairs


def _texts(folder: Path) -> dict[str, Path]:
    """The text files below a folder, by their path in it without the ending."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder.",
            remedy="Give two folders of .txt or .md files, or one table of pairs.",
            code="missing",
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in TEXTS or path.name.startswith("."):
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise InputError(
                f"{found[name]} and {path} have one name, {name!r}.",
                remedy="Keep one of the two.",
                code="duplicate",
            )
        found[name] = path
    if not found:
        raise InputError(
            f"{folder} holds no .txt or .md file.",
            remedy="Give a folder with one text file for each report.",
            code="missing",
        )
    return found


def _alone(path: Path, side: str, partner: Path) -> InputError:
    return InputError(
        f"{path} has no {side}: there is no {partner}.txt or .md.",
        remedy="Add the missing file, or remove the other.",
        code="missing",
    )


def _text(path: Path) -> str:
    """What a file holds; of Markdown without its headings, which claim nothing."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return _HEADING.sub("", text) if path.suffix.lower() == MARKDOWN else text
    except OSError as error:
        raise InputError(
            f"{path}: {reason_of(path, error)}", remedy="Make it readable.", code="unreadable"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text: byte {error.start} is not.",
            remedy="Save it as UTF-8.",
            code="bad-text",
        ) from error


def read_table(path: Path) -> list[ReportPair]:
    """Read pairs from a table with the COLUMNS: .jsonl, .csv or .parquet.

    Raises:
        UsageError: If the ending says none of them.
        InputError: If it is no such table, names a report twice, or lacks a text.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise UsageError(
            f"{path} is no table: it ends in none of {', '.join(_READERS)}.",
            remedy="Give such a table, or two folders of .txt or .md files.",
        )
    pairs: dict[str, ReportPair] = {}
    for place, row in read(path):
        one = _pair(path, place, row)
        if one.name in pairs:
            raise _bad(path, f"{place} names {one.name!r} again.")
        pairs[one.name] = one
    if not pairs:
        raise _bad(path, "It names no report.")
    return list(pairs.values())


def _pair(path: Path, place: str, row: dict[str, Any]) -> ReportPair:
    for column in COLUMNS:
        if column not in row:
            raise _bad(path, f"{place} has no {column!r}.")
    name, reference, candidate = (row[column] for column in COLUMNS)
    name = str(name) if isinstance(name, int) else name
    for column, value in zip(COLUMNS, (name, reference, candidate), strict=True):
        if not isinstance(value, str):
            raise _bad(path, f"{place} has {value!r} for {column!r}, which is no text.")
    if not name or not reference.strip():
        raise _bad(path, f"{place} has an empty {COLUMNS[bool(name)]!r}.")
    return ReportPair(name, reference, candidate)


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _bad(path, f"Line {number} is not JSON: {error}.") from error
        if not isinstance(row, dict):
            raise _bad(path, f"Line {number} is no JSON object.")
        yield f"Line {number}", row


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    lacking = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if lacking:
        raise _bad(path, f"It has no column {lacking[0]!r}.")
    try:
        for row in reader:
            yield f"Line {reader.line_num}", row
    except csv.Error as error:
        raise _bad(path, f"Line {reader.line_num} cannot be read: {error}.") from error


def _parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = pq.read_table(path)
    except OSError as error:
        raise _bad(path, reason_of(path, error)) from error
    except pa.ArrowException as error:
        raise _bad(path, "It is damaged, or no Parquet file.") from error
    lacking = [column for column in COLUMNS if column not in table.column_names]
    if lacking:
        raise _bad(path, f"It has no column {lacking[0]!r}.")
    rows = table.select(list(COLUMNS)).to_pylist()
    yield from ((f"Row {number}", row) for number, row in enumerate(rows, start=1))


_READERS: dict[str, Callable[[Path], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".jsonl": _json_rows,
    ".csv": _csv_rows,
    ".parquet": _parquet_rows,
}


def _bad(path: Path, what: str) -> InputError:
    return InputError(
        f"{path} is no table of reports. {what}",
        remedy=f"Give a .jsonl, .csv or .parquet table with the columns {', '.join(COLUMNS)}.",
        code="bad-table",
    )
