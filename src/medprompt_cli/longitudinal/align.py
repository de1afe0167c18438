"""Find the move from one visit to another: search coarsely, then descend in mid-space.

Every step is taken twice, with either visit as the fixed one, both brought half-way; what is
kept is the mean of the two. So neither is interpolated more than the other, and exchanging
them gives the inverse.

Source: Reuter, Rosas and Fischl, Highly accurate inverse consistent registration, NeuroImage
2010, for the half-way space; Mattes et al., PET-CT image registration in the chest using
free-form deformations, IEEE TMI 2003, for the metric.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import SimpleITK

from medprompt_cli.longitudinal.sampling import LEVELS_MM, Level, Prepared, shared_box
from medprompt_cli.longitudinal.similarity import Likeness
from medprompt_cli.longitudinal.transforms import (
    IDENTITY,
    about,
    apart_mm,
    from_lps,
    half,
    inverse,
    mean_move,
    moved,
    to_lps,
    translation,
    turn_of,
)

SEARCH_POINTS = 10_000
"""Points that a start is judged by."""

SHIFTS_MM = (0.0, -20.0, 20.0, -40.0, 40.0)
"""Tried from head to foot, where fields of view differ most."""

TURNS = (0.0, -15.0, 15.0)
"""Degrees, tried about each axis where the plain search failed."""

KEPT_PLAIN, KEPT_WIDE = 2, 6
"""Starts that a descent begins at, without turns and with."""

BINS = 32
SEED = 1

FIRST_STEP = 0.5
"""Of a descent, as a share of the level's resolution, in mm."""

MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class Descent:
    """How a level is descended.

    Attributes:
        samples: Points that the metric is computed from, at most.
        relaxation: What a step is multiplied by where the slope turns. The nearer to 1 the
            farther it gets: of half a head, tilt and shift can hardly be told apart, and with
            0.6 it stopped 1.2 degrees short.
        last_step: It ends when a step is this short, as a share of the resolution.
    """

    samples: int
    relaxation: float
    last_step: float


DESCENTS = (
    Descent(8000, 0.7, 0.02),
    Descent(10_000, 0.92, 0.005),
    Descent(20_000, 0.85, 0.005),
)
"""Of each level."""


@dataclass(frozen=True, eq=False)
class Found:
    """What the two descents ended at.

    Attributes:
        move: (4, 4) RAS+ mm, from the first visit to the second.
        disagreement_mm: How far apart they are, at most, within the head.
    """

    move: np.ndarray
    disagreement_mm: float


def align(
    first: Prepared, second: Prepared, *, affine: bool = False, wide: bool = False
) -> Found:
    """The move from the first visit to the second.

    Args:
        first: A visit.
        second: Another of the same person.
        affine: Let sizes and shears differ as well, after the rigid move was found. For
            scanners whose gradients were not calibrated alike; it takes real change away.
        wide: Search among turned heads, too. It takes longer.
    """
    likeness = Likeness(first.levels[0], second.levels[0], SEARCH_POINTS)
    tried = [
        _refined(first, second, start, 0, affine=False)
        for start in _starts(first, second, likeness, wide=wide)
    ]
    found = max(tried, key=lambda one: likeness(one.move))
    for number in range(1, len(LEVELS_MM)):
        found = _refined(first, second, found.move, number, affine=False)
    if affine:
        found = _refined(first, second, found.move, len(LEVELS_MM) - 1, affine=True)
    return found


def _starts(
    first: Prepared, second: Prepared, likeness: Likeness, *, wide: bool
) -> list[np.ndarray]:
    """The most alike of some rigid moves: the same, inverted, for visits in the other order."""
    there = translation(second.centre - first.centre)
    shifts = [translation([0, 0, shift]) for shift in SHIFTS_MM]
    moves = [shift @ base for base in (IDENTITY, there) for shift in shifts]
    moves = sorted(moves, key=lambda move: -likeness(move))[:KEPT_PLAIN]
    if not wide:
        return moves
    turned: list[np.ndarray] = []
    for move, degrees in itertools.product(moves, itertools.product(TURNS, repeat=3)):
        forth = half(move)
        middle = (moved(first.centre, forth) + moved(second.centre, inverse(forth))) / 2
        turned.append(forth @ about(middle, turn_of(degrees)) @ forth)
    return sorted(turned, key=lambda move: -likeness(move))[:KEPT_WIDE]


