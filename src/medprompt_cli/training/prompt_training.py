"""Training of the network that reads prompts: make prompts, predict, compare, step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from medprompt_cli.networks.prompt_config import PROMPT_CONFIGS, PromptConfig
from medprompt_cli.networks.prompt_decoder import PromptDecoder
from medprompt_cli.planning.decoder import NumpyDecoder
from medprompt_cli.planning.prompt_features import known_names, name_rows
from medprompt_cli.planning.prompt_model import PromptModel, sized
from medprompt_cli.segmentation.device import choose_device
from medprompt_cli.training.prompt_evaluation import best_threshold, judge, rates
from medprompt_cli.training.prompt_examples import (
    NO_TARGET,
    WINDOW,
    LabelledBatch,
    PromptWindows,
    remembered_words,
)
from medprompt_cli.training.prompt_recipe import PromptRecipe
from medprompt_cli.training.prompt_state import (
    PromptState,
    apply_gradients,
    new_prompt_state,
    resume,
    save_prompt_checkpoint,
)

LOG_EVERY = 50
SAVE_EVERY_S = 240.0


@dataclass(frozen=True, slots=True)
class PromptRun:
    """Where and how long to train.

    Attributes:
        folder: Gets checkpoints and `log.jsonl`.
        device: `cpu` or `cuda[:N]`.
        minutes: Stop after this long; None for the recipe's steps.
        phi: Embeddings of the segmentation network, by canonical name, that phi is drawn to.
    """

    folder: Path
    device: str = "cpu"
    minutes: float | None = None
    phi: Mapping[str, np.ndarray] | None = None


def train_prompts(
    recipe: PromptRecipe,
    run: PromptRun,
    report: Callable[[dict[str, float]], None] = lambda _: None,
) -> PromptState:
    """Train until the recipe or the time is done; resume what is in the folder.

    Raises:
        DeviceError: If the device is not there.
        InputError: If a checkpoint in the folder is of another network.
    """
    device = choose_device(run.device)
    torch.manual_seed(recipe.seed)
    state = new_prompt_state(PromptDecoder(full_config(recipe.network)), recipe, device)
    resume(state, run.folder)
    run.folder.mkdir(parents=True, exist_ok=True)
    about = json.dumps(asdict(recipe), indent=1)
    (run.folder / "recipe.json").write_text(about, encoding="utf-8")
    words = _words(recipe, run.folder)
    with (run.folder / "log.jsonl").open("a", encoding="utf-8") as log:
        for row in _steps(state, recipe, run, words):
            log.write(json.dumps(row) + "\n")
            log.flush()
            report(row)
    return state


def full_config(name: str) -> PromptConfig:
    """A size of network with the tables of this version."""
    config = PROMPT_CONFIGS[name]
    return replace(config, **sized(config))


def _words(recipe: PromptRecipe, folder: Path) -> frozenset[str]:
    """The words to remember, made once for a run."""
    path = folder / "words.json"
    if not path.exists():
        words = sorted(remembered_words(recipe.seed))
        path.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
    return read_words_file(folder)


def read_words_file(folder: Path) -> frozenset[str]:
    """The words that the run in a folder remembers."""
    return frozenset(json.loads((folder / "words.json").read_text(encoding="utf-8")))


def _steps(
    state: PromptState, recipe: PromptRecipe, run: PromptRun, words: frozenset[str]
) -> Iterator[dict[str, float]]:
    began = saved = time.monotonic()
    rows: list[dict[str, float]] = []
    for batch in _batches(state, recipe, run, words):
        rows.append(step(state, recipe, batch))
        now = time.monotonic()
        if state.step % LOG_EVERY == 0:
            means = {k: sum(row[k] for row in rows) / len(rows) for k in rows[0]}
            yield {"step": state.step, "seconds": round(now - began, 1), **means}
            rows.clear()
        if state.step % recipe.evaluate_every == 0:
            yield {"step": state.step, **evaluate(state, recipe, words)}
        if now - saved > SAVE_EVERY_S:
            save_prompt_checkpoint(state, run.folder)
            saved = now
        if run.minutes is not None and now - began > 60 * run.minutes:
            break
    save_prompt_checkpoint(state, run.folder)


def _batches(
    state: PromptState, recipe: PromptRecipe, run: PromptRun, words: frozenset[str]
) -> Iterator[LabelledBatch]:
    """The batches of all steps that are left."""
    window, done = divmod(state.step, WINDOW)
    buckets = state.network.config.buckets
    windows = PromptWindows(recipe, words, buckets, run.phi or {}, window)
    for batches in DataLoader(windows, batch_size=None, num_workers=recipe.workers):
        for batch in batches[done:]:
            if state.step < recipe.steps:
                yield batch
        done = 0


def step(state: PromptState, recipe: PromptRecipe, batch: LabelledBatch) -> dict[str, float]:
    """One optimiser step; returns what to log."""
    device = next(state.network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        output = state.network(batch.batch.to(device))
    following, status = batch.following.to(device), batch.status.to(device)
    wanted = following != NO_TARGET
    program = F.cross_entropy(output.next[wanted].float(), following[wanted])
    known = F.cross_entropy(output.status.float(), status)
    loss = program + recipe.status_weight * known
    has_phi = batch.has_phi.to(device)
    phi = torch.zeros((), device=device)
    if has_phi.any():
        phi = F.mse_loss(output.phi[has_phi].float(), batch.phi.to(device)[has_phi])
        loss = loss + recipe.phi_weight * phi
    loss.backward()
    norm = apply_gradients(state, recipe)
    with torch.no_grad():
        hits = output.next[wanted].argmax(-1) == following[wanted]
    return {
        "loss": float(loss.detach()),
        "program": float(program.detach()),
        "status": float(known.detach()),
        "phi": float(phi.detach()),
        "next_right": float(hits.float().mean()),
        "status_right": float((output.status.argmax(-1) == status).float().mean()),
        "norm": norm,
    }


def model_of(state: PromptState, words: frozenset[str], agreement: float = 0.0) -> PromptModel:
    """The averaged weights as they will be used: half precision, without torch."""
    weights = {
        name: tensor.cpu().numpy().astype(np.float16) for name, tensor in state.average.items()
    }
    decoder = NumpyDecoder(state.network.config, weights)
    return PromptModel(decoder, name_rows(known_names()), words, agreement)


def evaluate(
    state: PromptState, recipe: PromptRecipe, words: frozenset[str]
) -> dict[str, float]:
    """Shares of held-out prompts that are understood, and the agreement that is best."""
    judged = judge(model_of(state, words), recipe.evaluation)
    threshold = best_threshold(judged)
    return {"agreement": threshold, **rates(judged, threshold)}
