"""Whether the lock lets reports through that restate facts, and none that do not.

    python examples/benchmarks/lock.py
    python examples/benchmarks/lock.py --seed 10000 --mutants 2000
    python examples/benchmarks/lock.py --out OUT --mutants 2000

Subjects are made of random numbers (`lock_cases.py`), every other report in Korean; or they are
those of an output folder of `medprompt segment` and `longitudinal`: of each visit all there is,
and where lesions lie, both in English and in Korean. Of these every number, side and structure
is also looked for in the tables, without the lock (`lock_tables.py`).
Mutants are reports with one error: a number 10 % off, the other side, a denial added or taken
away, another region in the place of one, the opposite of a word. How many of either are refused
is printed; with --escaped also every mutant that was not.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from lock_cases import make_facts
from lock_tables import Row, Traced, rows_by_id, trace

from medprompt_cli.cohort.report_facts import Results
from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.facts import Facts, is_lesion
from medprompt_cli.reporting.names import LANDMARKS, name_of, split_side
from medprompt_cli.reporting.report import LANGUAGES, Language, Mode, Report
from medprompt_cli.reporting.verify import Lock

MEASURED_MODES: tuple[Mode, ...] = ("global", "region")
"""What reports of an output folder are about."""

NUMBER = re.compile(r"(?<![\w.\-])[+-]?\d+(?:\.\d+)?(?![A-Za-z0-9_])(?!\.\d)(?!-\d)")
SIDES: Mapping[Language, Mapping[str, str]] = {
    "en": {"left": "right", "right": "left", "Left": "Right", "Right": "Left"},
    "ko": {"좌측": "우측", "우측": "좌측"},
}
DENIED: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        *((r"^No (\w)", r"\1"), (r"\bnot ", ""), (r"\bwithout restricted", "with restricted")),
        *((r"\bno ", ""), (r"^(?=\w)", "No "), (r"(?<!not )enhancing\b", "not enhancing")),
        *((r"\bwith restricted", "without restricted"), (r"\bpresent\b", "not present")),
        *((r"\bhyperintense\b", "not hyperintense"), (r" were ", " were not ")),
    ),
    "ko": (
        *(("없음", "있음"), ("있음", "없음"), ("넘지 않음", "넘음"), ("못함", "함")),
        *(("고신호", "고신호 아님"), ("넘음", "넘지 않음"), (r"\.$", " 없음.")),
    ),
}
"""Patterns, and what takes the place of the first of them that fits a sentence."""

OPPOSITES: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        *(("hyperintense", "hypointense"), ("hypointense", "isointense"), ("small", "large")),
        *(("smaller", "larger"), ("larger", "smaller"), ("large", "small"), ("mL", "mm")),
        *(("definitely", "possibly"), ("probably", "definitely"), ("FLAIR", "T1w")),
        *(("enlarging", "stable"), ("beyond", "within"), ("below", "above"), ("mm ", "mL ")),
        *(("deep", "periventricular"), ("outside the field of view", "no value")),
    ),
    "ko": (
        *(("고신호", "저신호"), ("저신호", "등신호"), ("증가", "감소"), ("감소", "증가")),
        *(("확실함", "가능성 있음"), ("가능성 높음", "확실함"), ("을 넘음", " 이내")),
        *(("커짐", "작아짐"), ("미만", "초과"), ("작음", "큼"), ("심부", "뇌실 주위")),
        *(("영상 범위 밖", "값이 없음"), ("FLAIR", "T1w"), ("mL", "mm")),
    ),
}
"""Words, and what takes their place."""

Mutate = Callable[[str, "Case", np.random.Generator], str | None]
"""Takes a sentence; gives it with an error, or None if it has no place for one."""


@dataclass(frozen=True)
class Case:
    """A report and what it rests on.

    Attributes:
        facts: Of the subject.
        report: About it.
        lock: With the facts.
        rows: Of the tables by their ids; none of random subjects.
    """

    facts: Facts
    report: Report
    lock: Lock
    rows: Mapping[str, Row] = field(default_factory=dict)


def other_number(text: str, _: Case, rng: np.random.Generator) -> str | None:
    """One number 10 % off, at least by its last digit."""
    found = list(NUMBER.finditer(_without_names(text)))
    if not found:
        return None
    match = found[rng.integers(len(found))]
    decimals = len(match[0].partition(".")[2])
    sign = "+" if match[0].startswith("+") else ""
    value, away = float(match[0]), rng.choice([0.9, 1.1])
    least = 10.0**-decimals * (1 if away > 1 else -1)
    changed = f"{value * away:{sign}.{decimals}f}"
    if float(changed) == value:
        changed = f"{value + least:{sign}.{decimals}f}"
    return text[: match.start()] + changed + text[match.end() :]


def _without_names(text: str) -> str:
    """The same length, without the numbers of versions, dates and visits."""
    named = r"medprompt \S+|anatomy-small \S+|\d{4}-\d\d-\d\d|(?:ses|sub)-\w+"
    return re.sub(named, lambda match: " " * len(match[0]), text)


def other_side(text: str, case: Case, rng: np.random.Generator) -> str | None:
    """Left for right, or right for left."""
    sides = SIDES[case.report.language]
    found = list(re.finditer("|".join(rf"(?<!\w){side}" for side in sides), text))
    if not found:
        return None
    match = found[rng.integers(len(found))]
    return text[: match.start()] + sides[match[0]] + text[match.end() :]


def other_denial(text: str, case: Case, rng: np.random.Generator) -> str | None:
    """A denial more, or one less."""
    fitting = [(a, b) for a, b in DENIED[case.report.language] if re.search(a, text)]
    if not fitting:
        return None
    pattern, instead = fitting[rng.integers(len(fitting))]
    return re.sub(pattern, instead, text, count=1)


def other_region(text: str, case: Case, rng: np.random.Generator) -> str | None:
    """Another region of the same sort: one that the facts hold, too."""
    language = case.report.language
    kinds = {split_side(region)[1] for region in case.facts.regions}
    kinds |= set(LANDMARKS)
    names = {name_of(kind, language): kind for kind in sorted(kinds)}
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found = list(re.finditer(rf"(?<![\w가-힣])(?:{either})", text, re.IGNORECASE))
    lower = {name.lower(): kind for name, kind in names.items()}
    if not found:
        return None
    match = found[rng.integers(len(found))]
    kind = lower[match[0].lower()]
    others = [one for one in names.values() if one != kind and _sort(one) == _sort(kind)]
    if not others:
        return None
    instead = name_of(others[rng.integers(len(others))], language)
    if match[0][0].isupper():
        instead = instead[0].upper() + instead[1:]
    return text[: match.start()] + instead + text[match.end() :]


def _sort(kind: str) -> str:
    if is_lesion(kind):
        return "lesion"
    return "landmark" if kind in LANDMARKS else "structure"


def opposite(text: str, case: Case, rng: np.random.Generator) -> str | None:
    """The opposite of a word, or another unit, image or degree of certainty."""
    fitting = [(a, b) for a, b in OPPOSITES[case.report.language] if a in text]
    if not fitting:
        return None
    word, instead = fitting[rng.integers(len(fitting))]
    places = [match.start() for match in re.finditer(re.escape(word), text)]
    at = places[rng.integers(len(places))]
    return text[:at] + instead + text[at + len(word) :]


WAYS: Mapping[str, Mutate] = {
    "number 10 % off": other_number,
    "other side": other_side,
    "denial flipped": other_denial,
    "other region": other_region,
    "opposite word": opposite,
}


def cases(count: int, first: int = 0) -> Iterator[Case]:
    """Reports of random subjects, in one language after the other."""
    for seed in range(first, first + count):
        facts = make_facts(seed)
        language = LANGUAGES[seed % len(LANGUAGES)]
        yield Case(facts, compose(facts, language), Lock(facts))


def measured_cases(out: Path) -> Iterator[Case]:
    """Reports of every visit of an output folder, in both languages, of all and by place.

    A report of a visit is held against the facts of that visit.
    """
    results = Results(out, {})
    for subject in results.subjects():
        facts, rows = results.facts(subject), rows_by_id(results, subject)
        for visit in facts.visits:
            lock = Lock(facts, visit.name)
            for mode, language in product(MEASURED_MODES, LANGUAGES):
                made = compose(facts, language, Scope(mode, visit=visit.name))
                yield Case(facts, made, lock, rows)


def mutants(case: Case, count: int, rng: np.random.Generator) -> Iterator[tuple[str, str, str]]:
    """Texts with one error: the way, the whole text, the sentence that has it."""
    texts = [sentence.text for sentence in case.report.sentences]
    ways = rng.permutation(list(WAYS))
    made = 0
    while made < count:
        way = str(ways[made % len(ways)])
        at = int(rng.integers(len(texts)))
        changed = WAYS[way](texts[at], case, rng)
        if changed is not None and changed != texts[at]:
            yield way, " ".join([*texts[:at], changed, *texts[at + 1 :]]), changed
            made += 1


@dataclass
class Tally:
    """What came of all mutants.

    Attributes:
        made: How many of each language and way.
        refused: How many of them were refused.
        passed: Untouched reports that passed, by language.
        reports: Untouched reports, by language.
        escaped: Mutants that were not refused.
    """

    made: Counter[tuple[str, str]]
    refused: Counter[tuple[str, str]]
    passed: Counter[str]
    reports: Counter[str]
    escaped: list[tuple[str, str]]


def judge(found: Sequence[Case], wanted: int, seed: int = 0) -> Tally:
    """Hold untouched reports and mutants of them against the facts."""
    rng = np.random.default_rng(seed)
    tally = Tally(Counter(), Counter(), Counter(), Counter(), [])
    for number, case in enumerate(found):
        each = wanted * (number + 1) // len(found) - wanted * number // len(found)
        language = case.report.language
        tally.reports[language] += 1
        tally.passed[language] += not case.lock.problems(case.report.text)
        for way, text, changed in mutants(case, each, rng):
            tally.made[language, way] += 1
            if case.lock.problems(text):
                tally.refused[language, way] += 1
            else:
                tally.escaped.append((way, changed))
    return tally


def table(tally: Tally) -> str:
    """The figures as a table of Markdown."""
    rows = {"untouched, let through": [(tally.passed[a], tally.reports[a]) for a in LANGUAGES]}
    for way in WAYS:
        found = [(tally.refused[a, way], tally.made[a, way]) for a in LANGUAGES]
        rows[f"{way}, refused"] = found
    lines = ["| | English | Korean |", "|---|---|---|"]
    for name, counts in rows.items():
        lines.append(f"| {name} | {' | '.join(f'{part} of {all_}' for part, all_ in counts)} |")
    return "\n".join(lines)


def main(
    subjects: Annotated[int, typer.Option("--cases", min=1, help="Random subjects.")] = 200,
    wanted: Annotated[int, typer.Option("--mutants", min=5, help="With one error.")] = 1250,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the first; the lock grew on 0 to 199.")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Reports of this output folder, not of random subjects.")
    ] = None,
    *,
    escaped: Annotated[bool, typer.Option("--escaped", help="Print what got through.")] = False,
) -> None:
    """Judge, and print the table."""
    begin = time.perf_counter()
    found = list(cases(subjects, seed) if out is None else measured_cases(out))
    tally = judge(found, wanted, seed)
    made, refused = sum(tally.made.values()), sum(tally.refused.values())
    print(table(tally))
    print(f"\n{refused} of {made} mutants refused ({100 * refused / made:.1f} %),", end=" ")
    print(f"{sum(tally.passed.values())} of {sum(tally.reports.values())} reports let through,")
    print(f"in {time.perf_counter() - begin:.0f} s.")
    if out is not None:
        _print_traced(found, escaped=escaped)
    for way, text in tally.escaped if escaped else ():
        print(f"{way}: {text}")


def _print_traced(found: Sequence[Case], *, escaped: bool) -> None:
    traced = Traced()
    for case in found:
        trace(case.report, case.rows, traced)
    counts = ", ".join(f"{count} {sort}" for sort, count in traced.found.items())
    print(f"In the rows that sentences name: {counts}; not there: {len(traced.missing)}.")
    for sort, word, text in traced.missing if escaped else ():
        print(f"{sort}, {word!r}: {text}")


if __name__ == "__main__":
    typer.run(main)
