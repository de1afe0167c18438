"""A recipe for the network that reads prompts: one TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from medprompt_cli.errors import UsageError
from medprompt_cli.networks.prompt_config import PROMPT_CONFIGS


@dataclass(frozen=True, slots=True)
class PromptRecipe:
    """How to train.

    Attributes:
        name: Goes into the log and the exported file.
        network: A name of `networks.prompt_config.PROMPT_CONFIGS`.
        steps: Length of the learning-rate schedule.
        batch: Prompts of a step.
        rate: Highest learning rate.
        final_rate: Share of `rate` that is left at the end.
        warmup: Steps of linear rise.
        decay: Weight decay.
        average: Decay of the running mean of the weights, which is what is exported.
        status_weight: Weight of the loss of the status beside that of the program.
        phi_weight: Weight of the squared error of phi.
        name_dropout: How often a region's name is hidden, so that its kind has to do.
        word_dropout: How often a word is hidden, so that a prompt is understood without it.
        dialogues: Share of understood prompts that are answered statement by statement.
        korean: Share of prompts in Korean.
        workers: Processes that make prompts; 0 makes them in the training process.
        evaluate_every: Steps between evaluations.
        evaluation: Prompts of an evaluation, of frames that no training prompt has.
        seed: Of everything random.
    """

    name: str
    network: str = "small"
    steps: int = 10_000
    batch: int = 64
    rate: float = 2e-3
    final_rate: float = 0.02
    warmup: int = 100
    decay: float = 1e-2
    average: float = 0.995
    status_weight: float = 1.0
    phi_weight: float = 1.0
    name_dropout: float = 0.1
    word_dropout: float = 0.06
    dialogues: float = 0.25
    korean: float = 0.4
    workers: int = 0
    evaluate_every: int = 1000
    evaluation: int = 300
    seed: int = 1


def read_prompt_recipe(path: Path) -> PromptRecipe:
    """Read a recipe.

    Raises:
        UsageError: If the file is not TOML, has a key no recipe has, or names a network
            that is not there.
    """
    try:
        recipe = PromptRecipe(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:  # ValueError: neither TOML nor text
        raise UsageError(
            f"Recipe {path} cannot be used: {error}.",
            remedy="Give a TOML file with the keys of training/prompt_recipe.py.",
        ) from error
    if recipe.network not in PROMPT_CONFIGS:
        raise UsageError(
            f"Recipe {path} cannot be used: network = {recipe.network!r} is none of"
            f" {', '.join(PROMPT_CONFIGS)}.",
            remedy="Set network to one of these.",
        )
    return recipe
