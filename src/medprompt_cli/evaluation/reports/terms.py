"""Where the terms of a lexicon stand in a sentence.

A term is found where all of its words stand side by side, whole: `low` is not in `lower`.
Number and spelling of a word do not matter (see language/words.py), and a Korean word may carry
particles and verb endings. Every term counts, also one inside of another: `communicating
hydrocephalus` is a `hydrocephalus` too. A term of one word, as an abbreviation or a Korean
compound is, says what the name of its group says: `SDH` holds the `subdural` and the
`hemorrhage` of `subdural hematoma`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from medprompt_cli.evaluation.reports.lexicon import (
    CATEGORIES,
    Category,
    Lexicon,
    stems_of,
)
from medprompt_cli.language.words import Word, words_of

HANGUL = re.compile(r"[\uac00-\ud7a3]+")
ATTACHED = re.compile(
    r"(?:에서|에는|에도|으로|까지|부터|이나|이고|이며|입니다|이었|였|"
    r"은|는|이|가|을|를|의|에|로|와|과|도|만|및|나|쪽|측|부|성|인|임|들|등|상|내|하|"
    r"(?:되|된|됨|됩|돼|됐|하|한|함|합|했|있|없|보)[가-힣]{0,4}){1,2}"
)
"""Particles and verb endings that a Korean noun may carry."""

LEAST_STEM = 2
"""Syllables that a Korean word keeps when particles are taken off."""


@dataclass(frozen=True, slots=True)
class Place:
    """A term where it stands.

    Attributes:
        category: Of the term.
        term: Name of its group of synonyms.
        first: Index of its first word in the sentence.
        last: Index of its last word.
    """

    category: Category
    term: str
    first: int
    last: int


class TermIndex:
    """A lexicon, ready to be looked up by the words of a sentence."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], Category, str]]] = {}
        self._korean: set[str] = set()
        for category in CATEGORIES:
            for group in lexicon.groups[category]:
                for stems in dict.fromkeys(stems_of(term) for term in group):
                    entry = (stems, category, group[0])
                    self._by_first.setdefault(stems[0], []).append(entry)
                    self._korean.update(filter(HANGUL.fullmatch, stems))
        self._implied = {
            (category, group[0]): self._standing(words_of(group[0]))
            for category in lexicon.named
            for group in lexicon.groups[category]
        }

    def find(self, words: Sequence[Word]) -> tuple[Place, ...]:
        """Every term in a sentence, from left to right, and what terms of one word imply."""
        places = []
        for place in self._standing(words):
            places.append(place)
            if place.first == place.last:
                places += [
                    replace(place, category=other.category, term=other.term)
                    for other in self._implied.get((place.category, place.term), ())
                    if (other.category, other.term) != (place.category, place.term)
                ]
        return tuple(dict.fromkeys(places))

    def stems(self, words: Sequence[Word]) -> tuple[str, ...]:
        """Words as the terms of the lexicon are compared with them."""
        return tuple(self._bare(word.stem) for word in words)

    def _standing(self, words: Sequence[Word]) -> list[Place]:
        """The terms that are written."""
        stems, places = self.stems(words), []
        for first, head in enumerate(stems):
            for term, category, name in self._by_first.get(head, ()):
                last = first + len(term)
                if stems[first:last] == term:
                    places.append(Place(category, name, first, last - 1))
        return places

    def _bare(self, stem: str) -> str:
        """A Korean word without its particles, if what is left is in the lexicon."""
        if stem in self._korean or not HANGUL.fullmatch(stem):
            return stem
        for end in range(len(stem) - 1, LEAST_STEM - 1, -1):
            if stem[:end] in self._korean and ATTACHED.fullmatch(stem, end):
                return stem[:end]
        return stem
