"""What the expressions of a program mean, with what is known of its names."""

from __future__ import annotations

from medprompt_cli.planning.compose import FUNCTION_OF
from medprompt_cli.planning.filters import Filter
from medprompt_cli.planning.functions import FUNCTIONS
from medprompt_cli.planning.intent import COMPARISONS
from medprompt_cli.planning.meaning import (
    Meaning,
    Measured,
    Part,
    Region,
    Related,
    Sight,
    Written,
    condition_filter,
    images_of,
    joined,
    narrowed,
    on_side,
    parts_of,
    place_filters,
    words_of,
)
from medprompt_cli.planning.printer import print_expression
from medprompt_cli.planning.tree import (
    Arithmetic,
    Call,
    Comparison,
    Expression,
    ImageList,
    Name,
    Number,
    Text,
)
from medprompt_cli.planning.values import OWN

QUANTITY_OF: dict[str, str] = {
    **{function: quantity for quantity, function in FUNCTION_OF.items()},
    "std": "mean-intensity",
    "percentile": "mean-intensity",
    "presence": "presence",
    "fate": "change",
}
"""The quantity that a function's value is; those left out have no word of their own."""

_ARITHMETIC = {"-": "difference", "/": "ratio"}


class Reader:
    """Finds out what expressions mean; collects the images and visits they look at.

    Attributes:
        known: What every name means.
        images: Suffixes, in the order they are first asked for.
        visits: Words of `values.py`.
    """

    def __init__(self) -> None:
        self.known: dict[str, Meaning] = {}
        self.images: dict[str, None] = {}
        self.visits: set[str] = set()

    def meaning(self, expression: Expression) -> Meaning:
        """What an expression means."""
        if isinstance(expression, Name):
            return self.known[expression.name]
        if isinstance(expression, (Number, Text)):
            return Written(expression)
        if isinstance(expression, ImageList):
            return joined(self.meaning(image) for image in expression.images)
        if isinstance(expression, Call):
            return self._call(expression)
        return self._of_two(expression)

    def _of_two(self, expression: Arithmetic | Comparison) -> Meaning:
        one, other = self.meaning(expression.left), self.meaning(expression.right)
        if isinstance(one, Written) or isinstance(other, Written):
            return other if isinstance(one, Written) else one
        alike = isinstance(one, Measured) and isinstance(other, Measured)
        quantity = _ARITHMETIC.get(expression.operator, "") if alike else ""
        return Related(quantity, one, other)

    def _call(self, call: Call) -> Meaning:
        group, given = FUNCTIONS[call.function].group, self._arguments(call)
        if group == "choose":
            return self._choice(call, given)
        if group == "see":
            return _segmented(given["images"], call.arguments[1])
        if group in {"combine", "instances"}:
            return self._combined(call, list(given.values()))
        return _measured(call.function, given)

    def _arguments(self, call: Call) -> dict[str, Meaning]:
        given: dict[str, Meaning] = {}
        parameters = FUNCTIONS[call.function].parameters
        for parameter, argument in zip(parameters, call.arguments, strict=True):
            if parameter.about_it:
                self.known["it"] = given["instances"]
            if argument is not None:
                given[parameter.name] = self.meaning(argument)
        return given

    def _choice(self, call: Call, given: dict[str, Meaning]) -> Meaning:
        if call.function != "image":
            return Written(call.function)
        suffix, visit = call.arguments[0], given.get("visit", Written(OWN))
        name = suffix.value if isinstance(suffix, Text) else ""
        if name:
            self.images[name] = None
        words = words_of(visit)
        self.visits |= words
        return Sight(frozenset({name}), frozenset(words))

    def _combined(self, call: Call, given: list[Meaning]) -> Region:
        parts, second = parts_of(given[0]), call.arguments[-1]
        others = parts_of(given[1]) if len(given) > 1 else frozenset()
        if call.function == "union":
            return Region(parts | others)
        if call.function == "side" and isinstance(second, Text):
            return on_side(parts, second.value)
        return narrowed(parts, *self._filters(call.function, second, others))

    def _filters(
        self, function: str, second: Expression | None, others: frozenset[Part]
    ) -> list[Filter]:
        """What a function narrows its mask by."""
        if function == "subtract":
            return [Filter("exclude", part.target) for part in others]
        if function in {"within", "intersect"}:
            return place_filters(others)
        if function in {"largest", "smallest", "nearest"}:
            return [Filter("rank", function), *place_filters(others)]
        if second and function == "where":
            return [condition_filter(second, self.known)]
        if second and function == "rim":
            return [Filter("where", f"rim({print_expression(second)})")]
        return []


def _segmented(seen: Meaning, target: Expression | None) -> Region:
    name = target.value if isinstance(target, Text) else ""
    visits = seen.visits if isinstance(seen, Sight) else ()
    return Region(frozenset(Part(name, frozenset(), images_of(seen), v) for v in visits))


def _measured(function: str, given: dict[str, Meaning]) -> Meaning:
    quantity, values = QUANTITY_OF.get(function, ""), list(given.values())
    if quantity in COMPARISONS and function != "fate":
        return Related(quantity, _by_volume(values[0]), _by_volume(values[1]))
    parts = frozenset(part for value in values for part in parts_of(value))
    seen = given.get("image", Region(parts))
    return Measured(quantity, parts, images_of(seen))


def _by_volume(value: Meaning) -> Meaning:
    """Two masks that are compared are compared by volume."""
    if isinstance(value, Region):
        return Measured("volume", value.parts, images_of(value))
    return value
