"""Endless training images: a label map, a random shape, lesions, random looks.

Everything is drawn on the device that trains. Source of the method: SynthSeg,
Billot et al., Medical Image Analysis 2023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_STRUCTURES
from medprompt_cli.domain.parcels import PARCELS, mirror_of
from medprompt_cli.networks.intensity import normalise
from medprompt_cli.synthesis.acquisition import lose_resolution, move, truncate
from medprompt_cli.synthesis.appearance import (
    AppearanceRange,
    draw_look,
    finish,
    paint,
    skull_mask,
    spoil,
)
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.synthesis.deform import (
    Draw,
    Places,
    ShapeRange,
    find_places,
    random_affine,
    random_warp,
)
from medprompt_cli.synthesis.lesion_spots import Placement, Warp
from medprompt_cli.synthesis.lesions import (
    Lesion,
    LesionRange,
    Sites,
    find_sites,
    paint_lesions,
    place,
    plan_lesions,
    push_aside,
)

CELL_MM = 32.0
"""Fields of view are whole multiples of the coarsest level's spacing."""

NEW_LOOK = 0.8
"""Share of further streams with a contrast of their own; the rest repeat the first's."""

Triple = tuple[int, int, int]
Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """What synthetic images look like.

    Attributes:
        spacing_mm: Spacing of the images, in plane.
        oversample: Painted voxels per image voxel and axis, averaged: partial volume.
            Along thick slices there are as many more as the slice is thicker.
        boxes: Fields of view to draw from, in cells of 32 mm; more often listed,
            more often drawn.
        thick: Share of images with thick slices along one axis.
        thick_factors: How many times thicker; drawn evenly.
        coarse: Share of images that lost resolution along one axis before sampling.
        ghosts: Share of images with ghosts of motion.
        ringing: Share of images with ringing.
        streams: Numbers of co-registered images of one head, drawn evenly.
        lesion: Which lesions, and how often.
    """

    spacing_mm: float = 4.0
    oversample: int = 2
    boxes: tuple[Triple, ...] = ((5, 6, 5),)
    thick: float = 0.2
    thick_factors: tuple[float, ...] = (1.25, 1.5, 2.0)
    coarse: float = 0.2
    ghosts: float = 0.1
    ringing: float = 0.1
    streams: tuple[int, ...] = (1,)
    shape: ShapeRange = field(default_factory=ShapeRange)
    appearance: AppearanceRange = field(default_factory=AppearanceRange)
    lesion: LesionRange = field(default_factory=LesionRange)


@dataclass(frozen=True, eq=False)
class Sample:
    """Synthetic images of one head and their truth. Each voxel has P painted parts.

    Attributes:
        images: (S, I, J, K) float32, normalised.
        labels: (I, J, K, P) uint8, target rows (0 background).
        lesions: (I, J, K, P) uint8, positions in `lesion_parts.PARTS`.
        parcels: (I, J, K) uint8 of one part each, rows of `PARCELS` plus 1; 0 where there
            is none, or none is known.
        spacing: In mm.
    """

    images: torch.Tensor
    labels: torch.Tensor
    lesions: torch.Tensor
    parcels: torch.Tensor
    spacing: Spacing


@dataclass(frozen=True, slots=True)
class PaintedGrid:
    """The grid an image is painted on before its voxels are averaged.

    Attributes:
        shape: In painted voxels.
        spacing: Of painted voxels, in mm.
        steps: Painted voxels per image voxel along each axis.
    """

    shape: Triple
    spacing: Spacing
    steps: Triple

    @property
    def image_spacing(self) -> Spacing:
        """Spacing of the image, in mm."""
        x, y, z = (s * n for s, n in zip(self.spacing, self.steps, strict=True))
        return x, y, z

    @property
    def extent(self) -> tuple[float, ...]:
        """Size of the field of view, in mm."""
        return tuple(n * s for n, s in zip(self.shape, self.spacing, strict=True))


