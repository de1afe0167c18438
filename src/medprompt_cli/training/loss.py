"""What a training step minimises. Nothing is ever one-hot: truth is gathered."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

LEAST_SIZE = 0.5
"""Voxels below which a target counts as not there."""

SMOOTH = 1.0
"""Voxels added to both sides of the Dice ratio, so that tiny targets stay tame."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Loss of one image at one level.

    Attributes:
        total: What to minimise.
        dice: (T,) soft Dice of every base target; NaN where it is not in the truth.
        cross_entropy: Mean over voxels, in nats.
    """

    total: torch.Tensor
    dice: torch.Tensor
    cross_entropy: torch.Tensor


def segmentation_loss(logits: torch.Tensor, rows: torch.Tensor) -> Losses:
    """Soft Dice plus cross-entropy.

    Args:
        logits: (T + 1, I, J, K); row 0 is the background.
        rows: (I, J, K, P) uint8, the target row of each part of a voxel. P parts
            make the truth a fraction: partial volume.
    """
    log_p = F.log_softmax(logits.flatten(1).float(), dim=0)  # (T + 1, V)
    truth = rows.flatten(0, 2).T.long()  # (P, V)
    log_true = log_p.gather(0, truth)  # (P, V)
    cross_entropy = -log_true.mean()
    parts = len(truth)
    zeros = torch.zeros(len(log_p), device=log_p.device)
    overlap = zeros.index_add(0, truth.flatten(), log_true.exp().flatten()) / parts
    size = torch.bincount(truth.flatten(), minlength=len(log_p)).float() / parts
    predicted = log_p.exp().sum(dim=1)
    dice = (2 * overlap + SMOOTH) / (predicted + size + SMOOTH)
    dice, there = dice[1:], size[1:] > LEAST_SIZE
    mean_dice = dice[there].mean() if bool(there.any()) else dice.sum() * 0 + 1
    return Losses(
        (1 - mean_dice) + cross_entropy,
        dice.detach().masked_fill(~there, torch.nan),
        cross_entropy.detach(),
    )


def presence_loss(logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of being there at all; `logits` (1, T), `rows` (I, J, K, P)."""
    count = torch.bincount(rows.flatten().int(), minlength=logits.shape[1] + 1)[1:]
    there = (count >= rows.shape[-1]).to(torch.float32)
    return F.binary_cross_entropy_with_logits(logits[0].float(), there)
