"""`medprompt weights`: what weights there are, and new ones from a training run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medprompt_cli.cli.documents import print_json

group = typer.Typer(no_args_is_help=True, help="List and export network weights.")


@group.command("list")
def list_weights(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all that is known of each as JSON.")
    ] = False,
) -> None:
    """Print every entry of weights.toml: name, version, finest level, size, hash."""
    from dataclasses import asdict

    from medprompt_cli.weights.registry import read_registry

    if as_json:
        print_json([asdict(entry) for entry in read_registry().values()])
        return
    for entry in read_registry().values():
        size = f"{entry.bytes / 1e6:.1f} MB"
        level = entry.reads if entry.finest_mm is None else f"{entry.finest_mm} mm"
        fields = (entry.name, entry.version, level, size, entry.sha256)
        typer.echo("\t".join(fields))


@group.command("export")
def export_weights(
    run: Annotated[Path, typer.Argument(help="Folder that `medprompt train run` wrote.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Write the newest averaged weights of RUN; print their lines for weights.toml."""
    import json

    from medprompt_cli.training.export import export

    lines = export(run, out)
    if as_json:
        print_json(lines)
        return
    for key, value in lines.items():
        typer.echo(f"{key} = {json.dumps(value)}")
