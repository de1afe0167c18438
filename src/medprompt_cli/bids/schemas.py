"""The columns of every table of results: types, units, descriptions, declared once.

Tables are long: a row is one number, or one finding, about one region of one case. Another
prompt adds rows, never columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import cast

import pyarrow as pa

from medprompt_cli.domain.measurement import Status

SCHEMA_VERSION = "1"

VERSION_KEY = b"schema_version"


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


Row = MeasurementRow | FindingRow


def _column(
    name: str,
    kind: pa.DataType,
    description: str,
    *,
    optional: bool = False,
    unit: str | None = None,
) -> pa.Field:
    about = {"description": description, **({"unit": unit} if unit else {})}
    return pa.field(name, kind, nullable=optional, metadata=about)


_TEXT, _NUMBER, _COUNT = pa.string(), pa.float64(), pa.int32()

_ORIGIN = (
    _column("participant_id", _TEXT, "BIDS subject, with its sub- prefix"),
    _column("session_id", _TEXT, "BIDS session, with its ses- prefix", optional=True),
    _column("case", _TEXT, "Name of the image, or of the images that were read together"),
    _column(
        "source",
        _TEXT,
        "BIDS URI of the image; of several that were read together all, between spaces, or, "
        "of an intensity, the one that shows it",
        optional=True,
    ),
)

_INSTANCE = (
    "Number of the connected piece, the largest first; none where the whole region is meant"
)

_REGION = (
    _column("region", _TEXT, "Canonical name of the vocabulary, or a name of the label table"),
    _column("instance", _COUNT, _INSTANCE, optional=True),
)

_PROVENANCE = (
    _column("method", _TEXT, "Command that measured"),
    _column("version", _TEXT, "Version of medprompt"),
    _column("weights", _TEXT, "Name and version of the weights", optional=True),
    _column("weights_sha256", _TEXT, "SHA-256 of the weights", optional=True),
    _column("plan_hash", _TEXT, "SHA-256 of what the prompts mean", optional=True),
    _column("mask", _TEXT, "File that holds the voxels; none if there are none", optional=True),
)

_STATUS = _column(
    "status",
    _TEXT,
    "measured; absent (no voxel); truncated_fov (the image ends inside the region); "
    "not_visible (the weights cannot see it); failed_qc (not to be trusted); error (the "
    "quantity has no value here)",
)

_PRESENCE = _column(
    "presence", _NUMBER, "Probability that the region is in the image", optional=True, unit="1"
)

_NUMBERS = (
    _column("quantity", _TEXT, "What was measured"),
    _column(
        "value", _NUMBER, "In the unit of the row; none unless it was measured", optional=True
    ),
    _column("unit", _TEXT, "UCUM code: mL, mm, mm2, %, [hnsf'U], and 1 for none"),
    _column("lower", _NUMBER, "Lower end of the 95 % interval", optional=True),
    _column("upper", _NUMBER, "Upper end of the 95 % interval", optional=True),
    _STATUS,
    _PRESENCE,
    _column("qc", _TEXT, "Quality of the mask: pass, review or fail", optional=True),
    _column("qc_reasons", _TEXT, "Why it does not pass, between semicolons", optional=True),
    _column(
        "expected_dice",
        _NUMBER,
        "Dice that the mask has with the truth if probabilities mean what they say",
        optional=True,
        unit="1",
    ),
)

_VERSIONED: dict[str | bytes, str | bytes] = {VERSION_KEY: SCHEMA_VERSION}

MEASUREMENTS = pa.schema([*_ORIGIN, *_REGION, *_NUMBERS, *_PROVENANCE], metadata=_VERSIONED)
"""Numbers about whole regions."""

LESIONS = pa.schema(
    [
        *_ORIGIN,
        _REGION[0],
        _column("instance", _COUNT, "Number of the lesion in the case, the largest first"),
        *_NUMBERS,
        *_PROVENANCE,
    ],
    metadata=_VERSIONED,
)
"""Numbers about each lesion by itself: apart, or a sum over rows would count it twice."""

FINDINGS = pa.schema(
    [
        *_ORIGIN,
        *_REGION,
        _column("feature", _TEXT, "What was asked of the region, such as signal or lobe"),
        _column("value", _TEXT, "The answer in a word; none unless measured", optional=True),
        _column("probability", _NUMBER, "That the answer is right", optional=True, unit="1"),
        _column("evidence", _TEXT, "The numbers behind it, as JSON", optional=True),
        _column("notes", _TEXT, "What a reader has to know beside them", optional=True),
        _STATUS,
        *_PROVENANCE,
    ],
    metadata=_VERSIONED,
)
"""Answers in words, with a probability and the numbers behind it."""

TABLES: Mapping[str, pa.Schema] = {
    "measurements": MEASUREMENTS,
    "findings": FINDINGS,
    "lesions": LESIONS,
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
