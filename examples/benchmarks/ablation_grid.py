"""Thick slices on their own grid, and resampled to 1 mm first: time, memory and Dice.

    python examples/benchmarks/ablation_grid.py ../shared/data
    python examples/benchmarks/ablation_grid.py ../shared/data --scan bert --thickness 5

The scans are those of accuracy.tsv that have a truth of base structures. Axial slices are
averaged to thick ones, the truth likewise by the majority of its voxels. One way segments what
is there. The other interpolates it linearly to the grid of the scan before, of 1 mm,
segments that, and takes the majority of its labels; the interpolation counts to its time.
Each way runs in a process of its own, so that the peak memory is its own.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import SimpleITK
import torch
import typer
from common import (
    MANIFEST,
    README,
    Eyes,
    Labeller,
    chosen,
    heading,
    with_structures,
    write_texts,
)
from perturb import (
    AXIAL,
    from_sitk,
    majority,
    slices_in,
    thick_slices,
    to_sitk,
    upright,
    upright_labels,
)
from speed import measured

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.evaluation.cases import Judged, read_cases
from medprompt_cli.evaluation.masks import MEAN_OF_17, by_kind, pair, score
from medprompt_cli.evaluation.overlap import bootstrap_interval
from medprompt_cli.evaluation.report import table_line
from medprompt_cli.segmentation.segmenter import Segmenter

THICKNESS_MM = 5.0


@dataclass(frozen=True)
class Outcome:
    """What one way gave on all scans.

    Attributes:
        seconds: Of every scan.
        dice: Mean of the 17 kinds of every scan.
        peak_gb: Most memory its process held at once.
    """

    seconds: list[float]
    dice: list[float]
    peak_gb: float


def native(volume: Volume, thin: Geometry, segment: Labeller) -> LabelMap:  # noqa: ARG001 - as the other way
    """Segment the thick slices on their own grid."""
    return segment(volume)


def resampled(volume: Volume, thin: Geometry, segment: Labeller) -> LabelMap:
    """Interpolate to `thin`, segment there, and take the majority in every thick voxel."""
    fine = segment(replace(volume, voxels=interpolated(volume, thin), geometry=thin))
    return majority(fine, thickness_mm=volume.geometry.spacing[AXIAL])


WAYS: Mapping[str, Callable[[Volume, Geometry, Labeller], LabelMap]] = {
    "native grid": native,
    "resampled to the thin grid": resampled,
}


def interpolated(volume: Volume, thin: Geometry) -> np.ndarray:
    """The voxels between thick slices, linearly; beyond the outermost, as those."""
    count = thin.shape[AXIAL] // volume.geometry.shape[AXIAL]
    image = to_sitk(volume.voxels, volume.geometry)
    step = volume.geometry.spacing[AXIAL] / count
    resample = SimpleITK.ResampleImageFilter()
    resample.SetSize(thin.shape)
    resample.SetOutputSpacing((*volume.geometry.spacing[:AXIAL], step))
    resample.SetOutputOrigin((0.0, 0.0, -(count - 1) / 2 * step))
    resample.SetInterpolator(SimpleITK.sitkLinear)
    resample.UseNearestNeighborExtrapolatorOn()
    return from_sitk(resample.Execute(image))


def thin_grid(geometry: Geometry, count: int) -> Geometry:
    """The thin grid without the slices that make no whole thick one."""
    i, j, k = geometry.shape
    return Geometry((i, j, k // count * count), geometry.affine)


@dataclass(frozen=True, eq=False)
class ThickScan:
    """A scan in thick slices.

    Attributes:
        name: Of the scan.
        volume: The thick slices.
        truth: On their grid.
        thin: The grid they were averaged from.
    """

    name: str
    volume: Volume
    truth: LabelMap
    thin: Geometry


def thick_scan(case: Judged, thickness_mm: float) -> ThickScan:
    """The scan and its truth in thick slices."""
    if case.truth is None:
        raise ValueError(f"{case.name} has no truth.")
    volume = upright(read_image(case.images[0]))
    truth = upright_labels(read_labels(case.truth))
    thick = thick_slices(volume, np.random.default_rng(0), thickness_mm=thickness_mm)
    thin = thin_grid(volume.geometry, slices_in(volume.geometry, thickness_mm))
    return ThickScan(case.name, thick, majority(truth, thickness_mm=thickness_mm), thin)


def write_scan(scan: ThickScan, folder: Path) -> None:
    """Save what a way is given: the thick slices and the grids, not the truth."""
    np.savez(
        folder / f"{scan.name}.npz",
        voxels=scan.volume.voxels,
        affine=scan.volume.geometry.affine,
        thin_shape=np.array(scan.thin.shape),
        thin_affine=scan.thin.affine,
    )


def run_way(way: str, folder: Path, segment: Labeller) -> dict[str, float]:
    """Seconds of every scan in `folder`; the labels go beside it, as NAME.npy.

    The first scan is run once before, to warm up.
    """
    seconds = {}
    paths = sorted(folder.glob("*.npz"))
    for path in [*paths[:1], *paths]:
        with np.load(path) as saved:
            voxels, affine = saved["voxels"], saved["affine"]
            i, j, k = saved["thin_shape"].tolist()
            thin = Geometry((i, j, k), saved["thin_affine"])
        volume = Volume(voxels, Geometry(voxels.shape, affine))
        began = time.perf_counter()
        labels = WAYS[way](volume, thin, segment)
        seconds[path.stem] = time.perf_counter() - began
        np.save(path.with_suffix(".npy"), labels.voxels)
    return seconds


def outcome_of(
    way: str, scans: Sequence[ThickScan], cases: Sequence[Judged], options: Sequence[str]
) -> Outcome:
    """Run one way in a process of its own, and judge what it leaves."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for scan in scans:
            write_scan(scan, folder)
        command = [sys.executable, __file__, scratch, "--way", way, *options]
        _, peak, printed = measured(command)
        seconds = json.loads(printed)
        dice = [
            dice_of(np.load(folder / f"{scan.name}.npy"), scan, case)
            for scan, case in zip(scans, cases, strict=True)
        ]
    return Outcome([seconds[scan.name] for scan in scans], dice, peak)


