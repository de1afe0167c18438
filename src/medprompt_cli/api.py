"""What the commands do, for scripts and notebooks: the same work, nothing printed.

>>> from medprompt_cli.api import SegmentOptions, segment
>>> done = segment("bids", "out", ["ventricles"])  # doctest: +SKIP
>>> [mask for outcome in done.outcomes for mask in outcome.masks]  # doctest: +SKIP
"""

from __future__ import annotations

import os as _os
from collections.abc import Sequence as _Sequence
from dataclasses import replace as _replace
from pathlib import Path as _Path

from medprompt_cli.bids.dataset import open_dataset as _open_dataset
from medprompt_cli.bids.filter_file import read_filter as _read_filter
from medprompt_cli.cohort.asking import Asked, AskOptions, ask
from medprompt_cli.cohort.choosing import check_together as _check_together
from medprompt_cli.cohort.choosing import check_visible as _check_visible
from medprompt_cli.cohort.choosing import nothing_to_segment as _nothing_to_segment
from medprompt_cli.cohort.longitudinal import LongitudinalJob as _LongitudinalJob
from medprompt_cli.cohort.longitudinal import LongitudinalSummary, SubjectOutcome
from medprompt_cli.cohort.longitudinal import followed_request as _followed_request
from medprompt_cli.cohort.longitudinal import limits_from as _limits_from
from medprompt_cli.cohort.longitudinal import run_longitudinal as _run_longitudinal
from medprompt_cli.cohort.masks import MaskJob as _MaskJob
from medprompt_cli.cohort.masks import measure_masks as _measure_masks
from medprompt_cli.cohort.options import LongitudinalOptions, MeasureOptions, SegmentOptions
from medprompt_cli.cohort.outcome import Failure, Outcome, Summary
from medprompt_cli.cohort.output_folder import check_output_folder as _check_output_folder
from medprompt_cli.cohort.run import AGAIN as _AGAIN
from medprompt_cli.cohort.run import Job as _Job
from medprompt_cli.cohort.run import run_job as _run_job
from medprompt_cli.cohort.shards import parse_shard as _parse_shard
from medprompt_cli.cohort.shards import share_of as _share_of
from medprompt_cli.cohort.status import CaseStatus, Status
from medprompt_cli.cohort.status import status_of as _status_of
from medprompt_cli.cohort.stop import StopRequested as _StopRequested
from medprompt_cli.cohort.stop import stoppable as _stoppable
from medprompt_cli.cohort.subject import find_misfits
from medprompt_cli.cohort.tables import gather as _gather
from medprompt_cli.cohort.units import choose as _choose
from medprompt_cli.cohort.visits import find_courses as _find_courses
from medprompt_cli.cohort.visits import scans_of as _scans_of
from medprompt_cli.cohort.wanted import wanted_of as _wanted_of
from medprompt_cli.errors import PreemptedError as _PreemptedError
from medprompt_cli.errors import UsageError as _UsageError
from medprompt_cli.execution.program import check_runnable as _check_runnable
from medprompt_cli.execution.segment import Segments as _Segments
from medprompt_cli.planning.compose import compose as _compose
from medprompt_cli.planning.intent import Intent as _Intent
from medprompt_cli.planning.plan_file import Plan as _Plan
from medprompt_cli.planning.plan_file import WeightsUsed as _WeightsUsed
from medprompt_cli.planning.plan_file import language_of as _language_of
from medprompt_cli.planning.plan_file import read_plan as _read_plan
from medprompt_cli.planning.prompt_model import load_prompt_model as _load_prompt_model
from medprompt_cli.planning.requests import Request as _Request
from medprompt_cli.planning.requests import of_program as _of_program
from medprompt_cli.planning.requests import understand as _understand

__all__ = [
    "AskOptions",
    "Asked",
    "CaseStatus",
    "Failure",
    "LongitudinalOptions",
    "LongitudinalSummary",
    "MeasureOptions",
    "Outcome",
    "SegmentOptions",
    "Status",
    "SubjectOutcome",
    "Summary",
    "ask",
    "find_misfits",
    "find_subjects",
    "longitudinal",
    "measure",
    "segment",
    "status",
    "tables",
]


