"""`medprompt tables`: what was measured in every case, as one file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from medprompt_cli.cli.documents import print_json


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
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.")] = False,
) -> None:
    """Put what was measured in all cases of OUT into one table.

    Prints the path of the table and, beside CSV and TSV, of the JSON that describes its
    columns. Where not all cases are done, or rows are of something else than the last run
    asked for, that is said on stderr.
    """
    from medprompt_cli.api import tables as gather
    from medprompt_cli.cohort.tables import caveats

    files = gather(out, table.value, file)
    notes = caveats(out, table.value)
    for note in notes:
        typer.echo(f"Note: {note}", err=True)
    if as_json:
        print_json({"table": table.value, "files": files, "notes": notes})
    else:
        for path in files:
            typer.echo(path)
