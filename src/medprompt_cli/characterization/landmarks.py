"""Ways from lesions to what lies around them, fast for many lesions of one image.

The voxels of a group of regions are put into a tree once, and every lesion asks that tree: a
patient may have fifty lesions, each with a dozen groups around it. Trees belong to a label map
and go with it; its voxels must not be changed once it was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

import numpy as np
from scipy.spatial import KDTree

from medprompt_cli.domain.volume import LabelMap

SEARCH_MM = 40.0
"""Nothing is looked for farther away: no white matter lies farther from cortex."""

MOST_POINTS = 4096
"""Of a lesion with more voxels so many, evenly spread over it, are asked about their way."""


class Landmarks:
    """Groups of regions of a label map, as trees of points in mm."""

    def __init__(self) -> None:
        self._trees: dict[Hashable, KDTree | None] = {}

    def mm_to(
        self, key: Hashable, points: np.ndarray, theirs: Callable[[], np.ndarray]
    ) -> np.ndarray:
        """(N,) from each point to the nearest of a group; infinite beyond `SEARCH_MM`.

        Args:
            key: Of the group.
            points: (N, 3) mm.
            theirs: Gives the group's points, (M, 3) mm; called once for a key.
        """
        if key not in self._trees:
            found = theirs()
            # a grid needs no balance, and a tree without it is made several times as fast
            self._trees[key] = (
                KDTree(found, balanced_tree=False, compact_nodes=False) if len(found) else None
            )
        tree = self._trees[key]
        if tree is None:
            return np.full(len(points), np.inf)
        ways, _ = tree.query(points, distance_upper_bound=SEARCH_MM)
        return np.asarray(ways)


def landmarks_of(labels: LabelMap) -> Landmarks:
    """Those of a label map, the same for every lesion that is held against it."""
    return _KNOWN.setdefault(labels, Landmarks())


_KNOWN: WeakKeyDictionary[LabelMap, Landmarks] = WeakKeyDictionary()


def spread(count: int) -> np.ndarray:
    """Which of so many voxels are asked: all of few, evenly spread ones of many."""
    step = -(-count // MOST_POINTS)
    return np.arange(step // 2, count, step)
