"""How well two segmentations agree: pure arithmetic on arrays and counts.

What nobody drew has no score: where both sides are empty, Dice and Jaccard are None,
never 1. Where one side alone is empty they are 0, and a distance is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import edt
import numpy as np

RESAMPLES = 5000
LEVEL = 0.95
PERCENTILE = 95


def confusion(prediction: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
    """Voxels by predicted and true class, (count, count) int64, in one pass.

    Args:
        prediction: (I, J, K) classes from 0 to count - 1.
        truth: The same grid and classes.
        count: Number of classes.
    """
    both = prediction.astype(np.int32) * count + truth
    counted = np.bincount(both.ravel(order="K"), minlength=count * count)
    return counted.reshape(count, count)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How large one region is, in voxels or in any unit of volume.

    Attributes:
        shared: In both.
        predicted: In the prediction.
        true: In the truth.
    """

    shared: float
    predicted: float
    true: float

    @property
    def dice(self) -> float | None:
        """2 |A and B| / (|A| + |B|); None if both are empty."""
        total = self.predicted + self.true
        return 2 * self.shared / total if total else None

    @property
    def jaccard(self) -> float | None:
        """|A and B| / |A or B|; None if both are empty."""
        union = self.predicted + self.true - self.shared
        return self.shared / union if union else None

    @property
    def volume_bias_pct(self) -> float | None:
        """100 (predicted - true) / true; None if the truth is empty."""
        return 100 * (self.predicted - self.true) / self.true if self.true else None


def overlap(table: np.ndarray, classes: Sequence[int]) -> Overlap:
    """Counts of the union of `classes` in a table made by `confusion`."""
    rows = list(classes)
    return Overlap(
        shared=int(table[np.ix_(rows, rows)].sum()),
        predicted=int(table[rows].sum()),
        true=int(table[:, rows].sum()),
    )


def hausdorff95_mm(
    prediction: np.ndarray, truth: np.ndarray, spacing: tuple[float, float, float]
) -> float | None:
    """The larger of the two 95th percentiles of surface distance, in mm.

    A surface is the voxels that have a face neighbour outside; distances run between
    voxel centres, along the array axes, so a sheared grid is taken as straight.

    Args:
        prediction: (I, J, K) bool.
        truth: (I, J, K) bool.
        spacing: Along I, J and K, in mm.

    Returns:
        None if either mask is empty.
    """
    if not prediction.any() or not truth.any():
        return None
    box = _box_of(prediction | truth)
    surfaces = [_surface(np.pad(mask[box], 1)) for mask in (prediction, truth)]
    away = [_distance_to(surface, spacing) for surface in surfaces]
    there = np.percentile(away[1][surfaces[0]], PERCENTILE)
    back = np.percentile(away[0][surfaces[1]], PERCENTILE)
    return float(max(there, back))


def _box_of(mask: np.ndarray) -> tuple[slice, ...]:
    bounds = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        along = np.flatnonzero(mask.any(axis=others))
        bounds.append(slice(int(along[0]), int(along[-1]) + 1))
    return tuple(bounds)


def _surface(mask: np.ndarray) -> np.ndarray:
    """Voxels with a face neighbour outside; the outermost layer of `mask` is empty."""
    inner = mask.copy()
    for axis in range(mask.ndim):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis)
    return mask & ~inner


def _distance_to(surface: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    apart = edt.edt(np.ascontiguousarray(~surface), anisotropy=spacing, black_border=False)
    return np.asarray(apart)


def generalized_iou(regions: Sequence[Overlap]) -> float | None:
    """gIoU: mean of each sample's Jaccard, where empty against empty counts 1.

    None without samples. Source: generalised referring segmentation, arXiv:2306.00968.
    """
    if not regions:
        return None
    each = [1.0 if (value := region.jaccard) is None else value for region in regions]
    return float(np.mean(each))


def cumulative_iou(regions: Sequence[Overlap]) -> float | None:
    """cIoU: shared voxels of all samples over the voxels of their unions; None if 0."""
    shared = sum(region.shared for region in regions)
    union = sum(region.predicted + region.true - region.shared for region in regions)
    return shared / union if union else None


def null_accuracy(regions: Sequence[Overlap]) -> float | None:
    """N-Acc: share of the samples without target whose prediction is empty; None if 0."""
    null = [region for region in regions if region.true == 0]
    return sum(region.predicted == 0 for region in null) / len(null) if null else None


def bootstrap_interval(
    values: Sequence[float], *, level: float = LEVEL, seed: int = 0
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of a mean; None for fewer than two values.

    With a handful of values it is too narrow; it is no more than a hint of the spread.
    """
    return ratio_interval(values, np.ones(len(values)), level=level, seed=seed)


def ratio_interval(
    parts: Sequence[float],
    wholes: Sequence[float] | np.ndarray,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of sum(parts) / sum(wholes), pairs drawn together.

    None for fewer than two pairs. Draws whose wholes add up to 0 have no ratio and are left
    out; None if nothing is left.
    """
    if len(parts) < 2:  # noqa: PLR2004 - one value says nothing of spread
        return None
    drawn = np.random.default_rng(seed).integers(0, len(parts), (RESAMPLES, len(parts)))
    top, bottom = (np.asarray(side, float)[drawn].sum(axis=1) for side in (parts, wholes))
    there = bottom > 0
    if not there.any():
        return None
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(top[there] / bottom[there], ends)
    return float(low), float(high)
