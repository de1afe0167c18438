"""Words of a sentence, and the stem by which two spellings of a word are one.

A stem is no dictionary form: `disease` and `diseases` are both `diseas`. All that counts is
that the forms of one word share it. Words of a lexicon and of a report are stemmed alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"\(-\)|\d+\.\d+|[^\W_]+")
"""A number, a run of letters and digits (`t2`), or the sign (-) that stands for `none`."""

SHORTEST = 4
"""Letters of the shortest word whose ending is looked at: `mca`, `pus` and `is` stay."""

ENDINGS: tuple[tuple[str, str], ...] = (
    *(("ices", "ic"), ("ice", "ic"), ("ex", "ic"), ("ix", "ic")),
    *(("ies", "y"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")),
    *(("ses", "s"), ("sis", "s"), ("se", "s"), ("ss", "ss"), ("us", "us")),
    *(("ae", "a"), ("um", "a"), ("i", "us"), ("s", "")),
)
"""What becomes of the first ending that fits: plurals of English, Latin and Greek."""

SPELLINGS: tuple[tuple[str, str], ...] = (
    *(("ae", "e"), ("oe", "e"), ("tumour", "tumor"), ("grey", "gray"), ("colour", "color")),
    *(("centre", "center"), ("fibre", "fiber"), ("calibre", "caliber")),
    *(("artefact", "artifact"), ("isation", "ization"), ("ised", "ized")),
)
"""British spelling, and American."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands.

    Attributes:
        text: As written.
        stem: As compared.
        start: Offset of its first character in the sentence.
        end: Offset after its last.
        before: What stands between the word before, or the start, and this one.
    """

    text: str
    stem: str
    start: int
    end: int
    before: str


def words_of(sentence: str) -> tuple[Word, ...]:
    """The words of a sentence, in order; a hyphen parts two words.

    >>> [word.stem for word in words_of("Oedematous thalami, T2-bright (1.5 cm).")]
    ['edematous', 'thalamus', 't2', 'bright', '1.5', 'cm']
    """
    found, last = [], 0
    for match in WORD.finditer(sentence):
        start, end = match.span()
        found.append(Word(match[0], stem(match[0]), start, end, sentence[last:start]))
        last = end
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The form that singular and plural, British and American spelling share.

    >>> [stem(word) for word in ("Metastases", "metastasis", "haemorrhages", "cortices")]
    ['metastas', 'metastas', 'hemorrhage', 'cortic']
    """
    word = word.lower()
    if len(word) < SHORTEST or not word.isascii():
        return word
    ending = next(((old, new) for old, new in ENDINGS if word.endswith(old)), None)
    if ending is not None:
        word = word.removesuffix(ending[0]) + ending[1]
    for british, american in SPELLINGS:
        word = word.replace(british, american)
    return word
