"""Which axes a level pools and convolves, from the spacing of the image.

Levels are tied to millimetres, not to voxels: level n works near 2**n mm. An image
enters at the level nearest to its finest spacing. An axis is pooled on the way to
the next level when that brings it nearer to the level's scale, and is convolved only
while it is no more than `THICK_SLICES` times as coarse as the finest axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

THICK_SLICES = 2.0
"""Spacing ratio above which kernels stay in plane. Source: VoxelPrompt, omega."""

LEVELS = 6
"""Levels at 1, 2, 4, 8, 16 and 32 mm."""

Axes = tuple[bool, bool, bool]
Factors = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the pyramid, for one image.

    Attributes:
        index: n; the level's scale is 2**n mm.
        spacing: Spacing along the three axes at this level, in mm.
        factors: How many input voxels lie in one voxel of this level, per axis.
        pool: Step from the level above (2 where pooled, 1 elsewhere).
        extent: Whether kernels reach along the axis.
    """

    index: int
    spacing: tuple[float, float, float]
    factors: Factors
    pool: Factors
    extent: Axes


def plan_levels(spacing: tuple[float, float, float]) -> tuple[Level, ...]:
    """Levels an image of `spacing` (mm) passes, finest first.

    An image finer than 0.7 mm is averaged by whole factors to enter at 1 mm.
    """
    entry = min(max(round(math.log2(min(spacing))), 0), LEVELS - 4)
    factors = tuple(_entry_factor(step, 2.0**entry) for step in spacing)
    levels: list[Level] = []
    for index in range(entry, LEVELS):
        pool = (1, 1, 1) if index == entry else _pooled(levels[-1].spacing, index)
        a, b, c = factors = tuple(f * p for f, p in zip(factors, pool, strict=True))
        x, y, z = here = tuple(s * f for s, f in zip(spacing, factors, strict=True))
        i, j, k = (step <= THICK_SLICES * min(here) * 1.001 for step in here)
        levels.append(Level(index, (x, y, z), (a, b, c), pool, (i, j, k)))
    return tuple(levels)


def _entry_factor(step: float, scale: float) -> int:
    """Power of two that brings an axis of `step` mm nearest to `scale` from below."""
    return 2 ** max(0, round(math.log2(scale / step)))


def _pooled(spacing: tuple[float, float, float], index: int) -> Factors:
    """Pool the axes that lie nearer to the next scale after doubling than before."""
    limit = 2.0**index / math.sqrt(2)
    i, j, k = (2 if step < limit * 1.001 else 1 for step in spacing)
    return i, j, k
