"""What columns are made of, and those that several tables share."""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = "1"

VERSION_KEY = b"schema_version"


def column(
    name: str,
    kind: pa.DataType,
    description: str,
    *,
    optional: bool = False,
    unit: str | None = None,
) -> pa.Field:
    """A column.

    Args:
        name: What it is called.
        kind: Its type.
        description: What its values are.
        optional: Whether a row may be without a value.
        unit: UCUM code of all its values; None if they have none, or the row says it.
    """
    about = {"description": description, **({"unit": unit} if unit else {})}
    return pa.field(name, kind, nullable=optional, metadata=about)


TEXT, NUMBER, COUNT, TRUTH = pa.string(), pa.float64(), pa.int32(), pa.bool_()

ORIGIN = (
    column("participant_id", TEXT, "BIDS subject, with its sub- prefix"),
    column("session_id", TEXT, "BIDS session, with its ses- prefix", optional=True),
    column("case", TEXT, "Name of the image, or of the images that were read together"),
    column(
        "source",
        TEXT,
        "BIDS URI of the image; of several that were read together all, between spaces, or, "
        "of an intensity, the one that shows it",
        optional=True,
    ),
)

INSTANCE = (
    "Number of the connected piece, the largest first, counted as `count` is; none where the "
    "whole region is meant"
)

REGION = (
    column("region", TEXT, "Canonical name of the vocabulary, or a name of the label table"),
    column("instance", COUNT, INSTANCE, optional=True),
)

PROVENANCE = (
    column(
        "method", TEXT, "Command that measured, with the options and the statement that matter"
    ),
    column("version", TEXT, "Version of medprompt"),
    column("weights", TEXT, "Name and version of the weights", optional=True),
    column("weights_sha256", TEXT, "SHA-256 of the weights", optional=True),
    column("plan_hash", TEXT, "SHA-256 of what the prompts mean", optional=True),
    column("mask", TEXT, "File that holds the voxels; none if there are none", optional=True),
)

STATUS = column(
    "status",
    TEXT,
    "measured; absent (no voxel); truncated_fov (the image ends inside the region); "
    "not_visible (the weights cannot see it); failed_qc (not to be trusted); error (the "
    "quantity has no value here)",
)

PRESENCE = column(
    "presence", NUMBER, "Probability that the region is in the image", optional=True, unit="1"
)

VERSIONED: dict[str | bytes, str | bytes] = {VERSION_KEY: SCHEMA_VERSION}
