"""The least that each sort of expression needs, so that no derivation runs out of room."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from medprompt_cli.planning.functions import FUNCTIONS, WORDS, Function, Parameter, Type
from medprompt_cli.planning.units import UNITS, Dimension
from medprompt_cli.planning.values import REGIONS

Cost = tuple[float, float]
"""Tokens, and expressions inside each other."""

Sort = Type | Dimension | str
"""A type; of a number its dimension, of a text the key of its words or `free`."""

NEVER: Cost = (math.inf, math.inf)
FREE = "free"
MEASURED: tuple[Dimension, ...] = tuple(d for d in Dimension if d != Dimension.BARE)
TEXTS: tuple[str, ...] = (*WORDS, FREE)

PLAIN: tuple[Function, ...] = tuple(
    function
    for function in FUNCTIONS.values()
    if not any(parameter.about_it for parameter in function.parameters)
)
"""All but `where`: it makes nothing cheaper."""

PLAIN_NAMES = frozenset(function.name for function in PLAIN)


def is_open(parameter: Parameter) -> bool:
    """Whether a parameter takes numbers of any dimension."""
    return Type.NUMBER in parameter.types and not parameter.dimensions


def is_pair(function: Function) -> bool:
    """Whether the first two things a function is given have to be of one sort."""
    return len(function.parameters) > 1 and all(map(is_open, function.parameters[:2]))


def gives_as_given(function: Function) -> bool:
    """Whether a function's number is of the dimension of what it is given."""
    result = function.result
    return result is not None and result.type == Type.NUMBER and result.dimension is None


def sorts_of(parameter: Parameter) -> Iterator[Sort]:
    """What a parameter takes that is not written out."""
    for type_ in parameter.types:
        if type_ == Type.NUMBER:
            yield from parameter.dimensions or MEASURED
        elif type_ == Type.TEXT:
            yield from TEXTS
        else:
            yield type_
            if type_ == Type.MASK and Type.INSTANCES not in parameter.types:
                yield Type.INSTANCES


def sorts_given(function: Function) -> Iterator[Sort]:
    """What a function gives, where that does not hang on what it is given."""
    result = function.result
    if result is None or gives_as_given(function):
        return
    if result.type is None:
        yield from (type_ for type_ in function.parameters[0].types if type_ in REGIONS)
    elif result.type == Type.NUMBER and result.dimension:
        yield result.dimension
    elif result.type == Type.TEXT:
        yield result.words or FREE
    else:
        yield result.type


def carrier(function: Function) -> int | None:
    """Which parameter a condition speaks of `it` in: a region, or else a number."""
    for wanted in (REGIONS, {Type.NUMBER}):
        for at, parameter in enumerate(function.parameters):
            if wanted & set(parameter.types) and parameter.default is None:
                return at
    return None


@cache
def least(*, about_it: bool = False) -> Mapping[Sort, Cost]:
    """The cheapest expression of every sort, names of values aside.

    Args:
        about_it: Whether it has to speak of `it`.
    """
    costs: dict[Sort, Cost] = {}
    if about_it:
        costs[Type.MASK] = (1, 1)
    else:
        costs |= {unit.dimension: (1, 1) for unit in UNITS.values()}
        costs[Dimension.BARE] = (1, 1)
    changed = True
    while changed:
        changed = False
        for function in PLAIN:
            others = least() if about_it else costs
            cost = call_cost(function, costs, others, about_it=about_it)
            for sort in sorts_given(function):
                if cost < costs.get(sort, NEVER):
                    costs[sort], changed = cost, True
    return costs


def call_cost(
    function: Function,
    costs: Mapping[Sort, Cost],
    others: Mapping[Sort, Cost],
    *,
    about_it: bool,
) -> Cost:
    """The cheapest call of a function.

    Args:
        function: Not one whose number is of the dimension it is given.
        costs: Of what has to speak of `it`, if anything has to.
        others: Of everything else.
        about_it: Whether the call has to speak of `it`.
    """
    speaks = carrier(function) if about_it else None
    if about_it and (speaks is None or function.name not in PLAIN_NAMES):
        return NEVER
    parts = [
        parameter_cost(parameter, costs if at == speaks else others)
        for at, parameter in enumerate(function.parameters)
    ]
    if is_pair(function):
        sorts = sorts_of(function.parameters[0])
        first = costs if speaks == 0 else others
        parts[:2] = [min((pair_cost(sort, first, others) for sort in sorts), default=NEVER)]
    return one_more(parts)


def one_more(parts: Iterable[Cost]) -> Cost:
    """The cost of a token with `parts` inside."""
    parts = tuple(parts)
    return 1 + sum(tokens for tokens, _ in parts), 1 + max((d for _, d in parts), default=0)


def pair_cost(sort: Sort, first: Mapping[Sort, Cost], second: Mapping[Sort, Cost]) -> Cost:
    """The cost of two expressions of one sort."""
    one, other = first.get(sort, NEVER), second.get(partner(sort), NEVER)
    return one[0] + other[0], max(one[1], other[1])


def partner(sort: Sort) -> Sort:
    """What may stand beside a sort where two have to be of one."""
    return Type.MASK if sort == Type.INSTANCES else sort


def parameter_cost(parameter: Parameter, costs: Mapping[Sort, Cost]) -> Cost:
    """The cheapest thing that a parameter takes, in a visit that is given."""
    if parameter.literal:
        return (2, 0)
    if parameter.about_it:
        return least(about_it=True)[Type.TRUTH]
    if parameter.default is not None and Type.VISIT not in parameter.types:
        return (1, 0)
    return min((costs.get(sort, NEVER) for sort in sorts_of(parameter)), default=NEVER)
