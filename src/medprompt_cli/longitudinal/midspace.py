"""One space in the middle of all visits of a person.

Every visit is registered with the next and the last with the first, a ring: reversed visits
make the same pairs. What the pairs say is brought together by least squares, and the space
laid where the mean logarithm of the moves to it is 0, so no visit is nearer to it by its place
in the order. A ring has to close: what is left when one goes round it is a check.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.registration import Registration, register_prepared
from medprompt_cli.longitudinal.sampling import Prepared, prepare
from medprompt_cli.longitudinal.transforms import (
    apart_mm,
    centred,
    inverse,
    logarithm,
    moved,
    placed,
)
from medprompt_cli.measurement.resample import resampled

Pair = tuple[int, int]
"""Places of two visits in their order, the first first."""

MOST_OPEN_MM = 4.0
"""A ring that closes worse than this, anywhere in a head, holds a wrong move. Own choice:
twice what the two descents of one pair may differ by."""

SOLVING_STEPS = 5
"""Of least squares; moves that agree within millimetres have settled after two."""


@dataclass(frozen=True, eq=False)
class Midspace:
    """Where the visits lie in the space between them.

    Attributes:
        to_mid: For each visit (4, 4) float64, RAS+ mm of its world to RAS+ mm of mid-space;
            None for a visit that could not be registered.
        pairs: What was registered with what, the failures as well.
        open_mm: How far the ring is from closing, at most, in the heads; None without one.
        failure: Why no visit has a move, in a sentence; None if some have.
    """

    to_mid: tuple[np.ndarray | None, ...]
    pairs: Mapping[Pair, Registration]
    open_mm: float | None
    failure: str | None

    def between(self, first: int, second: int) -> np.ndarray | None:
        """The move from the world of one visit to that of another, through mid-space."""
        one, other = self.to_mid[first], self.to_mid[second]
        return None if one is None or other is None else inverse(other) @ one


def find_midspace(
    images: Sequence[Volume],
    brains: Sequence[Mask | None] | None = None,
    *,
    affine: bool = False,
    workers: int = 1,
) -> Midspace:
    """Register the visits of one person with each other; one visit alone stays where it is.

    Args:
        images: One of each visit; contrast, voxels and field of view may differ.
        brains: Mask of the brain of each, if known.
        affine: Let sizes differ too.
        workers: How many pairs to register at a time.

    Raises:
        InputError: If there is no visit, a visit without a head, a mask on another grid, or
            another number of masks than of visits.
    """
    masks = [None] * len(images) if brains is None else list(brains)
    if not images or len(masks) != len(images):
        raise InputError(
            f"{len(images)} visits and {len(masks)} masks of brains were to be registered.",
            remedy="Give at least one visit, and one mask or None for each.",
            code="visits-and-masks",
        )

    def paired(pair: Pair) -> Registration:
        return register_prepared(visits[pair[0]], visits[pair[1]], affine=affine)

    with ThreadPoolExecutor(workers) as pool:
        visits = list(pool.map(prepare, images, masks))
        pairs: dict[Pair, Registration] = {}
        for wanted in (ring(len(images)), None):
            rest = _between_parts(len(images), pairs) if wanted is None else wanted
            pairs |= dict(zip(rest, pool.map(paired, rest), strict=True))
    return _solved(visits, pairs)


def ring(count: int) -> list[Pair]:
    """Each visit with the next, and the first with the last.

    >>> ring(2), ring(4)
    ([(0, 1)], [(0, 1), (0, 3), (1, 2), (2, 3)])
    """
    around = {tuple(sorted((n, (n + 1) % count))) for n in range(count)}
    return sorted((a, b) for a, b in around if a != b)


def solve(moves: Mapping[Pair, np.ndarray], visits: Sequence[int]) -> dict[int, np.ndarray]:
    """The moves of connected visits to the space in their middle.

    Args:
        moves: From the first visit of a pair to its second.
        visits: All that the pairs connect.
    """
    found = dict(zip(visits, centred(_chained(moves, visits)), strict=True))
    incidence = np.zeros((len(moves), len(visits)))
    for row, (first, second) in enumerate(moves):
        incidence[row, [visits.index(first), visits.index(second)]] = 1, -1
    back = np.linalg.pinv(incidence)
    for _ in range(SOLVING_STEPS):
        rest = [
            logarithm(found[second] @ move @ inverse(found[first])).ravel()
            for (first, second), move in moves.items()
        ]
        if not rest:
            break
        steps = (back @ np.array(rest)).reshape(-1, 4, 4)
        for visit, step in zip(visits, steps, strict=True):
            found[visit] = expm(step) @ found[visit]
    return dict(zip(visits, centred([found[visit] for visit in visits]), strict=True))


def mid_grid(
    geometries: Sequence[Geometry], to_mid: Sequence[np.ndarray], spacing_mm: float
) -> Geometry:
    """A grid along R, A, S of mid-space that holds every image whole."""
    boxes = []
    for geometry, move in zip(geometries, to_mid, strict=True):
        far = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(geometry.shape) - 1)
        boxes.append(moved(geometry.to_world(far.astype(float)), move))
    corners = np.concatenate(boxes)
    low, high = corners.min(axis=0), corners.max(axis=0)
    i, j, k = (int(n) for n in np.ceil((high - low) / spacing_mm) + 1)
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = (low + high) / 2 - spacing_mm * (np.array([i, j, k]) - 1) / 2
    return Geometry((i, j, k), affine)


def in_midspace(image: Volume, to_mid: np.ndarray, grid: Geometry) -> Volume:
    """An image on a grid of mid-space, interpolated once; NaN beyond its field of view."""
    there = Volume(
        *(image.voxels, placed(image.geometry, to_mid)),
        *(image.modality, image.source, image.notes),
    )
    return resampled(there, grid)


def _solved(visits: Sequence[Prepared], pairs: Mapping[Pair, Registration]) -> Midspace:
    moves = {
        pair: found.first_to_second
        for pair, found in pairs.items()
        if found.first_to_second is not None
    }
    part = _largest_part(len(visits), pairs)
    if len(part) < len(visits) and len(part) == 1:
        return _nothing(visits, pairs, None, "No visit could be registered with another.")
    held = {pair: move for pair, move in moves.items() if pair[0] in part}
    found = solve(held, part)
    open_mm = None
    if len(held) >= len(part):
        open_mm = sum(
            float(apart_mm(found[b] @ move, found[a], visits[a].levels[0].points).max())
            for (a, b), move in held.items()
        )
        if open_mm > MOST_OPEN_MM:
            reason = (
                f"Going round all visits leads {open_mm:.1f} mm away from the start, more"
                f" than {MOST_OPEN_MM:.1f} mm."
            )
            return _nothing(visits, pairs, open_mm, reason)
    return Midspace(tuple(found.get(n) for n in range(len(visits))), pairs, open_mm, None)


def _nothing(
    visits: Sequence[Prepared],
    pairs: Mapping[Pair, Registration],
    open_mm: float | None,
    reason: str,
) -> Midspace:
    return Midspace((None,) * len(visits), pairs, open_mm, reason)


def _chained(moves: Mapping[Pair, np.ndarray], visits: Sequence[int]) -> list[np.ndarray]:
    """The moves of all visits to the world of the first, along any pairs."""
    found = {visits[0]: np.eye(4)}
    while len(found) < len(visits):
        for (first, second), move in moves.items():
            if first in found and second not in found:
                found[second] = found[first] @ inverse(move)
            elif second in found and first not in found:
                found[first] = found[second] @ move
    return [found[visit] for visit in visits]


def _parts(count: int, pairs: Mapping[Pair, Registration]) -> list[list[int]]:
    """The visits that successful registrations connect."""
    part = list(range(count))
    for (first, second), found in pairs.items():
        if found.first_to_second is not None:
            old, new = part[first], part[second]
            part = [new if n == old else n for n in part]
    return [[n for n in range(count) if part[n] == one] for one in sorted(set(part))]


def _between_parts(count: int, pairs: Mapping[Pair, Registration]) -> list[Pair]:
    """The pairs that have not been tried and could connect what is not connected."""
    tried: Iterable[Pair] = pairs.keys()
    parts = itertools.combinations(_parts(count, pairs), 2)
    across = {(min(a, b), max(a, b)) for one, other in parts for a in one for b in other}
    return sorted(across.difference(tried))


def _largest_part(count: int, pairs: Mapping[Pair, Registration]) -> list[int]:
    """Most visits; of parts as large the one whose pairs look most alike, in any order."""

    def worth(part: list[int]) -> tuple[int, float]:
        alike = [
            found.check.similarity
            for pair, found in pairs.items()
            if pair[0] in part and found.first_to_second is not None
        ]
        return len(part), sum(alike)

    return max(_parts(count, pairs), key=worth)
