"""Moves between the worlds of visits: (4, 4) float64, RAS+ mm to RAS+ mm.

A move and its inverse, its half and the mean of several are taken through the matrix
logarithm, so half of a rigid move is rigid, and none of them depends on where the origin of
the world lies. Turns of 180 degrees have no one logarithm; heads do not lie that differently.

SimpleITK's world is LPS+; `to_lps` and `from_lps` are the only places that know.

Source: Arsigny, Commowick, Pennec and Ayache, A log-Euclidean framework for statistics on
diffeomorphisms, MICCAI 2006.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.linalg import expm, logm

from medprompt_cli.domain.geometry import Geometry

IDENTITY = np.eye(4)

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Takes RAS+ to LPS+ and back."""

ROOT_STEPS = 30
ROOT_TOLERANCE = 1e-13
"""A square root has settled when its last step is smaller."""

MEAN_STEPS = 50
MEAN_TOLERANCE = 1e-12
"""An iterated mean has settled when its last step is smaller, in mm and radians."""


def to_lps(move: np.ndarray) -> np.ndarray:
    """A move of RAS+ as one of LPS+."""
    return LPS @ move @ LPS


def from_lps(move: np.ndarray) -> np.ndarray:
    """A move of LPS+ as one of RAS+."""
    return LPS @ move @ LPS


def logarithm(move: np.ndarray) -> np.ndarray:
    """(4, 4) real: the matrix whose exponential the move is."""
    return np.real(logm(move))


def fraction(move: np.ndarray, share: float) -> np.ndarray:
    """The move gone only `share` of the way; 0.5 is half, -1 back.

    >>> shift = np.eye(4); shift[0, 3] = 10
    >>> float(fraction(shift, 0.5)[0, 3])
    5.0
    """
    return expm(share * logarithm(move))


def half(move: np.ndarray) -> np.ndarray:
    """The move gone half of the way: its principal square root, as `fraction(move, 0.5)`.

    Source: Denman and Beavers, The matrix sign function and computations in systems, 1976.
    """
    root, back = move, np.eye(4)
    for _ in range(ROOT_STEPS):
        step = (root + np.linalg.inv(back)) / 2
        root, back, apart = step, (back + np.linalg.inv(root)) / 2, np.abs(step - root).max()
        if apart < ROOT_TOLERANCE:
            break
    return root


def inverse(move: np.ndarray) -> np.ndarray:
    """The move back."""
    return np.linalg.inv(move)


def mean_move(moves: Sequence[np.ndarray]) -> np.ndarray:
    """The exponential of the mean logarithm."""
    return expm(np.mean([logarithm(move) for move in moves], axis=0))


def centred(moves: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The moves, each followed by one and the same, such that their mean is to stay.

    What leads the visits to any common space leads them to the one in their middle.
    """
    found = list(moves)
    for _ in range(MEAN_STEPS):
        back = -np.mean([logarithm(move) for move in found], axis=0)
        found = [expm(back) @ move for move in found]
        if np.abs(back).max() < MEAN_TOLERANCE:
            break
    return found


def rotation(axis: Sequence[float] | np.ndarray, degrees: float) -> np.ndarray:
    """A turn about an axis through the origin, (4, 4).

    >>> rotation((0, 0, 1), 90)[:2, 0].round(12).tolist()
    [0.0, 1.0]
    """
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.zeros((4, 4))
    cross[:3, :3] = [[0, -z, y], [z, 0, -x], [-y, x, 0]]
    return expm(math.radians(degrees) * cross)


def turn_of(degrees: Sequence[float] | np.ndarray) -> np.ndarray:
    """The turn whose rotation vector, (3,), is given: its opposite is its inverse."""
    angle = float(np.linalg.norm(degrees))
    return rotation(degrees, angle) if angle else np.eye(4)


def translation(mm: Sequence[float] | np.ndarray) -> np.ndarray:
    """A shift, (4, 4)."""
    move = np.eye(4)
    move[:3, 3] = mm
    return move


def about(centre: np.ndarray, move: np.ndarray) -> np.ndarray:
    """The move made with `centre`, (3,) mm, as its origin."""
    return translation(centre) @ move @ translation(-np.asarray(centre))


def degrees_turned(move: np.ndarray) -> float:
    """The angle of the rotation in a move; of an affine one, of the nearest rotation."""
    left, _, right = np.linalg.svd(move[:3, :3])
    sine_and_cosine = left @ right
    skew = sine_and_cosine - sine_and_cosine.T
    sine = float(np.linalg.norm([skew[2, 1], skew[0, 2], skew[1, 0]])) / 2
    cosine = (float(np.trace(sine_and_cosine)) - 1) / 2
    return math.degrees(math.atan2(sine, cosine))


def moved(points: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Points, (..., 3) mm, where the move takes them."""
    return points @ move[:3, :3].T + move[:3, 3]


def apart_mm(first: np.ndarray, second: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) mm: how far from each other two moves take each of (N, 3) points."""
    return np.linalg.norm(moved(points, first) - moved(points, second), axis=1)


def placed(geometry: Geometry, move: np.ndarray) -> Geometry:
    """The grid where the move takes it: nothing is interpolated."""
    return Geometry(geometry.shape, move @ geometry.affine)
