"""The parts of a cohort's table, put together into one file, and what to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from medprompt_cli.bids.parts import read_parts
from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.bids.table_files import check_extension, write_table
from medprompt_cli.cohort.plausibility import with_plausibility
from medprompt_cli.cohort.records import outputs_of, read_record, record_path
from medprompt_cli.cohort.status import CaseStatus, Status, status_of
from medprompt_cli.errors import InputError, UsageError

OF_SEGMENT = frozenset({"measurements", "lesions", "findings"})
"""Tables whose rows `segment` writes case by case."""


def gather(out: Path, table: str, path: Path | None = None) -> list[Path]:
    """Put all parts of a table of an output folder into one file.

    Rows are judged anew against the cohort: see `cohort/plausibility.py`.

    Args:
        out: The output folder.
        table: One of `TABLES`.
        path: Where to; `OUT/TABLE.tsv` if None.

    Returns:
        The file, and the dictionary of its columns if it has one.

    Raises:
        UsageError: If there is no such table, or the name says no kind of table.
        InputError: If there is no part, or one cannot be read.
        OutputError: If a file cannot be written.
    """
    if table not in TABLES:
        raise UsageError(
            f"There is no table {table!r}.", remedy=f"Choose one of {', '.join(TABLES)}."
        )
    path = path or out / f"{table}.tsv"
    check_extension(path)
    found = read_parts(out, table)
    if table == "measurements":
        found = with_plausibility(found)
    return write_table(found, path)


def caveats(out: Path, table: str) -> tuple[str, ...]:
    """What a table's rows are not: of all cases, of one question, of masks as they are now.

    One sentence each; none where all is done, or where no run of `segment` wrote the folder.
    """
    if table not in OF_SEGMENT:
        return ()
    try:
        return tuple(_caveats(out, status_of(out)))
    except InputError:
        return ()


def _caveats(out: Path, status: Status) -> Iterator[str]:
    missing = [case for case in status.cases if case.progress != "done"]
    if missing:
        counts = [
            f"{sum(case.progress == progress for case in missing)} {words}"
            for progress, words in (("failed", "failed"), ("todo", "to do"), ("stale", "stale"))
        ]
        yield f"{len(missing)} of {len(status.cases)} cases are not done: {', '.join(counts)}."
    undone = [case for case in missing if case.progress in {"failed", "stale"}]
    earlier = [case for case in undone if _has_rows(out, case)]
    if earlier:
        yield f"The rows of {_some(earlier)} are of an earlier image, prompt or weights."
    other = [case for case in status.others if case.why != "gone"]
    if other:
        yield f"The rows of {_some(other)} answer other prompts, or are of other weights."
    gone = [case for case in status.others if case.why == "gone"]
    if gone:
        yield f"The rows of {_some(gone)} are of an image that is gone or makes no case."
    edited = [case for case in status.cases if case.edited]
    if edited:
        yield (
            f"Masks of {_some(edited)} were changed by hand; numbers are of those that were"
            " written. `medprompt measure` measures them as they are."
        )


def _has_rows(out: Path, case: CaseStatus) -> bool:
    return bool(outputs_of(read_record(record_path(out, case.name))))


def _some(cases: list[CaseStatus]) -> str:
    """`sub-01_T1w`, or `3 cases (sub-01_T1w, ...)`."""
    first = cases[0].name
    return first if len(cases) == 1 else f"{len(cases)} cases ({first}, ...)"
