"""How weights move: Muon for convolutions, AdamW for everything else."""

from __future__ import annotations

from collections.abc import Mapping

import torch

BETAS = (0.9, 0.99)
MOMENTUM = 0.95

LEAST_WIDTH = 8
"""Channels on either side of a convolution from which on its kernel counts as a matrix."""

CONVOLUTION_AXES = 5
HEADS = ("embed", "presence")
"""Parts of a name that mark a convolution as an output head: those stay with AdamW."""


class Optimiser:
    """One optimiser over named float32 weights.

    Muon replaces the gradient of a matrix by the nearest orthogonal one, so that rare
    directions move as far as frequent ones. What that gave in a trial: README, Decisions.

    Source: Jordan et al. 2024, as `torch.optim.Muon`.

    Args:
        weights: By name; changed in place.
        rate: Learning rate, until `step` is given another.
        decay: Weight decay of both.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], rate: float, decay: float) -> None:
        self._weights = dict(weights)
        self._matrices = {n: w.flatten(1) for n, w in weights.items() if _is_matrix(n, w)}
        others = {n: w for n, w in weights.items() if n not in self._matrices}
        self._moved = {**self._matrices, **others}
        self._parts: list[torch.optim.Optimizer] = []
        if self._matrices:
            self._parts.append(
                torch.optim.Muon(
                    self._matrices.values(),
                    lr=rate,
                    momentum=MOMENTUM,
                    weight_decay=decay,
                    adjust_lr_fn="match_rms_adamw",
                )
            )
        if others:
            self._parts.append(
                torch.optim.AdamW(others.values(), lr=rate, betas=BETAS, weight_decay=decay)
            )

    def step(self, gradients: Mapping[str, torch.Tensor], rate: float) -> None:
        """Move every weight that has a gradient; `rate` is today's learning rate."""
        for name, weight in self._moved.items():
            gradient = gradients.get(name)
            weight.grad = None if gradient is None else gradient.reshape(weight.shape)
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
            part.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, torch.Tensor]:
        """What has to be saved to go on: moments by the weight's name."""
        kept: dict[str, torch.Tensor] = {}
        for name, weight in self._moved.items():
            for part in self._parts:
                for key, value in part.state.get(weight, {}).items():
                    kept[f"{key}.{name}"] = torch.as_tensor(value)
        return kept

    def load(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `tensors` gave."""
        for name, weight in self._moved.items():
            keys = ("momentum_buffer",) if name in self._matrices else ADAM_KEYS
            found = {key: tensors.get(f"{key}.{name}") for key in keys}
            if any(value is None for value in found.values()):
                continue
            part = self._parts[0] if name in self._matrices else self._parts[-1]
            part.state[weight] = {
                key: value if key == "step" else value.to(weight)
                for key, value in found.items()
                if value is not None
            }


ADAM_KEYS = ("step", "exp_avg", "exp_avg_sq")


def _is_matrix(name: str, weight: torch.Tensor) -> bool:
    if weight.ndim != CONVOLUTION_AXES or any(head in name for head in HEADS):
        return False
    return min(weight.shape[:2]) >= LEAST_WIDTH
