"""Lay visits over each other whose move is known, and print how far off the result is.

    python examples/benchmarks/registration.py ../shared/data
    python examples/benchmarks/registration.py ../shared/data --seeds 50 --noise 10

*Known moves*: a T1w of a person, and a head of the demo, are scanned twice: as they lie, and
turned by 10 degrees and shifted by 10 mm, about the brain's middle, in random directions.
Slices are 4 mm thick and as far apart, with a receive field and Rician noise of their own at
each visit. The person's scan is interpolated by cubic splines; the demo's head is drawn anew,
so that nothing of it is interpolated. Given are the shift that is left at the brain's middle,
the turn that is left, and the mean and the largest distance of any voxel of the brain from
where it should be.

*Two patients with MS*, each scanned twice with other slices: distance in the brain to the
affines that came with the data, and correlation of the two FLAIR in the brain, as the scans
lie and after either move. `brain` uses the mask that the bundled weights find; `affine` lets
sizes differ, as the affines of the data do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from common import README, Eyes, heading, write_texts
from scipy import ndimage

from medprompt_cli.bids.images import read_image
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.longitudinal.registration import Registration, register
from medprompt_cli.longitudinal.transforms import (
    about,
    apart_mm,
    degrees_turned,
    from_lps,
    inverse,
    moved,
    placed,
    rotation,
    translation,
)
from medprompt_cli.measurement.resample import resampled
from medprompt_cli.segmentation.segmenter import Segmenter
from medprompt_cli.synthesis.phantom import draw
from medprompt_cli.synthesis.phantom_frame import make_head
from medprompt_cli.synthesis.phantom_image import T1W, fine_slices, signal, thick_slices

PERSON = "anatomy/t1_crop.nii.gz"
PATIENTS = ("long-01", "long-12")
MM, DEGREES = 10.0, 10.0
SPACING_MM = (1.0, 1.0, 4.0)
PARTS = 4
"""Thin slices that a thick one is the mean of."""

FIELD_MM = np.array([192, 232, 168])
"""Of a scan; a few mm off the middle, another way at each visit."""

OFF_MM = 4.0
FIELD_STRENGTH = 0.15
"""Standard deviation of each linear part of the receive field's logarithm."""

BRIGHT = 95
"""Percentile of the brain's signal that the noise is a share of."""

HALF = 0.5
"""What a resampled mask has at its border."""

Scanner = Callable[[np.ndarray, Geometry], np.ndarray]
"""Takes a pose and a grid, gives the signal there without noise."""


@dataclass(frozen=True)
class Subject:
    """Somebody who can be scanned in any position.

    Attributes:
        name: Who.
        points: (N, 3) RAS+ mm: the brain, as it lies.
        scan: The scanner.
        bright: Signal of the brain that the noise is a share of.
    """

    name: str
    points: np.ndarray
    scan: Scanner
    bright: float


@dataclass(frozen=True)
class Error:
    """How far off a registration is; no number of one that says it failed."""

    mm: float | None = None
    degrees: float | None = None
    mean_mm: float | None = None
    largest_mm: float | None = None


def main(
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    seeds: Annotated[int, typer.Option(min=1, help="Moves of each head.")] = 20,
    noise: Annotated[float, typer.Option(help="In percent of bright brain.")] = 5.0,
    readme: Annotated[Path, typer.Option(help="File to put the tables into.")] = README,
    *,
    write: Annotated[bool, typer.Option("--write", help="Put them there.")] = False,
) -> None:
    """Print both tables."""
    segmenter = Segmenter(device="cpu")
    subjects = (a_person(root / PERSON, segmenter), a_drawn_head(1))
    rows = []
    for subject in subjects:
        errors, seconds = recovered(subject, range(seeds), noise / 100)
        rows.append(moves_line(subject.name, errors, seconds))
    patients = [line for name in PATIENTS for line in compared(root, name, segmenter)]
    options = f"--seeds {seeds} --noise {noise:g}"
    said = heading(segmenter, f"registration.py {root.as_posix()} {options}")
    text = f"{said}\n\n{moves_table(rows)}\n{patients_table(patients)}"
    typer.echo(text)
    if write:
        write_texts(readme, {"registration": text})


