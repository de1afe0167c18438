"""Convex outlines, and the points of a set that lie farthest apart."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import numpy as np
from scipy.spatial import ConvexHull, QhullError  # pyright: ignore - scipy has no stubs

ROWS = 128
"""Points compared with all others at a time."""

MANY = 300
"""Points from which on their hull is found in three dimensions at once."""


def run_ends(voxels: np.ndarray) -> np.ndarray:
    """(N, D) indices of the voxels without a neighbour on both sides along the last axis.

    No other voxel can be a corner of the convex hull.
    """
    inner = np.zeros_like(voxels)
    inner[..., 1:-1] = voxels[..., :-2] & voxels[..., 2:]
    return np.argwhere(voxels & ~inner)


def convex_outline(points: np.ndarray) -> np.ndarray:
    """Rows of the corners of the convex outline, anticlockwise from the first in order.

    Args:
        points: (N, 2) whole numbers, no two rows alike.

    Source: Andrew, Another efficient algorithm for convex hulls in two dimensions, 1979.
    """
    order = np.lexsort((points[:, 1], points[:, 0]))
    if len(order) < 3:  # noqa: PLR2004 - a point or two are their own outline
        return order
    order = order[_ends_of_runs(points[order, 0])]
    rows = [(int(x), int(y), int(n)) for (x, y), n in zip(points[order], order, strict=True)]
    lower, upper = _chain(rows), _chain(rows[::-1])
    return np.array([row[2] for row in lower[:-1] + upper[:-1]], dtype=np.intp)


def _ends_of_runs(ordered: np.ndarray) -> np.ndarray:
    """Places of the first and the last of every run of equal numbers."""
    new = np.flatnonzero(np.diff(ordered)) + 1
    return np.unique(np.concatenate([[0], new - 1, new, [len(ordered) - 1]]))


def _chain(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    kept: list[tuple[int, int, int]] = []
    for x, y, n in rows:
        while len(kept) > 1:
            (ax, ay, _), (bx, by, _) = kept[-2:]
            if (bx - ax) * (y - ay) > (by - ay) * (x - ax):
                break
            kept.pop()
        kept.append((x, y, n))
    return kept


def outer_points(points: np.ndarray) -> np.ndarray:
    """Rows of the points that may be corners of the convex hull of all.

    A corner of the hull is a corner of the outline of every plane through it, so what is
    inside the outline of its plane of the grid, along any axis, is left out.

    Args:
        points: (N, 3) whole numbers, no two rows alike.
    """
    rows = np.arange(len(points))
    for axis in range(3):
        order = rows[np.argsort(points[rows, axis], kind="stable")]
        cuts = np.flatnonzero(np.diff(points[order, axis])) + 1
        across = [other for other in range(3) if other != axis]
        bounds = pairwise([0, *(int(cut) for cut in cuts), len(order)])
        planes = [order[first:last] for first, last in bounds]
        rows = np.concatenate([p[convex_outline(points[p][:, across])] for p in planes])
    return np.sort(rows)


def hull_points(points: np.ndarray) -> np.ndarray:
    """Rows of the corners of the convex hull of all, and maybe of some more points.

    Of many points faster than `outer_points`, which is asked where they are few or lie in one
    plane.

    Args:
        points: (N, 3) whole numbers, no two rows alike.

    Source: Barber, Dobkin and Huhdanpaa, The Quickhull algorithm for convex hulls, 1996.
    """
    if len(points) >= MANY:
        with suppress(QhullError):
            corners: object = ConvexHull(points).vertices
            return np.sort(np.asarray(corners))
    return outer_points(points)


def farthest_pair(points: np.ndarray, steps: np.ndarray) -> tuple[float, int, int]:
    """Length from the farthest two of some voxels, ends included, and their rows.

    From centre to centre, and at both ends half a voxel's extent in that direction: that of
    the ellipsoid inside the voxel. Of pairs equally far apart the first counts; a voxel
    alone is as long as its longest axis.

    Args:
        points: (N, D) indices of voxels, at least one.
        steps: (D, D) mm, a step along each axis a column.
    """
    spacing = np.linalg.norm(steps, axis=0)
    centres, ends = points @ steps.T, points * spacing**2
    best, one, other = float(spacing.max()), 0, 0
    for first in range(0, len(points), ROWS):
        length = _apart(centres, first)
        extent = np.divide(_apart(ends, first), length, where=length > 0, out=length.copy())
        length += extent
        at = int(np.argmax(length))
        if length.flat[at] > best:
            best = float(length.flat[at])
            one, other = (first + int(n) for n in divmod(at, length.shape[1]))
    return best, one, other


def _apart(points: np.ndarray, first: int) -> np.ndarray:
    """Distances of some points, from `first` on, to those and all that follow."""
    apart = points[first : first + ROWS, None] - points[None, first:]
    return np.sqrt(np.einsum("nmd,nmd->nm", apart, apart))


def longest_chord_across(outline: np.ndarray, steps: np.ndarray, one: int, other: int) -> float:
    """Longest chord of a convex outline that is perpendicular to its longest diameter.

    The chord's length along the diameter is made of straight pieces between corners, so it
    is longest at a corner. Half a voxel's extent is added at both ends, as in
    `farthest_pair`.

    Args:
        outline: (N, 2) indices of the voxels at the corners.
        steps: (2, 2) mm, a step along each axis a column.
        one: Row of the corner at one end of the diameter.
        other: Row of the corner at its other end.
    """
    spacing = np.linalg.norm(steps, axis=0)
    points = (outline - outline[one]) @ steps.T
    length = float(np.linalg.norm(points[other]))
    if not length:
        return float(spacing.min())
    along = points[other] / length
    across = np.array([-along[1], along[0]])
    place, height = points @ along, points @ across
    height[[one, other]] = 0.0
    ends = float(np.linalg.norm(np.linalg.solve(steps, across) * spacing**2))
    return float(np.max(_reach(place, height) + _reach(place, -height))) + ends


def _reach(place: np.ndarray, height: np.ndarray) -> np.ndarray:
    """How far an outline reaches up from its diameter, at the place of every corner."""
    above = np.flatnonzero(height >= 0)
    above = above[np.argsort(place[above], kind="stable")]
    return np.interp(place, place[above], height[above])
