"""Where the time of a cohort goes, stage by stage, and how it grows with what is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.cohort.bench_data import (
    STREAM_SUFFIXES,
    BenchHead,
    with_slices,
    write_cohort,
    write_head,
)
from medprompt_cli.cohort.machine import Machine, measure_machine
from medprompt_cli.domain.anatomy import BASE_NAMES
from medprompt_cli.errors import MedpromptError

STAGES = {
    "read": ("read",),
    "network": ("coarse", "fine"),
    "post": ("prepare", "labels"),
    "measure": ("measure",),
    "write": ("write",),
}
"""Stages of the table, and the stages of a case's record that each is the sum of."""

KIBIBYTE = 1024 if sys.platform == "linux" else 1
"""Unit of the peak memory that the system tells. Source: getrusage(2) of Linux and macOS."""


@dataclass(frozen=True)
class BenchOptions:
    """What to time.

    Attributes:
        subjects: Sizes of cohorts.
        targets: Numbers of structures that are asked for.
        streams: Numbers of images that are read together.
        slices_mm: Slice thicknesses.
        small: Whether heads have coarse grids.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
    """

    subjects: Sequence[int] = (1, 10, 100)
    targets: Sequence[int] = (1, 8, 32)
    streams: Sequence[int] = (1, 2, 4)
    slices_mm: Sequence[int] = (1, 3, 5)
    small: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class Run:
    """One cohort, segmented in a process of its own.

    Attributes:
        subjects: How many there are.
        targets: How many structures were asked for.
        streams: Images that were read together of each.
        slices_mm: Slice thickness relative to the head's own, which is 1.
        wall_s: From the start of the process to its end.
        index_s: Finding the images, timed apart.
        seconds: Of the stages of `STAGES`, summed over subjects; stages overlap.
        read_bytes: Size of the images.
        written_bytes: Size of all results but records.
        network_flops: Operations of the network's convolutions and products for one
            subject.
        peak_bytes: Most memory that the process held at once.
        device_busy: Share of the time from the first image that is read to the last result
            that is written in which the device computed.
    """

    subjects: int
    targets: int
    streams: int
    slices_mm: int
    wall_s: float
    index_s: float
    seconds: dict[str, float]
    read_bytes: int
    written_bytes: int
    network_flops: int
    peak_bytes: int
    device_busy: float

    @property
    def subjects_per_hour(self) -> float:
        """How many are done in an hour at this rate, the start of the process included."""
        return 3600 * self.subjects / self.wall_s

    @property
    def overlap(self) -> float:
        """Wall time over the larger of network time and reading plus writing time."""
        files = self.seconds["read"] + self.seconds["write"]
        return self.wall_s / max(self.seconds["network"], files)

    def share_of(self, machine: Machine) -> dict[str, float | None]:
        """What of the machine's best each stage reaches, from 0 to 1.

        None of a stage that took less time than is kept, a thousandth of a second.
        """
        best = {
            "network": self.network_flops * self.subjects / machine.convolution_flops,
            "read": self.read_bytes / machine.decompress_bytes,
            "write": self.written_bytes / machine.write_bytes,
        }
        return {
            stage: seconds / self.seconds[stage] if self.seconds[stage] else None
            for stage, seconds in best.items()
        }

    def as_json(self, machine: Machine) -> dict[str, Any]:
        """All of it, for a machine to read."""
        return {
            **vars(self),
            "subjects_per_hour": self.subjects_per_hour,
            "overlap": self.overlap,
            "share": self.share_of(machine),
        }


