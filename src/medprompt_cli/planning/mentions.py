"""Where a prompt names regions of the vocabulary: each name becomes one slot.

The longest name wins, typing errors are read over, and a side belongs to the name it stands
with: `both hippocampi`, `hippocampus (left)`, `좌측해마`. A side beside a lesion, which has
no sides of its own, stays a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.planning import synonyms
from medprompt_cli.planning.names import (
    EVERYTHING,
    LESION,
    LONGEST,
    Entry,
    SlotKind,
    before_lesion,
    corrected,
    look_up,
)
from medprompt_cli.planning.phrases import normalise
from medprompt_cli.planning.vocabulary import find
from medprompt_cli.planning.words import Word, read_words

Said = Literal["left", "right", "both"] | None

AND = frozenset({"and", "&", "+", "/", "및", "와", "과", "그리고", "랑"})
FILLERS = frozenset({"the", "of", "의"})
ON = frozenset({"on", "in", "at"})
JOINING = frozenset({"and", "to", "in", "on", "at", "의", "와", "과"})
SIDE_NOUNS = frozenset({"side", "hemisphere", "쪽", "반구"})


@dataclass(frozen=True, slots=True)
class Slot:
    """One region named in a prompt.

    Attributes:
        kind: What sort of region; `everything` for all base structures, `ambiguous` if the
            word means one of several.
        names: The canonical name; of an ambiguous word, all it can mean.
        side: The side that was said with it.
        first: Its first word.
        last: After its last word.
        start: Where it begins in the prompt as written.
        end: Where it ends there.
    """

    kind: SlotKind
    names: tuple[str, ...]
    side: Said
    first: int
    last: int
    start: int
    end: int

    @property
    def name(self) -> str:
        """The canonical name, or the first of what an ambiguous word can mean."""
        return self.names[0]


Token = Word | Slot


@dataclass(frozen=True, slots=True)
class _Sided:
    """A side at some words: which, and the word after it."""

    side: Said
    end: int


def read_prompt(text: str, ordinary: Collection[str] = ()) -> tuple[Token, ...]:
    """Words, numbers and marks of a prompt, each name of a region as one slot.

    Args:
        text: What the person wrote.
        ordinary: Words that are never taken for a misspelt name.

    >>> [getattr(t, "names", t.text if isinstance(t, Word) else None)
    ...  for t in read_prompt("volume of the left hipocampus")]
    ['volume', 'of', 'the', ('left-hippocampus',)]
    """
    words = read_words(text)
    tokens: list[Token] = []
    at = 0
    for slot in find_mentions(words, ordinary):
        tokens += [*words[at : slot.first], slot]
        at = slot.last
    return (*tokens, *words[at:])


def find_mentions(words: Sequence[Word], ordinary: Collection[str] = ()) -> tuple[Slot, ...]:
    """Every region that `words` name, in order; no word belongs to two of them."""
    reader = _Reader(words, ordinary)
    found: list[Slot] = []
    at = 0
    while at < len(words):
        slot = reader.slot_at(at)
        if slot:
            found.append(slot)
        at = slot.last if slot else at + 1
    if not found and len(words) - sum(word.kind == "mark" for word in words) > 0:
        found = [slot for at in range(len(words)) if (slot := reader.bare_all(at))][:1]
    return tuple(found)


class _Reader:
    """Looks for names among the words of one prompt."""

    def __init__(self, words: Sequence[Word], ordinary: Collection[str]) -> None:
        self._words = words
        self._plain = [_one_form(word) for word in words]
        self._read = [
            text
            if text in ordinary or word.text in ordinary or word.kind != "word"
            else corrected(text)
            for text, word in zip(self._plain, words, strict=True)
        ]

    def slot_at(self, at: int) -> Slot | None:
        """The longest name that begins at a word, its side included."""
        found = [
            slot
            for prefix in (_Sided(None, at), *self._sides_before(at))
            if (slot := self._named(at, prefix))
        ]
        return max(found, key=lambda slot: slot.last, default=None)

    def bare_all(self, at: int) -> Slot | None:
        """A slot for `all`, said alone."""
        if self._plain[at] in {normalise(word) for word in synonyms.EVERYTHING}:
            return self._slot(Entry("everything", (EVERYTHING,)), None, at, at + 1)
        return None

    def _named(self, at: int, prefix: _Sided) -> Slot | None:
        length, entry = self._longest(prefix.end)
        if entry is None:
            return None
        end = prefix.end + length
        if prefix.side is None:
            after = self._side_after(end, entry) if entry.has_sides else None
            if after:
                return self._slot(entry.sided(after.side), after.side, at, after.end)
            return self._slot(entry, None, at, end)
        if not entry.has_sides:
            return None
        return self._slot(entry.sided(prefix.side), prefix.side, at, end)

    def _slot(self, entry: Entry, side: Said, first: int, last: int) -> Slot:
        start, end = self._words[first].start, self._words[last - 1].end
        return Slot(entry.kind, entry.names, side, first, last, start, end)

    def _longest(self, at: int) -> tuple[int, Entry | None]:
        """The longest name without side at a word, and how many words it has."""
        for length in range(min(LONGEST, len(self._words) - at), 0, -1):
            for texts in (self._plain, self._read):
                entry = look_up(texts[at : at + length])
                if entry:
                    return length + self._echo(entry, at + length), entry
        place = before_lesion(self._read[at]) if at < len(self._read) else None
        if place:
            _, following = self._longest(at + 1)
            if following and following.kind == "lesion":
                return 1, place
        return 0, None

    def _echo(self, entry: Entry, at: int) -> int:
        """How many words behind a lesion's name only say `lesion` again."""
        if entry.kind != "lesion" or entry.names == (LESION,) or at >= len(self._plain):
            return 0
        again = look_up(self._plain[at : at + 1])
        return int(again is not None and again.names == (LESION,))

    def _sides_before(self, at: int) -> Iterator[_Sided]:
        """Ways to read a side at the words from `at`: `left`, `left and the right`."""
        first = self._side(at)
        if first is None:
            return
        end = self._skip(at + 1)
        yield _Sided(first, end)
        if first == "both":
            inner = list(self._sides_before(end))
            yield from (found for found in inner if found.side == "both")
        elif end < len(self._words) and self._words[end].text in AND:
            end = self._skip(end + 1)
            if {first, self._side(end)} == {"left", "right"}:
                yield _Sided("both", self._skip(end + 1))

    def _side_after(self, at: int, entry: Entry) -> _Sided | None:
        """A side behind a name: `(left)`, `on the left side`, or the word alone."""
        texts = self._plain[at : at + 5]
        side: Said = None
        end = at
        if texts[:1] == ["("] and texts[2:3] == [")"]:
            side, end = self._side(at + 1), at + 3
        elif texts[:1] and texts[0] in ON:
            end = self._skip(at + 1)
            side, end = self._side(end), end + 1
        elif self._is_free_side(at):
            side, end = self._side(at), at + 1
        if side not in {"left", "right"} or find(f"{side}-{entry.names[0]}") is None:
            return None
        if end < len(self._plain) and self._plain[end] in SIDE_NOUNS:
            end += 1
        return _Sided(side, end)

    def _is_free_side(self, at: int) -> bool:
        """Whether a side belongs to nothing behind it: no name, no other side, no noun."""
        if self._side(at) not in {"left", "right"}:
            return False
        following = self._words[at + 1 : at + 2]
        if not following:
            return True
        if following[0].kind == "mark" and following[0].text in ",;.":
            return True
        return following[0].text in JOINING and self._side(at + 2) is None

    def _side(self, at: int) -> Said:
        if not 0 <= at < len(self._words):
            return None
        side = synonyms.SIDES.get(self._plain[at]) or synonyms.SIDES.get(self._read[at])
        return side if side in {"left", "right", "both"} else None  # pyright: ignore[reportReturnType] - one of Side

    def _skip(self, at: int) -> int:
        while at < len(self._words) and self._words[at].text in FILLERS:
            at += 1
        return at


def _one_form(word: Word) -> str:
    return normalise(word.text) if word.kind == "word" else word.text
