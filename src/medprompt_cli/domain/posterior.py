"""What the probabilities of a region add up to over an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PosteriorSums:
    """Sums over all voxels of an image, p being the probability of the region in a voxel.

    Attributes:
        total_ml: Of p: the volume that is expected.
        inside_ml: Of p in the voxels of the mask: how much of the mask is expected to be right.
        spread_ml: Of p (1 - p): how much is undecided; 0 where every voxel is certain.
        pose_sd_ml: Standard deviation of `total_ml` over several looks at the head, moved a
            little; 0 if it was looked at once.
    """

    total_ml: float
    inside_ml: float
    spread_ml: float
    pose_sd_ml: float = 0.0
