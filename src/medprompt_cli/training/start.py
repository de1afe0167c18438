"""Where training begins: an earlier run, or weights that exist."""

from __future__ import annotations

from pathlib import Path

import torch

from medprompt_cli.training.state import latest_checkpoint, read_tensors
from medprompt_cli.weights.store import load_weights


def starting_weights(start: str) -> dict[str, torch.Tensor]:
    """Averaged float32 weights of a run's folder, or those of a name or file.

    Raises:
        WeightsError: If `start` is neither a run's folder nor weights.
    """
    checkpoint = latest_checkpoint(Path(start)) if Path(start).is_dir() else None
    if checkpoint is None:
        return {n: t.float() for n, t in load_weights(start).tensors.items()}
    prefix = "average."
    tensors = read_tensors(checkpoint)
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
