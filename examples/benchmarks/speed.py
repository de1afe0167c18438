"""Time `medprompt segment` beside a U-Net of SynthSeg's size, and fill the README's table.

    python examples/benchmarks/speed.py IMAGE --readme README.md

Each part runs in a process of its own, one after the other, so that its wall time and its
peak memory are its own. Without IMAGE a head of 256³ voxels of 1 mm is computed. The U-Net
has random weights, which cost what trained ones cost; it reads and writes nothing.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from torch import nn

from medprompt_cli.bids.nifti import read_header
from medprompt_cli.domain.geometry import Geometry

START, END = "<!-- speed:start -->", "<!-- speed:end -->"
GB = 1e9
CELL = 32
"""SynthSeg pads every axis to a multiple of this many voxels of 1 mm."""

FEATURES, LEVELS, OUTPUTS = 24, 5, 33
"""Channels at the first level, doubled at each next; levels; structures and background.

Source: SynthSeg, Billot et al., Medical Image Analysis 2023, and its predict.py.
"""

PEAK_CHANNELS = 216
"""Full-size channels alive at the worst moment of the U-Net: 48 upsampled and 24 skipped,
both copied into 72, and as many again where the convolution reorders them."""

SPARE = 0.85
"""Share of the free memory that the U-Net may fill."""


@dataclass(frozen=True)
class Timing:
    """What one part cost.

    Attributes:
        name: What ran.
        wall_s: From the start of its process to its end; None if not all of it ran.
        network_s: The network alone.
        peak_gb: Most memory held at once.
        note: How it was run, if not simply.
    """

    name: str
    wall_s: float | None
    network_s: float
    peak_gb: float
    note: str = ""


class Level(nn.Sequential):
    """Two convolutions with ELU, then batch normalisation, as SynthSeg has them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv3d(inputs, outputs, 3, padding=1),
            nn.ELU(inplace=True),
            nn.Conv3d(outputs, outputs, 3, padding=1),
            nn.ELU(inplace=True),
            nn.BatchNorm3d(outputs),
        )


