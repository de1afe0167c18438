"""Facts of the subjects of an output folder, and what their numbers are held against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from medprompt_cli.bids.mask_files import source_paths
from medprompt_cli.bids.parts import EXTENSION, read_part
from medprompt_cli.bids.problems import Problem
from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.bids.tables import read_table
from medprompt_cli.cohort.records import read_record, record_path
from medprompt_cli.errors import InputError
from medprompt_cli.reporting.facts import Facts
from medprompt_cli.reporting.gathering import (
    DETECTION_LIMIT,
    Scan,
    Tables,
    gather,
    kinds_of,
)
from medprompt_cli.reporting.limits import Expectations, Limits, NormKey, cohort_norms
from medprompt_cli.reporting.volume_rows import volume_rows

LIMIT_COLUMNS = ("region", "quantity", "low", "high")
"""Of a table of limits; there may be others."""


@dataclass(frozen=True)
class Results:
    """An output folder, read a subject at a time.

    Attributes:
        out: The folder.
        given: Limits by region and quantity, which come before those of the cohort.
    """

    out: Path
    given: Mapping[tuple[str, str], Limits]

    def subjects(self) -> list[str]:
        """Every subject that something was measured of.

        Raises:
            InputError: If nothing was measured.
        """
        cases = [*self._cases("measurements"), *self._cases("findings")]
        if not cases:
            raise InputError(
                f"{self.out} holds no measurements and no findings.",
                remedy="Give the folder that medprompt segment or longitudinal wrote to.",
                code="no-tables",
            )
        return sorted({case.partition("_")[0] for case in cases})

    def rows(self, subject: str, table: str) -> list[dict[str, Any]]:
        """Rows of a subject, in the order of its cases' names.

        Raises:
            InputError: If a part is damaged or of another version.
        """
        cases = (case for case in self._cases(table) if case.partition("_")[0] == subject)
        parts = (read_part(self.out, table, case) for case in cases)
        return [row for part in parts for row in part.to_pylist()]

    def facts(self, subject: str) -> Facts:
        """All that is known of a subject.

        Raises:
            InputError: If a part is damaged or of another version.
        """
        rows = {table: self.rows(subject, table) for table in TABLES}
        rows["measurements"] = list(_with_limits(self.out, rows["measurements"]))
        return gather(
            subject,
            Tables(**rows),
            list(self._scans(rows["measurements"])),
            self._dates(subject),
            self.expected,
        )

    @cached_property
    def expected(self) -> Expectations:
        """What numbers are held against: what is given, else the rest of the cohort."""
        columns = ("region", "quantity", "case", "source", "value", "instance")
        rows = volume_rows(self.measurements, columns)
        whole = (row for row in rows if row["instance"] is None)
        return Expectations(self.given, cohort_norms(map(_keyed, whole)))

    @cached_property
    def measurements(self) -> pa.Table:
        """Of all subjects, without parts that are damaged: those fail by themselves."""
        parts = []
        for case in self._cases("measurements"):
            with suppress(InputError):
                parts.append(read_part(self.out, "measurements", case))
        return pa.concat_tables(parts) if parts else TABLES["measurements"].empty_table()

    def _cases(self, table: str) -> list[str]:
        """Names of the cases, or subjects, that a table has a part of."""
        paths = (self.out / table).glob(f"*{EXTENSION}")
        return sorted(path.stem for path in paths if not path.name.startswith("."))

    def _scans(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Scan]:
        """Images of a subject, with their grids where these can still be read."""
        uris: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for row in rows:
            for uri in (row["source"] or "").split():
                uris.setdefault(uri, (row["session_id"] or "", row))
        for uri, (visit, row) in uris.items():
            name = uri.rpartition("/")[2].partition(".")[0]
            [kind] = kinds_of({**row, "source": uri}) or (name,)
            yield _scan(self.out, uri, Scan(name, visit, kind))

    def warnings(self, subject: str) -> tuple[str, ...]:
        """What a reader has to know of how a subject's visits were compared.

        Raises:
            InputError: If the summary of that cannot be read.
        """
        return self._followed(subject)[1]

    def _dates(self, subject: str) -> dict[str, date]:
        """Days of the visits, as far as they were followed."""
        return self._followed(subject)[0]

    def _followed(self, subject: str) -> tuple[dict[str, date], tuple[str, ...]]:
        """Days of the visits, notes and warnings, as `medprompt longitudinal` wrote them."""
        path = self.out / f"{subject}_longitudinal.json"
        if not path.is_file():
            return {}, ()
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            known = {one["Name"]: one["Acquired"] for one in found["Visits"] if one["Acquired"]}
            days = {name: datetime.fromisoformat(when).date() for name, when in known.items()}
            said = (*found.get("Notes", ()), *found.get("Warnings", ()))
            return days, tuple(map(str, said))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} cannot be read: {error}.",
                remedy="Run medprompt longitudinal again, with --force.",
                code="bad-summary",
            ) from error


def _with_limits(out: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of measurements, those of absent lesions with how large these may be unseen.

    That is in no table: the record of the case has it.
    """
    targets: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        case = row["case"]
        if row["status"] == "absent" and case not in targets:
            record = read_record(record_path(out, case))
            targets[case] = (record or {}).get("targets") or {}
        told = targets.get(case, {}).get(row["region"]) or {}
        yield {**row, DETECTION_LIMIT: told.get("DetectionLimitMl")}


