"""Sums of the probabilities of regions, collected while voxels pass by."""

from __future__ import annotations

import torch

from medprompt_cli.domain.posterior import PosteriorSums


class RegionSums:
    """Running sums of R regions: of p, of p inside the mask, and of p squared.

    Args:
        regions: How many.
        device: Where the probabilities are.
    """

    def __init__(self, regions: int, device: torch.device) -> None:
        self.total = torch.zeros(regions, dtype=torch.float64, device=device)
        self.inside = torch.zeros_like(self.total)
        self._squares = torch.zeros_like(self.total)

    def add_exclusive(self, posterior: torch.Tensor) -> torch.Tensor:
        """Take in (V, R) probabilities of regions of which each voxel has one.

        Returns:
            (V,) the region of every voxel, the likeliest.
        """
        highest, found = posterior.max(dim=1)
        self.inside.index_add_(0, found, highest.to(self.inside))
        self._add(posterior)
        return found

    def add_overlapping(self, posterior: torch.Tensor, likely: torch.Tensor) -> None:
        """Take in (V, R) probabilities of regions whose masks are `likely`, (V, R) bool."""
        self.inside += (posterior * likely).sum(dim=0)
        self._add(posterior)

    def _add(self, posterior: torch.Tensor) -> None:
        self.total += posterior.sum(dim=0)
        self._squares += posterior.square().sum(dim=0)  # einsum takes twenty times as long

    def without(self, voxels: torch.Tensor) -> None:
        """Take out (R,) voxels of each region that were dropped; their p is taken as 1."""
        self.total -= voxels
        self.inside -= voxels
        self._squares -= voxels

    def result(self, region: int, scale: float) -> PosteriorSums:
        """The sums of one region in mL, `scale` being the volume of a voxel."""
        total, inside = (max(0.0, float(sums[region])) for sums in (self.total, self.inside))
        spread = max(0.0, float(self.total[region] - self._squares[region]))
        return PosteriorSums(total * scale, min(inside, total) * scale, spread * scale)
