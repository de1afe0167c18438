"""`All structures` in one word: a program about one region stands for all of them.

A program for every base structure would be long to write token by token. The network writes
it about `STAND_IN` instead, and here it is spread out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.grammar_symbols import STAND_IN, SYMBOLS
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.mentions import Slot, Token
from medprompt_cli.planning.names import EVERYTHING
from medprompt_cli.planning.summary import summarise
from medprompt_cli.planning.tree import Program
from medprompt_cli.planning.vocabulary import TERMS, find

ALL: tuple[str, ...] = tuple(
    name for name in TERMS if (found := find(name)) and found[0].kind == "structure"
)
"""Every base structure, without side."""


def place_of_everything(tokens: Sequence[Token]) -> int | None:
    """Where a prompt says `all structures`, as a token of the grammar; None if nowhere."""
    for place, token in enumerate(tokens, len(SYMBOLS)):
        if isinstance(token, Slot) and token.name == EVERYTHING:
            return place
    return None


def gathered(intent: Intent, tokens: Sequence[Token]) -> Intent:
    """An intent about all structures as one about the stand-in, if the prompt says so."""
    missing = [name for name in ALL if name not in intent.targets]
    named = {token.name for token in tokens if isinstance(token, Slot)}
    if place_of_everything(tokens) is None or not set(missing) <= named:
        return intent
    others = tuple(name for name in intent.targets if name not in ALL)
    excluded = tuple(f"exclude:{name}" for name in missing)
    return replace(intent, targets=(STAND_IN, *others), filters=(*intent.filters, *excluded))


def spread(program: Program, written: Sequence[int], tokens: Sequence[Token]) -> Program:
    """A program about the stand-in as one about all structures, if it was written so.

    Raises:
        UsageError: If the parts of what is asked for do not go together.
    """
    if place_of_everything(tokens) not in written:
        return program
    intent = summarise(program)
    left_out = {f"exclude:{name}" for name in ALL}.intersection(intent.filters)
    everything = tuple(name for name in ALL if f"exclude:{name}" not in left_out)
    others = tuple(name for name in intent.targets if name != STAND_IN)
    filters = tuple(text for text in intent.filters if text not in left_out)
    return compose(replace(intent, targets=(*everything, *others), filters=filters))
