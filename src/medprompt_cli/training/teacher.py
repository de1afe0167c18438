"""How a dialogue about an intent should go: what to look at first, and what to do then.

The teacher asks before it goes on: how many visits there are, whether a lesion is there,
whether there are several. It is not part of the program; the network learns from its
dialogues, told by chance what a real case would tell.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.answers import SENTENCES, Told, sentence
from medprompt_cli.planning.builder import Builder, call
from medprompt_cli.planning.coherence import check_coherent, of_kind
from medprompt_cli.planning.compose import Operand, compared, operands_of, visit_at
from medprompt_cli.planning.filters import kind_of
from medprompt_cli.planning.functions import FUNCTIONS, Type
from medprompt_cli.planning.grammar_dialogue import MOST_STATEMENTS, MOST_VALUES, Step
from medprompt_cli.planning.intent import (
    CHANGES,
    MEASURES,
    TRAIT_QUANTITIES,
    Intent,
    in_order,
)
from medprompt_cli.planning.selecting import Look
from medprompt_cli.planning.tree import (
    Assign,
    Call,
    Comparison,
    Do,
    Expression,
    Name,
    Statement,
    Text,
)

SIGNED = frozenset({*CHANGES, "difference", "asymmetry"})
SIZES = frozenset(MEASURES) - {"mean-intensity", "density"}
"""Measures of which more means that something has grown."""

CHANCES: Mapping[str, Mapping[Told, float]] = {
    "visits": {"one": 1, "several": 3},
    "count": {"zero": 1, "one": 1, "several": 2, "unknown": 0.5},
    "truth": {"true": 6, "false": 3, "unknown": 1},
    "text": {"text": 8, "unknown": 1, "absent": 1},
    "signed": {"positive": 5, "negative": 4, "zero": 0.5, "unknown": 0.5, "absent": 0.5},
    "number": {"positive": 8, "unknown": 1, "absent": 1},
}
"""What made-up cases tell, by the sort of the value, and how often."""

PAIR = 2

NOT_THERE = frozenset({"false", "zero", "absent"})

Asks = Generator[Statement, Told | None, Told | None]
"""Yields statements; is sent what was told of a `read`; ends with the last of it."""


def dialogue_of(intents: Sequence[Intent], rng: Random) -> list[Step]:
    """A dialogue about requests, in a case that is made up as it goes.

    Raises:
        UsageError: If it takes more statements than a dialogue has, or the parts of an
            intent do not go together.
    """
    teacher = Teacher()
    asks = teacher.answer(intents)
    steps: list[Step] = []
    told: Told | None = None
    while True:
        try:
            statement = asks.send(told) if steps else next(asks)
        except StopIteration:
            return steps
        told = None
        if isinstance(statement, Do) and statement.call.function == "read":
            told = made_up(statement.call.arguments[0], teacher.defined, rng)
        steps.append(Step(statement, told))
        if len(steps) > MOST_STATEMENTS:
            raise UsageError("The dialogue is too long.", remedy="Ask for less at once.")


def made_up(expression: Expression | None, defined: dict[str, Expression], rng: Random) -> Told:
    """What a case could tell of a value."""
    inside = defined[expression.name] if isinstance(expression, Name) else expression
    if not isinstance(inside, Call):
        return "unknown"
    chances = CHANCES[_sort_of(inside)]
    return rng.choices(tuple(chances), weights=tuple(chances.values()))[0]


def _sort_of(value: Call) -> str:
    if value == call("count", call("visits")):
        return "visits"
    if value.function == "count":
        return "count"
    if value.function.replace("_", "-") in SIGNED:
        return "signed"
    result = FUNCTIONS[value.function].result
    kind = result.type if result is not None else None
    return {Type.TRUTH: "truth", Type.TEXT: "text"}.get(kind or Type.NUMBER, "number")


@dataclass
class Teacher:
    """Writes one dialogue."""

    builder: Builder = field(default_factory=Builder)
    shown: int = 0
    values: list[str] = field(default_factory=list)
    answered: bool = False

    @property
    def defined(self) -> dict[str, Expression]:
        """Every name so far, with what it holds."""
        return {
            line.name: line.value for line in self.builder.lines if isinstance(line, Assign)
        }

    def answer(self, intents: Iterable[Intent]) -> Asks:
        """All requests, then what was found out."""
        for request in in_order(intents):
            check_coherent(request)
            yield from self.request(request)
        for at in range(0, len(self.values), MOST_VALUES):
            yield from self.say("values", *self.values[at : at + MOST_VALUES])
        return None

    def request(self, intent: Intent) -> Asks:
        """One request."""
        if intent.compares != "visits":
            return (yield from self.look(intent))
        told = yield from self.ask(call("count", call("visits")))
        if told != "one":
            return (yield from self.changes(intent))
        yield from self.say("one-visit")
        return (yield from self.look(_at_one_visit(intent)))

    def look(self, intent: Intent) -> Asks:
        """What is there at one visit, and how much of it."""
        look = self.looking(intent, _visit_of(intent))
        both: list[Operand] = []
        for target in intent.targets:
            seen = operands_of(look, target)
            there = []
            for operand in seen:
                if (yield from self.is_there(operand)):
                    there.append(operand)
                    yield from self.measure(operand)
            both += there
            if len(seen) == len(there) == PAIR:
                yield from self.compare(intent, *there)
        of_two = intent.compares == "none" and len(both) == len(intent.targets) == PAIR
        if of_two:
            yield from self.compare(intent, *both)
        return None

    def looking(self, intent: Intent, visit: Expression | None) -> Look:
        """The images of a visit."""
        names = intent.images or (None,)
        images = tuple(self.builder.let(call("image", name, visit)) for name in names)
        return Look(self.builder, intent, visit, images)

    def is_there(self, operand: Operand) -> Generator[Statement, Told | None, bool]:
        """Whether to go on with a mask; says why not."""
        target = kind_of(_target(operand, self.defined))
        asked = "presence" in operand.look.intent.quantities
        if target != "lesion" and not asked and not operand.several:
            return True
        question = call("count" if operand.several else "is_present", operand.mask)
        told = yield from self.ask(question)
        if told in NOT_THERE:
            yield from self.say("absent", operand.mask.name)
        elif told == "unknown":
            yield from self.say("unknown", operand.mask.name)
        elif asked or (operand.several and "count" in operand.look.intent.quantities):
            self.tell(question)
        return told not in {*NOT_THERE, "unknown"}

    def measure(self, operand: Operand) -> Asks:
        """Save a mask, and read what was asked of it."""
        self.builder.save(operand.mask)
        yield from self.flush()
        asked = [
            quantity
            for quantity in operand.look.intent.quantities
            if quantity in (*MEASURES, *TRAIT_QUANTITIES) and quantity != "presence"
        ]
        for quantity in asked:
            for value in operand.value(quantity):
                yield from self.read(value)
                self.tell(value)
        if not operand.look.intent.quantities:
            yield from self.say("saved", operand.mask.name)
        return None

    def compare(self, intent: Intent, one: Operand, other: Operand) -> Asks:
        """Set two masks against each other."""
        for quantity in intent.comparisons:
            if quantity not in CHANGES:
                for value in compared(quantity, intent.measures, one, other):
                    yield from self.read(value)
                    self.tell(value)
        return None

    def changes(self, intent: Intent) -> Asks:
        """What is different at the last visit from the first."""
        before = self.looking(intent, visit_at("first"))
        after = replace(self.looking(intent, visit_at("last")), before=before.images[0])
        for target in intent.targets:
            now = Operand(*after.select(target), after)
            if intent.comparisons and not of_kind(intent, "fate"):
                then = Operand(*before.select(target), before)
                yield from self.change(intent, then, now)
            elif (yield from self.is_there(now)):
                yield from self.measure(now)
            if "new-lesions" in intent.quantities:
                yield from self.count_new(now, before.images[0])
        return None

    def change(self, intent: Intent, then: Operand, now: Operand) -> Asks:
        """How one region has changed; asks first whether it is there, and how often."""
        lesion = kind_of(_target(now, self.defined)) == "lesion"
        if lesion:
            first = yield from self.ask(call("is_present", then.mask))
            last = yield from self.ask(call("is_present", now.mask))
            if "unknown" in {first, last}:
                return (yield from self.say("unknown", now.mask.name))
            if last == "false":
                return (
                    yield from self.say("absent" if first == "false" else "gone", now.mask.name)
                )
            self.builder.save(now.mask)
            yield from self.flush()
            if first == "false":
                yield from self.say("appeared", now.mask.name)
                yield from self.read(call("volume", now.mask))
                self.tell(call("volume", now.mask))
                return None
            found = now.mask if now.several else self.builder.let(call("instances", now.mask))
            if (yield from self.read(call("count", found))) == "several":
                self.tell(call("count", found))
                largest = call("volume", call("largest", found))
                yield from self.read(largest)
                self.tell(largest)
        else:
            self.builder.save(then.mask)
            self.builder.save(now.mask)
            yield from self.flush()
        return (yield from self.differences(intent, then, now))

    def differences(self, intent: Intent, then: Operand, now: Operand) -> Asks:
        """Later minus earlier, in every way that was asked for."""
        measures = intent.measures or ("volume",)
        for measure in intent.measures:
            for operand in (then, now):
                for value in operand.value(measure):
                    yield from self.read(value)
                    self.tell(value)
        for quantity in intent.comparisons:
            for value in compared(quantity, intent.measures, then, now):
                told = yield from self.read(value)
                size = set(measures) <= SIZES and quantity in CHANGES
                kind = {"positive": "grew", "negative": "shrank", "zero": "same"}.get(
                    told or ""
                )
                if size and kind:
                    yield from self.say(kind, self.builder.let(value).name)
                else:
                    self.tell(value)
        return None

    def count_new(self, now: Operand, before: Name) -> Asks:
        """How many lesions were not there before."""
        found: Expression = now.mask if now.several else call("instances", now.mask)
        if "new" not in now.look.intent.filters:
            since = Comparison("==", call("fate", Name("it"), before), Text("new"))
            found = call("where", found, since)
        yield from self.read(call("count", found))
        self.tell(call("count", found))
        return None

    def ask(self, question: Expression) -> Asks:
        """Read what the way on hangs on, without a name for it."""
        self.builder.do("read", question)
        return (yield from self.flush())

    def read(self, value: Expression) -> Asks:
        """Give a value a name and read it."""
        self.builder.do("read", self.builder.let(value))
        return (yield from self.flush())

    def tell(self, value: Expression) -> None:
        """Keep a value for the sentence at the end."""
        name = self.builder.let(value).name
        if name not in self.values:
            self.values.append(name)

    def say(self, kind: str, *names: str) -> Asks:
        """Say a sentence."""
        if kind not in SENTENCES:
            raise ValueError(kind)
        self.builder.do("answer", sentence(kind, names, self.defined))
        return (yield from self.flush())

    def flush(self) -> Asks:
        """Hand over the lines that were built since the last time."""
        told: Told | None = None
        while self.shown < len(self.builder.lines):
            self.shown += 1
            told = yield self.builder.lines[self.shown - 1]
        return told


def _at_one_visit(intent: Intent) -> Intent:
    """What is left to ask where there is nothing to compare with."""
    kept = tuple(str(f) for f in intent.conditions if f.kind != "fate")
    quantities = tuple(q for q in intent.quantities if q in (*MEASURES, *TRAIT_QUANTITIES))
    return replace(
        intent,
        compares="none",
        visits="own",
        filters=kept,
        quantities=quantities or ("volume",),
    )


def _visit_of(intent: Intent) -> Expression | None:
    chosen = intent.visits.rpartition("-")[2]
    return visit_at(chosen) if chosen in {"first", "last"} else None


def _target(operand: Operand, defined: dict[str, Expression]) -> str:
    """The target a mask goes back to."""
    at: Expression = operand.mask
    while not (isinstance(at, Call) and at.function == "segment"):
        if isinstance(at, Name):
            at = defined[at.name]
        elif isinstance(at, Call) and at.arguments[0] is not None:
            at = at.arguments[0]
        else:
            raise ValueError(at)
    target = at.arguments[1]
    return target.value if isinstance(target, Text) else ""
