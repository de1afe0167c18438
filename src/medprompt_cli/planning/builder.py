"""Builds a program line by line; what was written once is used again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from medprompt_cli.planning.functions import FUNCTIONS
from medprompt_cli.planning.tree import (
    Assign,
    Call,
    Do,
    Expression,
    ForVisits,
    Name,
    Program,
    Statement,
    Text,
)
from medprompt_cli.planning.variables import name_for, output_name

VISIT = Name("visit")
"""The visit of the loop."""


def call(function: str, *given: Expression | str | None) -> Call:
    """A call; texts are written out, and what is left out at the end is left out."""
    values = [Text(value) if isinstance(value, str) else value for value in given]
    missing = len(FUNCTIONS[function].parameters) - len(values)
    return Call(function, (*values, *[None] * missing))


class Builder:
    """A program in the making: lines that run once, then a loop over the visits."""

    def __init__(self) -> None:
        self._once: list[Statement] = []
        self._looped: list[Statement] = []
        self._lines = self._once
        self._defined: dict[str, Expression] = {}
        self._in_loop: set[str] = set()
        self._saved: dict[Name, str] = {}

    @property
    def lines(self) -> list[Statement]:
        """What was built that runs once."""
        return self._once

    def program(self) -> Program:
        """What was built."""
        loop = [ForVisits(VISIT.name, tuple(self._looped))] if self._looped else []
        return Program((*self._once, *loop))

    def let(self, expression: Expression) -> Name:
        """Give a value a name; one that has a name keeps it."""
        if isinstance(expression, Name):
            return expression
        for name, value in self._defined.items():
            if value == expression and self._is_known(name):
                return Name(name)
        name = name_for(expression, self._defined)
        self._defined[name] = expression
        if self._lines is self._looped:
            self._in_loop.add(name)
        self._lines.append(Assign(name, expression))
        return Name(name)

    def _is_known(self, name: str) -> bool:
        return self._lines is self._looped or name not in self._in_loop

    def do(self, function: str, *given: Expression | str) -> None:
        """Add a line of `save`, `read` or `answer`, unless it is there."""
        line = Do(call(function, *given))
        if line not in self._lines:
            self._lines.append(line)

    def save(self, mask: Name) -> None:
        """Save a mask, once, under its own name."""
        if mask not in self._saved:
            self._saved[mask] = output_name(mask.name, self._saved)
            self.do("save", mask, self._saved[mask])

    @contextmanager
    def loop(self) -> Iterator[Name]:
        """Put what is built into the loop; gives the name of its visit."""
        self._lines = self._looped
        self._defined.setdefault(VISIT.name, call("visits"))
        yield VISIT
        self._lines = self._once
