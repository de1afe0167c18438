"""Calls of functions, argument by argument, each held to what those before it were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medprompt_cli.planning.functions import (
    FUNCTIONS,
    LITERALS,
    Function,
    Parameter,
    TextKind,
    Type,
)
from medprompt_cli.planning.grammar_costs import (
    REGIONS,
    Sort,
    carrier,
    is_open,
    is_pair,
    least,
    parameter_cost,
    sorts_of,
)
from medprompt_cli.planning.grammar_literals import TARGETS, derive_region, derive_word
from medprompt_cli.planning.grammar_plans import Option
from medprompt_cli.planning.grammar_symbols import ID, SKIP
from medprompt_cli.planning.grammar_wants import (
    Found,
    Room,
    Steps,
    Want,
    seen_together,
    sort_of,
)
from medprompt_cli.planning.tree import Call, Expression, Text
from medprompt_cli.planning.units import Dimension, common
from medprompt_cli.planning.values import FIRST, LAST, OWN, Value, one_visit

if TYPE_CHECKING:
    from medprompt_cli.planning.grammar_expressions import Expressions

NOT_LATER = frozenset({FIRST, OWN})
"""Visits that a later number is not of, as the earlier one is of the first."""

MaybeFound = tuple[Expression | None, Value | None]


@dataclass
class Caller:
    """Derives one call.

    Attributes:
        expressions: Derives the arguments.
        option: What is called, and what of its first argument is known.
        want: What the call has to give.
        room: What it may use, its own token included.
        values: Of the arguments so far, by parameter.
        visit: The visit that regions and images have to be of, once that is known.
    """

    expressions: Expressions
    option: Option
    want: Want
    room: Room
    values: dict[str, Value] = field(default_factory=dict)
    visit: str | None = None

    @property
    def function(self) -> Function:
        """What is called."""
        return FUNCTIONS[self.option.symbol]

    def derive(self, given: Expression | None) -> Steps[Found]:
        """The arguments, one after the other."""
        it = self.expressions.here.it
        self.visit = it.visit if self.want.about_it and it else self.want.visit
        call = given if isinstance(given, Call) else None
        arguments: list[Expression | None] = []
        for at, parameter in enumerate(self.function.parameters):
            here = call.arguments[at] if call else None
            argument, value = yield from self.argument(
                at, parameter, here, encoding=call is not None
            )
            arguments.append(argument)
            if value is not None:
                self.values[parameter.name] = value
                if seen_together(value) and not self.is_of_old(parameter):
                    self.visit = self.visit or value.visit
        return Call(self.function.name, tuple(arguments)), self.result(arguments)

    def is_of_old(self, parameter: Parameter) -> bool:
        """Whether an image may be of another visit than the mask beside it."""
        return parameter.name == "earlier" and Type.IMAGE in parameter.types

    def argument(
        self, at: int, parameter: Parameter, given: Expression | None, *, encoding: bool
    ) -> Steps[MaybeFound]:
        """One argument, or nothing where it may be left out."""
        if parameter.literal:
            return (yield from self.literal(parameter, given, encoding=encoding))
        want, room = self.wanted(at, parameter), self.room_for(at)
        if parameter.about_it:
            return (yield from self.condition(want, room, given))
        if parameter.default is None:
            return (yield from self.expressions.derive(want, room, given))
        return (yield from self.optional(parameter, want, room, given, encoding=encoding))

    def room_for(self, at: int) -> Room:
        """Room that leaves enough for the arguments that follow."""
        speaks = carrier(self.function) if self.want.about_it else None
        tokens = 0.0
        for n, parameter in enumerate(self.function.parameters[at + 1 :], at + 1):
            if n == 1 and is_pair(self.function):
                tokens += self.option.kept
            else:
                tokens += parameter_cost(parameter, least(about_it=n == speaks))[0]
        return self.room.inner().less(tokens)

    def wanted(self, at: int, parameter: Parameter) -> Want:
        """What may stand there."""
        speaks = self.want.about_it and at == carrier(self.function)
        sorts = frozenset(sorts_of(parameter))
        visit = self.visit
        if at == 0 and self.option.first is not None:
            sorts = self.option.first
        elif at == 1 and is_pair(self.function):
            sorts = alike(sort_of(self.values[self.function.parameters[0].name]))
        unlike = self.want.unlike
        if "later" in {p.name for p in self.function.parameters}:
            visit, unlike = self.on_time(parameter)
        if self.is_of_old(parameter):
            visit, unlike = None, frozenset()
        suffixes = None
        if self.function.suffix and Type.IMAGE in parameter.types:
            suffixes = frozenset({"", self.function.suffix})
        return Want(sorts, visit, unlike, suffixes, about_it=speaks)

    def on_time(self, parameter: Parameter) -> tuple[str | None, frozenset[str]]:
        """The visit of what is compared over time, and those it cannot be of."""
        if parameter.name in {"earlier", "earlier_visit"}:
            return FIRST, frozenset()
        measured = self.values["later"].visit if "later" in self.values else None
        return measured, NOT_LATER

    def literal(
        self, parameter: Parameter, given: Expression | None, *, encoding: bool
    ) -> Steps[MaybeFound]:
        """A text that has to be written out."""
        here = self.expressions.here
        if parameter.literal == TextKind.TARGET:
            return (yield from derive_region(here, TARGETS, given)), Value(Type.TEXT)
        texts = frozenset(LITERALS[parameter.literal or TextKind.NAME])
        if parameter.literal == TextKind.SUFFIX and self.want.suffixes is not None:
            texts &= self.want.suffixes
        nothing = Text("") if encoding and given is None else given
        optional = parameter.default is not None
        text = yield from derive_word(here, texts, nothing, optional=optional)
        return text, Value(Type.TEXT) if text else None

    def condition(self, want: Want, room: Room, given: Expression | None) -> Steps[MaybeFound]:
        """What has to hold for `it`."""
        here = self.expressions.here
        instances = self.values["instances"]
        here.it = Value(Type.MASK, visit=instances.visit, images=instances.images)
        about = Want(want.sorts, about_it=True)
        found = yield from self.expressions.derive(about, room, given)
        here.it = None
        return found

    def optional(
        self,
        parameter: Parameter,
        want: Want,
        room: Room,
        given: Expression | None,
        *,
        encoding: bool,
    ) -> Steps[MaybeFound]:
        """Something, or the token that says that it is left out."""
        here = self.expressions.here
        chooses_visit = Type.VISIT in parameter.types
        own = chooses_visit and self.visit == OWN
        options = {} if own else self.expressions.options(want, room)
        allowed: dict[int, object] = dict(options)
        if not chooses_visit or want.allows(OWN):
            allowed[ID[SKIP]] = None
        wanted = None
        if encoding:
            wanted = ID[SKIP] if given is None else self.expressions.token_of(given, want)
        token = yield from here.ask(allowed, wanted)
        if token == ID[SKIP]:
            return None, None
        return (yield from options[token](given))

    def result(self, arguments: list[Expression | None]) -> Value:
        """What is known of what the call gives."""
        name, values = self.function.name, list(self.values.values())
        if name == "visits":
            return Value(Type.VISITS)
        if name in {FIRST, LAST}:
            return Value(Type.VISIT, visit=name)
        if self.function.group == "choose":
            suffix = arguments[0].value if isinstance(arguments[0], Text) else ""
            visit = self.values["visit"].visit if "visit" in self.values else OWN
            return Value(Type.IMAGE, visit=visit, images=(suffix,))
        result = self.function.result
        type_ = (result.type if result else None) or values[0].type
        dimension = result.dimension if result else None
        if type_ == Type.NUMBER and dimension is None:
            dimension = self.shared()
        visit = None if "later" in self.values else one_visit(values)
        images = next((value.images for value in values if value.images), ())
        return Value(type_, dimension, result.words if result else None, visit, images)

    def shared(self) -> Dimension | None:
        """The dimension that the numbers have together."""
        found: Dimension | None = None
        for parameter in self.function.parameters:
            value = self.values.get(parameter.name)
            if value and value.dimension and is_open(parameter):
                found = common(found, value.dimension) if found else value.dimension
        return found


def alike(sort: Sort) -> frozenset[Sort]:
    """What may stand beside a sort where two have to be of one."""
    return frozenset(REGIONS) if sort in REGIONS else frozenset({sort})
