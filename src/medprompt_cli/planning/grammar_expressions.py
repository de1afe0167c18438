"""Expressions of the plan language, made token by token so that each has a meaning.

One derivation serves both ways: it is sent tokens and builds a tree, or it is given a tree
and says which tokens make it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from medprompt_cli.planning.functions import FUNCTIONS, WORDS, Type
from medprompt_cli.planning.grammar_calls import Caller
from medprompt_cli.planning.grammar_costs import least, one_more
from medprompt_cli.planning.grammar_literals import (
    dimension_of,
    number_options,
    number_token,
    region_options,
    region_tokens,
    word_options,
)
from medprompt_cli.planning.grammar_plans import (
    Option,
    Space,
    compared_with,
    options_for,
    right_sorts,
)
from medprompt_cli.planning.grammar_symbols import (
    ARITHMETIC,
    CLOSE,
    ID,
    IT,
    MORE,
    OPEN,
    WRITTEN_WORDS,
    text_symbol,
    variable_symbol,
)
from medprompt_cli.planning.grammar_wants import Found, Room, Situation, Steps, Want, sort_of
from medprompt_cli.planning.parser import MAX_IMAGES
from medprompt_cli.planning.tree import (
    Arithmetic,
    ArithmeticOperator,
    Call,
    Comparison,
    ComparisonOperator,
    Expression,
    ImageList,
    Name,
    Number,
    Text,
)
from medprompt_cli.planning.units import combined
from medprompt_cli.planning.values import FIRST, LAST, Value, one_visit

Make = Callable[[Expression | None], Steps[Found]]
"""What goes on after a token, given the tree that is being encoded, if any."""

PLACE_WORDS = ("lobe", "territory")
"""Texts that are written out as regions of the prompt."""

A_CLOSE = 1
"""Tokens that end a list."""


class Expressions:
    """Derives expressions.

    Args:
        here: Where the derivation is.
    """

    def __init__(self, here: Situation) -> None:
        self.here = here

    def derive(self, want: Want, room: Room, given: Expression | None = None) -> Steps[Found]:
        """One expression that `want` takes and that fits into `room`."""
        options = self.options(want, room)
        wanted = self.token_of(given, want) if given is not None else None
        token = yield from self.here.ask(options, wanted)
        return (yield from options[token](given))

    def options(self, want: Want, room: Room) -> dict[int, Make]:
        """Every token that may begin such an expression, and what follows it."""
        if room.end - self.here.used < 1 or room.depth < 1:
            return {}
        return {**self.names(want), **self.literals(want), **self.made(want, room)}

    def made(self, want: Want, room: Room) -> dict[int, Make]:
        """Every token that may begin an expression made of others, and what follows it."""
        tokens = room.end - self.here.used
        space = Space(tokens, room.depth, want.about_it, self.here.it is not None)
        return {
            option.token: self.making(option, want, room)
            for option in options_for(want.sorts, space)
            if option.symbol not in {FIRST, LAST} or want.allows(option.symbol)
        }

    def making(self, option: Option, want: Want, room: Room) -> Make:
        """What follows the token of an option."""
        if option.symbol == OPEN:
            return lambda given: self.image_list(want, room, given)
        if option.symbol in FUNCTIONS:
            return Caller(self, option, want, room).derive
        return lambda given: self.two(option, want, room, given)

    def token_of(self, given: Expression, want: Want) -> int:
        """The token that a given expression begins with."""
        if isinstance(given, Number):
            return number_token(number_options(want, self.here.places), given)
        if isinstance(given, Text) and given.value not in WRITTEN_WORDS:
            names = region_names(want)
            return region_tokens(region_options(names, self.here.places), given)[0]
        return ID[self.symbol_of(given)]

    def symbol_of(self, given: Expression) -> str:
        """The symbol that an expression begins with, if no place does."""
        match given:
            case Name(name):
                return IT if name == IT else variable_symbol(self.here.index_of(name))
            case Text(text):
                return text_symbol(text)
            case Call(name) | Arithmetic(name) | Comparison(name):
                return name
        return OPEN

    def names(self, want: Want) -> dict[int, Make]:
        """Names that have a fitting value."""
        found: dict[int, Make] = {}
        it = self.here.it
        if it is not None and Type.MASK in want.sorts and want.allows(it.visit):
            found[ID[IT]] = lambda _: done(Name("it"), it)
        for name, value in self.here.scope.items():
            if want.takes(value):
                token = ID[variable_symbol(self.here.index_of(name))]
                found[token] = lambda _, name=name, value=value: done(Name(name), value)
        return found

    def literals(self, want: Want) -> dict[int, Make]:
        """Numbers and texts that may be written out."""
        found: dict[int, Make] = {}
        for token, number in number_options(want, self.here.places).items():
            value = Value(Type.NUMBER, dimension_of(number.unit))
            found[token] = lambda _, n=number, v=value: done(n, v)
        for token, text in word_options(want).items():
            found[token] = lambda _, t=text: done(t, Value(Type.TEXT))
        for reading, places in region_options(region_names(want), self.here.places).items():
            found[reading] = lambda given, p=places: self.region(p, given)
        return found

    def region(self, places: dict[int, str], given: Expression | None) -> Steps[Found]:
        """The place of a lobe or a territory, once it is known how it is read."""
        wanted = None
        if isinstance(given, Text):
            wanted = next((p for p, name in places.items() if name == given.value), -1)
        place = yield from self.here.ask(places, wanted)
        return Text(places[place]), Value(Type.TEXT)

    def image_list(self, want: Want, room: Room, given: Expression | None) -> Steps[Found]:
        """Images up to the closing bracket."""
        listed = given.images if isinstance(given, ImageList) else ()
        images: list[Expression] = []
        values: list[Value] = []
        visit, going = want.visit, True
        while going:
            inner = Want(frozenset({Type.IMAGE}), visit, want.unlike)
            here = listed[len(images)] if given is not None else None
            image, value = yield from self.derive(inner, room.inner().less(A_CLOSE), here)
            images.append(image)
            values.append(value)
            visit = visit or value.visit
            going = yield from self.more_images(len(images), room, len(listed) or None)
        suffixes = tuple(dict.fromkeys(s for value in values for s in value.images))
        whole = Value(Type.IMAGES, visit=one_visit(values), images=suffixes)
        return ImageList(tuple(images)), whole

    def more_images(self, count: int, room: Room, wanted: int | None) -> Steps[bool]:
        """Whether another image follows."""
        allowed: dict[int, object] = {ID[CLOSE]: None}
        another = one_more([least()[Type.IMAGE], (A_CLOSE, 0)])[0]
        if count < MAX_IMAGES and another <= room.end - self.here.used:
            allowed[ID[MORE]] = None
        token = None if wanted is None else ID[MORE if count < wanted else CLOSE]
        return (yield from self.here.ask(allowed, token)) == ID[MORE]

    def two(
        self, option: Option, want: Want, room: Room, given: Expression | None
    ) -> Steps[Found]:
        """The two sides of a sum or a comparison."""
        operator = option.symbol
        pair = isinstance(given, Arithmetic | Comparison)
        sums = operator in ARITHMETIC
        visit, unlike = (want.visit, want.unlike) if sums else (None, frozenset())
        first = Want(option.first or frozenset(), visit, unlike, about_it=want.about_it)
        left, one = yield from self.derive(
            first, room.inner().less(option.kept), given.left if pair else None
        )
        if sums:
            sorts = right_sorts(operator, sort_of(one), want.sorts)
        else:
            sorts = compared_with(sort_of(one))
        second = Want(sorts, visit, unlike, written=not sums)
        right, other = yield from self.derive(
            second, room.inner(), given.right if pair else None
        )
        return joined(operator, (left, one), (right, other))


def joined(operator: str, left: Found, right: Found) -> Found:
    """A sum or a comparison of two expressions."""
    (one, first), (other, second) = left, right
    visit = one_visit((first, second))
    for sign in get_args(ArithmeticOperator):
        if operator == sign and first.dimension and second.dimension:
            dimension = combined(sign, first.dimension, second.dimension)
            return Arithmetic(sign, one, other), Value(Type.NUMBER, dimension, visit=visit)
    for sign in get_args(ComparisonOperator):
        if operator == sign:
            return Comparison(sign, one, other), Value(Type.TRUTH, visit=visit)
    raise ValueError(operator)


def done(expression: Expression, value: Value) -> Steps[Found]:
    """An expression that needs no more tokens."""
    return expression, value
    yield


def region_names(want: Want) -> frozenset[str]:
    """Names of lobes or territories that a text may be compared with."""
    if not want.written:
        return frozenset()
    return frozenset(
        name for words in PLACE_WORDS if words in want.sorts for name in WORDS[words]
    )
