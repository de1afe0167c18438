"""Which sentence of one report answers which of another.

How alike two sentences are is Dice's coefficient of what they hold: their words, the terms in
them whatever word was used, and what they say of the terms (present or denied). It needs no
model. Sentences are paired one to one, so that the sum over all pairs is as large as can be.

Source: the assignment of Kuhn and Munkres, as in scipy.optimize.linear_sum_assignment.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from medprompt_cli.evaluation.reports.sentences import Sentence
from medprompt_cli.language.words import stem

_COMMON = """
a an the of in on at to for with and or is are was were be there this that as by from it its
no not without seen noted evidence
"""
STOPWORDS = frozenset(map(stem, _COMMON.split()))
"""Words that make no two sentences alike; what a cue denies is compared by itself."""

Similarity = Callable[[Sequence[Sentence], Sequence[Sentence]], np.ndarray]
"""From sentences of two reports to a matrix of numbers from 0 to 1."""


def lexical_similarity(first: Sequence[Sentence], second: Sequence[Sentence]) -> np.ndarray:
    """Dice's coefficient of words, terms and what is said of them; (first, second)."""
    ours, theirs = ([_features(one) for one in side] for side in (first, second))
    alike = np.zeros((len(ours), len(theirs)))
    for i, mine in enumerate(ours):
        for j, other in enumerate(theirs):
            alike[i, j] = 2 * len(mine & other) / max(len(mine) + len(other), 1)
    return alike


def _features(sentence: Sentence) -> frozenset[Hashable]:
    said = sentence.items
    named = {(category, term) for category, term, _ in said}
    return frozenset((sentence.stems - STOPWORDS) | named | set(said))


def in_order(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Sentences by their text: where several pairings are best, not their order decides."""
    return sorted(sentences, key=lambda one: one.text)


def pair(
    reference: Sequence[Sentence],
    candidate: Sequence[Sentence],
    similarity: Similarity = lexical_similarity,
) -> list[tuple[Sentence, Sentence, float]]:
    """Pairs of sentences and how alike they are; those with nothing in common have none."""
    from scipy.optimize import linear_sum_assignment  # takes a third of a second

    first, second = in_order(reference), in_order(candidate)
    if not first or not second:
        return []
    alike = similarity(first, second)
    rows, columns = linear_sum_assignment(alike, maximize=True)
    return [
        (first[i], second[j], float(alike[i, j]))
        for i, j in zip(rows, columns, strict=True)
        if alike[i, j] > 0
    ]
