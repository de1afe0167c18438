"""What an instruction set is built from, how, and what comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medprompt_cli.domain.instruction import LANGUAGES, Instruction, Language
from medprompt_cli.synthesis.instructions.known import Dropped, Gate
from medprompt_cli.synthesis.instructions.questions import Least

CERTAIN = 0.9
"""Probability from which on a finding counts: what `definitely` begins at."""


@dataclass(frozen=True)
class BuildJob:
    """What to build, from what.

    Attributes:
        source: A BIDS dataset with masks, derivatives, an output folder of medprompt, or a
            bank of label maps that heads are painted from.
        out: A new or empty folder.
        seed: Decides which questions are taken and how they are worded.
        languages: Every question is put in each of them.
        least: What a target must have at least.
        certain: Probability from which on a finding counts.
        balanced: Whether as many targets are to be absent as present.
        heads: How many heads to paint from a bank.
    """

    source: Path
    out: Path
    seed: int = 0
    languages: Sequence[Language] = LANGUAGES
    least: Least = field(default_factory=Least)
    certain: float = CERTAIN
    balanced: bool = True
    heads: int = 40


@dataclass(frozen=True)
class Built:
    """What came of it.

    Attributes:
        images: How many were looked at.
        pairs: As written.
        dropped: What gave no pair.
    """

    images: int
    pairs: tuple[Instruction, ...]
    dropped: tuple[Dropped, ...]

    @property
    def by_type(self) -> Counter[str]:
        """Pairs of every type."""
        return Counter(pair.type for pair in self.pairs)

    @property
    def by_gate(self) -> Counter[Gate]:
        """What every gate kept out."""
        return Counter(one.gate for one in self.dropped)
