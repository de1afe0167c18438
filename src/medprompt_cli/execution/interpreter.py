"""Walk the tree of a program over one case.

Nothing of a program is ever given to Python. A statement either changes a name, says
something (`read`, `answer`), keeps a mask (`save`) or chooses the way on. A condition that
cannot be told takes neither way, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from medprompt_cli.execution.arithmetic import calculate, compare
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.values import (
    MEASURED,
    Image,
    Number,
    Regions,
    Text,
    Truth,
    Value,
)
from medprompt_cli.execution.wording import say
from medprompt_cli.planning.checker import names_in
from medprompt_cli.planning.functions import FUNCTIONS
from medprompt_cli.planning.printer import print_statement
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
    Program,
    Statement,
)
from medprompt_cli.planning.tree import Number as WrittenNumber
from medprompt_cli.planning.tree import Text as WrittenText
from medprompt_cli.planning.units import UNITS

Operation = Callable[..., Value]
"""Takes the values of a call's arguments, None where one was left out."""

Kind = Literal["value", "read", "answer", "save", "branch", "undecided"]

IT = "it"


@dataclass(frozen=True, slots=True)
class Event:
    """What a statement did.

    Attributes:
        statement: As it is printed.
        kind: `value` (a name got a value), `read`, `answer`, `save`, `branch` or
            `undecided` (a condition could not be told).
        name: Of the variable, the output, or empty.
        value: What it is.
    """

    statement: str
    kind: Kind
    name: str
    value: Value


@dataclass
class Interpreter:
    """One case, and what its program has found out so far.

    Attributes:
        case: Whose images are asked for.
        operations: What the functions of the language do, by name.
        scope: Value of every name.
        events: What happened, in order.
    """

    case: Case
    operations: Mapping[str, Operation]
    scope: dict[str, Value] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def run(self, program: Program) -> list[Event]:
        """Run a program that was checked, from where this one is; what was done comes back."""
        before = len(self.events)
        self._block(program.statements)
        return self.events[before:]

    def _block(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, statement: Statement) -> None:
        match statement:
            case Assign(name, value):
                self.scope[name] = found = self.value(value)
                self._note(statement, "value", name, found)
            case Do(call):
                self._output(statement, call)
            case If():
                self._branch(statement)
            case ForVisits(name, body):
                self._loop(name, body)

    def _branch(self, statement: If) -> None:
        found = self.value(statement.condition)
        if not isinstance(found, Truth) or found.value is None:
            self._note(statement, "undecided", "", found)
            return
        self._note(statement, "branch", "", found)
        self._block(statement.then if found.value else statement.otherwise)

    def _loop(self, name: str, body: tuple[Statement, ...]) -> None:
        before = set(self.scope)
        for visit in self.case.visits:
            self.scope[name] = visit
            self._block(body)
            for inner in set(self.scope) - before:
                del self.scope[inner]

    def _output(self, statement: Do, call: Call) -> None:
        first = call.arguments[0]
        if call.function == "answer" and isinstance(first, WrittenText):
            self._note(statement, "answer", "", Text(self._sentence(first.value)))
            return
        value = self.value(first) if first is not None else Text(None, "undefined")
        if call.function == "save":
            name = call.arguments[1]
            label = name.value if isinstance(name, WrittenText) else ""
            self._note(statement, "save", label, value)
        else:
            label = first.name if isinstance(first, Name) else ""
            self._note(statement, "read", label, value)

    def _sentence(self, template: str) -> str:
        for name in names_in(template):
            template = template.replace("{" + name + "}", say(self.scope[name]))
        return template

    def _note(self, statement: Statement, kind: Kind, name: str, value: Value) -> None:
        first_line = print_statement(statement).partition("\n")[0]
        self.events.append(Event(first_line, kind, name, value))

    def value(self, expression: Expression) -> Value:
        """What an expression is in this case."""
        match expression:
            case Name(name):
                return self.scope[name]
            case WrittenNumber() | WrittenText():
                return _written(expression)
            case ImageList(images):
                found = tuple(self.value(image) for image in images)
                return tuple(image for image in found if isinstance(image, Image))
            case Arithmetic(operator, left, right):
                return calculate(operator, self._number(left), self._number(right))
            case Comparison(operator, left, right):
                return compare(operator, self.value(left), self.value(right))
            case _:
                return self._call(expression)

    def _number(self, expression: Expression) -> Number:
        found = self.value(expression)
        return found if isinstance(found, Number) else Number(None, "bare", "undefined")

    def _call(self, call: Call) -> Value:
        function = FUNCTIONS[call.function]
        if call.function == "where":
            return self._where(call)
        given = [None if a is None else self.value(a) for a in call.arguments]
        return self.operations[function.name](*given)

    def _where(self, call: Call) -> Value:
        """Those instances the condition holds for; unknown where it cannot be told of one."""
        found, condition = self.value(_there(call.arguments[0])), _there(call.arguments[1])
        if not isinstance(found, Regions):
            return found
        kept, status = [], found.status
        for part in found.parts:
            self.scope[IT] = part
            holds = self.value(condition)
            if not isinstance(holds, Truth) or holds.value is None:
                why = holds.status if isinstance(holds, Truth) else "undefined"
                status = why if status in {MEASURED, "truncated_fov"} else status
            elif holds.value:
                kept.append(part)
        self.scope.pop(IT, None)
        return Regions(found.name, tuple(kept), status, found.whole)


def _written(expression: WrittenNumber | WrittenText) -> Number | Text:
    if isinstance(expression, WrittenText):
        return Text(expression.value)
    unit = UNITS[expression.unit] if expression.unit else None
    factor, dimension = (unit.factor, unit.dimension) if unit else (1.0, "bare")
    return Number(expression.value * factor, dimension)


def _there(argument: Expression | None) -> Expression:
    if argument is None:
        raise ValueError(argument)
    return argument
