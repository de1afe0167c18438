"""Tables in parts: one Parquet file a case, so that no two processes share a file.

A folder of parts is a dataset as it lies: pandas, DuckDB and Arrow read it as one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from medprompt_cli.bids.atomic import Staged, stage
from medprompt_cli.bids.columns import SCHEMA_VERSION, VERSION_KEY
from medprompt_cli.bids.schemas import TABLES, Row, to_table
from medprompt_cli.errors import InputError, OutputError

EXTENSION = ".parquet"


SEGMENTED = "medprompt segment or medprompt measure"
WRITERS: Mapping[str, str] = dict.fromkeys(("changes", "ledger"), "medprompt longitudinal")
"""Commands that write a table."""


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
            remedy=f"Give the folder that {WRITERS.get(table, SEGMENTED)} wrote to.",
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
    if differences := _differences(part.schema, schema):
        raise InputError(
            f"{path} has other columns than this version of medprompt writes;"
            f" {'; '.join(differences)}.",
            remedy="Run the command that wrote it again, with --force or into a new folder.",
            code="bad-table",
        )
    return part


def _differences(found: pa.Schema, schema: pa.Schema) -> list[str]:
    """In which ways columns are not those that this version writes; none if they are."""
    version = (found.metadata or {}).get(VERSION_KEY, b"none").decode()
    if version != SCHEMA_VERSION:
        return [f"they are of schema version {version}, not {SCHEMA_VERSION}"]
    missing = [name for name in schema.names if name not in found.names]
    unknown = [name for name in found.names if name not in schema.names]
    both = [name for name in schema.names if name in found.names]
    others = [name for name in both if not found.field(name).equals(schema.field(name))]
    told = {"missing": missing, "not known": unknown, "of another type": others}
    said = [f"{how}: {', '.join(names)}" for how, names in told.items() if names]
    return said or ([] if found.equals(schema) else ["they are in another order"])
