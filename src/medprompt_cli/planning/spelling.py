"""Typing errors in names of the vocabulary: `hippocampsu` is read as `hippocampus`.

A word is corrected only if one known word is nearer to it than all others, and never if it
is a word of its own: `section` is no `resection`, `light` no `right`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

ONE_ERROR = 5
TWO_ERRORS = 9
"""Letters a known word must have for one, or two, errors in it to be read over."""

_ORDINARY = """
    anglia anthem attraction attractions bain bane basalt basel basil batter batters blamed
    blasting bled bleak bleep blend blending blends braid braids bran brand brave brawn breed
    breeding breeds brian bring bruins cause causal central circulate circulates consulate
    contact contacts contest contract contracts cortez cyrus detection
    detections drain drains dripping eight ejection election elections enchanting
    enhance enhances entice entice entries erection extracting extraction extradition fatter
    feeding fiddle fight fights florid forth fright frontal genes globe globes grain grains
    gripping guide guru gurus hippy hole holes humor humour inaction infant infantry infects
    infection infections inject insult insults interior interiors issue issues knight later
    latter leads legion legions lesson lessons light lights literal literally margin master
    masters maternal matte medal medals media median medical medically metal might
    multiply nasal neurotic night nights orbit papal partial patter perineal peripheral plague
    plagues plain planar playing propel prosper rain rains reaction reactions reception
    reduction reductions reflection reflections region regional rejection rejections renal
    retention retraction riddle riddles ripping rumor rumors rumour scraping scripting section
    sections selection selections session sessions shipping sight sights skill skills skipping
    slight slipping spinal spiral stepping sting stoke stopping strap straps strike strikes
    striking stripe stripes striped superb system tapping temporary territorial tight tonal
    traction train trained training trains trapping traverse traverses trip trips tripped
    turner tutor unilateral unilaterally verbal verbally vernal versus vessel vessels vortex
    whale while whine whiter whose wholly wright write writes written
"""
ORDINARY = frozenset(_ORDINARY.split())
"""English words near a word of the vocabulary that mean something else."""


def distance(first: str, second: str, most: int) -> int:
    """Letters put in, left out, exchanged or swapped with their neighbour; at most `most` + 1.

    Source: optimal string alignment, the restricted Damerau-Levenshtein distance.

    >>> distance("thalmaus", "thalamus", 2), distance("left", "thalamus", 2)
    (1, 3)
    """
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        above, row = row, [i]
        for j, other in enumerate(second, 1):
            cost = min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != other))
            if min(i, j) > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before = above
    return min(row[-1], most + 1)


class Speller:
    """Finds the known word that a word was meant to be.

    Args:
        known: Words to correct to, in lower case.
        most: Errors that are read over, however long a word is.
        form: What a known word means; two that mean the same are one.
    """

    def __init__(
        self, known: Iterable[str], most: int = 2, form: Callable[[str], str] = str
    ) -> None:
        self._form = form
        self._known = frozenset(known)
        self._long = tuple(
            (word, _letters(word), min(most, errors_allowed(word)))
            for word in sorted(self._known)
            if errors_allowed(word)
        )
        self._found: dict[str, str | None] = {}

    def correct(self, word: str) -> str | None:
        """The known word nearest to `word`; None if there is none or more than one.

        >>> Speller(["caudate", "hippocampus"]).correct("hipocampsu")
        'hippocampus'
        """
        if word not in self._found:
            self._found[word] = self._nearest(word)
        return self._found[word]

    def _nearest(self, word: str) -> str | None:
        if word in self._known or word in ORDINARY:
            return None
        letters = _letters(word)
        best, nearest = TWO_ERRORS, []
        for known, has, most in self._long:
            differing = (letters ^ has).bit_count()
            if abs(len(word) - len(known)) > most or differing > 2 * most:
                continue
            errors = distance(word, known, most)
            if errors > most or (errors > 1 and word[0] != known[0]):
                continue
            if errors < best:
                best, nearest = errors, [known]
            elif errors == best:
                nearest.append(known)
        return nearest[0] if len(set(map(self._form, nearest))) == 1 else None


def errors_allowed(word: str) -> int:
    """How many errors in a known word are read over."""
    return (len(word) >= ONE_ERROR) + (len(word) >= TWO_ERRORS) if word.isalpha() else 0


def _letters(word: str) -> int:
    """Which letters a word has, one bit each."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) % 64)
    return bits
