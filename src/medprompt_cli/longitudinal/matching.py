"""Which lesions of two visits are one and the same.

The centre of every voxel of a lesion is taken from its visit through mid-space to the other,
and looked up there; and the other way round. Nothing is interpolated, and a lesion smaller
than the other visit's slices are thick is found from its own side.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import KDTree

from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.longitudinal.transforms import inverse, moved

LEAST_SHARE = 0.1
"""Part of the smaller lesion that has to lie in the other. Own choice: what touches only
because a move is off by some tenths of a millimetre shares less."""

GAP_MM = 1.0
"""Lesions that overlap no other are one as well if no more than this lies between them: those
of a few voxels can miss each other. Own choice."""

SEEN_SHARE = 0.5
"""A lesion with less of itself in the field of view of a visit is not seen there."""

MM3_PER_ML = 1000.0


@dataclass(frozen=True, eq=False)
class Placed:
    """The lesions of a visit, and where they lie in mid-space.

    Attributes:
        instances: Lesions numbered on the visit's own grid.
        to_mid: (4, 4) float64, RAS+ mm of the visit to RAS+ mm of mid-space.
        surely_ml: A smaller lesion may be there and not have been seen.
    """

    instances: LabelMap
    to_mid: np.ndarray
    surely_ml: float = 0.0

    @cached_property
    def cloud(self) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) centres of all voxels of lesions in mid-space, and (N,) their numbers."""
        places = np.argwhere(self.instances.voxels)
        numbers = self.instances.voxels[tuple(places.T)].astype(np.intp)
        world = self.instances.geometry.to_world(places.astype(float))
        return moved(world, self.to_mid), numbers

    def points(self, number: int) -> np.ndarray:
        """(N, 3) centres of the voxels of one lesion in mid-space."""
        points, numbers = self.cloud
        return points[numbers == number]

    def at(self, points: np.ndarray) -> np.ndarray:
        """(N,) number of the lesion at (N, 3) points of mid-space; 0 for none, -1 outside."""
        grid = self.instances.geometry
        places = np.rint(grid.to_voxel(moved(points, inverse(self.to_mid)))).astype(np.intp)
        reached = ((places >= 0) & (places < grid.shape)).all(axis=1)
        found = np.full(len(points), -1, np.intp)
        found[reached] = self.instances.voxels[tuple(places[reached].T)]
        return found

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return self.instances.geometry.voxel_volume_mm3 / MM3_PER_ML

    @cached_property
    def volumes_ml(self) -> dict[int, float]:
        """Volume of every lesion by its number."""
        counts = np.bincount(self.cloud[1], minlength=max(self.instances.names, default=0) + 1)
        return {n: float(counts[n]) * self.voxel_ml for n in sorted(self.instances.names)}

    def outside(self, numbers: Collection[int], other: Placed) -> np.ndarray:
        """(N, 3) centres of the voxels of some lesions that are in none of the other visit."""
        points, own = self.cloud
        points = points[np.isin(own, list(numbers))]
        return points[other.at(points) == 0]

    def sees(self, points: np.ndarray) -> bool:
        """Whether the image holds most of some points of mid-space."""
        return bool((self.at(points) >= 0).mean() >= SEEN_SHARE)


Links = dict[tuple[int, int], float]
"""Volume in mL that a lesion of the earlier visit shares with one of the later, by the numbers
of both; 0 for such as only lie beside each other."""


def linked(earlier: Placed, later: Placed) -> Links:
    """The lesions of two visits that are the same; one may be linked to several."""
    shared = _shared_ml(earlier, later)
    before, after = earlier.volumes_ml, later.volumes_ml
    links = {
        (a, b): ml
        for (a, b), ml in sorted(shared.items())
        if ml >= LEAST_SHARE * min(before[a], after[b])
    }
    touched = {a for a, _ in shared}, {b for _, b in shared}
    return links | _near(earlier, later, touched)


def _shared_ml(earlier: Placed, later: Placed) -> Links:
    """Mean of what is shared by the voxels of either visit."""
    shared: Links = {}
    for one, other, swapped in ((earlier, later, False), (later, earlier, True)):
        points, own = one.cloud
        there = other.at(points)
        pairs = np.stack([own, there], axis=1)[there > 0]
        for pair, count in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
            a, b = (int(n) for n in (pair[::-1] if swapped else pair))
            shared[a, b] = shared.get((a, b), 0.0) + float(count) * one.voxel_ml / 2
    return shared


def _near(earlier: Placed, later: Placed, touched: tuple[set[int], set[int]]) -> Links:
    """Lesions that overlap none and lie beside one another."""
    (points, own), (others, theirs) = earlier.cloud, later.cloud
    alone, apart = (~np.isin(own, list(touched[0])), ~np.isin(theirs, list(touched[1])))
    points, own, others, theirs = points[alone], own[alone], others[apart], theirs[apart]
    if not len(points) or not len(others):
        return {}
    sides = [(one.voxel_ml * MM3_PER_ML) ** (1 / 3) for one in (earlier, later)]
    reach = GAP_MM + sum(sides) / 2
    close = KDTree(points).query_ball_tree(KDTree(others), reach)
    pairs = {(int(own[n]), int(theirs[m])) for n, found in enumerate(close) for m in found}
    return dict.fromkeys(sorted(pairs), 0.0)
