"""Reports in, every number and every term out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medprompt_cli.evaluation.reports.forte import compare
from medprompt_cli.evaluation.reports.lexicon import Lexicon
from medprompt_cli.evaluation.reports.pairing import Similarity, lexical_similarity
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.published import (
    Difference,
    KeyIndex,
    differences,
    take_sentences,
)
from medprompt_cli.evaluation.reports.published_scores import (
    published_keywords,
    published_scores,
)
from medprompt_cli.evaluation.reports.scores import ReportScore, forte_scores, ngram_scores
from medprompt_cli.evaluation.reports.sentences import read_report
from medprompt_cli.evaluation.reports.terms import TermIndex
from medprompt_cli.evaluation.reports.trace import KeywordRow, forte_keywords


@dataclass(frozen=True)
class Judgement:
    """What is known of some reports.

    Attributes:
        scores: Of each report, then of all.
        keywords: Every term of every text.
        differences: Where the word boundary of the published procedure matters; empty if
            that was not asked for.
    """

    scores: list[ReportScore]
    keywords: list[KeywordRow]
    differences: list[Difference]


def judge_reports(
    pairs: Sequence[ReportPair],
    lexicon: Lexicon,
    similarity: Similarity = lexical_similarity,
    *,
    published: bool = False,
) -> Judgement:
    """Compare candidates with references by their terms and their n-grams.

    Args:
        pairs: The reports.
        lexicon: Which terms count.
        similarity: How alike sentences are, to pair them.
        published: Whether to follow FORTE's script too, to compare with.
    """
    terms = TermIndex(lexicon)
    counts, keywords = {}, []
    for one in pairs:
        reference, candidate = (
            read_report(one.reference, terms),
            read_report(one.candidate, terms),
        )
        found = compare(reference, candidate, similarity)
        counts[one.name] = found.counts
        keywords += forte_keywords(one.name, found.keywords)
    scores = [*forte_scores(counts), *ngram_scores(pairs)]
    if not published:
        return Judgement(scores, keywords, [])
    index = KeyIndex(lexicon, terms)
    rows = [row for one in pairs for row in take_sentences(one, index, similarity)]
    scores += published_scores(rows, lexicon)
    keywords += published_keywords(rows, lexicon)
    return Judgement(scores, keywords, differences(rows, index))
