"""Whether the parts of an intent go together, so that one program stands for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.filters import Filter, kind_of
from medprompt_cli.planning.intent import CHANGES, Intent
from medprompt_cli.planning.vocabulary import find

BETWEEN = ("difference", "ratio")
"""Comparisons of any two."""

_PAIR = 2


def has_sides(target: str) -> bool:
    """Whether a bare name is a left and a right one: `hippocampus`, not `tumor`."""
    found = find(target)
    return bool(found and found[1] is None and found[0].has_sides)


def side_of(target: str) -> str | None:
    """The side that a canonical name carries, if any."""
    found = find(target)
    return found[1] if found else None


def can_be_halved(target: str) -> bool:
    """Whether left and right of a target can be set against each other."""
    return has_sides(target) or (
        side_of(target) is None and kind_of(target) in {"group", "lesion"}
    )


def of_kind(intent: Intent, *kinds: str) -> tuple[Filter, ...]:
    """The filters of some kinds."""
    return tuple(f for f in intent.conditions if f.kind in kinds)


def check_coherent(intent: Intent) -> None:
    """Make sure that the parts of an intent go together.

    Raises:
        UsageError: If they do not; the first reason is given.
    """
    for why, remedy in _conflicts(intent):
        raise UsageError(f"What is asked for does not go together: {why}.", remedy=remedy)


def is_coherent(intent: Intent) -> bool:
    """Whether `compose` has a program for an intent."""
    return next(_conflicts(intent), None) is None


def tidy(intent: Intent) -> Intent:
    """The same request in the words that go together.

    `left` said of a region that has sides is part of its name; new ones that are counted
    are `new-lesions`; a difference between visits is a change.

    >>> tidy(Intent(("hippocampus",), filters=("side:left",))).targets
    ('left-hippocampus',)
    """
    quantities, filters = set(intent.quantities), set(intent.filters)
    targets = intent.targets
    if {"count"} <= quantities and "new" in filters:
        quantities = quantities - {"count"} | {"new-lesions"}
    if intent.compares == "visits" and "difference" in quantities:
        quantities = quantities - {"difference"} | {"change"}
    for said in of_kind(intent, "side"):
        targets = tuple(f"{said.value}-{n}" if has_sides(n) else n for n in targets)
        if all(side_of(name) == said.value for name in targets):
            filters -= {str(said)}
    return replace(
        intent, targets=targets, quantities=tuple(quantities), filters=tuple(filters)
    )


def _conflicts(intent: Intent) -> Iterator[tuple[str, str]]:
    yield from _of_quantities(intent)
    yield from _of_comparison(intent)
    yield from _of_visits(intent)
    yield from _of_filters(intent)
    yield from _of_halves(intent)
    yield from _of_sides(intent)


def _of_quantities(intent: Intent) -> Iterator[tuple[str, str]]:
    said = set(intent.quantities)
    if "asymmetry" in said and intent.compares != "sides":
        yield "asymmetry is of two sides", "Compare sides."
    for name in (*CHANGES, "new-lesions"):
        if name in said and intent.compares != "visits":
            yield f"{name} is of two visits", "Compare visits."
    if "difference" in said and intent.compares == "visits":
        yield "a difference between visits is a change", "Ask for the change."
    if "density" in said and intent.images and "ct" not in intent.images:
        yield f"density is of CT, not of {intent.images[0]}", "Ask for it on ct."
    if {"new-lesions"} & said and any(kind_of(name) != "lesion" for name in intent.targets):
        yield "new-lesions are lesions", "Name lesions only."
    if "count" in said and "new" in intent.filters:
        yield "new ones that are counted are new-lesions", "Ask for new-lesions."


def _of_comparison(intent: Intent) -> Iterator[tuple[str, str]]:
    said = set(intent.quantities)
    between = [name for name in BETWEEN if name in said]
    if intent.compares == "none" and between and len(intent.targets) != _PAIR:
        yield f"{between[0]} is of two", "Name two targets, or compare sides or images."
    if intent.compares == "images" and not between:
        yield "images are compared by nothing", "Ask for the difference or the ratio."
    if intent.compares == "images" and len(intent.images) != _PAIR:
        yield "images are compared in pairs", "Name two images."
    if intent.compares == "images" and "density" in said:
        yield "density is of CT alone", "Compare something else."
    if intent.compares == "sides" and not said & {"asymmetry", *BETWEEN}:
        yield "sides are compared by nothing", "Ask for asymmetry, difference or ratio."


def _of_visits(intent: Intent) -> Iterator[tuple[str, str]]:
    fates = of_kind(intent, "fate")
    if fates and intent.compares != "visits":
        yield f"{fates[0]} is of two visits", "Compare visits."
    if intent.compares != "visits":
        return
    if intent.visits not in {"all", "first-last"}:
        yield "visits are compared but one is looked at", "Choose all or first-last."
    compared = {*CHANGES, "ratio"} & set(intent.quantities)
    if not compared and not fates and "new-lesions" not in intent.quantities:
        yield "visits are compared by nothing", "Ask for the change."
    if "new-lesions" in intent.quantities and set(fates) - {Filter("fate", "new")}:
        yield "new-lesions are new", "Leave the other fates out."
    if fates and compared:
        yield (
            f"{min(compared)} needs both visits and {fates[0]} is of one",
            "Ask for one of them.",
        )


def _of_filters(intent: Intent) -> Iterator[tuple[str, str]]:
    ranks, fates = of_kind(intent, "rank"), of_kind(intent, "fate")
    if len(ranks) > 1:
        yield f"{ranks[0]} and {ranks[1]} are two answers", "Choose one."
    if Filter("rank", "nearest") in ranks and not of_kind(intent, "region"):
        yield "rank:nearest does not say to what", "Add a region."
    if fates and any(kind_of(name) != "lesion" for name in intent.targets):
        yield f"{fates[0]} is of lesions", "Name lesions only."
    for excluded in of_kind(intent, "exclude"):
        if excluded.value in intent.targets:
            yield f"{excluded} is what is asked for", "Leave one of them out."
    for condition in of_kind(intent, "where"):
        yield f"{condition} has no words of its own", "Write the program by hand."


def _of_halves(intent: Intent) -> Iterator[tuple[str, str]]:
    for name in intent.targets:
        if intent.compares == "sides" and not can_be_halved(name):
            yield f"{name} is not divided into left and right", "Name what has two sides."


def _of_sides(intent: Intent) -> Iterator[tuple[str, str]]:
    for said in of_kind(intent, "side"):
        if intent.compares == "sides":
            yield f"{said} leaves one side", "Compare both sides, or look at one."
        for name in intent.targets:
            if has_sides(name):
                yield f"{said} is part of the name", f"Name '{said.value}-{name}'."
            elif side_of(name) not in {None, said.value}:
                yield f"{name} is not on the {said.value}", "Choose one side."
        if all(side_of(name) for name in intent.targets):
            yield f"{said} is part of every name", "Leave the filter out."
