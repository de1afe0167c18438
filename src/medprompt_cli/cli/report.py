"""`medprompt report`: what was measured, in sentences that restate it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from medprompt_cli.cli import completion
from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.options import AgentModel, Participants

if TYPE_CHECKING:
    from medprompt_cli.cohort.reporting import Reported, ReportSummary


def report(  # noqa: PLR0913, PLR0917 - one argument for each option
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="Folder that segment or longitudinal wrote to."),
    ],
    mode: Annotated[
        Literal["global", "region", "prompt"],
        typer.Option(help="All of the visit; a passage for each region; what was asked."),
    ] = "global",
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="A region to write about; may be repeated. Else where lesions lie.",
            autocompletion=completion.regions,
        ),
    ] = None,
    language: Annotated[
        Literal["en", "ko"], typer.Option("--language", "-l", help="English or Korean.")
    ] = "en",
    visit: Annotated[
        str | None, typer.Option(metavar="SESSION", help="Which visit; the last otherwise.")
    ] = None,
    participant_label: Participants = None,
    limits: Annotated[
        Path | None,
        typer.Option(help="TSV of region, quantity, low, high; the cohort's own otherwise."),
    ] = None,
    agent_endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Have a language model behind this address word it; what it writes is held"
            " against the tables.",
        ),
    ] = None,
    agent_model: AgentModel = "default",
    instructions: Annotated[
        Literal["plain", "example", "template", "keyword"],
        typer.Option(help="How the language model is told to write."),
    ] = "plain",
    pages: Annotated[bool, typer.Option("--pages/--no-pages", help="Write HTML, too.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what became of every report as JSON.")
    ] = False,
) -> None:
    """Write a report of every subject of OUT: JSON, Markdown and a page that opens anywhere.

    Every sentence restates rows of the tables and names them; text that says anything else is
    refused. Prints the path of every file.
    """
    from medprompt_cli.cohort.reporting import ReportOptions, write_reports
    from medprompt_cli.language.chat import Endpoint

    options = ReportOptions(
        language=language,
        mode=mode,
        regions=tuple(region or ()),
        visit=visit,
        participants=tuple(participant_label or ()),
        limits=limits,
        endpoint=Endpoint(agent_endpoint, agent_model) if agent_endpoint else None,
        level=instructions,
        pages=pages,
    )
    summary = write_reports(out, options, _tell if as_json else _show)
    if as_json:
        print_json(_as_json(summary))
    elif summary.index is not None:
        typer.echo(summary.index)
    raise typer.Exit(summary.exit_code)


def _show(done: Reported) -> None:
    """Paths on stdout, and what has to be known on stderr."""
    for path in done.files:
        typer.echo(path)
    _tell(done)


def _tell(done: Reported) -> None:
    for note in done.notes:
        typer.echo(f"{done.subject}: {note}", err=True)
    if done.failure is not None:
        typer.echo(f"failed [{done.failure.code}]: {done.failure.problem}", err=True)
        typer.echo(f"    Try: {done.failure.remedy}", err=True)


def _as_json(summary: ReportSummary) -> dict[str, object]:
    return {
        "exit_code": summary.exit_code,
        "index": summary.index,
        "subjects": [
            {
                "subject": done.subject,
                "files": done.files,
                "notes": done.notes,
                "error": done.failure.as_json() if done.failure else None,
            }
            for done in summary.subjects
        ],
    }
