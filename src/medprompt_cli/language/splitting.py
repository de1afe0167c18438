"""A text in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from medprompt_cli.language.words import words_of

WRAPPED = 40
"""A line of at least so many characters, without an end mark, may go on in the next line."""

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
