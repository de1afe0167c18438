"""Which words are a typing error or two away from another.

Two words are near if both become the same when a letter or two are taken out: that finds
every pair that one insertion, deletion, replacement or swap apart makes, and a few more.
Korean syllables are compared by their letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import combinations

FURTHEST = 2
"""Typing errors that can be looked for."""


def letters(word: str) -> str:
    """A word in small letters, its Korean syllables taken apart."""
    return unicodedata.normalize("NFD", word.lower())


def shortened(word: str, by: int) -> frozenset[str]:
    """What `word` becomes when up to `by` letters are taken out.

    >>> sorted(shortened("abc", 1))
    ['ab', 'abc', 'ac', 'bc']
    """
    found = {word}
    for count in range(1, min(by, len(word) - 1) + 1):
        for out in combinations(range(len(word)), count):
            found.add("".join(c for n, c in enumerate(word) if n not in out))
    return frozenset(found)


class Nearness:
    """Finds, among known words, those near a given one.

    Args:
        words: The known words.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._near: list[dict[str, set[str]]] = [{} for _ in range(FURTHEST + 1)]
        for word in words:
            spelled = letters(word)
            for by in range(1, FURTHEST + 1):
                for short in shortened(spelled, by):
                    self._near[by].setdefault(short, set()).add(word)

    def within(self, word: str, errors: int) -> frozenset[str]:
        """The known words within so many errors; short words count for half as many.

        >>> Nearness(["putamen", "caudate"]).within("putmaen", 1)
        frozenset({'putamen'})
        """
        spelled = letters(word)
        by = errors if len(spelled) >= 6 else min(errors, 1)  # noqa: PLR2004
        near = self._near[by]
        return frozenset(
            known for short in shortened(spelled, by) for known in near.get(short, ())
        )
