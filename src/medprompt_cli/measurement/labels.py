"""Every label of a label map, measured in one pass over the image.

The pass goes slice by slice from inferior to superior, with the voxels of every label of a
slice counted together: a hundred labels cost what one costs. Counts along each axis give
volume, centroid and box exactly, in whole numbers. Means and spreads of slices are put
together as they come, which keeps the digits that a sum of squares loses.

Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing
sample variances, 1979.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.intensity import (
    check_grids,
    check_percent,
    percentile_name,
    unit_of,
)
from medprompt_cli.measurement.place import BOX, CENTROID, to_ml, world_box

SLAB, TILE = 16, 8
"""Slices brought into one order of voxels at a time, where the file has another, and by how
many sagittal planes: what is read and written meanwhile stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class LabelIntensities:
    """What an image shows in every label of a map; one row a label.

    A label without a finite intensity has NaN for all but `finite`.

    Attributes:
        unit: UCUM code.
        finite: (L,) voxels whose intensity is neither NaN nor infinite.
        means: (L,) of these.
        stds: (L,) of these, divided by n.
        percents: Which P percentiles.
        percentiles: (L, P) of these, interpolated linearly.
    """

    unit: str
    finite: np.ndarray
    means: np.ndarray
    stds: np.ndarray
    percents: tuple[float, ...]
    percentiles: np.ndarray


@dataclass(frozen=True, eq=False)
class LabelStatistics:
    """What was measured of every label of a map; one row a label, by id.

    A label without a voxel has 0 voxels and 0 mL, and NaN for its places.

    Attributes:
        ids: (L,) voxel values.
        regions: L names.
        voxels: (L,) how many.
        volumes_ml: (L,) voxel count times voxel volume.
        centroids: (L, 3) RAS+ mm, mean of the voxel centres.
        boxes: (L, 6) RAS+ mm, in the order of `BOX` of `measurement/place.py`.
        touches_border: (L,) whether a voxel lies on an outermost plane of the image.
        spans: (L, 2, 3) where the voxels of a label begin, and before which they end, along
            the axes towards R, A and S; whole numbers.
        intensities: None without an image.
    """

    ids: np.ndarray
    regions: tuple[str, ...]
    voxels: np.ndarray
    volumes_ml: np.ndarray
    centroids: np.ndarray
    boxes: np.ndarray
    touches_border: np.ndarray
    spans: np.ndarray
    intensities: LabelIntensities | None

    def measurements(self) -> Iterator[Measurement]:
        """Every number as a measurement, label by label.

        A label without a voxel is `absent`; one without a finite intensity `failed_qc`.
        """
        columns = list(self._columns())
        for row, region in enumerate(self.regions):
            there = bool(self.voxels[row])
            for quantity, unit, numbers in columns:
                value = float(numbers[row])
                if there and not np.isnan(value):
                    yield Measurement(region, quantity, value, unit)
                else:
                    status = "failed_qc" if there else "absent"
                    yield Measurement.missing(region, quantity, unit, status)

    def _columns(self) -> Iterator[tuple[str, str, np.ndarray]]:
        yield "voxels", "1", self.voxels
        yield "volume", "mL", self.volumes_ml
        for axis, name in enumerate(CENTROID):
            yield name, "mm", self.centroids[:, axis]
        for end, name in enumerate(BOX):
            yield name, "mm", self.boxes[:, end]
        if (shown := self.intensities) is not None:
            yield "finite-voxels", "1", shown.finite
            yield "mean", shown.unit, shown.means
            yield "std", shown.unit, shown.stds
            for column, percent in enumerate(shown.percents):
                yield percentile_name(percent), shown.unit, shown.percentiles[:, column]


def measure_labels(
    labels: LabelMap, image: Volume | None = None, percents: Sequence[float] = ()
) -> LabelStatistics:
    """Measure every label that the map names, present or not.

    Args:
        labels: Regions that do not overlap.
        image: On the same grid; None to measure volumes and places only.
        percents: Percentiles of its intensities, from 0 to 100.

    Raises:
        InputError: If a voxel has an id without a name, or the grids differ.
    """
    if image is not None:
        check_grids("The label map", labels.geometry, image)
    for percent in percents:
        check_percent(percent)
    ids = np.array(sorted(index for index in labels.names if index), dtype=np.intp)
    grid = labels.geometry.canonical()
    row_of = _rows(labels.voxels, ids)
    counts = _Counts(len(ids), grid.shape)
    moments = _Moments(len(ids), keeps=bool(percents))
    for k, plane, shown in _planes(labels, image):
        places = np.flatnonzero(plane)
        rows = row_of[plane[places]]
        if rows.size and rows.min() < 0:
            raise _unnamed(int(plane[places[np.argmin(rows)]]))
        counts.add(k, places, rows)
        if shown is not None:
            moments.add(rows, shown[places])
    intensities = None if image is None else moments.result(unit_of(image), percents)
    regions = tuple(labels.names[int(index)] for index in ids)
    return counts.result(ids, regions, grid, intensities)


def _planes(
    labels: LabelMap, image: Volume | None
) -> Iterator[tuple[int, np.ndarray, np.ndarray | None]]:
    """Index, labels and intensities of every slice from inferior to superior, R fastest."""
    voxels = to_canonical(labels.voxels, labels.geometry)
    shown = None if image is None else to_canonical(image.voxels, image.geometry)
    for first in range(0, voxels.shape[2], SLAB):
        slab = _ordered(voxels[:, :, first : first + SLAB])
        over = None if shown is None else _ordered(shown[:, :, first : first + SLAB])
        for k in range(slab.shape[2]):
            plane = None if over is None else over[:, :, k].ravel(order="F")
            yield first + k, slab[:, :, k].ravel(order="F"), plane


