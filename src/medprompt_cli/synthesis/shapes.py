"""Solids given by their signed distance: negative inside, in mm.

Letters: N points; a point set is (3, N) float32, RAS+ mm.
Distances are exact on the surface and good within a few mm of it, which is all that
a drawing needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Node = tuple[float, float, float, float]
"""A ball on the way of a tube: x, y, z and radius, in mm."""


def ellipsoid(
    points: np.ndarray,
    centre: Sequence[float],
    radii: Sequence[float],
    yaw: float = 0.0,
) -> np.ndarray:
    """Distance to an ellipsoid.

    Args:
        points: (3, N).
        centre: x, y, z in mm.
        radii: Half axes along x, y and z before turning, in mm.
        yaw: Degrees the ellipsoid is turned about the z axis, counter-clockwise
            seen from above.

    Returns:
        (N,) mm; first order in the distance from the surface.
    """
    offset = points - np.asarray(centre, np.float32)[:, None]
    if yaw:
        cosine, sine = np.cos(np.deg2rad(yaw)), np.sin(np.deg2rad(yaw))
        x, y = offset[0].copy(), offset[1]
        offset[0] = float(cosine) * x + float(sine) * y
        offset[1] = float(cosine) * y - float(sine) * x
    offset /= np.asarray(radii, np.float32)[:, None]
    reach = np.sqrt(np.einsum("cn,cn->n", offset, offset))
    offset /= np.asarray(radii, np.float32)[:, None]
    slope = np.sqrt(np.einsum("cn,cn->n", offset, offset))
    return reach * (reach - 1) / np.maximum(slope, 1e-6)


def tube(points: np.ndarray, nodes: Sequence[Node]) -> np.ndarray:
    """Distance to a tube whose radius runs linearly from node to node.

    Returns:
        (N,) mm.
    """
    nearest = np.full(points.shape[1], np.inf, np.float32)
    for start, end in pairwise(nodes):
        head = np.asarray(start[:3], np.float32)[:, None]
        along = np.asarray(end[:3], np.float32)[:, None] - head
        offset = points - head
        share = np.einsum("cn,co->n", offset, along) / float((along**2).sum())
        np.clip(share, 0, 1, out=share)
        offset -= along * share
        distance = np.sqrt(np.einsum("cn,cn->n", offset, offset))
        distance -= start[3] + (end[3] - start[3]) * share
        np.minimum(nearest, distance, out=nearest)
    return nearest


def blend(first: np.ndarray, second: np.ndarray, width: float) -> np.ndarray:
    """The union of two solids, the seam filled over `width` mm."""
    lack = np.maximum(width - np.abs(first - second), 0)
    return np.minimum(first, second) - lack * lack / (4 * width)


def carve(first: np.ndarray, second: np.ndarray, width: float) -> np.ndarray:
    """What two solids share, the edge rounded over `width` mm."""
    return -blend(-first, -second, width)


def box_of(nodes: Sequence[Node], margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner, (3,) each, of the box that holds a tube."""
    table = np.asarray(nodes, np.float32)
    radius = table[:, 3:] + margin
    return (table[:, :3] - radius).min(axis=0), (table[:, :3] + radius).max(axis=0)


def inside_box(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Indices, (M,), of the points within a box."""
    index = np.flatnonzero((points[2] >= low[2]) & (points[2] <= high[2]))
    for axis in (1, 0):
        along = points[axis, index]
        index = index[(along >= low[axis]) & (along <= high[axis])]
    return index


def _along(wave: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The product (3,) by (3, N) without BLAS, whose threads wait for a busy machine."""
    x, y, z = (float(w) for w in wave)
    return x * points[0] + y * points[1] + z * points[2]


class Ripples:
    """A smooth random field: plane waves of one wavelength, directions at random.

    Its zero level is a maze of sheets about half a wavelength apart, as sulci are.

    Args:
        rng: Draws directions and phases.
        wavelength: In mm.
        count: Number of waves; more are rounder and slower.
    """

    def __init__(self, rng: np.random.Generator, wavelength: float, count: int) -> None:
        directions = rng.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        self.waves = (directions * 2 * np.pi / wavelength).astype(np.float32)
        self.phases = rng.uniform(0, 2 * np.pi, size=(count, 1)).astype(np.float32)
        self.scale = float(np.sqrt(2 / count))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """The field at `points`, (N,): mean 0, variance 1."""
        total = np.zeros(points.shape[1], np.float32)
        for wave, phase in zip(self.waves, self.phases, strict=True):
            total += np.cos(_along(wave, points) + phase)
        return total * self.scale

    def sheet_distance(self, points: np.ndarray) -> np.ndarray:
        """Distance, (N,) mm, to the nearest sheet where the field is zero."""
        value = np.zeros(points.shape[1], np.float32)
        slope = np.zeros_like(points)
        for wave, phase in zip(self.waves, self.phases, strict=True):
            angle = _along(wave, points) + phase
            value += np.cos(angle)
            slope += wave[:, None] * np.sin(angle)[None]
        steepness = np.sqrt(np.einsum("cn,cn->n", slope, slope))
        typical = float(np.linalg.norm(self.waves[0])) * np.sqrt(len(self.waves) / 2)
        return np.abs(value) / np.maximum(steepness, 0.25 * typical)
