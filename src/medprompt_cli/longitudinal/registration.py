"""Lay two visits of one person over each other, half-way between them, and say if it failed.

A registration that failed has numbers and a reason, but no move: it cannot be used. What can
go wrong is looked for in three ways: heads that hardly overlap; descents from either side that
end at different places; and a similarity that stands out too little from what the same images
have when they are pushed and turned away from where they were found to match.

Two people look more alike than chance, too (14 of the standard deviations by which this is
told): who was scanned is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.longitudinal.align import Found, align
from medprompt_cli.longitudinal.sampling import Prepared, prepare
from medprompt_cli.longitudinal.similarity import Likeness
from medprompt_cli.longitudinal.transforms import (
    about,
    half,
    inverse,
    moved,
    rotation,
    translation,
)

CHECK_POINTS = 8000
"""Points that the similarity is checked at."""

NULL_SIZE = 12
"""Random moves of the null; each is taken forth and back."""

NULL_MM, NULL_DEGREES = (10.0, 30.0), (10.0, 30.0)
"""Least and most of the shift and of the turn of such a move: too far to still match, too
near to leave the image. Own choice."""

SEED = 20

LEAST_OVERLAP = 0.4
"""Part of the smaller head, or brain, that must lie in the image of the other visit. Own
choice: less than a slab of half a head leaves."""

LEAST_STANDING_OUT = 10.0
"""Standard deviations of the null that the similarity must lie above its mean. Right moves had
17 to 92 in phantoms, the least with a slab of 64 mm, 34 and 39 in two patients; moves 15
degrees off had 6, noise 0."""

SURE_STANDING_OUT = 25.0
"""Where it stands out less, a wider search is made as well, and the better of both taken."""

MOST_DISAGREEMENT_MM = 2.0
"""Between the two descents, anywhere in the head. Own choice: the finest resolution."""


@dataclass(frozen=True, slots=True)
class Check:
    """How well two visits were found to match.

    Attributes:
        overlap: Part of the smaller head, or brain, that lies in the image of the other.
        similarity: Normalised mutual information, from 1 to 2.
        null_mean: Mean of the same after random moves away from there.
        null_sd: Standard deviation of these.
        null_max: The highest of these.
        disagreement_mm: How far apart, at most, the descents from either side ended.
    """

    overlap: float
    similarity: float
    null_mean: float
    null_sd: float
    null_max: float
    disagreement_mm: float

    @property
    def standing_out(self) -> float:
        """Similarity above the mean of the null, in its standard deviations."""
        return (self.similarity - self.null_mean) / max(self.null_sd, 1e-9)

    @property
    def failure(self) -> str | None:
        """Why it cannot be used, in a sentence; None if it can."""
        if self.overlap < LEAST_OVERLAP:
            return (
                f"Only {self.overlap:.0%} of the smaller head lies in the other image, less"
                f" than {LEAST_OVERLAP:.0%}."
            )
        if self.similarity <= self.null_max or self.standing_out < LEAST_STANDING_OUT:
            return (
                f"The similarity of {self.similarity:.4f} stands out by"
                f" {self.standing_out:.1f} standard deviations from that of images laid"
                f" wrongly, of which the best has {self.null_max:.4f}; it takes"
                f" {LEAST_STANDING_OUT:.1f}."
            )
        if self.disagreement_mm > MOST_DISAGREEMENT_MM:
            return (
                f"From either visit the registration ended {self.disagreement_mm:.1f} mm"
                f" apart, more than {MOST_DISAGREEMENT_MM:.1f} mm."
            )
        return None


@dataclass(frozen=True, eq=False)
class Registration:
    """The move between two visits, or why there is none.

    Attributes:
        first_to_second: (4, 4) float64, RAS+ mm of the first visit to RAS+ mm of the second;
            None if the registration failed.
        check: The numbers it was judged by.
        failure: Why it failed, in a sentence; None if it did not.
    """

    first_to_second: np.ndarray | None
    check: Check
    failure: str | None

    @property
    def to_mid(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The moves from each visit's world to the space half-way; None if it failed."""
        if self.first_to_second is None:
            return None
        forth = half(self.first_to_second)
        return forth, inverse(forth)


def register(
    first: Volume,
    second: Volume,
    brains: tuple[Mask | None, Mask | None] = (None, None),
    *,
    affine: bool = False,
) -> Registration:
    """Find the move from the first visit to the second; the other way round, its inverse.

    Args:
        first: An image of one visit.
        second: An image of another; contrast, voxels and field of view may differ.
        brains: Masks of the brain, if known: without them neck and jaw pull as well.
        affine: Let sizes differ too. It takes real change of the brain's size away.

    Raises:
        InputError: If there is no head in an image, or a mask lies on another grid.
    """
    return register_prepared(
        prepare(first, brains[0]), prepare(second, brains[1]), affine=affine
    )


def register_prepared(
    first: Prepared, second: Prepared, *, affine: bool = False
) -> Registration:
    """The same for visits that were prepared before, as each of several pairs needs it.

    Either order gives the same but for rounding, which hundreds of small steps add up to
    hundredths of a millimetre; so the order in which it is computed is that of the images.
    """
    if second.fingerprint < first.fingerprint:
        found = register_prepared(second, first, affine=affine)
        move = found.first_to_second
        return replace(found, first_to_second=None if move is None else inverse(move))
    found = align(first, second, affine=affine)
    check = checked(first, second, found)
    if check.failure or check.standing_out < SURE_STANDING_OUT:
        other = align(first, second, affine=affine, wide=True)
        again = checked(first, second, other)
        if again.similarity > check.similarity:
            found, check = other, again
    failure = check.failure
    return Registration(None if failure else found.move, check, failure)


def checked(first: Prepared, second: Prepared, found: Found) -> Check:
    """The numbers that a move is judged by."""
    likeness = Likeness(first.middle, second.middle, CHECK_POINTS)
    forth = half(found.move)
    back = inverse(forth)
    middle = (moved(first.centre, forth) + moved(second.centre, back)) / 2
    null = [
        likeness.in_midspace(about(middle, away) @ forth, about(middle, inverse(away)) @ back)
        for away in _away()
    ]
    return Check(
        overlap(first, second, found.move),
        likeness(found.move),
        float(np.mean(null)),
        float(np.std(null, ddof=1)),
        float(np.max(null)),
        found.disagreement_mm,
    )


def overlap(first: Prepared, second: Prepared, move: np.ndarray) -> float:
    """Part of the smaller of two heads that lies in the image of the other visit."""
    one, other = first.middle, second.middle
    shared = (
        np.isfinite(other.at(moved(one.points, move))).mean(),
        np.isfinite(one.at(moved(other.points, inverse(move)))).mean(),
    )
    volumes = (one.inside_mm3, other.inside_mm3)
    return float(shared[int(np.argmin(volumes))])


def _away() -> list[np.ndarray]:
    """Moves of one visit, the other going the opposite way, that take a match apart.

    Each comes with its inverse, so the null is the same for either order of the visits.
    Half-turns are where a head that was laid upside down or back to front would match better.
    """
    random = np.random.default_rng(SEED)
    moves = [rotation(axis, 90.0) for axis in np.eye(3)]
    for _ in range(NULL_SIZE):
        axis, way = random.normal(size=3), random.normal(size=3)
        shift = way / np.linalg.norm(way) * random.uniform(*NULL_MM)
        moves.append(half(translation(shift) @ rotation(axis, random.uniform(*NULL_DEGREES))))
    return [*moves, *(inverse(move) for move in moves)]
