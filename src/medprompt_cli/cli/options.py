"""Options that several commands have, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from medprompt_cli import __version__
from medprompt_cli.cli import completion

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results.")]
Prompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        "-p",
        help="What you want, in words; 'all' for every structure.",
        autocompletion=completion.regions,
    ),
]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", help="A plan.json, in place of prompts.")
]
Participants = Annotated[
    list[str] | None, typer.Option(help="Only this subject; may be repeated.")
]
Sessions = Annotated[list[str] | None, typer.Option(help="Only this session; may be repeated.")]
Together = Annotated[
    str | None,
    typer.Option(
        metavar="KIND,KIND", help="Read these scans of a session together, e.g. FLAIR,T1w."
    ),
]
Intervals = Annotated[
    Literal["quick", "full"],
    typer.Option(
        help="full: look at every head six times, moved a little, and count in how far volumes"
        " move; takes six times as long."
    ),
]
Hash = Annotated[
    bool,
    typer.Option(
        "--hash", help="Tell changed scans by what they hold, not by their size and time alone."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Weights = Annotated[
    str | None,
    typer.Option(
        help="Name or file; the bundled weights otherwise.", autocompletion=completion.weights
    ),
]
PromptWeights = Annotated[
    Path | None, typer.Option(help="Weights that read sentences, if not the bundled ones.")
]
PromptModelFile = Annotated[
    Path | None, typer.Option(help="Weights that read prompts; those of the package otherwise.")
]
AgentModel = Annotated[str, typer.Option(help="Name by which the server knows its model.")]


def print_version(asked: bool) -> None:
    """Print the version and leave, if it was asked for."""
    if asked:
        typer.echo(f"medprompt {__version__}")
        raise typer.Exit
