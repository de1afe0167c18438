"""What a program writes out: regions and numbers of the prompt, and words of the language."""

from __future__ import annotations

import math
from collections.abc import Collection

from medprompt_cli.planning.functions import LITERALS, WORDS, TextKind
from medprompt_cli.planning.grammar_symbols import (
    CONSTANTS,
    ID,
    IMPLIED,
    LESION,
    READINGS,
    SKIP,
    SYMBOLS,
    WRITTEN_WORDS,
    Places,
    constant_symbol,
    read_as,
    text_symbol,
    unit_symbol,
)
from medprompt_cli.planning.grammar_wants import NotDerivableError, Situation, Steps, Want
from medprompt_cli.planning.tree import Expression, Number, Text
from medprompt_cli.planning.units import UNITS, Dimension

TARGETS = frozenset(LITERALS[TextKind.TARGET])


def number_options(want: Want, places: Places) -> dict[int, Number]:
    """Numbers that may stand somewhere, by their token."""
    if want.about_it:
        return {}
    found = {
        place: Number(value, unit)
        for place, (value, unit) in places.numbers.items()
        if dimension_of(unit) in want.sorts
    }
    if Dimension.BARE in want.sorts:
        found |= {ID[constant_symbol(value)]: Number(value) for value in CONSTANTS}
    for unit in UNITS.values():
        if unit.dimension in want.sorts:
            found[ID[unit_symbol(unit.name)]] = Number(1.0, unit.name)
    return found


def dimension_of(unit: str | None) -> Dimension:
    """What a number in this unit is a number of."""
    return UNITS[unit].dimension if unit else Dimension.BARE


def word_options(want: Want) -> dict[int, Text]:
    """Texts with a symbol of their own that may stand somewhere, by their token."""
    if not want.written:
        return {}
    return {
        ID[text_symbol(text)]: Text(text)
        for words in ("signal", "fate")
        if words in want.sorts
        for text in WORDS[words]
    }


def region_options(names: Collection[str], places: Places) -> dict[int, dict[int, str]]:
    """For each way to read a region, the places where that gives one of `names`."""
    found: dict[int, dict[int, str]] = {}
    for reading in READINGS:
        fitting = {
            place: name
            for place, said in places.regions.items()
            if (name := read_as(said, reading)) in names and name
        }
        if fitting:
            found[ID[reading]] = fitting
    return found


def derive_region(
    here: Situation, names: Collection[str], given: Expression | None
) -> Steps[Text]:
    """A canonical name that the prompt says, or a lesion if it need not be said."""
    options = region_options(names, here.places)
    allowed: dict[int, object] = dict(options)
    if LESION in names:
        allowed[ID[IMPLIED]] = None
    reading, place = region_tokens(options, given) if given is not None else (None, None)
    token = yield from here.ask(allowed, reading)
    if token == ID[IMPLIED]:
        return Text(LESION)
    chosen = yield from here.ask(options[token], place)
    return Text(options[token][chosen])


def region_tokens(
    options: dict[int, dict[int, str]], given: Expression
) -> tuple[int, int | None]:
    """How a written name is read, and where in the prompt it stands first."""
    name = given.value if isinstance(given, Text) else None
    for reading, places in options.items():
        for place, found in places.items():
            if found == name:
                return reading, place
    if name == LESION:
        return ID[IMPLIED], None
    raise NotDerivableError(
        f"The prompt does not say {name!r}.", remedy="Name it in the prompt."
    )


def derive_word(
    here: Situation, texts: Collection[str], given: Expression | None, *, optional: bool
) -> Steps[Text | None]:
    """One of the texts of `WRITTEN_WORDS`, or nothing."""
    allowed: dict[int, Text | None] = {
        ID[text_symbol(text)]: Text(text) for text in WRITTEN_WORDS if text in texts
    }
    if optional:
        allowed[ID[SKIP]] = None
    wanted = None
    if isinstance(given, Text):
        wanted = ID.get(text_symbol(given.value) if given.value else SKIP, -1)
    token = yield from here.ask(allowed, wanted)
    return allowed[token]


def number_token(options: dict[int, Number], given: Number) -> int:
    """The token of a number: the first of the prompt that is it, or a symbol."""
    places_first = sorted(options, key=lambda token: (token < len(SYMBOLS), token))
    for token in places_first:
        number = options[token]
        if number.unit == given.unit and math.isclose(number.value, given.value):
            return token
    raise NotDerivableError(
        f"The prompt does not say {given.value:g} {given.unit or ''}.".replace(" .", "."),
        remedy="Name it in the prompt.",
    )