def a_person(path: Path, segmenter: Segmenter) -> Subject:
    """A person's T1w, interpolated by splines wherever it is asked for."""
    image = read_image(path)
    brain = Eyes(segmenter)([image], ["brain"]).masks["brain"]
    spline: Any = ndimage.spline_filter(image.voxels.astype(np.float64), order=3)
    spline = spline.astype(np.float32)

    def scan(pose: np.ndarray, grid: Geometry) -> np.ndarray:
        step = inverse(image.geometry.affine) @ inverse(pose) @ grid.affine
        there = np.empty(grid.shape, np.float32)
        ndimage.affine_transform(
            spline,
            step[:3, :3],
            tuple(step[:3, 3]),  # pyright: ignore - scipy has no stubs
            grid.shape,
            there,
            order=3,
            prefilter=False,
        )
        return np.maximum(there, 0)

    points = image.geometry.to_world(np.argwhere(brain.voxels).astype(float))
    bright = float(np.percentile(image.voxels[brain.voxels], BRIGHT))
    return Subject(path.name.removesuffix(".nii.gz"), points, scan, bright)


def a_drawn_head(seed: int) -> Subject:
    """A head of the demo, drawn in any position: nothing of it is interpolated."""
    head = make_head(np.random.default_rng(seed))

    def scan(pose: np.ndarray, grid: Geometry) -> np.ndarray:
        # The same signal of every tissue at either visit: what differs is the scanner.
        return signal(draw(grid, head, pose), T1W, np.random.default_rng(seed))

    grid = around(np.array([0.0, -13.0, 10.0]), (3.0, 3.0, 3.0))
    drawing = draw(grid, head, np.eye(4))
    brain = np.isin(drawing.tissue, range(2, 61))
    shown = signal(drawing, T1W, np.random.default_rng(seed))
    points = grid.to_world(np.argwhere(brain).astype(float))
    return Subject("demo", points, scan, float(np.percentile(shown[brain], BRIGHT)))


def around(centre: np.ndarray, spacing: Sequence[float]) -> Geometry:
    """A field of view of `FIELD_MM` around a point, with axes along the world's."""
    i, j, k = (int(n) for n in np.ceil(FIELD_MM / spacing))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = centre - np.array(spacing) * (np.array([i, j, k]) - 1) / 2
    return Geometry((i, j, k), affine)


def scanned(
    subject: Subject, pose: np.ndarray, noise: float, random: np.random.Generator
) -> Volume:
    """A subject in a position, in thick slices, with a field and noise of this visit."""
    centre = moved(subject.points.mean(axis=0), pose) + random.uniform(-OFF_MM, OFF_MM, 3)
    grid = around(centre, SPACING_MM)
    voxels = thick_slices(subject.scan(pose, fine_slices(grid, PARTS)), PARTS)
    along = np.meshgrid(*(np.linspace(-1, 1, n) for n in grid.shape), indexing="ij")
    slopes = random.normal(0, FIELD_STRENGTH, 3)
    voxels = voxels * np.exp(sum(s * a for s, a in zip(slopes, along, strict=True)))
    channels = random.normal(0, noise * subject.bright, (2, *grid.shape))
    return Volume(np.hypot(voxels + channels[0], channels[1]).astype(np.float32), grid)


