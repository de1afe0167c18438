"""Tokens of a prompt as the numbers that the network reads.

A word is known by its pieces: itself and its runs of two to four letters, its ends marked,
Korean syllables also as their single letters. Each piece is hashed to a row of a table, so
any word of any language has an embedding, and one that is misspelt lies near the right one.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import numpy as np

from medprompt_cli.planning.korean import is_korean
from medprompt_cli.planning.mentions import Slot, Token
from medprompt_cli.planning.units import UNITS
from medprompt_cli.planning.vocabulary import TERMS, TargetKind, find

SLOT_KINDS: tuple[str, ...] = (*get_args(TargetKind), "everything", "ambiguous")
KINDS: tuple[str, ...] = ("word", "number", "mark", *SLOT_KINDS)
SIDES: tuple[str | None, ...] = (None, "left", "right", "both")
UNIT_NAMES: tuple[str | None, ...] = (None, *UNITS)

LONGEST_PIECE = 4
"""Letters of the longest piece."""

LONGEST_WORD = 40
"""Letters of a word that are looked at."""

MOST_TOKENS = 120
"""Tokens of a prompt. Nobody asks for that much in one breath."""


@dataclass(frozen=True, slots=True, eq=False)
class PromptFeatures:
    """One prompt as numbers; P tokens.

    Attributes:
        pieces: Buckets of the pieces of all tokens, one after the other.
        offsets: (P,). Where each token's pieces begin.
        traits: (P, 4). Kind, name, side and unit of each token.
    """

    pieces: np.ndarray
    offsets: np.ndarray
    traits: np.ndarray


def name_rows(names: Sequence[str]) -> dict[str, int]:
    """Row of each canonical name without side; row 0 is for names that are left out."""
    return {name: row for row, name in enumerate(names, 1)}


def known_names() -> tuple[str, ...]:
    """The names a network learns, in order."""
    return tuple(TERMS)


def featurise(tokens: Sequence[Token], rows: dict[str, int], buckets: int) -> PromptFeatures:
    """Turn tokens into numbers."""
    pieces: list[int] = []
    offsets: list[int] = []
    traits: list[tuple[int, int, int, int]] = []
    for token in tokens:
        offsets.append(len(pieces))
        if isinstance(token, Slot):
            traits.append(_slot_traits(token, rows))
            continue
        traits.append((KINDS.index(token.kind), 0, 0, UNIT_NAMES.index(token.unit)))
        if token.kind != "number":
            pieces.extend(word_pieces(token.text, buckets))
    return PromptFeatures(
        np.array(pieces, np.int64),
        np.array(offsets, np.int64),
        np.array(traits, np.int64).reshape(-1, 4),
    )


def _slot_traits(slot: Slot, rows: dict[str, int]) -> tuple[int, int, int, int]:
    found = find(slot.name)
    name = found[0].name if found else slot.name
    row = rows.get(name, 0) if slot.kind != "ambiguous" else 0
    return KINDS.index(slot.kind), row, SIDES.index(slot.side), 0


@lru_cache(maxsize=65536)
def word_pieces(word: str, buckets: int) -> tuple[int, ...]:
    """Buckets of the pieces of a word, each once.

    >>> len(word_pieces("of", 8192)), word_pieces("of", 8192) == word_pieces("off", 8192)
    (7, False)
    """
    word = word[:LONGEST_WORD]
    found = {f"={word}"}
    forms = [word]
    if is_korean(word):
        forms.append(unicodedata.normalize("NFD", word))
    for form in forms:
        marked = f"<{form}>"
        for length in range(2, LONGEST_PIECE + 1):
            found.update(marked[at : at + length] for at in range(len(marked) - length + 1))
    return tuple(sorted(zlib.crc32(piece.encode()) % buckets for piece in found))
