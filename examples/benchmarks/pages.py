"""Time and weigh the pages: one subject's, from an output folder, and a made-up cohort's.

    python examples/benchmarks/pages.py OUT
    python examples/benchmarks/pages.py OUT --subject sub-01 --sessions 2000 --keep FOLDER

A subject's page is everything that a report costs beyond segmenting and measuring: tables,
images and masks are read, facts gathered, sentences written, pictures drawn, the viewer
inlined. The cohort's page is of sessions with volumes drawn at random from a fixed seed, one
in fifty failed and one in a hundred far off, of every structure and parcel there is. Times
are wall-clock seconds and, in brackets, those that this process computed for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import typer
from common import cores, processor

from medprompt_cli.bids.parts import read_parts
from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.domain.anatomy import BASE_NAMES
from medprompt_cli.domain.parcels import PARCEL_NAMES
from medprompt_cli.errors import InputError
from medprompt_cli.reporting.cohort_page import CohortCase, cohort_page
from medprompt_cli.reporting.composition import compose
from medprompt_cli.reporting.facts import Facts
from medprompt_cli.reporting.gathering import Row, Scan, Tables, gather
from medprompt_cli.reporting.niivue import find_bundle
from medprompt_cli.reporting.page import subject_page
from medprompt_cli.reporting.reading import read_cases

MB = 1e6
SEED = 0
FAILED, FAR = 50, 100
"""One session of so many failed, one of so many has a region that is far off."""

SPREAD = 0.1
"""Standard deviation of the logarithm of a region's volumes: 10 %."""


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took."""
    wall, computed = time.perf_counter(), time.process_time()
    yield
    wall, computed = time.perf_counter() - wall, time.process_time() - computed
    print(f"{what}: {wall:.2f} s ({computed:.2f} s)")


def rows_of(out: Path, table: str, subject: str) -> list[Row]:
    """Rows of a subject; none of a table that is not there."""
    try:
        found = read_parts(out, table).to_pylist()
    except InputError as error:
        if error.code != "no-tables":
            raise
        return []
    return [row for row in found if row["participant_id"] == subject]


def page_of(out: Path, subject: str) -> str:
    """The page of a subject, timed step by step."""
    with timed("reading tables"):
        tables = {name: rows_of(out, name, subject) for name in TABLES}
    sources = {row["case"]: row["source"].split() for row in tables["measurements"]}
    with timed("reading images and masks"):
        cases = read_cases(out, subject, sources)
    with timed("writing the report"):
        scans = [
            Scan(case.name, case.visit, case.name.rpartition("_")[2], grid.spacing, grid.shape)
            for case in cases
            for grid in (image.geometry for image in case.images[:1])
        ]
        facts: Facts = gather(subject, Tables(**tables), scans)
        report = compose(facts)
    with timed("drawing the page"):
        return subject_page(report, cases)


def cohort_of(sessions: int) -> tuple[list[CohortCase], pa.Table]:
    """Made-up scans, and their measurements."""
    random = np.random.default_rng(SEED)
    regions = [*BASE_NAMES, *PARCEL_NAMES]
    typical = random.lognormal(1.5, 1.0, len(regions))
    logs = np.log(typical) + random.normal(0, SPREAD, (sessions, len(regions)))
    far = np.flatnonzero(np.arange(sessions) % FAR == 0)
    logs[far, random.integers(0, len(regions), len(far))] += np.log(3)
    cases = [_case(number) for number in range(sessions)]
    done = [number for number, case in enumerate(cases) if case.state == "done"]
    names = np.repeat([cases[number].name for number in done], len(regions))
    count = len(names)
    return cases, pa.table(
        {
            "case": pa.array(names),
            "region": pa.array(np.tile(regions, len(done))),
            "quantity": pa.array(["soft-volume"] * count),
            "value": pa.array(np.exp(logs[done]).ravel()),
            "unit": pa.array(["mL"] * count),
            "qc": pa.array(
                random.choice(["pass", "review", "fail"], count, p=[0.9, 0.08, 0.02])
            ),
            "qc_reasons": pa.array([None] * count, pa.string()),
        }
    )


def _case(number: int) -> CohortCase:
    """A session; every subject has two."""
    subject, session = f"sub-{number // 2 + 1:04d}", f"ses-{number % 2 + 1:02d}"
    name, page = f"{subject}_{session}_T1w", f"{subject}.html"
    if number % FAILED == FAILED - 1:
        cause = f"{subject}/{session}/anat/{name}.nii.gz is truncated: 1000 of 2000 bytes."
        remedy = "Copy the file again from where it came from."
        return CohortCase.named(name, "failed", cause=cause, remedy=remedy, page=page)
    return CohortCase.named(name, "done", page=page)


def main(
    out: Annotated[Path | None, typer.Argument(help="What medprompt wrote.")] = None,
    subject: Annotated[str, typer.Option(help="Whose page.")] = "sub-01",
    sessions: Annotated[int, typer.Option(min=1, help="Of the made-up cohort.")] = 2000,
    keep: Annotated[Path | None, typer.Option(help="Where to put the pages.")] = None,
) -> None:
    """Print times and sizes."""
    today = datetime.now(UTC).date().isoformat()
    print(f"{today}, {processor(Path('/proc/cpuinfo'))}, {cores()} cores")
    pages: dict[str, str] = {}
    if out is not None:
        with timed("taking the viewer from its package, once a process"):
            bundle = find_bundle()
        print(f"viewer: {len(bundle.packed) / MB:.1f} MB" if bundle else "no viewer")
        with timed(f"{subject} in all"):
            pages[subject] = page_of(out, subject)
    cases, table = cohort_of(sessions)
    with timed(f"page of {sessions} sessions, {table.num_rows} volumes"):
        pages["index"] = cohort_page("made-up", cases, table)
    for name, page in pages.items():
        print(f"{name}.html: {len(page.encode()) / MB:.1f} MB")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{name}.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