def a_move(middle: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A turn and a shift in random directions, about a point."""
    axis, way = random.normal(size=(2, 3))
    shift = translation(way / np.linalg.norm(way) * MM)
    return shift @ about(middle, rotation(axis, DEGREES))


def recovered(
    subject: Subject, seeds: Sequence[int], noise: float
) -> tuple[list[Error], float]:
    """The error of every move, and the mean seconds of a registration."""
    errors: list[Error] = []
    seconds = 0.0
    for seed in seeds:
        random = np.random.default_rng((27, seed))
        move = a_move(subject.points.mean(axis=0), random)
        first, second = (scanned(subject, p, noise, random) for p in (np.eye(4), move))
        began = time.perf_counter()
        found = register(first, second)
        seconds += time.perf_counter() - began
        errors.append(error_of(found, move, subject.points))
    return errors, seconds / len(seeds)


def error_of(found: Registration, move: np.ndarray, points: np.ndarray) -> Error:
    """What is left between a registration and the move that it should have found."""
    if found.first_to_second is None:
        return Error()
    rest = inverse(move) @ found.first_to_second
    middle = points.mean(axis=0)
    apart = apart_mm(found.first_to_second, move, points)
    return Error(
        float(np.linalg.norm(moved(middle, rest) - middle)),
        degrees_turned(rest),
        float(apart.mean()),
        float(apart.max()),
    )


def moves_line(name: str, errors: Sequence[Error], seconds: float) -> str:
    """Median and largest of each error over all moves."""
    told = [error for error in errors if error.mm is not None]
    cells = [name, f"{len(errors)}", f"{len(errors) - len(told)}"]
    for field in ("mm", "degrees", "mean_mm", "largest_mm"):
        values = [getattr(error, field) for error in told]
        said = f"{np.median(values):.2f} ({max(values):.2f})" if values else NOTHING
        cells.append(said)
    return table_line([*cells, f"{seconds:.1f}"])


def moves_table(lines: Sequence[str]) -> str:
    """Errors of known moves: the median, and the largest in brackets."""
    heads = ("10 mm, 10 degrees", "moves", "failed", "mm", "degrees", "mean in brain, mm")
    heads += ("largest in brain, mm", "s")
    return "\n".join([*_table_head(heads), *lines]) + "\n"


def compared(root: Path, name: str, segmenter: Segmenter) -> Iterator[str]:
    """A patient's two FLAIR, laid over each other in three ways."""
    folder = root / "ms" / name
    first, second = (read_image(folder / f"study{n}_FLAIR.nii.gz") for n in (1, 2))
    common = read_image(folder / "brainmask.nii.gz")
    # The affines take a point of the common space to where an image shows it.
    given = [read_itk(folder / f"study{n}_FLAIR_to_common_space.txt") for n in (1, 2)]
    where = np.argwhere(common.voxels > 0).astype(float)
    points = moved(common.geometry.to_world(where), given[0])
    truth = given[1] @ inverse(given[0])
    inside = on_grid(common, inverse(given[0]), first.geometry) > HALF
    brain = Mask("brain", inside, first.geometry)
    before = correlation(first, second, np.eye(4), brain)
    best = correlation(first, second, truth, brain)
    one, other = (Eyes(segmenter)([i], ["brain"]).masks["brain"] for i in (first, second))
    ways = {
        "head": register(first, second),
        "brain": register(first, second, (one, other)),
        "brain, affine": register(first, second, (one, other), affine=True),
    }
    for way, found in ways.items():
        move = found.first_to_second
        if move is None:
            yield table_line([name, way, f"failed: {found.failure}", *[NOTHING] * 4])
            continue
        apart = apart_mm(move, truth, points)
        alike = (before, correlation(first, second, move, brain), best)
        numbers = [f"{apart.mean():.2f}", f"{apart.max():.2f}", *(f"{r:.3f}" for r in alike)]
        yield table_line([name, way, *numbers])


def read_itk(path: Path) -> np.ndarray:
    """An affine transform of ITK, (4, 4) RAS+: A (x - c) + c + t.

    Raises:
        ValueError: If the file is of another kind.
    """
    lines = (line.partition(": ") for line in path.read_text(encoding="utf-8").splitlines())
    fields = {key: value for key, _, value in lines if value}
    if not fields.get("Transform", "").startswith("MatrixOffsetTransformBase"):
        raise ValueError(f"{path} holds no affine transform.")
    numbers, centre = (
        np.array(fields[key].split(), float) for key in ("Parameters", "FixedParameters")
    )
    lps = np.eye(4)
    lps[:3, :3] = numbers[:9].reshape(3, 3)
    lps[:3, 3] = centre + numbers[9:] - lps[:3, :3] @ centre
    return from_lps(lps)


def on_grid(image: Volume, move: np.ndarray, grid: Geometry) -> np.ndarray:
    """An image on a grid of another world, NaN where it shows nothing.

    Args:
        image: What is to be seen there.
        move: (4, 4) from the world of the grid to that of the image.
        grid: Where.
    """
    there = Volume(image.voxels.astype(np.float32), placed(image.geometry, inverse(move)))
    return resampled(there, grid).voxels


def correlation(first: Volume, second: Volume, move: np.ndarray, brain: Mask) -> float:
    """Of the two signals in a mask of the first, the second brought to it by a move."""
    other = on_grid(second, move, first.geometry)
    both = brain.voxels & np.isfinite(other)
    return float(np.corrcoef(first.voxels[both], other[both])[0, 1])


def patients_table(lines: Sequence[str]) -> str:
    """Agreement with the affines of the data, and what the images say."""
    heads = ("FLAIR of two visits", "by", "mean in brain, mm", "largest in brain, mm")
    heads += ("correlation before", "after", "with the data's affines")
    return "\n".join([*_table_head(heads), *lines]) + "\n"


def _table_head(heads: Sequence[str]) -> list[str]:
    return [table_line(heads), table_line(["---", *["--:"] * (len(heads) - 1)])]


if __name__ == "__main__":
    typer.run(main)
