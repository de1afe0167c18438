"""`medprompt tables`: what was measured in every case, as one file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Table(StrEnum):
    """What the rows are about."""

    measurements = "measurements"
    findings = "findings"
    lesions = "lesions"
    changes = "changes"
    ledger = "ledger"


def tables(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder that segment or measure wrote to.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A .parquet, .csv or .tsv; OUT/TABLE.tsv else."
        ),
    ] = None,
    table: Annotated[Table, typer.Option(help="Which table.")] = Table.measurements,
) -> None:
    """Put what was measured in all cases of OUT into one table.

    Prints the path of the table and, beside CSV and TSV, of the JSON that describes its
    columns.
    """
    from medprompt_cli.api import tables as gather

    for path in gather(out, table.value, file):
        typer.echo(path)
