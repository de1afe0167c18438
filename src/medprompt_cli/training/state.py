"""What training carries from step to step, and how it is saved and resumed.

Weights are kept in float32 beside the network's own bfloat16: small steps would be
rounded away otherwise. A checkpoint is a folder of safetensors shards, each small enough to
travel, written under a temporary name and renamed when whole.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from medprompt_cli.errors import InputError
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.training.optimiser import Optimiser
from medprompt_cli.training.recipe import Recipe

SHARD_BYTES = 15 * 2**20
MOMENT = "moment."
LARGEST_NORM = 5.0


@dataclass(eq=False)
class TrainingState:
    """Everything a run needs to go on as if it had never stopped.

    Attributes:
        network: Computes, in `dtype`.
        master: float32 weights by name; what the optimiser changes.
        average: Running mean of `master`; what is exported.
        optimiser: Moves `master`.
        step: Steps done.
        draw: The random numbers.
    """

    network: VoxelNetwork
    master: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    optimiser: Optimiser
    step: int
    draw: Draw


def new_state(network: VoxelNetwork, recipe: Recipe, device: torch.device) -> TrainingState:
    """Start from the network's present weights."""
    network.to(device)
    master = {n: p.detach().float().clone() for n, p in network.named_parameters()}
    average = {n: p.clone() for n, p in master.items()}
    network.to(torch.bfloat16)
    network.to(memory_format=torch.channels_last_3d)  # pyright: ignore[reportCallIssue] - no stub
    optimiser = Optimiser(master, recipe.rate, recipe.decay)
    return TrainingState(network, master, average, optimiser, 0, Draw(recipe.seed, device))


def rate_at(step: int, recipe: Recipe) -> float:
    """Learning rate: a linear rise, then a cosine down to `final_rate` of the top."""
    if step < recipe.warmup:
        return recipe.rate * (step + 1) / recipe.warmup
    done = min(1.0, (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup))
    low = recipe.final_rate
    return recipe.rate * (low + (1 - low) * (1 + math.cos(math.pi * done)) / 2)


def apply_gradients(state: TrainingState, recipe: Recipe) -> float:
    """One optimiser step from the network's gradients; returns their norm."""
    named = [(n, p) for n, p in state.network.named_parameters() if p.grad is not None]
    gradients = {n: p.grad.float() for n, p in named if p.grad is not None}
    norm = float(torch.nn.utils.get_total_norm(gradients.values()))
    if math.isfinite(norm):
        scale = min(1.0, LARGEST_NORM / (norm + 1e-6))
        gradients = {name: gradient * scale for name, gradient in gradients.items()}
        state.optimiser.step(gradients, rate_at(state.step, recipe))
    state.network.zero_grad(set_to_none=True)
    keep = min(recipe.average, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for name, parameter in named:
            parameter.copy_(state.master[name])
            state.average[name].lerp_(state.master[name], 1 - keep)
    state.step += 1
    return norm


def save_checkpoint(state: TrainingState, folder: Path) -> Path:
    """Write `folder/step-…` and drop all but the newest two."""
    final = folder / f"step-{state.step:07d}"
    partial = folder / f".{final.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shards = _shards(_tensors(state))
    for n, shard in enumerate(shards):
        save_file(shard, partial / f"{n:02d}.safetensors")
    note = {"step": state.step, "shards": len(shards)}
    (partial / "state.json").write_text(json.dumps(note), encoding="utf-8")
    if final.exists():
        shutil.rmtree(final)
    partial.replace(final)
    for old in sorted(folder.glob("step-*"))[:-2]:
        shutil.rmtree(old)
    return final


def load_checkpoint(state: TrainingState, folder: Path) -> None:
    """Continue from a checkpoint folder, in place.

    Raises:
        InputError: If the checkpoint does not hold this network.
    """
    tensors = read_tensors(folder)
    _check_same_network(state, tensors, folder)
    parameters = dict(state.network.named_parameters())
    with torch.no_grad():
        for name, master in state.master.items():
            master.copy_(tensors[f"master.{name}"])
            state.average[name].copy_(tensors[f"average.{name}"])
            parameters[name].copy_(master)
    moments = {n.removeprefix(MOMENT): t for n, t in tensors.items() if n.startswith(MOMENT)}
    state.optimiser.load(moments)
    state.draw.scalars.set_state(tensors["random.scalars"])
    if tensors["random.fields"].shape == state.draw.fields.get_state().shape:
        state.draw.fields.set_state(tensors["random.fields"])
    state.step = json.loads((folder / "state.json").read_text(encoding="utf-8"))["step"]


def _check_same_network(
    state: TrainingState, tensors: dict[str, torch.Tensor], folder: Path
) -> None:
    here = {f"master.{name}": tensor.shape for name, tensor in state.master.items()}
    there = {name: tensors[name].shape for name in here if name in tensors}
    wrong = sorted(name for name, shape in here.items() if there.get(name) != shape)
    if wrong:
        name = wrong[0]
        found = f"{name} of {tuple(there[name])}" if name in there else f"no {name}"
        raise InputError(
            f"Checkpoint {folder} is of another network: it holds {found}, not of"
            f" {tuple(here[name])}; {len(wrong)} tensors differ.",
            remedy="Resume with the recipe the checkpoint was made by.",
            code="wrong-checkpoint",
        )


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint under `folder`."""
    found = sorted(folder.glob("step-*/state.json"))
    return found[-1].parent if found else None


def read_tensors(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint folder."""
    tensors: dict[str, torch.Tensor] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(shard))
    return tensors


def _tensors(state: TrainingState) -> dict[str, torch.Tensor]:
    tensors = {"random.scalars": state.draw.scalars.get_state()}
    tensors["random.fields"] = state.draw.fields.get_state()
    for name, master in state.master.items():
        tensors[f"master.{name}"] = master.detach()
        tensors[f"average.{name}"] = state.average[name]
    tensors |= {MOMENT + name: moment for name, moment in state.optimiser.tensors().items()}
    return {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}


def _shards(tensors: dict[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    shards: list[dict[str, torch.Tensor]] = [{}]
    room = SHARD_BYTES
    for name, tensor in tensors.items():
        if tensor.nbytes > room and shards[-1]:
            shards.append({})
            room = SHARD_BYTES
        shards[-1][name] = tensor
        room -= tensor.nbytes
    return shards
