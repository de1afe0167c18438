"""Which words of a sentence are denied: NegEx's rule, for English and Korean.

A cue such as `no` denies what follows it, one such as `is absent` or `없음` what comes before
it, up to the end of the clause. What looks like a cue and denies nothing (`no change`, `cannot
be excluded`) is passed over first. There is no third state: what is only possible is affirmed.

Source: NegEx, Chapman et al. 2001, doi:10.1006/jbin.2001.1029; the cues are our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from medprompt_cli.language.words import Word

NEUTRAL = (
    *("no change", "no interval change", "no significant change", "without change"),
    *("no significant interval change", "no increase", "no decrease", "not only"),
    *("cannot be excluded", "can not be excluded", "cannot exclude", "not excluded"),
    *("not be excluded", "not ruled out", "cannot be ruled out", "not be ruled out"),
    *("not well seen", "not certain", "not necessarily", "not specific"),
    *("변화 없*", "변화가 없*", "변화는 없*", "변동 없*", "차이 없*", "차이가 없*"),
    *("배제할 수 없*", "배제할 수는 없*", "배제하기 어렵*"),
)
"""Look like cues, and deny nothing."""

BEFORE = (
    *("no", "not", "without", "nor", "neither", "never", "non", "absence of", "lack of"),
    *("free of", "negative for", "rather than", "instead of", "fails to", "failed to"),
    *("no longer",),
)
"""Deny what follows."""

AFTER = (
    *("not seen", "not identified", "not present", "not evident", "not demonstrated"),
    *("not visualized", "not visible", "not detected", "not observed", "not appreciated"),
    *("not noted", "not found", "not shown", "not definite", "not clearly seen"),
    *("no longer seen", "no longer visible", "no longer present", "no longer evident"),
    *("absent", "ruled out", "excluded", "has resolved", "have resolved", "(-)"),
    *(
        "없*",
        "않*",
        "아님",
        "아니*",
        "아닌*",
        "부재",
        "음성",
        "배제됨",
        "배제된다",
        "배제됩니다",
    ),
)
"""Deny what comes before; a star stands for any ending."""

NARROW = frozenset({"non"})
"""Deny the next word only."""

CONTRASTS = (
    *("but", "however", "although", "though", "except", "whereas", "while", "yet"),
    *("nevertheless", "other than", "apart from", "aside from", "besides"),
    *("그러나", "하지만", "다만", "반면"),
)
"""Begin a clause."""

CONNECTIVES = re.compile(
    r".*(?:없|있|않|이|보이|되|하|지|크|작)고"
    r"|.*(?:으|이|하|되|보이|지)며|.*(?:으|되|보이)나|.*(?:지만|는데|면서)"
    r"|외|외에|이외|이외에|제외하고|제외하면|\(-\)"
)
"""Korean words that end a clause, and the sign (-)."""

CLOSED = re.compile(r".*[음함됨임다요]")
"""Korean words that end a sentence, and before a comma a clause."""

STOPS = re.compile(r"[;:()\u2013\u2014]|\s-\s")
COMMA = re.compile(r"[,/]")
VERBS = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "shows",
        "show",
        "showed",
        "demonstrates",
        "demonstrate",
        "appears",
        "appear",
        "remains",
        "remain",
        "measures",
        "measure",
        "reveals",
        "reveal",
        "contains",
        "suggests",
        "represents",
    ]
)
"""Finite verbs: a part with one is a clause of its own, not one more item of a list."""

PERCEIVED = frozenset(
    [
        "seen",
        "identified",
        "noted",
        "present",
        "evident",
        "observed",
        "detected",
        "visualized",
        "found",
        "visible",
    ]
)
"""After a verb, say no more than that something is there."""

LISTING = frozenset({"or", "nor"})
"""A part that begins so goes on with a list, whatever follows."""

OPENERS = frozenset({"the", "there", "this", "these", "both", "its"})
"""After `and`, begin a clause if a verb follows."""

SHOWS = frozenset({"shows", "showed", "demonstrates", "reveals"})
"""What comes after one of these was seen, whatever the scan was done without."""

Kind = Literal["neutral", "after", "before"]
CUES: dict[Kind, Sequence[str]] = {"neutral": NEUTRAL, "after": AFTER, "before": BEFORE}


def _pattern(cues: Iterable[str]) -> re.Pattern[str]:
    """Any of some cues as whole words, the longest first."""
    ordered = sorted(cues, key=lambda cue: cue.count(" "), reverse=True)
    either = "|".join(re.escape(cue).replace(r"\*", r"\S*") for cue in ordered)
    return re.compile(rf"(?<!\S)(?:{either})(?!\S)")


_ANY_CUE = _pattern(cue for cues in CUES.values() for cue in cues)
_KINDS: dict[Kind, re.Pattern[str]] = {kind: _pattern(cues) for kind, cues in CUES.items()}
_CONTRAST = _pattern(CONTRASTS)


def denied(words: Sequence[Word], terms: Sequence[tuple[int, int]] = ()) -> list[bool]:
    """For each word, whether it is denied.

    Args:
        words: Of one sentence.
        terms: First and last word of every term in it. A cue that is only part of a longer
            term (`non` in `non specific`) denies nothing.

    >>> from medprompt_cli.language.words import words_of
    >>> words = words_of("No shift or hemorrhage, but mild edema.")
    >>> [word.text for word, no in zip(words, denied(words), strict=True) if no]
    ['shift', 'or', 'hemorrhage']
    """
    clauses, no = clause_of(words), [False] * len(words)
    for first, last, kind in cues_in(words):
        if kind == "neutral" or _is_part(first, last, terms):
            continue
        for k in _scope(words, first, last, kind):
            no[k] = no[k] or clauses[k] == clauses[first]
    return no


def cues_in(words: Sequence[Word]) -> Iterator[tuple[int, int, Kind]]:
    """First and last word of every cue, and what it denies."""
    joined = " ".join(word.text.lower() for word in words)
    for match in _ANY_CUE.finditer(joined):
        first = joined.count(" ", 0, match.start())
        kind: Kind = next(one for one, cues in _KINDS.items() if cues.fullmatch(match[0]))
        yield first, first + match[0].count(" "), kind


def _is_part(first: int, last: int, terms: Sequence[tuple[int, int]]) -> bool:
    """Whether a cue is a part of a longer term."""
    return any(a <= first and last <= b and last - first < b - a for a, b in terms)


def _scope(words: Sequence[Word], first: int, last: int, kind: Kind) -> range:
    """The words that a cue may deny, were all one clause."""
    if kind == "after":
        return range(first)
    narrow = words[first].text.lower() in NARROW
    return range(last + 1, min(last + 2, len(words)) if narrow else len(words))


def clause_of(words: Sequence[Word]) -> list[int]:
    """For each word, the number of its clause."""
    texts = [word.text.lower() for word in words]
    joined = " ".join(texts)
    contrasts = {joined.count(" ", 0, match.start()) for match in _CONTRAST.finditer(joined)}
    number, clauses = 0, []
    for at, word in enumerate(words):
        if at and (at in contrasts or _begins(words, texts, at, word.before)):
            number += 1
        clauses.append(number)
    return clauses


def _begins(words: Sequence[Word], texts: Sequence[str], at: int, before: str) -> bool:
    """Whether a clause begins at a word, but for a contrast."""
    last = texts[at - 1]
    if STOPS.search(before) or last in SHOWS or CONNECTIVES.fullmatch(last):
        return True
    if COMMA.search(before) and texts[at] not in LISTING:
        closed = texts[at] == "with" or CLOSED.fullmatch(last)
        return bool(closed) or _has_verb(words, texts, at)
    opens = texts[at] == "and" and texts[at + 1 : at + 2] and texts[at + 1] in OPENERS
    return bool(opens) and _has_verb(words, texts, at)


def _has_verb(words: Sequence[Word], texts: Sequence[str], at: int) -> bool:
    """Whether a finite verb, with a meaning of its own, stands before the next comma.

    That of `and shift is seen` has none: it belongs to all of the list that `and` ends.
    """
    for k in range(at, len(texts)):
        if k > at and (COMMA.search(words[k].before) or STOPS.search(words[k].before)):
            return False
        if texts[k] in VERBS:
            following = texts[k + 1] if k + 1 < len(texts) else ""
            return texts[at] != "and" or following not in PERCEIVED
    return False
