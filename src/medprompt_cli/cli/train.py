"""`medprompt train`: label maps in, weights out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.errors import UsageError

if TYPE_CHECKING:
    from medprompt_cli.synthesis.bank import PackedLabels
    from medprompt_cli.training.atlas import Atlas

group = typer.Typer(no_args_is_help=True, help="Train the network on synthetic images.")


@group.command("pack")
def pack(
    labels: Annotated[Path, typer.Argument(help="Folder of whole-head label maps.")],
    bank: Annotated[Path, typer.Argument(help="File to write, e.g. heads.labels.xz.")],
    atlas: Annotated[
        Path | None, typer.Option(help="Mindboggle's DKT31 + CMA labels in MNI152.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option(help="T1 brain, skull-stripped, on the grid of the atlas.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was packed as JSON.")
    ] = False,
) -> None:
    """Pack the label maps of LABELS into one small file that training reads.

    With an atlas every map is given parcels of cortex and cerebellum, and the mean Dice of
    the atlas, laid over the map, is printed beside it.
    """
    from medprompt_cli.training.pack import pack_folder

    maps: list[dict[str, object]] = []

    def report(packed: PackedLabels, overlap: dict[str, float]) -> None:
        row = {"name": packed.name, "shape": packed.voxels.shape, "dice": overlap or None}
        maps.append(row)
        _echo_packed(packed, overlap, err=as_json)

    pack_folder(labels, bank, _atlas(atlas, template), report)
    if as_json:
        print_json({"bank": bank, "maps": maps})


def _atlas(labels: Path | None, template: Path | None) -> Atlas | None:
    if labels is None and template is None:
        return None
    if labels is None or template is None:
        raise UsageError(
            "--atlas and --template go together: one was given without the other.",
            remedy="Give the labels of an atlas and the T1 brain they lie on, or neither.",
        )
    from medprompt_cli.training.atlas import read_atlas

    return read_atlas(labels, template)


def _echo_packed(packed: PackedLabels, overlap: dict[str, float], *, err: bool) -> None:
    shape = "x".join(str(n) for n in packed.voxels.shape)
    dice = [f"{sum(overlap.values()) / len(overlap):.3f}"] if overlap else []
    typer.echo("\t".join([packed.name, shape, *dice]), err=err)


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


@group.command("calibrate")
def calibrate(
    weights: Annotated[Path, typer.Argument(help="Exported weights, a .safetensors file.")],
    recipe: Annotated[Path, typer.Option(help="Recipe at 4 mm; its held-out maps are used.")],
    bank: Annotated[Path, typer.Option("--bank", "-b", help="Packed label maps.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, .safetensors.")],
    images: Annotated[int, typer.Option(min=4, help="Synthetic images to draw.")] = 400,
) -> None:
    """Fit how sure WEIGHTS may be that a target is there. Prints how well it went, as JSON."""
    import dataclasses
    import json

    from medprompt_cli.synthesis.bank import read_bank
    from medprompt_cli.training.calibrate import calibrate as fit_presence
    from medprompt_cli.training.recipe import read_recipe

    found = fit_presence(weights, read_bank(bank), read_recipe(recipe), images, out)
    typer.echo(json.dumps({k: round(v, 4) for k, v in dataclasses.asdict(found).items()}))


@group.command("prompts")
def prompts(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe, e.g. prompt-small.toml.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for checkpoints and log.")],
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    minutes: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    phi: Annotated[
        str | None,
        typer.Option(help="Weights, by name or file, whose targets phi is drawn to."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the weights here at the end, .safetensors.")
    ] = None,
) -> None:
    """Train the network that reads prompts; run again to resume. Prints JSON lines."""
    import json

    from medprompt_cli.training.prompt_export import export_prompts
    from medprompt_cli.training.prompt_phi import phi_of
    from medprompt_cli.training.prompt_recipe import read_prompt_recipe
    from medprompt_cli.training.prompt_training import PromptRun, train_prompts

    run = PromptRun(out, device, minutes, phi_of(phi) if phi else None)
    train_prompts(
        read_prompt_recipe(recipe),
        run,
        lambda row: typer.echo(json.dumps({k: round(v, 4) for k, v in row.items()})),
    )
    if export:
        typer.echo(json.dumps(export_prompts(out, export, phi=run.phi)))
