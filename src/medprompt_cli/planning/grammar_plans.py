"""Which expressions give what is wanted and fit into the room that is left.

Nothing here hangs on a prompt or on names, so each question is answered once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from medprompt_cli.planning.functions import FUNCTIONS, WORDS, Function, Type
from medprompt_cli.planning.grammar_costs import (
    MEASURED,
    NEVER,
    PLAIN_NAMES,
    Cost,
    Sort,
    call_cost,
    gives_as_given,
    is_pair,
    least,
    one_more,
    parameter_cost,
    partner,
    sorts_given,
    sorts_of,
)
from medprompt_cli.planning.grammar_symbols import ARITHMETIC, COMPARISON, ID, OPEN
from medprompt_cli.planning.units import Dimension, combined, common

AMPLE_TOKENS, AMPLE_DEPTH = 48, 8
"""With more than that, everything fits."""

ORDERING = ("<", "<=", ">", ">=")
"""Comparisons of numbers only."""

COMPARED_TEXTS: tuple[Sort, ...] = tuple(WORDS)


@dataclass(frozen=True, slots=True)
class Space:
    """Room, as far as it matters.

    Attributes:
        tokens: How many may be used.
        depth: Expressions that may stand inside each other.
        about_it: Whether what is made has to speak of `it`.
        in_condition: Whether it stands in the condition of `where`.
    """

    tokens: int
    depth: int
    about_it: bool
    in_condition: bool

    def holds(self, cost: Cost) -> bool:
        """Whether something fits."""
        return cost[0] <= self.tokens and cost[1] <= self.depth


@dataclass(frozen=True, slots=True)
class Option:
    """One way to begin an expression.

    Attributes:
        token: What it begins with.
        symbol: Name of a function, an operator, or the bracket of a list.
        first: Sorts of the first part; None for those of the parameter.
        kept: Tokens to keep for the second of two alike parts.
    """

    token: int
    symbol: str
    first: frozenset[Sort] | None = None
    kept: float = 0.0


def options_for(sorts: frozenset[Sort], space: Space) -> tuple[Option, ...]:
    """Every way to make something of one of `sorts`."""
    tokens, depth = min(space.tokens, AMPLE_TOKENS), min(space.depth, AMPLE_DEPTH)
    return _options(sorts, Space(tokens, depth, space.about_it, space.in_condition))


@lru_cache(maxsize=4096)
def _options(sorts: frozenset[Sort], space: Space) -> tuple[Option, ...]:
    return (
        *_lists(sorts, space),
        *_calls(sorts, space),
        *_sums(sorts, space),
        *_comparisons(sorts, space),
    )


def _lists(sorts: frozenset[Sort], space: Space) -> Iterator[Option]:
    if Type.IMAGES in sorts and space.holds(one_more([least()[Type.IMAGE], (1, 0)])):
        yield Option(ID[OPEN], OPEN)


def _calls(sorts: frozenset[Sort], space: Space) -> Iterator[Option]:
    for function in FUNCTIONS.values():
        if not _gives(function, sorts, space):
            continue
        first, kept = _first_sorts(function, sorts, space)
        if first is None or first:
            yield Option(ID[function.name], function.name, first, kept)


def _gives(function: Function, sorts: frozenset[Sort], space: Space) -> bool:
    """Whether a function gives what is wanted, room aside."""
    if function.name not in PLAIN_NAMES and space.in_condition:
        return False
    if space.about_it and any(p.name == "later" for p in function.parameters):
        return False
    if gives_as_given(function):
        return bool(sorts.intersection(MEASURED))
    return bool(sorts.intersection(sorts_given(function)))


def _first_sorts(
    function: Function, sorts: frozenset[Sort], space: Space
) -> tuple[frozenset[Sort] | None, float]:
    """Sorts for the first argument, and tokens to keep for one alike.

    None if they are those of the parameter; empty if there is no room for the call.
    """
    costs = least(about_it=space.about_it)
    if is_pair(function):
        firsts = set(sorts_of(function.parameters[0]))
        if gives_as_given(function):
            firsts &= sorts
        partners = {sort: least().get(partner(sort), NEVER) for sort in firsts}
        rest = [parameter_cost(p, least()) for p in function.parameters[2:]]
        return affordable(partners, rest, space)
    if function.result and function.result.type is None:
        rest = [parameter_cost(p, least()) for p in function.parameters[1:]]
        given = sorts.intersection(sorts_given(function)) & set(costs)
        return frozenset(s for s in given if space.holds(one_more([costs[s], *rest]))), 0.0
    cost = call_cost(function, costs, least(), about_it=space.about_it)
    return (None if space.holds(cost) else frozenset()), 0.0


def affordable(
    partners: Mapping[Sort, Cost], rest: Iterable[Cost], space: Space
) -> tuple[frozenset[Sort], float]:
    """Of sorts that each need a partner, those that fit, and the tokens to keep for it.

    Args:
        partners: What each sort's partner costs at least.
        rest: What else has to fit.
        space: Room for all of it and the token before it.
    """
    firsts = least(about_it=space.about_it)
    used, depth = one_more(rest)
    if depth > space.depth:
        return frozenset(), 0.0
    inner = space.depth - 1
    ranked = sorted(
        (partners[sort][0], firsts[sort][0], str(sort), sort)
        for sort in partners
        if sort in firsts and max(partners[sort][1], firsts[sort][1]) <= inner
    )
    chosen: frozenset[Sort] = frozenset()
    kept, cheapest = 0.0, math.inf
    for n, (second, first, _, _) in enumerate(ranked, 1):
        cheapest = min(cheapest, first)
        if cheapest + second + used <= space.tokens:
            chosen = frozenset(sort for *_, sort in ranked[:n])
            kept = second
    return chosen, kept


def _sums(sorts: frozenset[Sort], space: Space) -> Iterator[Option]:
    wanted = sorts.intersection(MEASURED)
    for operator in ARITHMETIC if wanted else ():
        first, kept = affordable(_partners_in(operator, wanted), (), space)
        if first:
            yield Option(ID[operator], operator, first, kept)


def _comparisons(sorts: frozenset[Sort], space: Space) -> Iterator[Option]:
    if Type.TRUTH not in sorts:
        return
    numbers: dict[Sort, Cost] = {sort: least()[sort] for sort in MEASURED}
    texts: dict[Sort, Cost] = {sort: least()[sort] for sort in COMPARED_TEXTS}
    for operator in COMPARISON:
        partners = numbers if operator in ORDERING else {**numbers, **texts}
        first, kept = affordable(partners, (), space)
        if first:
            yield Option(ID[operator], operator, first, kept)


@cache
def _partners_in(operator: str, wanted: frozenset[Sort]) -> dict[Sort, Cost]:
    """For each dimension that may stand on the left, the cheapest that fits on the right."""
    found: dict[Sort, Cost] = {}
    for left in Dimension:
        right = [least()[sort] for sort in right_sorts(operator, left, wanted)]
        if right:
            found[left] = min(right)
    return found


def right_sorts(operator: str, left: Sort, wanted: frozenset[Sort]) -> frozenset[Sort]:
    """Dimensions that give a wanted one beside `left`."""
    return frozenset(
        right
        for right in Dimension
        if isinstance(left, Dimension) and combined(operator, left, right) in wanted
    )


def compared_with(left: Sort) -> frozenset[Sort]:
    """What a number or a text may be compared with."""
    if isinstance(left, Dimension):
        return frozenset(right for right in Dimension if common(left, right))
    return frozenset({left})
