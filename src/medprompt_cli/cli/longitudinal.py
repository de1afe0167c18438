"""`medprompt longitudinal`: what changed between the visits of every subject."""

from __future__ import annotations

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
from medprompt_cli.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medprompt_cli.api import LongitudinalSummary, SubjectOutcome

SHOWN_WARNINGS = 10
"""So many subjects' warnings are listed on the terminal; the summaries hold all of them."""


def longitudinal(  # noqa: PLR0913, PLR0917 - one argument for each option
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="BIDS dataset, folder of images, or manifest.")
    ],
    out: Out,
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            "-p",
            help="What to follow, in words; as for segment.",
            autocompletion=completion.regions,
        ),
    ] = None,
    plan: PlanFile = None,
    participant_label: Participants = None,
    session_label: Sessions = None,
    suffix: Annotated[
        list[str] | None,
        typer.Option(help="Follow this kind of scan, e.g. T1w; may be repeated."),
    ] = None,
    together: Together = None,
    affine: Annotated[
        bool, typer.Option("--affine", help="Let sizes differ when visits are registered.")
    ] = False,
    limits: Annotated[
        Path | None, typer.Option(help="TOML of this method's noise; the package's otherwise.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Follow the masks of this folder; no network is loaded."),
    ] = None,
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
        bool, typer.Option("--json", help="Print what became of every subject as JSON.")
    ] = False,
) -> None:
    """Segment every visit, and say what changed from one to another, and which lesions.

    Prints the path of every subject's summary. Run it again with further visits, or in a
    folder of medprompt segment: it does only what is missing or changed.
    """
    from medprompt_cli.api import LongitudinalOptions
    from medprompt_cli.api import longitudinal as run
    from medprompt_cli.cohort.progress import lines_in_a_log

    given = segment_options({**locals(), "shard": None})
    options = LongitudinalOptions(**vars(given), affine=affine, limits=limits, masks=masks)
    with lines_in_a_log():
        summary = run(source, out, prompt or (), options)
    typer.echo("\n".join(_lines(summary, out)), err=True)
    if as_json:
        print_json(_as_json(summary))
    else:
        for path in _shown_files(summary):
            typer.echo(path)
    _leave(summary)


def _leave(summary: LongitudinalSummary) -> None:
    if isinstance(summary.stopped, KeyboardInterrupt):
        typer.echo("Error: Ctrl-C stopped the run before its end.", err=True)
        raise typer.Exit(INTERRUPTED)
    if summary.stopped is not None:
        raise summary.stopped
    raise typer.Exit(summary.exit_code)


def _lines(summary: LongitudinalSummary, out: Path) -> Iterator[str]:
    """What became of the run, in a few lines."""
    scans, subjects = summary.segmented, summary.subjects
    kept = sum(subject.kept for subject in subjects)
    failed = [subject for subject in subjects if subject.failure]
    yield (
        f"{scans.planned} images: {len(scans.having('done'))} done,"
        f" {len(scans.having('kept'))} already there, {len(scans.having('failed'))} failed."
    )
    yield (
        f"{len(subjects)} subjects: {len(subjects) - kept - len(failed)} followed,"
        f" {kept} already there, {len(failed)} failed. Results: {out}"
    )
    for outcome in scans.having("failed"):
        if outcome.failure:
            yield f"failed [{outcome.failure.code}]: {one_line(outcome.failure.problem)}"
            yield f"    Try: {outcome.failure.remedy}"
    for subject in failed:
        if subject.failure:
            yield f"failed [{subject.failure.code}]: {one_line(subject.failure.problem)}"
            yield f"    Try: {subject.failure.remedy}"
    for subject in subjects:
        yield from (f"{subject.subject}: {said}" for said in subject.answers)
    doubtful = [subject for subject in subjects if subject.notes or subject.warnings]
    for subject in doubtful[:SHOWN_WARNINGS]:
        yield from (
            f"{subject.subject}: {said}" for said in (*subject.notes, *subject.warnings)
        )
    if len(doubtful) > SHOWN_WARNINGS:
        yield f"... and of {len(doubtful) - SHOWN_WARNINGS} more subjects; --json lists all."
    yield from summary.notes


def _shown_files(summary: LongitudinalSummary) -> Iterator[Path]:
    for subject in summary.subjects:
        yield from (path for path in subject.files if path.suffix == ".md")
    yield from summary.cohort


def _as_json(summary: LongitudinalSummary) -> dict[str, object]:
    return {
        "exit_code": summary.exit_code,
        "stopped": None if summary.stopped is None else str(summary.stopped) or "interrupted",
        "notes": list(summary.notes),
        "cohort": [str(path) for path in summary.cohort],
        "subjects": [_subject_json(subject) for subject in summary.subjects],
    }


def _subject_json(subject: SubjectOutcome) -> dict[str, object]:
    return {
        "subject": subject.subject,
        "visits": subject.visits,
        "kept": subject.kept,
        "files": [str(path) for path in subject.files],
        "answers": list(subject.answers),
        "notes": list(subject.notes),
        "warnings": list(subject.warnings),
        "error": subject.failure.as_json() if subject.failure else None,
    }
