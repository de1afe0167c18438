"""How alike two visits look where a move lays them over each other.

Normalised mutual information, (H(A) + H(B)) / H(A, B), from 1 for images that say nothing of
each other to 2 for such as say everything. It is measured at points of the space half-way
between the visits, so exchanging them changes nothing.

Source: Studholme, Hill and Hawkes, An overlap invariant entropy measure of 3D medical image
alignment, Pattern Recognition 1999.
"""

from __future__ import annotations

import numpy as np

from medprompt_cli.longitudinal.sampling import Level, box_of
from medprompt_cli.longitudinal.transforms import half, inverse, moved

BINS = 16
"""Of each image's signal: few enough that thousands of points fill the joint histogram."""

LEAST_SHARE = 0.25
"""Moves that leave less of the smaller head than this in both images are not alike at all."""

NOT_ALIKE = 0.0
"""What such moves are given; below anything that can be measured."""


class Likeness:
    """Similarity of two visits, by the move from the first to the second.

    Args:
        first: A level of the first.
        second: The same level of the other.
        points: About how many points to measure at.
    """

    def __init__(self, first: Level, second: Level, points: int) -> None:
        self._first, self._second, self._points = first, second, points
        self._least_mm3 = LEAST_SHARE * min(first.inside_mm3, second.inside_mm3)

    def __call__(self, move: np.ndarray) -> float:
        """The similarity after a move of the first to the second."""
        forth = half(move)
        return self.in_midspace(forth, inverse(forth))

    def in_midspace(self, first: np.ndarray, second: np.ndarray) -> float:
        """The similarity after moves of both to a common space."""
        points, mm3 = self._grid(first, second)
        here, there = moved(points, inverse(first)), moved(points, inverse(second))
        one, other = self._first.at(here), self._second.at(there)
        seen = np.isfinite(one) & np.isfinite(other)
        seen &= self._first.holds(here) | self._second.holds(there)
        if np.count_nonzero(seen) * mm3 < self._least_mm3:
            return NOT_ALIKE
        return normalised_information(one[seen], other[seen])

    def _grid(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, float]:
        """(N, 3) points of the box around both in mid-space, and the volume of each.

        They are symmetric about the middle of the box: no visit is nearer to its grid.
        """
        low, high = box_of(((self._first, first), (self._second, second)))
        step = float((np.prod(high - low) / self._points) ** (1 / 3))
        counts = np.maximum(np.floor((high - low) / step), 1).astype(int)
        at = np.indices(tuple(counts)).reshape(3, -1).T - (counts - 1) / 2
        return (low + high) / 2 + at * step, step**3


def normalised_information(first: np.ndarray, second: np.ndarray) -> float:
    """(H(A) + H(B)) / H(A, B) of (N,) pairs of values from 0 to 1.

    >>> normalised_information(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    2.0
    """
    rows = np.minimum((first * BINS).astype(np.intp), BINS - 1)
    columns = np.minimum((second * BINS).astype(np.intp), BINS - 1)
    joint = np.bincount(rows * BINS + columns, minlength=BINS * BINS).reshape(BINS, BINS)
    together = _entropy(joint.ravel())
    if together == 0:
        return 1.0
    return (_entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0))) / together


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())
