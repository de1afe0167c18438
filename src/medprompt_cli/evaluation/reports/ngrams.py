"""BLEU, ROUGE-L and CIDEr-R of whole reports.

All three see the same words: lower case, runs of letters and digits with decimal numbers
whole, punctuation left out; Korean is parted at spaces, particles stay on. There is no
stemming and no list of synonyms, and one reference for each candidate. METEOR is not computed:
it needs WordNet, which no package carries.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Tokens = tuple[str, ...]

TOKEN = re.compile(r"\d+\.\d+|\w+")
ORDERS = 4
"""Words of the longest n-gram."""

CIDER_SCALE = 10.0
REPETITION_WEIGHT = 0.8
LENGTH_WEIGHT = 0.2
"""Exponents of the two penalties. Source: CIDEr-R, arXiv:2109.13701, and its code."""

LEAST_REPORTS = 2
"""In a single report every n-gram is as common as can be, and weighs nothing."""


def tokens_of(text: str) -> Tokens:
    """The words that are compared.

    >>> tokens_of("No midline-shift; cyst of 1.5 cm.")
    ('no', 'midline', 'shift', 'cyst', 'of', '1.5', 'cm')
    """
    return tuple(TOKEN.findall(text.lower()))


@dataclass(frozen=True, slots=True)
class Bleu:
    """BLEU-1 to BLEU-4, from 0 to 1.

    Attributes:
        orders: The geometric mean of the n-gram precisions up to each order, times the
            brevity penalty; no smoothing, so 0 without a shared n-gram.

    Source: Papineni et al. 2002, doi:10.3115/1073083.1073135, as sacrebleu counts it.
    """

    orders: tuple[float, ...]


def bleu(references: Sequence[Tokens], candidates: Sequence[Tokens]) -> Bleu:
    """BLEU of one report, or of several with their n-grams pooled."""
    from sacrebleu.metrics.bleu import BLEU  # takes a while

    scorer = BLEU(tokenize="none", smooth_method="none", max_ngram_order=ORDERS)
    ours, theirs = ([" ".join(tokens) for tokens in side] for side in (references, candidates))
    found = scorer.corpus_score(theirs, [ours])
    shares = [precision / 100 for precision in found.precisions]
    return Bleu(tuple(found.bp * _geometric_mean(shares[:n]) for n in range(1, ORDERS + 1)))


def _geometric_mean(values: Sequence[float]) -> float:
    return math.prod(values) ** (1 / len(values)) if values else 0.0


@dataclass(frozen=True, slots=True)
class RougeL:
    """ROUGE-L of one report, from 0 to 1.

    Attributes:
        precision: Longest common subsequence / words of the candidate.
        recall: The same / words of the reference.
        f1: Their harmonic mean.

    Source: Lin 2004, https://aclanthology.org/W04-1013, with beta = 1 and the report as one
    sequence.
    """

    precision: float
    recall: float
    f1: float


def rouge_l(reference: Tokens, candidate: Tokens) -> RougeL:
    """ROUGE-L of one report."""
    common = common_subsequence(reference, candidate)
    total = len(reference) + len(candidate)
    return RougeL(
        common / len(candidate) if candidate else 0.0,
        common / len(reference) if reference else 0.0,
        2 * common / total if total else 0.0,
    )


def common_subsequence(first: Tokens, second: Tokens) -> int:
    """Length of the longest common subsequence, a whole row in one integer.

    Source: Hyyrö 2004, bit-parallel LCS-length computation revisited.
    """
    where: dict[str, int] = {}
    for place, token in enumerate(first):
        where[token] = where.get(token, 0) | 1 << place
    full = (1 << len(first)) - 1
    row = full
    for token in second:
        hit = row & where.get(token, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(first) - row.bit_count()


def cider_r(references: Sequence[Tokens], candidates: Sequence[Tokens]) -> list[float | None]:
    """CIDEr-R of every report, from 0 to 10; None for fewer than two reports.

    The mean over n-gram orders of the clipped cosine of tf-idf vectors, where how rare an
    n-gram is is counted in the references, times a penalty for words repeated more or less
    often than in the reference, and one for another length. Texts of fewer than four words
    have no 4-grams and stay below 10. The authors' code takes the number of word pairs for
    the length; this takes the number of words, as the paper says.

    Source: dos Santos et al. 2021, arXiv:2109.13701.
    """
    if len(references) < LEAST_REPORTS:
        return [None] * len(references)
    rarity = _Rarity(references)
    return [
        CIDER_SCALE * rarity.cosine(ours, theirs) * _penalty(ours, theirs)
        for ours, theirs in zip(references, candidates, strict=True)
    ]


def _ngrams(tokens: Tokens, order: int) -> Counter[Tokens]:
    return Counter(tokens[k : k + order] for k in range(len(tokens) - order + 1))


class _Rarity:
    """Inverse document frequency of n-grams among the references."""

    def __init__(self, references: Sequence[Tokens]) -> None:
        self.reports = len(references)
        self.holding: Counter[Tokens] = Counter()
        for tokens in references:
            for order in range(1, ORDERS + 1):
                self.holding.update(_ngrams(tokens, order).keys())

    def vector(self, tokens: Tokens, order: int) -> dict[Tokens, float]:
        """Tf-idf of the n-grams of a text."""
        return {
            ngram: count * math.log(self.reports / max(1, self.holding[ngram]))
            for ngram, count in _ngrams(tokens, order).items()
        }

    def cosine(self, reference: Tokens, candidate: Tokens) -> float:
        """Mean over orders of the cosine, each weight clipped to the reference's."""
        total = 0.0
        for order in range(1, ORDERS + 1):
            ours, theirs = self.vector(reference, order), self.vector(candidate, order)
            shared = sum(min(theirs[g], ours[g]) * ours[g] for g in theirs.keys() & ours.keys())
            lengths = math.hypot(*ours.values()) * math.hypot(*theirs.values())
            total += shared / lengths if lengths else 0.0
        return total / ORDERS


def _penalty(reference: Tokens, candidate: Tokens) -> float:
    """Both penalties together; 1 where there is nothing to repeat."""
    if not candidate or not reference:
        return 1.0
    ours, theirs = Counter(reference), Counter(candidate)
    logs = [math.log1p(abs(count - ours.get(word, 1))) for word, count in theirs.items()]
    off = (len(candidate) - len(reference)) / len(reference)
    repetition = -sum(logs) / len(logs)
    return math.exp(REPETITION_WEIGHT * repetition - LENGTH_WEIGHT * off**2)
