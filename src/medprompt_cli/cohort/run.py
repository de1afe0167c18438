"""Segment a cohort: everything that is missing, nothing that is there."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medprompt_cli.bids.atomic import remove_leftovers
from medprompt_cli.bids.derivatives import unit_name, write_dataset_files
from medprompt_cli.bids.entry import ImageEntry, joined
from medprompt_cli.bids.problems import Problem
from medprompt_cli.cohort.agenda import Agenda, below, write_agenda
from medprompt_cli.cohort.apart import do_apart
from medprompt_cli.cohort.case import CaseRunner
from medprompt_cli.cohort.memory import Allowance, allowance, demand_of, give_back
from medprompt_cli.cohort.outcome import Failure, Outcome, Summary, edited_failure
from medprompt_cli.cohort.output_folder import check_writable
from medprompt_cli.cohort.pipeline import Stages, run_overlapped
from medprompt_cli.cohort.progress import case_progress, log_case, log_others, log_share
from medprompt_cli.cohort.records import (
    Basis,
    edited_outputs,
    other_answers,
    other_results,
    outputs_of,
    settle,
)
from medprompt_cli.cohort.shards import Share, subject_of
from medprompt_cli.cohort.stop import StopRequested, stoppable
from medprompt_cli.cohort.suspects import Hand, find_suspects
from medprompt_cli.cohort.together import Sources, form_cases
from medprompt_cli.cohort.turns import Announced, Turns, announced, in_turn
from medprompt_cli.cohort.units import Unit, make_unit, same_outputs
from medprompt_cli.cohort.writers import written_by
from medprompt_cli.domain.parcels import PARCEL_NAMES
from medprompt_cli.errors import MedpromptError, PreemptedError
from medprompt_cli.execution.posing import PosedSegmenter
from medprompt_cli.execution.program import plan_id
from medprompt_cli.execution.segment import Segments, Target, cases_at_once
from medprompt_cli.planning.plan_file import PLAN_FILE, Plan, write_plan
from medprompt_cli.planning.tree import Program

AGAIN = "Run the same command again to go on: what is done is kept."


@dataclass(frozen=True)
class Job:
    """What is to be segmented, and where results go.

    Attributes:
        out: The output folder, already checked.
        root: Folder that the images' BIDS URIs start from.
        images: The images.
        problems: Why others cannot be used; each counts as a failure.
        prompts: The person's words.
        targets: What they mean.
        force: Do images again that are done, and overwrite what was changed by hand.
        choice: Which kinds of scan a person chose, in words; none means every scan.
        some: Whether `images` is of some subjects or sessions only.
        together: Suffixes of the scans of a session that are read together; with none,
            each image is a case of its own.
        program: What to make of the targets; None if their masks are all there is to it.
        plan: What the prompts compile to, to be written down; None if it is not known.
        share: The part of the subjects that is done here; None for all.
        intervals: `full` to look at every head in several poses; see `execution/posing.py`.
        memory: What all images in memory may take together; None for what there is.
        hash: Compare images' contents with those that results were made from, though their
            size and time are the same.
    """

    out: Path
    root: Path
    images: tuple[ImageEntry, ...]
    problems: tuple[Problem, ...]
    prompts: tuple[str, ...]
    targets: Sequence[Target]
    force: bool = False
    choice: tuple[str, ...] = ()
    some: bool = False
    together: tuple[str, ...] = ()
    program: Program | None = None
    plan: Plan | None = None
    share: Share | None = None
    intervals: Literal["quick", "full"] = "quick"
    memory: Allowance | None = None
    hash: bool = False

    @property
    def plan_id(self) -> str:
        """SHA-256 of what is asked for."""
        return plan_id(self.targets, self.program)

    @property
    def basis_id(self) -> str:
        """SHA-256 of what is asked for, and how: a result of another one is made again."""
        if self.intervals == "quick":
            return self.plan_id
        return hashlib.sha256(f"{self.plan_id} {self.intervals}".encode()).hexdigest()


def run_job(job: Job, segmenter: Segments) -> Summary:
    """Segment every image that has no current result; survive what is wrong with one.

    Returns:
        What became of every image. If the run was stopped, by a signal, by Ctrl-C or by
        an error that every further image would meet, `stopped` says so, and what
        was done until then is on disk.

    Raises:
        OutputError: If the output folder cannot be written at all.
        UsageError: If another run is at work there, and asks for something else.
    """
    parcels = {name for target in job.targets for name in target.members} & {*PARCEL_NAMES}
    link = write_dataset_files(job.out, job.root, parcels=bool(parcels))
    asked = Announced(
        str(job.share), f"{job.basis_id} {segmenter.weights_sha256}", ", ".join(job.prompts)
    )
    with announced(job.out, asked) as others:
        log_others(others, job.out)
        return _run_job(job, segmenter, link, others)


def _run_job(job: Job, segmenter: Segments, link: str, others: int) -> Summary:
    if job.plan is not None:
        write_plan(job.out / PLAN_FILE, job.plan)
    remove_leftovers(job.out)
    cases, refused = _cases(job)
    write_agenda(job.out, _agenda(job, segmenter, cases, refused))
    units, outcomes = _plan(job, segmenter, cases, refused)
    planned = len(outcomes) + len(units)
    stopped: BaseException | None = None
    memory = job.memory or allowance(None)
    begin = time.perf_counter()
    try:
        with stoppable(), case_progress(len(units)) as advance:
            _run_units(
                job,
                units,
                CaseRunner(
                    job.out,
                    job.root,
                    link,
                    job.prompts,
                    job.targets,
                    PosedSegmenter(segmenter) if job.intervals == "full" else segmenter,
                    job.program,
                    job.intervals,
                ),
                _reporter(outcomes, advance, len(units)),
                memory,
                others,
            )
    except StopRequested as request:
        stopped = PreemptedError(
            f"{request.signal_name} stopped the run before its end.", remedy=AGAIN
        )
    except (KeyboardInterrupt, MedpromptError) as error:
        stopped = error
    names = {unit.name for unit in units} | {outcome.name for outcome in outcomes}
    return Summary(
        tuple(outcomes),
        planned,
        stopped,
        _mixed(job, segmenter, names),
        _left(job, names),
        None if job.share is None else str(job.share),
        memory=memory if units else None,
        wall_s=time.perf_counter() - begin if units else 0.0,
    )


def _mixed(job: Job, segmenter: Segments, names: Collection[str]) -> Mapping[str, int]:
    """What images that were not chosen answer, where that is not what this run answers.

    Of a share nothing is said: the others are being done elsewhere.
    """
    if not (job.some or job.choice) or job.share is not None:
        return {}
    basis = Basis(-1, -1, job.basis_id, segmenter.weights_sha256)
    return other_answers(job.out, names, basis)


def _left(job: Job, names: Collection[str]) -> tuple[str, ...]:
    """Results of images that are not there any more, as far as a run of all can tell."""
    if job.some or job.choice or job.share is not None:
        return ()
    return tuple(name for name, _ in other_results(job.out, names))


def _run_units(
    job: Job,
    units: Sequence[Unit],
    runner: CaseRunner,
    report: Callable[[Outcome], None],
    memory: Allowance,
    others: int,
) -> None:
    usual, suspects = find_suspects(job.out, units)
    if not units:
        return
    check_writable(job.out)
    turns = Turns(runner, memory, job.force, job.hash, lambda unit: _kept(unit, job.out))
    hand = Hand(job.out)
    at_once = min(cases_at_once(runner.segmenter), max(1, len(usual)))
    with hand.emptied():
        with written_by(at_once, turns) as write:
            stages = Stages(
                *(hand.taking(turns.read), turns.work, write, hand.laying_down(report)),
                demand=lambda unit: demand_of(unit.sources, apart=at_once > 1),
                limit=memory.bytes,
            )
            run_overlapped(in_turn(usual, others), stages, at_once)
        do_apart(in_turn(suspects, others), turns, report)


def _reporter(
    outcomes: list[Outcome], advance: Callable[[bool], None], total: int
) -> Callable[[Outcome], None]:
    known = len(outcomes)

    def report(outcome: Outcome) -> None:
        give_back()
        outcomes.append(outcome)
        log_case(outcome, len(outcomes) - known, total)
        advance(outcome.status == "failed")
        if outcome.ends_run is not None:
            raise outcome.ends_run

    return report


def _cases(job: Job) -> tuple[list[Sources], list[Outcome]]:
    """All cases of the cohort, and what is wrong with images that make none."""
    cases, refused = form_cases(job.images, job.together)
    root = job.root.absolute()
    outcomes = [*(_unusable(problem, root) for problem in job.problems), *refused]
    clashes = same_outputs([joined(sources) for sources in cases])
    outcomes += [_clash(s[0], clashes[s[0].path]) for s in cases if s[0].path in clashes]
    return [sources for sources in cases if sources[0].path not in clashes], outcomes


def _agenda(
    job: Job, segmenter: Segments, cases: Sequence[Sources], refused: Sequence[Outcome]
) -> Agenda:
    """What all shares together are to do."""
    root = job.root.absolute()
    return Agenda(
        job.basis_id,
        segmenter.weights_sha256,
        job.prompts,
        job.together or job.choice,
        not job.some,
        str(root),
        {unit_name(joined(s)): [below(image.path, root) for image in s] for s in cases},
        tuple(
            {"path": below(outcome.source, root), **outcome.failure.as_json()}
            for outcome in refused
            if outcome.failure
        ),
    )


def _plan(
    job: Job, segmenter: Segments, cases: Sequence[Sources], refused: Sequence[Outcome]
) -> tuple[list[Unit], list[Outcome]]:
    """The cases to do here, and what is known of the others before the run.

    What makes no case is told by the first share alone.
    """
    share = job.share
    outcomes = list(refused) if share is None or share.shard.number == 1 else []
    plan = job.basis_id
    units = []
    for sources in cases:
        if share is not None and subject_of(sources[0]) not in share.subjects:
            continue
        weights = segmenter.weights_sha256
        unit = make_unit(job.out, sources, plan, weights, thorough=job.hash)
        if job.force or unit.standing == "todo":
            units.append(unit)
        elif unit.standing == "blocked":
            outcomes.append(_blocked(unit, job.out))
        else:
            if unit.standing == "current":
                settle(unit.record_path, unit.record, unit.basis)
            outcomes.append(_kept(unit, job.out))
    if share is not None:
        log_share(share, len(units))
    return units, outcomes


def _unusable(problem: Problem, root: Path) -> Outcome:
    failure = Failure(problem.code, problem.said, problem.remedy, of_input=True)
    return Outcome(below(problem.path, root), problem.path, "failed", failure=failure)


def _clash(entry: ImageEntry, other: Path) -> Outcome:
    failure = Failure(
        "name-collision",
        f"{entry.path}: its results would have the names of those of {other}.",
        "Tell the two apart in their names, for example with run-1 and run-2.",
        of_input=True,
    )
    return Outcome(str(entry.path), entry.path, "failed", failure=failure)


def _blocked(unit: Unit, out: Path) -> Outcome:
    failure = edited_failure(edited_outputs(out, unit.record)[0])
    return Outcome(
        unit.name, unit.entry.path, "failed", failure=failure, partners=unit.partners
    )


def _kept(unit: Unit, out: Path) -> Outcome:
    record = unit.record or {}
    return Outcome(
        unit.name,
        unit.entry.path,
        "kept",
        tuple(out / name for name in outputs_of(unit.record)),
        record.get("targets", {}),
        partners=unit.partners,
        edited=tuple(edited_outputs(out, unit.record)),
        values=record.get("values", ()),
    )
