"""FORTE as its authors' script counts it, to compare with, and where word boundaries matter.

Rules of the script, kept here as they are:

1. A text is split at every full stop, also in `1.5 cm`. Each reference sentence takes the
   candidate sentence most like it: one may be taken twice, another never. The script asks a
   sentence model how alike they are; here it is the lexical similarity of pairing.py.
2. A term is hit if it stands in the lower-case text with a space on its left; what follows
   does not matter, so that `low` is hit in `lower`. Only keys are looked for.
3. A hit stands for the first key whose list holds it. A reference key is found if the list
   of any candidate key holds it.
4. Precision is found / candidate keys, recall found / reference keys, for each pair. Without
   reference keys precision is 0 and recall nothing; without candidate keys it is the other
   way round; without both, both are nothing.
5. Pairs in which a degree hit is `no` can be dropped.

The script stops there. The mean over pairs, and F1 as the harmonic mean of mean precision and
mean recall, are ours.

Source: https://github.com/charlierabea/FORTE, read in FORTE.py at b651018.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.evaluation.reports.lexicon import CATEGORIES, Category, Lexicon, stems_of
from medprompt_cli.evaluation.reports.pairing import Similarity, lexical_similarity
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.sentences import Sentence, read_sentences
from medprompt_cli.evaluation.reports.terms import TermIndex
from medprompt_cli.language.words import words_of

Boundary = Literal["left", "both"]
"""`left`: the script's rule. `both`: whole words, singular or plural, punctuation or not."""

BOUNDARIES: tuple[Boundary, ...] = ("left", "both")
SPACE = re.compile(r"\s")
NO = re.compile(r"(?:^|\s|>|-)no(?:\s|$|[.,;!?])")

Hits = Mapping[Category, frozenset[str]]


@dataclass(frozen=True)
class Row:
    """A reference sentence and the candidate sentence it took.

    Attributes:
        report: Which report.
        reference: The sentence.
        candidate: What it took.
        similarity: How alike they are.
        hits: Under each boundary rule, the terms of the reference and of the candidate.
    """

    report: str
    reference: Sentence
    candidate: Sentence
    similarity: float
    hits: Mapping[Boundary, tuple[Hits, Hits]]

    @property
    def negated(self) -> bool:
        """Whether the script drops it: a degree hit of either sentence is `no`."""
        return any(NO.search(hit) for side in self.hits["left"] for hit in side["degree"])


class KeyIndex:
    """The keys of a lexicon, ready to be looked for under both rules."""

    def __init__(self, lexicon: Lexicon, terms: TermIndex) -> None:
        self.lexicon, self.terms = lexicon, terms
        self._known: dict[str, dict[Boundary, Hits]] = {}
        self._by_first: dict[str, list[tuple[tuple[str, ...], Category, str]]] = {}
        for category in CATEGORIES:
            for key in lexicon.keys[category]:
                stems = stems_of(key)
                self._by_first.setdefault(stems[0], []).append((stems, category, key))

    def find(self, text: str) -> dict[Boundary, Hits]:
        """The terms in a text under each rule, without their stray spaces, by category."""
        if text not in self._known:
            self._known[text] = {"left": self._left(text), "both": self._whole(text)}
        return self._known[text]

    def _left(self, text: str) -> Hits:
        padded = f" {text.lower()} "
        return {
            category: frozenset(key.strip() for key in keys if key in padded)
            for category, keys in self.lexicon.keys.items()
        }

    def _whole(self, text: str) -> Hits:
        found: dict[Category, set[str]] = {category: set() for category in CATEGORIES}
        stems = self.terms.stems(words_of(text))
        for first, head in enumerate(stems):
            for term, category, key in self._by_first.get(head, ()):
                if stems[first : first + len(term)] == term:
                    found[category].add(key.strip())
        return {category: frozenset(hits) for category, hits in found.items()}


def take_sentences(
    pair: ReportPair, index: KeyIndex, similarity: Similarity = lexical_similarity
) -> list[Row]:
    """The pairs of sentences of one report; none if either text has no sentence."""
    ours, theirs = (
        read_sentences(_split(text), index.terms) for text in (pair.reference, pair.candidate)
    )
    if not ours or not theirs:
        return []
    alike = similarity(ours, theirs)
    rows = []
    for sentence, row in zip(ours, alike, strict=True):
        taken = theirs[int(row.argmax())]
        first, second = index.find(sentence.text), index.find(taken.text)
        hits: dict[Boundary, tuple[Hits, Hits]] = {
            rule: (first[rule], second[rule]) for rule in BOUNDARIES
        }
        rows.append(Row(pair.name, sentence, taken, float(row.max()), hits))
    return rows


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(".") if part.strip()]


