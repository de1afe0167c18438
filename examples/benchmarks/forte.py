"""Whether our FORTE counts as the published procedure does, and where the two differ.

    python examples/benchmarks/forte.py ../shared/data/text/FORTE_brain.json --write

Pairs of sentences are made of the terms of FORTE's own lists: sentence forms filled by a seeded
draw, every seventh pair twice the same, every fifth with a term inside a longer word or between
marks, as reports write them (`lower`, `(edema)`, `infarcts`). Each pair is counted three ways:

- by the book: the published procedure, written out below anew from what is known of it, in no
  more than it says, and independent of the package;
- `published`: what `medprompt evaluate reports --published` counts;
- `ours`: what it counts without.

The first two have to agree on every pair. Ours has to agree where no term of the category is
found by one word boundary alone; where one is, the third table shows which, and in what. A term
whose key has a space behind it is not alike either: that space is a boundary written into the
list. Once the term is found it is cut off, no list holds the rest, and its synonyms are lost.
Pairs in which a degree is `no` are dropped, as the procedure does: ours keeps them, with their
polarity.

Its sentence model is no part of this: one sentence is held against one. The script ends with
exit code 1 if an agreement that has to be there is not.

Source: FORTE, https://www.nature.com/articles/s41467-025-57426-0, and its script FORTE.py.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from common import README, when_and_where, write_texts

from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.evaluation.reports.forte import Count, compare
from medprompt_cli.evaluation.reports.lexicon import (
    CATEGORIES,
    Category,
    Lexicon,
    read_lexicon,
)
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.published import (
    Difference,
    KeyIndex,
    Row,
    Synonyms,
    differences,
    synonyms_of,
    take_sentences,
)
from medprompt_cli.evaluation.reports.sentences import read_sentences
from medprompt_cli.evaluation.reports.tables import difference_table
from medprompt_cli.evaluation.reports.terms import TermIndex

PR = tuple[float | None, float | None]
"""Precision and recall of a pair; None where there is nothing to divide by."""

FORMS = (
    "{degree} {feature} of the {landmark}",
    "{feature} in the {landmark} and {impression} again",
    "there is {degree} {landmark} {feature}, {impression}",
    "{impression} with {degree} {feature} here",
)
DISGUISES = ("{}er", "{}s", "({})", "{},", "pre-{}", "{}/other")
"""What reports do to words, and one of the two boundaries does not see."""

SAME, DISGUISED = 7, 5
"""Every so many pairs are twice the same sentence, or have a term disguised."""

SHOWN = 25
"""So many differences are shown, those in most sentences first."""


def made_pairs(lexicon: Lexicon, count: int, seed: int) -> Iterator[ReportPair]:
    """Pairs of sentences made of the lexicon's own terms."""
    chance = random.Random(seed)
    terms = {c: [key.strip() for key in keys] for c, keys in lexicon.keys.items()}

    def sentence(*, disguised: bool) -> str:
        words = {category: chance.choice(of) for category, of in terms.items()}
        if disguised:
            category = chance.choice(list(words))
            words[category] = chance.choice(DISGUISES).format(words[category])
        return chance.choice(FORMS).format(**words)

    for number in range(count):
        first = sentence(disguised=number % DISGUISED == 0)
        same = number % SAME == 0
        yield ReportPair(str(number), first, first if same else sentence(disguised=False))


