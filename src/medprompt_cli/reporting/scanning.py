"""A sentence in marks: names, terms, numbers with units, and words that are none of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from medprompt_cli.language.words import stem
from medprompt_cli.reporting.terms import SHORT, Kind, Term, vocabulary

MM3_PER_ML, MM_PER_CM = 1000.0, 10.0

UNITS: tuple[tuple[str, str, float], ...] = (
    *((word, "mL", 1.0) for word in ("millilitres", "millilitre", "milliliters", "milliliter")),
    *((word, "mL", 1.0) for word in ("ml", "cc", "cm3", "cm³", "cm^3", "밀리리터")),
    *((word, "mL", 1 / MM3_PER_ML) for word in ("mm3", "mm³", "mm^3", "µl", "ul")),
    *((word, "mm2", 1.0) for word in ("mm2", "mm²", "mm^2")),
    *((word, "mm2", MM_PER_CM**2) for word in ("cm2", "cm²", "cm^2")),
    *((word, "mm", 1.0) for word in ("millimetres", "millimetre", "millimeters", "millimeter")),
    *((word, "mm", 1.0) for word in ("mm", "밀리미터")),
    *((word, "mm", MM_PER_CM) for word in ("centimetres", "centimeters", "cm", "센티미터")),
    *((word, "%", 1.0) for word in ("%", "percent", "per cent", "퍼센트")),
    *((word, "[hnsf'U]", 1.0) for word in ("hounsfield units", "hu")),
    *((word, "um2/s", 1.0) for word in ("um2/s", "µm2/s", "µm²/s")),
    *((word, "d", 1.0) for word in ("days", "day", "일")),
    *((word, "pieces", 1.0) for word in ("개", "곳")),
)
"""How units are written, their code, and what a number of them is multiplied by."""

COUNTS: Mapping[str, int] = {
    **{word: n for n, word in enumerate(("one", "two", "three", "four", "five", "six"), 1)},
    **{word: n for n, word in enumerate(("seven", "eight", "nine", "ten"), start=7)},
}
"""Numbers as words."""

POINTS = frozenset(".,;:()~-\u2013\u2014'\"/\u00b7\u2022*#\u00d7`_!")
"""Marks of punctuation that say nothing; another, such as an arrow, may say something."""

LONGEST = 24
"""Characters of the longest Korean phrase, without spaces."""

_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)")
_SIGN = re.compile(r"[+\-\u2212](?=\d)")
_WORD = re.compile(r"[^\W_]+")
_ORDINAL = re.compile(r"\d+(?:rd|th|nd|st)\b")
_HANGUL = re.compile(r"[\uac00-\ud7a3]+")
_UNIT = re.compile(
    r"\s*(?P<unit>"
    + "|".join(re.escape(word) for word, _, _ in sorted(UNITS, key=lambda u: -len(u[0])))
    + r")(?![A-Za-z0-9²³^])",
    re.IGNORECASE,
)
_UNIT_OF = {word: (code, factor) for word, code, factor in UNITS}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that is written.

    Attributes:
        value: In `unit`.
        unit: UCUM code; `d` for days, `pieces` for a count, empty for none.
        within: Half a unit of its last digit.
        signed: Whether a sign stands before it.
    """

    value: float
    unit: str
    within: float
    signed: bool

    def matches(self, value: float, *, unsigned: bool = False) -> bool:
        """Whether a value is written like this; without a sign its size may be meant."""
        wanted = abs(value) if unsigned and not self.signed else value
        return abs(self.value - wanted) <= self.within * (1 + 1e-6) + 1e-12


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of a sentence.

    Attributes:
        terms: What it may mean.
        word: As written.
        start: Offset of its first character.
        end: Offset after its last.
        number: If it is one.
    """

    terms: tuple[Term, ...]
    word: str
    start: int
    end: int
    number: Quantity | None = None

    @property
    def kind(self) -> Kind:
        """What sort of thing it says, by its first meaning."""
        return self.terms[0].kind

    @property
    def value(self) -> str:
        """Which, by its first meaning."""
        return self.terms[0].value

    def as_(self, kind: Kind) -> str | None:
        """Which, if it may mean such a thing."""
        return next((term.value for term in self.terms if term.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Literal:
    """What only the facts of one subject know: a visit, a date, a region's own name.

    Attributes:
        text: As it is written.
        term: What it means.
    """

    text: str
    term: Term


class Scanner:
    """Cuts sentences into marks.

    Args:
        literals: Of one subject.
    """

    def __init__(self, literals: Iterable[Literal] = ()) -> None:
        ordered = sorted(literals, key=lambda one: -len(one.text))
        self._literals: dict[str, list[Literal]] = {}
        for one in ordered:
            self._literals.setdefault(one.text[0].lower(), []).append(one)

    def scan(self, sentence: str) -> list[Mark]:
        """The marks of a sentence, in order; together they are all of it but the blanks."""
        marks: list[Mark] = []
        at = 0
        while at < len(sentence):
            if sentence[at].isspace():
                at += 1
                continue
            mark = self._next(sentence, at, marks)
            marks.append(mark)
            at = mark.end
        return marks

    def _next(self, text: str, at: int, before: list[Mark]) -> Mark:
        attached = bool(before) and before[-1].end == at
        return (
            self._literal(text, at, attached=attached)
            or _number(text, at)
            or _latin(text, at)
            or _korean(text, at, attached=attached)
            or _left_over(text, at, before)
        )

    def _literal(self, text: str, at: int, *, attached: bool) -> Mark | None:
        if attached and text[at - 1].isalnum():
            return None
        for one in self._literals.get(text[at].lower(), ()):
            end = at + len(one.text)
            follows = text[end : end + 1]
            ascii_follows = follows.isascii() and follows.isalnum()
            if text[at:end].lower() == one.text.lower() and not ascii_follows:
                return Mark((one.term,), text[at:end], at, end)
        return None


def _number(text: str, at: int) -> Mark | None:
    """A number and its unit."""
    sign = _SIGN.match(text, at)
    free = at == 0 or not (text[at - 1].isalnum() or text[at - 1] in ")]%")
    start = sign.end() if sign and free else at
    digits = _NUMBER.match(text, start)
    if digits is None or _ORDINAL.match(text, start) or (at and text[at - 1].isalpha()):
        word = _WORD.match(text, at)
        if word and word[0].lower() in COUNTS:
            quantity = Quantity(COUNTS[word[0].lower()], "", 0.0, signed=False)
            return Mark((Term("number", ""),), word[0], at, word.end(), quantity)
        return None
    unit = _UNIT.match(text, digits.end())
    code, factor = _UNIT_OF[unit["unit"].lower()] if unit else ("", 1.0)
    spelled = digits[0].replace(",", "")
    value = float(spelled) * (-1 if start > at and text[at] != "+" else 1)
    decimals = len(spelled.partition(".")[2])
    quantity = Quantity(value * factor, code, 0.5 * 10**-decimals * factor, start > at)
    end = unit.end() if unit else digits.end()
    return Mark((Term("number", ""),), text[at:end], at, end, quantity)


def _latin(text: str, at: int) -> Mark | None:
    """The longest known phrase of words that begins here; a Latin word that is not known."""
    first = _WORD.match(text, at)
    if first is None or _HANGUL.match(text, at) or (at and text[at - 1].isalnum()):
        return None
    by_first = _latin_phrases()
    for stems, terms in by_first.get(stem(first[0]), ()):
        end = _phrase_end(text, at, stems)
        if end is not None:
            kept = _by_case(text[at:end], terms)
            if kept:
                return Mark(kept, text[at:end], at, end)
    return Mark((Term("unknown", first[0]),), first[0], at, first.end())


def _by_case(word: str, terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Without regions where a short abbreviation is not in capitals."""
    if len(word) > SHORT or word.isupper():
        return terms
    return tuple(term for term in terms if term.kind != "region")


