"""Tables in parts: one Parquet file a case, so that no two processes share a file.

A folder of parts is a dataset as it lies: pandas, DuckDB and Arrow read it as one table.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from medprompt_cli.bids.atomic import Staged, stage
from medprompt_cli.bids.columns import SCHEMA_VERSION, VERSION_KEY
from medprompt_cli.bids.schemas import TABLES, Row, to_table
from medprompt_cli.errors import InputError, OutputError

EXTENSION = ".parquet"


def part_path(out: Path, table: str, case: str) -> Path:
    """Where the part of a case lies."""
    return out / table / f"{case}{EXTENSION}"


def stage_part(out: Path, table: str, case: str, rows: Iterable[Row]) -> Staged:
    """Write the part of a case under a temporary name, and read it back.

    The same rows give the same bytes.

    Args:
        out: The output folder.
        table: One of `TABLES`.
        case: Name of the case.
        rows: Its rows; may be none.

    Raises:
        OutputError: If it cannot be written.
    """
    path = part_path(out, table, case)
    content = to_table(table, rows)

    def check(written: Path) -> None:
        if not pq.read_table(written).equals(content):
            raise OutputError(
                f"{path} was not kept: it reads back differently.",
                remedy="Check the output disk, then run the same command again.",
            )

    return stage(path, lambda stream: pq.write_table(content, stream), check)


def read_parts(out: Path, table: str) -> pa.Table:
    """All parts of a table together, in the order of their cases' names.

    Raises:
        InputError: If there is no part, or one is damaged or of another version.
    """
    folder = out / table
    paths = sorted(path for path in folder.glob(f"*{EXTENSION}") if path.name[0] != ".")
    if not paths:
        raise InputError(
            f"{out} holds no {table}: there is no {EXTENSION} file in {folder}.",
            remedy="Give the folder that medprompt segment or medprompt measure wrote to.",
            code="no-tables",
        )
    return pa.concat_tables([_read_part(path, TABLES[table]) for path in paths])


def read_part(out: Path, table: str, case: str) -> pa.Table:
    """The part of one case.

    Raises:
        InputError: If it is not there, is damaged or of another version.
    """
    return _read_part(part_path(out, table, case), TABLES[table])


def _read_part(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        part = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{path} cannot be read: {error}.",
            remedy="Remove it, then run the command that wrote it again.",
            code="bad-table",
        ) from error
    version = (part.schema.metadata or {}).get(VERSION_KEY, b"none").decode()
    if version != SCHEMA_VERSION or not part.schema.equals(schema):
        raise InputError(
            f"{path} has columns of schema version {version}, not {SCHEMA_VERSION}.",
            remedy="Run the command that wrote it again, with --force.",
            code="bad-table",
        )
    return part
