"""A program as a tree of values that cannot change. Equal trees are equal programs.

Nodes hold what was written and know nothing of types; `planning/checker.py` does.
Lines are where a statement stood in a text; they do not count when trees are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ArithmeticOperator = Literal["+", "-", "*", "/"]
ComparisonOperator = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or `it` inside the condition of `where`."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is written out.

    Attributes:
        value: In `unit`.
        unit: A name of `UNITS`; None for a bare number.
    """

    value: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is written out."""

    value: str


@dataclass(frozen=True, slots=True)
class ImageList:
    """Images that are read together: `[image("FLAIR"), image("T1w")]`."""

    images: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language and what it is given.

    Attributes:
        function: A name of `FUNCTIONS`.
        arguments: One for each parameter, in order; None where the default stands.
    """

    function: str
    arguments: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A sum, difference, product or quotient."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two numbers or two texts set against each other; a Truth."""

    operator: ComparisonOperator
    left: Expression
    right: Expression


Expression: TypeAlias = Name | Number | Text | ImageList | Call | Arithmetic | Comparison


@dataclass(frozen=True, slots=True)
class Assign:
    """`name = value`."""

    name: str
    value: Expression
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Do:
    """A call that stands alone: `save`, `read` or `answer`."""

    call: Call
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class If:
    """Two ways on; `otherwise` is empty where there is no `else`."""

    condition: Expression
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ForVisits:
    """`for name in visits():`, once for every visit, in the order of time."""

    name: str
    body: tuple[Statement, ...]
    line: int = field(default=0, compare=False, repr=False)


Statement: TypeAlias = Assign | Do | If | ForVisits


@dataclass(frozen=True, slots=True)
class Program:
    """Statements, run from the first to the last."""

    statements: tuple[Statement, ...]


def blocks_of(statement: Statement) -> tuple[tuple[Statement, ...], ...]:
    """The blocks inside a statement."""
    if isinstance(statement, If):
        return statement.then, statement.otherwise
    return (statement.body,) if isinstance(statement, ForVisits) else ()


def children_of(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside an expression."""
    if isinstance(expression, Call):
        return tuple(given for given in expression.arguments if given is not None)
    if isinstance(expression, ImageList):
        return expression.images
    if isinstance(expression, (Arithmetic, Comparison)):
        return expression.left, expression.right
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """An expression and every expression inside it, from the outside in."""
    yield expression
    for child in children_of(expression):
        yield from walk(child)


def walk_names(
    expression: Expression, defined: Mapping[str, Expression]
) -> Iterator[Expression]:
    """An expression, what is inside it, and what the names in it hold."""
    for inside in walk(expression):
        yield inside
        if isinstance(inside, Name) and inside.name in defined:
            yield from walk_names(defined[inside.name], defined)


def expressions_of(statement: Statement) -> tuple[Expression, ...]:
    """The expressions of a statement itself, without those of its blocks."""
    if isinstance(statement, Assign):
        return (statement.value,)
    if isinstance(statement, Do):
        return (statement.call,)
    return (statement.condition,) if isinstance(statement, If) else ()


def walk_statements(statements: tuple[Statement, ...]) -> Iterator[Expression]:
    """Every expression of statements and of their blocks, from the outside in."""
    for statement in statements:
        for expression in expressions_of(statement):
            yield from walk(expression)
        for block in blocks_of(statement):
            yield from walk_statements(block)


def functions_in(statement: Statement) -> frozenset[str]:
    """Every function that is called in a statement, its blocks included."""
    every = walk_statements((statement,))
    return frozenset(inside.function for inside in every if isinstance(inside, Call))
