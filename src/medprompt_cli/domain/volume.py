"""Voxels on a geometry: images, masks, label maps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import InputError


@dataclass(frozen=True, eq=False)
class Volume:
    """One image.

    Attributes:
        voxels: (I, J, K) float32, in the unit of the scanner (HU for CT).
        geometry: The grid the voxels lie on.
        modality: `MR` or `CT`; says how intensities are to be read.
        source: Where it came from, for messages and sidecars.
        notes: What was found and mended while reading, one sentence each.
    """

    voxels: np.ndarray
    geometry: Geometry
    modality: str = "MR"
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_shape(self.voxels, self.geometry)


@dataclass(frozen=True, eq=False)
class Mask:
    """The voxels of one region.

    Attributes:
        region: Canonical name from the vocabulary, e.g. `left-hippocampus`.
        voxels: (I, J, K) bool.
        geometry: The grid the voxels lie on.
        presence: Probability that the region is in the image; None if not estimated.
    """

    region: str
    voxels: np.ndarray
    geometry: Geometry
    presence: float | None = None

    def __post_init__(self) -> None:
        check_shape(self.voxels, self.geometry)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Regions that do not overlap, one id a voxel.

    Attributes:
        voxels: (I, J, K) unsigned integers; 0 is background.
        geometry: The grid the voxels lie on.
        names: Region name of every id that may occur.
    """

    voxels: np.ndarray
    geometry: Geometry
    names: dict[int, str]

    def __post_init__(self) -> None:
        check_shape(self.voxels, self.geometry)

    def only(self, regions: Collection[str]) -> LabelMap:
        """The same map without the regions that are not named; itself if all are."""
        names = {index: name for index, name in self.names.items() if name in regions}
        if len(names) == len(self.names):
            return self
        kept = np.zeros(max(self.names) + 1, self.voxels.dtype)
        kept[list(names)] = list(names)
        return LabelMap(kept[self.voxels], self.geometry, names)


def check_shape(voxels: np.ndarray, geometry: Geometry) -> None:
    """Raise InputError unless the array has the shape of its geometry."""
    if tuple(voxels.shape) != geometry.shape:
        raise InputError(
            f"Voxels of shape {tuple(voxels.shape)} do not fit a grid of {geometry.shape}.",
            remedy="Give voxels and geometry of one and the same image.",
            code="shape-mismatch",
        )


def check_one_grid(volumes: Sequence[Volume]) -> None:
    """Raise InputError unless there is an image, and all lie on the grid of the first."""
    if not volumes:
        raise InputError(
            "A case without any image was to be segmented.",
            remedy="Give one image, or several on one grid.",
            code="no-images",
        )
    first = volumes[0]
    for other in volumes[1:]:
        if not first.geometry.matches(other.geometry):
            raise InputError(
                f"{other.source or 'An image'} does not lie on the grid of"
                f" {first.source or 'the first'}.",
                remedy="Co-register the images of a case and resample them to one grid.",
                code="grid-mismatch",
            )