def _ordered(view: np.ndarray) -> np.ndarray:
    """The voxels with the first axis fastest in memory."""
    if abs(view.strides[0]) == view.itemsize:
        return np.asfortranarray(view)
    ordered = np.empty(view.shape, view.dtype, order="F")
    for first in range(0, len(view), TILE):
        ordered[first : first + TILE] = view[first : first + TILE]
    return ordered


def _rows(voxels: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """The row of every id that the voxels can hold; -1 for ids without a name."""
    if voxels.dtype.kind != "u":
        raise InputError(
            f"A label map holds voxels of type {voxels.dtype}.",
            remedy="Give its labels as unsigned integers.",
            code="labels-not-unsigned",
        )
    highest = max(int(voxels.max(initial=0)), int(ids.max(initial=0)))
    rows = np.full(highest + 1, -1, dtype=np.intp)
    rows[ids] = np.arange(len(ids))
    return rows


def _unnamed(index: int) -> InputError:
    return InputError(
        f"A label map holds the id {index}, which it does not name.",
        remedy="Give a name to every id, or leave the others out of the map.",
        code="unnamed-label",
    )


class _Counts:
    """How many voxels every label has in every plane, along each canonical axis."""

    def __init__(self, labels: int, shape: tuple[int, int, int]) -> None:
        self._along = [np.zeros((labels, n), dtype=np.int64) for n in shape]
        self._of_place = np.unravel_index(np.arange(shape[0] * shape[1]), shape[:2], order="F")

    def add(self, k: int, places: np.ndarray, rows: np.ndarray) -> None:
        """Count the voxels of a slice: where they lie in it, and the row of their label."""
        for along, of_place in zip(self._along, self._of_place, strict=False):
            labels, n = along.shape
            cells = np.bincount(rows * n + of_place[places], minlength=labels * n)
            along += cells.reshape(labels, n)
        self._along[2][:, k] = np.bincount(rows, minlength=len(self._along[2]))

    def result(
        self,
        ids: np.ndarray,
        regions: tuple[str, ...],
        grid: Geometry,
        intensities: LabelIntensities | None,
    ) -> LabelStatistics:
        """Volumes and places, with the intensities beside them."""
        voxels = self._along[2].sum(axis=1)
        there = voxels > 0
        some = np.maximum(voxels, 1)
        means = [along @ np.arange(along.shape[1]) / some for along in self._along]
        first = np.column_stack([np.argmax(along > 0, axis=1) for along in self._along])
        last = np.array(grid.shape) - np.column_stack(
            [np.argmax(along[:, ::-1] > 0, axis=1) for along in self._along]
        )
        border = ((first == 0) | (last == grid.shape)).any(axis=1)
        return LabelStatistics(
            ids=ids,
            regions=regions,
            voxels=voxels,
            volumes_ml=np.array([to_ml(int(n), grid) for n in voxels]),
            centroids=_known(grid.to_world(np.column_stack(means)), there),
            boxes=_known(world_box(first, last, grid), there),
            touches_border=border & there,
            spans=np.stack([first, last], axis=1),
            intensities=intensities,
        )


class _Moments:
    """Running mean and squared deviation of the intensities of every label."""

    def __init__(self, labels: int, *, keeps: bool) -> None:
        self._voxels = np.zeros(labels, dtype=np.int64)
        self._mean = np.zeros(labels)
        self._squares = np.zeros(labels)
        self._keeps = keeps
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, rows: np.ndarray, intensities: np.ndarray) -> None:
        """Take in the voxels of a slice: the row of their label, and what is shown there."""
        finite = np.isfinite(intensities)
        if not finite.all():
            rows, intensities = rows[finite], intensities[finite]
        if self._keeps:
            self._kept.append((rows, intensities))
        labels = len(self._voxels)
        voxels = np.bincount(rows, minlength=labels)
        values = intensities.astype(np.float64)
        mean = np.bincount(rows, values, minlength=labels) / np.maximum(voxels, 1)
        values -= mean[rows]
        values *= values
        squares = np.bincount(rows, values, minlength=labels)
        apart, together = mean - self._mean, self._voxels + voxels
        share = voxels / np.maximum(together, 1)
        self._squares += squares + apart**2 * self._voxels * share
        self._mean += apart * share
        self._voxels = together

    def result(self, unit: str, percents: Sequence[float]) -> LabelIntensities:
        """Means, spreads and percentiles."""
        there = self._voxels > 0
        stds = np.sqrt(self._squares / np.maximum(self._voxels, 1))
        return LabelIntensities(
            unit=unit,
            finite=self._voxels,
            means=_known(self._mean, there),
            stds=_known(stds, there),
            percents=tuple(percents),
            percentiles=self._percentiles(percents),
        )

    def _percentiles(self, percents: Sequence[float]) -> np.ndarray:
        found = np.full((len(self._voxels), len(percents)), np.nan)
        if not self._kept or not percents:
            return found
        rows, values = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        small = np.min_scalar_type(len(self._voxels))  # numpy sorts 16 bits by counting them
        values = values[np.argsort(rows.astype(small), kind="stable")].astype(np.float64)
        ends = np.cumsum(self._voxels)
        for row in np.flatnonzero(self._voxels):
            own = values[ends[row] - self._voxels[row] : ends[row]]
            found[row] = np.percentile(own, percents)
        return found


def _known(numbers: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The rows that are there; NaN for the others."""
    return np.where(there.reshape(-1, *(1,) * (numbers.ndim - 1)), numbers, np.nan)
