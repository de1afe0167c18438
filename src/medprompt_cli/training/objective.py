"""What one synthetic head costs: anatomy, lesions, parcels and presence, at every level."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from medprompt_cli.networks.levels import Level, plan_levels
from medprompt_cli.networks.pyramid import (
    CORE_LEVEL,
    Context,
    VoxelNetwork,
    pooled_images,
)
from medprompt_cli.networks.targets import family_rows
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Sample, split_blocks
from medprompt_cli.synthesis.lesion_parts import truth_table
from medprompt_cli.training.loss import (
    LesionTruth,
    Losses,
    lesion_loss,
    parcel_loss,
    presence_loss,
    segmentation_loss,
)
from medprompt_cli.training.recipe import Recipe

PRESENCE_WEIGHT = 0.1
PARCEL_WEIGHT = 0.3
LESION_WEIGHT = 1.0

ON_LESIONS = 0.5
"""Share of crops laid around a lesion, where there is one."""

FAMILIES = family_rows()


@dataclass(frozen=True, slots=True)
class Cost:
    """Loss of one head.

    Attributes:
        total: What to minimise.
        anatomy: Of the base structures, at the finest level trained.
        lesion: Soft Dice, (L,), at the finest level; NaN where there is no such lesion.
        parcel: Cross-entropy of parcels, in nats.
        presence: Cross-entropy of presence, in nats.
    """

    total: torch.Tensor
    anatomy: Losses
    lesion: torch.Tensor
    parcel: torch.Tensor
    presence: torch.Tensor


@dataclass(frozen=True, slots=True)
class Scan:
    """Images of a head at every level, and their truth.

    Attributes:
        images: By level index, (S, 1, I, J, K).
        levels: Finest first.
        labels: (I, J, K, P) target rows at the finest level.
        lesions: (I, J, K, P) lesion parts at the finest level.
    """

    images: dict[int, torch.Tensor]
    levels: tuple[Level, ...]
    labels: torch.Tensor
    lesions: torch.Tensor

    @property
    def core(self) -> tuple[Level, ...]:
        """Levels of the core."""
        return tuple(level for level in self.levels if level.index >= CORE_LEVEL)

    @property
    def streams(self) -> int:
        """Images of the head."""
        return len(self.images[CORE_LEVEL])


def sample_cost(network: VoxelNetwork, recipe: Recipe, sample: Sample, draw: Draw) -> Cost:
    """Loss of one head: at 4 mm on all of it, at finer levels on crops."""
    levels = plan_levels(sample.spacing)
    dtype = network.to_mask.weight.dtype
    images = pooled_images(sample.images[:, None], levels, dtype)
    scan = Scan(images, levels, sample.labels, sample.lesions)
    core, streams = scan.core, scan.streams
    with torch.set_grad_enabled(recipe.trains_core and torch.is_grad_enabled()):
        context, second = network.core(images[CORE_LEVEL], core, streams)
    rows, parts = coarse_rows(sample.labels, core[0]), coarse_rows(sample.lesions, core[0])
    truth = LesionTruth.from_table(truth_table(), rows.device)
    anatomy, lesion, spot = level_loss(network, context.embedding, streams, (rows, parts))
    parcels = coarse_rows(sample.parcels[..., None], core[0])[..., 0]
    logits = network.parcel_logits(context, second, core[1].pool, streams)
    parcel = parcel_loss(logits[0], parcels, FAMILIES)
    presence = presence_loss(network.presence(second, streams), rows, parts, truth)
    total = PRESENCE_WEIGHT * presence + PARCEL_WEIGHT * parcel
    coarse = anatomy.total + LESION_WEIGHT * lesion
    if recipe.level == CORE_LEVEL:
        total = total + coarse
        return Cost(total, anatomy, spot, parcel.detach(), presence.detach())
    total = total + recipe.core_weight * coarse
    for _ in range(recipe.crops):
        box = random_box(context, core[0], recipe, draw, (rows, parts))
        anatomy, lesion, spot = crop_loss(network, scan, context, box)
        total = total + (anatomy.total + LESION_WEIGHT * lesion) / recipe.crops
    return Cost(total, anatomy, spot, parcel.detach(), presence.detach())


def level_loss(
    network: VoxelNetwork,
    embedding: torch.Tensor,
    streams: int,
    truth: tuple[torch.Tensor, torch.Tensor],
) -> tuple[Losses, torch.Tensor, torch.Tensor]:
    """Anatomy, lesion loss and lesion Dice of (N, D + D', I, J, K) against rows and parts."""
    rows, parts = truth
    anatomy = segmentation_loss(network.logits(embedding, streams)[0], rows)
    table = LesionTruth.from_table(truth_table(), rows.device)
    lesion, dice = lesion_loss(network.lesion_logits(embedding, streams)[0], parts, table)
    return anatomy, lesion, dice


def crop_loss(
    network: VoxelNetwork, scan: Scan, context: Context, box: tuple[slice, ...]
) -> tuple[Losses, torch.Tensor, torch.Tensor]:
    """Loss of the finer levels inside `box`, given in voxels of the core's level."""
    levels, core = scan.levels, scan.core[0]
    whole = (slice(None), slice(None))
    here = Context(
        context.features[(*whole, *box)], context.embedding[(*whole, *box)], context.summary
    )
    for n in reversed(range(len(levels) - len(scan.core))):
        level = levels[n]
        inside = scaled(box, core, level)
        pool_and_extent = (levels[n + 1].pool, level.extent)
        image = scan.images[level.index][(*whole, *inside)]
        here = network.fine[level.index](image, here, pool_and_extent, scan.streams)
    at = scaled(box, core, levels[0])
    return level_loss(
        network, here.embedding, scan.streams, (scan.labels[at], scan.lesions[at])
    )


def scaled(box: tuple[slice, ...], core: Level, level: Level) -> tuple[slice, ...]:
    """`box` in voxels of the core's level, in voxels of a finer level."""
    ratio = [a // b for a, b in zip(core.factors, level.factors, strict=True)]
    return tuple(slice(s.start * r, s.stop * r) for s, r in zip(box, ratio, strict=True))


def random_box(
    context: Context,
    core: Level,
    recipe: Recipe,
    draw: Draw,
    truth: tuple[torch.Tensor, torch.Tensor],
) -> tuple[slice, ...]:
    """A crop of `recipe.crop_mm` around a random voxel of the brain, or of a lesion."""
    rows, parts = truth
    shape = context.features.shape[2:]
    sizes = [
        min(n, max(2, round(recipe.crop_mm / s)))
        for n, s in zip(shape, core.spacing, strict=True)
    ]
    inside = torch.nonzero(parts[..., 0]) if draw.chance(ON_LESIONS) else rows.new_empty(0, 3)
    inside = inside if len(inside) else torch.nonzero(rows[..., 0])
    if len(inside):
        centre = inside[draw.integer(len(inside))].tolist()
    else:
        centre = [n // 2 for n in shape]
    starts = [
        min(max(0, c - size // 2), n - size)
        for c, size, n in zip(centre, sizes, shape, strict=True)
    ]
    return tuple(slice(a, a + size) for a, size in zip(starts, sizes, strict=True))


def coarse_rows(labels: torch.Tensor, core: Level) -> torch.Tensor:
    """(I, J, K, P) at the entry level to (I', J', K', P') at the core's level.

    At most 8 parts are kept of each coarse voxel, spread over it.
    """
    if core.factors == (1, 1, 1):
        return labels
    if labels.shape[-1] != 1:
        labels = labels[..., :1]
    a, b, c = core.factors
    i, j, k = (n // f for n, f in zip(labels.shape[:3], core.factors, strict=True))
    if core.factors == (2, 2, 2):
        return split_blocks(labels[..., 0], (2, 2, 2))
    blocks = labels[..., 0].reshape(i, a, j, b, k, c).permute(0, 2, 4, 1, 3, 5)
    picks = [[0, 0] if f == 1 else [f // 4, f - 1 - f // 4] for f in (a, b, c)]
    parts = [blocks[..., x, y, z] for x in picks[0] for y in picks[1] for z in picks[2]]
    return torch.stack(parts, dim=-1)
