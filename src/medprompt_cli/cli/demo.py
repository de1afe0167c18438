"""`medprompt demo`: a small dataset to try the other commands on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medprompt_cli.cli.documents import print_json


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    subjects: Annotated[int, typer.Option(help="How many participants.")] = 2,
    sessions: Annotated[int, typer.Option(help="How many visits each has, up to 8.")] = 2,
    small: Annotated[
        bool, typer.Option("--small", help="Coarse grids, quick to make.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same dataset.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the paths of the images as JSON.")
    ] = False,
) -> None:
    """Write a BIDS dataset of computed heads into DIR, with the truth beside it.

    T1w and FLAIR at every visit; the ventricles widen, the hippocampi shrink and a lesion
    grows from visit to visit, by amounts that the truth states; one lesion goes, one comes.
    """
    import sys

    from medprompt_cli.synthesis.demo import TRUTH, DemoOptions, write_demo

    def report(image: Path) -> None:
        if sys.stderr.isatty():
            typer.echo(f"wrote {image}", err=True)

    images = write_demo(folder, DemoOptions(subjects, sessions, small, seed), report)
    if as_json:
        print_json({"folder": folder, "truth": folder / TRUTH, "images": images})
        return
    typer.echo(f"{folder}: {len(images)} images; where everything is: {folder / TRUTH}")
    typer.echo(f"Next: medprompt segment {folder} OUT -p all")