def _phrase_end(text: str, at: int, stems: tuple[str, ...]) -> int | None:
    """Where a phrase ends that begins here; None if another begins here."""
    end = at
    for number, wanted in enumerate(stems):
        gap = re.compile(r"[\s\-]+").match(text, end) if number else None
        word = _WORD.match(text, gap.end() if gap else end)
        if word is None or (number and gap is None) or stem(word[0]) != wanted:
            return None
        end = word.end()
    return end


@cache
def _latin_phrases() -> Mapping[str, list[tuple[tuple[str, ...], tuple[Term, ...]]]]:
    """Phrases by the stem of their first word, the longest first."""
    found: dict[tuple[str, ...], tuple[Term, ...]] = {}
    for phrase, terms in vocabulary().items():
        words = _WORD.findall(phrase)
        if words and not _HANGUL.match(words[0]):
            key = tuple(stem(word) for word in words)
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *terms)))
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[Term, ...]]]] = {}
    for stems in sorted(found, key=len, reverse=True):
        by_first.setdefault(stems[0], []).append((stems, _ranked(found[stems])))
    return by_first


@cache
def _korean_phrases() -> Mapping[str, tuple[Term, ...]]:
    """Phrases without their spaces."""
    found: dict[str, tuple[Term, ...]] = {}
    for phrase, terms in vocabulary().items():
        if _HANGUL.match(phrase):
            key = phrase.replace(" ", "").lower()
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *terms)))
    return {key: _ranked(terms) for key, terms in found.items()}


def _ranked(terms: Iterable[Term]) -> tuple[Term, ...]:
    """What says something comes before what does not."""
    return tuple(sorted(terms, key=lambda term: term.kind in {"plain", "particle"}))


def _korean(text: str, at: int, *, attached: bool) -> Mark | None:
    """The longest known phrase that begins here; None if there is none."""
    if not _HANGUL.match(text, at):
        return None
    for end in _ends(text, at):
        terms = _korean_phrases().get("".join(text[at:end].split()).lower(), ())
        kept = tuple(term for term in terms if attached or term.kind != "particle")
        whole = _HANGUL.match(text, end) is None
        single = end - at == 1 and not whole and not attached
        if kept and not single:
            return Mark(kept, text[at:end], at, end)
    return None


def _ends(text: str, at: int) -> Iterator[int]:
    """Where a phrase may end, the farthest first."""
    ends, letters = [], 0
    for end in range(at, len(text)):
        if text[end] in ".,;:()~":
            break
        letters += not text[end].isspace()
        if letters > LONGEST:
            break
        if not text[end].isspace():
            ends.append(end + 1)
    return reversed(ends)


def _left_over(text: str, at: int, before: list[Mark]) -> Mark:
    """A mark of punctuation, or a Korean word that cannot be read, from its beginning."""
    run = _HANGUL.match(text, at)
    if run is None:
        word = _WORD.match(text, at)
        end = word.end() if word else at + 1
        kind: Kind = "point" if text[at:end] in POINTS else "unknown"
        return Mark((Term(kind, text[at:end]),), text[at:end], at, end)
    start = at
    while before and before[-1].end == start and _HANGUL.match(before[-1].word):
        start = before.pop().start
    return Mark(
        (Term("unknown", text[start : run.end()]),), text[start : run.end()], start, run.end()
    )
