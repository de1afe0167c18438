"""Close a mask by a ball, and fill what it encloses."""

from __future__ import annotations

import edt
import numpy as np
import SimpleITK


def closed(voxels: np.ndarray, spacing: tuple[float, ...], radius_mm: float) -> np.ndarray:
    """A mask with gaps up to twice `radius_mm` wide bridged and its holes filled.

    The image's border cuts nothing off: what lies beyond it counts as inside.

    Args:
        voxels: (I, J, K) bool.
        spacing: Of the voxels, in mm.
        radius_mm: Of the ball.

    Returns:
        (I, J, K) bool, which holds `voxels`.
    """
    out = voxels.copy()
    if not voxels.any():
        return out
    box = _box_round(voxels, [int(np.ceil(radius_mm / step)) + 1 for step in spacing])
    inside = np.ascontiguousarray(voxels[box])
    near = edt.edt(~inside, anisotropy=spacing, black_border=False) <= radius_mm
    inside |= edt.edt(near, anisotropy=spacing, black_border=False) > radius_mm
    image = SimpleITK.GetImageFromArray(inside.astype(np.uint8))
    out[box] |= SimpleITK.GetArrayFromImage(SimpleITK.BinaryFillhole(image)) > 0
    return out


def _box_round(voxels: np.ndarray, margin: list[int]) -> tuple[slice, ...]:
    """The smallest box round a mask that is not empty, and a margin."""
    box = []
    for axis, more in enumerate(margin):
        rest = tuple(a for a in range(voxels.ndim) if a != axis)
        along = np.flatnonzero(voxels.any(axis=rest))
        box.append(slice(max(0, int(along[0]) - more), int(along[-1]) + more + 1))
    return tuple(box)
