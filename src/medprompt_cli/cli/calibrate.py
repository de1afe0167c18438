"""`medprompt calibrate`: how much two measurements of the same differ."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli import completion
from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.memory import Memory
from medprompt_cli.cli.options import (
    Device,
    Hash,
    Intervals,
    Out,
    Participants,
    PlanFile,
    PromptWeights,
    Sessions,
    Together,
    Weights,
)
from medprompt_cli.cli.segment import INTERRUPTED, segment_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medprompt_cli.api import Calibrated

HEADS = (
    *("region", "quantity", "differences %", "variation %", "limit %", "package's limit %"),
    *("beyond package's", "beyond limit of the other pairs", "left out"),
)


def calibrate(  # noqa: PLR0913, PLR0917 - one argument for each option
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="People scanned twice: BIDS dataset, folder, or manifest."
        ),
    ],
    out: Out,
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            "-p",
            help="What to measure, in words; 'all' if left out.",
            autocompletion=completion.regions,
        ),
    ] = None,
    plan: PlanFile = None,
    participant_label: Participants = None,
    session_label: Sessions = None,
    suffix: Annotated[
        list[str] | None,
        typer.Option(help="Only this kind of scan, e.g. T1w; limits hold for one."),
    ] = None,
    together: Together = None,
    device: Device = "auto",
    weights: Weights = None,
    prompt_weights: PromptWeights = None,
    memory: Memory = None,
    force: Annotated[
        bool, typer.Option("--force", help="Do again what is done already.")
    ] = False,
    bids_filter_file: Annotated[
        Path | None, typer.Option(help="Only scans that a query of this JSON file describes.")
    ] = None,
    intervals: Intervals = "quick",
    hash_: Hash = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was learnt as JSON.")
    ] = False,
) -> None:
    """Learn how far volumes differ of people scanned twice with nothing changed in between.

    The scans of a pair are two sessions of one subject. Writes the limits into OUT,
    for medprompt longitudinal --limits; prints a table with tabs between its columns.
    """
    from medprompt_cli.api import calibrate as run
    from medprompt_cli.cohort.progress import lines_in_a_log

    options = segment_options({**locals(), "shard": None})
    asked = prompt or ([] if plan else ["all"])
    with lines_in_a_log():
        found = run(source, out, asked, options)
    typer.echo("\n".join(_lines(found)), err=True)
    if as_json:
        print_json(_as_json(found))
    elif found.rows:
        typer.echo("\n".join(_table(found)))
    _leave(found)


def _leave(found: Calibrated) -> None:
    stopped = found.segmented.stopped
    if isinstance(stopped, KeyboardInterrupt):
        typer.echo("Error: Ctrl-C stopped the run before its end.", err=True)
        raise typer.Exit(INTERRUPTED)
    if stopped is not None:
        raise stopped
    raise typer.Exit(found.exit_code)


def _lines(found: Calibrated) -> Iterator[str]:
    """What became of the run, in a few lines."""
    scans = found.segmented
    yield (
        f"{scans.planned} images: {len(scans.having('done'))} done,"
        f" {len(scans.having('kept'))} already there, {len(scans.having('failed'))} failed."
    )
    for outcome in scans.having("failed"):
        if outcome.failure:
            yield f"failed [{outcome.failure.code}]: {outcome.failure.problem}"
            yield f"    Try: {outcome.failure.remedy}"
    yield from found.notes
    if found.file is not None:
        yield f"{len(found.pairs)} pairs. Limits: {found.file}"
    known = [row for row in found.rows if row.beyond_default is not None]
    if known:
        beyond = [row.region for row in known if row.beyond_default]
        said = ", ".join(beyond) if beyond else "none"
        yield f"Larger than the package's limits ({len(known)} kinds of region): {said}."
    told = [row for row in found.rows if row.beyond_left_out is not None]
    if told:
        beyond = [row.region for row in told if row.beyond_left_out]
        said = ", ".join(beyond) if beyond else "none"
        yield (
            "Each pair held against limits of the other pairs alone"
            f" ({len(told)} kinds of region): differences are too large for {said}."
        )


def _table(found: Calibrated) -> Iterator[str]:
    yield "\t".join(HEADS)
    for row in found.rows:
        differences = ", ".join(f"{d:+.2f}" for d in row.differences_percent)
        default = "n/a" if row.default_percent is None else f"{row.default_percent:.2f}"
        numbers = (f"{row.variation_percent:.2f}", f"{row.limit_percent:.2f}", default)
        counts = [
            "n/a" if count is None else str(count)
            for count in (row.beyond_default, row.beyond_left_out)
        ]
        words = (row.region, row.quantity, differences)
        yield "\t".join((*words, *numbers, *counts, row.left_out_said or "none"))


def _as_json(found: Calibrated) -> dict[str, object]:
    stopped = found.segmented.stopped
    return {
        "exit_code": found.exit_code,
        "stopped": None if stopped is None else str(stopped) or "interrupted",
        "file": None if found.file is None else str(found.file),
        "pairs": [
            {"subject": subject, "first": first, "second": second}
            for subject, first, second in found.pairs
        ],
        "rows": [{**asdict(row), "beyond_default": row.beyond_default} for row in found.rows],
        "notes": list(found.notes),
    }
