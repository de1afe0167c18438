"""Whether every number, side and structure of a report stands in the rows that it names.

Nothing of the lock is used here: rows are those of the Parquet files, found by the ids that
sentences carry, and what is printed is looked for among their values.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from medprompt_cli.cohort.report_facts import Results
from medprompt_cli.reporting.facts import Facts, ImageFact, NumberFact
from medprompt_cli.reporting.gathering import KEYS, row_id
from medprompt_cli.reporting.names import LANDMARKS, name_of, split_side
from medprompt_cli.reporting.report import Report, Sentence

Row = Mapping[str, Any]

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![A-Za-z0-9_])(?!\.\d)")
NAMED = re.compile(
    r"medprompt \S+|anatomy-small \S+|\d{4}-\d\d-\d\d|(?:ses|sub)-\w+|T1ce|T1w|T2w|mm2"
)
SIDES = {"left": "left", "right": "right", "좌측": "left", "우측": "right"}
OF_ICV = "of-icv"
"""Ends quantities whose sentences name the intracranial volume, too."""


@dataclass
class Traced:
    """What was looked for.

    Attributes:
        found: How many numbers, sides and structures stand in the rows of their sentences.
        missing: Of those that do not, the sort, the word and the sentence.
    """

    found: Counter[str] = field(default_factory=Counter)
    missing: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, sort: str, word: str, sentence: str, *, there: bool) -> None:
        """Note one."""
        if there:
            self.found[sort] += 1
        else:
            self.missing.append((sort, word, sentence))


def rows_by_id(results: Results, subject: str) -> dict[str, Row]:
    """Every row of a subject by the id that sentences name it by."""
    tables = (table for table in KEYS if table != "images")
    return {row_id(t, row): row for t in tables for row in results.rows(subject, t)}


def trace(report: Report, rows: Mapping[str, Row], traced: Traced) -> None:
    """Look for all that a report says in the rows that it names."""
    for sentence in report.sentences:
        own = [rows[name] for name in sentence.references if name in rows]
        numbers = list(_numbers(sentence, own, report.facts))
        text = NAMED.sub(lambda match: " " * len(match[0]), sentence.text)
        for match in NUMBER.finditer(text):
            there = any(_printed(match[0], number) for number in numbers)
            traced.add("numbers", match[0], sentence.text, there=there)
        words = {word for row in own for word in (row.get("region"), row.get("value"))}
        named = {word for word in words if isinstance(word, str)}
        for word, side in SIDES.items():
            if re.search(rf"(?<!\w){word}", text, re.IGNORECASE):
                there = any(name == side or name.startswith(f"{side}-") for name in named)
                traced.add("sides", word, sentence.text, there=there)
        kinds = {split_side(name)[1] for name in named}
        if any(str(row.get("quantity", "")).endswith(OF_ICV) for row in own):
            kinds.add("intracranial")
        # a sentence of no row says what was not looked for, or on which image
        for word, kind in _structures(text, report) if own else ():
            traced.add("structures", word, sentence.text, there=kind in kinds)


def _printed(word: str, value: float) -> bool:
    """Whether a value, but for its sign, is printed as a word."""
    decimals = len(word.partition(".")[2])
    return abs(float(word) - abs(value)) <= 0.5 * 10.0**-decimals * (1 + 1e-9) + 1e-12


def _numbers(sentence: Sentence, rows: list[Row], facts: Facts) -> Iterator[float]:
    """Every number of rows; how many lesions of the ledger met each fate; limits."""
    for row in rows:
        yield from (float(v) for v in row.values() if isinstance(v, int | float))
        yield from (float(word) for word in str(row.get("related") or "").split())
        evidence = json.loads(row.get("evidence") or "{}")
        yield from (float(number["value"]) for number in evidence.values())
    met = [row["fate"] for row in rows if "fate" in row]
    yield from (float(count) for count in Counter(met).values())
    for name in sentence.references:
        fact = facts.rows[name]
        if isinstance(fact, ImageFact):
            yield from fact.spacing_mm
        if isinstance(fact, NumberFact) and fact.limits is not None:
            known = (fact.limits.low, fact.limits.high, fact.limits.z)
            yield from (number for number in known if number is not None)


def _structures(text: str, report: Report) -> Iterator[tuple[str, str]]:
    """Names of regions in a text, and the regions without side."""
    kinds = {split_side(region)[1] for region in report.facts.regions} | LANDMARKS
    names = {name_of(kind, report.language).lower(): kind for kind in kinds}
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    for match in re.finditer(
        rf"(?<![\w가-힣])(?:{either})(?![a-z]|(?!에 )[가-힣])", text, re.IGNORECASE
    ):
        yield match[0], names[match[0].lower()]
