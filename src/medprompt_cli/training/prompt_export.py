"""From a checkpoint to the file that reads prompts: averaged weights, half precision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from medprompt_cli.errors import InputError
from medprompt_cli.planning.decoder import NumpyDecoder
from medprompt_cli.planning.prompt_features import known_names, name_rows
from medprompt_cli.planning.prompt_model import PHI_TABLE, PromptModel, notes
from medprompt_cli.training.prompt_evaluation import best_threshold, judge, rates
from medprompt_cli.training.prompt_training import full_config, read_words_file
from medprompt_cli.training.state import latest_checkpoint, read_tensors

AVERAGE = "average."


def export_prompts(
    run: Path,
    out: Path,
    evaluation: int = 300,
    phi: Mapping[str, np.ndarray] | None = None,
) -> dict[str, object]:
    """Write the averaged weights of the newest checkpoint under `run` to `out`.

    How many drawn programs have to agree is set on held-out prompts.

    Args:
        run: Folder of the training run.
        out: The file to write.
        evaluation: Prompts to judge on.
        phi: Embeddings that phi was drawn to, by canonical name; they go into the file.

    Returns:
        What is recorded of the file, and how well it understands.

    Raises:
        InputError: If `run` holds no checkpoint.
    """
    checkpoint = latest_checkpoint(run)
    if checkpoint is None:
        raise InputError(
            f"{run} holds no checkpoint.",
            remedy="Give the folder that `medprompt train prompts` wrote to.",
            code="no-checkpoint",
        )
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    step = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))["step"]
    words, config = read_words_file(run), full_config(recipe["network"])
    weights = {
        name.removeprefix(AVERAGE): tensor.numpy().astype(np.float16)
        for name, tensor in read_tensors(checkpoint).items()
        if name.startswith(AVERAGE)
    }
    decoder = NumpyDecoder(config, weights)
    model = PromptModel(decoder, name_rows(known_names()), words, 0.0, phi=phi or {})
    judged = judge(model, evaluation)
    agreement = best_threshold(judged)
    about = notes(config, words, agreement, recipe=recipe["name"], steps=str(step))
    if phi:
        about["phi_names"] = json.dumps(list(phi))
        weights[PHI_TABLE] = np.stack(list(phi.values())).astype(np.float16)
    raw = save(weights, metadata=about)
    partial = out.with_name(out.name + ".partial")
    partial.write_bytes(raw)
    partial.replace(out)
    return {
        "network": config.name,
        "file": out.name,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "bytes": len(raw),
        "recipe": recipe["name"],
        "steps": step,
        "agreement": agreement,
        **rates(judged, agreement),
    }
