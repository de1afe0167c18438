"""Change structures of real scans by a known amount, and print what of it is measured.

    python examples/benchmarks/warped.py ../shared/data

A T1w is drawn three times, each interpolated once, shifted by part of a voxel and given Rician
noise of its own: as it was; with both hippocampi smaller by 5 %; with the lateral ventricles
larger by 10 %. A structure is scaled about its middle, evenly up to 3 mm beyond where the
network saw it, and less and less over the next 10 mm: whatever its true border is, the change
of its volume is known. The change is that of `soft-volume` from the first picture, as
`medprompt longitudinal` takes it; beside it stands what is measured where this structure was
left alone (but for what the other moves around it), and the limit of noise that comes with the
package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import README, Eyes, heading, write_texts
from scipy import ndimage

from medprompt_cli.bids.images import read_image
from medprompt_cli.domain.volume import Volume
from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.longitudinal.repeatability import Limits, default_limits
from medprompt_cli.segmentation.segmenter import Segmenter

SCANS: Mapping[str, str] = {
    "manual-1000": "manual/1000_SS.nii.gz",
    "manual-1001": "manual/1001_SS.nii.gz",
    "t1_crop": "anatomy/t1_crop.nii.gz",
}
KNOWN: Mapping[str, float] = {"hippocampus": -5.0, "lateral-ventricle": 10.0}
"""Percent."""

TOGETHER = frozenset({"lateral-ventricle"})
"""Both sides lie side by side: they are scaled as one."""

EVEN_MM, FADING_MM = 3.0, 10.0
NOISE = 0.02
"""Standard deviation, as a share of bright brain."""

BRIGHT = 95
HEADS = (
    "scan",
    "what",
    "known, %",
    "left, %",
    "right, %",
    "left alone, %",
    "limit, %",
    "beyond",
)


def main(
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    *,
    write: Annotated[bool, typer.Option("--write", help="Put it there.")] = False,
) -> None:
    """Print the table."""
    segmenter = Segmenter(device="cpu")
    limits = default_limits()
    lines = [table_line(HEADS), table_line(["---", "---", *["--:"] * (len(HEADS) - 2)])]
    for name, path in SCANS.items():
        typer.echo(name, err=True)
        volumes = measured(read_image(root / path), Eyes(segmenter))
        lines += [table_line(cells) for cells in rows(name, volumes, limits)]
    text = f"{heading(segmenter, f'warped.py {root.as_posix()}')}\n\n" + "\n".join(lines) + "\n"
    typer.echo(text)
    if write:
        write_texts(readme, {"warped": text})


def measured(image: Volume, eyes: Eyes) -> dict[str, dict[str, float]]:
    """Volumes in mL by what was changed, empty for nothing, and by region."""
    labels = eyes([image], list(KNOWN)).labels
    numbers = {name: number for number, name in labels.names.items()}
    random = np.random.default_rng(27)
    found: dict[str, dict[str, float]] = {}
    for changed in ("", *KNOWN):
        pull = np.zeros((3, *image.geometry.shape), np.float32)
        for sides in _parts(changed) if changed else ():
            mask = np.isin(labels.voxels, [numbers[side] for side in sides])
            pull += scaling(mask, image.geometry.spacing, 1 + KNOWN[changed] / 100)
        drawn = replace(image, voxels=scanned(image.voxels, pull, random))
        found[changed] = dict(eyes([drawn], list(KNOWN)).volumes_ml)
    return found


def _parts(kind: str) -> list[tuple[str, ...]]:
    """Regions that are scaled about one middle."""
    sides = (f"left-{kind}", f"right-{kind}")
    return [sides] if kind in TOGETHER else [(side,) for side in sides]


def scaling(mask: np.ndarray, spacing: Sequence[float], factor: float) -> np.ndarray:
    """Where each voxel of a changed picture has its signal from: (3, I, J, K), in voxels.

    Args:
        mask: (I, J, K) bool, what is scaled.
        spacing: Length of a voxel's edges in mm.
        factor: Of its volume.
    """
    beyond = ndimage.distance_transform_edt(~mask, sampling=spacing)
    share = np.clip(1 - (np.asarray(beyond) - EVEN_MM) / FADING_MM, 0, 1)
    share = share**2 * (3 - 2 * share)
    middle = np.argwhere(mask).mean(axis=0)
    stretch = factor ** (-1 / 3) - 1
    places = np.indices(mask.shape, dtype=np.float32)
    return np.stack([share * (p - m) * stretch for p, m in zip(places, middle, strict=True)])


def scanned(voxels: np.ndarray, pull: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The picture with its signal from elsewhere, shifted, with noise: (I, J, K) float32."""
    shift = random.uniform(-0.5, 0.5, 3)
    places = np.indices(voxels.shape, dtype=np.float32) + pull + shift[:, None, None, None]
    there = ndimage.map_coordinates(voxels.astype(np.float32), places, order=3)
    bright = float(np.percentile(voxels[voxels > 0], BRIGHT))
    channels = random.normal(0, NOISE * bright, (2, *voxels.shape))
    return np.hypot(np.maximum(there, 0) + channels[0], channels[1]).astype(np.float32)


def rows(
    name: str, volumes: Mapping[str, Mapping[str, float]], limits: Limits
) -> Iterator[Sequence[str]]:
    """What of each known change was measured in one scan.

    Args:
        name: Of the scan.
        volumes: As `measured` gives them.
        limits: This method's own noise.
    """
    for kind, known in KNOWN.items():
        sides = [f"left-{kind}", f"right-{kind}"]
        others = [other for other in KNOWN if other != kind]
        found = [percent(volumes[""], volumes[kind], side) for side in sides]
        alone = [percent(volumes[""], volumes[o], side) for o in others for side in sides]
        limit = limits.percent(kind, "soft-volume")
        beyond = NOTHING
        if limit is not None:  # of the symmetrised change
            count = sum(abs(200 * d / (200 + d)) > limit for d in found)
            beyond = f"{count} of {len(found)}"
        yield (
            *(name, kind, f"{known:+.0f}", *(f"{d:+.1f}" for d in found)),
            *(
                ", ".join(f"{d:+.1f}" for d in alone),
                NOTHING if limit is None else f"{limit:.1f}",
            ),
            beyond,
        )


def percent(before: Mapping[str, float], after: Mapping[str, float], region: str) -> float:
    """The change of a region's volume."""
    return 100 * (after[region] / before[region] - 1)


if __name__ == "__main__":
    typer.run(main)
