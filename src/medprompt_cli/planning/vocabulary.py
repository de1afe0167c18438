"""The words a prompt may use, and the targets they mean.

Words are matched whole, never by parts: what is not in the vocabulary is refused with the
nearest names. `hippocampus` means its left and its right side. In a list a side belongs to
the name it stands with: `left hippocampus and amygdala` asks for both amygdalae.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, get_args

from medprompt_cli.domain import anatomy, parcels
from medprompt_cli.errors import UsageError
from medprompt_cli.language import synonyms
from medprompt_cli.language.wider import WIDER
from medprompt_cli.planning.phrases import (
    Phrase,
    glued_side,
    normalise,
    read_phrases,
    without_quantifier,
)

TargetKind = Literal["structure", "group", "lesion", "lobe", "parcel", "territory"]

SUGGESTIONS = 3
"""How many of the nearest names an unknown word is answered with."""

LIKENESS = 0.67
"""How much of two words must agree, from 0 to 1, for one to be offered for the other."""

ANY_NAME = "'left-hippocampus', 'ventricles' or 'all'"


@dataclass(frozen=True, slots=True)
class Target:
    """One region to segment.

    Attributes:
        name: Canonical name, e.g. `left-hippocampus`, `ventricles`, `left-basal-ganglia`.
        members: The base structures or the parcels it is made of; empty if of neither.
        kind: What sort of region it is.
        visible: Whether the bundled weights can see it.
    """

    name: str
    members: tuple[str, ...]
    kind: TargetKind
    visible: bool


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of the vocabulary, without side.

    Attributes:
        name: Canonical name without side.
        kind: What sort of region it is.
        members: The base structures or parcels of both sides; empty if made of neither.
        pair: Whether the name alone stands for two targets, a left and a right one.
    """

    name: str
    kind: TargetKind
    members: tuple[str, ...]
    pair: bool

    @property
    def has_sides(self) -> bool:
        """Whether `left` and `right` may stand before it: no part is on the midline."""
        return self.pair or (
            bool(self.members) and all(_side_of(name) != "midline" for name in self.members)
        )

    @property
    def visible(self) -> bool:
        """Whether the bundled weights can see it."""
        if self.kind in {"lobe", "parcel"}:
            return parcels.VISIBLE
        return bool(self.members) or self.name in anatomy.VISIBLE_LESIONS

    def sided(self, side: str) -> Target:
        """The target of one side."""
        members = tuple(name for name in self.members if _side_of(name) == side)
        return Target(f"{side}-{self.name}", members, self.kind, self.visible)

    def targets(self) -> tuple[Target, ...]:
        """What the name means without a side."""
        if self.pair:
            return self.sided("left"), self.sided("right")
        return (Target(self.name, self.members, self.kind, self.visible),)


def _side_of(structure: str) -> str:
    side = structure.partition("-")[0]
    return side if side in {"left", "right"} else "midline"


def _terms() -> Iterator[tuple[Term, tuple[str, ...]]]:
    for name, words in synonyms.STRUCTURES.items():
        members = tuple(s.name for s in anatomy.BASE_STRUCTURES if s.kind == name)
        yield Term(name, "structure", members, pair=name in anatomy.BILATERAL), words
    for name, words in synonyms.GROUPS.items():
        yield Term(name, "group", anatomy.GROUPS[name], pair=False), words
    for name, words in synonyms.LOBES.items():
        members = parcels.parcels_of(parcels.LOBES[name])
        yield Term(name, "lobe", members, pair=True), words
    for name, words in synonyms.PARCELS.items():
        members = parcels.parcels_of(parcels.REGIONS.get(name, (name,)))
        sided = all(_side_of(member) != "midline" for member in members)
        yield Term(name, "parcel", members, pair=sided), words
    for name, words in synonyms.TERRITORIES.items():
        pair = name not in synonyms.UNSIDED_TERRITORIES
        yield Term(name, "territory", (), pair=pair), words
    for name, words in synonyms.LESIONS.items():
        yield Term(name, "lesion", (), pair=False), words


TERMS: Mapping[str, tuple[str, ...]] = {term.name: words for term, words in _terms()}
"""Every canonical name without side, and its synonyms."""

_INDEX: Mapping[str, Term] = {
    normalise(word): term for term, words in _terms() for word in (term.name, *words)
}
_BY_NAME: Mapping[str, Term] = {term.name: term for term in _INDEX.values()}
_WIDER: Mapping[str, str] = {
    normalise(word): name for name, words in WIDER.items() for word in words
}
_AMBIGUOUS = {normalise(word): names for word, names in synonyms.AMBIGUOUS.items()}
_EVERYTHING = frozenset(normalise(word) for word in synonyms.EVERYTHING)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of the vocabulary, for a person to read.

    Attributes:
        name: Canonical name without side.
        kind: What sort of region it is.
        sides: Whether `left` and `right` may stand before it.
        visible: Whether the bundled weights can see it.
        synonyms: Other words for it, English first.
        members: The base structures or parcels it is made of; empty if of neither.
    """

    name: str
    kind: TargetKind
    sides: bool
    visible: bool
    synonyms: tuple[str, ...]
    members: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The fields by their names."""
        return {name: getattr(self, name) for name in self.__slots__}