class Generator:
    """Draws samples from packed label maps."""

    def __init__(
        self, maps: Sequence[PackedLabels], config: GeneratorConfig, draw: Draw
    ) -> None:
        self.config, self.draw, self.device = config, draw, draw.device
        rows = {s.index: n + 1 for n, s in enumerate(BASE_STRUCTURES)}
        position = {paint.index: n for n, paint in enumerate(PAINT_CLASSES)}
        healthy = torch.arange(len(PAINT_CLASSES), dtype=torch.uint8)
        for change, white in UNMARKED_CHANGES.items():
            healthy[position[change]] = position[white]
        self.maps = [healthy[torch.from_numpy(m.voxels.copy()).int()] for m in maps]
        self.centres = [_brain_centre(m) for m in self.maps]
        self.sites: dict[int, Sites] = {}  # found when a map is first drawn: seconds each
        self.maps = [m.to(self.device) for m in self.maps]
        self.layers = [
            torch.from_numpy(m.layers[0].copy()).to(self.device) if m.layers else None
            for m in maps
        ]
        self.row_of = self._table([rows.get(p.target, 0) for p in PAINT_CLASSES])
        self.mirror_of = self._table([position[p.mirror] for p in PAINT_CLASSES])
        row = {parcel.name: n + 1 for n, parcel in enumerate(PARCELS)}
        self.mirror_parcel = self._table([0, *(row[mirror_of(p.name)] for p in PARCELS)])

    def sample(self) -> Sample:
        """Draw one head."""
        config, draw = self.config, self.draw
        grid = self._grid(config.boxes[draw.integer(len(config.boxes))])
        labels, parcels, lesions = self._head(grid)
        parts = place(labels, grid.spacing, lesions, draw)
        rows = self.row_of[labels.int()]
        keep = None
        if draw.chance(config.appearance.stripped):
            keep = skull_mask(labels, draw) | ((parts > 0) & (rows > 0))
            rows, parts, parcels = rows * keep, parts * keep, parcels * keep
        images = self._images(grid, labels, parts, keep)
        middle = tuple(slice(n // 2, None, n) for n in grid.steps)
        return Sample(
            images,
            split_blocks(rows, grid.steps),
            split_blocks(parts, grid.steps),
            parcels[middle].contiguous(),
            grid.image_spacing,
        )

    def _images(
        self,
        grid: PaintedGrid,
        labels: torch.Tensor,
        parts: torch.Tensor,
        keep: torch.Tensor | None,
    ) -> torch.Tensor:
        config, draw = self.config, self.draw
        images, look = [], None
        for _ in range(config.streams[draw.integer(len(config.streams))]):
            if look is None or draw.chance(NEW_LOOK):
                look = draw_look(draw, config.appearance)
            image = paint(labels, look, draw, config.appearance)
            image = paint_lesions(image, labels, parts, look.contrast, look.means, draw)
            image = image if keep is None else image * keep
            image = spoil(image, draw, config.appearance)
            if draw.chance(config.coarse):
                image = lose_resolution(image, draw)
            image = F.avg_pool3d(image[None, None], grid.steps)[0, 0]
            if draw.chance(config.ghosts):
                image = move(image, draw)
            if draw.chance(config.ringing):
                image = truncate(image, draw)
            images.append(normalise(finish(image, draw, config.appearance)))
        return torch.stack(images)

    def _grid(self, box: Triple) -> PaintedGrid:
        config, draw = self.config, self.draw
        spacing = [config.spacing_mm] * 3
        steps = [config.oversample] * 3
        cells = [n * CELL_MM / config.spacing_mm for n in box]
        if draw.chance(config.thick):
            axis = draw.integer(3)
            factor = config.thick_factors[draw.integer(len(config.thick_factors))]
            spacing[axis] *= factor
            steps[axis] *= max(1, round(factor))
            whole = CELL_MM / config.spacing_mm  # sizes stay divisible by all pooling
            cells[axis] = max(1, round(cells[axis] / factor / whole)) * whole
        i, j, k = (int(n) * step for n, step in zip(cells, steps, strict=True))
        x, y, z = (s / step for s, step in zip(spacing, steps, strict=True))
        return PaintedGrid((i, j, k), (x, y, z), (steps[0], steps[1], steps[2]))

    def _head(self, grid: PaintedGrid) -> tuple[torch.Tensor, torch.Tensor, tuple[Lesion, ...]]:
        """Labels and parcels on the painted grid, and the lesions that go there."""
        draw, ranges = self.draw, self.config.shape
        which = draw.integer(len(self.maps))
        matrix = random_affine(draw, ranges)
        flipped = draw.chance(0.5)
        if flipped:
            matrix = matrix @ torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
        shift = [draw.uniform(-ranges.shift_mm, ranges.shift_mm) for _ in range(3)]
        placement = matrix, self.centres[which] + torch.tensor(shift)
        warp = random_warp(draw, grid.extent, ranges)
        lesions = self._lesions(which, placement, (warp, grid.extent))
        warp = push_aside(warp, lesions, grid.extent)
        found = self.maps[which]
        where = (grid.shape, grid.spacing)
        places = find_places(tuple(found.shape), where, placement, warp, self.device)
        labels = places.take(found)
        parcels = self._parcels(which, places)
        if flipped:
            labels = self.mirror_of[labels.int()]
            parcels = self.mirror_parcel[parcels.int()]
        return labels, parcels, lesions

    def _lesions(self, which: int, placement: Placement, warp: Warp) -> tuple[Lesion, ...]:
        if self.config.lesion.share <= 0:
            return ()
        if which not in self.sites:
            self.sites[which] = find_sites(self.maps[which].cpu())
        return plan_lesions(self.draw, self.config.lesion, self.sites[which], placement, warp)

    def _parcels(self, which: int, places: Places) -> torch.Tensor:
        layer = self.layers[which]
        if layer is None:
            return torch.zeros(places.flat.shape, dtype=torch.uint8, device=self.device)
        return places.take(layer)

    def _table(self, values: list[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.uint8).to(self.device)


UNMARKED_CHANGES = {
    25: BASE_INDEX["left-cerebral-white-matter"],
    57: BASE_INDEX["right-cerebral-white-matter"],
}
"""White-matter changes the maps carry and no class of lesion owns: painted as white matter,
so that what counts as lesion free is."""


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


def split_blocks(rows: torch.Tensor, steps: Triple) -> torch.Tensor:
    """(I, J, K) to (I / a, J / b, K / c, a * b * c): the members of each block."""
    a, b, c = steps
    i, j, k = (n // step for n, step in zip(rows.shape, steps, strict=True))
    blocks = rows.reshape(i, a, j, b, k, c).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(i, j, k, math.prod(steps))
