"""Endless training images: a label map, a random shape, a random look.

Everything is drawn on the device that trains. Source of the method: SynthSeg,
Billot et al., Medical Image Analysis 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.networks.intensity import normalise
from medprompt_cli.synthesis.appearance import (
    AppearanceRange,
    finish,
    paint,
    skull_mask,
    spoil,
)
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.synthesis.deform import (
    Draw,
    ShapeRange,
    random_affine,
    random_warp,
    sample_labels,
)

CELL_MM = 32.0
"""Fields of view are whole multiples of the coarsest level's spacing."""


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """What synthetic images look like.

    Attributes:
        spacing_mm: Spacing of the images, in plane.
        oversample: Painted voxels per image voxel and axis, averaged: partial volume.
        boxes: Fields of view to draw from, in cells of 32 mm; more often listed,
            more often drawn.
        thick: Share of images with thick slices along one axis.
        thick_factors: How many times thicker; drawn evenly.
        coarse: Share of images that lost resolution along one axis before sampling.
    """

    spacing_mm: float = 4.0
    oversample: int = 2
    boxes: tuple[tuple[int, int, int], ...] = ((5, 6, 5),)
    thick: float = 0.2
    thick_factors: tuple[float, ...] = (1.25, 1.5, 2.0)
    coarse: float = 0.2
    shape: ShapeRange = field(default_factory=ShapeRange)
    appearance: AppearanceRange = field(default_factory=AppearanceRange)


@dataclass(frozen=True, eq=False)
class Sample:
    """One synthetic image and its truth.

    Attributes:
        image: (I, J, K) float32, normalised.
        labels: (I, J, K, P) uint8, target rows (0 background) of the P painted
            voxels that make up each image voxel.
        spacing: In mm.
    """

    image: torch.Tensor
    labels: torch.Tensor
    spacing: tuple[float, float, float]


class Generator:
    """Draws samples from packed label maps."""

    def __init__(
        self, maps: Sequence[PackedLabels], config: GeneratorConfig, draw: Draw
    ) -> None:
        self.config, self.draw, self.device = config, draw, draw.device
        self.maps = [torch.from_numpy(m.voxels.copy()).to(self.device) for m in maps]
        self.centres = [_brain_centre(m) for m in self.maps]
        rows = {s.index: n + 1 for n, s in enumerate(BASE_STRUCTURES)}
        position = {paint.index: n for n, paint in enumerate(PAINT_CLASSES)}
        self.row_of = torch.tensor(
            [rows.get(p.target, 0) for p in PAINT_CLASSES], dtype=torch.uint8
        ).to(self.device)
        self.mirror_of = torch.tensor(
            [position[p.mirror] for p in PAINT_CLASSES], dtype=torch.uint8
        ).to(self.device)

    def sample(self) -> Sample:
        """Draw one image."""
        config, draw = self.config, self.draw
        box = config.boxes[draw.integer(len(config.boxes))]
        spacing, painted_spacing, shape = self._grid(box)
        labels = self._labels(shape, painted_spacing)
        image = paint(labels, draw, config.appearance)
        rows = self.row_of[labels.int()]
        if draw.chance(config.appearance.stripped):
            keep = skull_mask(labels, draw)
            image, rows = image * keep, rows * keep
        image = spoil(image, draw, config.appearance)
        if draw.chance(config.coarse):
            image = lose_resolution(image, draw)
        step = config.oversample
        if step > 1:
            image = F.avg_pool3d(image[None, None], step)[0, 0]
            rows = split_blocks(rows, step)
        else:
            rows = rows[..., None]
        image = normalise(finish(image, draw, config.appearance))
        return Sample(image, rows, spacing)

    def _grid(
        self, box: tuple[int, int, int]
    ) -> tuple[tuple[float, float, float], tuple[float, float, float], tuple[int, int, int]]:
        config, draw = self.config, self.draw
        spacing = [config.spacing_mm] * 3
        cells = [n * CELL_MM / config.spacing_mm for n in box]
        if draw.chance(config.thick):
            axis = draw.integer(3)
            factor = config.thick_factors[draw.integer(len(config.thick_factors))]
            spacing[axis] *= factor
            whole = CELL_MM / config.spacing_mm  # sizes stay divisible by all pooling
            cells[axis] = max(1, round(cells[axis] / factor / whole)) * whole
        step = config.oversample
        x, y, z = spacing
        i, j, k = (int(n) * step for n in cells)
        return (x, y, z), (x / step, y / step, z / step), (i, j, k)

    def _labels(
        self, shape: tuple[int, int, int], spacing: tuple[float, float, float]
    ) -> torch.Tensor:
        draw, ranges = self.draw, self.config.shape
        which = draw.integer(len(self.maps))
        matrix = random_affine(draw, ranges)
        flipped = draw.chance(0.5)
        if flipped:
            matrix = matrix @ torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
        shift = [draw.uniform(-ranges.shift_mm, ranges.shift_mm) for _ in range(3)]
        centre = self.centres[which] + torch.tensor(shift)
        extent = tuple(n * s for n, s in zip(shape, spacing, strict=True))
        warp = random_warp(draw, extent, ranges)
        labels = sample_labels(self.maps[which], (shape, spacing), (matrix, centre), warp)
        return self.mirror_of[labels.int()] if flipped else labels


def _brain_centre(labels: torch.Tensor) -> torch.Tensor:
    """Middle of the brain's bounding box, in voxels."""
    brain = torch.tensor([p.target not in (0, 24) for p in PAINT_CLASSES])
    inside = brain.to(labels.device)[labels.int()]
    middles = []
    for axis in range(3):
        rest = tuple(a for a in range(3) if a != axis)
        along = torch.nonzero(inside.any(rest[1]).any(rest[0]))[:, 0]
        middles.append(float(along[0] + along[-1]) / 2)
    return torch.tensor(middles)


def lose_resolution(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Average runs of voxels along one axis and interpolate them back, in place of detail."""
    axis, run = draw.integer(3), 2 + draw.integer(2)
    window = [1, 1, 1]
    window[axis] = run
    coarse = F.avg_pool3d(image[None, None], window, ceil_mode=True)
    whole = [n * w for n, w in zip(coarse.shape[2:], window, strict=True)]  # no drift
    fine = F.interpolate(coarse, size=whole, mode="trilinear", align_corners=False)
    i, j, k = image.shape
    return fine[0, 0, :i, :j, :k]


def split_blocks(rows: torch.Tensor, step: int) -> torch.Tensor:
    """(I, J, K) to (I / step, J / step, K / step, step ** 3): the members of each block."""
    i, j, k = (n // step for n in rows.shape)
    blocks = rows.reshape(i, step, j, step, k, step).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(i, j, k, step**3)
