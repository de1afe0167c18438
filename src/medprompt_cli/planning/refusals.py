"""What to write instead of what Python has and the plan language has not."""

from __future__ import annotations

import ast
from collections.abc import Mapping

STATEMENT = "Use only name = value, if, for visit in visits(), save, read and answer."
FUNCTIONS = "Use a function of the language, as in volume(mask)."
COMPARE = "Use <, <=, >, >=, == or != between two values."
_MAKES_FUNCTIONS = "Write the statements out; functions and classes cannot be made."
_COLLECTIONS = "Use where(instances, condition) to choose, and one name for each value."

_REMEDIES: Mapping[type[ast.AST], str] = {
    ast.Import: "Leave it out: the functions of the language are there without it.",
    ast.ImportFrom: "Leave it out: the functions of the language are there without it.",
    ast.Attribute: FUNCTIONS,
    ast.Subscript: FUNCTIONS,
    ast.While: "Use for visit in visits(); there is no other loop.",
    ast.For: "Leave out what follows the loop.",
    ast.FunctionDef: _MAKES_FUNCTIONS,
    ast.AsyncFunctionDef: _MAKES_FUNCTIONS,
    ast.ClassDef: _MAKES_FUNCTIONS,
    ast.Lambda: _MAKES_FUNCTIONS,
    ast.Assign: "Give one name to one value on each line.",
    ast.AugAssign: "Give the new value a new name.",
    ast.AnnAssign: "Leave the type out: it is worked out.",
    ast.BoolOp: "Put one where or one if inside another.",
    ast.BinOp: "Use +, -, * or / only.",
    ast.UnaryOp: "Write a number, or the opposite comparison.",
    ast.Compare: COMPARE,
    ast.JoinedStr: "Leave the f out: answer fills in names in braces.",
    ast.IfExp: "Use an if statement.",
    ast.ListComp: _COLLECTIONS,
    ast.SetComp: _COLLECTIONS,
    ast.DictComp: _COLLECTIONS,
    ast.GeneratorExp: _COLLECTIONS,
    ast.Tuple: _COLLECTIONS,
    ast.Set: _COLLECTIONS,
    ast.Dict: _COLLECTIONS,
    ast.Constant: "Write a number or a text.",
}


def remedy_for(node: ast.AST) -> str:
    """The one thing to try instead of a piece of Python."""
    return _REMEDIES.get(type(node), STATEMENT)
