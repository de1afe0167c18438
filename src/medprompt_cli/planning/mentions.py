"""Where a prompt names regions of the vocabulary: each name becomes one slot.

The longest name wins, typing errors are read over, and a side belongs to the name it stands
with: `both hippocampi`, `hippocampus (left)`, `좌측해마`. A side beside a lesion, which has
no sides of its own, stays a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.language import synonyms
from medprompt_cli.planning.korean import is_korean
from medprompt_cli.planning.names import (
    ADJECTIVES,
    EVERYTHING,
    LESION,
    LONGEST,
    Entry,
    SlotKind,
    before_lesion,
    corrected,
    look_up,
)
from medprompt_cli.planning.phrases import (
    AFTER_SIDE,
    COMPARING,
    ENHANCING,
    INTO,
    LEAVING,
    LETTERS,
    MEETING,
    NOT,
    OF_R,
    SHORT,
    SIDE_NOUNS,
    SIDED,
    VERSUS,
    normalise,
)
from medprompt_cli.planning.vocabulary import find
from medprompt_cli.planning.words import Word, read_words

Said = Literal["left", "right", "both"] | None

AND = frozenset({"and", "&", "+", "/", "·", "및", "와", "과", "그리고", "랑", "하고"})
FILLERS = frozenset({"the", "of", "의"})
ON = frozenset({"on", "in", "at"})
JOINING = frozenset({"and", "to", "in", "on", "at", "의", "와", "과"})

COMMAS = frozenset({",", "/", "&"})
MOST_SHARING = 3
"""Words that a name has before those which it shares with the next of a list."""

LONGEST_LIST = 6
"""Names that share their last words: `frontal, parietal and temporal lobes`."""


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
        if self._is_no_name(at):
            return None
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

    def _is_no_name(self, at: int) -> bool:
        """Whether what looks like a name is none: who `met` criteria; `non-enhancing tumor`."""
        before = self._plain[at - 1] if at else "the"
        if before in NOT:
            return self._plain[at] in ENHANCING
        return self._words[at].text == "met" and before in MEETING

    def _named(self, at: int, prefix: _Sided) -> Slot | None:
        length, entry = self._longest(prefix.end)
        shared = self._sharing(prefix.end)
        if shared and (entry is None or self._plain[prefix.end] in ADJECTIVES):
            length, entry = shared
        if entry is None or self._belongs_before(at, prefix):
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
        length, entry = self._written(at)
        place = before_lesion(self._read[at]) if not entry and at < len(self._read) else None
        if place:
            _, following = self._written(at + 1)
            if following and following.kind == "lesion":
                return 1, place
        return length, entry

    def _written(self, at: int) -> tuple[int, Entry | None]:
        for length in range(min(LONGEST, len(self._words) - at), 0, -1):
            for texts in (self._plain, self._read):
                entry = look_up(texts[at : at + length])
                if entry:
                    return length + self._echo(entry, at + length), entry
        return 0, None

    def _sharing(self, at: int) -> tuple[int, Entry] | None:
        """A name whose last words stand behind the next: `frontal` and temporal lobes."""
        for end in self._heads(at):
            for tail in self._tails(self._after_comma(end), LONGEST_LIST):
                entry = look_up([*self._read[at:end], *tail])
                if entry and entry.kind != "ambiguous":
                    return end - at, entry
        return None

    def _heads(self, at: int) -> Iterator[int]:
        """Where the first words of a name may end."""
        for end in range(at + 1, min(at + MOST_SHARING, len(self._words)) + 1):
            if self._words[end - 1].kind != "word" or self._text(end - 1) in AND:
                return
            yield end

    def _tails(self, at: int, most: int) -> Iterator[list[str]]:
        """Last words of the name at a word, or of the one that it shares them with."""
        if at >= len(self._words) or most == 0:
            return
        length, entry = self._longest(at)
        if entry and length > 1:
            yield from (self._read[at + n : at + length] for n in range(1, length))
        elif entry is None:
            for end in self._heads(at):
                yield from self._tails(self._after_comma(end), most - 1)

    def _after_comma(self, at: int) -> int:
        """The word behind `,`, `and` or both; past the end if there is neither."""
        end = at
        if self._text(end) in COMMAS:
            end += 1
        if self._text(end) in {"and", "or", "&"}:
            end += 1
        if end > at and self._text(end) == "the":
            end += 1
        return end if end > at else len(self._words)

    def _text(self, at: int) -> str:
        return self._words[at].text if at < len(self._words) else ""

    def _echo(self, entry: Entry, at: int) -> int:
        """How many words behind a lesion's name only say `lesion` again."""
        if entry.names == (LESION,) or at >= len(self._plain):
            return 0
        if not all((term := find(name)) and term[0].kind == "lesion" for name in entry.names):
            return 0
        again = look_up(self._plain[at : at + 1])
        return int(again is not None and again.names == (LESION,))

    def _sides_before(self, at: int) -> Iterator[_Sided]:
        """Ways to read a side at the words from `at`: `left`, `left and the right`."""
        first = self._side(at)
        if first is None:
            inner = self._side(at + 1) if self._text(at) == "(" else None
            if inner and self._text(at + 2) == ")":
                yield _Sided(inner, at + 3)
            return
        end = self._after_side(at)
        if end is not None:
            yield _Sided(first, end)
        if first == "both":
            end = self._skip(at + 1)
            inner = self._sides_before(end) if self._text(end) != "both" else ()
            yield from (found for found in inner if found.side == "both")
            return
        other = self._other_side(at)
        end = None if other is None else self._after_side(other)
        if end is not None:
            yield _Sided("both", end)

    def _after_side(self, at: int) -> int | None:
        """Where the name of a side at a word begins; None if it is no side of a name."""
        text, end = self._words[at].text, at + 1
        if text in SHORT:
            glued = self._text(end) == "." and self._words[end].start == self._words[at].end
            return end + (glued and (not at or self._text(at - 1) not in INTO))
        if self._text(end) in SIDED:
            end += 1
            return self._skip(end + 1 if self._text(end) == "s" else end)
        is_verb = text == "left" and at and self._text(at - 1) in LEAVING
        if is_verb or (self._text(end) == "of" and self._side(at) != "both"):
            return None
        return self._skip(end)

    def _other_side(self, at: int) -> int | None:
        """The second of two different sides: `left, right` or `L and the R`."""
        end = at + 1
        if self._text(end) == "." and self._words[at].text in SHORT:
            end += 1
        if self._text(end) in AND or self._text(end) == ",":
            end = self._skip(end + 1)
        return end if {self._side(at), self._side(end)} == {"left", "right"} else None

    def _belongs_before(self, at: int, prefix: _Sided) -> bool:
        """Whether the side at a word is written to the name before it: `HC_R HC_L`."""
        if prefix.side is None or not at or not self._words[at].joined:
            return False
        return not self._words[prefix.end].joined

    def _side_after(self, at: int, entry: Entry) -> _Sided | None:
        """A side behind a name: `(left)`, `on the left side`, or the word alone."""
        found = next(self._sides_after(at), None)
        if found is None or find(f"left-{entry.names[0]}") is None:
            return None
        is_noun = found.end < len(self._plain) and self._plain[found.end] in SIDE_NOUNS
        end = found.end + is_noun
        return _Sided(found.side, end)

    def _sides_after(self, at: int) -> Iterator[_Sided]:
        texts = self._plain[at : at + 2]
        if texts[:1] == ["("]:
            inside = self._side_at(at + 1)
            if inside and self._text(inside.end) == ")":
                yield _Sided(inside.side, inside.end + 1)
        elif texts[:1] and texts[0] in ON:
            begin = self._skip(at + 1)
            side = self._side(begin)
            inside = self._side_at(begin) if side == "both" else _Sided(side, begin + 1)
            if (
                inside
                and side
                and self._text(begin) not in LETTERS
                and not self._sided_name(inside.end)
            ):
                yield inside
        elif texts[:1] and texts[0] in {",", ":"}:
            inside = self._side_at(at + 1)
            if inside and self._text(inside.end) in {"", ".", ";", ","}:
                is_list = inside.side != "both" and self._side(inside.end + 1) is not None
                yield from () if is_list else (inside,)
        else:
            inside = self._side_at(at)
            if inside and self._is_free(at, inside):
                yield inside

    def _side_at(self, at: int) -> _Sided | None:
        """A side at a word, or two joined by `and`, with the full stop of `R.`."""
        side = self._side(at)
        if side is None or self._words[at].text == "both":
            sides = self._text(at + 1) in {"sides", "hemispheres"}
            return _Sided(side, at + 2) if side and sides else None
        other = self._other_side(at) if side != "both" else None
        other = None if other is None or self._sided_name(other + 1) else other
        end = at + 1 if other is None else other + 1
        if self._text(end) == "." and self._words[end - 1].text in LETTERS:
            end += self._words[end].start == self._words[end - 1].end
        return _Sided(side if other is None else "both", end)

    def _is_free(self, at: int, found: _Sided) -> bool:
        """Whether a side belongs to nothing behind it: no name, no other side, no noun."""
        following = self._text(found.end)
        two = self._side(found.end + 1) is not None
        if following in COMPARING | OF_R | VERSUS or (following in {">", "<", "="} and two):
            return False
        if following in {"", ",", ";", ".", ")", ":"} or following in AFTER_SIDE:
            return True
        if following in JOINING and not (two and self._sided_name(found.end + 2) is False):
            return True
        if found.side == "both":
            return self._words[at].text not in {"both", "left", "right"}
        if self._words[at].text not in SHORT and not is_korean(self._words[at].text):
            return False
        return self._words[at].joined or not self._sided_name(found.end)

    def _sided_name(self, at: int) -> bool:
        _, name = self._longest(at)
        return name is not None and name.has_sides

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
