"""One subject of two visits, small enough to be read, with a fact of every sort."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from medprompt_cli.reporting.facts import Facts
from medprompt_cli.reporting.gathering import Scan, Tables, gather
from medprompt_cli.reporting.limits import NOTHING_EXPECTED, Expectations

DATES = {"ses-01": date(2024, 4, 14), "ses-02": date(2025, 4, 18)}
DOUBTED = {"qc": "review", "qc_reasons": "uncertain; odd"}
MADE = {"version": "0.1.0", "weights": "anatomy-small 0.3.0", "method": "medprompt segment"}


def row(visit: str, kind: str = "T1w", **columns: Any) -> dict[str, Any]:
    """A row of a table as Parquet gives it."""
    case = f"sub-01_{visit}_{kind}"
    origin = {"participant_id": "sub-01", "session_id": visit, "case": case, **MADE}
    return {**origin, "source": f"bids:source:sub-01/{visit}/anat/{case}.nii.gz", **columns}


def number(region: str, value: float | None, **columns: Any) -> dict[str, Any]:
    """A row of `measurements` or `lesions`; volumes of the last visit unless told."""
    usual = {"quantity": "volume", "unit": "mL", "presence": 0.99, "instance": None}
    status = "error" if value is None else "measured"
    visit = columns.pop("visit", "ses-02")
    kind = columns.pop("kind", "T1w")
    about = {**usual, "status": status, **columns}
    return row(visit, kind, region=region, value=value, **about)


def finding(
    region: str, feature: str, value: str | None, probability: float | None, **columns: Any
) -> dict[str, Any]:
    """A row of `findings`."""
    status = "error" if value is None else "measured"
    about = {"status": status, "instance": None, "kind": "FLAIR", "visit": "ses-02", **columns}
    visit, kind = about.pop("visit"), about.pop("kind")
    words = {"region": region, "feature": feature, "value": value, "probability": probability}
    return row(visit, kind, **words, **about)


def changed(region: str, first: float, second: float, **columns: Any) -> dict[str, Any]:
    """A row of `changes`, of the volume from the first to the second visit."""
    numbers = {
        **{"first": first, "second": second, "absolute": second - first, "days": 369.0},
        **{"percent": 100 * (second - first) / first, "percent_low": None},
        **{"percent_high": None, "annual_compound_percent": None, "limit_percent": None},
        **{"exceeds_limit": None, "absolute_low": None, "absolute_high": None},
    }
    earlier = {"earlier_session": "ses-01", "earlier_case": "sub-01_ses-01_T1w"}
    words = {"region": region, "quantity": "volume", "unit": "mL", "status": "measured"}
    return row("ses-02", **earlier, **words, **{**numbers, **columns})


def lesion_row(lesion: int, visit: str, volume: float | None, fate: str | None) -> dict:
    """A row of `ledger`."""
    status = "absent" if volume is None else "measured"
    words = {"region": "lesion", "lesion": lesion, "volume_ml": volume, "fate": fate}
    return row(visit, "FLAIR", **words, status=status, related=None)


def measurements() -> list[dict[str, Any]]:
    """Of both visits."""
    flair = {"kind": "FLAIR"}
    return [
        number("left-hippocampus", 3.40, visit="ses-01"),
        number("lesion", 3.8, visit="ses-01", **flair),
        number("brain", 1180.4, lower=1150.0, upper=1210.0),
        number("brain", 78.6, quantity="volume-fraction-of-icv", unit="%"),
        number("third-ventricle", 1.24),
        number(
            "left-hippocampus",
            3.212,
            lower=3.02,
            upper=3.40,
            qc="review",
            qc_reasons="uncertain; odd",
        ),
        number("right-hippocampus", 3.47),
        number("hippocampus", -7.72, quantity="volume-asymmetry", unit="%"),
        number("left-hippocampus", 3.05, **flair),
        number("left-caudate", None, status="failed_qc"),
        number("brainstem", None, status="truncated_fov"),
        number("brainstem", 12.3, quantity="visible-volume"),
        number("left-accumbens", None, status="absent", presence=0.2),
        number("lesion", 5.31, presence=0.8, **flair),
        number("lesion", 2.0, quantity="count", unit="1", **flair),
        number("tumor", None, status="absent", presence=0.02, **flair),
    ]


def lesions() -> list[dict[str, Any]]:
    """Two lesions at the last visit."""
    about = {"kind": "FLAIR", "region": "lesion"}
    sizes = ((1, 4.9, 31.2, 602.0), (2, 0.41, 9.4, None))
    found = []
    for instance, volume, diameter, product in sizes:
        of = {**about, "instance": instance}
        found.append(number(value=volume, **of))
        found.append(number(value=diameter, quantity="max-diameter", unit="mm", **of))
        if product:
            found.append(number(value=product, quantity="bidimensional", unit="mm2", **of))
    return found


def findings() -> list[dict[str, Any]]:
    """Of the lesions, and of the midline."""
    shift = json.dumps({"shift": {"value": 1.2, "unit": "mm"}})
    return [
        finding("lesion", "signal", "hyper", 0.7, instance=1),
        finding("lesion", "lobe", "right-frontal-lobe", 0.97, instance=1),
        finding("lesion", "enhancement", "no", 0.93, instance=1),
        finding("lesion", "lobe", None, None, instance=2),
        finding("brain", "midline-shift", "none", 0.95, kind="T1w", evidence=shift),
    ]


def changes() -> list[dict[str, Any]]:
    """One beyond noise, one within, one of which the noise is not known."""
    beyond = {"limit_percent": 3.1, "exceeds_limit": True, "annual_compound_percent": -5.5}
    return [
        changed(
            *("left-hippocampus", 3.40, 3.212),
            **{**beyond, "percent_low": -8.1, "percent_high": -2.9},
        ),
        changed("brain", 1182.0, 1180.4, limit_percent=0.8, exceeds_limit=False),
        changed("lesion", 3.8, 5.31),
    ]


def ledger() -> list[dict[str, Any]]:
    """One lesion grows, one is gone, one is new."""
    return [
        lesion_row(1, "ses-01", 3.6, None),
        lesion_row(1, "ses-02", 4.9, "enlarging"),
        lesion_row(2, "ses-01", 0.2, None),
        lesion_row(2, "ses-02", None, "resolved"),
        lesion_row(3, "ses-01", None, None),
        lesion_row(3, "ses-02", 0.41, "new"),
    ]


SCANS = [
    Scan("sub-01_ses-02_T1w", "ses-02", "T1w", (1.0, 1.0, 1.0), (176, 256, 256)),
    Scan("sub-01_ses-02_FLAIR", "ses-02", "FLAIR", (0.5, 0.5, 4.0), (512, 512, 40)),
]


@pytest.fixture
def tables() -> dict[str, list[dict[str, Any]]]:
    """Rows of the subject, by table."""
    return {
        "measurements": measurements(),
        "lesions": lesions(),
        "findings": findings(),
        "changes": changes(),
        "ledger": ledger(),
    }


@pytest.fixture
def build(tables) -> Callable[..., Facts]:
    """Make facts of the tables, some of them left out or in another form."""

    def made(expected: Expectations = NOTHING_EXPECTED, **others: Any) -> Facts:
        return gather("sub-01", Tables(**{**tables, **others}), SCANS, DATES, expected)

    return made


@pytest.fixture
def facts(build) -> Facts:
    """All of the subject."""
    return build()
