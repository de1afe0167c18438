"""The trained network that reads prompts, as it is kept in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from medprompt_cli.errors import WeightsError
from medprompt_cli.networks.prompt_config import PHI, PromptConfig, prompt_config_from_dict
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
from medprompt_cli.weights.registry import DEFAULT_PROMPTS
from medprompt_cli.weights.store import read_weights

SAMPLES = 4
"""Programs that are drawn beside the likeliest one, to see whether they agree with it."""

PHI_TABLE = "phi_table"
"""The tensor with the embeddings, (N, 32), of the names under `phi_names`."""

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
        phi: Embeddings that regions have in the network that sees, by canonical name;
            empty if it was trained without.
    """

    decoder: NumpyDecoder
    names: Mapping[str, int]
    words: frozenset[str]
    agreement: float = 0.5
    sha256: str = ""
    phi: Mapping[str, np.ndarray] = field(default_factory=dict)

    def means(self, name: str, phi: np.ndarray) -> bool:
        """Whether an embedding is nearest to that of a region; true of one that has none."""
        if name not in self.phi:
            return True
        distances = {
            known: float(np.square(own - phi).sum()) for known, own in self.phi.items()
        }
        return min(distances, key=distances.__getitem__) == name

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
    file = read_weights(path or DEFAULT_PROMPTS, "prompts")
    path = file.path
    tensors, about = _parse(path, file.raw)
    config = prompt_config_from_dict(json.loads(about["prompt_network"]))
    if json.loads(about["symbols"]) != list(SYMBOLS):
        raise WeightsError(
            f"{path}: made for another version of the plan language.", remedy=_MAKE_ANEW
        )
    table = tensors.pop(PHI_TABLE, np.zeros((0, PHI), np.float16)).astype(np.float32)
    return PromptModel(
        NumpyDecoder(config, tensors),
        name_rows(json.loads(about["names"])),
        frozenset(json.loads(about["words"])),
        json.loads(about["agreement"]),
        file.sha256,
        dict(zip(json.loads(about.get("phi_names", "[]")), table, strict=True)),
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