def by_the_book(reference: str, candidate: str, table: Mapping[str, Sequence[str]]) -> PR:
    """Precision and recall of one category of a pair, as the published procedure has them.

    1. The text is put in lower case, with a space on both sides; a key of the table is hit if
       it stands in it, as it is written there, its spaces included.
    2. A hit stands for the first key of the table whose list holds it.
    3. A key of the reference is found if the list that holds a key of the candidate holds it.
    4. Precision is found by candidate keys, recall found by reference keys; without keys on
       either side the pair is skipped, without keys on one side the other has 0.

    Args:
        reference: A sentence.
        candidate: The sentence that is held against it.
        table: By key its synonyms, with the stray spaces that they are written with.
    """

    def keys_of(text: str) -> set[str]:
        hits = [key.strip() for key in table if key in f" {text.lower()} "]
        return {
            next((key for key, same in table.items() if f" {hit}" in same), f" {hit}")
            for hit in hits
        }

    ours, theirs = keys_of(reference), keys_of(candidate)
    if not ours or not theirs:
        return (0.0 if theirs else None), (0.0 if ours else None)
    lists = [next((same for same in table.values() if key in same), (key,)) for key in theirs]
    found = sum(any(key in same for same in lists) for key in ours)
    return found / len(theirs), found / len(ours)


