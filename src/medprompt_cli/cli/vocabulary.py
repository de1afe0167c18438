"""`medprompt vocabulary`: what a prompt can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli import completion
from medprompt_cli.cli.documents import print_json

if TYPE_CHECKING:
    from medprompt_cli.planning.vocabulary import Entry


def vocabulary(
    word: Annotated[
        str | None,
        typer.Argument(
            help="Only names and synonyms that hold this word.",
            autocompletion=completion.regions,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Only structure, group, lobe, parcel, territory or lesion.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """List what can be named: name, kind, sides, whether it can be seen, synonyms."""
    from medprompt_cli.planning.vocabulary import entries

    found = entries(word, kind)
    if as_json:
        print_json([entry.as_json() for entry in found])
        return
    for entry in found:
        typer.echo("\t".join(_fields(entry)))


def _fields(entry: Entry) -> tuple[str, ...]:
    sides = "left, right" if entry.sides else "-"
    seen = "visible" if entry.visible else "not visible"
    return entry.name, entry.kind, sides, seen, ", ".join(entry.synonyms) or "-"
