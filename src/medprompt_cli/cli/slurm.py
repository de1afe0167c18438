"""`medprompt slurm`: a cohort as an array of jobs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.memory import sbatch_memory
from medprompt_cli.cli.options import Out, Prompts
from medprompt_cli.errors import UsageError


def _number_of_jobs(text: str | int) -> int:
    """How many jobs; SLURM's own spelling of an array is refused with the number it means."""
    spelt = re.fullmatch(r"[01]-(\d+)(?:%(\d+))?|(\d+)%(\d+)", str(text))
    if spelt is not None:
        number, at_once = spelt[1] or spelt[3], spelt[2] or spelt[4]
        jobs = int(number) + str(text).startswith("0-")
        also = f" --at-once {at_once}" if at_once else ""
        raise typer.BadParameter(f"{text} is not how many jobs: write {jobs}{also}.")
    if not str(text).isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text} is not how many jobs: write a number such as 8.")
    return int(text)


def slurm(  # noqa: PLR0913, PLR0917 - one argument for each option
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="BIDS dataset, folder, image, or manifest."),
    ],
    out: Out,
    extra: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTIONS]", help="Further options of medprompt segment."),
    ] = None,
    prompt: Prompts = None,
    array: Annotated[
        int, typer.Option(parser=_number_of_jobs, metavar="INTEGER", help="How many jobs.")
    ] = 8,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="How many of them may run at a time.")
    ] = None,
    partition: Annotated[str | None, typer.Option(help="Where they run.")] = None,
    collect_partition: Annotated[
        str | None, typer.Option(help="Where tables are collected; where they run otherwise.")
    ] = None,
    gres: Annotated[str | None, typer.Option(help="What each gets, e.g. gpu:1.")] = None,
    time: Annotated[
        str | None, typer.Option(help="Time limit of each, e.g. 04:00:00; it goes on after it.")
    ] = None,
    mem: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory of each: GB, or as in 8000M.")
    ] = None,
    cpus_per_task: Annotated[int | None, typer.Option(min=1, help="Cores of each.")] = None,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(help="One more option of sbatch, e.g. --account=brain; may be repeated."),
    ] = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Submit the jobs instead of printing the script.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print script, subjects and jobs as JSON.")
    ] = False,
) -> None:
    """Print a script that has SLURM segment IN with an array of jobs, and collect tables.

    Whatever follows -- goes to medprompt segment. Jobs that run out of time are told so
    before, keep what is done and go on. Submit the script with bash, or give --submit.
    """
    from medprompt_cli.cohort.slurm import Resources, slurm_script
    from medprompt_cli.cohort.slurm import submit as hand_over

    prompts = [word for text in prompt or () for word in ("-p", text)]
    segment = [str(source.absolute()), str(out.absolute()), *prompts, *(extra or ())]
    subjects = _subjects(segment)
    if len(subjects) < array:
        one = len(subjects) == 1
        many = "1 subject: one job" if one else f"{len(subjects)} subjects: as many jobs"
        typer.echo(f"{many}, not {array}.", err=True)
    resources = Resources(
        tasks=min(array, len(subjects)),
        at_once=at_once,
        partition=partition,
        gres=gres,
        time=time,
        memory=None if mem is None else sbatch_memory(mem),
        cpus=cpus_per_task,
        more=tuple(sbatch or ()),
        collect_partition=collect_partition,
    )
    script = slurm_script(out, segment, _this_command(), resources)
    said = hand_over(script) if submit else None
    if as_json:
        content = {"tasks": resources.tasks, "subjects": subjects, "script": script}
        print_json({**content, "jobs": _jobs(said)})
    else:
        typer.echo(script if said is None else said, nl=said is not None)


def _subjects(segment: list[str]) -> tuple[str, ...]:
    """The subjects there are; whatever `medprompt segment` would refuse is refused here."""
    from medprompt_cli.api import find_subjects
    from medprompt_cli.cli.app import app
    from medprompt_cli.cli.segment import segment_options

    group: Any = typer.main.get_command(app)
    given = group.commands["segment"].make_context("segment", list(segment)).params
    if given["shard"]:
        raise UsageError(
            f"--shard {given['shard']} was given to an array that is divided already.",
            remedy="Leave it out: every job of the array takes its part.",
        )
    return find_subjects(
        given["source"], given["out"], given["prompt"] or (), segment_options(given)
    )


def _jobs(said: str | None) -> dict[str, str] | None:
    """The numbers of the jobs that were submitted; None if none were.

    >>> _jobs("array 7, tables 8")
    {'array': '7', 'tables': '8'}
    """
    if said is None:
        return None
    return dict(part.split() for part in said.splitlines()[-1].split(", "))


def _this_command() -> list[str]:
    """How this `medprompt` is called from anywhere."""
    beside = Path(sys.executable).with_name("medprompt")
    return [str(beside)] if beside.is_file() else [sys.executable, "-m", "medprompt_cli"]
