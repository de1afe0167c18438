"""A small dataset, and a run of it without a network."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from medprompt_cli import api
from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.cohort import apart
from medprompt_cli.cohort.run import Job, run_job
from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.plan_file import Plan, WeightsUsed, write_plan
from medprompt_cli.planning.vocabulary import resolve

PROMPTS = ("left hippocampus", "ventricles")


@pytest.fixture(autouse=True)
def no_power_cuts(monkeypatch):
    """Do not wait for the disk: processes die in these tests, the machine does not."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def bids(tmp_path, save_scan) -> Path:
    """Three subjects; the second has two scans."""
    root = tmp_path / "bids"
    for stem in (
        "sub-01/anat/sub-01_T1w",
        "sub-02/anat/sub-02_T1w",
        "sub-02/anat/sub-02_run-2_T1w",
        "sub-03/anat/sub-03_FLAIR",
    ):
        save_scan(root / f"{stem}.nii.gz", "left-hippocampus", "left-lateral-ventricle")
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.11.0"}')
    return root


@pytest.fixture
def out(tmp_path) -> Path:
    """Where results go."""
    return tmp_path / "out"


@pytest.fixture
def run(bids, out, threshold_segmenter) -> Callable:
    """Run the dataset; say what became of every image by its name."""

    def run_dataset(
        *prompts, force=False, segmenter=threshold_segmenter, subjects=None, **more
    ):
        prompts = prompts or PROMPTS
        dataset = open_dataset(bids, subjects=subjects)
        unusable = tuple(p for p in dataset.problems if p.severity == "skipped")
        asked = prompts, resolve(prompts)
        job = Job(out, dataset.root, dataset.images, unusable, *asked, force=force, **more)
        return run_job(job, segmenter)

    return run_dataset


@pytest.fixture
def all_seeing(monkeypatch, threshold_segmenter) -> None:
    """`api.segment` has weights that see every lesion, and no network."""
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)


@pytest.fixture
def run_plan(out, all_seeing, threshold_segmenter) -> Callable:
    """`api.segment` of a program."""
    used = WeightsUsed(
        threshold_segmenter.weights_name,
        threshold_segmenter.weights_version,
        threshold_segmenter.weights_sha256,
    )

    def segment(source, program):
        plan = out.with_name("plan.json")
        write_plan(plan, Plan("what is asked", parse(program), used))
        return api.segment(source, out, (), api.SegmentOptions(plan=plan))

    return segment


@pytest.fixture
def no_processes(monkeypatch) -> list[str]:
    """Cases that are to be done in a process of their own are done here; return their names."""
    names = []

    def do_here(runner, unit):
        names.append(unit.name)
        return apart.whole(runner, unit)

    monkeypatch.setattr(apart, "in_a_process", do_here)
    return names


@pytest.fixture
def statuses() -> Callable[..., dict[str, str]]:
    """What became of every image, by its name."""

    def by_name(summary):
        return {outcome.name: outcome.status for outcome in summary.outcomes}

    return by_name
