r"""Sentence templates: a small notation, read once into a tree.

| Notation | Means |
|---|---|
| `{name}`, `{name:argument}` | a slot, filled by a rule or by a function |
| `{+count}`, `{+compares=sides}` | adds to what is asked, writes nothing |
| `[words]` | there or not, half of the time each |
| `(one/two)`, written with bars | one of them |
| `<을>`, `<a>` | a Korean particle, or `a` and `an`, that fits its neighbour |
| `\(` | the character itself; `\n` begins a line |

Everything nests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

CLOSING = {"[": "]", "(": ")", "{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Words:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole: its name, and what its filler is told. The name `+` adds to what is asked."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Fit:
    """A particle or an article whose form goes by its neighbour."""

    form: str


@dataclass(frozen=True, slots=True)
class Maybe:
    """There or not."""

    body: Row


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several."""

    bodies: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One after the other."""

    parts: tuple[Node, ...]


Node = Words | Slot | Fit | Maybe | OneOf


def parse(template: str) -> Row:
    """Read a template.

    >>> parse("how many {L}?").parts
    (Words(text='how many '), Slot(name='L', argument=''), Words(text='?'))

    Raises:
        ValueError: If a bracket is left open or closed twice.
    """
    rows, end = _rows(template, 0, "")
    if end != len(template):
        raise ValueError(f"{template!r}: {template[end]!r} closes nothing.")
    if len(rows) > 1:
        raise ValueError(f"{template!r}: a bar stands outside of brackets.")
    return rows[0]


def _rows(text: str, at: int, close: str) -> tuple[list[Row], int]:
    """Alternatives from `at` up to `close`, and where they end."""
    rows: list[Row] = []
    parts: list[Node] = []
    plain = ""
    while at < len(text) and text[at] not in ")]}":
        if text[at] in "[({<|":
            parts, plain = [*parts, *_words(plain)], ""
        if text[at] == "|":
            rows, parts, at = [*rows, Row(tuple(parts))], [], at + 1
        elif text[at] in CLOSING:
            node, at = _node(text, at)
            parts.append(node)
        else:
            escaped = text[at] == "\\"
            at += escaped
            plain += "\n" if escaped and text[at : at + 1] == "n" else text[at : at + 1]
            at += 1
    if close and text[at : at + 1] != close:
        raise ValueError(f"{text!r}: {close!r} is missing.")
    return [*rows, Row((*parts, *_words(plain)))], at


def _words(plain: str) -> list[Node]:
    return [Words(plain)] if plain else []


def _node(text: str, at: int) -> tuple[Node, int]:
    """What the bracket at `at` opens, and where the text goes on."""
    close = CLOSING[text[at]]
    if text[at] in "{<":
        end = text.find(close, at)
        if end < 0:
            raise ValueError(f"{text!r}: {close!r} is missing.")
        inside = text[at + 1 : end]
        if text[at] == "<":
            return Fit(inside), end + 1
        if inside.startswith("+"):
            return Slot("+", inside[1:]), end + 1
        name, _, argument = inside.partition(":")
        return Slot(name, argument), end + 1
    rows, end = _rows(text, at + 1, close)
    if text[at] == "[":
        if len(rows) > 1:
            return Maybe(Row((OneOf(tuple(rows)),))), end + 1
        return Maybe(rows[0]), end + 1
    return OneOf(tuple(rows)), end + 1


def slots(row: Row) -> Iterator[Slot]:
    """Every slot of a template, however deep."""
    for part in row.parts:
        if isinstance(part, Slot):
            yield part
        elif isinstance(part, Maybe):
            yield from slots(part.body)
        elif isinstance(part, OneOf):
            for body in part.bodies:
                yield from slots(body)


def skeletons(row: Row, limit: int = 512) -> frozenset[str]:
    """The plain words of every reading of a template, its slots as blanks, up to `limit`."""
    return frozenset(" ".join(text.lower().split()) for text in islice(_texts(row), limit))


def _texts(row: Row) -> Iterator[str]:
    for chosen in product(*(tuple(_part_texts(part)) for part in row.parts)):
        yield "".join(chosen)


def _part_texts(part: Node) -> Iterator[str]:
    if isinstance(part, Words):
        yield part.text
    elif isinstance(part, Maybe):
        yield from ("", *_texts(part.body))
    elif isinstance(part, OneOf):
        for body in part.bodies:
            yield from _texts(body)
    elif isinstance(part, Slot):
        yield "" if part.name == "+" else "_"
    else:
        yield part.form
