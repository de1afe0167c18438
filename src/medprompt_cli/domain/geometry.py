"""A voxel grid and its place in the scanner."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from medprompt_cli.errors import InputError

GRID_TOLERANCE_MM = 1e-3
"""Two grids are the same if no corner voxel is farther apart than this."""

LEAST_VOLUME_MM3 = 1e-12
"""A voxel smaller than this is no voxel: its axes lie in one plane."""

WORLD_AXES = (("L", "R"), ("P", "A"), ("I", "S"))
"""Negative and positive end of each RAS+ world axis."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """A voxel grid and its place in the scanner.

    Attributes:
        shape: Voxels along the array axes, (I, J, K).
        affine: (4, 4) float64. Takes voxel index (i, j, k, 1) to RAS+ world, in mm.

    Raises:
        InputError: If `affine` is not (4, 4) or gives voxels no volume.

    Source: NIfTI-1 sform.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    def __post_init__(self) -> None:
        affine = np.asarray(self.affine, dtype=np.float64)
        readable = affine.shape == (4, 4) and bool(np.isfinite(affine).all())
        if not readable or abs(np.linalg.det(affine[:3, :3])) < LEAST_VOLUME_MM3:
            raise InputError(
                f"Affine {affine.tolist()} gives voxels no volume.",
                remedy="Re-export the image: its NIfTI sform is empty or damaged.",
                code="no-affine",
            )
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxels along I, J and K, in mm."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel: the affine's determinant, so shears count."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def slice_axis(self) -> int:
        """The axis with the widest spacing; the last of them if several tie."""
        return int(2 - np.argmax(np.round(self.spacing[::-1], 4)))

    @property
    def slice_spacing(self) -> float:
        """Spacing across slices, in mm."""
        return self.spacing[self.slice_axis]

    @property
    def in_plane_spacing(self) -> float:
        """The finest spacing, in mm."""
        return min(self.spacing)

    @property
    def spacing_ratio(self) -> float:
        """Slice spacing over in-plane spacing."""
        return self.slice_spacing / self.in_plane_spacing

    @cached_property
    def axis_order(self) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
        """How to make the array run along R, A, S as nearly as it can.

        Returns the array axis to take for each world axis, and whether that axis
        must be flipped. Each array axis is used once, the best-aligned first.
        """
        cosines = self.affine[:3, :3] / np.asarray(self.spacing)
        free = np.abs(cosines)
        source = [0, 0, 0]
        for _ in range(3):
            world, axis = np.unravel_index(np.argmax(free), (3, 3))
            source[int(world)] = int(axis)
            free[world, :] = -1
            free[:, axis] = -1
        flips = [bool(cosines[world, source[world]] < 0) for world in range(3)]
        return (source[0], source[1], source[2]), (flips[0], flips[1], flips[2])

    @property
    def orientation(self) -> str:
        """Axis codes such as `RAS` or `LIA`: where each array axis points."""
        source, flips = self.axis_order
        codes = ["", "", ""]
        for world in range(3):
            codes[source[world]] = WORLD_AXES[world][not flips[world]]
        return "".join(codes)

    def canonical(self) -> Geometry:
        """The same voxels with axes permuted and flipped towards R, A, S."""
        source, flips = self.axis_order
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1
        for world in range(3):
            axis, length = source[world], self.shape[source[world]]
            matrix[axis, world] = -1 if flips[world] else 1
            matrix[axis, 3] = length - 1 if flips[world] else 0
        i, j, k = (self.shape[axis] for axis in source)
        return Geometry((i, j, k), self.affine @ matrix)

    def to_world(self, voxel: np.ndarray) -> np.ndarray:
        """Voxel indices, (..., 3), to RAS+ mm, (..., 3)."""
        return voxel @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_voxel(self, world: np.ndarray) -> np.ndarray:
        """RAS+ mm, (..., 3), to fractional voxel indices, (..., 3)."""
        return (world - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T

    def matches(self, other: Geometry, tolerance_mm: float = GRID_TOLERANCE_MM) -> bool:
        """Whether both grids hold the same voxels in the same places."""
        if self.shape != other.shape:
            return False
        far = np.array(self.shape) - 1
        corners = np.array(np.meshgrid(*([0, n] for n in far))).reshape(3, -1).T
        apart = self.to_world(corners) - other.to_world(corners)
        return bool(np.linalg.norm(apart, axis=1).max() <= tolerance_mm)


def to_canonical(voxels: np.ndarray, geometry: Geometry) -> np.ndarray:
    """View `voxels`, (I, J, K, ...), with axes running towards R, A, S."""
    source, flips = geometry.axis_order
    rest = range(3, voxels.ndim)
    turned = voxels.transpose(*source, *rest)
    return turned[tuple(slice(None, None, -1 if flip else None) for flip in flips)]


def from_canonical(voxels: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Undo `to_canonical`: back to the array order of `geometry`."""
    source, flips = geometry.axis_order
    turned = voxels[tuple(slice(None, None, -1 if flip else None) for flip in flips)]
    back = np.argsort(source)
    return turned.transpose(*(int(axis) for axis in back), *range(3, voxels.ndim))
