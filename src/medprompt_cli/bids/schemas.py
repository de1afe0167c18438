"""The columns of every table of results: types, units, descriptions, declared once.

Tables are long: a row is one number, or one finding, about one region of one case. Another
prompt adds rows, never columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import cast

import pyarrow as pa

from medprompt_cli.bids.columns import (
    COUNT,
    NUMBER,
    ORIGIN,
    PRESENCE,
    PROVENANCE,
    REGION,
    STATUS,
    TEXT,
    VERSIONED,
    column,
)
from medprompt_cli.bids.followed import CHANGES, LEDGER, ChangeRow, LedgerRow
from medprompt_cli.domain.measurement import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all rows of a case share: of whom it is, and how it was made."""

    participant_id: str
    session_id: str | None
    case: str
    method: str
    version: str
    weights: str | None = None
    weights_sha256: str | None = None
    plan_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementRow(Origin):
    """One number about one region, or why there is none; the columns say what is what."""

    source: str | None
    region: str
    instance: int | None = None
    quantity: str
    value: float | None
    unit: str
    lower: float | None = None
    upper: float | None = None
    status: Status
    presence: float | None = None
    qc: str | None = None
    qc_reasons: str | None = None
    expected_dice: float | None = None
    mask: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow(Origin):
    """What a region looks like, or where it is, with a probability."""

    source: str | None
    region: str
    instance: int | None = None
    feature: str
    value: str | None
    probability: float | None = None
    evidence: str | None = None
    notes: str | None = None
    status: Status
    mask: str | None = None


Row = MeasurementRow | FindingRow | ChangeRow | LedgerRow

_INTERVAL = (
    "the interval of the true volume, by the network's probabilities: one for volume and "
    "soft-volume, which estimate the same. Of structures 95 % of the intervals hold the truth "
    "in synthetic heads, fewer in real scans; for lesions and unions it was not checked: no "
    "95 % are claimed. Wider if the method says --intervals full; none of a mask that was given"
)

_NUMBERS = (
    column("quantity", TEXT, "What was measured"),
    column(
        "value", NUMBER, "In the unit of the row; none unless it was measured", optional=True
    ),
    column("unit", TEXT, "UCUM code: mL, mm, mm2, %, [hnsf'U], and 1 for none"),
    column("lower", NUMBER, f"Lower end of {_INTERVAL}", optional=True),
    column("upper", NUMBER, f"Upper end of {_INTERVAL}", optional=True),
    STATUS,
    PRESENCE,
    column("qc", TEXT, "Quality of the mask: pass, review or fail", optional=True),
    column("qc_reasons", TEXT, "Why it does not pass, between semicolons", optional=True),
    column(
        "expected_dice",
        NUMBER,
        "Dice that the mask has with the truth if probabilities mean what they say; held "
        "against Dice for structures, not for lesions",
        optional=True,
        unit="1",
    ),
)

MEASUREMENTS = pa.schema([*ORIGIN, *REGION, *_NUMBERS, *PROVENANCE], metadata=VERSIONED)
"""Numbers about whole regions."""

LESION = "Number of the lesion in the case, the largest first: a connected piece, as of `count`"

LESIONS = pa.schema(
    [
        *ORIGIN,
        REGION[0],
        column("instance", COUNT, LESION),
        *_NUMBERS,
        *PROVENANCE,
    ],
    metadata=VERSIONED,
)
"""Numbers about each lesion by itself: apart, or a sum over rows would count it twice."""

FINDINGS = pa.schema(
    [
        *ORIGIN,
        *REGION,
        column("feature", TEXT, "What the region was looked at for, such as signal or lobe"),
        column("value", TEXT, "The answer in a word; none unless measured", optional=True),
        column("probability", NUMBER, "That the answer is right", optional=True, unit="1"),
        column("evidence", TEXT, "The numbers behind it, as JSON", optional=True),
        column("notes", TEXT, "What a reader has to know beside them", optional=True),
        STATUS,
        *PROVENANCE,
    ],
    metadata=VERSIONED,
)
"""Answers in words, with a probability and the numbers behind it."""

TABLES: Mapping[str, pa.Schema] = {
    "measurements": MEASUREMENTS,
    "findings": FINDINGS,
    "lesions": LESIONS,
    "changes": CHANGES,
    "ledger": LEDGER,
}
"""Every table by its name, which is that of its folder."""


def to_table(name: str, rows: Iterable[Row]) -> pa.Table:
    """Rows as a table.

    Args:
        name: One of `TABLES`.
        rows: Of that table.
    """
    schema, listed = TABLES[name], list(rows)
    columns = [
        pa.array([getattr(row, field.name) for row in listed], field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def row_columns(kind: type[Row]) -> set[str]:
    """Names of the columns that a kind of row fills."""
    return {field.name for field in fields(kind)}


def describe(field: pa.Field) -> dict[str, str]:
    """Description and unit of a column, as a BIDS data dictionary words them."""
    about = cast("Mapping[bytes, bytes]", field.metadata or {})
    words = {"Description": about.get(b"description", b"").decode()}
    if b"unit" in about:
        words["Units"] = about[b"unit"].decode()
    return words
