"""The page of a cohort: what is there, what stands out, what failed, and a place to judge it.

One HTML file that needs nothing else. Points of thousands of scans are drawn as one path a
plot; a click on it finds the nearest point and opens the page of its subject.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pyarrow as pa

from medprompt_cli import __version__
from medprompt_cli.domain.outliers import FAR
from medprompt_cli.reporting.facts import LESION_VOLUMES, VOLUMES, is_lesion
from medprompt_cli.reporting.limits import Norm, cohort_norms
from medprompt_cli.reporting.page import templates
from medprompt_cli.reporting.printed import number_text
from medprompt_cli.reporting.strips import Strip, strip
from medprompt_cli.reporting.volume_rows import rows_other_than, volume_rows

State = Literal["done", "failed", "todo", "stale"]
STATES: tuple[State, ...] = get_args(State)
"""As `medprompt status` has them."""

MARKS: Mapping[str, str] = {"done": "✓", "failed": "✕", "todo": "·", "stale": "↻"}
"""What stands in a cell: colour alone does not print."""

MOST_OUTLIERS = 500
"""So many are listed, the farthest first; the number of the rest is said."""

NO_SESSION = "-"


@dataclass(frozen=True, slots=True)
class CohortCase:
    """One scan of a cohort.

    Attributes:
        name: Of the case, or the path of an image that makes none.
        subject: With its `sub-` prefix; '' if the name does not say.
        session: With its `ses-` prefix; '' without sessions.
        kind: E.g. `T1w`.
        state: One of `STATES`.
        cause: Of what failed or is stale, one sentence.
        remedy: What to try.
        page: Where the page of its subject lies, relative to this one; '' if there is none.
        others: Further pages of the subject: what each is, and where it lies.
    """

    name: str
    subject: str
    session: str
    kind: str
    state: State
    cause: str = ""
    remedy: str = ""
    page: str = ""
    others: tuple[tuple[str, str], ...] = ()

    @classmethod
    def named(cls, name: str, state: State, **about: Any) -> CohortCase:  # noqa: ANN401 - any of the other fields
        """A scan, by what its BIDS name says.

        Args:
            name: Of the case, or a path.
            state: How far it is.
            about: Other fields: cause, remedy, page, others.
        """
        stem = name.rpartition("/")[2].partition(".")[0]
        *parts, last = stem.split("_")
        said = {part.partition("-")[0]: part for part in (*parts, last) if "-" in part}
        kind = last if "-" not in last else ""
        subject, session = said.get("sub", ""), said.get("ses", "")
        return cls(name, subject, session, kind, state, **about)


@dataclass(frozen=True, slots=True)
class Outlier:
    """A volume that is far from those of the rest.

    Attributes:
        case: Whose it is.
        region: Of what.
        z: Robust z of its logarithm.
        reason: Why it is one, in a sentence.
        quality: What the mask's own quality check says.
    """

    case: CohortCase
    region: str
    z: float
    reason: str
    quality: str


@dataclass(frozen=True, slots=True)
class _Value:
    """A volume of a scan."""

    case: str
    region: str
    quantity: str
    kind: str
    value: float
    unit: str
    quality: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.region, self.quantity, self.kind


def cohort_page(
    title: str,
    cases: Sequence[CohortCase],
    measurements: pa.Table,
    provenance: Mapping[str, object] | None = None,
) -> str:
    """The page of a cohort.

    Args:
        title: What the cohort is called.
        cases: Every scan, also those that failed or are to be done.
        measurements: The table of that name.
        provenance: What made the results.

    Returns:
        HTML.
    """
    known = {case.name: case for case in cases}
    values = _volumes(measurements, known)
    norms = cohort_norms((v.key, v.value) for v in values)
    outliers = _outliers(values, norms, known)
    flags = Counter(outlier.case.name for outlier in outliers)
    order = {case.name: n for n, case in enumerate(cases)}
    return (
        templates()
        .get_template("cohort.html")
        .render(
            title=title,
            cases=cases,
            matrix=_matrix(cases),
            marks=MARKS,
            counts=Counter(case.state for case in cases),
            failures=_failures(cases),
            quality=_quality(measurements),
            outliers=outliers[:MOST_OUTLIERS],
            more=max(0, len(outliers) - MOST_OUTLIERS),
            flags=flags,
            far=FAR,
            strips=list(_strips(values, norms, order, outliers)),
            index=[[case.name, case.page] for case in cases],
            provenance=[(k.replace("_", " "), str(v)) for k, v in (provenance or {}).items()],
            version=__version__,
        )
    )


def _volumes(table: pa.Table, known: Mapping[str, CohortCase]) -> list[_Value]:
    """Of every region of every scan its volume: the first there is of those read."""
    columns = ("case", "region", "quantity", "value", "unit", "qc", "qc_reasons")
    found: dict[tuple[str, str], _Value] = {}
    for row in volume_rows(table, columns):
        case = known.get(row["case"])
        key = (row["case"], row["region"])
        order = LESION_VOLUMES if is_lesion(row["region"]) else VOLUMES
        if case is None or (key in found and row["quantity"] != order[0]):
            continue
        quality = ": ".join(filter(None, (row["qc"], row["qc_reasons"])))
        rest = (case.kind, row["value"], row["unit"], quality)
        found[key] = _Value(row["case"], row["region"], row["quantity"], *rest)
    return list(found.values())


def _outliers(
    values: Iterable[_Value],
    norms: Mapping[tuple[str, str, str], Norm],
    known: Mapping[str, CohortCase],
) -> list[Outlier]:
    """Volumes outside the limits of their cohort, the farthest first."""
    found = []
    for value in values:
        norm = norms.get(value.key)
        z = 0.0 if norm is None else (math.log(value.value) - norm.centre) / norm.spread
        if norm is None or abs(z) <= FAR:
            continue
        limits = norm.limits(value.value)
        side, unit = limits.verdict(value.value), value.unit
        reason = (
            f"{value.quantity.replace('-', ' ')} of {number_text(value.value)} {unit}, {side} "
            f"the {number_text(limits.low, 3)} to {number_text(limits.high, 3)} {unit} "
            f"of {limits.scans} {value.kind} scans"
        )
        case = known[value.case]
        found.append(Outlier(case, value.region, z, reason, value.quality))
    return sorted(found, key=lambda outlier: -abs(outlier.z))


def _matrix(cases: Iterable[CohortCase]) -> tuple[list[tuple[str, str]], list[tuple]]:
    """Columns, session and kind, and for each subject its name, pages and cells."""
    named = [case for case in cases if case.subject]
    kinds = sorted({case.kind for case in named})
    sessions = sorted({case.session for case in named})
    columns = [(session or NO_SESSION, kind) for session in sessions for kind in kinds]
    there: dict[str, dict[tuple[str, str], list[CohortCase]]] = {}
    for case in named:
        row = there.setdefault(case.subject, {})
        row.setdefault((case.session or NO_SESSION, case.kind), []).append(case)
    used = [column for column in columns if any(column in row for row in there.values())]
    rows = []
    for subject, row in sorted(there.items()):
        case = next((c for found in row.values() for c in found if c.page), None)
        links = (case.page, case.others) if case else ("", ())
        rows.append((subject, *links, [row.get(column, []) for column in used]))
    return used, rows


def _failures(cases: Iterable[CohortCase]) -> list[tuple[str, str, list[CohortCase]]]:
    """Failed scans by what to try, the most frequent first: causes name each its own file."""
    grouped: dict[str, list[CohortCase]] = {}
    for case in cases:
        if case.state == "failed":
            grouped.setdefault(case.remedy, []).append(case)
    ordered = sorted(grouped.items(), key=lambda item: -len(item[1]))
    return [(remedy, found[0].cause, found) for remedy, found in ordered]


def _quality(table: pa.Table) -> dict[str, tuple[int, int]]:
    """How many regions of every scan are to be reviewed, and how many fail."""
    rows = table.select(("case", "region", "qc")).filter(rows_other_than(table, "qc", "pass"))
    once = {(row["case"], row["region"], row["qc"]) for row in rows.to_pylist()}
    counts = Counter((case, qc) for case, _, qc in once)
    names = {name for name, _ in counts}
    return {name: (counts[name, "review"], counts[name, "fail"]) for name in names}


def _strips(
    values: Iterable[_Value],
    norms: Mapping[tuple[str, str, str], Norm],
    order: Mapping[str, int],
    outliers: Iterable[Outlier],
) -> Iterable[Strip]:
    """One plot for each region and kind of scan, in the order of the tables."""
    far = {(outlier.case.name, outlier.region): outlier.case.page for outlier in outliers}
    grouped: dict[tuple[str, str, str], list[_Value]] = {}
    for value in values:
        grouped.setdefault(value.key, []).append(value)
    for (region, quantity, kind), found in grouped.items():
        norm = norms.get((region, quantity, kind))
        limits = norm.limits(found[0].value) if norm else None
        about = f"{kind}, {quantity.replace('-', ' ')}, {found[0].unit}"
        yield strip(
            f"{region.replace('-', ' ')} ({about})",
            sorted((order[v.case], v.case, v.value) for v in found),
            (limits.low, limits.high) if limits else None,
            {v.case: far[v.case, region] for v in found if (v.case, region) in far},
        )
