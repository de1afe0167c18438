"""`medprompt ask`: a question about one subject, answered statement by statement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.options import AgentModel, Device, PromptModelFile, Weights

if TYPE_CHECKING:
    from medprompt_cli.execution.dialogue import Turn

UNANSWERED = 1
"""Exit code of a dialogue that ended without an answer."""


def ask(  # noqa: PLR0913, PLR0917 - one argument for each option
    case: Annotated[
        Path, typer.Argument(metavar="CASE", help="Scans of one subject: a folder or an image.")
    ],
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the transcript and the masks.")
    ] = Path("medprompt-ask"),
    participant_label: Annotated[
        str | None, typer.Option(help="The subject, where CASE holds several.")
    ] = None,
    model: PromptModelFile = None,
    weights: Weights = None,
    device: Device = "auto",
    agent_endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Let a language model behind this address lead."),
    ] = None,
    agent_model: AgentModel = "default",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole transcript as JSON.")
    ] = False,
) -> None:
    """Answer QUESTION about one subject, looking at its scans step by step.

    Prints the answer; every statement and its value go to stderr as they come, and into
    SUBJECT_ask.json and SUBJECT_ask.md. Exits 1 if there is no answer, 65 if the question is
    refused or can mean several things.
    """
    from medprompt_cli.api import AskOptions
    from medprompt_cli.api import ask as run

    options = AskOptions(
        out=out,
        participant=participant_label,
        model=model,
        weights=weights,
        device=device,
        agent_endpoint=agent_endpoint,
        agent_model=agent_model,
    )
    asked = run(case, question, options, on_turn=_show)
    transcript = asked.transcript
    for file in asked.files:
        typer.echo(f"Written: {file}", err=True)
    if as_json:
        print_json(transcript.as_json())
    else:
        for sentence in transcript.answers:
            typer.echo(sentence)
        for note in transcript.notes:
            typer.echo(f"Note: {note}", err=True)
    if transcript.ending != "answered":
        why = transcript.error or "It ran out of statements before it was done."
        typer.echo(f"No full answer: {why}", err=True)
        raise typer.Exit(UNANSWERED)


def _show(turn: Turn) -> None:
    value = f"    # {turn.said}" if turn.said and turn.told else ""
    typer.echo(turn.statement + value, err=True)
