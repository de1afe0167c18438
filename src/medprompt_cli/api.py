"""What the commands do, for scripts and notebooks: the same work, nothing printed.

>>> from medprompt_cli.api import SegmentOptions, segment
>>> done = segment("bids", "out", ["ventricles"])  # doctest: +SKIP
>>> [mask for outcome in done.outcomes for mask in outcome.masks]  # doctest: +SKIP
"""

from __future__ import annotations

import os as _os
from collections.abc import Sequence as _Sequence
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from pathlib import Path as _Path

from medprompt_cli.bids.dataset import Dataset as _Dataset
from medprompt_cli.bids.dataset import open_dataset as _open_dataset
from medprompt_cli.cohort.outcome import Failure, Outcome, Summary
from medprompt_cli.cohort.output_folder import check_output_folder as _check_output_folder
from medprompt_cli.cohort.run import AGAIN as _AGAIN
from medprompt_cli.cohort.run import Job as _Job
from medprompt_cli.cohort.run import run_job as _run_job
from medprompt_cli.cohort.stop import StopRequested as _StopRequested
from medprompt_cli.cohort.stop import stoppable as _stoppable
from medprompt_cli.cohort.units import choose as _choose
from medprompt_cli.errors import InputError as _InputError
from medprompt_cli.errors import PreemptedError as _PreemptedError
from medprompt_cli.errors import UsageError as _UsageError
from medprompt_cli.errors import WeightsError as _WeightsError
from medprompt_cli.execution.segment import Segments as _Segments
from medprompt_cli.planning.vocabulary import Target as _Target
from medprompt_cli.planning.vocabulary import resolve as _resolve

__all__ = ["Failure", "Outcome", "SegmentOptions", "Summary", "segment"]


@_dataclass(frozen=True)
class SegmentOptions:
    """How to segment; the defaults suit a whole dataset on whatever machine there is.

    Attributes:
        participants: Subjects to do, with or without `sub-`; none means all.
        sessions: Sessions to do, with or without `ses-`; none means all.
        suffixes: Kinds of scan to do, e.g. `T1w`; none means every scan of anatomy.
        together: Kinds of scan, e.g. `FLAIR` and `T1w`, of which those of one session are
            read together and give one result; none means each scan by itself.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        weights: A name of weights.toml or a file; None for the bundled weights.
        memory_gb: What one image may take beyond the weights; None for the default.
        force: Do again what is done, and overwrite what was changed by hand.
    """

    participants: _Sequence[str] = _field(default=())
    sessions: _Sequence[str] = ()
    suffixes: _Sequence[str] = ()
    device: str = "auto"
    weights: str | _Path | None = None
    memory_gb: float | None = None
    force: bool = False
    together: _Sequence[str] = ()


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
        prompts: Names of regions, such as `left hippocampus`, `ventricles` or `all`.
        options: How.

    Returns:
        What became of every image. One that failed is in there with its reason, and so is
        what stopped the run, if anything did.

    Raises:
        UsageError: If a prompt names nothing, or results may not go to `out`.
        InputError: If there is no image to segment.
        WeightsError: If the weights cannot be had, or see nothing of what is asked for.
        DeviceError: If the device is not there.
        OutputError: If nothing can be written to `out`.
        PreemptedError: If a signal stopped the run before the first image.
    """
    options = options or SegmentOptions()
    try:
        with _stoppable():
            job = _plan_job(_Path(source), _Path(out), prompts, options)
            return _run_job(job, _open_segmenter(options))
    except _StopRequested as request:
        raise _PreemptedError(
            f"{request.signal_name} stopped the run before its first image.", remedy=_AGAIN
        ) from request


def _plan_job(
    source: _Path, out: _Path, prompts: _Sequence[str], options: SegmentOptions
) -> _Job:
    targets = _resolve(prompts)
    _check_visible(targets)
    _check_together(options)
    dataset = _open_dataset(
        source, subjects=options.participants or None, sessions=options.sessions or None
    )
    whole = dataset.root if dataset.kind in {"bids", "folder"} else source
    _check_output_folder(out, whole, is_bids=dataset.kind == "bids")
    images = _choose(dataset.images, options.together or options.suffixes)
    if not images:
        raise _nothing_to_segment(source, dataset, options)
    unusable = tuple(p for p in dataset.problems if p.severity == "skipped")
    return _Job(
        out,
        dataset.root,
        images,
        unusable,
        tuple(prompts),
        targets,
        force=options.force,
        filtered=bool(options.participants or options.sessions or options.suffixes),
        together=tuple(options.together),
    )


def _check_visible(targets: _Sequence[_Target]) -> None:
    if not any(target.visible for target in targets):
        lesion = any(target.kind == "lesion" for target in targets)
        raise _WeightsError(
            f"The weights cannot see {', '.join(target.name for target in targets)}.",
            remedy="Ask for what they can see, such as "
            + ("'lesion', which is any." if lesion else "'left hippocampus'."),
        )


def _check_together(options: SegmentOptions) -> None:
    kinds = {kind.lower() for kind in options.together}
    if options.together and options.suffixes:
        raise _UsageError(
            f"Only {', '.join(options.suffixes)} is to be segmented, and "
            f"{', '.join(options.together)} together.",
            remedy="Name the scans that are to be read together, and no other suffix.",
        )
    if options.together and len(kinds) < max(2, len(options.together)):
        raise _UsageError(
            f"{', '.join(options.together)} cannot be read together: "
            "these are not two or more kinds of scan.",
            remedy="Name each kind once, such as FLAIR,T1w.",
        )


def _nothing_to_segment(
    source: _Path, dataset: _Dataset, options: SegmentOptions
) -> _InputError:
    """Say why there is no image: the first thing wrong with one, or what was asked for."""
    unusable = [p for p in dataset.problems if p.severity == "skipped"]
    if unusable:
        first = unusable[0]
        return _InputError(
            f"{source} holds no usable image. {first.path}: {first.message}",
            remedy=first.remedy,
            code=first.code,
        )
    kinds = (*options.suffixes, *options.together)
    asked = [*options.participants, *options.sessions, *kinds]
    limited = f" of {', '.join(asked)}" if asked else ""
    return _InputError(
        f"{source} holds no image{limited}.",
        remedy=f"See what is there with: medprompt check {source}",
        code="no-images",
    )


def _open_segmenter(options: SegmentOptions) -> _Segments:
    from medprompt_cli.segmentation.segmenter import Segmenter

    return Segmenter(
        device=options.device, weights=options.weights, memory_gb=options.memory_gb
    )