def _keyed(row: Mapping[str, Any]) -> tuple[NormKey, float]:
    return (row["region"], row["quantity"], "+".join(kinds_of(row))), row["value"]


def _scan(out: Path, uri: str, scan: Scan) -> Scan:
    """A scan with its grid, from the file's header; without it if that is gone."""
    from medprompt_cli.bids.nifti import read_header

    [path] = source_paths(out, [uri])
    if not path.is_file():
        return scan
    try:
        header = read_header(path)
    except InputError:
        return scan
    spacing = tuple(float(edge) for edge in header.geometry.spacing)
    return Scan(scan.case, scan.visit, scan.kind, spacing, tuple(header.shape))


def read_limits(path: Path) -> dict[tuple[str, str], Limits]:
    """Read limits from a TSV with the columns of `LIMIT_COLUMNS`.

    Raises:
        InputError: If it cannot be read, lacks a column, or a row has no numbers.
    """
    problems: list[Problem] = []
    table = read_table(path, problems)
    if table is None or problems:
        raise _bad_limits(problems[0].message if problems else f"{path} cannot be read.")
    missing = [name for name in LIMIT_COLUMNS if name not in table.columns]
    if missing:
        raise _bad_limits(f"{path} has no column {missing[0]!r}.")
    return dict(_limit(path, line, row) for line, row in table.rows)


def _limit(
    path: Path, line: int, row: Mapping[str, str | None]
) -> tuple[tuple[str, str], Limits]:
    region, quantity, low, high = (row[name] for name in LIMIT_COLUMNS)
    try:
        limits = Limits(float(low or ""), float(high or ""), path.name)
    except (ValueError, InputError) as error:
        raise _bad_limits(f"{path}, line {line}: {error}") from error
    if not region or not quantity:
        raise _bad_limits(f"{path}, line {line}, names no region or no quantity.")
    return (region, quantity), limits


def _bad_limits(problem: str) -> InputError:
    return InputError(
        problem,
        remedy=f"Give a TSV with the columns {', '.join(LIMIT_COLUMNS)}.",
        code="bad-limits",
    )


def as_sources(rows: Iterable[Mapping[str, Any]]) -> dict[str, Sequence[str]]:
    """URIs of the images of every case."""
    found: dict[str, Sequence[str]] = {}
    for row in rows:
        if row["source"]:
            found.setdefault(row["case"], row["source"].split())
    return found
