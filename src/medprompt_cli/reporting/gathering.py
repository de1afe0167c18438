"""Rows of the tables to facts."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, cast

from medprompt_cli.domain.finding import Evidence
from medprompt_cli.domain.measurement import Status
from medprompt_cli.reporting.facts import (
    ChangeFact,
    Facts,
    FateFact,
    FindingFact,
    ImageFact,
    NumberFact,
    Visit,
)
from medprompt_cli.reporting.limits import NOTHING_EXPECTED, Expectations

Row = Mapping[str, Any]
"""A row of a table by its columns, from Parquet, pandas or elsewhere: what is missing is None
or NaN."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "images": ("case",),
    "measurements": ("case", "region", "instance", "quantity"),
    "lesions": ("case", "region", "instance", "quantity"),
    "findings": ("case", "region", "instance", "feature"),
    "changes": ("case", "earlier_case", "region", "quantity"),
    "ledger": ("case", "region", "lesion"),
}
"""Columns of a table that tell its rows apart."""

DETECTION_LIMIT = "detection_limit_ml"
"""No column of a table: rows of measurements have it from the record of their case."""

UNTOLD = {("absent", "measured"), ("measured", "absent"), ("measured", "measured")}
"""Statuses of a lesion at two visits between which it would have a fate if it could be told."""

_SUFFIX = re.compile(r"_([^_/]+?)(?:\.nii)?(?:\.gz)?$")

_RATIO = re.compile(r"\bratio\(\w+\((\w+)\), \w+\((\w+)\)\)")


@dataclass(frozen=True)
class Scan:
    """What is known of an image beside what was measured on it.

    Attributes:
        case: Its name.
        visit: Name of the visit; empty if the subject has no sessions.
        kind: E.g. `T1w`.
        spacing_mm: Length of a voxel's edges.
        shape: Voxels along each axis.
    """

    case: str
    visit: str
    kind: str
    spacing_mm: tuple[float, ...] = ()
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Tables:
    """Rows of one subject, by table.

    Attributes:
        measurements: Of whole regions.
        lesions: Of single lesions.
        findings: Of either.
        changes: Between visits.
        ledger: Of lesions that were followed.
    """

    measurements: Iterable[Row] = ()
    lesions: Iterable[Row] = ()
    findings: Iterable[Row] = ()
    changes: Iterable[Row] = ()
    ledger: Iterable[Row] = ()


def gather(
    subject: str,
    tables: Tables,
    scans: Sequence[Scan] = (),
    dates: Mapping[str, date] | None = None,
    expected: Expectations = NOTHING_EXPECTED,
) -> Facts:
    """All that is known of a subject.

    Args:
        subject: With its `sub-` prefix; rows of others are left out.
        tables: Their rows.
        scans: Images that were read.
        dates: Days of visits, by their names.
        expected: What numbers are held against.
    """
    ids = _Ids()
    own = {
        one.name: [_clean(row) for row in getattr(tables, one.name) if _is_of(row, subject)]
        for one in fields(tables)
    }
    numbers = [
        _number(row, ids.of(table, row), expected)
        for table in ("measurements", "lesions")
        for row in own[table]
    ]
    findings = [_finding(row, ids.of("findings", row)) for row in own["findings"]]
    changes = [_change(row, ids.of("changes", row)) for row in own["changes"]]
    images = [_image(scan, ids) for scan in scans]
    visits = _visits([*images, *numbers, *findings, *changes], own, dates or {})
    fates = _fates(own["ledger"], ids, [visit.name for visit in visits])
    return Facts(
        *(subject, visits, tuple(images), tuple(numbers), tuple(findings)),
        *(tuple(changes), tuple(fates), _versions(own)),
    )


def row_id(table: str, row: Row) -> str:
    """The id of a row's fact; of several rows with one key it is that of the first.

    >>> row = {"case": "sub-01_T1w", "region": "left-hippocampus", "quantity": "volume"}
    >>> row_id("measurements", row)
    'measurements:sub-01_T1w:left-hippocampus:volume'
    """
    clean = _clean(row)
    parts = (clean.get(key) for key in KEYS[table])
    return ":".join([table, *(_said(part) for part in parts if part is not None)])


class _Ids:
    """Ids of facts, each given once."""

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()

    def of(self, table: str, row: Row) -> str:
        name = row_id(table, row)
        self._given[name] += 1
        return name if self._given[name] == 1 else f"{name}#{self._given[name]}"


def _said(part: object) -> str:
    return f"{part:g}" if isinstance(part, float) else str(part)


def _is_of(row: Row, subject: str) -> bool:
    return row.get("participant_id", subject) == subject


