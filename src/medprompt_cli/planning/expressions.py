"""What an expression gives, by the rules of the language; the rest of `checker.py`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.filters import kind_of
from medprompt_cli.planning.functions import (
    FUNCTIONS,
    LITERALS,
    WORDS,
    Function,
    Parameter,
    TextKind,
    Type,
)
from medprompt_cli.planning.printer import print_expression
from medprompt_cli.planning.source import shorten
from medprompt_cli.planning.tree import (
    Arithmetic,
    Call,
    Comparison,
    Expression,
    ImageList,
    Name,
    Number,
    Text,
    walk,
)
from medprompt_cli.planning.units import UNITS, Dimension, combined, common
from medprompt_cli.planning.values import (
    FIRST,
    LAST,
    OWN,
    REGIONS,
    SEEN,
    SOME,
    Value,
    a,
    fits,
    fits_dimension,
    one_visit,
)

OUTPUT_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_OUTPUT_NAME = 64

_BEFORE = "Give it a value on a line before."
_IT = Name("it")


@dataclass
class Expressions:
    """Finds out what expressions give; collects what a case must have for them.

    Attributes:
        scope: What is known of every name.
        line: Where in the text it is.
        in_branch: Whether what comes now may not be run at all.
        targets: Canonical names that are segmented.
        suffixes: Kinds of image that are needed.
        chosen: Of `first` and `last`, those that are used.
        visits: How many are needed.
    """

    scope: dict[str, Value] = field(default_factory=dict)
    line: int = 0
    in_branch: bool = False
    targets: dict[str, None] = field(default_factory=dict)
    suffixes: set[str] = field(default_factory=set)
    chosen: set[str] = field(default_factory=set)
    visits: int = 1

    def refusal(self, at: Expression | str, why: str, remedy: str) -> UsageError:
        """An error about a piece of the program."""
        text = at if isinstance(at, str) else print_expression(at)
        where = f"Line {self.line}: " if self.line else ""
        return UsageError(f"{where}{shorten(text)} {why}.", remedy=remedy)

    def value(self, expression: Expression) -> Value:
        """What is known of an expression."""
        match expression:
            case Name(name):
                return self._known(name)
            case Number(unit=unit):
                return Value(Type.NUMBER, UNITS[unit].dimension if unit else Dimension.BARE)
            case Text():
                return Value(Type.TEXT)
            case ImageList(images):
                return self._images(images)
            case Call():
                return self._call(expression)
            case Arithmetic() | Comparison():
                return self._of_two(expression)

    def _known(self, name: str) -> Value:
        if name in self.scope:
            return self.scope[name]
        if name == _IT.name:
            remedy = "Use it in the condition of where only."
            raise self.refusal(name, "stands outside of where", remedy)
        near = difflib.get_close_matches(name, self.scope, n=1)
        raise self.refusal(name, "has no value here", f"Write {near[0]}." if near else _BEFORE)

    def _images(self, images: tuple[Expression, ...]) -> Value:
        values = [self.value(image) for image in images]
        for image, value in zip(images, values, strict=True):
            if value.type != Type.IMAGE:
                raise self.refusal(image, f"is {value}; a list holds Images", "Use image().")
        self._check_visits(ImageList(images), values)
        suffixes = tuple(dict.fromkeys(s for value in values for s in value.images))
        return Value(Type.IMAGES, visit=one_visit(values), images=suffixes)

    def _of_two(self, expression: Arithmetic | Comparison) -> Value:
        left, right = self.value(expression.left), self.value(expression.right)
        if isinstance(expression, Arithmetic):
            return self._arithmetic(expression, left, right)
        return self._comparison(expression, left, right)

    def _arithmetic(self, expression: Arithmetic, left: Value, right: Value) -> Value:
        if not left.dimension or not right.dimension:
            why = f"is of {left} and {right}"
            raise self.refusal(expression, why, "Calculate with Numbers.")
        dimension = combined(expression.operator, left.dimension, right.dimension)
        if dimension is None:
            why = f"is of {a(left.dimension)} and {a(right.dimension)}"
            raise self.refusal(expression, why, "Calculate with numbers that go together.")
        return Value(Type.NUMBER, dimension, visit=one_visit((left, right)))

    def _comparison(self, expression: Comparison, left: Value, right: Value) -> Value:
        if left.type == right.type == Type.TEXT:
            self._compare_texts(expression, left, right)
        elif not left.dimension or not right.dimension:
            why = f"compares {left} with {right}"
            raise self.refusal(expression, why, "Compare two Numbers or two Texts.")
        elif not common(left.dimension, right.dimension):
            why = f"compares {a(left.dimension)} with {a(right.dimension)}"
            raise self.refusal(expression, why, _unit_remedy(left.dimension))
        return Value(Type.TRUTH, visit=one_visit((left, right)))

    def _compare_texts(self, expression: Comparison, left: Value, right: Value) -> None:
        if expression.operator not in {"==", "!="}:
            raise self.refusal(expression, "orders two texts", "Use == or !=.")
        pairs = ((expression.left, right.words), (expression.right, left.words))
        for side, words in pairs:
            if words and isinstance(side, Text) and side.value not in WORDS[words]:
                raise self.refusal(
                    expression,
                    f"can never be: {side.value!r} is no {words}",
                    f"Use one of {', '.join(WORDS[words])}.",
                )

    def _call(self, call: Call) -> Value:
        function = FUNCTIONS[call.function]
        given = self.arguments(call)
        if not self.in_branch:
            self.visits = max(self.visits, function.visits)
            self.suffixes.update([function.suffix] if function.suffix else [])
        if function.group == "choose":
            return self._choice(call, given)
        return _result(function, given)

    def _choice(self, call: Call, given: Mapping[str, Value]) -> Value:
        if call.function == "visits":
            return Value(Type.VISITS)
        if call.function in {FIRST, LAST}:
            self.chosen.update(set() if self.in_branch else {call.function})
            return Value(Type.VISIT, visit=call.function)
        suffix = call.arguments[0]
        name = suffix.value if isinstance(suffix, Text) else ""
        if name and not self.in_branch:
            self.suffixes.add(name)
        visit = given["visit"].visit if "visit" in given else OWN
        return Value(Type.IMAGE, visit=visit, images=(name,))

    def arguments(self, call: Call) -> dict[str, Value]:
        """What is known of the arguments of a call, by the names of its parameters."""
        function = FUNCTIONS[call.function]
        given: dict[str, Value] = {}
        for parameter, argument in zip(function.parameters, call.arguments, strict=True):
            if argument is None:
                continue
            if parameter.about_it:
                given[parameter.name] = self._condition(argument, given["instances"])
            elif parameter.literal:
                given[parameter.name] = self._literal(argument, parameter.literal)
            else:
                given[parameter.name] = self.value(argument)
            self._check_fit(function, parameter, argument, given[parameter.name])
        self._check_together(call, function, given)
        return given

    def _condition(self, expression: Expression, instances: Value) -> Value:
        inside = list(walk(expression))
        if any(isinstance(part, Call) and part.function == "where" for part in inside):
            why = "has a where inside the condition of a where"
            raise self.refusal(
                expression, why, "Put where around where: where(where(...), ...)."
            )
        if _IT not in inside:
            raise self.refusal(expression, "does not speak of it", "Measure it: volume(it).")
        self.scope["it"] = Value(Type.MASK, visit=instances.visit, images=instances.images)
        value = self.value(expression)
        del self.scope["it"]
        return value

    def _literal(self, expression: Expression, kind: TextKind) -> Value:
        if not isinstance(expression, Text):
            why = f"stands where a {kind.lower()} has to be written out"
            raise self.refusal(expression, why, "Write it in quotes.")
        if kind == TextKind.TARGET:
            self._target(expression.value)
        elif kind in LITERALS and expression.value not in LITERALS[kind]:
            remedy = f"Use one of {', '.join(LITERALS[kind])}."
            raise self.refusal(expression, f"is no {kind.lower()}", remedy)
        elif kind == TextKind.NAME:
            fitting = OUTPUT_NAME.fullmatch(expression.value)
            if not fitting or len(expression.value) > MAX_OUTPUT_NAME:
                remedy = f"Use up to {MAX_OUTPUT_NAME} lower-case letters, digits and hyphens."
                raise self.refusal(expression, "is no name for an output", remedy)
        return Value(Type.TEXT)

    def _target(self, name: str) -> None:
        try:
            kind_of(name)
        except UsageError as error:
            where = f"Line {self.line}: " if self.line else ""
            raise UsageError(f"{where}{error}", remedy=error.remedy) from None
        self.targets[name] = None

    def _check_fit(
        self, function: Function, parameter: Parameter, argument: Expression, value: Value
    ) -> None:
        if not fits(value, parameter) or not fits_dimension(value, parameter):
            takes = " or ".join(
                str(Value(type_, dimension))
                for type_ in parameter.types
                for dimension in parameter.dimensions or (None,)
            )
            why = f"is {value}; {function.name} takes {takes} as its {parameter.name}"
            raise self.refusal(argument, why, f"Write it as {function.signature}.")

    def _check_together(
        self, call: Call, function: Function, given: Mapping[str, Value]
    ) -> None:
        """Look at arguments that have to fit each other."""
        seen = [v for n, v in given.items() if v.type in SEEN and n != "earlier"]
        self._check_visits(call, seen)
        if (
            function.name == "asymmetry"
            and len({v.type in REGIONS for v in given.values()}) > 1
        ):
            raise self.refusal(call, "is of a Mask and a Number", "Give it two of one type.")
        dimension = _shared(function, given)
        if dimension is None:
            sorts = " and ".join(a(v.dimension) for v in given.values() if v.dimension)
            raise self.refusal(call, f"is of {sorts}", "Give it numbers of one dimension.")
        if function.suffix and "image" in given:
            wrong = set(given["image"].images) - {"", function.suffix}
            if wrong:
                why = f"needs an image of kind {function.suffix}, not {wrong.pop()}"
                raise self.refusal(call, why, f'Give it image("{function.suffix}").')
        if "later" in given:
            self._check_times(call, given)

    def _check_visits(self, at: Expression, values: list[Value]) -> None:
        visits = [v.visit for v in values if v.visit not in {None, SOME}]
        if len(set(visits)) > 1:
            raise self.refusal(
                at,
                "lays images or masks of two visits on each other",
                "Measure at each visit and compare the numbers, as in change(a, b).",
            )

    def _check_times(self, call: Call, given: Mapping[str, Value]) -> None:
        earlier, later = given["earlier"].visit, given["later"].visit
        if earlier == later and earlier not in {None, SOME}:
            remedy = "Measure once at each of two visits."
            raise self.refusal(call, "compares a visit with itself", remedy)
        for number in ("earlier", "later"):
            named = given.get(f"{number}_visit", given[number]).visit
            measured = given[number].visit
            if measured != named and not {measured, named} & {None, SOME}:
                why = f"names another {number} visit than the one its number is of"
                raise self.refusal(call, why, "Name the visits that were measured.")


def _written(expression: Number | Text) -> Value:
    if isinstance(expression, Text):
        return Value(Type.TEXT)
    unit = UNITS[expression.unit] if expression.unit else None
    return Value(Type.NUMBER, unit.dimension if unit else Dimension.BARE)


def _result(function: Function, given: Mapping[str, Value]) -> Value:
    values = list(given.values())
    if function.result is None:
        raise ValueError(function.name)
    type_ = function.result.type or values[0].type
    dimension = function.result.dimension
    if type_ == Type.NUMBER and dimension is None:
        dimension = _shared(function, given)
    visit = None if "later" in given else one_visit(values)
    images = next((v.images for v in values if v.images), ())
    return Value(type_, dimension, function.result.words, visit, images)


def _shared(function: Function, given: Mapping[str, Value]) -> Dimension | None:
    """The dimension of the numbers that may be of any, if they are of one."""
    open_ = {p.name for p in function.parameters if not p.dimensions}
    numbers = [v.dimension for n, v in given.items() if n in open_ and v.dimension]
    shared: Dimension | None = Dimension.BARE if not numbers else numbers[0]
    for dimension in numbers[1:]:
        shared = common(shared, dimension) if shared else None
    return shared


def _unit_remedy(dimension: Dimension) -> str:
    units: Iterator[str] = (u.name for u in UNITS.values() if u.dimension == dimension)
    unit = next(units, None)
    return f"Write the other number in {unit}." if unit else "Compare it with a bare number."
