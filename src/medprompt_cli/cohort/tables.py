"""The parts of a cohort's table, put together into one file."""

from __future__ import annotations

from pathlib import Path

from medprompt_cli.bids.parts import read_parts
from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.bids.table_files import check_extension, write_table
from medprompt_cli.cohort.plausibility import with_plausibility
from medprompt_cli.errors import UsageError


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