def segment(
    source: str | _os.PathLike[str],
    out: str | _os.PathLike[str],
    prompts: _Sequence[str],
    options: SegmentOptions | None = None,
) -> Summary:
    """Segment what the prompts name in every image of `source`, into BIDS derivatives.

    Args:
        source: A BIDS dataset, a folder of images, one image, or a manifest.
        out: The output folder; made if it is not there.
        prompts: Names of regions, such as `left hippocampus`, `ventricles` or `all`, or
            sentences, such as `lesions over 10 mm3 in the right parietal lobe`; none with
            a plan.
        options: How.

    Returns:
        What became of every image. One that failed is in there with its reason, and so is
        what stopped the run, if anything did.

    Raises:
        UsageError: If a prompt names nothing, or results may not go to `out`.
        InputError: If there is no image to segment, or a sentence is not understood.
        WeightsError: If the weights cannot be had, see nothing of what is asked for, or
            are not those a plan was made for.
        DeviceError: If the device is not there.
        OutputError: If nothing can be written to `out`.
        PreemptedError: If a signal stopped the run before the first image.
    """
    options = options or SegmentOptions()
    try:
        with _stoppable():
            request, plan = _understood(prompts, options)
            job = _plan_job(_Path(source), _Path(out), request, options)
            segmenter = _open_segmenter(options)
            job = _replace(job, plan=_as_plan(request, plan, segmenter))
            return _replace(_run_job(job, segmenter), unused_words=request.unused_words)
    except _StopRequested as request:
        raise _PreemptedError(
            f"{request.signal_name} stopped the run before its first image.", remedy=_AGAIN
        ) from request


def longitudinal(
    source: str | _os.PathLike[str],
    out: str | _os.PathLike[str],
    prompts: _Sequence[str],
    options: LongitudinalOptions | None = None,
) -> LongitudinalSummary:
    """Segment what the prompts name at every visit, and say what changed.

    Args:
        source: A BIDS dataset, a folder of images, or a manifest.
        out: The output folder; one that `segment` wrote to is gone on with.
        prompts: As of `segment`.
        options: How.

    Returns:
        What became of every scan and every subject.

    Raises:
        UsageError, InputError, WeightsError, DeviceError, OutputError, PreemptedError: As
            `segment`.
    """
    options = options or LongitudinalOptions()
    if options.shard is not None:
        raise _UsageError(
            "A model of a cohort cannot be made of a part of its subjects.",
            remedy="Share out medprompt segment, then follow all subjects in the same OUT.",
        )
    limits = None if options.limits is None else _limits_from(_Path(options.limits))
    try:
        with _stoppable():
            request, plan = _understood(prompts, options)
            request = _followed_request(request)
            job = _plan_job(_Path(source), _Path(out), request, options)
            dataset = _open_dataset(
                _Path(source),
                subjects=options.participants or None,
                sessions=options.sessions or None,
            )
            names = [target.name for target in request.targets]
            courses = _find_courses(job.images, names, job.together)
            segmenter = _open_segmenter(options)
            job = _replace(
                job,
                images=_scans_of(courses),
                choice=job.choice or ("one kind a subject",),
                plan=_as_plan(request, plan, segmenter),
            )
    except _StopRequested as request:
        raise _PreemptedError(
            f"{request.signal_name} stopped the run before its first image.", remedy=_AGAIN
        ) from request
    return _run_longitudinal(
        _LongitudinalJob(
            *(job, courses, dataset.participants, lambda scan: dataset.metadata(scan).values),
            *(limits, options.affine),
        ),
        segmenter,
    )


def find_subjects(
    source: str | _os.PathLike[str],
    out: str | _os.PathLike[str],
    prompts: _Sequence[str],
    options: SegmentOptions | None = None,
) -> tuple[str, ...]:
    """The subjects that `segment` would do, sorted; no weights of it are loaded.

    Raises:
        UsageError, InputError, WeightsError: Where `segment` would refuse to begin.
    """
    options = options or SegmentOptions()
    job = _plan_job(_Path(source), _Path(out), _understood(prompts, options)[0], options)
    return tuple(sorted({image.subject for image in job.images}))


def measure(
    masks: str | _os.PathLike[str],
    out: str | _os.PathLike[str],
    options: MeasureOptions | None = None,
) -> Summary:
    """Measure masks that are there already, whoever made them; no network is loaded.

    Args:
        masks: An output folder of `segment`, a label map, a mask, or a folder of them.
        out: The folder for the tables; made if it is not there.
        options: How.

    Returns:
        What became of every case; `outputs` are the parts of its tables.

    Raises:
        UsageError: If tables may not go to `out`, or options do not go together.
        InputError: If there is no mask, the names of labels cannot be read, or a sentence
            is not understood.
        OutputError: If nothing can be written to `out`.
    """
    options = options or MeasureOptions()
    wanted = None
    if options.prompts or options.plan is not None:
        wanted = _wanted_of(_understood(options.prompts, options)[0])
    job = _MaskJob(
        _Path(masks),
        _Path(out),
        options.labels,
        options.region,
        tuple(_Path(image) for image in options.images),
        options.every_surface,
        wanted,
    )
    return _measure_masks(job)


