"""What the commands do, for scripts and notebooks: the same work, nothing printed.

>>> from medprompt_cli.api import SegmentOptions, segment
>>> done = segment("bids", "out", ["ventricles"])  # doctest: +SKIP
>>> [mask for outcome in done.outcomes for mask in outcome.masks]  # doctest: +SKIP
>>> open_cohort("out").tables.measurements.head()  # doctest: +SKIP
"""

from __future__ import annotations

import os as _os
from collections.abc import Iterator as _Iterator
from collections.abc import Sequence as _Sequence
from contextlib import contextmanager as _contextmanager
from dataclasses import replace as _replace
from pathlib import Path as _Path

from medprompt_cli.bids.dataset import open_dataset as _open_dataset
from medprompt_cli.cohort.asking import Asked, AskOptions, ask
from medprompt_cli.cohort.calibrating import Calibrated
from medprompt_cli.cohort.calibrating import run_calibration as _run_calibration
from medprompt_cli.cohort.fate_answers import asked_fates as _asked_fates
from medprompt_cli.cohort.given import GivenMasks as _GivenMasks
from medprompt_cli.cohort.given import taken_as_given as _taken_as_given
from medprompt_cli.cohort.longitudinal import LongitudinalJob as _LongitudinalJob
from medprompt_cli.cohort.longitudinal import LongitudinalSummary, SubjectOutcome
from medprompt_cli.cohort.longitudinal import followed_request as _followed_request
from medprompt_cli.cohort.longitudinal import limits_from as _limits_from
from medprompt_cli.cohort.longitudinal import run_longitudinal as _run_longitudinal
from medprompt_cli.cohort.masks import MaskJob as _MaskJob
from medprompt_cli.cohort.masks import measure_masks as _measure_masks
from medprompt_cli.cohort.memory import allowance as _allowance
from medprompt_cli.cohort.opened import CohortTables, OpenCohort
from medprompt_cli.cohort.opened import open_output as _open_output
from medprompt_cli.cohort.options import LongitudinalOptions, MeasureOptions, SegmentOptions
from medprompt_cli.cohort.outcome import Failure, Outcome, Summary
from medprompt_cli.cohort.preparing import as_plan as _as_plan
from medprompt_cli.cohort.preparing import plan_job as _plan_job
from medprompt_cli.cohort.reporting import Reported, ReportOptions, ReportSummary
from medprompt_cli.cohort.reporting import write_reports as _write_reports
from medprompt_cli.cohort.run import AGAIN as _AGAIN
from medprompt_cli.cohort.run import run_job as _run_job
from medprompt_cli.cohort.signals import with_white_matter as _with_white_matter
from medprompt_cli.cohort.status import CaseStatus, Status
from medprompt_cli.cohort.status import status_of as _status_of
from medprompt_cli.cohort.stop import StopRequested as _StopRequested
from medprompt_cli.cohort.stop import stoppable as _stoppable
from medprompt_cli.cohort.subject import find_misfits
from medprompt_cli.cohort.tables import gather as _gather
from medprompt_cli.cohort.visits import find_courses as _find_courses
from medprompt_cli.cohort.visits import scans_of as _scans_of
from medprompt_cli.cohort.wanted import wanted_of as _wanted_of
from medprompt_cli.errors import PreemptedError as _PreemptedError
from medprompt_cli.errors import UsageError as _UsageError
from medprompt_cli.execution.segment import Segments as _Segments
from medprompt_cli.language.chat import Endpoint
from medprompt_cli.planning.plan_file import Plan as _Plan
from medprompt_cli.planning.plan_file import read_plan as _read_plan
from medprompt_cli.planning.prompt_model import load_prompt_model as _load_prompt_model
from medprompt_cli.planning.requests import Request as _Request
from medprompt_cli.planning.requests import of_program as _of_program
from medprompt_cli.planning.requests import understand as _understand

