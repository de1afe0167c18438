"""The regions a made-up prompt may name, and what people call them.

The names come from outside: this package knows no vocabulary of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from medprompt_cli.synthesis.prompts.asked import Language
from medprompt_cli.synthesis.prompts.nearness import Nearness

WORD = re.compile(r"[^\W_]+")
HANGUL = re.compile(r"[\u3131-\u318e\uac00-\ud7a3]")

_ABBREVIATIONS = """
    lv wm gm hc wmh wml icv tiv bg dgm csf vdc ilv sfg mfg ifg ofc stg mtg itg pcc acc aca
    mca pca ms ich dc
"""
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
"""Words written in capitals."""

MIXED_CASE = {
    "nacc": "NAcc",
    "ventraldc": "VentralDC",
    "heschl": "Heschl",
    "heschls": "Heschl's",
    "wmhs": "WMHs",
    "wmls": "WMLs",
}
"""Words written in small and large letters."""

ODD = re.compile(r"\bheschl s\b|\bnuclei accumbentes\b|\bvermal lobule i v\b|^any lesion$")
"""Forms that only the vocabulary's own comparison of words needs."""

_PLURALS = """
    hippocampi thalami nuclei putamina cortices amygdalae hyperintensities metastases
    pallida pallidi cavities necroses meningiomata cerebella insulae ganglia ventricles
    lobes gyri lesions mets bleeds
"""
PLURALS = frozenset(_PLURALS.split())
_COUNTABLE = """
    ventricle horn lobe lesion tumor infarct hemorrhage bleed cyst met meningioma plaque
    hematoma infarction neoplasm hemisphere wmh wml amygdala caudate putamen lobule
"""
COUNTABLE = frozenset(_COUNTABLE.split())
"""Last words that take a plural s, as the vocabulary reads it."""


@dataclass(frozen=True, slots=True)
class Surface:
    """One way to write a name.

    Attributes:
        text: As it stands in the middle of a sentence, in American spelling.
        number: `one`, or `many`.
        short: Whether it is an abbreviation.
    """

    text: str
    number: str
    short: bool


@dataclass(frozen=True)
class Entry:
    """One region, without side.

    Attributes:
        name: Canonical name without side, e.g. `hippocampus`.
        kind: `structure`, `group`, `lesion`, `lobe`, `parcel` or `territory`.
        words: What people call it, in English and Korean.
        sided: Whether `left-` and `right-` before `name` are targets too.
        members: Names without side of the regions it is a union of, if it is one.
        adjectives: Words for it that stand before a noun: `hippocampal`.
        places: Words for being in it, or at it, that stand before a lesion: `frontal`.
    """

    name: str
    kind: str
    words: tuple[str, ...]
    sided: bool
    members: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def all_words(self) -> tuple[str, ...]:
        """Everything it may be called."""
        return (self.name, *self.words, *self.adjectives, *self.places)

    @cached_property
    def english(self) -> tuple[Surface, ...]:
        """Ways to write it in English, the commonest first."""
        plain = (self.name.replace("-", " "), *self.words)
        words = [w for w in dict.fromkeys(plain) if not HANGUL.search(w) and not ODD.search(w)]
        found = [_surface(word) for word in words]
        found += [_plural(word) for word in words if word.split()[-1] in COUNTABLE]
        return tuple(dict.fromkeys(found))

    @cached_property
    def korean(self) -> tuple[Surface, ...]:
        """Ways to write it in Korean; empty if the vocabulary has none."""
        return tuple(Surface(w, "one", short=False) for w in self.words if HANGUL.search(w))

    def said(self, language: Language) -> tuple[Surface, ...]:
        """Ways to write it in a language; in English where that language has no word."""
        return (self.korean or self.english) if language == "ko" else self.english


def _surface(word: str) -> Surface:
    tokens = word.split()
    number = "many" if tokens[-1] in PLURALS or tokens[0] in PLURALS else "one"
    short = any(token in ABBREVIATIONS or token == "nacc" for token in tokens)
    return Surface(" ".join(written(token) for token in tokens), number, short)


def _plural(word: str) -> Surface:
    one = _surface(word)
    return Surface(f"{one.text}s", "many", one.short)


def written(token: str) -> str:
    """A word of the vocabulary in its usual capitals.

    >>> written("wmh"), written("nacc"), written("hippocampus")
    ('WMH', 'NAcc', 'hippocampus')
    """
    if token in MIXED_CASE:
        return MIXED_CASE[token]
    roman = re.fullmatch(r"[ivx]+", token) is not None
    return token.upper() if token in ABBREVIATIONS or roman else token


class Lexicon:
    """All regions, found by name and by kind.

    Args:
        entries: The regions.
        ambiguous: Words that mean one of several regions, such as `stroke`.
        everything: Words that mean every base structure, such as `all structures`.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        ambiguous: Mapping[str, tuple[str, ...]],
        everything: tuple[str, ...] = (),
    ) -> None:
        self.entries = {entry.name: entry for entry in entries}
        self.ambiguous = dict(ambiguous)
        self.everything = everything
        self._kinds: dict[tuple[str, ...], tuple[Entry, ...]] = {}

    def kinds(self, *kinds: str) -> tuple[Entry, ...]:
        """Every region of these kinds."""
        if kinds not in self._kinds:
            found = tuple(e for e in self.entries.values() if e.kind in kinds)
            self._kinds[kinds] = found
        return self._kinds[kinds]

    @cached_property
    def meanings(self) -> Mapping[str, frozenset[str]]:
        """For every name, brought to one form, the regions that are called so."""
        found: dict[str, set[str]] = {}
        for entry in self.entries.values():
            for name in entry.all_words:
                found.setdefault(plainly(name), set()).add(entry.name)
        for name in (*self.ambiguous, *self.everything):
            found.setdefault(plainly(name), set()).add("")
        return {name: frozenset(regions) for name, regions in found.items()}

    @cached_property
    def owners(self) -> Mapping[str, frozenset[str]]:
        """For every single word in lower case, the regions in whose names it stands."""
        found: dict[str, set[str]] = {}
        for entry in self.entries.values():
            for name in entry.all_words:
                for word in WORD.findall(name.lower()):
                    found.setdefault(word, set()).add(entry.name)
        for name in (*self.ambiguous, *self.everything):
            for word in WORD.findall(name.lower()):
                found.setdefault(word, set()).add("")
        return {word: frozenset(names) for word, names in found.items()}

    @cached_property
    def nearness(self) -> Nearness:
        """Finds the words of names that are one or two typing errors away."""
        return Nearness(self.owners)

    def is_near(self, words: str) -> bool:
        """Whether a word might be taken for a mistyped one of the vocabulary."""
        return self.knows(words) or any(
            self.nearness.within(word, 2) for word in WORD.findall(words.lower())
        )

    def knows(self, word: str) -> bool:
        """Whether a word is one of the vocabulary's, its plural s and spaces aside."""
        return plainly(word) in self.meanings


def plainly(word: str) -> str:
    """A name brought to one form: small letters, no blanks, no plural s."""
    return re.sub(r"[\s\-_]", "", word.lower()).removesuffix("s")
