"""The columns of tables about several visits: what changed, every lesion, and the cohort."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from medprompt_cli.bids.columns import (
    COUNT,
    NUMBER,
    ORIGIN,
    PROVENANCE,
    REGION,
    STATUS,
    TEXT,
    TRUTH,
    VERSIONED,
    column,
)
from medprompt_cli.domain.measurement import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedOrigin:
    """What all rows of a subject's visits share: of whom they are, and how they were made."""

    participant_id: str
    method: str
    version: str
    weights: str | None = None
    weights_sha256: str | None = None
    plan_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow(FollowedOrigin):
    """One number about one region at two visits; session and case are the later one's."""

    session_id: str | None
    case: str
    earlier_session: str | None
    earlier_case: str
    region: str
    quantity: str
    unit: str
    status: Status
    first: float | None
    second: float | None
    days: float | None
    absolute: float | None
    absolute_low: float | None
    absolute_high: float | None
    percent: float | None
    percent_low: float | None
    percent_high: float | None
    symmetrised_percent: float | None
    annual_linear_percent: float | None
    annual_compound_percent: float | None
    limit_percent: float | None
    exceeds_limit: bool | None
    warnings: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow(FollowedOrigin):
    """One lesion at one visit."""

    session_id: str | None
    case: str
    region: str
    lesion: int
    status: Status
    volume_ml: float | None
    fate: str | None
    related: str | None = None
    signal_z: float | None = None
    mask: str | None = None


_CLAIMED = "95 %; for lesions and unions it was not checked: no 95 % are claimed"

_CHANGED = (
    column("first", NUMBER, "V1, value at the earlier visit", optional=True),
    column("second", NUMBER, "V2, value at the later visit", optional=True),
    column("days", NUMBER, "t, days between them; none without dates", optional=True),
    column("absolute", NUMBER, "V2 - V1", optional=True),
    column(
        "absolute_low",
        NUMBER,
        f"V2 - V1 - sqrt((V2 - low2)^2 + (high1 - V1)^2), {_CLAIMED}",
        optional=True,
    ),
    column(
        "absolute_high",
        NUMBER,
        f"V2 - V1 + sqrt((high2 - V2)^2 + (V1 - low1)^2), {_CLAIMED}",
        optional=True,
    ),
    column("percent", NUMBER, "100 (V2 - V1) / V1", optional=True, unit="%"),
    column(
        "percent_low",
        NUMBER,
        f"100 (exp(ln(V2/V1) - sqrt(ln(V2/low2)^2 + ln(high1/V1)^2)) - 1), {_CLAIMED}",
        optional=True,
        unit="%",
    ),
    column(
        "percent_high",
        NUMBER,
        f"100 (exp(ln(V2/V1) + sqrt(ln(high2/V2)^2 + ln(V1/low1)^2)) - 1), {_CLAIMED}",
        optional=True,
        unit="%",
    ),
    column("symmetrised_percent", NUMBER, "200 (V2 - V1) / (V1 + V2)", optional=True, unit="%"),
    column(
        "annual_linear_percent",
        NUMBER,
        "100 (V2 - V1) / V1 times 365.25 / t",
        optional=True,
        unit="%/a",
    ),
    column(
        "annual_compound_percent",
        NUMBER,
        "100 ((V2 / V1)^(365.25 / t) - 1)",
        optional=True,
        unit="%/a",
    ),
    column(
        "limit_percent",
        NUMBER,
        "Symmetrised change that 95 % of repeated measurements stay within; none where that "
        "was not measured",
        optional=True,
        unit="%",
    ),
    column(
        "exceeds_limit",
        TRUTH,
        "Whether the symmetrised change, without its sign, is above the limit",
        optional=True,
    ),
)
"""Source of the intervals: Zou and Donner, Construction of confidence limits about effect
measures, Statistics in Medicine 2008."""

CHANGES = pa.schema(
    [
        ORIGIN[0],
        column("session_id", TEXT, "Session of the later visit", optional=True),
        column("case", TEXT, "Case of the later visit"),
        column("earlier_session", TEXT, "Session of the earlier visit", optional=True),
        column("earlier_case", TEXT, "Case of the earlier visit"),
        REGION[0],
        column("quantity", TEXT, "What was measured"),
        column("unit", TEXT, "UCUM code of first, second and absolute"),
        STATUS,
        *_CHANGED,
        column(
            "warnings", TEXT, "What differs between the scans of the two visits", optional=True
        ),
        *PROVENANCE[:-1],
    ],
    metadata=VERSIONED,
)
"""What changed from one visit to another."""

LEDGER = pa.schema(
    [
        *ORIGIN[:3],
        REGION[0],
        column("lesion", COUNT, "Id of the lesion, the same at every visit of the subject"),
        STATUS,
        column("volume_ml", NUMBER, "None unless measured", optional=True, unit="mL"),
        column(
            "fate",
            TEXT,
            "Since it was last seen: new, resolved, enlarging, shrinking, stable, merged or "
            "split; none at the first visit, and where it cannot be told",
            optional=True,
        ),
        column(
            "related",
            TEXT,
            "Ids, between spaces, that it merged with or split from, or that merged into it or "
            "split from it",
            optional=True,
        ),
        column(
            "signal_z",
            NUMBER,
            "How much brighter the images became where it grew, or darker (below 0) where it "
            "shrank, in standard deviations of normal tissue; none where it was not looked at",
            optional=True,
        ),
        *PROVENANCE,
    ],
    metadata=VERSIONED,
)
"""Every lesion at every visit: a row also where it is not there."""

MODEL = pa.schema(
    [
        REGION[0],
        column("quantity", TEXT, "What was modelled"),
        column("unit", TEXT, "UCUM code of the quantity"),
        column("formula", TEXT, "The model; (1 | subject) is a random intercept"),
        column(
            "term", TEXT, "Part of the model; none where it could not be fitted", optional=True
        ),
        column("coefficient", NUMBER, "In the unit; of years, of it in a year", optional=True),
        column("standard_error", NUMBER, "Of the coefficient", optional=True),
        column("lower", NUMBER, "Lower end of the 95 % interval (Wald)", optional=True),
        column("upper", NUMBER, "Upper end of the 95 % interval (Wald)", optional=True),
        column(
            "p",
            NUMBER,
            "Of no effect (Wald), not corrected for the number of regions",
            optional=True,
            unit="1",
        ),
        column("subjects", COUNT, "How many people are in the model"),
        column("visits", COUNT, "How many of their visits"),
        column("converged", TRUTH, "Whether the fit converged"),
        column("notes", TEXT, "What a reader has to know beside it", optional=True),
    ],
    metadata=VERSIONED,
)
"""Mixed-effects models of a cohort, one a region."""
