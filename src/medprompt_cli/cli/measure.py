"""`medprompt measure`: numbers about masks that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from medprompt_cli.cli import completion
from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.options import PlanFile

if TYPE_CHECKING:
    from medprompt_cli.cohort.outcome import Summary


def measure(  # noqa: PLR0913, PLR0917 - one argument for each option
    masks: Annotated[
        Path,
        typer.Argument(
            metavar="MASKS", help="OUT of segment, a label map, a mask, or a folder."
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the tables.")],
    labels: Annotated[
        str | None,
        typer.Option(help="Names of ids: a BIDS .tsv, a colour table, or 'freesurfer'."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="What a mask is of, e.g. ms-lesion: its voxels above 0."),
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(help="An image to measure intensities in; may be repeated."),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            "-p",
            help="Keep what is asked for, in words.",
            autocompletion=completion.regions,
        ),
    ] = None,
    plan: PlanFile = None,
    every_surface: Annotated[
        bool,
        typer.Option("--every-surface", help="Of cortex and the like too: half a minute."),
    ] = False,
    connectivity: Annotated[
        Literal["6", "18", "26"],
        typer.Option(
            help="Which voxels are of one piece, and so of one lesion: those that share a face"
            " (6), also an edge (18), also a corner (26)."
        ),
    ] = "26",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what became of every case as JSON.")
    ] = False,
) -> None:
    """Measure every region of MASKS, whoever made them; no network is loaded.

    Prints the path of every part of the tables; `medprompt tables OUT` puts them together.
    """
    from medprompt_cli.api import MeasureOptions
    from medprompt_cli.api import measure as run

    options = MeasureOptions(
        labels=labels,
        region=region,
        images=image or (),
        every_surface=every_surface,
        prompts=prompt or (),
        plan=plan,
        connectivity=cast("Literal[6, 18, 26]", int(connectivity)),
    )
    summary = run(masks, out, options)
    typer.echo(_summary_text(summary, out), err=True)
    if as_json:
        print_json(_as_json(summary))
    else:
        for outcome in summary.outcomes:
            for part in outcome.outputs:
                typer.echo(part)
    raise typer.Exit(summary.exit_code)


def _as_json(summary: Summary) -> dict[str, object]:
    return {
        "planned": summary.planned,
        "exit_code": summary.exit_code,
        "cases": [
            {
                "name": outcome.name,
                "inputs": [str(path) for path in (outcome.source, *outcome.partners)],
                "status": outcome.status,
                "tables": [str(part) for part in outcome.outputs],
                "targets": dict(outcome.targets),
                "error": outcome.failure.as_json() if outcome.failure else None,
            }
            for outcome in summary.outcomes
        ],
    }


def _summary_text(summary: Summary, out: Path) -> str:
    done, failed = summary.having("done"), summary.having("failed")
    cases = "case" if summary.planned == 1 else "cases"
    lines = [
        f"{summary.planned} {cases}: {len(done)} measured, {len(failed)} failed. Tables: {out}"
    ]
    if blind := [outcome for outcome in done if not outcome.partners]:
        lines.append(f"without their image, so without intensities: {len(blind)}")
    failures = [outcome.failure for outcome in failed if outcome.failure]
    lines += [f"failed [{f.code}]: {f.problem}\n    Try: {f.remedy}" for f in failures]
    return "\n".join(lines)
