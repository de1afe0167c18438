"""What each tissue looks like in this very scan, learnt from the scan itself.

The network says where a structure may be; how bright it is differs with every
protocol. Expectation maximisation goes back and forth between the two: which voxels
belong to a structure, and which intensities its voxels have. Borders then follow the scan
rather than what training images had on average.

Source: after unified segmentation (Ashburner and Friston, NeuroImage 2005), with the
network's output in place of an atlas and histograms in place of Gaussians.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import KINDS, VENTRICLE_KINDS
from medprompt_cli.networks.intensity import CEILING

BINS = 64
"""Of a histogram, from 0 to the brightest intensity the network is given."""

SMOOTHING_BINS = 1.5
"""Standard deviation of the Gaussian that smooths a histogram."""

LEAST_SHARE = 1e-4
"""Share that an intensity has in every tissue: nothing is impossible."""

ITERATIONS = 8

_LOOKS = torch.tensor(
    [0, *(KINDS.index(VENTRICLE_KINDS[0] if k in VENTRICLE_KINDS else k) + 1 for k in KINDS)]
)
"""Kind whose histogram a kind shares. One histogram for all ventricles: a small one, such
as the third, has too few voxels inside to tell what fluid looks like. On three validate
scans this took the mean Dice from .769 to .780."""

SAMPLES = 150_000
"""Voxels the histograms are learnt from at most; evenly strided."""

PRIOR_WEIGHT = 0.5
"""How much of the network's log-odds counts beside the intensity. Chosen on real T1
scans from 0.35 to 1: less moves borders more, and lets lesions be taken for cortex."""

LESION_WEIGHT = 1.0
"""The same for lesions, where there are any: no voxel is called one for its brightness
alone."""


@dataclass(frozen=True, eq=False)
class IntensityModel:
    """Histograms of one case.

    Attributes:
        tables: (S, BINS, T + 1) log-likelihood of an intensity bin under each target,
            for every stream; T + 2 with lesions.
        weights: (T + 1,) or (T + 2,) how much of the network's log-odds counts.
    """

    tables: torch.Tensor
    weights: torch.Tensor

    def logits(self, prior: torch.Tensor, intensities: torch.Tensor) -> torch.Tensor:
        """Logits (V, T + 1) from the network's, given normalised `intensities`, (S, V).

        With lesions both have T + 2 columns, see `with_lesions`. Streams have one vote
        together: their mean.
        """
        bins = to_bins(intensities)
        logits = self.weights * prior
        for table, bin_ in zip(self.tables, bins, strict=True):
            logits = logits + F.embedding(bin_, table) / len(self.tables)
        return logits


def with_lesions(prior: torch.Tensor, odds: torch.Tensor) -> torch.Tensor:
    """Let lesions compete with structures for a voxel.

    Args:
        prior: (V, T + 1) logits of structures.
        odds: (V,) log-odds of any lesion.

    Returns:
        (V, T + 2) log-probabilities, lesions last.
    """
    structures = prior.log_softmax(dim=1) + F.logsigmoid(-odds)[:, None]
    return torch.cat([structures, F.logsigmoid(odds)[:, None]], dim=1)


def to_bins(intensities: torch.Tensor) -> torch.Tensor:
    """Histogram bin of each normalised intensity."""
    return (intensities * ((BINS - 1) / CEILING)).round_().long().clamp_(0, BINS - 1)


def fit_intensities(
    prior: torch.Tensor, intensities: torch.Tensor, kinds: torch.Tensor
) -> IntensityModel:
    """Learn the histograms of a case from a sample of its voxels.

    Args:
        prior: (V, T + 1) logits of the network, or (V, T + 2) of `with_lesions`.
        intensities: (S, V), normalised.
        kinds: (T + 1,) what each target is, 0 or 1 more than the place in `KINDS`; both
            sides of a structure look alike, and so do all ventricles.
    """
    kinds = _LOOKS.to(kinds.device)[kinds]
    weights = torch.full((prior.shape[1],), PRIOR_WEIGHT, device=prior.device)
    if prior.shape[1] > len(kinds):
        weights[-1] = LESION_WEIGHT
        kinds = torch.cat([kinds, kinds.max()[None] + 1])
    stride = max(1, len(prior) // SAMPLES)
    prior, intensities = prior[::stride], intensities[:, ::stride]
    bins = to_bins(intensities)
    tables = torch.zeros(len(bins), BINS, prior.shape[1], device=prior.device)
    for _ in range(ITERATIONS):
        model = IntensityModel(tables, weights)
        posterior = model.logits(prior, intensities).softmax(dim=1)
        tables = torch.stack([_table(bin_, posterior, kinds) for bin_ in bins])
    return IntensityModel(tables, weights)


def _table(bins: torch.Tensor, posterior: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
    """(BINS, T + 1) log-likelihoods from soft counts."""
    targets = torch.zeros(BINS, posterior.shape[1], device=posterior.device)
    targets.index_add_(0, bins, posterior)
    counts = torch.zeros(BINS, int(kinds.max()) + 1, device=posterior.device)
    counts.index_add_(1, kinds, targets)
    reach = torch.arange(-4, 5, device=posterior.device)
    kernel = torch.exp(-0.5 * (reach / SMOOTHING_BINS) ** 2)
    smooth = F.conv1d(counts.T[:, None], (kernel / kernel.sum())[None, None], padding=4)
    smooth = smooth[:, 0].T  # (BINS, kinds)
    shares = smooth / smooth.sum(dim=0).clamp_min(1e-6) + LEAST_SHARE
    return (shares / shares.sum(dim=0)).log()[:, kinds]
