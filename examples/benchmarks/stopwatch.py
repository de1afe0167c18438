"""What the benchmarks of training share: clocks, and where and when they ran."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch
from common import cores, processor

from medprompt_cli.segmentation.device import device_label


def seconds_of(action: Callable[[], object], device: torch.device) -> float:
    """Seconds that `action` takes, until the device has done it all."""
    synchronise(device)
    began = time.perf_counter()
    action()
    synchronise(device)
    return time.perf_counter() - began


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def interleaved(
    actions: Mapping[str, Callable[[], object]], repeats: int, device: torch.device
) -> dict[str, list[float]]:
    """Seconds of every action, `repeats` times in turn, after one turn to warm up.

    What else the machine does hits all of them alike.
    """
    found: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(repeats + 1):
        for name, action in actions.items():
            seconds = seconds_of(action, device)
            if turn:
                found[name].append(seconds)
    return found


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def setting(device: torch.device, threads: int) -> str:
    """When, on what, and with how many threads."""
    used = f"{threads} thread{'s' if threads > 1 else ''}"
    name = f"{processor(Path('/proc/cpuinfo'))}, {cores()} cores, {used}"
    where = name if device.type == "cpu" else f"{device_label(device)}, {name}"
    return f"{datetime.now(UTC).date().isoformat()}, {where}, torch {torch.__version__}"
