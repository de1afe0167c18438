"""The training loop: draw, predict, compare, step; save often, stop in time."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from medprompt_cli.errors import InputError, WeightsError
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.device import choose_device
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator
from medprompt_cli.training.objective import sample_cost
from medprompt_cli.training.recipe import Recipe, recipe_to_dict
from medprompt_cli.training.state import (
    TrainingState,
    apply_gradients,
    latest_checkpoint,
    load_checkpoint,
    new_state,
    save_checkpoint,
)

LOG_EVERY = 50
SAVE_EVERY_S = 240.0

GROWN = "embed."
"""Part of the name of the layers that lesions made wider."""

VALIDATION_IMAGES = 8
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
            log.write(json.dumps(known_only(row)) + "\n")
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
    """Take over weights; what an earlier, smaller network did not have stays as it is."""
    own = network.state_dict()
    misfits = [
        name
        for name, tensor in start.items()
        if name not in own or not _fits(name, tensor, own[name])
    ]
    if misfits:
        raise WeightsError(
            f"The weights to start from do not fit network {network.config.name}:"
            f" {misfits[0]} and {len(misfits) - 1} more are unknown or too large.",
            remedy="Start from weights of the network that the recipe names.",
        )
    with torch.no_grad():
        for name, tensor in start.items():
            own[name][tuple(slice(0, n) for n in tensor.shape)] = tensor


def _fits(name: str, tensor: torch.Tensor, own: torch.Tensor) -> bool:
    """Whether shapes agree; the embedding of an earlier network may have fewer channels."""
    grown = GROWN in name and tensor.shape[:1] < own.shape[:1]
    return tensor.shape == own.shape or (grown and tensor.shape[1:] == own.shape[1:])


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
            means = {k: mean_of(r[k] for r in rows) for k in rows[0]}
            yield {"step": state.step, "seconds": round(now - began, 1), **means}
            rows.clear()
        if now - saved > SAVE_EVERY_S:
            save_checkpoint(state, run.folder)
            saved = now
        if run.minutes is not None and now - began > 60 * run.minutes:
            break
    save_checkpoint(state, run.folder)


def known_only(row: dict[str, float]) -> dict[str, float | None]:
    """A row as the log keeps it: what was not there to be measured is null."""
    return {key: None if math.isnan(value) else value for key, value in row.items()}


def mean_of(values: Iterable[float]) -> float:
    """Mean of those that are numbers; NaN if none is."""
    numbers = [value for value in values if not math.isnan(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan


def step(state: TrainingState, recipe: Recipe, generator: Generator) -> dict[str, float]:
    """One optimiser step; returns what to log."""
    began = time.perf_counter()
    sample = generator.sample()
    drawn = time.perf_counter()
    cost = sample_cost(state.network, recipe, sample, state.draw)
    cost.total.backward()
    norm = apply_gradients(state, recipe)
    return {
        "loss": float(cost.total.detach()),
        "dice": float(cost.anatomy.dice.nanmean()),
        "cross_entropy": float(cost.anatomy.cross_entropy),
        "lesion_dice": float(cost.lesion.nanmean()),
        "parcel": float(cost.parcel),
        "presence": float(cost.presence),
        "norm": norm,
        "drawing": drawn - began,
    }


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
    costs = [
        sample_cost(state.network, recipe, generator.sample(), draw)
        for _ in range(VALIDATION_IMAGES)
    ]
    for name, parameter in parameters.items():
        parameter.copy_(state.master[name])
    return {
        "held_out_dice": float(torch.stack([cost.anatomy.dice for cost in costs]).nanmean()),
        "held_out_lesion_dice": float(torch.stack([cost.lesion for cost in costs]).nanmean()),
        "held_out_parcel": float(torch.stack([cost.parcel for cost in costs]).mean()),
    }
