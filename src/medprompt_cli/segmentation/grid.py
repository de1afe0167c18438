"""From an image on its own grid to what the network reads, and nothing resampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.volume import Volume
from medprompt_cli.networks.intensity import CEILING, CT_WINDOW_HU, intensity_range
from medprompt_cli.networks.levels import Level, plan_levels
from medprompt_cli.networks.pyramid import CORE_LEVEL
from medprompt_cli.segmentation.tiling import Box, Index

FOREGROUND = 0.15
"""Normalised intensity above which a 4 mm voxel may belong to a head."""

HEAD_MARGIN = 3
"""4 mm voxels kept around the foreground."""


@dataclass(frozen=True, eq=False)
class NetworkGrid:
    """An image turned towards R, A, S, cut and padded so that all levels fit.

    Attributes:
        image: (I, J, K) float32 on the native grid, padded by zeros at the far ends,
            normalised to 0..1.
        levels: The pyramid's levels for its spacing; level factors count native voxels.
        shape: The unpadded canonical shape.
        geometry: The image's own grid, to turn results back.
    """

    image: torch.Tensor
    levels: tuple[Level, ...]
    shape: Index
    geometry: Geometry

    @property
    def core(self) -> tuple[Level, ...]:
        """Levels of the core U-Net."""
        return tuple(level for level in self.levels if level.index >= CORE_LEVEL)

    def image_at(self, level: Level, box: Box, device: torch.device) -> torch.Tensor:
        """The image averaged to `level` inside `box` of that level, (1, 1, I, J, K)."""
        native = self.image[box.scaled(level.factors).slices()].to(device)
        if level.factors == (1, 1, 1):
            return native[None, None]
        return F.avg_pool3d(native[None, None], level.factors)


def network_grid(volume: Volume) -> NetworkGrid:
    """Turn, window, pad and normalise an image for the network."""
    geometry = volume.geometry.canonical()
    levels = plan_levels(geometry.spacing)
    core = next(level for level in levels if level.index == CORE_LEVEL)
    whole = tuple(
        math.ceil(n / f) * f for n, f in zip(geometry.shape, core.factors, strict=True)
    )
    padded = np.zeros(whole, np.float32)
    inside = tuple(slice(0, n) for n in geometry.shape)
    padded[inside] = to_canonical(volume.voxels, volume.geometry)
    image = torch.from_numpy(padded)
    view = image[inside]
    if volume.modality == "CT":
        view.clamp_(*CT_WINDOW_HU)
    low, high = intensity_range(view)
    view.sub_(low).div_(high - low).clamp_(0.0, CEILING)
    return NetworkGrid(image, levels, geometry.shape, volume.geometry)


def head_box(coarse: torch.Tensor) -> Box:
    """Box of the foreground in the image averaged to the core's level, (I, J, K)."""
    bright = coarse > FOREGROUND
    limit = (coarse.shape[0], coarse.shape[1], coarse.shape[2])
    return bounding_box(bright, HEAD_MARGIN) or Box((0, 0, 0), limit)


def bounding_box(mask: torch.Tensor, margin: int) -> Box | None:
    """Smallest box of the true voxels of (I, J, K), grown by `margin`; None if none."""
    start, stop = [0, 0, 0], [0, 0, 0]
    for axis in range(3):
        first, second = [a for a in range(3) if a != axis]
        along = torch.nonzero(mask.any(dim=second).any(dim=first))
        if not len(along):
            return None
        start[axis], stop[axis] = int(along[0]), int(along[-1]) + 1
    limit = (mask.shape[0], mask.shape[1], mask.shape[2])
    (i, j, k), (p, q, r) = start, stop
    return Box((i, j, k), (p, q, r)).grown(margin, limit)


def pad_to_cells(image: torch.Tensor, levels: tuple[Level, ...]) -> torch.Tensor:
    """Zero-pad (N, C, I, J, K) at the far ends so that the core's pooling divides it."""
    first, last = levels[0].factors, levels[-1].factors
    cells = [b // a for a, b in zip(first, last, strict=True)]
    missing = [-n % c for n, c in zip(image.shape[2:], cells, strict=True)]
    return F.pad(image, (0, missing[2], 0, missing[1], 0, missing[0]))
