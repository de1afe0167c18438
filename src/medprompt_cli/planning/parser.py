"""Text to tree. Python reads the syntax and nothing else: no text is ever run.

What is not named here is refused, so a new version of Python adds nothing to the language.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections.abc import Sequence

from medprompt_cli.errors import UsageError
from medprompt_cli.planning import refusals
from medprompt_cli.planning.functions import FUNCTIONS, STATEMENTS, Function
from medprompt_cli.planning.source import (
    MAX_BLOCKS,
    MAX_BRACKETS,
    MAX_STATEMENTS,
    parse_source,
    shorten,
)
from medprompt_cli.planning.tree import (
    Arithmetic,
    ArithmeticOperator,
    Assign,
    Call,
    Comparison,
    ComparisonOperator,
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
from medprompt_cli.planning.units import UNITS

MAX_NUMBER = 1e12
MAX_TEXT = 500
MAX_IMAGES = 8
"""Images that are read together."""

MAX_DEPTH = 2 * MAX_BRACKETS
"""Expressions inside each other."""

VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""What a name may look like."""

RESERVED = frozenset({*FUNCTIONS, *UNITS, "it"})
"""Names that cannot be given to a value."""

_LETTERS = "Use lower-case letters, digits and _, a letter first."
_ARITHMETIC: dict[type[ast.operator], ArithmeticOperator] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_COMPARISON: dict[type[ast.cmpop], ComparisonOperator] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def parse(text: str) -> Program:
    """Read a program. Types, names and targets are looked at by `checker.check`.

    Raises:
        UsageError: If anything in it is not part of the language; names the line, the
            text and what to write instead.
    """
    module, text = parse_source(text)
    return Program(_Parser(text).block(module.body))


