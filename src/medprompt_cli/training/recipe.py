"""A training recipe: one TOML file, the same on a CPU and on a GPU."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medprompt_cli.errors import UsageError
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.pyramid import CORE_LEVEL
from medprompt_cli.synthesis.appearance import AppearanceRange
from medprompt_cli.synthesis.classes import CONTRASTS
from medprompt_cli.synthesis.deform import ShapeRange
from medprompt_cli.synthesis.generator import GeneratorConfig
from medprompt_cli.synthesis.lesion_model import LesionRange


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        name: Goes into the log and `weights.toml`.
        network: A name from `networks.config.CONFIGS`.
        level: Finest level trained: 2 is 4 mm, 1 is 2 mm, 0 is 1 mm.
        steps: Length of the learning-rate schedule.
        rate: Highest learning rate of AdamW.
        final_rate: Share of `rate` that is left at the end.
        warmup: Steps of linear rise.
        decay: Weight decay.
        average: Decay of the running mean of the weights, which is what is exported.
        crop_mm: Box the finer levels see in a step, in mm.
        crops: Crops taken from one synthetic image.
        core_weight: Weight of the loss at 4 mm while a finer level is trained; 0 leaves
            the core and the targets' embeddings as they are.
        seed: Of everything random.
        held_out: Label maps kept for validation, by name.
        validate_every: Steps between validations.
        generator: What the images look like.
    """

    name: str
    network: str = "small"
    level: int = 2
    steps: int = 10_000
    rate: float = 1e-3
    final_rate: float = 0.05
    warmup: int = 200
    decay: float = 1e-2
    average: float = 0.998
    crop_mm: float = 128.0
    crops: int = 1
    core_weight: float = 0.5
    seed: int = 1
    held_out: tuple[str, ...] = ()
    validate_every: int = 500
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)

    @property
    def trains_core(self) -> bool:
        """Whether the core's weights change."""
        return self.level == CORE_LEVEL or self.core_weight > 0


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        UsageError: If the file is not TOML, has a key no recipe has, or names a network,
            level, contrast or kind of lesion that is not there.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        drawn = dict(values.pop("generator", {}))
        shape = ShapeRange(**_tuples(drawn.pop("shape", {})))
        look = AppearanceRange(**_tuples(drawn.pop("appearance", {})))
        lesion = LesionRange(**_tuples(drawn.pop("lesion", {})))
        generator = GeneratorConfig(
            **_tuples(drawn), shape=shape, appearance=look, lesion=lesion
        )
        recipe = Recipe(**_tuples(values), generator=generator)
    except (OSError, ValueError, TypeError) as error:  # ValueError: neither TOML nor text
        raise UsageError(
            f"Recipe {path} cannot be used: {error}.",
            remedy="Give a TOML file with the keys of training/recipe.py.",
        ) from error
    _check_choice(path, "network", recipe.network, tuple(CONFIGS))
    _check_choice(path, "level", recipe.level, tuple(range(CORE_LEVEL + 1)))
    for contrast in look.contrasts:
        _check_choice(path, "contrasts", contrast, tuple(CONTRASTS))
    for kind in lesion.weights:
        _check_choice(path, "weights", kind, tuple(LesionRange().weights))
    return recipe


def _check_choice(path: Path, key: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        known = ", ".join(str(choice) for choice in choices)
        raise UsageError(
            f"Recipe {path} cannot be used: {key} = {value!r} is none of {known}.",
            remedy=f"Set {key} to one of these.",
        )


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    def freeze(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
        return tuple(freeze(v) for v in value) if isinstance(value, list) else value

    return {key: freeze(value) for key, value in values.items()}


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """Plain values, for the log and the checkpoint."""
    return dataclasses.asdict(recipe)
