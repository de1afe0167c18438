"""What training on prompts carries from step to step, and how it is saved and resumed."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from medprompt_cli.errors import InputError
from medprompt_cli.networks.prompt_decoder import PromptDecoder
from medprompt_cli.training.prompt_recipe import PromptRecipe
from medprompt_cli.training.state import latest_checkpoint, read_tensors

BETAS = (0.9, 0.98)
LARGEST_NORM = 1.0
KEPT = 2
"""Checkpoints left in a run's folder."""


@dataclass(eq=False)
class PromptState:
    """Everything a run needs to go on as if it had never stopped.

    Attributes:
        network: What is trained, in float32.
        average: Running mean of its weights; what is evaluated and exported.
        optimisers: Muon for the matrices of the blocks, AdamW for the rest.
        step: Steps done.
    """

    network: PromptDecoder
    average: dict[str, torch.Tensor]
    optimisers: tuple[torch.optim.Optimizer, ...]
    step: int = 0


def new_prompt_state(
    network: PromptDecoder, recipe: PromptRecipe, device: torch.device
) -> PromptState:
    """Start from the network's present weights.

    Source of Muon: Jordan et al. 2024, as `torch.optim.Muon`.
    """
    network.to(device)
    matrices = [p for p in network.blocks.parameters() if p.ndim > 1]
    inside = {id(p) for p in matrices}
    others = [p for p in network.parameters() if id(p) not in inside]
    muon = torch.optim.Muon(
        matrices,
        lr=recipe.rate,
        weight_decay=recipe.decay,
        adjust_lr_fn="match_rms_adamw",
    )
    adam = torch.optim.AdamW(others, lr=recipe.rate, betas=BETAS, weight_decay=recipe.decay)
    average = {n: p.detach().clone() for n, p in network.named_parameters()}
    return PromptState(network, average, (muon, adam))


def rate_at(step: int, recipe: PromptRecipe) -> float:
    """Learning rate: a linear rise, then a cosine down to `final_rate` of the top."""
    if step < recipe.warmup:
        return recipe.rate * (step + 1) / recipe.warmup
    done = min(1.0, (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup))
    low = recipe.final_rate
    return recipe.rate * (low + (1 - low) * (1 + math.cos(math.pi * done)) / 2)


def apply_gradients(state: PromptState, recipe: PromptRecipe) -> float:
    """One optimiser step from the network's gradients; returns their norm."""
    parameters = list(state.network.parameters())
    norm = float(nn.utils.clip_grad_norm_(parameters, LARGEST_NORM))
    rate = rate_at(state.step, recipe)
    for optimiser in state.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
        if math.isfinite(norm):
            optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    keep = min(recipe.average, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for name, parameter in state.network.named_parameters():
            state.average[name].lerp_(parameter, 1 - keep)
    state.step += 1
    return norm


def save_prompt_checkpoint(state: PromptState, folder: Path) -> Path:
    """Write `folder/step-…` and drop all but the newest two."""
    final = folder / f"step-{state.step:07d}"
    partial = folder / f".{final.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(dict(_tensors(state)), partial / "00.safetensors")
    (partial / "state.json").write_text(json.dumps({"step": state.step}), encoding="utf-8")
    if final.exists():
        shutil.rmtree(final)
    partial.replace(final)
    for old in sorted(folder.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old)
    return final


def resume(state: PromptState, folder: Path) -> bool:
    """Continue from the newest checkpoint under `folder`, if there is one.

    Raises:
        InputError: If the checkpoint is of another network.
    """
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        return False
    tensors = read_tensors(checkpoint)
    parameters = dict(state.network.named_parameters())
    for name, parameter in parameters.items():
        found = tensors.get(f"weight.{name}")
        if found is None or found.shape != parameter.shape:
            raise InputError(
                f"Checkpoint {checkpoint} is of another network: {name} is"
                f" {tuple(found.shape) if found is not None else 'not in it'}, not"
                f" {tuple(parameter.shape)}.",
                remedy="Resume with the recipe and the version it was made by.",
                code="wrong-checkpoint",
            )
        with torch.no_grad():
            parameter.copy_(found)
            state.average[name].copy_(tensors[f"average.{name}"])
    _load_moments(state, tensors)
    state.step = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))["step"]
    return True


def _tensors(state: PromptState) -> Iterator[tuple[str, torch.Tensor]]:
    for name, parameter in state.network.named_parameters():
        yield f"weight.{name}", parameter.detach().cpu().contiguous()
        yield f"average.{name}", state.average[name].cpu().contiguous()
        for optimiser in state.optimisers:
            for key, value in optimiser.state.get(parameter, {}).items():
                yield f"moment.{key}.{name}", torch.as_tensor(value).cpu().contiguous()


def _load_moments(state: PromptState, tensors: dict[str, torch.Tensor]) -> None:
    moments: dict[str, dict[str, torch.Tensor]] = {}
    for full, tensor in tensors.items():
        if full.startswith("moment."):
            _, key, name = full.split(".", 2)
            moments.setdefault(name, {})[key] = tensor
    names = {id(p): n for n, p in state.network.named_parameters()}
    for optimiser in state.optimisers:
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                found = moments.get(names[id(parameter)], {})
                optimiser.state[parameter] = {
                    key: value if key == "step" else value.to(parameter)
                    for key, value in found.items()
                }
