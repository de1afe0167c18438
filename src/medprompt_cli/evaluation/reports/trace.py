"""The keyword table: every term of every text, where it stands and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medprompt_cli.evaluation.reports.forte import Keyword


@dataclass(frozen=True, slots=True)
class KeywordRow:
    """A term in a sentence of a report.

    Attributes:
        report: Name of the report.
        measure: `forte`, or `published` for the published procedure.
        side: `reference` or `candidate`.
        sentence: Number of the sentence in that text.
        text: The sentence.
        category: Of the term.
        term: Name of its group of synonyms.
        polarity: `positive`, `negative`, or `neutral` for a landmark; None if published.
        words: As written, or as the lexicon has it if published.
        start: Offset of the words in the sentence; None if published.
        end: Offset after them.
        counted: Whether it counts: a sentence says a thing once.
        outcome: `matched`, `contradicted`, `missed` or `added`.
        partner: Sentence of the other text that it was compared with.
        similarity: Of the two sentences, if they are a pair.
    """

    report: str
    measure: str
    side: str
    sentence: int
    text: str
    category: str
    term: str
    polarity: str | None
    words: str
    start: int | None
    end: int | None
    counted: bool
    outcome: str
    partner: int | None
    similarity: float | None


def forte_keywords(report: str, keywords: Iterable[Keyword]) -> Iterator[KeywordRow]:
    """The terms of one report, as FORTE compared them."""
    for one in keywords:
        category, term, polarity = one.hit.item
        yield KeywordRow(
            report=report,
            measure="forte",
            side=one.side,
            sentence=one.sentence,
            text=one.text,
            category=category,
            term=term,
            polarity=polarity,
            words=one.hit.words,
            start=one.hit.start,
            end=one.hit.end,
            counted=one.counted,
            outcome=one.outcome,
            partner=one.partner,
            similarity=one.similarity,
        )
