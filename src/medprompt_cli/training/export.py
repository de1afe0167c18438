"""From a checkpoint to the file that is bundled: averaged weights, bfloat16."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save

from medprompt_cli.errors import InputError
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.training.state import latest_checkpoint, read_tensors

CALIBRATION = "calibration."
"""Part of the names of what `training.calibrate` fits after training."""


def export(run: Path, out: Path) -> dict[str, str | int]:
    """Write the averaged weights of the newest checkpoint under `run` to `out`.

    Presence is not calibrated in them.

    Returns what `weights.toml` records of the file.

    Raises:
        InputError: If `run` holds no checkpoint.
    """
    checkpoint = latest_checkpoint(run)
    if checkpoint is None:
        raise InputError(
            f"{run} holds no checkpoint.",
            remedy="Give the folder that `medprompt train run` wrote to.",
            code="no-checkpoint",
        )
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    prefix = "average."
    tensors = {
        name.removeprefix(prefix): tensor.to(torch.bfloat16).contiguous()
        for name, tensor in read_tensors(checkpoint).items()
        if name.startswith(prefix)
    }
    config = CONFIGS[recipe["network"]]
    for name, buffer in VoxelNetwork(config).named_buffers():
        if name.startswith(CALIBRATION):
            tensors[name] = buffer.contiguous()
    about = {"network": json.dumps(config.to_dict()), "finest_level": str(recipe["level"])}
    raw = in_one_order(save(tensors, metadata=about))
    partial = out.with_name(out.name + ".partial")
    partial.write_bytes(raw)  # readable to all, which save_file would not leave it
    partial.replace(out)
    steps = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))["step"]
    return {
        "network": config.name,
        "file": out.name,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "bytes": len(raw),
        "recipe": recipe["name"],
        "steps": steps,
        "finest_mm": 2 ** recipe["level"],
    }


def in_one_order(raw: bytes) -> bytes:
    """The same safetensors file with its header's keys sorted: equal content, equal bytes."""
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + raw[8 + size :]