class _Parser:
    """Goes down Python's tree once and builds ours."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.statements = 0

    def refusal(self, node: ast.AST, why: str, remedy: str) -> UsageError:
        said = ast.get_source_segment(self.text, node) or type(node).__name__
        line = getattr(node, "lineno", 1)
        return UsageError(f"Line {line}: {shorten(said)} {why}.", remedy=remedy)

    def foreign(self, node: ast.AST) -> UsageError:
        return self.refusal(node, "is not part of the plan language", refusals.remedy_for(node))

    def block(self, nodes: Sequence[ast.stmt], depth: int = 0) -> tuple[Statement, ...]:
        return tuple(self.statement(node, depth + 1) for node in nodes)

    def statement(self, node: ast.stmt, depth: int) -> Statement:
        self.statements += 1
        if self.statements > MAX_STATEMENTS:
            why = f"is beyond the {MAX_STATEMENTS} statements a program may have"
            raise self.refusal(node, why, "Shorten the program, or make two of it.")
        if depth > MAX_BLOCKS + 1:
            why = f"is inside more than {MAX_BLOCKS} blocks"
            raise self.refusal(node, why, "Use fewer if inside each other.")
        match node:
            case ast.Assign(targets=[target], value=value):
                return Assign(self.new_name(target), self.expression(value), node.lineno)
            case ast.Expr(value=ast.Call() as call):
                return self.do(call)
            case ast.If(test=test, body=body, orelse=orelse):
                condition, then = self.expression(test), self.block(body, depth)
                return If(condition, then, self.block(orelse, depth), node.lineno)
            case ast.For(target=target, iter=iterated, body=body, orelse=[]):
                name = self.new_name(target)
                if self.expression(iterated) != Call("visits", ()):
                    why = "cannot be gone through"
                    raise self.refusal(iterated, why, "Write visits() there.")
                return ForVisits(name, self.block(body, depth), node.lineno)
        raise self.foreign(node)

    def do(self, node: ast.Call) -> Do:
        call = self.call(node)
        if call.function not in STATEMENTS:
            raise self.refusal(
                node,
                "gives a value that is not used",
                "Write name = in front of it, or read(...) around it.",
            )
        return Do(call, node.lineno)

    def new_name(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            raise self.refusal(node, "is no name for a value", "Write one name on the left.")
        if node.id in RESERVED:
            raise self.refusal(node, "is a word of the language", "Choose another name.")
        if not VARIABLE.fullmatch(node.id):
            raise self.refusal(
                node, "is no name for a value", "Use lower-case letters, digits and _."
            )
        return node.id

    def expression(self, node: ast.expr, depth: int = 1) -> Expression:
        if depth > MAX_DEPTH:
            why = f"is nested more than {MAX_DEPTH} deep"
            raise self.refusal(node, why, "Give parts of it names of their own before it.")
        inner = depth + 1
        match node:
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.Constant() | ast.UnaryOp():
                return self.literal(node)
            case ast.List(elts=images):
                return self.images(node, images, inner)
            case ast.Call():
                return self.value(node, inner)
            case ast.BinOp():
                return self.arithmetic(node, inner)
            case ast.Compare():
                return self.comparison(node, inner)
        raise self.foreign(node)

    def name(self, node: ast.Name, name: str) -> Name:
        if name in UNITS:
            raise self.refusal(node, "is a unit without a number", f"Write it as 1 * {name}.")
        if name in FUNCTIONS:
            raise self.refusal(node, "is a function that is not called", f"Write {name}(...).")
        if not VARIABLE.fullmatch(name):
            raise self.refusal(
                node, "is no name of a value", "Use lower-case letters, digits and _."
            )
        return Name(name)

    def literal(self, node: ast.expr) -> Number | Text:
        match node:
            case ast.Constant(value=str(text)):
                return Text(self.checked_text(node, text))
            case ast.Constant(value=bool()):
                raise self.foreign(node)
            case ast.Constant(value=int(value) | float(value)):
                return Number(self.checked_number(node, value))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(v) | float(v))):
                if not isinstance(v, bool):
                    return Number(-self.checked_number(node, v))
        raise self.foreign(node)

    def checked_number(self, node: ast.expr, value: float) -> float:
        if not abs(value) <= MAX_NUMBER or math.isnan(value):
            raise self.refusal(node, "is too large a number", f"Stay below {MAX_NUMBER:g}.")
        return float(value)

    def checked_text(self, node: ast.expr, text: str) -> str:
        if len(text) > MAX_TEXT:
            raise self.refusal(
                node, f"is longer than {MAX_TEXT} characters", "Shorten the text."
            )
        if not text.isprintable():
            raise self.refusal(node, "holds characters that cannot be seen", "Leave them out.")
        return text

    def images(self, node: ast.List, images: Sequence[ast.expr], depth: int) -> ImageList:
        if not 1 <= len(images) <= MAX_IMAGES:
            why = f"holds {len(images)} images"
            raise self.refusal(node, why, f"Name at least one image and at most {MAX_IMAGES}.")
        return ImageList(tuple(self.expression(image, depth) for image in images))

    def arithmetic(self, node: ast.BinOp, depth: int) -> Expression:
        sign = _ARITHMETIC.get(type(node.op))
        if sign is None:
            raise self.foreign(node)
        left, right = self.expression(node.left, depth), node.right
        if not (isinstance(right, ast.Name) and right.id in UNITS):
            return Arithmetic(sign, left, self.expression(right, depth))
        if sign != "*" or not isinstance(left, Number) or left.unit:
            why = "is a unit that does not follow a number"
            raise self.refusal(right, why, f"Write it as 1 * {right.id}, in brackets.")
        return Number(left.value, right.id)

    def comparison(self, node: ast.Compare, depth: int) -> Comparison:
        sign = _COMPARISON.get(type(node.ops[0]))
        if sign is None or len(node.ops) > 1:
            raise self.foreign(node)
        left, right = node.left, node.comparators[0]
        return Comparison(sign, self.expression(left, depth), self.expression(right, depth))

    def value(self, node: ast.Call, depth: int) -> Call:
        call = self.call(node, depth)
        if call.function in STATEMENTS:
            raise self.refusal(node, "gives no value", "Put it on a line of its own.")
        return call

    def call(self, node: ast.Call, depth: int = 1) -> Call:
        function = self.function(node.func)
        given = self.given(node, function, depth)
        for parameter in function.parameters[: function.required]:
            if parameter.name not in given:
                why = f"is not given its {parameter.name}"
                raise self.refusal(node, why, f"Write it as {function.signature}.")
        return Call(function.name, tuple(given.get(p.name) for p in function.parameters))

    def function(self, node: ast.expr) -> Function:
        if not isinstance(node, ast.Name):
            raise self.foreign(node)
        if node.id in FUNCTIONS:
            return FUNCTIONS[node.id]
        near = difflib.get_close_matches(node.id, FUNCTIONS, n=1)
        remedy = f"Write {near[0]}." if near else refusals.FUNCTIONS
        raise self.refusal(node, "is no function of the plan language", remedy)

    def given(self, node: ast.Call, function: Function, depth: int) -> dict[str, Expression]:
        names = [parameter.name for parameter in function.parameters]
        if len(node.args) > len(names):
            why = f"is given {len(node.args)} values"
            raise self.refusal(node, why, f"Write it as {function.signature}.")
        given = {
            name: self.expression(value, depth)
            for name, value in zip(names, node.args, strict=False)
        }
        for keyword in node.keywords:
            if keyword.arg not in names or keyword.arg in given:
                why = f"does not fit into {function.name}"
                raise self.refusal(keyword, why, f"Write it as {function.signature}.")
            given[keyword.arg] = self.expression(keyword.value, depth)
        return given
