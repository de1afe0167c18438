"""`medprompt train`: label maps in, weights out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

group = typer.Typer(no_args_is_help=True, help="Train the network on synthetic images.")


@group.command("pack")
def pack(
    labels: Annotated[Path, typer.Argument(help="Folder of whole-head label maps.")],
    bank: Annotated[Path, typer.Argument(help="File to write, e.g. heads.labels.xz.")],
) -> None:
    """Pack the label maps of LABELS into one small file that training reads."""
    from medprompt_cli.training.pack import pack_folder

    for packed in pack_folder(labels, bank):
        shape = "x".join(str(n) for n in packed.voxels.shape)
        typer.echo(f"{packed.name}\t{shape}")


@group.command("run")
def run(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe, e.g. examples/training/*.toml.")],
    bank: Annotated[Path, typer.Option("--bank", "-b", help="Packed label maps.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for checkpoints and log.")],
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    minutes: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Begin from an earlier run's folder, or from weights by name."),
    ] = None,
) -> None:
    """Train by RECIPE; run again to resume. Prints a JSON line now and then."""
    import json

    from medprompt_cli.synthesis.bank import read_bank
    from medprompt_cli.training.loop import Run, train
    from medprompt_cli.training.recipe import read_recipe
    from medprompt_cli.training.start import starting_weights

    plan = Run(out, device, minutes, starting_weights(start) if start else None)
    train(
        read_recipe(recipe),
        read_bank(bank),
        plan,
        lambda row: typer.echo(json.dumps({k: round(v, 4) for k, v in row.items()})),
    )
