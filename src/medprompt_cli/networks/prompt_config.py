"""Sizes of the network that reads prompts, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from medprompt_cli.errors import WeightsError

PHI = 32
"""Length of the instruction embedding. Source: VoxelPrompt."""

STATUSES = ("ok", "out-of-scope", "no-target", "unknown-target", "ambiguous")
"""What the network can think of a prompt."""

ROTARY_BASE = 10_000.0
"""Longest wavelength of the rotary positions. Source: LLaMA, arXiv:2302.13971."""

EPSILON = 1e-5
"""Keeps RMSNorm finite."""


@dataclass(frozen=True, slots=True)
class PromptConfig:
    """How wide and deep the network is, and how many of each thing it knows.

    Attributes:
        name: `small` or `paper`.
        width: Channels d.
        blocks: Blocks of attention and SwiGLU.
        heads: Heads of an attention.
        hidden: Channels inside a SwiGLU.
        buckets: Rows that pieces of words are hashed to.
        kinds: Kinds of prompt tokens.
        names: Canonical names without side, and row 0 for a name left out.
        sides: Sides that can be said, and none.
        units: Units of numbers, and none.
        symbols: Tokens of the grammar.
    """

    name: str
    width: int = 160
    blocks: int = 5
    heads: int = 5
    hidden: int = 432
    buckets: int = 8192
    kinds: int = 1
    names: int = 1
    sides: int = 1
    units: int = 1
    symbols: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)


SMALL = PromptConfig("small")
"""Bundled: a prompt in a fraction of a second on a CPU."""

PAPER = PromptConfig("paper", width=512, blocks=16, heads=32, hidden=1376)
"""VoxelPrompt's size. For a GPU."""

PROMPT_CONFIGS = {config.name: config for config in (SMALL, PAPER)}


def prompt_config_from_dict(values: dict[str, Any]) -> PromptConfig:
    """Rebuild a config from a file.

    Raises:
        WeightsError: If a key is unknown.
    """
    try:
        return PromptConfig(**values)
    except TypeError as error:
        raise WeightsError(
            f"Prompt network {values} does not fit this version: {error}.",
            remedy="Use weights made for this version of medprompt.",
        ) from error