__all__ = [
    "AskOptions",
    "Asked",
    "Calibrated",
    "CaseStatus",
    "CohortTables",
    "Endpoint",
    "Failure",
    "LongitudinalOptions",
    "LongitudinalSummary",
    "MeasureOptions",
    "OpenCohort",
    "Outcome",
    "ReportOptions",
    "ReportSummary",
    "Reported",
    "SegmentOptions",
    "Status",
    "SubjectOutcome",
    "Summary",
    "ask",
    "calibrate",
    "find_misfits",
    "find_subjects",
    "longitudinal",
    "measure",
    "open_cohort",
    "report",
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
    with _told_if_stopped(), _stoppable():
        request, plan = _understood(prompts, options)
        job = _plan_job(_Path(source), _Path(out), request, options)
        segmenter = _open_segmenter(options)
        job = _replace(job, plan=_as_plan(request, plan, segmenter))
        return _replace(_run_job(job, segmenter), unused_words=request.unused_words)


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
    with _told_if_stopped(), _stoppable():
        followed, segmenter = _plan_visits(source, out, prompts, options)
    return _run_longitudinal(
        _replace(followed, limits=limits, affine=options.affine), segmenter
    )


def calibrate(
    source: str | _os.PathLike[str],
    out: str | _os.PathLike[str],
    prompts: _Sequence[str] = ("all",),
    options: SegmentOptions | None = None,
) -> Calibrated:
    """Learn this method's own noise of people who were scanned twice.

    Args:
        source: A BIDS dataset, a folder of images, or a manifest; the scans of a pair are
            sessions of one subject.
        out: The output folder; one that `segment` wrote to is gone on with.
        prompts: As of `segment`.
        options: How.

    Returns:
        What was learnt, and the file of limits for `longitudinal`.

    Raises:
        UsageError, InputError, WeightsError, DeviceError, OutputError, PreemptedError: As
            `segment`; InputError also if nobody was scanned twice, or kinds would be mixed.
    """
    options = options or SegmentOptions()
    with _told_if_stopped(), _stoppable():
        pairs, segmenter = _plan_visits(source, out, prompts, options, least=2)
    return _run_calibration(pairs.job, pairs.courses, pairs.metadata, segmenter)


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
        options.connectivity,
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


def report(out: str | _os.PathLike[str], options: ReportOptions | None = None) -> ReportSummary:
    """Write a report of every subject of an output folder, from its tables.

    Args:
        out: What `segment` or `longitudinal` wrote to.
        options: What reports are to be like; English, of all, with pages, if None.

    Returns:
        The files of every subject; one that failed is in there with its reason.

    Raises:
        InputError: If nothing was measured there, or the limits cannot be read.
        UsageError: If a subject or a region is not known.
        OutputError: If a file cannot be written.
    """
    return _write_reports(_Path(out), options or ReportOptions())


def open_cohort(out: str | _os.PathLike[str]) -> OpenCohort:
    """Open an output folder to work with what is there: tables, masks, images, status.

    >>> cohort = open_cohort("out")  # doctest: +SKIP
    >>> cohort.tables.measurements.query("quantity == 'volume'")  # doctest: +SKIP
    >>> cohort.masks(subject="01", region="left hippocampus")  # doctest: +SKIP

    Args:
        out: What `segment`, `longitudinal` or `measure` wrote to.

    Raises:
        InputError: If it holds nothing of medprompt.
    """
    return _open_output(_Path(out))


def status(out: str | _os.PathLike[str]) -> Status:
    """How far a folder is that `segment` writes to: what is done, failed, to do or stale.

    Raises:
        InputError: If no run has begun there.
    """
    return _status_of(_Path(out))


@_contextmanager
def _told_if_stopped() -> _Iterator[None]:
    """Turn a signal that came before the first image into an error that says so."""
    try:
        yield
    except _StopRequested as request:
        raise _PreemptedError(
            f"{request.signal_name} stopped the run before its first image.", remedy=_AGAIN
        ) from request


def _plan_visits(
    source: str | _os.PathLike[str],
    out: str | _os.PathLike[str],
    prompts: _Sequence[str],
    options: SegmentOptions,
    least: int = 1,
) -> tuple[_LongitudinalJob, _Segments]:
    """The visits of every subject with `least` of them, one kind of scan at each."""
    given = options.masks if isinstance(options, LongitudinalOptions) else None
    request, plan = _understood(prompts, options)
    fates = _asked_fates(request)
    request = _followed_request(request)
    request = request if given is None else _taken_as_given(request)
    job = _plan_job(_Path(source), _Path(out), request, options)
    dataset = _open_dataset(
        _Path(source),
        subjects=options.participants or None,
        sessions=options.sessions or None,
    )
    names = [target.name for target in request.targets]
    found = _find_courses(job.images, names, job.together)
    courses = [course for course in found if len(course.visits) >= least]
    if isinstance(options, LongitudinalOptions) and given is None:
        request = _with_white_matter(request, courses, job.out, job.basis_id)
    segmenter = _open_segmenter(options) if given is None else _GivenMasks(_Path(given))
    job = _replace(
        job,
        images=_scans_of(courses),
        targets=request.targets,
        choice=job.choice or ("one kind a subject",),
        plan=_as_plan(request, plan, segmenter),
    )
    return _LongitudinalJob(
        *(job, courses, dataset.participants, lambda scan: dataset.metadata(scan).values),
        fates=fates,
    ), segmenter


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


def _open_segmenter(options: SegmentOptions) -> _Segments:
    from medprompt_cli.segmentation.portable import PortableSegmenter

    tiles_gb = _allowance(options.memory_gb).tile_gb
    return PortableSegmenter(device=options.device, weights=options.weights, memory_gb=tiles_gb)
