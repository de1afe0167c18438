"""From which logit on a voxel belongs to a lesion that is there."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.synthesis.generator import Generator
from medprompt_cli.synthesis.lesion_parts import truth_table
from medprompt_cli.training.loss import LesionTruth, lesion_share

THRESHOLDS = torch.arange(-8.0, 4.01, 0.25)
"""Logits that are tried."""

HALF = 0.5


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold for all lesions.

    Attributes:
        logit: From which on a voxel belongs to a lesion.
        dice: Mean Dice with it, over lesions that are there.
        dice_at_zero: Mean Dice with even odds.
    """

    logit: float
    dice: float
    dice_at_zero: float


@torch.inference_mode()
def find_threshold(network: VoxelNetwork, generator: Generator, images: int) -> Threshold:
    """The logit that gives the best mean Dice on so many synthetic images.

    Most training images hold no lesion, so a network that is not sure says no everywhere.
    Where presence has said that there is one, the question to a voxel is another.
    """
    truth = LesionTruth.from_table(truth_table(), generator.device)
    total, count = torch.zeros(len(THRESHOLDS)), 0
    for _ in range(images):
        sample = generator.sample()
        if not sample.lesions.any():
            continue
        streams = len(sample.images)
        context, _ = network.read(sample.images[:, None], plan_levels(sample.spacing), streams)
        logits = network.lesion_logits(context.embedding, streams)[0].flatten(1).float()
        share, known = lesion_share(sample.lesions, truth)
        for x, inside, told in zip(logits, share > HALF, known > 0, strict=True):
            if bool((inside & told).any()):
                total += dice_by_threshold(x[told], inside[told])
                count += 1
    dice = total / max(1, count)
    best = int(dice.argmax())
    zero = int((THRESHOLDS == 0).nonzero()[0, 0])
    return Threshold(float(THRESHOLDS[best]), float(dice[best]), float(dice[zero]))


def dice_by_threshold(logits: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Dice at every one of `THRESHOLDS` for logits (V,) and truth (V,) bool."""
    reached = torch.bucketize(logits, THRESHOLDS.to(logits.device), right=True)
    bins = len(THRESHOLDS) + 1
    found, right = (
        torch.bincount(some, minlength=bins).flip(0).cumsum(0).flip(0)[1:].cpu()
        for some in (reached, reached[inside])
    )
    return 2 * right / (found + int(inside.sum()))
