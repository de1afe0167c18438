"""The part of a grid that a region fills, with axes that run towards R, A and S.

Everything here measures on such a cutout. Whatever the order and the direction in which a
file stores its axes, the same arrays are seen and the same numbers come out, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cc3d
import numpy as np

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.volume import Mask

AXES = (0, 1, 2)

Connectivity = Literal[6, 18, 26]
"""Connected are voxels that share a face (6), also an edge (18), also a corner (26)."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """The voxels of a region within its box.

    Attributes:
        voxels: (I, J, K) bool, axes towards R, A, S; every face of the box holds a voxel.
        corner: (3,) where the first voxel lies on `grid`.
        grid: The grid of the whole image, axes towards R, A, S.
    """

    voxels: np.ndarray
    corner: np.ndarray
    grid: Geometry

    @cached_property
    def linear(self) -> np.ndarray:
        """(3, 3) mm: how far a step along each array axis leads, one axis a column."""
        return self.grid.affine[:3, :3]

    @property
    def mm3(self) -> float:
        """Volume of what was cut out."""
        return int(np.count_nonzero(self.voxels)) * voxel_mm3(self.grid)

    @property
    def touches_border(self) -> bool:
        """Whether a voxel lies on the first or last plane of some axis of the image."""
        last = self.corner + self.voxels.shape
        return bool((self.corner == 0).any() or (last == self.grid.shape).any())


def voxel_mm3(geometry: Geometry) -> float:
    """Volume of one voxel: the box that the steps along the axes span.

    Axes in any order and direction give the same bits, and voxels of 0.5 x 0.5 x 3 mm have
    0.75 mm3 to the last, which a determinant by way of logarithms does not give.
    """
    (a, b, c), (d, e, f), (g, h, i) = geometry.canonical().affine[:3, :3].tolist()
    return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def cut_out(mask: Mask) -> Cutout | None:
    """Cut the region out of its image; None if the mask is empty."""
    voxels = to_canonical(np.asarray(mask.voxels, dtype=bool), mask.geometry)
    return cut_box(voxels, mask.geometry.canonical(), np.zeros(3, dtype=np.intp))


def cut_box(voxels: np.ndarray, grid: Geometry, corner: np.ndarray) -> Cutout | None:
    """Cut canonical `voxels`, whose first lies at `corner` of `grid`, to those that are set."""
    first, last = np.zeros(3, dtype=np.intp), np.zeros(3, dtype=np.intp)
    for axis in AXES:
        others = tuple(other for other in AXES if other != axis)
        filled = np.flatnonzero(voxels.any(axis=others))
        if not filled.size:
            return None
        first[axis], last[axis] = filled[0], filled[-1] + 1
    box = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return Cutout(np.ascontiguousarray(voxels[box]), corner + first, grid)


def cut_outs(first: Mask, second: Mask) -> tuple[np.ndarray, np.ndarray] | None:
    """Two masks of one grid within the box that holds both; None if one is empty."""
    one, other = cut_out(first), cut_out(second)
    if one is None or other is None:
        return None
    low = np.minimum(one.corner, other.corner)
    high = np.maximum(one.corner + one.voxels.shape, other.corner + other.voxels.shape)
    return _placed(one, low, high), _placed(other, low, high)


def _placed(part: Cutout, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    voxels = np.zeros(tuple(high - low), dtype=bool)
    start = part.corner - low
    box = tuple(slice(a, a + n) for a, n in zip(start, part.voxels.shape, strict=True))
    voxels[box] = part.voxels
    return voxels


SLICE_AXES = 2


def connected_pieces(
    voxels: np.ndarray, connectivity: Connectivity | Literal[8]
) -> tuple[np.ndarray, int]:
    """Number the connected pieces of a mask from 1, in no particular order, and count them.

    Args:
        voxels: Bool; of 3 dimensions, of 2 for a connectivity of 8.
        connectivity: To how many voxels around it a voxel is connected.
    """
    # cc3d runs out of labels on a single row of voxels; with a margin there is none. Of two
    # dimensions and 8 neighbours, cc3d 4.1 leaves what memory held in the background: as
    # one layer of three dimensions it does not.
    padded = np.pad(voxels, 1)
    flat = voxels.ndim == SLICE_AXES
    labels, number = cc3d.connected_components(
        padded[..., None] if flat else padded,
        connectivity=26 if flat else connectivity,
        return_N=True,
    )
    labels = labels[..., 0] if flat else labels
    return labels[(slice(1, -1),) * voxels.ndim], number


def exposed_faces(voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces of voxels behind which there is no voxel of the region.

    The edge of the array counts as the end of the region.

    Args:
        voxels: Bool, of any number D of dimensions.

    Returns:
        (N, D) twice the index of each face's centre, whole numbers: odd along the axis that
        the face is perpendicular to, even along the others. (N,) that axis. (N,) 1 where the
        region ends towards higher indices, -1 towards lower.
    """
    padded = np.pad(voxels, 1).view(np.int8)
    places: list[np.ndarray] = []
    axes: list[np.ndarray] = []
    ends: list[np.ndarray] = []
    for axis in range(voxels.ndim):
        step = np.diff(padded, axis=axis)
        index = np.argwhere(step)
        ends.append(-step[tuple(index.T)].astype(np.intp))
        index = 2 * (index - 1)
        index[:, axis] += 1
        places.append(index)
        axes.append(np.full(len(index), axis))
    return np.concatenate(places), np.concatenate(axes), np.concatenate(ends)
