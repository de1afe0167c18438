"""`medprompt segment`: masks of what a prompt names, for every scan of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.memory import Memory, memory_gb
from medprompt_cli.cli.options import (
    Device,
    Hash,
    Intervals,
    Out,
    Participants,
    PlanFile,
    Prompts,
    PromptWeights,
    Sessions,
    Together,
    Weights,
)
from medprompt_cli.errors import one_line

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from medprompt_cli.api import Outcome, SegmentOptions, Summary

SHOWN_FAILURES = 20
"""So many failures are listed on the terminal; the records hold all of them."""

SHOWN_TARGETS = 5
"""So many targets are listed for each status; the sidecars hold all of them."""

MM3_PER_ML = 1000.0

SHOWN_VALUES = 12
"""So many values are listed on the terminal."""

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""


def segment(  # noqa: PLR0913, PLR0917 - one argument for each option
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="BIDS dataset, folder, image, or manifest."),
    ],
    out: Out,
    prompt: Prompts = None,
    plan: PlanFile = None,
    participant_label: Participants = None,
    session_label: Sessions = None,
    suffix: Annotated[
        list[str] | None,
        typer.Option(help="Only this kind of scan, e.g. T1w; may be repeated."),
    ] = None,
    together: Together = None,
    device: Device = "auto",
    weights: Weights = None,
    prompt_weights: PromptWeights = None,
    memory: Memory = None,
    force: Annotated[
        bool, typer.Option("--force", help="Do again what is done already.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Only the I-th of N parts of the subjects; slurm in an array."
        ),
    ] = None,
    bids_filter_file: Annotated[
        Path | None, typer.Option(help="Only scans that a query of this JSON file describes.")
    ] = None,
    intervals: Intervals = "quick",
    hash_: Hash = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what became of every image as JSON.")
    ] = False,
) -> None:
    """Segment what the prompts name in every scan of IN, and measure what they ask for.

    A prompt is names of regions, or a sentence in English or Korean. Prints the path of
    every mask. Run it again after an interruption: it does only what is missing or changed.
    """
    segment_and_tell(source, out, prompt or (), segment_options(locals()), as_json=as_json)


def segment_options(given: Mapping[str, Any]) -> SegmentOptions:
    """What the options of the command say, by the names of its parameters."""
    from medprompt_cli.api import SegmentOptions

    together, memory = given["together"], given["memory"]
    return SegmentOptions(
        participants=given["participant_label"] or (),
        sessions=given["session_label"] or (),
        suffixes=given["suffix"] or (),
        device=given["device"],
        weights=given["weights"],
        memory_gb=None if memory is None else memory_gb(memory),
        force=given["force"],
        together=[kind.strip() for kind in together.split(",")] if together else (),
        plan=given["plan"],
        prompt_weights=given["prompt_weights"],
        shard=given["shard"],
        filter_file=given["bids_filter_file"],
        intervals=given["intervals"],
        hash=given["hash_"],
    )


def segment_and_tell(
    source: Path,
    out: Path,
    prompts: Sequence[str],
    options: SegmentOptions,
    *,
    as_json: bool = False,
) -> NoReturn:
    """Segment, say what became of it, and leave with the exit code."""
    from medprompt_cli.api import segment as run
    from medprompt_cli.cohort.progress import lines_in_a_log
    from medprompt_cli.cohort.run import AGAIN

    with lines_in_a_log():
        summary = run(source, out, prompts, options)
    typer.echo(_summary_text(summary, out), err=True, nl=False)
    if as_json:
        print_json(_summary_json(summary))
    else:
        for outcome in summary.outcomes:
            for mask in outcome.masks:
                typer.echo(mask)
    if isinstance(summary.stopped, KeyboardInterrupt):
        typer.echo(f"Error: Ctrl-C stopped the run before its end.\nTry: {AGAIN}", err=True)
    if summary.stopped is not None:
        raise summary.stopped
    raise typer.Exit(summary.exit_code)


def _summary_text(summary: Summary, out: Path) -> str:
    """What became of the run, in a few lines."""
    done, kept, failed = (len(summary.having(s)) for s in ("done", "kept", "failed"))
    reached = len(summary.outcomes)
    counts = [f"{done} done", f"{kept} already there", f"{failed} failed"]
    if reached < summary.planned:
        counts.append(f"{summary.planned - reached} not reached")
    case = "case" if any(outcome.partners for outcome in summary.outcomes) else "image"
    lines = [] if summary.share is None else [summary.share]
    if summary.unused_words:
        lines.append(f"not used of the prompt: {', '.join(summary.unused_words)}")
    lines.append(f"{_count(summary.planned, case)}: {', '.join(counts)}. Results: {out}")
    lines += [
        f"replaced: earlier results for {answer} in {_count(n, case)}"
        for answer, n in summary.replaced.items()
    ]
    lines += [_mixed_text(*item) for item in summary.mixed.items()]
    lines += [_left_text(summary.left)] if summary.left else []
    lines += [_status_text(*item, case) for item in summary.unanswered.items()]
    lines += [_limit_text(*item) for item in _limits(summary).items()]
    lines += _value_lines(summary)
    edited = [path for outcome in summary.outcomes for path in outcome.edited]
    lines += [f"changed by hand, and kept: {path}" for path in edited]
    # What ended the run is said last, as its error.
    causes = [o for o in summary.having("failed") if o.ends_run is None]
    lines += [_failure_text(outcome) for outcome in causes[:SHOWN_FAILURES]]
    if len(causes) > SHOWN_FAILURES:
        lines.append(f"... and {len(causes) - SHOWN_FAILURES} more; --json lists all.")
    return "\n".join(lines) + "\n"


def _mixed_text(answer: str, images: int) -> str:
    verb, them = ("answers", "it") if images == 1 else ("answer", "them")
    return (
        f"mixed: {_count(images, 'image')} in OUT still {verb} {answer}; "
        f"run without filters to bring {them} up to date"
    )


def _left_text(names: Sequence[str]) -> str:
    return (
        f"left: {_count(len(names), 'result')} in OUT, such as {names[0]}, of images that are"
        " not in this run (gone, renamed or not usable); files and rows stay until you remove"
        " them"
    )


def _status_text(status: str, targets: Counter[str], case: str) -> str:
    most = [f"{name} in {_count(n, case)}" for name, n in targets.most_common(SHOWN_TARGETS)]
    rest = len(targets) - len(most)
    return f"{status}: {', '.join(most)}" + (f", and {rest} more targets" if rest else "")


def _limits(summary: Summary) -> dict[str, float]:
    """Of absent lesions the size that would have been found, in mL, by name."""
    found: dict[str, float] = {}
    for outcome in summary.outcomes:
        for name, result in outcome.targets.items():
            limit = result.get("DetectionLimitMl")
            if limit is not None:
                found[name] = max(limit, found.get(name, 0.0))
    return found


def _limit_text(name: str, limit_ml: float) -> str:
    return f"absent {name}: one of less than {limit_ml:.3g} mL may be there and not be seen"


def _value_lines(summary: Summary) -> list[str]:
    """The first values that were read; the tables hold all of them."""
    lines = [
        f"{outcome.name}: {value['Statement']} {_said(value)}"
        for outcome in summary.outcomes
        for value in outcome.values
    ]
    more = len(lines) - SHOWN_VALUES
    rest = [f"... and {more} more values; medprompt tables has all."] if more > 0 else []
    return lines[:SHOWN_VALUES] + rest


def _said(value: Mapping[str, Any]) -> str:
    if value["Value"] is None:
        return f"is not known: {value['Status']}"
    if isinstance(value["Value"], float):
        if value["Unit"] == "mm3":
            return f"= {value['Value'] / MM3_PER_ML:.4g} mL"
        unit = "" if value["Unit"] == "1" else f" {value['Unit']}"
        return f"= {value['Value']:.4g}{unit}"
    return f"= {value['Value']}"


def _failure_text(outcome: Outcome) -> str:
    failure = outcome.failure
    if failure is None:
        return f"failed: {outcome.source}"
    said = one_line(failure.problem), one_line(failure.remedy)
    return f"failed [{failure.code}]: {said[0]}\n    Try: {said[1]}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _summary_json(summary: Summary) -> dict[str, object]:
    return {
        "planned": summary.planned,
        "share": summary.share,
        "unused_words": list(summary.unused_words),
        "exit_code": _exit_code(summary),
        "left": list(summary.left),
        "stopped": None if summary.stopped is None else str(summary.stopped) or "interrupted",
        "memory": None if summary.memory is None else summary.memory.as_json(),
        "seconds": round(summary.wall_s, 3),
        "device_busy": summary.device_busy,
        "images": [_outcome_json(outcome) for outcome in summary.outcomes],
    }


def _exit_code(summary: Summary) -> int:
    if isinstance(summary.stopped, KeyboardInterrupt):
        return INTERRUPTED
    return getattr(summary.stopped, "exit_code", summary.exit_code)


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.name,
        "inputs": [str(path) for path in (outcome.source, *outcome.partners)],
        "status": outcome.status,
        "masks": [str(mask) for mask in outcome.masks],
        "targets": dict(outcome.targets),
        "values": list(outcome.values),
        "error": outcome.failure.as_json() if outcome.failure else None,
    }
