"""Time the one pass that measures every label of a label map, and print a line.

    python examples/benchmarks/measure.py
    python examples/benchmarks/measure.py --orientation LIA --percentiles

Measured are the volumes, boxes and centroids of the labels, and mean and standard deviation
of an image in each; with --percentiles also the 5th, 50th and 95th. The labels fill an
ellipsoid that takes 30 % of the grid, about what a head takes of its image. The pass runs on
one core; the best and the median of some repeats are printed, and the median of the time
that this core computed for it, which other work on the machine prolongs little.
"""

from __future__ import annotations

import os
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import cores, processor

from medprompt_cli.domain.geometry import WORLD_AXES, Geometry, from_canonical
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.measurement.labels import measure_labels

HALF_AXES = (0.41, 0.46, 0.385)
"""Of the ellipsoid, in shares of the grid: 0.3 of its volume."""

BLOCKS, STEPS = 16, (7, 31, 53)
"""Blocks along each axis, and how far the label moves on from one to the next."""

PERCENTS = (5.0, 50.0, 95.0)


def draw(size: int, labels: int, orientation: str) -> tuple[LabelMap, Volume]:
    """An ellipsoid of small blocks, each of some label, and an image of it with noise."""
    at = np.meshgrid(*[np.linspace(-0.5, 0.5, size, dtype=np.float32)] * 3, indexing="ij")
    inside = sum((x / half) ** 2 for x, half in zip(at, HALF_AXES, strict=True)) <= 1
    block = sum(step * np.floor(BLOCKS * (x + 0.5)) for x, step in zip(at, STEPS, strict=True))
    ids = np.where(inside, np.int64(block) % labels + 1, 0).astype(np.uint16)
    noise = np.random.default_rng(0).normal(0, 10, ids.shape)
    image = (100.0 + ids + noise).astype(np.float32)
    grid = Geometry(ids.shape, affine_of(orientation, size))
    names = {n: f"label-{n}" for n in range(1, labels + 1)}
    stored = (np.asfortranarray(from_canonical(voxels, grid)) for voxels in (ids, image))
    return LabelMap(next(stored), grid, names), Volume(next(stored), grid)


def affine_of(orientation: str, size: int) -> np.ndarray:
    """1 mm voxels whose axes point where the three letters say, around the middle."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, letter in enumerate(orientation):
        world = next(n for n, ends in enumerate(WORLD_AXES) if letter in ends)
        affine[world, axis] = 1 if letter == WORLD_AXES[world][1] else -1
    affine[:3, 3] = -affine[:3, :3] @ np.full(3, (size - 1) / 2)
    return affine


def main(
    size: Annotated[int, typer.Option(help="Voxels along each axis.")] = 256,
    labels: Annotated[int, typer.Option(help="How many labels.")] = 100,
    orientation: Annotated[str, typer.Option(help="Where the file's axes point.")] = "RAS",
    repeats: Annotated[int, typer.Option(min=1, help="Runs.")] = 9,
    *,
    percentiles: Annotated[bool, typer.Option("--percentiles", help="Those too.")] = False,
) -> None:
    """Time the measuring of all labels of a computed label map."""
    map_, image = draw(size, labels, orientation)
    found = measure_labels(map_, image)
    seconds: list[float] = []
    busy: list[float] = []
    for _ in range(repeats):
        began, computed = time.perf_counter(), time.process_time()
        found = measure_labels(map_, image, PERCENTS if percentiles else ())
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - computed)
    count, filled = np.count_nonzero(found.voxels), int(found.voxels.sum())
    what = "volumes, boxes, centroids, means, SDs" + ", 3 percentiles" * percentiles
    where = (
        f"{processor(Path('/proc/cpuinfo'))}, {cores()} cores, load {os.getloadavg()[0]:.1f}"
    )
    typer.echo(
        f"{count} labels in {filled / 1e6:.1f} million of {size}³ voxels, {orientation}: {what}"
        f" in {min(seconds):.2f} s at best, {statistics.median(seconds):.2f} s in the median of"
        f" {repeats}, of which computing {statistics.median(busy):.2f} s"
        f" ({datetime.now(UTC).date()}, {where})"
    )


if __name__ == "__main__":
    typer.run(main)
