"""An image on the grid of a mask: for measuring only, never written."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import affine_transform  # pyright: ignore - scipy has no stubs

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume

NOTE = "Resampled to the grid of the mask, to be measured."


def resampled(image: Volume, geometry: Geometry) -> Volume:
    """The image at the voxel centres of another grid; itself if it lies there already.

    Interpolated linearly between the eight voxels around; NaN where there are none, which
    measuring leaves out. Both must lie in one world: nothing is registered.
    """
    if image.geometry.matches(geometry):
        return image
    step = np.linalg.inv(image.geometry.affine) @ geometry.affine
    voxels = np.empty(geometry.shape, np.float32)
    affine_transform(
        image.voxels,
        step[:3, :3],
        tuple(step[:3, 3]),  # pyright: ignore - scipy has no stubs
        geometry.shape,
        output=voxels,
        order=1,
        mode="constant",
        cval=np.nan,
    )
    notes = (*image.notes, NOTE)
    return Volume(voxels, geometry, image.modality, image.source, notes)
