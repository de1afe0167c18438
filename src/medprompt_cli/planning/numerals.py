"""Numbers of a prompt and their units: `10 mm³`, `half a millilitre`, `5밀리미터`, `20 %`."""

from __future__ import annotations

import re

NUMBER_WORDS = {
    **{"half a": 0.5, "half an": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5},
    **{"six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15},
    **{"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100},
    **{"a hundred": 100, "one hundred": 100},
}
"""Words that are numbers where a unit follows."""

UNITS: tuple[tuple[str, str, float], ...] = (
    (r"mm\^?3|cubic\s(?:mm|millimet(?:er|re)s?)|cu\.?\s?mm", "mm3", 1),
    (r"(?:세제곱|입방)\s?밀리(?:미터)?", "mm3", 1),
    (r"mls?|millilit(?:er|re)s?|ccs?|cm\^?3|cubic\s(?:cm|centimet(?:er|re)s?)", "mL", 1),
    (r"밀리리터|시시|(?:세제곱|입방)\s?센티(?:미터)?", "mL", 1),
    (r"mm\^?2|square\s(?:mm|millimet(?:er|re)s?)|(?:제곱|평방)\s?밀리미터", "mm2", 1),
    (r"cm\^?2|square\s(?:cm|centimet(?:er|re)s?)|(?:제곱|평방)\s?센티미터", "cm2", 1),
    (r"mm|millimet(?:er|re)s?|밀리미터", "mm", 1),
    (r"cm|centimet(?:er|re)s?|센티미터|센티", "mm", 10),
    (r"%|percent|per\scent|pct|퍼센트|프로", "percent", 1),
    (r"hu|hounsfield(?:\sunits?)?|하운스필드(?:\s?단위)?", "HU", 1),
    (r"years?|yrs?|년", "year", 1),
    (r"months?|개월", "month", 1),
    (r"weeks?|주일?", "day", 7),
    (r"days?|일", "day", 1),
)
"""How a unit is written, the unit of the plan language it is given in, and how many of it
it is: a centimetre is ten of `mm`. Of two that fit, the first counts."""

DIGITS = r"\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,9})?|\d{1,12}(?:[.,]\d{1,9})?"
FRACTION = r"(?:\d{1,3}\s)?\d{1,3}[\u2044/][1-9]\d{0,2}"
_UNIT = "|".join(pattern for pattern, _, _ in UNITS)
_SAID = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)).replace(" ", r"\s")
_END = r"(?![a-z0-9])"

NUMBER = rf"""
    (?<![^\W_])(?<!\d[.,]) (?: -(?=\d) )?
    (?: (?:{FRACTION}|{DIGITS}) [\s-]? (?:{_UNIT}) {_END}
      | (?:{DIGITS}) {_END} (?![.,]\d) (?!\s?뇌실)
      | (?:{_SAID}) [\s-] (?:{_UNIT}) {_END} )
"""
"""A number, with its unit if it has one; a verbose pattern. `T1`, `3rd` and `제3뇌실` hold
none."""

_SPLIT = re.compile(
    rf"(?P<sign>-?)(?:(?P<digits>{FRACTION}|{DIGITS})|(?P<said>{_SAID}))[\s-]?(?P<unit>{_UNIT})?"
)
_UNIT_OF = tuple((re.compile(pattern), unit, factor) for pattern, unit, factor in UNITS)


def read_number(said: str) -> tuple[float, str | None]:
    """Value and unit of what `NUMBER` matched.

    >>> read_number("1,200 mm3"), read_number("half a ml"), read_number("0,5 cm")
    ((1200.0, 'mm3'), (0.5, 'mL'), (5.0, 'mm'))
    """
    match = _SPLIT.fullmatch(said)
    if match is None:
        raise ValueError(f"{said!r} is no number.")
    spoken = match["said"]
    word = re.sub(r"\s", " ", spoken or "")
    value = float(NUMBER_WORDS[word]) if spoken else _value(match["digits"])
    if match["sign"]:
        value = -value
    if match["unit"] is None:
        return value, None
    for pattern, unit, factor in _UNIT_OF:
        if pattern.fullmatch(match["unit"]):
            return round(value * factor, 6), unit
    raise ValueError(f"{said!r} has no unit.")


def _value(digits: str) -> float:
    if "/" in digits or "\u2044" in digits:
        *whole, parts = digits.split()
        above, below = re.split(r"[\u2044/]", parts)
        return sum(map(int, whole)) + int(above) / int(below)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        return float(digits.replace(",", ""))
    return float(digits.replace(",", "."))
