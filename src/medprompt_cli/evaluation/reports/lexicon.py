"""Which terms count, in which category, and which mean the same.

A lexicon is a JSON object with the four categories of FORTE. A category is either a list of
synonym groups, `[["mild", "slight"], ...]`, or FORTE's own form, an object from each term to
its synonyms, `{" mild": [" mild", " slight"], ...}`, whose lists are joined into groups where
they share a term.

Source: FORTE, https://www.nature.com/articles/s41467-025-57426-0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from medprompt_cli.bids.problems import reason_of
from medprompt_cli.errors import InputError
from medprompt_cli.language.words import words_of

Category = Literal["degree", "landmark", "feature", "impression"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
OURS = "medprompt"
"""Name of the lexicon that the package carries."""

DESCRIPTION = "description"
"""The one key beside the categories: free text for people."""

Groups = Mapping[Category, tuple[tuple[str, ...], ...]]
Keys = Mapping[Category, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Lexicon:
    """The terms of every category.

    Attributes:
        source: `medprompt`, or the file it was read from.
        groups: Terms that mean the same, by category; the first of a group is its name.
        keys: The same as FORTE's script looks them up: a term with its stray spaces, and
            its synonyms. Of groups, every term with one space before it.
        named: Categories whose groups have a name that was chosen, so that it says what
            each of its terms means; FORTE's own form has no such names.
    """

    source: str
    groups: Groups
    keys: Keys
    named: frozenset[Category]

    @property
    def size(self) -> int:
        """How many terms there are."""
        return sum(len(group) for groups in self.groups.values() for group in groups)


def our_lexicon() -> Lexicon:
    """The lexicon of the package, for brain MRI and CT, in English and Korean."""
    text = files("medprompt_cli.evaluation.reports").joinpath("lexicon.json").read_bytes()
    return _parse(text, OURS)


def read_lexicon(path: Path) -> Lexicon:
    """Read a lexicon from a file.

    Raises:
        InputError: If it cannot be read, or is no lexicon.
    """
    try:
        return _parse(path.read_bytes(), str(path))
    except OSError as error:
        raise _bad(str(path), reason_of(path, error)) from error


def _parse(content: bytes, source: str) -> Lexicon:
    try:
        tables = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise _bad(source, f"It is not JSON: {error}.") from error
    if not isinstance(tables, dict):
        raise _bad(source, f"It holds {type(tables).__name__}, not an object.")
    for category in CATEGORIES:
        if category not in tables:
            raise _bad(source, f"It has no category {category!r}.")
    unknown = sorted(tables.keys() - {*CATEGORIES, DESCRIPTION})
    if unknown:
        raise _bad(source, f"It has a category {unknown[0]!r}, which FORTE does not know.")
    groups: dict[Category, tuple[tuple[str, ...], ...]] = {}
    keys: dict[Category, dict[str, tuple[str, ...]]] = {}
    for category in CATEGORIES:
        table = tables[category]
        _check_terms(source, category, table)
        if isinstance(table, dict):
            keys[category] = {term: tuple(same) for term, same in table.items()}
            groups[category] = _joined([key, *same] for key, same in table.items())
        else:
            groups[category] = tuple(tuple(group) for group in table)
            keys[category] = _as_keys(groups[category])
            _check_groups(source, category, groups[category])
    named: frozenset[Category] = frozenset(c for c in CATEGORIES if isinstance(tables[c], list))
    return Lexicon(source, groups, keys, named)


def _check_terms(source: str, category: str, table: Any) -> None:  # noqa: ANN401 - any JSON
    lists = table.values() if isinstance(table, dict) else table
    whole = isinstance(table, (dict, list)) and all(isinstance(same, list) for same in lists)
    if not whole:
        raise _bad(source, f"Its category {category!r} is no list of lists of terms.")
    terms = [*(table if isinstance(table, dict) else ()), *(t for same in lists for t in same)]
    for term in terms:
        if not isinstance(term, str) or not words_of(term):
            raise _bad(source, f"Its category {category!r} holds the term {term!r}.")
    if not isinstance(table, dict) and not all(table):
        raise _bad(source, f"Its category {category!r} holds an empty group.")


def _check_groups(source: str, category: str, groups: Iterable[tuple[str, ...]]) -> None:
    """A term that stood in two groups would mean two things."""
    seen: dict[tuple[str, ...], tuple[int, str]] = {}
    for number, group in enumerate(groups):
        for term in group:
            key = stems_of(term)
            first, other = seen.setdefault(key, (number, term))
            if first != number:
                raise _bad(
                    source,
                    f"Its category {category!r} has {term!r} and {other!r} in two groups.",
                )


@lru_cache(maxsize=1 << 16)
def stems_of(term: str) -> tuple[str, ...]:
    """What a term is looked up by."""
    return tuple(word.stem for word in words_of(term))


def _as_keys(groups: Iterable[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        f" {term}": tuple(f" {other}" for other in group) for group in groups for term in group
    }


def _joined(lists: Iterable[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Groups of terms that a chain of lists connects, each in the order it was met."""
    groups: list[dict[str, None]] = []
    for terms in lists:
        mine = dict.fromkeys(term.strip() for term in terms)
        stems = {stems_of(term) for term in mine}
        touching = [g for g in groups if stems & {stems_of(term) for term in g}]
        if touching:
            first = touching[0]
            for other in [*touching[1:], mine]:
                first.update(other)
            groups = [group for group in groups if group not in touching[1:]]
        else:
            groups.append(mine)
    return tuple(tuple(group) for group in groups)


def _bad(source: str, what: str) -> InputError:
    return InputError(
        f"{source} is no lexicon. {what}",
        remedy=f"Give a JSON object with the lists {', '.join(CATEGORIES)}, each of lists of "
        "terms that mean the same.",
        code="bad-lexicon",
    )
