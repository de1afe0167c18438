"""Whether a program means something, and what a case must have for it.

Looked at: names, types, dimensions, texts that are written out, targets, and that no mask
of one visit is laid on an image of another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.expressions import Expressions
from medprompt_cli.planning.functions import Type
from medprompt_cli.planning.tree import (
    Assign,
    Call,
    ForVisits,
    If,
    Name,
    Program,
    Statement,
    Text,
)
from medprompt_cli.planning.values import EACH, FIRST, LAST, Value, either

BRACES = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A name whose value a sentence holds."""

READABLE = (Type.NUMBER, Type.TEXT, Type.TRUTH)
"""What a sentence can hold."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a program needs.

    Attributes:
        targets: Canonical names that are segmented, in the order of the program.
        suffixes: Kinds of image that a case must have, sorted. What only one branch of an
            `if` needs is left out.
        visits: How many visits a case must have; counted likewise.
    """

    targets: tuple[str, ...]
    suffixes: tuple[str, ...]
    visits: int


def check(program: Program, *, whole: bool = True) -> Needs:
    """Find out what a program needs.

    Args:
        program: As it was parsed, composed or decoded.
        whole: Whether it has to answer something; False for the start of a program.

    Raises:
        UsageError: If it has no meaning; names the line, the text and what to write.
    """
    checker = _Checker()
    checker.block(program.statements)
    if whole and not checker.answers:
        raise UsageError(
            "The program answers nothing.", remedy="End it with save, read or answer."
        )
    found = checker.expressions
    visits = 2 if {FIRST, LAST} <= found.chosen else found.visits
    return Needs(tuple(found.targets), tuple(sorted(found.suffixes)), visits)


def names_in(sentence: str) -> tuple[str, ...]:
    """The names whose values a sentence of `answer` holds, each once.

    >>> names_in("{a} of {b}, {a} again")
    ('a', 'b')
    """
    return tuple(dict.fromkeys(BRACES.findall(sentence)))


class _Checker:
    """Goes through the statements once, with what is known of every name so far."""

    def __init__(self) -> None:
        self.expressions = Expressions()
        self.saved: dict[tuple[object, ...], set[str | None]] = {}
        self.answers = 0
        self.in_loop = False

    def block(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            self.expressions.line = statement.line
            self.statement(statement)

    def statement(self, statement: Statement) -> None:
        if isinstance(statement, Assign):
            self.name(statement.name, self.expressions.value(statement.value))
        elif isinstance(statement, If):
            self.branches(statement)
        elif isinstance(statement, ForVisits):
            self.loop(statement)
        else:
            self.answers += 1
            self.output(statement.call, self.expressions.arguments(statement.call))

    def name(self, name: str, value: Value) -> None:
        if name in self.expressions.scope:
            why = "has a value already"
            raise self.expressions.refusal(name, why, "Choose another name.")
        self.expressions.scope[name] = value

    def branches(self, statement: If) -> None:
        inside = self.expressions
        condition = inside.value(statement.condition)
        if condition.type != Type.TRUTH:
            why = f"is {condition}; if takes a Truth"
            raise inside.refusal(statement.condition, why, "Compare two values.")
        surely, inside.in_branch = inside.in_branch, True
        before, saved = dict(inside.scope), deepcopy(self.saved)
        self.block(statement.then)
        then, inside.scope = inside.scope, before
        saved_then, self.saved = self.saved, saved
        self.block(statement.otherwise)
        inside.in_branch = surely
        for key, visits in saved_then.items():
            self.saved.setdefault(key, set()).update(visits)
        inside.scope = {
            name: value
            for name, other in inside.scope.items()
            if name in then and (value := either(then[name], other))
        }

    def loop(self, statement: ForVisits) -> None:
        inside = self.expressions
        if self.in_loop:
            why = "goes through the visits inside a loop over the visits"
            raise inside.refusal(f"for {statement.name} in visits():", why, "Use one loop.")
        before, self.in_loop = dict(inside.scope), True
        self.name(statement.name, Value(Type.VISIT, visit=EACH))
        self.block(statement.body)
        inside.scope, self.in_loop = before, False

    def output(self, call: Call, given: Mapping[str, Value]) -> None:
        text = call.arguments[-1]
        if call.function == "answer" and isinstance(text, Text):
            self.sentence(text)
        if call.function == "save" and isinstance(text, Text):
            mask = given["mask"]
            visits = self.saved.setdefault((text.value, mask.images), set())
            if visits and visits | {mask.visit} != {FIRST, LAST}:
                why = "is the name of two masks"
                raise self.expressions.refusal(text, why, "Choose another name.")
            visits.add(mask.visit)

    def sentence(self, text: Text) -> None:
        rest = BRACES.sub("", text.value)
        if "{" in rest or "}" in rest:
            why = "has a brace that holds no name"
            remedy = "Write one name in each pair of braces."
            raise self.expressions.refusal(text, why, remedy)
        for name in names_in(text.value):
            value = self.expressions.value(Name(name))
            if value.type not in READABLE:
                why = f"holds {name!r}, {value}"
                remedy = "Put the name of a Number, a Text or a Truth there."
                raise self.expressions.refusal(text, why, remedy)
