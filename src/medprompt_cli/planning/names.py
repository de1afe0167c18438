"""Every name of the vocabulary as a prompt may say it: names, synonyms, adjectives.

What belongs to a name is looked up by `planning/mentions.py`, word for word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from medprompt_cli.language import synonyms
from medprompt_cli.language.synonyms import ADJECTIVES, BEFORE_LESIONS
from medprompt_cli.planning.korean import NAMES, is_korean
from medprompt_cli.planning.phrases import normalise
from medprompt_cli.planning.spelling import Speller
from medprompt_cli.planning.vocabulary import TERMS, TargetKind, find

SlotKind = TargetKind | Literal["everything", "ambiguous"]

EVERYTHING = "everything"
"""Name of the slot for all base structures."""

LESION = "lesion"
"""Name of the slot for any lesion."""

WHOLE = (
    *("all structures", "all the structures", "all base structures", "all brain structures"),
    *("every structure", "all regions", "all brain regions", "everything", "all of them"),
    *("모든 구조", "모든 구조물", "전체 구조", "전체 구조물", "모든 영역", "모든 뇌 구조"),
)
"""Words for all base structures, wherever they stand."""

LEAST_SYLLABLES = 3
"""Syllables that a Korean name must have for an error in it to be read over."""

LONGEST = 7
"""Words of the longest name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name means.

    Attributes:
        kind: What sort of region.
        names: The canonical name; of an ambiguous word, all it can mean.
    """

    kind: SlotKind
    names: tuple[str, ...]

    @property
    def has_sides(self) -> bool:
        """Whether `left` and `right` may stand with it."""
        return len(self.names) == 1 and find(f"left-{self.names[0]}") is not None

    def sided(self, side: str | None) -> Entry:
        """The same on one side."""
        if side in {"left", "right"}:
            return Entry(self.kind, (f"{side}-{self.names[0]}",))
        return self


def look_up(words: Sequence[str]) -> Entry | None:
    """What words in one form mean, all of them together.

    >>> look_up(["white", "matter"]).names, look_up(["대뇌", "피질"]).names
    (('white-matter',), ('cerebral-cortex',))
    """
    index = _index()
    entry = index.get(" ".join(words))
    if entry is None and any(is_korean(word) for word in words):
        entry = index.get("".join(words))
    return entry


def before_lesion(word: str) -> Entry | None:
    """The place that a word means if a lesion follows it."""
    term = find(BEFORE_LESIONS.get(word, ""))
    return Entry(term[0].kind, (term[0].name,)) if term else None


def corrected(word: str) -> str:
    """A word of a name or a side as it was meant; itself if no name is near it.

    >>> corrected("tumuor"), corrected("수막봉"), corrected("volume")
    ('tumor', '수막종', 'volume')
    """
    if is_korean(word):
        meant = _korean_speller().correct(unicodedata.normalize("NFD", word))
        return unicodedata.normalize("NFC", meant) if meant else word
    meant = _speller().correct(word)
    return normalise(meant) if meant else word


@cache
def _speller() -> Speller:
    """Corrects single words of names and sides, British ones too."""
    words = {word for words in _index() for word in words.split() if word.isascii()}
    sides = (side for side in synonyms.SIDES if side.isascii())
    return Speller({*words, *synonyms.SPELLINGS, *BEFORE_LESIONS, *sides}, form=normalise)


@cache
def _korean_speller() -> Speller:
    """Corrects one letter of a Korean name."""
    names = (name for name in NAMES if len(name) >= LEAST_SYLLABLES)
    return Speller((unicodedata.normalize("NFD", name) for name in names), most=1)


@cache
def _index() -> dict[str, Entry]:
    """Every name in one form, the first meaning of each; Korean also without spaces."""
    found: dict[str, Entry] = {}
    for words, entry in _entries():
        form = normalise(words)
        found.setdefault(form, entry)
        if is_korean(form):
            found.setdefault(form.replace(" ", ""), entry)
    return found


def _entries() -> Iterator[tuple[str, Entry]]:
    for words, names in synonyms.AMBIGUOUS.items():
        yield words, Entry("ambiguous", names)
    said = [(word, name) for name, words in TERMS.items() for word in (name, *words)]
    for word, name in (*said, *ADJECTIVES.items()):
        term = find(name)
        if term:
            yield word, Entry(term[0].kind, (name,))
    for words in WHOLE:
        yield words, Entry("everything", (EVERYTHING,))
