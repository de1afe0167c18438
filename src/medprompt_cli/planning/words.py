"""A prompt, cut into words, numbers and marks that know where they stand in it.

Text is brought to one form (NFKC, case folded) without losing its place: every letter and
digit of the prompt lies inside exactly one token, so what was not understood can be shown
as it was written. A number is one token with its unit; Korean words are parted from their
particles by `medprompt_cli.planning.korean`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from medprompt_cli.planning.korean import is_korean, split_korean
from medprompt_cli.planning.numerals import NUMBER, read_number

WordKind = Literal["word", "number", "mark"]

SEPARATING = frozenset(",;:/&+·()?=<>≤≥%")
"""Marks that carry meaning wherever they stand."""

ENDING = frozenset(".!\n")
"""Marks that separate two requests, but say nothing at the end of a prompt."""

MIDDLE_DOTS = dict.fromkeys(map(ord, "\u318d\u30fb\uff65\u2022\u2027\u2219\u22c5"), "\u00b7")
"""Dots that people type for the one of `좌·우`."""

ABBREVIATED = re.compile(r"(?<![^\W_])(?:lt|rt|vs|approx)\.")
"""Words whose full stop ends no request."""

JOINERS = frozenset("-_.\u2010\u2011")
"""Marks without meaning between two parts of a word: `L-HC`, `lh.hippocampus`."""

FIRST_JAMO, LAST_JAMO = "\u1160", "\u11ff"
"""Vowels and finals of decomposed Korean: they join the letter before them."""

PIECE = re.compile(rf"(?P<number>{NUMBER})|(?P<word>[^\W_]+)|(?P<mark>[^\s\w])", re.VERBOSE)


@dataclass(frozen=True, slots=True)
class Word:
    """One token of a prompt.

    Attributes:
        text: In one form: NFKC, case folded; a number as `10 mm3`.
        start: Where it begins in the prompt as written.
        end: Where it ends there.
        kind: A word, a number, or a mark that separates.
        value: Of a number, in `unit`; None for all others.
        unit: A unit of the plan language, or None for a bare number and all others.
        joined: Whether it is written to the word before it, as `L` in `HC_L`.
    """

    text: str
    start: int
    end: int
    kind: WordKind = "word"
    value: float | None = None
    unit: str | None = None
    joined: bool = False


def read_words(prompt: str) -> tuple[Word, ...]:
    """Cut `prompt` into tokens, in order.

    >>> [word.text for word in read_words("Lesions >10 mm³, please.")]
    ['lesions', '>', '10 mm3', ',', 'please']
    >>> [word.text for word in read_words("좌측해마의 부피")]
    ['좌측', '해마', '의', '부피']
    """
    text, places = _normalise(prompt)
    found = [
        replace(word, start=places[word.start][0], end=places[word.end - 1][1])
        for word in _tokens(text)
    ]
    while found and found[-1].text in ENDING:
        found.pop()
    return tuple(found)


def _normalise(prompt: str) -> tuple[str, list[tuple[int, int]]]:
    """The prompt in one form, and for each of its characters where it came from."""
    text: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end in _clusters(prompt):
        part = prompt[start:end].translate(MIDDLE_DOTS)
        part = unicodedata.normalize("NFKC", part).casefold()
        part = unicodedata.normalize("NFKC", part)
        if "\u2044" in part:
            part = f" {part}"  # so that 1½ is not eleven halves
        text.append(part)
        places += [(start, end)] * len(part)
    return "".join(text), places


def _clusters(prompt: str) -> Iterator[tuple[int, int]]:
    """Spans of the prompt that are one character to a reader."""
    start = 0
    for at in range(1, len(prompt) + 1):
        if at == len(prompt) or not _joins(prompt[at]):
            yield start, at
            start = at


def _joins(character: str) -> bool:
    return bool(unicodedata.combining(unicodedata.normalize("NFKC", character)[0])) or (
        FIRST_JAMO <= character <= LAST_JAMO
    )


def _tokens(text: str) -> Iterator[Word]:
    silent = {match.end() - 1 for match in ABBREVIATED.finditer(text)}
    for match in PIECE.finditer(text):
        start, end = match.span()
        if start in silent:
            continue
        if match["number"]:
            yield from _number(match["number"], start)
        elif match["word"]:
            joined = start > 1 and text[start - 1] in JOINERS and text[start - 2].isalnum()
            yield from _words(match["word"], start, joined=joined)
        elif text[start] in SEPARATING or text[start] in ENDING:
            yield Word(text[start], start, end, "mark")


def _number(said: str, start: int) -> Iterator[Word]:
    value, unit = read_number(said)
    shown = f"{value:g}" if unit is None else f"{value:g} {unit}"
    yield Word(shown, start, start + len(said), "number", value, unit)


def _words(said: str, start: int, *, joined: bool) -> Iterator[Word]:
    for part in split_korean(said) if is_korean(said) else [said]:
        yield Word(part, start, start + len(part), joined=joined)
        start += len(part)
        joined = True
