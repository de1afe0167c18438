"""A table that names images one by one, for scans that lie in no common order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from medprompt_cli.bids.entities import LABEL, label_of
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.found import Found, Wanted
from medprompt_cli.bids.image_folder import labelled_entry, named_entry, unique_labels
from medprompt_cli.bids.images import IMAGE_SUFFIXES, is_image_name
from medprompt_cli.bids.listing import file_problem, list_folder, stem_of
from medprompt_cli.bids.problems import Problem, from_os_error
from medprompt_cli.bids.tables import Row, Table, date_or_problem, read_table
from medprompt_cli.errors import InputError

COLUMNS = ("image", "subject", "session", "suffix", "date")
"""What a manifest may say of an image; only `image` must be there.

A relative path starts at the manifest's folder. What a line leaves open is taken from
the file's name if that follows BIDS; else the image is a subject of its own.
"""

SAVE_AGAIN = "Give a text file with tabs between columns, and the column `image` among them."


def read_manifest(path: Path, wanted: Wanted) -> Found:
    """Read a manifest; a line that cannot be used goes to the problems.

    Raises:
        InputError: If it is no table, or has no column `image`.
    """
    found = Found()
    table = _readable_table(path, found)
    for column in table.columns:
        if column not in COLUMNS:
            said = f"Has the column {column!r}, which is not read."
            remedy = f"Use the columns {', '.join(COLUMNS)}."
            found.problems.append(Problem(path, "unknown-column", said, remedy))
    lines = [line for n, row in table.rows if (line := _read_line(path, n, row, found))]
    found.images = _entries(lines)
    return wanted.of(found)


def _readable_table(path: Path, found: Found) -> Table:
    table = read_table(path, found.problems)
    if table is None:
        raise InputError(found.problems[-1].said, remedy=SAVE_AGAIN, code="bad-table")
    if "image" not in table.columns:
        raise InputError(
            f"{path} has no column 'image': only {', '.join(table.columns)}.",
            remedy=SAVE_AGAIN,
            code="bad-table",
        )
    # A line that is left out of a manifest is an image that is left out.
    found.problems[:] = [replace(problem, code="bad-line") for problem in found.problems]
    return table


@dataclass(frozen=True)
class _Line:
    """One usable line: where the image is, and what the line itself says of it."""

    written: str
    path: Path
    subject: str | None
    session: str | None
    suffix: str | None
    acquired: date | None


def _read_line(manifest: Path, number: int, row: Row, found: Found) -> _Line | None:
    """Read a line; None, and a problem, if it cannot be used."""
    written = row["image"]
    if written is None:
        said = f"Line {number} names no image."
        found.problems.append(Problem(manifest, "bad-line", said, SAVE_AGAIN))
        return None
    path = _path(manifest, written)
    problem = _image_problem(path) or _label_problem(path, number, row)
    if problem is not None:
        found.problems.append(problem)
        return None
    return _Line(
        written,
        path,
        label_of(_cell(row, "subject") or "", "sub"),
        label_of(_cell(row, "session") or "", "ses"),
        _cell(row, "suffix"),
        date_or_problem(manifest, row.get("date"), found.problems),
    )


def _cell(row: Row, column: str) -> str | None:
    return (row.get(column) or "").strip() or None


def _path(manifest: Path, written: str) -> Path:
    """Where a line points, free of `..`, by which sidecars could not be looked up."""
    path = manifest.parent / written
    return path.parent.resolve() / path.name if ".." in path.parts else path


def _image_problem(path: Path) -> Problem | None:
    """Why a named path is no image; None if it is one."""
    if is_image_name(path.name):
        return file_problem(path)
    try:
        path.stat()
    except OSError as error:
        return from_os_error(path, error)
    if path.is_dir() and list_folder(path, []).is_dicom_series():
        return None
    said = "Is neither an image file nor a folder of DICOM slices."
    remedy = f"Name a file that ends in {', '.join(IMAGE_SUFFIXES)}, or a DICOM folder."
    return Problem(path, "not-an-image", said, remedy)


def _label_problem(path: Path, number: int, row: Row) -> Problem | None:
    for column, key in (("subject", "sub"), ("session", "ses")):
        text = _cell(row, column)
        if text and label_of(text, key) is None:
            said = f"Line {number} has the {column} {text!r}, which is not letters and digits."
            return Problem(path, "bad-label", said, f"Write it as in {key}-01.")
    suffix = _cell(row, "suffix")
    if suffix and not LABEL.fullmatch(suffix):
        said = f"Line {number} has the suffix {suffix!r}, which is not letters and digits."
        return Problem(path, "bad-label", said, "Use a suffix of BIDS, such as T1w.")
    return None


def _entries(lines: Sequence[_Line]) -> list[ImageEntry]:
    """Who and what is on each image: a line's word goes before that of the file's name."""
    named = [named_entry(line.path) for line in lines]
    loose = [
        line
        for line, name in zip(lines, named, strict=True)
        if line.subject is None and name is None
    ]
    taken = {line.subject for line in lines if line.subject}
    taken |= {entry.subject for entry in named if entry}
    labels = iter(unique_labels([stem_of(line.written) for line in loose], taken))
    entries = []
    for line, name in zip(lines, named, strict=True):
        base = name or labelled_entry(line.path, line.subject or f"sub-{next(labels)}")
        entries.append(_merged(line, base))
    return entries


def _merged(line: _Line, base: ImageEntry) -> ImageEntry:
    subject, session = line.subject or base.subject, line.session or base.session
    entities = {**base.entities, "sub": subject.removeprefix("sub-")}
    if session is not None:
        entities["ses"] = session.removeprefix("ses-")
    suffix = line.suffix or base.suffix
    return ImageEntry(line.path, subject, session, suffix, entities, line.acquired)