def _refined(
    first: Prepared, second: Prepared, start: np.ndarray, number: int, *, affine: bool
) -> Found:
    one, other = first.levels[number], second.levels[number]
    forth = _descended(one, other, start, number, affine=affine)
    back = _descended(other, one, inverse(start), number, affine=affine)
    apart = (
        apart_mm(forth, inverse(back), first.levels[0].points).max(),
        apart_mm(back, inverse(forth), second.levels[0].points).max(),
    )
    return Found(mean_move([forth, inverse(back)]), float(max(apart)))


def _descended(
    fixed: Level, moving: Level, start: np.ndarray, number: int, *, affine: bool
) -> np.ndarray:
    """The move from fixed to moving that the metric is best at, near `start`.

    Where the metric cannot be computed, as the images part, it is `start` itself: whether that
    is any good is checked afterwards.
    """
    forth = half(start)
    back = inverse(forth)
    low, high = shared_box(((fixed, forth), (moving, back)))
    rest = SimpleITK.AffineTransform(3) if affine else SimpleITK.Euler3DTransform()
    rest.SetCenter(((low + high) / 2 * (-1, -1, 1)).tolist())
    method = _method(number, low, high)
    method.SetMetricFixedMask(fixed.mask)
    method.SetFixedInitialTransform(_affine_transform(back))
    method.SetMovingInitialTransform(_affine_transform(forth))
    method.SetInitialTransform(rest, inPlace=True)
    try:
        method.Execute(fixed.image, moving.image)
    except RuntimeError:
        return start
    return forth @ _matrix(rest) @ forth


def _method(
    number: int, low: np.ndarray, high: np.ndarray
) -> SimpleITK.ImageRegistrationMethod:
    """The descent of a level, over a box of mid-space."""
    spacing, descent = LEVELS_MM[number], DESCENTS[number]
    size = np.maximum(np.ceil((high - low) / spacing), 2).astype(int)
    corner = (low + high) / 2 - spacing * (size - 1) / 2
    voxels = int(np.prod(size))
    method = SimpleITK.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums in one order: the same bits again
    method.SetMetricAsMattesMutualInformation(BINS)
    method.MetricUseFixedImageGradientFilterOff()  # half the time, and no less exact
    method.MetricUseMovingImageGradientFilterOff()
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetVirtualDomain(
        size.tolist(),
        (corner * (-1, -1, 1)).tolist(),
        [spacing] * 3,
        np.diag([-1.0, -1.0, 1.0]).ravel().tolist(),
    )
    if voxels > descent.samples:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(descent.samples / voxels, SEED)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=FIRST_STEP * spacing,
        minStep=descent.last_step * spacing,
        numberOfIterations=MOST_STEPS,
        relaxationFactor=descent.relaxation,
        gradientMagnitudeTolerance=1e-8,  # slopes of the metric are small, and still slopes
    )
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _affine_transform(move: np.ndarray) -> SimpleITK.AffineTransform:
    lps = to_lps(move)
    return SimpleITK.AffineTransform(lps[:3, :3].ravel().tolist(), lps[:3, 3].tolist())


def _matrix(transform: SimpleITK.AffineTransform | SimpleITK.Euler3DTransform) -> np.ndarray:
    """(4, 4) RAS+: A (x - c) + c + t of a transform with a centre."""
    linear = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.array(transform.GetCenter())
    lps = np.eye(4)
    lps[:3, :3] = linear
    lps[:3, 3] = centre + np.array(transform.GetTranslation()) - linear @ centre
    return from_lps(lps)
