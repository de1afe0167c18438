"""A report in sentences, each with its terms and whether they are denied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.evaluation.reports.lexicon import Category
from medprompt_cli.evaluation.reports.terms import TermIndex
from medprompt_cli.language.negation import denied
from medprompt_cli.language.splitting import split_sentences
from medprompt_cli.language.words import words_of

Polarity = Literal["positive", "negative", "neutral"]

PLACES: frozenset[Category] = frozenset({"landmark"})
"""Categories without polarity: a place is named, and neither there nor absent."""

Item = tuple[Category, str, Polarity]
"""What is compared: category, name of the term, polarity."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A term that stands in a sentence.

    Attributes:
        item: What it says.
        words: As written.
        start: Offset in the sentence.
        end: Offset after it.
    """

    item: Item
    words: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a report.

    Attributes:
        number: Counted from 1.
        text: Without marks of lists and headings.
        hits: Its terms, from left to right.
        stems: Its words, as compared.
    """

    number: int
    text: str
    hits: tuple[Hit, ...]
    stems: frozenset[str]

    @property
    def items(self) -> tuple[Item, ...]:
        """What its terms say, each once."""
        return tuple(dict.fromkeys(hit.item for hit in self.hits))


def read_report(text: str, terms: TermIndex) -> list[Sentence]:
    """The sentences of a report with their terms."""
    return read_sentences(split_sentences(text), terms)


def read_sentences(texts: Iterable[str], terms: TermIndex) -> list[Sentence]:
    """Sentences that are split already, with their terms."""
    return [_read(number, text, terms) for number, text in enumerate(texts, start=1)]


def _read(number: int, text: str, terms: TermIndex) -> Sentence:
    words = words_of(text)
    places = terms.find(words)
    no = denied(words, [(place.first, place.last) for place in places])
    hits = []
    for place in places:
        start, end = words[place.first].start, words[place.last].end
        polarity: Polarity = "negative" if no[place.last] else "positive"
        if place.category in PLACES:
            polarity = "neutral"
        hits.append(Hit((place.category, place.term, polarity), text[start:end], start, end))
    return Sentence(number, text, tuple(hits), frozenset(word.stem for word in words))
