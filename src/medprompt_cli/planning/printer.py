"""A tree as text, in the one form that stands for it: parsing the text gives the tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from medprompt_cli.planning.functions import FUNCTIONS
from medprompt_cli.planning.tree import (
    Arithmetic,
    Assign,
    Call,
    Comparison,
    Do,
    Expression,
    ForVisits,
    If,
    ImageList,
    Name,
    Number,
    Program,
    Statement,
    Text,
)

INDENT = "    "

EXACT_INTEGERS = 1e15
"""Whole numbers below are written without a point or an exponent."""

_COMPARISON, _SUM, _PRODUCT, _ATOM = range(4)
"""How tightly an expression binds."""


def print_program(program: Program) -> str:
    """The canonical text of a program; ends in a line break."""
    return "".join(f"{line}\n" for line in _block(program.statements, ""))


def print_statement(statement: Statement) -> str:
    """The canonical text of one statement, without a line break at its end."""
    return "\n".join(_block((statement,), ""))


def print_expression(expression: Expression) -> str:
    """The canonical text of an expression.

    >>> print_expression(Comparison(">", Name("a"), Number(10.0, "mm3")))
    'a > 10 * mm3'
    """
    if isinstance(expression, Name):
        return expression.name
    if isinstance(expression, Text):
        return print_text(expression.value)
    if isinstance(expression, Number):
        number = print_number(expression.value)
        return f"{number} * {expression.unit}" if expression.unit else number
    if isinstance(expression, ImageList):
        return f"[{', '.join(map(print_expression, expression.images))}]"
    if isinstance(expression, Call):
        return f"{expression.function}({', '.join(_arguments(expression))})"
    own = _binding(expression)
    left = _inside(expression.left, own if own > _COMPARISON else _SUM)
    return f"{left} {expression.operator} {_inside(expression.right, own + 1)}"


def print_text(text: str) -> str:
    r"""A text in double quotes.

    >>> print(print_text('5" or more'))
    "5\" or more"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def print_number(value: float) -> str:
    """The shortest text that is read as the same number.

    >>> print_number(10.0), print_number(0.1)
    ('10', '0.1')
    """
    whole = value.is_integer() and abs(value) < EXACT_INTEGERS
    return str(int(value)) if whole else repr(value)


def _block(statements: Sequence[Statement], indent: str) -> Iterator[str]:
    deeper = indent + INDENT
    for statement in statements:
        if isinstance(statement, Assign):
            yield f"{indent}{statement.name} = {print_expression(statement.value)}"
        elif isinstance(statement, Do):
            yield f"{indent}{print_expression(statement.call)}"
        elif isinstance(statement, ForVisits):
            yield f"{indent}for {statement.name} in visits():"
            yield from _block(statement.body, deeper)
        else:
            yield from _branches(statement, indent)


def _branches(statement: If, indent: str) -> Iterator[str]:
    yield f"{indent}if {print_expression(statement.condition)}:"
    yield from _block(statement.then, indent + INDENT)
    if statement.otherwise:
        yield f"{indent}else:"
        yield from _block(statement.otherwise, indent + INDENT)


def _arguments(call: Call) -> Iterator[str]:
    by_name = False
    for parameter, given in zip(
        FUNCTIONS[call.function].parameters, call.arguments, strict=True
    ):
        if given is None:
            by_name = True
        else:
            text = print_expression(given)
            yield f"{parameter.name}={text}" if by_name else text


def _inside(expression: Expression, needed: int) -> str:
    text = print_expression(expression)
    return text if _binding(expression) >= needed else f"({text})"


def _binding(expression: Expression) -> int:
    if isinstance(expression, Comparison):
        return _COMPARISON
    if isinstance(expression, Arithmetic):
        return _SUM if expression.operator in {"+", "-"} else _PRODUCT
    return _PRODUCT if isinstance(expression, Number) and expression.unit else _ATOM