@dataclass
class Bench:
    """Runs cohorts in a folder.

    Attributes:
        folder: To work in.
        options: What to time.
    """

    folder: Path
    options: BenchOptions
    _flops: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def run(self, report: Callable[[Run], None]) -> tuple[Machine, list[Run]]:
        """Time everything; each run is also told when it ends."""
        machine = measure_machine(self.folder, self.options.device)
        head = write_head(self.folder, small=self.options.small)
        runs: list[Run] = []
        for case in self._cases():
            runs.append(self._run_case(head, *case))
            report(runs[-1])
        return machine, runs

    def _cases(self) -> list[tuple[int, int, int, int]]:
        """Subjects, targets, streams and slices of every run; each combination once."""
        most = max(self.options.targets)
        cases = [(n, most, 1, 1) for n in self.options.subjects]
        cases += [(1, n, 1, 1) for n in self.options.targets]
        cases += [(1, most, n, 1) for n in self.options.streams]
        cases += [(1, most, 1, n) for n in self.options.slices_mm]
        return list(dict.fromkeys(cases))

    def _run_case(
        self, head: BenchHead, subjects: int, targets: int, streams: int, slices: int
    ) -> Run:
        name = f"{subjects}-{targets}-{streams}-{slices}"
        thick = with_slices(head, self.folder / f"slices-{name}", slices)
        bids = write_cohort(thick, self.folder / f"bids-{name}", subjects, streams)
        begin = time.perf_counter()
        images = open_dataset(bids).images
        index_s = time.perf_counter() - begin
        wall_s, peak, told = self._segment(bids, targets, streams)
        out = bids.with_name(f"{bids.name}-out")
        records = [json.loads(path.read_bytes()) for path in (out / "logs").glob("sub-*.json")]
        done = [record for record in records if record["status"] == "done"]
        if len(done) != subjects:
            raise MedpromptError(
                f"{len(done)} of {subjects} computed heads could be segmented.",
                remedy=f"Look into {out / 'logs'}.",
            )
        return Run(
            subjects,
            targets,
            streams,
            slices,
            wall_s,
            index_s,
            {
                stage: sum(r["seconds"].get(part, 0.0) for r in done for part in parts)
                for stage, parts in STAGES.items()
            },
            sum(image.path.stat().st_size for image in images),
            sum(size for record in done for size in record["outputs"].values()),
            self._network_flops(thick, targets, streams, slices),
            peak,
            told["device_busy"],
        )

    def _segment(
        self, bids: Path, targets: int, streams: int
    ) -> tuple[float, int, dict[str, Any]]:
        """Run the command; wall time in seconds, most memory in bytes, its summary."""
        prompt = ", ".join(name.replace("-", " ") for name in BASE_NAMES[:targets])
        words = [sys.executable, "-m", "medprompt_cli", "segment", str(bids), f"{bids}-out"]
        words += ["-p", prompt, "--device", self.options.device, "--json"]
        if streams > 1:
            words += ["--together", ",".join(STREAM_SUFFIXES[:streams])]
        said, summary = self.folder / "stderr.txt", self.folder / "stdout.txt"
        with said.open("wb") as complaints, summary.open("wb") as told:
            begin = time.perf_counter()
            process = subprocess.Popen(words, stdout=told, stderr=complaints)
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise MedpromptError(
                f"medprompt segment ended with {process.returncode}: {said.read_text()}",
                remedy="Run medprompt segment on the output of medprompt demo.",
            )
        return wall_s, usage.ru_maxrss * KIBIBYTE, json.loads(summary.read_bytes())

    def _network_flops(self, head: BenchHead, targets: int, streams: int, slices: int) -> int:
        key = (targets, streams, slices)
        if key not in self._flops:
            self._flops[key] = count_flops(head, targets, streams, self.options.device)
        return self._flops[key]


def count_flops(head: BenchHead, targets: int, streams: int, device: str) -> int:
    """Operations of convolutions and linear layers while one head is segmented.

    Two, a product and a sum, for each weight that an output voxel is made with.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    from medprompt_cli.bids.images import read_image
    from medprompt_cli.planning.vocabulary import resolve
    from medprompt_cli.segmentation.segmenter import Segmenter

    layers = {torch.ops.aten.conv3d.default, torch.ops.aten.linear.default}
    counted: list[int] = []

    class Counter(TorchDispatchMode):
        # torch's FlopCounterMode knows neither of the two as inference calls them
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: ANN001, ANN204 - torch's
            found = func(*args, **(kwargs or {}))
            if func in layers:
                counted.append(2 * found.numel() * args[1][0].numel())
            return found

    volumes = [read_image(path) for path in list(head.scans.values())[:streams]]
    segmenter = Segmenter(device=device)
    with Counter():
        segmenter.segment(volumes, resolve(BASE_NAMES[:targets]))
    return sum(counted)
