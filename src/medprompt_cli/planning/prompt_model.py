"""The trained network that reads prompts, as it is kept in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from medprompt_cli.errors import WeightsError
from medprompt_cli.networks.prompt_config import PromptConfig, prompt_config_from_dict
from medprompt_cli.planning.decoder import NumpyDecoder
from medprompt_cli.planning.grammar_symbols import SYMBOLS
from medprompt_cli.planning.prompt_features import (
    KINDS,
    SIDES,
    UNIT_NAMES,
    known_names,
    name_rows,
)
from medprompt_cli.planning.spelling import Speller
from medprompt_cli.weights.registry import bundled_folder

BUNDLED = "prompt-small.safetensors"
"""The file that comes with the package."""

SAMPLES = 4
"""Programs that are drawn beside the likeliest one, to see whether they agree with it."""

_MAKE_ANEW = "Use weights made for this version, or train with `medprompt train prompts`."


@dataclass(frozen=True)
class PromptModel:
    """A network that reads prompts, and what it was trained with.

    Attributes:
        decoder: The network.
        names: Rows of the canonical names it has learnt.
        words: Words of the sentences it was trained on.
        agreement: Share of drawn programs that have to mean what the likeliest one means.
        sha256: Of the file it was read from; empty if of none.
    """

    decoder: NumpyDecoder
    names: Mapping[str, int]
    words: frozenset[str]
    agreement: float = 0.5
    sha256: str = ""

    @cached_property
    def spelling(self) -> Speller:
        """Finds the known word that a misspelt one was meant to be."""
        return Speller(self.words, most=1)

    def knows(self, word: str) -> bool:
        """Whether a word is one it was trained on, a typing error aside."""
        return word in self.words or self.spelling.correct(word) is not None


def sized(config: PromptConfig) -> dict[str, int]:
    """How many of each thing the tables of this version hold."""
    return {
        "kinds": len(KINDS),
        "names": len(known_names()) + 1,
        "sides": len(SIDES),
        "units": len(UNIT_NAMES),
        "symbols": len(SYMBOLS),
        "buckets": config.buckets,
    }


def notes(
    config: PromptConfig, words: frozenset[str], agreement: float, **about: str
) -> dict[str, str]:
    """What a file of weights says of itself."""
    return {
        "prompt_network": json.dumps(config.to_dict()),
        "symbols": json.dumps(SYMBOLS),
        "names": json.dumps(known_names()),
        "words": json.dumps(sorted(words), ensure_ascii=False),
        "agreement": json.dumps(agreement),
        **about,
    }


def load_prompt_model(path: Path | None = None) -> PromptModel:
    """Read a model from a file; without one, the model of the package.

    Raises:
        WeightsError: If the file cannot be read or was made for another version.
    """
    path = path or bundled_folder() / BUNDLED
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path}: weights cannot be read: {error.strerror}.",
            remedy="Reinstall medprompt, or give the path of a .safetensors file.",
        ) from error
    tensors, about = _parse(path, raw)
    config = prompt_config_from_dict(json.loads(about["prompt_network"]))
    if json.loads(about["symbols"]) != list(SYMBOLS):
        raise WeightsError(
            f"{path}: made for another version of the plan language.", remedy=_MAKE_ANEW
        )
    return PromptModel(
        NumpyDecoder(config, tensors),
        name_rows(json.loads(about["names"])),
        frozenset(json.loads(about["words"])),
        json.loads(about["agreement"]),
        hashlib.sha256(raw).hexdigest(),
    )


def _parse(path: Path, raw: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(raw)
        size = int.from_bytes(raw[:8], "little")
        about = json.loads(raw[8 : 8 + size]).get("__metadata__", {})
        for key in ("prompt_network", "symbols", "names", "words", "agreement"):
            about[key]
    except (SafetensorError, ValueError, KeyError) as error:
        reason = f"no metadata {error}" if isinstance(error, KeyError) else error
        raise WeightsError(
            f"{path}: not weights that read prompts: {reason}.", remedy=_MAKE_ANEW
        ) from error
    return tensors, about
