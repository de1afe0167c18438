"""Presence that means what it says: a logistic regression on heads nobody trained on."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.errors import InputError
from medprompt_cli.networks.config import config_from_dict
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.networks.pyramid import CORE_LEVEL, VoxelNetwork, pooled_images
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator
from medprompt_cli.synthesis.lesion_parts import truth_table
from medprompt_cli.training.export import in_one_order
from medprompt_cli.training.loss import LesionTruth, lesion_share, presence_truth
from medprompt_cli.training.objective import coarse_rows
from medprompt_cli.training.recipe import Recipe
from medprompt_cli.training.voxel_calibration import find_threshold
from medprompt_cli.weights.store import load_weights

SEED = 24_681_357
RIDGE = 0.02
"""Penalty on what a lesion's class differs from lesions in general: some are rare."""

STEPS = 200
VOXEL_IMAGES = 160
RECALL = 0.9
MM3_PER_ML = 1000.0
FEWEST = 8
"""Images a detection limit has to rest on."""
BINS = 10
EVEN_ODDS = 0.5
TARGETS = len(BASE_STRUCTURES)


@dataclass(frozen=True, slots=True)
class Examples:
    """Evidence for presence, and the truth.

    Attributes:
        evidence: (N, T + L, 2).
        there: (N, T + L) 1 where the target is in the image.
        known: (N, T + L) 0 where the image cannot tell.
        volume_ml: (N, L) of lesions.
    """

    evidence: torch.Tensor
    there: torch.Tensor
    known: torch.Tensor
    volume_ml: torch.Tensor

    def part(self, start: int, stop: int | None) -> Examples:
        """Some of the images."""
        rows = slice(start, stop)
        return Examples(
            self.evidence[rows], self.there[rows], self.known[rows], self.volume_ml[rows]
        )


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far presence can be trusted, on images it was not fitted on.

    Attributes:
        images: How many.
        error: Expected calibration error over all lesion answers, in 10 bins.
        absent_right: Share of absent lesions that are called absent.
        present_right: Share of present lesions that are called present.
        voxel_logit: From which on a voxel belongs to a lesion that is there.
        lesion_dice: Mean Dice of lesions that are there, with that threshold.
        lesion_dice_at_zero: The same at even odds.
    """

    images: int
    error: float
    absent_right: float
    present_right: float
    voxel_logit: float = 0.0
    lesion_dice: float = math.nan
    lesion_dice_at_zero: float = math.nan


def calibrate(
    weights: Path, maps: Sequence[PackedLabels], recipe: Recipe, images: int, out: Path
) -> Reliability:
    """Fit presence and lesion thresholds on held-out heads; write the weights with them.

    Half of the images are fitted on, the other half judged; what is written is fitted on all.

    Raises:
        InputError: If the recipe holds no map out.
        WeightsError: If the weights cannot be read.
    """
    held_out = [m for m in maps if m.name in recipe.held_out]
    if not held_out:
        raise InputError(
            f"None of {len(maps)} label maps is held out: {', '.join(recipe.held_out)}.",
            remedy="Give the bank and the recipe that the weights were trained with.",
            code="no-images",
        )
    loaded = load_weights(weights)
    network = VoxelNetwork(config_from_dict(loaded.network))
    network.load_state_dict(loaded.tensors)
    network.to(torch.bfloat16).eval()
    examples = collect(network, Generator(held_out, recipe.generator, Draw(SEED)), images)
    half = images // 2
    judged = reliability(fit(examples.part(0, half)), examples.part(half, None))
    scale, offset = fit(examples)
    generator = Generator(held_out, recipe.generator, Draw(SEED + 1))
    threshold = find_threshold(network, generator, min(images, VOXEL_IMAGES))
    tensors = dict(loaded.tensors)
    tensors["calibration.scale"], tensors["calibration.offset"] = scale, offset
    chance = ((examples.evidence.float() * scale).sum(dim=-1) + offset).sigmoid()
    tensors["calibration.limit_ml"] = detection_limits(chance[:, TARGETS:], examples)
    tensors["calibration.voxel"] = torch.full((len(LESIONS),), -threshold.logit)
    about = {
        "network": json.dumps(loaded.network),
        "finest_level": str(loaded.finest_level),
    }
    partial = out.with_name(out.name + ".partial")
    partial.write_bytes(in_one_order(save(tensors, metadata=about)))
    partial.replace(out)
    return replace(
        judged,
        voxel_logit=threshold.logit,
        lesion_dice=threshold.dice,
        lesion_dice_at_zero=threshold.dice_at_zero,
    )


@torch.inference_mode()
def collect(network: VoxelNetwork, generator: Generator, images: int) -> Examples:
    """Evidence and truth of so many synthetic heads, at 4 mm."""
    table = LesionTruth.from_table(truth_table(), generator.device)
    evidence, there, known, volume = [], [], [], []
    for _ in range(images):
        sample = generator.sample()
        levels = plan_levels(sample.spacing)
        core = tuple(level for level in levels if level.index >= CORE_LEVEL)
        dtype = network.to_mask.weight.dtype
        image = pooled_images(sample.images[:, None], levels, dtype)[CORE_LEVEL]
        context, second = network.core(image, core, len(image))
        evidence.append(network.evidence(context.embedding, second, len(image))[0])
        rows, parts = coarse_rows(sample.labels, core[0]), coarse_rows(sample.lesions, core[0])
        truth, weight = presence_truth(rows, parts, table, TARGETS)
        there.append(truth)
        known.append(weight)
        volume.append(lesion_volumes(parts, table, core[0].spacing))
    return Examples(*map(torch.stack, (evidence, there, known, volume)))


def lesion_volumes(
    parts: torch.Tensor, truth: LesionTruth, spacing: tuple[float, ...]
) -> torch.Tensor:
    """Volume in mL, (L,), of every class in (I, J, K, P) lesion parts."""
    share, _ = lesion_share(parts, truth)
    return share.sum(dim=1).cpu() * math.prod(spacing) / MM3_PER_ML


def detection_limits(chance: torch.Tensor, examples: Examples) -> torch.Tensor:
    """Volume in mL, (L,), above which `RECALL` of all lesions of a class are found.

    Infinite where no volume will do.

    Args:
        chance: (N, L) calibrated presence.
        examples: The images, for their truth.
    """
    limits = torch.full((chance.shape[1],), torch.inf)
    for n in range(chance.shape[1]):
        there = examples.there[:, TARGETS + n] * examples.known[:, TARGETS + n] > 0
        volume, order = examples.volume_ml[there, n].sort(descending=True)
        found = (chance[there, n][order] >= EVEN_ODDS).float()
        share = found.cumsum(0) / torch.arange(1, len(found) + 1)
        enough = torch.nonzero(share >= RECALL)[:, 0]
        if len(enough) and int(enough[-1]) + 1 >= FEWEST:
            limits[n] = volume[enough[-1]]
    return limits


def fit(examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale (T + L, 2) and offset (T + L,) of a logistic regression.

    Structures share one regression. Lesions share the scale; classes differ in offset.
    """
    slopes = torch.tensor([[0.5, 0.1], [0.5, 0.1]], requires_grad=True)
    common = torch.zeros(2, requires_grad=True)
    own = torch.zeros(len(LESIONS), requires_grad=True)
    kind = torch.tensor([0] * TARGETS + [1] * len(LESIONS))

    def parameters() -> tuple[torch.Tensor, torch.Tensor]:
        offset = common[kind] + torch.cat([torch.zeros(TARGETS), own])
        return slopes[kind], offset

    optimiser = torch.optim.LBFGS([slopes, common, own], max_iter=STEPS)
    evidence = examples.evidence.float().clone()
    there, known = examples.there.clone(), examples.known.clone()

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        scale, offset = parameters()
        logits = (evidence * scale).sum(dim=-1) + offset
        each = F.binary_cross_entropy_with_logits(logits, there, known, reduction="none")
        loss = each[:, :TARGETS].mean() + each[:, TARGETS:].mean() + RIDGE * own.square().mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    scale, offset = parameters()
    return scale.detach().clone(), offset.detach().clone()


def reliability(fitted: tuple[torch.Tensor, torch.Tensor], examples: Examples) -> Reliability:
    """Judge a fit by lesions in images it has not seen."""
    scale, offset = fitted
    logits = (examples.evidence.float() * scale).sum(dim=-1) + offset
    asked = examples.known[:, TARGETS:] > 0
    chance = logits[:, TARGETS:].sigmoid()[asked]
    there = examples.there[:, TARGETS:][asked]
    bins = (chance * BINS).long().clamp(max=BINS - 1)
    gap = torch.zeros(BINS).index_add(0, bins, chance - there)
    called = chance >= EVEN_ODDS
    return Reliability(
        len(examples.there),
        float(gap.abs().sum() / max(1, len(chance))),
        float((~called[there == 0]).float().mean()),
        float(called[there == 1].float().mean()),
    )
