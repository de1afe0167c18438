"""What a training step minimises. Nothing is ever one-hot: truth is gathered."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

LEAST_SIZE = 0.5
"""Voxels below which a target counts as not there."""

HEAVIEST = 10.0
"""Largest weight of a lesion's voxel in the cross-entropy."""

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


@dataclass(frozen=True, slots=True)
class LesionTruth:
    """What the parts of lesions say about the classes of lesions.

    Attributes:
        yes: (parts, L) bool, the part belongs to the class.
        known: (parts, L) bool, the image can tell whether it does.
    """

    yes: torch.Tensor
    known: torch.Tensor

    @classmethod
    def from_table(cls, table: torch.Tensor, device: torch.device) -> LesionTruth:
        """From 1, 0 and -1 for undecided, (parts, L)."""
        return cls((table == 1).to(device), (table >= 0).to(device))


def lesion_loss(
    logits: torch.Tensor, parts: torch.Tensor, truth: LesionTruth
) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft Dice of the classes that are there plus cross-entropy of all.

    The first class, any lesion, counts as much as the others together. Voxels of a lesion
    weigh more in the cross-entropy, the rarer they are. Voxels where the image cannot tell
    a class do not count for that class.

    Args:
        logits: (L, I, J, K).
        parts: (I, J, K, P) uint8, the lesion part of each part of a voxel.
        truth: What parts say about classes.

    Returns:
        The loss, and (L,) soft Dice, NaN where the truth has none of the class.
    """
    x = logits.flatten(1).float()  # (L, V)
    share, known = lesion_share(parts, truth)
    size = (share * known).sum(dim=1)
    weight = 1 + share * (rarity(size, known.sum(dim=1)) - 1)[:, None]
    each = F.binary_cross_entropy_with_logits(x, share, weight * known, reduction="none")
    cross_entropy = (each.sum(dim=1) / (weight * known).sum(dim=1).clamp_min(1)).sum()
    p = x.sigmoid() * known
    dice = (2 * (p * share).sum(dim=1) + SMOOTH) / (p.sum(dim=1) + size + SMOOTH)
    there = size > LEAST_SIZE
    lost = (1 - dice)[there].mean() + (1 - dice[0]) if bool(there.any()) else x.sum() * 0
    return lost + cross_entropy, dice.detach().masked_fill(~there, torch.nan)


def lesion_share(parts: torch.Tensor, truth: LesionTruth) -> tuple[torch.Tensor, torch.Tensor]:
    """Share of each voxel that is of a class, and whether that can be told, (L, V) each."""
    one_part = parts.flatten(0, 2).int()  # (V, P)
    share = F.embedding(one_part, truth.yes.float()).mean(dim=1).T
    return share, F.embedding(one_part, truth.known.float()).amin(dim=1).T


def rarity(size: torch.Tensor, voxels: torch.Tensor) -> torch.Tensor:
    """Weight of a voxel of a class of `size` voxels among `voxels`, between 1 and 10."""
    return (voxels / size.clamp_min(LEAST_SIZE)).sqrt().clamp(1, HEAVIEST)


def parcel_loss(
    logits: torch.Tensor, parcels: torch.Tensor, families: dict[str, tuple[int, ...]]
) -> torch.Tensor:
    """Cross-entropy of the parcel, family by family, where there is one.

    Args:
        logits: (P, I, J, K).
        parcels: (I, J, K) uint8, rows of `PARCELS` plus 1; 0 where there is none.
        families: Rows of each family, consecutive.
    """
    truth = parcels.flatten().long() - 1
    flat = logits.flatten(1)
    lost = []
    for rows in families.values():
        here = torch.nonzero((truth >= rows[0]) & (truth <= rows[-1]))[:, 0]
        if len(here):
            chosen = flat[rows[0] : rows[-1] + 1].index_select(1, here).float().T
            lost.append(F.cross_entropy(chosen, truth[here] - rows[0]))
    return torch.stack(lost).mean() if lost else flat.sum().float() * 0


def presence_loss(
    logits: torch.Tensor, rows: torch.Tensor, parts: torch.Tensor, truth: LesionTruth
) -> torch.Tensor:
    """Cross-entropy of being there at all.

    Args:
        logits: (1, T + L), base structures and lesions.
        rows: (I, J, K, P) uint8 target rows.
        parts: (I, J, K, P) uint8 lesion parts.
        truth: What parts say about classes.
    """
    targets = logits.shape[1] - truth.yes.shape[1]
    there, known = presence_truth(rows, parts, truth, targets)
    return F.binary_cross_entropy_with_logits(logits[0].float(), there, known)


def presence_truth(
    rows: torch.Tensor, parts: torch.Tensor, truth: LesionTruth, targets: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is in an image, (T + L,) of 1 and 0, and whether that can be told, likewise.

    T is `targets`, the number of base structures. One whole voxel is enough to be there. A
    class that only may be there is not told.
    """
    count = torch.bincount(rows.flatten().int(), minlength=targets + 1)[1:]
    there = count >= rows.shape[-1]
    found = torch.bincount(parts.flatten().int(), minlength=len(truth.yes)) >= parts.shape[-1]
    is_there = (truth.yes & found[:, None]).any(dim=0)
    unclear = (~truth.known & found[:, None]).any(dim=0) & ~is_there
    known = torch.cat([torch.ones_like(there), ~unclear])
    return torch.cat([there, is_there]).float(), known.float()
