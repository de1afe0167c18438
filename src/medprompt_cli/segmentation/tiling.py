"""Boxes of voxels, and how a large one is cut so that it fits in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

Index = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """Voxels from `start` up to, not including, `stop`."""

    start: Index
    stop: Index

    @property
    def shape(self) -> Index:
        """Voxels along each axis."""
        i, j, k = (b - a for a, b in zip(self.start, self.stop, strict=True))
        return i, j, k

    @property
    def size(self) -> int:
        """Voxels in all."""
        return math.prod(self.shape)

    def grown(self, by: int, limit: Index) -> Box:
        """The box with `by` more voxels on every side, inside a grid of `limit`."""
        i, j, k = (max(0, a - by) for a in self.start)
        p, q, r = (min(n, b + by) for b, n in zip(self.stop, limit, strict=True))
        return Box((i, j, k), (p, q, r))

    def scaled(self, by: Index) -> Box:
        """The same box on a grid `by` times finer."""
        i, j, k = (a * f for a, f in zip(self.start, by, strict=True))
        p, q, r = (b * f for b, f in zip(self.stop, by, strict=True))
        return Box((i, j, k), (p, q, r))

    def shifted(self, by: Index) -> Box:
        """The same box counted from another origin."""
        i, j, k = (a + d for a, d in zip(self.start, by, strict=True))
        p, q, r = (b + d for b, d in zip(self.stop, by, strict=True))
        return Box((i, j, k), (p, q, r))

    def within(self, outer: Box) -> tuple[slice, slice, slice]:
        """Slices of this box in an array that holds `outer`."""
        i, j, k = (
            slice(a - o, b - o)
            for a, b, o in zip(self.start, self.stop, outer.start, strict=True)
        )
        return i, j, k

    def slices(self) -> tuple[slice, slice, slice]:
        """Slices of this box in an array that starts at zero."""
        i, j, k = (slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return i, j, k


def tiles(box: Box, halo: int, limit: Index, most: int) -> Iterator[tuple[Box, Box]]:
    """Cut `box` into tiles whose haloed size is at most `most` voxels, where possible.

    Yields each tile and the tile with its halo, on a grid of shape `limit`. The
    longest axis is cut first, and evenly.
    """
    cuts = [1, 1, 1]
    while True:
        sizes = [math.ceil(n / c) for n, c in zip(box.shape, cuts, strict=True)]
        if math.prod(n + 2 * halo for n in sizes) <= most or max(sizes) <= 2 * halo + 2:
            break
        cuts[sizes.index(max(sizes))] += 1
    i, j, k = sizes
    for a in range(box.start[0], box.stop[0], i):
        for b in range(box.start[1], box.stop[1], j):
            for c in range(box.start[2], box.stop[2], k):
                stop = (
                    min(a + i, box.stop[0]),
                    min(b + j, box.stop[1]),
                    min(c + k, box.stop[2]),
                )
                tile = Box((a, b, c), stop)
                yield tile, tile.grown(halo, limit)
