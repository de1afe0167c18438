"""Where parallel slices lie: tilt, gaps, and the regular grid they are put on.

Positions and directions are LPS+ mm here, as DICOM has them; the result is RAS+.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POSITION_TOLERANCE_MM = 0.1
"""A slice may lie this far from the regular grid before the stack is resampled."""

POSITION_TOLERANCE_STEPS = 0.05
"""The same in slice steps, for fine stacks. The smaller of the two counts."""

LINE_TOLERANCE_MM = 0.5
"""Slice origins farther from one straight line than this are no stack."""

MAX_GAP_STEPS = 1.5
"""A gap wider than this many steps, or slice thicknesses, is a missing slice."""

MIN_TILT_DEGREES = 0.1
"""Tilts below this are rounding, and not noted."""


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Parallel slices in order along their normal.

    Attributes:
        origins: (K, 3) first voxel of each slice, LPS+ mm.
        axes: (2, 3) unit vectors along a row and along a column, LPS+.
        thickness: (K,) slice thickness in mm; 0 where unknown.
    """

    origins: np.ndarray
    axes: np.ndarray
    thickness: np.ndarray

    @property
    def line(self) -> np.ndarray:
        """(3,) vector from the first slice's origin to the last's, in mm."""
        return self.origins[-1] - self.origins[0]

    @property
    def direction(self) -> np.ndarray:
        """(3,) unit vector along which the origins advance."""
        return self.line / np.linalg.norm(self.line)

    @property
    def tilt_degrees(self) -> float:
        """Angle between the slices' normal and the direction they are stacked in."""
        cosine = float(np.cross(*self.axes) @ self.direction)
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))

    @property
    def places(self) -> np.ndarray:
        """(K,) distance of each slice from the first along `direction`, in mm."""
        return (self.origins - self.origins[0]) @ self.direction

    @property
    def off_line_mm(self) -> float:
        """Largest distance of an origin from the straight line through the stack."""
        on_line = self.origins[0] + self.places[:, None] * self.direction
        return float(np.linalg.norm(self.origins - on_line, axis=1).max())

    @property
    def step(self) -> float:
        """Typical distance between neighbours along `direction`, in mm: the median."""
        return float(np.median(np.diff(self.places)))

    @property
    def regular(self) -> bool:
        """Whether every slice lies on an even grid, within the tolerances."""
        even = np.linspace(0, self.places[-1], len(self.places))
        tolerance = min(POSITION_TOLERANCE_MM, POSITION_TOLERANCE_STEPS * even[1])
        return bool(np.abs(self.places - even).max() <= tolerance)

    def missing_after(self) -> int | None:
        """Index of the slice before the first gap that a slice is missing from."""
        slant = max(float(np.cross(*self.axes) @ self.direction), 1e-6)
        covered = np.maximum(self.thickness[:-1], self.thickness[1:]) / slant
        allowed = MAX_GAP_STEPS * np.maximum(self.step, covered)
        gaps = np.flatnonzero(np.diff(self.places) > allowed)
        return int(gaps[0]) if len(gaps) else None

    def even_count(self) -> int:
        """Slices of the even grid: as stacked if regular, else one every `step`."""
        if self.regular:
            return len(self.places)
        return round(self.places[-1] / self.step) + 1

    def affine(self, spacing: tuple[float, float]) -> np.ndarray:
        """(4, 4) voxel (column, row, slice) of the even grid to RAS+ mm; keeps the tilt."""
        affine = np.eye(4)
        affine[:3, :2] = (self.axes * np.reshape(spacing, (2, 1))).T
        affine[:3, 2] = self.line / (self.even_count() - 1)
        affine[:3, 3] = self.origins[0]
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine

    def resample(self, slices: np.ndarray) -> np.ndarray:
        """Slices (K, J, I) interpolated linearly to the even grid, end to end.

        A regular stack is returned as it is.
        """
        if self.regular:
            return slices
        even = np.linspace(0, self.places[-1], self.even_count())
        below = np.clip(np.searchsorted(self.places, even, "right") - 1, 0, len(slices) - 2)
        share = (even - self.places[below]) / np.diff(self.places)[below]
        result = np.empty((len(even), *slices.shape[1:]), slices.dtype)
        for k, (first, weight) in enumerate(zip(below, np.clip(share, 0, 1), strict=True)):
            np.multiply(slices[first + 1], np.float32(weight), out=result[k])
            result[k] += slices[first] * np.float32(1 - weight)
        return result
