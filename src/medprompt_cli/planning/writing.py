"""Programs written by the network under the grammar: the likeliest, and some that are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medprompt_cli.planning.decoder import NumpyDecoder, Reading, Written
from medprompt_cli.planning.grammar import Walk
from medprompt_cli.planning.grammar_symbols import (
    ID,
    IMPLIED,
    LESION,
    READINGS,
    SYMBOLS,
    Places,
    read_as,
)
from medprompt_cli.planning.tree import Program

TEMPERATURE = 0.8
"""How freely programs are drawn; 1 is as likely as the network thinks."""

SEED = 20_240
"""Of what is drawn."""


@dataclass(frozen=True, eq=False)
class Draft:
    """A program as it was written.

    Attributes:
        program: What it says.
        tokens: What it was written in, without the first.
        phi: Instruction embedding of every region in it, by canonical name.
    """

    program: Program
    tokens: tuple[int, ...]
    phi: Mapping[str, np.ndarray]


def write_programs(
    decoder: NumpyDecoder, reading: Reading, first: Written, places: Places
) -> list[Draft]:
    """As many programs as the reading is for; the first is the likeliest, token by token."""
    pens = [_Pen(row, places) for row in range(len(first.next))]
    writing = list(pens)
    thoughts, rng = first, np.random.default_rng(SEED)
    while writing:
        for pen, logits, phi in zip(writing, thoughts.next, thoughts.phi, strict=True):
            pen.write(logits, phi, rng)
        going = [row for row, pen in enumerate(writing) if not pen.walk.done]
        if len(going) < len(writing):
            decoder.keep(reading, np.array(going, np.int64))
        writing = [writing[row] for row in going]
        if writing:
            thoughts = decoder.write(reading, np.array([pen.tokens[-1] for pen in writing]))
    return [pen.draft() for pen in pens]


def choose_span(
    decoder: NumpyDecoder, reading: Reading, first: Written, places: Places
) -> tuple[int, int]:
    """The words of a name that is not known: the first, and the one after the last."""
    walk = Walk(places, span=True)
    decoder.keep(reading, np.array([0]))
    logits = first.next[0]
    while True:
        token = _likeliest(logits, walk.allowed)
        walk.take(token)
        if walk.span is not None:
            return walk.span
        logits = decoder.write(reading, np.array([token])).next[0]


class _Pen:
    """One program while it is being written."""

    def __init__(self, row: int, places: Places) -> None:
        self.drawn = row > 0
        self.places = places
        self.walk = Walk(places)
        self.tokens: list[int] = []
        self.phi: dict[str, np.ndarray] = {}

    def write(self, logits: np.ndarray, phi: np.ndarray, rng: np.random.Generator) -> None:
        """Put one token down."""
        region = region_at(self.tokens, len(self.tokens) - 1, self.places)
        if region:
            self.phi.setdefault(region, phi)
        allowed = self.walk.allowed
        if not self.drawn or len(allowed) == 1:
            token = _likeliest(logits, allowed)
        else:
            token = _drawn(logits, allowed, rng)
        self.tokens.append(token)
        self.walk.take(token)

    def draft(self) -> Draft:
        """What was written."""
        if self.walk.program is None:
            raise ValueError("The program is not done.")
        return Draft(self.walk.program, tuple(self.tokens), self.phi)


def region_at(tokens: Sequence[int], at: int, places: Places) -> str | None:
    """The canonical name that the token `at` completes, if it does."""
    if at < 0:
        return None
    if tokens[at] == ID[IMPLIED]:
        return LESION
    if tokens[at] < len(SYMBOLS) or at < 1 or tokens[at - 1] not in _READING_IDS:
        return None
    return read_as(places.regions[tokens[at]], SYMBOLS[tokens[at - 1]])


_READING_IDS = frozenset(ID[reading] for reading in READINGS)


def _likeliest(logits: np.ndarray, allowed: Sequence[int]) -> int:
    return allowed[int(logits[list(allowed)].argmax())]


def _drawn(logits: np.ndarray, allowed: Sequence[int], rng: np.random.Generator) -> int:
    scores = logits[list(allowed)].astype(np.float64) / TEMPERATURE
    weights = np.exp(scores - scores.max())
    return allowed[int(rng.choice(len(allowed), p=weights / weights.sum()))]
