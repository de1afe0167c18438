"""What a program asks for, read off the program alone.

Only what is saved, read or answered counts, and what it was made of. A volume inside a
comparison is no quantity of its own unless it is read as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from medprompt_cli.planning.checker import check, names_in
from medprompt_cli.planning.filters import Filter
from medprompt_cli.planning.intent import Compares, Intent, Visits
from medprompt_cli.planning.meaning import (
    Meaning,
    Measured,
    Part,
    Region,
    Related,
    Written,
    compared,
    joined,
)
from medprompt_cli.planning.reading import Reader
from medprompt_cli.planning.tree import (
    Assign,
    Call,
    Do,
    ForVisits,
    If,
    Program,
    Statement,
    Text,
)
from medprompt_cli.planning.values import EACH, FIRST, LAST

_NEW = Filter("fate", "new")
_LEAST: Compares = "none"
_WEIGHTIEST: tuple[Compares, ...] = ("visits", "sides", "images", _LEAST)
"""If a program compares in several ways, the first of them counts."""


def summarise(program: Program) -> Intent:
    """Say what a program asks for.

    Raises:
        UsageError: If the program has no meaning or is about no region.
    """
    check(program, whole=False)
    summary = _Summary()
    summary.block(program.statements)
    compares = min((*summary.compares, _LEAST), key=_WEIGHTIEST.index)
    return Intent(
        tuple(summary.targets),
        tuple(summary.quantities),
        compares,
        tuple(str(f) for f in summary.filters),
        tuple(summary.reader.images),
        _visits(summary.reader.visits, two=compares == "visits"),
    )


class _Summary:
    """Goes through a program once and counts what it gives out."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.targets: dict[str, None] = {}
        self.quantities: set[str] = set()
        self.compares: set[Compares] = set()
        self.filters: set[Filter] = set()

    def block(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            if isinstance(statement, Assign):
                self.reader.known[statement.name] = self.reader.meaning(statement.value)
            elif isinstance(statement, Do):
                self.output(statement.call)
            elif isinstance(statement, If):
                self.branches(statement)
            else:
                self.loop(statement)

    def branches(self, statement: If) -> None:
        before = dict(self.reader.known)
        self.block(statement.then)
        then, self.reader.known = self.reader.known, before
        self.block(statement.otherwise)
        for name in then.keys() & self.reader.known.keys():
            self.reader.known[name] = joined((then[name], self.reader.known[name]))

    def loop(self, statement: ForVisits) -> None:
        before = dict(self.reader.known)
        self.reader.known[statement.name] = Written(EACH)
        self.block(statement.body)
        self.reader.known = before

    def output(self, call: Call) -> None:
        given = call.arguments[0]
        if call.function == "answer" and isinstance(given, Text):
            for name in names_in(given.value):
                self.record(self.reader.known[name])
        elif given is not None:
            self.record(self.reader.meaning(given))

    def record(self, meaning: Meaning) -> None:
        """Count a value as asked for."""
        if isinstance(meaning, Region):
            self.record_parts(meaning.parts)
        elif isinstance(meaning, Measured):
            self.record_measured(meaning)
        elif isinstance(meaning, Related):
            self.record_related(meaning)

    def record_parts(self, parts: Iterable[Part]) -> None:
        for part in sorted(parts, key=lambda part: part.target):
            self.targets[part.target] = None
            self.filters |= part.filters
            if any(f.kind == "fate" for f in part.filters):
                self.compares.add("visits")

    def record_measured(self, meaning: Measured) -> None:
        new = meaning.parts and all(_NEW in part.filters for part in meaning.parts)
        if meaning.quantity == "count" and new:
            self.quantities.add("new-lesions")
            self.compares.add("visits")
            old = (Part(p.target, p.filters - {_NEW}, p.images, p.visit) for p in meaning.parts)
            self.record_parts(old)
            return
        self.quantities |= {meaning.quantity} - {""}
        self.compares |= {"visits"} if meaning.quantity == "change" else set()
        self.record_parts(meaning.parts)

    def record_related(self, meaning: Related) -> None:
        by = compared(meaning.one, meaning.other)
        self.compares.add(by)
        quantity = meaning.quantity
        if quantity == "difference" and by == "visits":
            quantity = "change"
        self.quantities |= {quantity} - {""}
        for inside in (meaning.one, meaning.other):
            if quantity and isinstance(inside, Measured) and inside.quantity == "volume":
                self.record_parts(inside.parts)
            else:
                self.record(inside)


def _visits(seen: set[str], *, two: bool) -> Visits:
    if EACH in seen:
        return "all"
    if two or {FIRST, LAST} <= seen:
        return "first-last"
    if FIRST in seen:
        return "first"
    return "last" if LAST in seen else "own"
