"""A report in sentences, each with its terms and whether they are denied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.evaluation.reports.lexicon import Category
from medprompt_cli.evaluation.reports.negation import denied
from medprompt_cli.evaluation.reports.terms import TermIndex
from medprompt_cli.evaluation.reports.words import words_of

Polarity = Literal["positive", "negative", "neutral"]

WRAPPED = 40
"""A line of at least so many characters, without an end mark, may go on in the next line."""

PLACES: frozenset[Category] = frozenset({"landmark"})
"""Categories without polarity: a place is named, and neither there nor absent."""

MARKUP = re.compile(r"^\s*(?:#+|>|[-*\u2022]|\d{1,2}[.)](?=\s))\s*|\*\*|__|`")
"""Headings, list marks and emphasis of Markdown."""

BEGINS = re.compile(r"\s*(?:$|[A-Z#>|]|[-*\u2022]\s|\d{1,2}[.)]\s)")
"""A line that does not go on with the one before."""

ENDED = re.compile(r"[.!?:;\u3002\uc74c\ud568\ub428\uc784\ub2e4\uc694]\s*$")
"""A line that is complete: by its mark, or by the syllable that ends a Korean sentence."""

END = re.compile(
    r"(?<=[.!?\u3002])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\bcf\.)(?<!\bapprox\.)\s+"
    r"|(?<=[a-z\uac00-\ud7a3)]\.)(?=[A-Z\uac00-\ud7a3])"
)
"""Where a sentence ends; not in a decimal number, nor after a common abbreviation."""

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


def split_sentences(text: str) -> list[str]:
    r"""The sentences of a report.

    A line ends one, unless it is long, has no mark at its end, and the next begins with no
    capital letter: then it was wrapped.

    >>> split_sentences("- Mild atrophy. Cyst of 1.5 cm.\n- No midline shift")
    ['Mild atrophy.', 'Cyst of 1.5 cm.', 'No midline shift']
    """
    return [
        part.strip()
        for line in _lines(text)
        for part in END.split(MARKUP.sub("", line))
        if words_of(part)
    ]


def _lines(text: str) -> Iterator[str]:
    """Lines as they were before they were wrapped."""
    whole, last = "", ""
    for line in text.splitlines():
        wrapped = len(last.strip()) >= WRAPPED and not ENDED.search(last)
        if wrapped and not BEGINS.match(line):
            whole += f" {line.strip()}"
        else:
            yield whole
            whole = line
        last = line
    yield whole


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