class Synonyms:
    """What the terms of a category stand for.

    >>> synonyms = Synonyms({" mild": [" mild", " slight"], " slight": [" mild", " slight"]})
    >>> synonyms.precision_recall(["mild"], ["slight", "old"])
    (0.5, 1.0)
    """

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        self._stands_for: dict[str, str] = {}
        for key, synonyms in keys.items():
            for term in synonyms:
                self._stands_for.setdefault(term, key)
        self._keys = keys

    def main_key(self, hit: str) -> str:
        """The key that a hit stands for; the hit itself if no list holds it."""
        return self._stands_for.get(f" {hit}", f" {hit}")

    def only(self, first: Iterable[str], second: Iterable[str]) -> list[str]:
        """The hits of the first that stand for nothing that one of the second does."""
        known = {self.main_key(hit) for hit in second}
        return sorted(hit for hit in first if self.main_key(hit) not in known)

    def precision_recall(
        self, reference: Iterable[str], candidate: Iterable[str]
    ) -> tuple[float | None, float | None]:
        """What the script computes of the hits of a pair."""
        ours, theirs = ({self.main_key(hit) for hit in side} for side in (reference, candidate))
        if not ours or not theirs:
            return (0.0 if theirs else None), (0.0 if ours else None)
        found = sum(any(key in self.meaning(other) for other in theirs) for key in ours)
        return found / len(theirs), found / len(ours)

    def meaning(self, key: str) -> Sequence[str]:
        """The main keys that a main key of a candidate answers."""
        return self._keys.get(self._stands_for.get(key, ""), (key,))


def synonyms_of(lexicon: Lexicon) -> dict[Category, Synonyms]:
    """What the terms of every category stand for."""
    return {category: Synonyms(lexicon.keys[category]) for category in CATEGORIES}


@dataclass(frozen=True, slots=True)
class Difference:
    """A term that only one boundary rule finds, itself or by a synonym.

    Attributes:
        category: Of the term.
        term: Without its stray spaces.
        rule: The rule that finds it.
        words: What it is found in.
        sentences: In how many sentences of all pairs.
    """

    category: Category
    term: str
    rule: Boundary
    words: str
    sentences: int


def differences(rows: Iterable[Row], index: KeyIndex) -> list[Difference]:
    """The terms that the two boundary rules disagree about, and what they are found in."""
    tally: dict[tuple[Category, str, Boundary, str], set[tuple[str, int, int]]] = {}
    synonyms, keys = synonyms_of(index.lexicon), index.lexicon.keys
    for row in rows:
        for side, sentence in enumerate((row.reference, row.candidate)):
            left, both = (row.hits[rule][side] for rule in BOUNDARIES)
            place = (row.report, side, sentence.number)
            for category, same in synonyms.items():
                for term in same.only(left[category], both[category]):
                    words = _around(sentence.text, term, keys[category])
                    tally.setdefault((category, term, "left", words), set()).add(place)
                for term in same.only(both[category], left[category]):
                    words = _written(sentence.text, term, index.terms)
                    tally.setdefault((category, term, "both", words), set()).add(place)
    found = sorted(tally.items(), key=lambda one: (CATEGORIES.index(one[0][0]), one[0][1:]))
    return [Difference(*key, len(places)) for key, places in found]


def _around(text: str, term: str, keys: Iterable[str]) -> str:
    """The whole words that the script's substring is a part of."""
    padded = f" {text.lower()} "
    key = next(key for key in keys if key.strip() == term and key in padded)
    start = padded.index(key) + len(key) - len(key.lstrip())
    rest = padded[start + len(term) :]
    return term + SPACE.split(rest)[0]


def _written(text: str, term: str, terms: TermIndex) -> str:
    """How a term is written, with the marks on both sides of it."""
    words, wanted = words_of(text), stems_of(term)
    stems = terms.stems(words)
    for k in range(len(stems) - len(wanted) + 1):
        last = k + len(wanted) - 1
        if stems[k : last + 1] == wanted:
            start, end = words[k].start, words[last].end
            before = SPACE.split(text[:start])[-1]
            return (before + text[start:end] + SPACE.split(text[end:])[0]).lower()
    return term
