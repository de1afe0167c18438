"""The tokens that programs are written in, and the places of a prompt they point to.

A token is a number: a symbol below `len(SYMBOLS)`, or `len(SYMBOLS)` plus a place in the
prompt. Symbols are made from the tables of the language, so a new function is a new symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from medprompt_cli.planning.answers import SENTENCES, TOLD
from medprompt_cli.planning.functions import FUNCTIONS, LITERALS, WORDS, TextKind
from medprompt_cli.planning.mentions import Slot, Token
from medprompt_cli.planning.names import EVERYTHING, LESION
from medprompt_cli.planning.parser import MAX_NUMBER
from medprompt_cli.planning.tree import ArithmeticOperator, ComparisonOperator
from medprompt_cli.planning.units import UNITS
from medprompt_cli.planning.vocabulary import find
from medprompt_cli.planning.words import Word

START, END, ASSIGN, IF, IF_ELSE, FOR = "start", "end", "=", "if", "if-else", "for"
DIALOGUE = "dialogue"
"""Begins statements that are run one by one, each after the last."""

OPEN, MORE, CLOSE, SKIP, IT, UNKNOWN = "[", ",", "]", "skip", "it", "unknown"

AS_SAID, BARE, LEFT, RIGHT = "as-said", "bare", "left-of", "right-of"
READINGS = (AS_SAID, BARE, LEFT, RIGHT)
"""How a region of the prompt is meant: as it was said, of both sides, of one."""

IMPLIED = f"implied:{LESION}"
"""A target that nobody named: `did anything change?`"""

VARIABLES = 96
"""How many names a program may give."""

CONSTANTS = (0.0, 1.0, 2.0, 100.0)
"""Numbers that need not stand in the prompt."""

STAND_IN = "brain"
"""What `everything` is in a program, until it is spread out over all base structures."""

ARITHMETIC: tuple[str, ...] = get_args(ArithmeticOperator)
COMPARISON: tuple[str, ...] = get_args(ComparisonOperator)
WRITTEN_WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *LITERALS[TextKind.SUFFIX],
            *LITERALS[TextKind.SIDE],
            *WORDS["signal"],
            *WORDS["fate"],
        )
    )
)
"""Texts that have a symbol of their own."""


def text_symbol(text: str) -> str:
    """Symbol of a text of `WRITTEN_WORDS`."""
    return f'"{text}"'


def variable_symbol(index: int) -> str:
    """Symbol of the name that was given as the `index`-th."""
    return f"${index}"


def unit_symbol(unit: str) -> str:
    """Symbol of one of a unit."""
    return f"1*{unit}"


def constant_symbol(value: float) -> str:
    """Symbol of a number of `CONSTANTS`."""
    return f"#{value:g}"


def told_symbol(told: str) -> str:
    """Symbol of what a dialogue is told of a value."""
    return f"<{told}>"


def sentence_symbol(kind: str) -> str:
    """Symbol of a kind of sentence."""
    return f"say:{kind}"


SYMBOLS: tuple[str, ...] = (
    *(START, END, ASSIGN, IF, IF_ELSE, FOR, OPEN, MORE, CLOSE, SKIP, IT, UNKNOWN),
    *(*READINGS, IMPLIED, *FUNCTIONS, *ARITHMETIC, *COMPARISON),
    *map(text_symbol, WRITTEN_WORDS),
    *map(constant_symbol, CONSTANTS),
    *map(unit_symbol, UNITS),
    *map(variable_symbol, range(VARIABLES)),
    DIALOGUE,
    *map(told_symbol, TOLD),
    *map(sentence_symbol, SENTENCES),
)
ID: dict[str, int] = {symbol: number for number, symbol in enumerate(SYMBOLS)}


@dataclass(frozen=True, slots=True)
class Places:
    """What of a prompt a program can point to.

    Attributes:
        regions: Canonical name of each slot, by token.
        numbers: Value and unit of each number, by token.
        size: How many tokens the prompt has.
    """

    regions: dict[int, str]
    numbers: dict[int, tuple[float, str | None]]
    size: int


def places_of(tokens: Sequence[Token]) -> Places:
    """The regions and numbers of a prompt, by their place in it."""
    regions: dict[int, str] = {}
    numbers: dict[int, tuple[float, str | None]] = {}
    for place, token in enumerate(tokens, len(SYMBOLS)):
        if isinstance(token, Slot):
            regions[place] = STAND_IN if token.name == EVERYTHING else token.name
        elif is_number(token) and token.value is not None:
            numbers[place] = (token.value, token.unit)
    return Places(regions, numbers, len(tokens))


def is_number(token: Token) -> bool:
    """Whether a program may hold the number of a token."""
    return isinstance(token, Word) and token.value is not None and abs(token.value) < MAX_NUMBER


def read_as(name: str, reading: str) -> str | None:
    """The canonical name of a region, read in one of `READINGS`; None if it has no such.

    >>> read_as("left-hippocampus", "bare"), read_as("csf", "left-of")
    ('hippocampus', None)
    """
    found = find(name)
    if found is None:
        return None
    term, side = found
    if reading == AS_SAID:
        return name
    if reading == BARE:
        return term.name if side else None
    wanted = "left" if reading == LEFT else "right"
    return f"{wanted}-{term.name}" if term.has_sides and side != wanted else None