def tables(
    out: str | _os.PathLike[str],
    table: str = "measurements",
    file: str | _os.PathLike[str] | None = None,
) -> list[_Path]:
    """Put the parts of a table of an output folder into one file.

    Args:
        out: What `segment` or `measure` wrote to.
        table: `measurements`, `findings`, `lesions`, `changes` or `ledger`.
        file: A name ending in .parquet, .csv or .tsv; None for TABLE.tsv in `out`.

    Returns:
        The file and, beside CSV and TSV, the JSON file that describes its columns.

    Raises:
        UsageError: If there is no such table, or the name says no kind of table.
        InputError: If there is nothing of it, or a part cannot be read.
        OutputError: If a file cannot be written.
    """
    return _gather(_Path(out), table, None if file is None else _Path(file))


def status(out: str | _os.PathLike[str]) -> Status:
    """How far a folder is that `segment` writes to: what is done, failed, to do or stale.

    Raises:
        InputError: If no run has begun there.
    """
    return _status_of(_Path(out))


def _understood(
    prompts: _Sequence[str], options: SegmentOptions | MeasureOptions
) -> tuple[_Request, _Plan | None]:
    """What is asked for, by prompts or by a plan."""
    if options.plan is None:
        path = None if options.prompt_weights is None else _Path(options.prompt_weights)
        return _understand(prompts, lambda: _load_prompt_model(path)), None
    if prompts:
        raise _UsageError(
            f"Prompts were given beside the plan {options.plan}.",
            remedy="Give either prompts or a plan.",
        )
    plan = _read_plan(_Path(options.plan))
    return _of_program(plan.program, [plan.prompt]), plan


def _as_plan(request: _Request, plan: _Plan | None, segmenter: _Segments) -> _Plan:
    """The plan to write down.

    Raises:
        WeightsError: If a plan that was given was made for other weights.
    """
    used = _WeightsUsed(
        segmenter.weights_name, segmenter.weights_version, segmenter.weights_sha256
    )
    if plan is not None:
        plan.check_weights(used)
        return plan
    names = tuple(target.name for target in request.targets)
    program = request.program or _compose(_Intent(names))
    prompt = "; ".join(request.prompts)
    return _Plan(prompt, program, used, _language_of(prompt))


def _plan_job(source: _Path, out: _Path, request: _Request, options: SegmentOptions) -> _Job:
    _check_visible(request.targets)
    if request.program is not None:
        options = _with_kinds(options, _check_runnable(request.program))
    _check_together(options.together, options.suffixes)
    dataset = _open_dataset(
        source, subjects=options.participants or None, sessions=options.sessions or None
    )
    whole = dataset.root if dataset.kind in {"bids", "folder"} else source
    _check_output_folder(out, whole, is_bids=dataset.kind == "bids")
    images = _choose(dataset.images, options.together or options.suffixes)
    scan_filter = options.filter_file and _read_filter(_Path(options.filter_file))
    if scan_filter:
        images = scan_filter.among(images)
    if not images:
        kinds = (*options.suffixes, *options.together)
        asked = [*options.participants, *options.sessions, *kinds]
        asked += [f"the filter {options.filter_file}"] if scan_filter else []
        raise _nothing_to_segment(source, dataset, asked)
    unusable = tuple(p for p in dataset.problems if p.severity == "skipped")
    return _Job(
        out,
        dataset.root,
        images,
        unusable,
        request.prompts,
        request.targets,
        force=options.force,
        choice=(*options.suffixes, *([scan_filter.text] if scan_filter else [])),
        some=bool(options.participants or options.sessions),
        together=tuple(options.together),
        program=request.program,
        share=_share_of(images, _parse_shard(options.shard, _os.environ))
        if options.shard
        else None,
    )


def _with_kinds(options: SegmentOptions, kinds: _Sequence[str]) -> SegmentOptions:
    """The scans that a program names, where it names any."""
    chosen = {kind.lower() for kind in (*options.suffixes, *options.together)}
    if not kinds:
        return options
    if chosen and chosen != {kind.lower() for kind in kinds}:
        raise _UsageError(
            f"The prompt asks for {', '.join(kinds)}, the options for"
            f" {', '.join((*options.suffixes, *options.together))}.",
            remedy="Leave out --suffix and --together, or do not name scans in the prompt.",
        )
    if len(kinds) == 1:
        return _replace(options, suffixes=tuple(kinds), together=())
    return _replace(options, suffixes=(), together=tuple(kinds))


def _open_segmenter(options: SegmentOptions) -> _Segments:
    from medprompt_cli.segmentation.segmenter import Segmenter

    return Segmenter(
        device=options.device, weights=options.weights, memory_gb=options.memory_gb
    )
