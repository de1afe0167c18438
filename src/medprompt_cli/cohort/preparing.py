"""What a run is to do: which images of a dataset, and the plan that is written down."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.filter_file import read_filter
from medprompt_cli.cohort.choosing import check_together, check_visible, nothing_to_segment
from medprompt_cli.cohort.memory import allowance
from medprompt_cli.cohort.options import SegmentOptions
from medprompt_cli.cohort.output_folder import check_output_folder
from medprompt_cli.cohort.run import Job
from medprompt_cli.cohort.shards import parse_shard, share_of
from medprompt_cli.cohort.units import choose
from medprompt_cli.errors import UsageError
from medprompt_cli.execution.program import check_runnable
from medprompt_cli.execution.segment import Segments
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.plan_file import Plan, WeightsUsed, language_of
from medprompt_cli.planning.requests import Request


def as_plan(request: Request, plan: Plan | None, segmenter: Segments) -> Plan:
    """The plan to write down.

    Raises:
        WeightsError: If a plan that was given was made for other weights.
    """
    used = WeightsUsed(
        segmenter.weights_name, segmenter.weights_version, segmenter.weights_sha256
    )
    if plan is not None:
        plan.check_weights(used)
        return plan
    names = tuple(target.name for target in request.targets)
    program = request.program or compose(Intent(names))
    prompt = "; ".join(request.prompts)
    return Plan(prompt, program, used, language_of(prompt))


def plan_job(source: Path, out: Path, request: Request, options: SegmentOptions) -> Job:
    """The images to segment, and how.

    Raises:
        UsageError: If options do not go together, or results may not go to `out`.
        InputError: If there is no image to segment.
        WeightsError: If the weights see nothing of what is asked for.
    """
    check_visible(request.targets)
    if request.program is not None:
        options = _with_kinds(options, check_runnable(request.program))
    check_together(options.together, options.suffixes)
    dataset = open_dataset(
        source, subjects=options.participants or None, sessions=options.sessions or None
    )
    whole = dataset.root if dataset.kind in {"bids", "folder"} else source
    check_output_folder(out, whole, is_bids=dataset.kind == "bids")
    kinds = options.together or options.suffixes
    # of a dataset every scan of anatomy, of other sources what a person put there
    images = choose(dataset.images, kinds, diffusion=dataset.kind != "bids")
    scan_filter = options.filter_file and read_filter(Path(options.filter_file))
    if scan_filter:
        images = scan_filter.among(images)
    if not images:
        kinds = (*options.suffixes, *options.together)
        asked = [*options.participants, *options.sessions, *kinds]
        asked += [f"the filter {options.filter_file}"] if scan_filter else []
        raise nothing_to_segment(source, dataset, asked)
    unusable = tuple(p for p in dataset.problems if p.severity == "skipped")
    return Job(
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
        intervals=options.intervals,
        memory=allowance(options.memory_gb),
        hash=options.hash,
        share=share_of(images, parse_shard(options.shard, os.environ))
        if options.shard
        else None,
    )


def _with_kinds(options: SegmentOptions, kinds: Sequence[str]) -> SegmentOptions:
    """The scans that a program names, where it names any."""
    chosen = {kind.lower() for kind in (*options.suffixes, *options.together)}
    if not kinds:
        return options
    if chosen and chosen != {kind.lower() for kind in kinds}:
        raise UsageError(
            f"The prompt asks for {', '.join(kinds)}, the options for"
            f" {', '.join((*options.suffixes, *options.together))}.",
            remedy="Leave out --suffix and --together, or do not name scans in the prompt.",
        )
    if len(kinds) == 1:
        return replace(options, suffixes=tuple(kinds), together=())
    return replace(options, suffixes=(), together=tuple(kinds))