def dice_of(labels: np.ndarray, scan: ThickScan, case: Judged) -> float:
    """Mean Dice of the 17 kinds."""
    found = LabelMap(labels, scan.volume.geometry, {})
    judged = pair(found, scan.truth, case.scheme, (f"labels of {scan.name}", scan.name))
    return by_kind(score(judged, scan.name, case.group))[MEAN_OF_17] or 0.0


def table(found: Mapping[str, Outcome]) -> str:
    """A line for each way; the Dice is compared with that of the first."""
    lines = [
        table_line(["", "Seconds a scan", "Peak memory, GB", "Mean Dice of 17", "Less native"]),
        table_line(["---", *["--:"] * 4]),
    ]
    first, *_ = found.values()
    for way, outcome in found.items():
        lost = [d - base for d, base in zip(outcome.dice, first.dice, strict=True)]
        cells = [f"{statistics.median(outcome.seconds):.2f}", f"{outcome.peak_gb:.2f}"]
        cells += [
            f"{statistics.fmean(outcome.dice):.3f}",
            "" if outcome is first else _spread(lost),
        ]
        lines.append(table_line([way, *cells]))
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    interval = bootstrap_interval(values)
    middle = f"{statistics.fmean(values):+.3f}"
    return (
        middle if interval is None else f"{middle} ({interval[0]:+.3f} to {interval[1]:+.3f})"
    )


def main(  # noqa: PLR0913, PLR0917 - one for each option
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    scan: Annotated[list[str] | None, typer.Option(help="Only this scan; repeatable.")] = None,
    thickness: Annotated[float, typer.Option(min=2, help="Of a slice, in mm.")] = THICKNESS_MM,
    threads: Annotated[int, typer.Option(min=1, help="Of the CPU.")] = 2,
    weights: Annotated[str | None, typer.Option(help="Name or file; else bundled.")] = None,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Segment thick slices both ways; print the table, and write it into the README."""
    torch.set_num_threads(threads)
    segmenter = Segmenter(device="cpu", weights=weights)
    if way is not None:
        typer.echo(json.dumps(run_way(way, root, Eyes(segmenter).structures)))
        return
    cases = chosen(with_structures(read_cases(MANIFEST, root)), scan or [])
    scans = [thick_scan(case, thickness) for case in cases]
    options = ["--threads", str(threads), *([] if weights is None else ["--weights", weights])]
    outcomes = {name: outcome_of(name, scans, cases, options) for name in WAYS}
    said = heading(segmenter, f"ablation_grid.py {root.as_posix()} --thickness {thickness:g}")
    about = f"n = {len(cases)} scans, threads: {threads}; seconds are the median over scans."
    text = f"{said}\n\n{table(outcomes)}\n\n{about}"
    typer.echo(text)
    if not scan:
        write_texts(readme, {"ablation-grid": text})


if __name__ == "__main__":
    typer.run(main)