def without_synonyms(table: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Terms that lose their synonyms to the space behind their key, and these synonyms."""
    known = {word for same in table.values() for word in same}
    return {
        key.strip(): same
        for key, same in table.items()
        if len(same) > 1 and f" {key.strip()}" not in known
    }


@dataclass
class Tally:
    """One category over all pairs.

    Attributes:
        book: By the book, pair by pair.
        published: What `--published` counts.
        ours: What we count.
        alike: Whether both word boundaries find the same terms in the pair.
    """

    book: list[PR] = field(default_factory=list)
    published: list[PR] = field(default_factory=list)
    ours: list[PR] = field(default_factory=list)
    alike: list[bool] = field(default_factory=list)

    @property
    def published_agrees(self) -> int:
        """Pairs in which `--published` counts as the book does."""
        return sum(a == b for a, b in zip(self.book, self.published, strict=True))

    def ours_agrees(self, *, alike: bool) -> int:
        """Pairs of which the boundaries are alike, or not, and ours counts as the book does."""
        rows = zip(self.book, self.ours, self.alike, strict=True)
        return sum(book == ours for book, ours, same in rows if same is alike)


@dataclass
class Parity:
    """What came of all pairs.

    Attributes:
        tallies: By category.
        rows: The pairs that were counted.
        dropped: Pairs with a degree of `no`.
        lost: By category and term, in how many pairs its synonyms are lost.
    """

    tallies: dict[Category, Tally] = field(
        default_factory=lambda: {category: Tally() for category in CATEGORIES}
    )
    rows: list[Row] = field(default_factory=list)
    dropped: int = 0
    lost: Counter[tuple[Category, str]] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        """Whether every agreement is there that has to be."""
        return bool(self.rows) and all(
            tally.published_agrees == len(tally.book)
            and tally.ours_agrees(alike=True) == sum(tally.alike)
            for tally in self.tallies.values()
        )


def count_pairs(pairs: Iterable[ReportPair], lexicon: Lexicon, index: KeyIndex) -> Parity:
    """Count every pair three ways."""
    parity, synonyms = Parity(), synonyms_of(lexicon)
    alone = {category: without_synonyms(lexicon.keys[category]) for category in CATEGORIES}
    for pair in pairs:
        [row] = take_sentences(pair, index)
        if row.negated:
            parity.dropped += 1
            continue
        parity.rows.append(row)
        other = {one.category for one in differences([row], index)}
        counts = compare(
            read_sentences([pair.reference], index.terms),
            read_sentences([pair.candidate], index.terms),
        ).counts
        for category, tally in parity.tallies.items():
            table = lexicon.keys[category]
            tally.book.append(by_the_book(pair.reference, pair.candidate, table))
            tally.published.append(_published(row, category, synonyms[category]))
            tally.ours.append(_as_published(counts[category]))
            lost = alone[category].keys() & _hits(row, category)
            parity.lost.update((category, term) for term in lost)
            tally.alike.append(category not in other and not lost)
    return parity


def _hits(row: Row, category: Category) -> frozenset[str]:
    """The terms of both sentences that the procedure finds."""
    ours, theirs = (side[category] for side in row.hits["left"])
    return ours | theirs


def _published(row: Row, category: Category, synonyms: Synonyms) -> PR:
    ours, theirs = (side[category] for side in row.hits["left"])
    return synonyms.precision_recall(ours, theirs)


def _as_published(count: Count) -> PR:
    """Ours, where a side without terms leaves the other's score undefined."""
    if not count.reference or not count.candidate:
        return (0.0 if count.candidate else None), (0.0 if count.reference else None)
    return count.precision, count.recall


def agreement_table(tallies: Mapping[Category, Tally]) -> str:
    """In how many pairs the counts agree."""
    heads = [
        *("Terms", "Pairs", "`--published` agrees", "Boundaries alike", "Ours agrees there"),
        *("Boundaries differ", "Ours agrees there"),
    ]
    lines = []
    for category, tally in tallies.items():
        alike = sum(tally.alike)
        numbers = (
            *(len(tally.book), tally.published_agrees, alike, tally.ours_agrees(alike=True)),
            *(len(tally.book) - alike, tally.ours_agrees(alike=False)),
        )
        lines.append(table_line([category, *map(str, numbers)]))
    return "\n".join([table_line(heads), _rule(len(heads)), *lines])


def score_table(tallies: Mapping[Category, Tally]) -> str:
    """Mean precision and recall by the book and by ours, of pairs with alike boundaries."""
    heads = ["Terms", "Precision, book", "Precision, ours", "Recall, book", "Recall, ours"]
    lines = []
    for category, tally in tallies.items():
        sides = [
            [pr for pr, same in zip(of, tally.alike, strict=True) if same]
            for of in (tally.book, tally.ours)
        ]
        cells = [_mean(pr[number] for pr in side) for number in (0, 1) for side in sides]
        lines.append(table_line([category, *cells]))
    return "\n".join([table_line(heads), _rule(len(heads)), *lines])


def _rule(columns: int) -> str:
    return table_line(["---", *["--:"] * (columns - 1)])


def _mean(values: Iterable[float | None]) -> str:
    there = [value for value in values if value is not None]
    return f"{sum(there) / len(there):.4f}" if there else NOTHING


def report(parity: Parity, found: Sequence[Difference]) -> str:
    """The three tables."""
    most = sorted(found, key=lambda one: -one.sentences)[:SHOWN]
    more = f"... and {len(found) - SHOWN} more.\n" if len(found) > SHOWN else ""
    kept = "kept" if parity.holds else "NOT KEPT"
    said = (
        f"{len(parity.rows)} pairs, and {parity.dropped} dropped for a degree of `no`. That"
        f" both agree where the boundaries are alike: {kept}."
    )
    lost = "; ".join(f"{term} ({c}) in {n}" for (c, term), n in sorted(parity.lost.items()))
    return "\n\n".join(
        [
            agreement_table(parity.tallies),
            f"Means over pairs whose boundaries are alike:\n\n{score_table(parity.tallies)}",
            f"Where they differ, the {len(most)} commonest:\n\n{difference_table(most)}{more}",
            f"Pairs with a term that loses its synonyms: {lost or 'none'}.",
            said,
        ]
    )


def main(
    terms: Annotated[Path, typer.Argument(help="FORTE_brain.json.")],
    count: Annotated[int, typer.Option(min=1, help="Pairs to make.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed, the same pairs.")] = 7,
    readme: Annotated[Path, typer.Option(help="File to put the tables into.")] = README,
    *,
    write: Annotated[bool, typer.Option("--write", help="Put them there.")] = False,
) -> None:
    """Make pairs, count them three ways, print the tables."""
    lexicon = read_lexicon(terms)
    index = KeyIndex(lexicon, TermIndex(lexicon))
    parity = count_pairs(made_pairs(lexicon, count, seed), lexicon, index)
    command = f"python examples/benchmarks/forte.py {terms.as_posix()} --count {count}"
    heading = f"By `{command}`, {when_and_where()}:"
    text = f"{heading}\n\n{report(parity, differences(parity.rows, index))}"
    typer.echo(text)
    if write:
        write_texts(readme, {"forte": text})
    if not parity.holds:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