def _clean(row: Row) -> dict[str, Any]:
    """A row whose missing values are None; pandas has NaN in their place, even among words."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def kinds_of(row: Row) -> tuple[str, ...]:
    """Kinds of the images of a row, by their files' names, or by the case's."""
    named = str(row.get("source") or row["case"]).split()
    return tuple(dict.fromkeys(m[1] for name in named if (m := _SUFFIX.search(name))))


def _image(scan: Scan, ids: _Ids) -> ImageFact:
    return ImageFact(
        id=ids.of("images", {"case": scan.case}),
        visit=scan.visit,
        case=scan.case,
        kind=scan.kind,
        spacing_mm=tuple(float(step) for step in scan.spacing_mm),
        shape=tuple(int(size) for size in scan.shape),
    )


def _number(row: Row, name: str, expected: Expectations) -> NumberFact:
    kind = "+".join(kinds_of(row))
    value = row["value"]
    key = (row["region"], row["quantity"], kind)
    whole = row.get("instance") is None
    return NumberFact(
        id=name,
        visit=row.get("session_id") or "",
        case=row["case"],
        kind=kind,
        region=row["region"],
        quantity=row["quantity"],
        value=value,
        unit=row["unit"],
        status=cast("Status", row["status"]),
        instance=_whole(row.get("instance")),
        low=row.get("lower"),
        high=row.get("upper"),
        presence=row.get("presence"),
        qc=row.get("qc"),
        qc_reasons=row.get("qc_reasons") or "",
        limits=expected.of(key, value) if whole else None,
        other=_other(row),
        detection_limit_ml=row.get(DETECTION_LIMIT) if row["status"] == "absent" else None,
    )


def _other(row: Row) -> str:
    """The region that a ratio is to, as the plan's step in `method` names it."""
    found = (
        _RATIO.search(row.get("method") or "") if row["quantity"].endswith("ratio") else None
    )
    if found is None or found[1].replace("_", "-") != row["region"]:
        return ""
    return found[2].replace("_", "-")


def _finding(row: Row, name: str) -> FindingFact:
    evidence = json.loads(row["evidence"]) if row.get("evidence") else {}
    return FindingFact(
        id=name,
        visit=row.get("session_id") or "",
        case=row["case"],
        kinds=kinds_of(row),
        region=row["region"],
        feature=row["feature"],
        value=row["value"],
        probability=row.get("probability"),
        status=cast("Status", row["status"]),
        instance=_whole(row.get("instance")),
        evidence={key: Evidence(n["value"], n["unit"]) for key, n in evidence.items()},
        notes=row.get("notes") or "",
    )


_NUMBERS_OF_CHANGE = (
    *("first", "second", "days", "absolute", "absolute_low", "absolute_high", "percent"),
    *("percent_low", "percent_high", "annual_compound_percent", "limit_percent"),
    "exceeds_limit",
)


def _change(row: Row, name: str) -> ChangeFact:
    return ChangeFact(
        id=name,
        visit=row.get("session_id") or "",
        earlier=row.get("earlier_session") or "",
        region=row["region"],
        quantity=row["quantity"],
        unit=row["unit"],
        status=cast("Status", row["status"]),
        **{key: row.get(key) for key in _NUMBERS_OF_CHANGE},
        warnings=row.get("warnings") or "",
        kind="+".join(kinds_of({"case": row["case"]})),
    )


def _fates(rows: Iterable[Row], ids: _Ids, order: Sequence[str]) -> list[FateFact]:
    """Every lesion at every visit, with how large it was when it was last seen."""
    seen: dict[tuple[str, int], FateFact] = {}
    last: dict[tuple[str, int], str] = {}
    found = []
    for row in sorted(rows, key=lambda row: order.index(row.get("session_id") or "")):
        key = (row["region"], int(row["lesion"]))
        before, status = seen.get(key), last.get(key)
        fate = FateFact(
            id=ids.of("ledger", row),
            visit=row.get("session_id") or "",
            region=key[0],
            lesion=key[1],
            status=cast("Status", row["status"]),
            volume_ml=row["volume_ml"],
            fate=row["fate"],
            related=tuple(int(one) for one in str(row.get("related") or "").split()),
            before_ml=before.volume_ml if before else None,
            before=before.visit if before else None,
            before_id=before.id if before else None,
            untold=row["fate"] is None and (status, row["status"]) in UNTOLD,
        )
        if fate.volume_ml is not None:
            seen[key] = fate
        last[key] = fate.status
        found.append(fate)
    return found


def _visits(
    facts: Iterable[Any], own: Mapping[str, Sequence[Row]], dates: Mapping[str, date]
) -> tuple[Visit, ...]:
    """Every visit, by its day; those without one by their names, after the others."""
    names = {fact.visit for fact in facts}
    names |= {row.get("earlier_session") or "" for row in own["changes"]}
    names |= {row.get("session_id") or "" for row in own["ledger"]}
    order = sorted(names, key=lambda name: (dates.get(name, date.max), name))
    return tuple(Visit(name, dates.get(name)) for name in order)


def _versions(own: Mapping[str, Sequence[Row]]) -> tuple[str, ...]:
    """Programs and weights, as `name version`, each once."""
    rows = [row for name in ("measurements", "lesions", "findings") for row in own[name]]
    programs = (f"medprompt {row['version']}" for row in rows if row.get("version"))
    weights = (row["weights"] for row in rows if row.get("weights"))
    return tuple(dict.fromkeys([*programs, *weights]))
