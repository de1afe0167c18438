"""The one program that stands for an intent.

What a program looks like: images first; then for each target its mask, saved, with what
was asked of it; then what is set against what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.builder import Builder, call
from medprompt_cli.planning.coherence import check_coherent, has_sides, of_kind
from medprompt_cli.planning.intent import MEASURES, TRAIT_QUANTITIES, Intent, in_order
from medprompt_cli.planning.selecting import Look
from medprompt_cli.planning.source import MAX_STATEMENTS
from medprompt_cli.planning.tree import (
    Call,
    Comparison,
    Expression,
    Name,
    Program,
    Statement,
    Text,
    blocks_of,
)

FUNCTION_OF: dict[str, str] = {
    **{name: name.replace("-", "_") for name in (*MEASURES, *TRAIT_QUANTITIES)},
    "mean-intensity": "mean",
    "enhancement": "enhances",
    "diffusion-restriction": "restricts_diffusion",
    "presence": "is_present",
    "asymmetry": "asymmetry",
    "ratio": "ratio",
    "difference": "difference",
    "change": "change",
    "percent-change": "percent_change",
    "annualised-change": "annualised_change",
}
"""The function that gives a quantity. `new-lesions` has none of its own: it is a count."""

_ON_IMAGES = ("mean-intensity", "density")
_CT = "ct"


def compose(intent: Intent, *more: Intent) -> Program:
    """The canonical program of a request, or of several.

    Raises:
        UsageError: If the parts of an intent do not go together, or there are too many.
    """
    builder = Builder()
    for request in in_order((intent, *more)):
        check_coherent(request)
        _Composer(builder, request).compose()
    program = builder.program()
    if _length(program.statements) > MAX_STATEMENTS:
        raise UsageError(
            f"What is asked for takes more than {MAX_STATEMENTS} statements.",
            remedy="Ask for less at once, in several prompts.",
        )
    return program


@dataclass(frozen=True)
class Operand:
    """A mask and the look that it was seen in.

    Attributes:
        mask: Its name.
        several: Whether it is a set of instances.
        look: Where it was seen.
    """

    mask: Name
    several: bool
    look: Look

    def value(self, quantity: str) -> list[Call]:
        """A quantity of the mask; of an intensity, one for each image."""
        function = FUNCTION_OF[quantity]
        if quantity == "count":
            return [call(function, self.mask if self.several else call("instances", self.mask))]
        if quantity in _ON_IMAGES:
            return [call(function, image, self.mask) for image in self._images(quantity)]
        if quantity == "signal" and self.look.intent.images:
            return [call(function, self.mask, image) for image in self.look.images]
        return [call(function, self.mask)]

    def _images(self, quantity: str) -> tuple[Name, ...]:
        named = self.look.intent.images
        if quantity == "density" and named:
            return (self.look.images[named.index(_CT)],)
        return self.look.images


@dataclass(frozen=True)
class _Composer:
    """Writes the lines of one intent."""

    builder: Builder
    intent: Intent

    def compose(self) -> None:
        chosen = self.intent.visits
        if self.intent.compares == "visits":
            self._compare_visits()
        elif chosen == "all":
            with self.builder.loop() as visit:
                self._look_at(visit)
        elif chosen == "own":
            self._look_at(None)
        else:
            for function in chosen.split("-"):
                self._look_at(visit_at(function))

    def _look(self, visit: Expression | None) -> Look:
        names = self.intent.images or (None,)
        images = tuple(self.builder.let(call("image", name, visit)) for name in names)
        return Look(self.builder, self.intent, visit, images)

    def _look_at(self, visit: Expression | None) -> None:
        """All of one visit."""
        look = self._look(visit)
        seen = [operands_of(look, target) for target in self.intent.targets]
        for operands in seen:
            for operand in operands:
                self._show(operand)
        pairs = [seen[0] + seen[1]] if self._is_of_two_targets else seen
        for pair in pairs:
            self._compare(*pair)

    @property
    def _is_of_two_targets(self) -> bool:
        return self.intent.compares == "none" and bool(self.intent.comparisons)

    def _show(self, operand: Operand) -> None:
        self.builder.save(operand.mask)
        for quantity in self.intent.quantities:
            if quantity in (*MEASURES, *TRAIT_QUANTITIES):
                for value in operand.value(quantity):
                    self.builder.do("read", value)

    def _compare(self, *operands: Operand) -> None:
        for quantity in self.intent.comparisons:
            one, other = operands
            for value in compared(quantity, self.intent.measures, one, other):
                self.builder.do("read", value)

    def _compare_visits(self) -> None:
        look = self._look(visit_at("first"))
        targets = self.intent.targets if self._needs_earlier else ()
        earlier = {name: Operand(*look.select(name), look) for name in targets}
        if self.intent.visits == "all":
            with self.builder.loop() as visit:
                self._compare_with(look, earlier, visit)
        else:
            for operand in earlier.values():
                self._show(operand)
            self._compare_with(look, earlier, visit_at("last"))

    def _compare_with(
        self, before: Look, earlier: Mapping[str, Operand], visit: Expression
    ) -> None:
        look = replace(self._look(visit), before=before.images[0])
        for target in self.intent.targets:
            operand = Operand(*look.select(target), look)
            self._show(operand)
            if target in earlier:
                self._compare(earlier[target], operand)
            if "new-lesions" in self.intent.quantities:
                self._count_new(operand, before.images[0])

    @property
    def _needs_earlier(self) -> bool:
        only_new = self.intent.quantities == ("new-lesions",)
        return not only_new and not of_kind(self.intent, "fate")

    def _count_new(self, after: Operand, before: Name) -> None:
        found = after.mask if after.several else call("instances", after.mask)
        if "new" not in self.intent.filters:
            since = Comparison("==", call("fate", Name("it"), before), Text("new"))
            found = call("where", found, since)
        self.builder.do("read", call("count", found))


def visit_at(end: str) -> Call:
    """The `first` or the `last` of all visits."""
    return call(end, call("visits"))


def operands_of(look: Look, target: str) -> list[Operand]:
    """The masks of a target that stand side by side."""
    if look.intent.compares == "images":
        looks = [replace(look, images=(image,)) for image in look.images]
        return [Operand(*each.select(target), each) for each in looks]
    if look.intent.compares != "sides":
        return [Operand(*look.select(target), look)]
    if has_sides(target):
        names = (f"left-{target}", f"right-{target}")
        return [Operand(*look.select(name), look) for name in names]
    mask, several = look.select(target)
    halves = (look.builder.let(call("side", mask, side)) for side in ("left", "right"))
    return [Operand(half, several, look) for half in halves]


def compared(
    quantity: str, measures: Sequence[str], one: Operand, other: Operand
) -> Iterator[Call]:
    """A quantity of two masks: by every measure, or by volume if none is asked for."""
    function = FUNCTION_OF[quantity]
    for measure in measures or ("volume",):
        if quantity == "asymmetry" and measure == "volume":
            yield call(function, one.mask, other.mask)
            continue
        visits = [one.look.visit, other.look.visit]
        for pair in zip(one.value(measure), other.value(measure), strict=True):
            yield call(function, *pair, *(visits if "annual" in quantity else ()))


def _length(statements: tuple[Statement, ...]) -> int:
    inside = sum(_length(block) for s in statements for block in blocks_of(s))
    return len(statements) + inside
