"""What may stand at one point of a program, and what is known of what stands there."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from medprompt_cli.errors import InputError
from medprompt_cli.planning.functions import Type
from medprompt_cli.planning.grammar_costs import FREE, Sort
from medprompt_cli.planning.grammar_symbols import Places
from medprompt_cli.planning.tree import Expression
from medprompt_cli.planning.values import SEEN, Value

MOST_TOKENS = 480
"""Tokens of a program."""

MOST_PER_STATEMENT = 72
"""Tokens of one expression: what it is printed as stays within what a line may hold."""

DEEPEST = 14
"""Expressions inside each other; their brackets stay within what a line may hold."""


class NotDerivableError(InputError):
    """A program holds what the grammar does not make of this prompt."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A point where a derivation waits for a token.

    Attributes:
        allowed: What may come.
        wanted: What has to come for the program that is being encoded; None if none is.
    """

    allowed: tuple[int, ...]
    wanted: int | None = None


T = TypeVar("T")
Steps: TypeAlias = Generator[Choice, int, T]
"""Yields choices, is sent tokens, and ends with what they mean."""

Found: TypeAlias = tuple[Expression, Value]


@dataclass(frozen=True, slots=True)
class Want:
    """What may stand somewhere.

    Attributes:
        sorts: Any of these.
        visit: It has to be of this visit, or of none; None for any.
        unlike: Visits that it must not be of.
        suffixes: An image has to be of one of these; None for any.
        about_it: Whether it has to speak of `it`.
        written: Whether a text may be written out.
    """

    sorts: frozenset[Sort]
    visit: str | None = None
    unlike: frozenset[str] = frozenset()
    suffixes: frozenset[str] | None = None
    about_it: bool = False
    written: bool = False

    def allows(self, visit: str | None) -> bool:
        """Whether something of a visit may stand there."""
        return visit not in self.unlike and self.visit in {None, visit}

    def takes(self, value: Value) -> bool:
        """Whether the value of a name may stand there."""
        if self.about_it or sort_of(value) not in self.sorts:
            return False
        if self.suffixes is not None and not set(value.images) <= self.suffixes:
            return False
        if value.visit in self.unlike:
            return False
        on_grid = value.type in SEEN or value.type == Type.VISIT
        return self.visit in {None, value.visit} or (not on_grid and value.visit is None)


@dataclass(frozen=True, slots=True)
class Room:
    """How much an expression may use.

    Attributes:
        end: The number of tokens that there may be after it.
        depth: Expressions that may stand inside each other.
    """

    end: int
    depth: int

    def less(self, tokens: float) -> Room:
        """Room that leaves tokens for what comes after."""
        return Room(int(self.end - tokens), self.depth)

    def inner(self) -> Room:
        """Room for what stands inside."""
        return Room(self.end, self.depth - 1)


@dataclass
class Situation:
    """Where a derivation is.

    Attributes:
        places: What of the prompt can be pointed to.
        most: Tokens there may be.
        used: Tokens so far.
        names: Every name given so far, in order.
        defined: What the names hold that are taken.
        scope: What is known of the names that can be used now.
        it: What is known of `it`, inside a condition.
    """

    places: Places
    most: int = MOST_TOKENS
    used: int = 0
    names: list[str] = field(default_factory=list)
    defined: dict[str, Expression] = field(default_factory=dict)
    scope: dict[str, Value] = field(default_factory=dict)
    it: Value | None = None

    def ask(self, allowed: Mapping[int, object], wanted: int | None) -> Steps[int]:
        """Wait for one of the allowed tokens."""
        token = yield Choice(tuple(allowed), wanted)
        self.used += 1
        return token

    def index_of(self, name: str) -> int:
        """Which name it is, counted from the first; of two alike the later."""
        if name not in self.names:
            raise NotDerivableError(
                f"The program uses {name!r}, which has no value.", remedy="Check it first."
            )
        return len(self.names) - 1 - self.names[::-1].index(name)


def sort_of(value: Value) -> Sort:
    """The sort of a value."""
    if value.type == Type.NUMBER and value.dimension:
        return value.dimension
    if value.type == Type.TEXT:
        return value.words or FREE
    return value.type


def seen_together(value: Value) -> bool:
    """Whether a value lies on the grid of a visit, which others beside it have to share."""
    return value.type in SEEN and value.visit is not None
