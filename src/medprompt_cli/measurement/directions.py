"""Which way a surface looks at each of its elements, from the elements around it.

What is computed, and after whom, is written in `measurement/surface.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array  # pyright: ignore - scipy has no stubs

FAR = 2.5
"""Elements farther apart than this many times the scale are not nearby."""

CREASE = 0.5
"""Elements count for each other while they look less than about 40 degrees apart."""

ROUNDS = 3
"""How often the directions are taken anew with those found before."""

CELLS = 2
"""Cells to sort elements into, along the distance up to which they are nearby."""

ELEMENTS = 256
"""Elements treated at a time: what is near them stays in the processor's cache."""

KEPT_PAIRS = 40_000_000
"""Pairs of elements kept in memory, 12 bytes each; if there are more, all are found anew in
each round, in twice the time."""


def surface_directions(places: np.ndarray, areas: np.ndarray, scale: float) -> np.ndarray:
    """Direction of the surface at every element, (N, 3), each of length 1.

    Args:
        places: (N, 3) mm.
        areas: (N, 3) mm2 in the direction that the element itself looks, outward.
        scale: In mm: how far the elements around count.
    """
    near = _Nearby(places.astype(np.float32), scale)
    areas = areas[near.order]
    own = areas / np.linalg.norm(areas, axis=1, keepdims=True)
    found = _averaged(areas, near, own, is_first=True)
    inward = np.einsum("ij,ij->i", found, own) < 0
    found[inward] = own[inward]
    for _ in range(ROUNDS):
        found = _averaged(areas, near, found, is_first=False)
    unsorted = np.empty_like(found)
    unsorted[near.order] = found
    return unsorted


@dataclass(frozen=True, eq=False)
class _Patch:
    """Some elements of the surface, and those near each of them.

    Attributes:
        own: The elements of the patch.
        here: (P,) one end of every pair, counted within the patch; never falls.
        there: (P,) its other end.
        weight: (P,) by distance.
    """

    own: slice
    here: np.ndarray
    there: np.ndarray
    weight: np.ndarray


class _Nearby:
    """The elements of a surface sorted by place, and what is near them, patch by patch.

    Attributes:
        order: (N,) where each sorted element comes from.
    """

    def __init__(self, places: np.ndarray, scale: float) -> None:
        cell = np.floor(places / (FAR * scale / CELLS)).astype(np.intp)
        cell -= cell.min(axis=0) - CELLS
        key, steps = keys_of(cell)
        around = np.arange(-CELLS, CELLS + 1)
        self.order = np.argsort(key, kind="stable")
        self._key = key[self.order]
        self._rows = (around[:, None] * steps[0] + around * steps[1]).ravel()
        self._places = places[self.order]
        self._scale = scale
        self._kept: list[_Patch] = []
        self._pairs = 0

    def __iter__(self) -> Iterator[_Patch]:
        yield from self._kept
        first = self._kept[-1].own.stop if self._kept else 0
        for start in range(first, len(self._key), ELEMENTS):
            patch = self._patch(slice(start, min(start + ELEMENTS, len(self._key))))
            self._pairs += len(patch.here)
            if self._pairs <= KEPT_PAIRS:
                self._kept.append(patch)
            yield patch

    def _patch(self, own: slice) -> _Patch:
        begins, ends = self._runs(own)
        counts: np.ndarray = ends - begins
        jumps = np.repeat(begins - (np.cumsum(counts) - counts), counts)
        there = np.arange(len(jumps)) + jumps
        here = np.repeat(np.arange(len(counts)) // len(self._rows), counts)
        apart = self._places[own][here]
        apart -= self._places[there]
        squared = np.einsum("ij,ij->i", apart, apart)
        near = np.flatnonzero(squared <= (FAR * self._scale) ** 2)
        weight = np.exp(squared[near] / (-2 * self._scale**2))
        return _Patch(own, here[near].astype(np.int32), there[near].astype(np.int32), weight)

    def _runs(self, own: slice) -> tuple[np.ndarray, np.ndarray]:
        """Where the runs of elements begin and end that may be near those of a patch.

        The cells around one lie in rows; along a row, neighbouring cells follow each other.
        """
        rows: np.ndarray = (self._key[own, None] + self._rows).ravel()
        begins = np.searchsorted(self._key, rows - CELLS, side="left")
        return begins, np.searchsorted(self._key, rows + CELLS, side="right")


def keys_of(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One whole number for every row of whole numbers from 0, and how far each counts."""
    steps = np.cumprod([1, *(cell.max(axis=0) + 1)[:0:-1]])[::-1]
    return cell @ steps, steps


def _averaged(
    areas: np.ndarray, near: _Nearby, before: np.ndarray, *, is_first: bool
) -> np.ndarray:
    """What the areas nearby add up to, of length 1; as before where that is nothing."""
    total = np.empty_like(areas)
    single = np.ascontiguousarray(before.T, dtype=np.float32)
    for patch in near:
        weight = patch.weight
        if not is_first:
            products = [along[patch.own][patch.here] * along[patch.there] for along in single]
            alike = products[0] + products[1] + products[2]
            weight = weight * np.copysign(np.exp((np.abs(alike) - 1) / CREASE**2), alike)
        own = total[patch.own]
        ends = np.searchsorted(patch.here, np.arange(len(own) + 1))
        own[:] = csr_array((weight, patch.there, ends), (len(own), len(areas))) @ areas
    length = np.linalg.norm(total, axis=1, keepdims=True)
    least = 1e-9 * np.linalg.norm(areas, axis=1, keepdims=True)
    return np.where(length > least, total / np.maximum(length, least), before)