def entries(word: str | None = None, kind: str | None = None) -> tuple[Entry, ...]:
    """The vocabulary, or the part of it whose name or synonyms hold a word.

    Raises:
        UsageError: If `kind` is none, or nothing is left.
    """
    kinds = get_args(TargetKind)
    if kind is not None and kind not in kinds:
        raise UsageError(
            f"There is no kind of region called {kind!r}.",
            remedy=f"Use one of {', '.join(kinds)}.",
        )
    wanted = normalise(word) if word else ""
    found = tuple(
        Entry(term.name, term.kind, term.has_sides, term.visible, words, term.members)
        for term, words in _terms()
        if kind in {None, term.kind}
        and any(wanted in normalise(known) for known in (term.name, *words))
    )
    if not found:
        raise UsageError(
            f"Nothing in the vocabulary is called {word!r}.",
            remedy="List everything with medprompt vocabulary.",
        )
    return found


def all_targets() -> tuple[Target, ...]:
    """Every target of the vocabulary: structures by id, groups, lobes, parcels, the rest."""
    found = [Target(name, (name,), "structure", visible=True) for name in anatomy.BASE_NAMES]
    for term in dict.fromkeys(_INDEX.values()):
        found += term.targets()
        if term.has_sides:
            found += [term.sided("left"), term.sided("right")]
    return tuple(dict.fromkeys(found))


def find(name: str) -> tuple[Term, str | None] | None:
    """The entry and the side that a canonical name stands for; None if it is not one.

    >>> find("left-hippocampus")[1], find("hippocampus")[1], find("hippocampi")
    ('left', None, None)
    """
    if name in _BY_NAME:
        return _BY_NAME[name], None
    side, _, bare = name.partition("-")
    term = _BY_NAME.get(bare) if side in {"left", "right"} else None
    return (term, side) if term and term.has_sides else None


def resolve(prompts: Sequence[str]) -> tuple[Target, ...]:
    """Turn prompts into targets: each once, in the order first named.

    Args:
        prompts: Names or lists of names, such as `left hippocampus, ventricles`, or `all`.

    Raises:
        UsageError: If any word names nothing, more than one thing, or a side that is not
            there.
    """
    found: list[Target] = []
    for prompt in prompts:
        phrases = read_phrases(prompt)
        if not phrases:
            raise UsageError(
                f"The prompt {prompt!r} names no target.",
                remedy=f"Name a region, such as {ANY_NAME}.",
            )
        for phrase in phrases:
            found.extend(_targets_of(phrase))
    if not found:
        raise UsageError("No target was named.", remedy=f"Name a region, such as {ANY_NAME}.")
    return tuple(dict.fromkeys(found))


def _targets_of(phrase: Phrase) -> Iterable[Target]:
    if phrase.words in _EVERYTHING and phrase.side is None:
        return all_targets()[: len(anatomy.BASE_NAMES)]
    spelled = " ".join(part for part in (phrase.side, phrase.words) if part)
    if spelled in _AMBIGUOUS:
        raise UsageError(
            f"{phrase.said!r} can mean {_quoted(_AMBIGUOUS[spelled], 'or')}.",
            remedy="Say which, or name them all.",
        )
    if not phrase.words:
        raise UsageError(
            f"{phrase.said!r} names a side but no region.",
            remedy="Name the region beside it, as in 'left hippocampus'.",
        )
    term, side = _look_up(phrase)
    if side is None:
        return term.targets()
    if side == "both" and (term.has_sides or term.kind in {"group", "lesion"}):
        return term.targets()
    if side == "both" or not term.has_sides:
        raise UsageError(
            f"{phrase.said!r}: {term.name} is not divided into left and right.",
            remedy=f"Leave the side out: '{term.name}'.",
        )
    return (term.sided(side),)


def _look_up(phrase: Phrase) -> tuple[Term, str | None]:
    for words in (phrase.words, without_quantifier(phrase.words)):
        if words in _INDEX:
            return _INDEX[words], phrase.side
    glued = None if phrase.side else glued_side(phrase.words)
    if glued and glued[1] in _INDEX:
        return _INDEX[glued[1]], glued[0]
    nearest = names_near(phrase.words, phrase.side)
    raise UsageError(
        f"Unknown target {phrase.said!r}.",
        remedy=f"Use one of the nearest names: {_quoted(nearest, 'or')}."
        if nearest
        else f"Use a name of the vocabulary, such as {ANY_NAME}.",
    )


def names_near(words: str, side: str | None = None) -> list[str]:
    """Canonical names that may have been meant by words that are none, the nearest first.

    A region that holds the one that was named, where that is known; otherwise the names of
    the words most like it.

    Args:
        words: Normalised, without side.
        side: `left` or `right`, to be put before names that have sides.
    """
    wider = _WIDER.get(words)
    near = [wider] if wider else _alike(words)
    return [f"{side}-{name}" if side and find(f"{side}-{name}") else name for name in near]


def _alike(words: str) -> list[str]:
    matcher = SequenceMatcher(b=words)
    likeness: dict[str, float] = {}
    for word, term in _INDEX.items():
        matcher.set_seq1(word)
        if matcher.quick_ratio() >= LIKENESS:
            likeness[term.name] = max(likeness.get(term.name, 0.0), matcher.ratio())
    ranked = sorted(likeness, key=likeness.__getitem__, reverse=True)
    return [name for name in ranked if likeness[name] >= LIKENESS][:SUGGESTIONS]


def _quoted(names: Sequence[str], last: str) -> str:
    quoted = [f"'{name}'" for name in names]
    return f" {last} ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)
