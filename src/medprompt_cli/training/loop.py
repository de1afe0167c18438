"""The training loop: draw, predict, compare, step; save often, stop in time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from medprompt_cli.errors import InputError, WeightsError
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.levels import Level, plan_levels
from medprompt_cli.networks.pyramid import (
    CORE_LEVEL,
    Context,
    VoxelNetwork,
    pooled_images,
)
from medprompt_cli.segmentation.device import choose_device
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator, Sample, split_blocks
from medprompt_cli.training.loss import Losses, presence_loss, segmentation_loss
from medprompt_cli.training.recipe import Recipe, recipe_to_dict
from medprompt_cli.training.state import (
    TrainingState,
    apply_gradients,
    latest_checkpoint,
    load_checkpoint,
    new_state,
    save_checkpoint,
)

PRESENCE_WEIGHT = 0.1
LOG_EVERY = 50
SAVE_EVERY_S = 240.0
VALIDATION_IMAGES = 6
VALIDATION_SEED = 987_654


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how long to train.

    Attributes:
        folder: Gets checkpoints and `log.jsonl`.
        device: `cpu` or `cuda[:N]`.
        minutes: Stop after this long; None for the recipe's steps.
        start: Weights by name to begin from, when no checkpoint is there.
    """

    folder: Path
    device: str = "cpu"
    minutes: float | None = None
    start: dict[str, torch.Tensor] | None = None


def train(
    recipe: Recipe,
    maps: tuple[PackedLabels, ...],
    run: Run,
    report: Callable[[dict[str, float]], None] = lambda _: None,
) -> TrainingState:
    """Train until the recipe or the time is done; resume what is in the folder.

    Raises:
        DeviceError: If the device is not there.
        WeightsError: If the weights to start from are of another network.
        InputError: If a checkpoint in the folder is of another network, or no map is left
            to train on.
    """
    device = choose_device(run.device)
    torch.manual_seed(recipe.seed)
    network = VoxelNetwork(CONFIGS[recipe.network])
    if run.start:
        _load_start(network, run.start)
    if not recipe.trains_core:
        for part in (network.core, network.targets, network.to_mask):
            part.requires_grad_(requires_grad=False)
    state = new_state(network, recipe, device)
    checkpoint = latest_checkpoint(run.folder)
    if checkpoint:
        load_checkpoint(state, checkpoint)
    seen, unseen = _held_apart(maps, recipe)
    generator = Generator(seen, recipe.generator, state.draw)
    run.folder.mkdir(parents=True, exist_ok=True)
    about = json.dumps(recipe_to_dict(recipe), indent=1)
    (run.folder / "recipe.json").write_text(about, encoding="utf-8")
    with (run.folder / "log.jsonl").open("a", encoding="utf-8") as log:
        for row in steps(state, recipe, generator, run, unseen):
            log.write(json.dumps(row) + "\n")
            log.flush()
            report(row)
    return state


def _held_apart(
    maps: tuple[PackedLabels, ...], recipe: Recipe
) -> tuple[list[PackedLabels], list[PackedLabels]]:
    """The label maps to train on, and those to validate on."""
    seen = [m for m in maps if m.name not in recipe.held_out]
    if not seen:
        raise InputError(
            f"No label map is left to train on: {len(maps)} of {len(maps)} are held out.",
            remedy="Pack more label maps, or hold out fewer in the recipe.",
            code="no-images",
        )
    return seen, [m for m in maps if m.name in recipe.held_out]


def _load_start(network: VoxelNetwork, start: dict[str, torch.Tensor]) -> None:
    try:
        network.load_state_dict(start)
    except RuntimeError as error:
        raise WeightsError(
            f"The weights to start from do not fit network {network.config.name}: {error}",
            remedy="Start from weights of the network that the recipe names.",
        ) from error


def steps(
    state: TrainingState,
    recipe: Recipe,
    generator: Generator,
    run: Run,
    unseen: list[PackedLabels],
) -> Iterator[dict[str, float]]:
    """Yield a log row every `LOG_EVERY` steps."""
    began = saved = time.monotonic()
    rows: list[dict[str, float]] = []
    while state.step < recipe.steps:
        rows.append(step(state, recipe, generator))
        now = time.monotonic()
        if state.step % recipe.validate_every == 0 and unseen:
            yield {"step": state.step, **validate(state, recipe, unseen)}
        if state.step % LOG_EVERY == 0:
            means = {k: sum(r[k] for r in rows) / len(rows) for k in rows[0]}
            yield {"step": state.step, "seconds": round(now - began, 1), **means}
            rows.clear()
        if now - saved > SAVE_EVERY_S:
            save_checkpoint(state, run.folder)
            saved = now
        if run.minutes is not None and now - began > 60 * run.minutes:
            break
    save_checkpoint(state, run.folder)


