"""`weights.toml`: what weights there are, what they were made of, and their hash."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from medprompt_cli.errors import WeightsError

DEFAULT = "anatomy-small"
"""The entry that reads images when none is asked for."""

DEFAULT_PROMPTS = "prompt-small"
"""The entry that reads prompts when none is asked for."""


@dataclass(frozen=True, slots=True)
class WeightsEntry:
    """One set of weights.

    Attributes:
        name: Its table in `weights.toml`.
        version: Changes whenever a number may change.
        network: A config of networks/config.py, or of networks/prompt_config.py.
        file: Name beside this module, in `files/`.
        sha256: Of that file.
        bytes: Size of that file.
        licence: Under which the weights are given.
        data: What they were trained on, with its licence.
        recipe: The training recipes, in order.
        steps: Optimiser steps of each recipe.
        device: What they were trained on.
        finest_mm: The finest level that was trained; None for weights that read prompts.
        accuracy: Of images, mean Dice of the 17 kinds on real scans by group of scans, as
            examples/benchmarks/accuracy.py printed it; of prompts, the share understood by
            language, as examples/benchmarks/prompts.py did.
        reads: `images` or `prompts`.
    """

    name: str
    version: str
    network: str
    file: str
    sha256: str
    bytes: int
    licence: str
    data: str
    recipe: list[str]
    steps: list[int]
    device: str
    finest_mm: int | None = None
    accuracy: dict[str, float] = field(default_factory=dict)
    reads: Literal["images", "prompts"] = "images"


def registry_path() -> Path:
    """The packaged `weights.toml`, or the repository's when installed editable."""
    here = Path(__file__).resolve().parent
    packaged = here / "weights.toml"
    return packaged if packaged.is_file() else here.parents[2] / "weights.toml"


def bundled_folder() -> Path:
    """Where the bundled safetensors lie."""
    return Path(__file__).resolve().parent / "files"


def read_registry(path: Path | None = None) -> dict[str, WeightsEntry]:
    """Read every entry of a registry.

    Raises:
        WeightsError: If the file is missing or a table lacks a key or has one too many.
    """
    path = path or registry_path()
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: neither TOML nor text
        raise WeightsError(
            f"{path}: cannot be read as a registry of weights: {error}.",
            remedy="Reinstall medprompt, or restore weights.toml.",
        ) from error
    entries = {}
    for name, table in tables.items():
        try:
            entries[name] = WeightsEntry(name=name, **table)
        except TypeError as error:
            raise WeightsError(
                f"{path}: table [{name}]: {error}.",
                remedy="Give each table exactly the keys of WeightsEntry.",
            ) from error
    return entries