class PlainUNet(nn.Module):
    """The U-Net to compare with.

    Source: SynthSeg, Billot et al., Medical Image Analysis 2023.
    """

    def __init__(self, features: int = FEATURES) -> None:
        super().__init__()
        widths = [features * 2**n for n in range(LEVELS)]
        self.down = nn.ModuleList(
            Level(a, b) for a, b in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.up = nn.ModuleList(Level(3 * width, width) for width in widths[:-1])
        self.out = nn.Conv3d(features, OUTPUTS, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Posteriors, (N, 33, I, J, K), of (N, 1, I, J, K); sizes divide by 16."""
        features, skips = image, []
        for n, level in enumerate(self.down):
            features = level(F.max_pool3d(features, 2) if n else features)
            skips.append(features)
        skips.pop()
        for level in reversed(self.up):
            features = F.interpolate(features, scale_factor=2, mode="nearest")
            features = torch.cat([skips.pop(), features], dim=1)
            features = level(features)
        return self.out(features).softmax(dim=1)


WIDEST_CHANNELS = 72
"""Channels of the widest tensor: the finest skip and what comes up to it."""

LARGEST_TENSOR = 2**31
"""Bytes of the largest tensor tried: torch 2.13 crashed on a float32 one of 4.8 GB."""


def forward_seconds(size: tuple[int, int, int], precision: str) -> float:
    """Seconds of one pass of the U-Net over `size` voxels."""
    torch.manual_seed(0)
    network, image = PlainUNet().eval(), torch.rand(1, 1, *size)
    if precision == "bfloat16":
        layout = torch.channels_last_3d
        network = network.to(torch.bfloat16).to(memory_format=layout)  # type: ignore[call-overload] - no stub
        image = image.to(torch.bfloat16).contiguous(memory_format=layout)
    with torch.inference_mode():
        began = time.perf_counter()
        network(image)
        return time.perf_counter() - began


def fitting_size(
    size: tuple[int, int, int], precision: str, free: float
) -> tuple[int, int, int]:
    """The size to run: all of it, or as many slabs of the last axis as can be."""
    width = 2 if precision == "bfloat16" else 4
    slab = PEAK_CHANNELS * width * size[0] * size[1] * CELL
    widest = WIDEST_CHANNELS * width * size[0] * size[1] * CELL
    most = min(int(SPARE * free / slab), LARGEST_TENSOR // widest)
    slabs = max(1, min(size[2] // CELL, most))
    return size[0], size[1], slabs * CELL


def measured(command: list[str]) -> tuple[float, float, str]:
    """Wall seconds, peak memory in GB and stdout of a command in its own process."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}.")
        out.seek(0)
        unit = 1 if sys.platform == "darwin" else 1024
        return wall, usage.ru_maxrss * unit / GB, out.read()


def time_medprompt(image: Path, folder: Path) -> tuple[Timing, dict[str, Any]]:
    """Segment every structure of `image`; also return the record of the run."""
    command = [sys.executable, "-m", "medprompt_cli", "segment", str(image), str(folder)]
    wall, peak, _ = measured([*command, "-p", "all", "--device", "cpu"])
    record = json.loads(next((folder / "logs").glob("*.json")).read_text(encoding="utf-8"))
    stages = record["seconds"]
    network = stages["coarse"] + stages["fine"]
    return Timing("`medprompt segment IMAGE OUT -p all`", wall, network, peak), record


def time_unet(size: tuple[int, int, int], precision: str) -> Timing:
    """One pass of the U-Net; of a part, scaled by its voxels, where memory is short."""
    run = fitting_size(size, precision, free_bytes())
    what = ",".join([*(str(n) for n in run), precision])
    wall, peak, printed = measured([sys.executable, __file__, "--forward", what])
    seconds = float(printed)
    name = f"U-Net of SynthSeg's size, {precision}"
    if run == size:
        return Timing(name, wall, seconds, peak)
    share = math.prod(run) / math.prod(size)
    note = f"extrapolated from {' x '.join(str(n) for n in run)} voxels; memory of that part"
    return Timing(name, None, seconds / share, peak, note)


def median(timings: list[Timing]) -> Timing:
    """The median of each number."""
    walls = [t.wall_s for t in timings if t.wall_s is not None]
    return replace(
        timings[0],
        wall_s=statistics.median(walls) if walls else None,
        network_s=statistics.median(t.network_s for t in timings),
        peak_gb=statistics.median(t.peak_gb for t in timings),
    )


def free_bytes() -> float:
    """Memory that a new process can have."""
    described = Path("/proc/meminfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable"):
                return 1024 * float(line.split()[1])
    return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def machine() -> str:
    """Processor, cores and memory."""
    name = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists():
        lines = described.read_text(encoding="utf-8").splitlines()
        names = [
            line.partition(":")[2].strip() for line in lines if line.startswith("model name")
        ]
        name = names[0] if names else name
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GB
    return f"{name}, {len(allowed)} cores, {memory:.0f} GB"


def unet_size(shape: tuple[int, ...], spacing: tuple[float, ...]) -> tuple[int, int, int]:
    """What SynthSeg makes of an image: 1 mm voxels, padded to whole cells."""
    i, j, k = (
        math.ceil(n * s / CELL - 1e-6) * CELL for n, s in zip(shape, spacing, strict=True)
    )
    return i, j, k


def table(timings: list[Timing]) -> str:
    """Markdown; the first timing is medprompt's, which the others are compared with."""
    ours = timings[0]
    rows = [
        "| | Start to end, s | Network alone, s | Peak memory, GB |"
        " Network over medprompt's network | Network over medprompt start to end |",
        "|---|---|---|---|---|---|",
    ]
    for one in timings:
        wall = "not run whole" if one.wall_s is None else f"{one.wall_s:.1f}"
        name = f"{one.name} ({one.note})" if one.note else one.name
        ratios = [one.network_s / ours.network_s, one.network_s / (ours.wall_s or math.nan)]
        cells = [name, wall, f"{one.network_s:.2f}", f"{one.peak_gb:.2f}"]
        rows.append(f"| {' | '.join(cells + [f'{ratio:.1f}' for ratio in ratios])} |")
    return "\n".join(rows)


def between_marks(page: str, text: str) -> str:
    """`page` with `text` in place of what stands between the marks."""
    head, found, rest = page.partition(START)
    _, closed, tail = rest.partition(END)
    if not (found and closed):
        raise SystemExit(f"The page has no {START} ... {END} to write between.")
    return f"{head}{START}\n{text}\n{END}{tail}"


def write_head(path: Path, size: int) -> None:
    """Compute a T1-weighted head of `size`³ voxels of 1 mm."""
    import nibabel as nib

    from medprompt_cli.synthesis.phantom import draw
    from medprompt_cli.synthesis.phantom_frame import make_head
    from medprompt_cli.synthesis.phantom_image import T1W, scan, signal

    rng = np.random.default_rng(0)
    affine = np.eye(4)
    affine[:3, 3] = -(size - 1) / 2
    drawing = draw(Geometry((size, size, size), affine), make_head(rng), np.eye(4))
    nib.save(nib.Nifti1Image(scan(signal(drawing, T1W, rng), 0.17, rng), affine), path)


def heading(grid: Geometry, options: str, weights: dict[str, str], repeats: int) -> str:
    """On what image and machine, with what, when, and by which command."""
    shape = " x ".join(str(n) for n in grid.shape)
    spacing = " x ".join(f"{step:g}" for step in grid.spacing)
    return (
        f"One image of {shape} voxels of {spacing} mm, {machine()}, torch {torch.__version__},"
        f" weights {weights['Name']} {weights['Version']}, {datetime.now(UTC).date()}; the"
        f" median of {repeats}. By `python examples/benchmarks/speed.py {options}`:"
    )


def compare(image: Path, options: str, folder: Path, repeats: int) -> str:
    """Time every part and return the heading and the table."""
    runs = [time_medprompt(image, folder / f"out-{n}") for n in range(repeats)]
    grid = read_header(image).geometry
    size = unet_size(grid.shape, grid.spacing)
    timings = [median([timing for timing, _ in runs])]
    timings += [
        median([time_unet(size, precision) for _ in range(repeats)])
        for precision in ("float32", "bfloat16")
    ]
    return f"{heading(grid, options, runs[0][1]['weights'], repeats)}\n\n{table(timings)}"


def main(
    image: Annotated[Path | None, typer.Argument(help="T1; else a computed head.")] = None,
    size: Annotated[int, typer.Option(help="Voxels along each axis of that head.")] = 256,
    repeats: Annotated[int, typer.Option(min=1, help="Runs; the median counts.")] = 3,
    readme: Annotated[Path | None, typer.Option(help="Page to write the table into.")] = None,
    forward: Annotated[str | None, typer.Option(hidden=True, help="I,J,K,precision")] = None,
) -> None:
    """Time medprompt beside a U-Net of SynthSeg's size; print a Markdown table."""
    if forward is not None:
        *voxels, precision = forward.split(",")
        i, j, k = (int(n) for n in voxels)
        typer.echo(forward_seconds((i, j, k), precision))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = f"{image}" if image else f"--size {size}"
        if image is None:
            image = folder / "head_T1w.nii.gz"
            write_head(image, size)
        text = compare(image, options, folder, repeats)
    typer.echo(text)
    if readme is not None:
        page = between_marks(readme.read_text(encoding="utf-8"), text)
        readme.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