def step(state: TrainingState, recipe: Recipe, generator: Generator) -> dict[str, float]:
    """One optimiser step; returns what to log."""
    sample = generator.sample()
    total, losses, presence = sample_loss(state, recipe, sample, state.draw)
    total.backward()
    norm = apply_gradients(state, recipe)
    return {
        "loss": float(total.detach()),
        "dice": float(losses.dice.nanmean()),
        "cross_entropy": float(losses.cross_entropy),
        "presence": float(presence.detach()),
        "norm": norm,
    }


def sample_loss(
    state: TrainingState, recipe: Recipe, sample: Sample, draw: Draw
) -> tuple[torch.Tensor, Losses, torch.Tensor]:
    """Loss of one image: at 4 mm on all of it, at finer levels on crops."""
    network = state.network
    levels = plan_levels(sample.spacing)
    images = pooled_images(sample.image[None, None], levels, torch.bfloat16)
    core = tuple(level for level in levels if level.index >= CORE_LEVEL)
    with torch.set_grad_enabled(recipe.trains_core and torch.is_grad_enabled()):
        context, second = network.core(images[CORE_LEVEL], core)
    rows = coarse_rows(sample.labels, core[0])
    losses = segmentation_loss(network.logits(context.embedding)[0], rows)
    presence = presence_loss(network.presence(second), rows)
    total = PRESENCE_WEIGHT * presence
    if recipe.level == CORE_LEVEL:
        return total + losses.total, losses, presence
    total = total + recipe.core_weight * losses.total
    for _ in range(recipe.crops):
        box = random_box(context, core[0], recipe, draw, rows)
        losses = crop_loss(network, (images, levels, sample.labels), context, box)
        total = total + losses.total / recipe.crops
    return total, losses, presence


def crop_loss(
    network: VoxelNetwork,
    scan: tuple[dict[int, torch.Tensor], tuple[Level, ...], torch.Tensor],
    context: Context,
    box: tuple[slice, ...],
) -> Losses:
    """Loss of the finer levels inside `box`, given in voxels of the core's level."""
    images, levels, labels = scan
    whole = (slice(None), slice(None))
    here = Context(
        context.features[(*whole, *box)], context.embedding[(*whole, *box)], context.summary
    )
    fine = [level for level in levels if level.index < CORE_LEVEL]
    core = levels[len(fine)]
    for n in reversed(range(len(fine))):
        level = levels[n]
        inside = scaled(box, core, level)
        pool_and_extent = (levels[n + 1].pool, level.extent)
        here = network.fine[level.index](
            images[level.index][(*whole, *inside)], here, pool_and_extent
        )
    truth = labels[scaled(box, core, levels[0])]
    return segmentation_loss(network.logits(here.embedding)[0], truth)


def scaled(box: tuple[slice, ...], core: Level, level: Level) -> tuple[slice, ...]:
    """`box` in voxels of the core's level, in voxels of a finer level."""
    ratio = [a // b for a, b in zip(core.factors, level.factors, strict=True)]
    return tuple(slice(s.start * r, s.stop * r) for s, r in zip(box, ratio, strict=True))


def random_box(
    context: Context, core: Level, recipe: Recipe, draw: Draw, rows: torch.Tensor
) -> tuple[slice, ...]:
    """A crop of `recipe.crop_mm` around a random voxel of the brain."""
    shape = context.features.shape[2:]
    sizes = [
        min(n, max(2, round(recipe.crop_mm / s)))
        for n, s in zip(shape, core.spacing, strict=True)
    ]
    inside = torch.nonzero(rows[..., 0])
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
        return split_blocks(labels[..., 0], 2)
    blocks = labels[..., 0].reshape(i, a, j, b, k, c).permute(0, 2, 4, 1, 3, 5)
    picks = [[0, 0] if f == 1 else [f // 4, f - 1 - f // 4] for f in (a, b, c)]
    parts = [blocks[..., x, y, z] for x in picks[0] for y in picks[1] for z in picks[2]]
    return torch.stack(parts, dim=-1)


@torch.no_grad()
def validate(
    state: TrainingState, recipe: Recipe, maps: list[PackedLabels]
) -> dict[str, float]:
    """Mean soft Dice of the averaged weights on held-out maps, the same images each time."""
    parameters = dict(state.network.named_parameters())
    for name, parameter in parameters.items():
        parameter.copy_(state.average[name])
    draw = Draw(VALIDATION_SEED, state.draw.device)
    generator = Generator(maps, recipe.generator, draw)
    dices = [
        sample_loss(state, recipe, generator.sample(), draw)[1].dice
        for _ in range(VALIDATION_IMAGES)
    ]
    for name, parameter in parameters.items():
        parameter.copy_(state.master[name])
    return {"held_out_dice": float(torch.stack(dices).nanmean())}
