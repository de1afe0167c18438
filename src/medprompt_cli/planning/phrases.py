"""A person's words, brought to one form: case, hyphens, plurals, lists, sides.

Nothing here knows a region; nothing here drops a word that could carry meaning.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from medprompt_cli.language.synonyms import SIDES, SPELLINGS

ARTICLES = frozenset({"the", "a", "an"})
QUANTIFIERS = ("all of", "all")
"""Said before a name, they change nothing: `all ventricles` are the ventricles."""

SEPARATOR = re.compile(
    r"[,;/&+、·\n]|\band\b|\b(?:및|그리고)\b|(?<=\w)[와과](?=\s)", re.IGNORECASE
)
"""Between two names of a list. The Korean `and` hangs on the word before it."""

SHORTEST_PLURAL = 4
"""Shorter words keep their s: `ms` is no plural."""

PUNCTUATION = re.compile(r"""["'`“”‘’()\[\].!?]""")  # noqa: RUF001 - people paste these
BLANK = re.compile(r"[\s_\-\u2010-\u2015]+")

SIDE_NOUNS = frozenset({"side", "hemisphere", "쪽", "반구"})
SIDED = frozenset({"sided", "side", "sides", "hemisphere", "hemispheres", "hemispheric"})
LEAVING = frozenset({"who", "they", "has", "have", "had"})
"""Before `left`, the verb."""

LETTERS = frozenset({"l", "r"})
"""Sides only next to a name: `in R` is a language."""

SHORT = frozenset({"l", "r", "lt", "rt", "lh", "rh"})
"""Sides that are no other word: behind a name, whatever follows."""

OF_R = frozenset({"script", "package", "code", "studio", "markdown", "notebook", "function"})
"""After R, the language is meant."""

INTO = frozenset({"in", "to", "for", "with", "using", "use"})
"""Before R, the language is meant."""

NOT = frozenset({"non", "not"})
ENHANCING = frozenset({"enhancing", "enhanced"})
"""What is not, is no enhancing tumour."""

AFTER_SIDE = frozenset({"vol", "volume", "volumes", "roi", "mask", "thickness", "+"})
"""Behind a side, these leave it to the name before it."""

VERSUS = frozenset({"vs", "versus", "대"})
COMPARING = frozenset(
    {"ratio", "index", "asymmetry", "difference", "comparison", "compared", "비교", "비대칭"}
    | {"비", "비율", "지수", "차이", "차", "대칭", "비대칭지수", "비대칭도"}
)
"""After two sides, these ask about one and the other."""

_MEETING = """
    who that which they we has have had not be is are was were
    patient subject participant case scan lesion
"""
MEETING = frozenset(_MEETING.split())
"""Before `met`, the verb."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One name of a list.

    Attributes:
        words: What is left when the side is taken off, in one form.
        side: `left`, `right`, `both`, or None if no side was said.
        said: What the person wrote.
    """

    words: str
    side: str | None
    said: str


def normalise(text: str) -> str:
    """Bring words to the form they are compared in.

    >>> normalise("The  Left_Lateral-Ventricles")
    'left lateral ventricle'
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = BLANK.sub(" ", PUNCTUATION.sub(" ", text)).split()
    while len(words) > 1 and words[0] in ARTICLES:
        words = words[1:]
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    if len(word) > SHORTEST_PLURAL and word.endswith("ies"):
        word = f"{word[:-3]}y"
    elif (
        len(word) >= SHORTEST_PLURAL
        and word.endswith("s")
        and not word.endswith(("ss", "us", "is"))
    ):
        word = word[:-1]
    return SPELLINGS.get(word, word)


def split_list(prompt: str) -> list[str]:
    """Cut a prompt into the names it lists.

    >>> split_list("left hippocampus, amygdala and ventricles")
    ['left hippocampus', 'amygdala', 'ventricles']
    """
    text = unicodedata.normalize("NFKC", prompt).replace("_", " ")
    return [part.strip() for part in SEPARATOR.split(text) if normalise(part)]


def read_phrases(prompt: str) -> list[Phrase]:
    """Cut a prompt into names and sides.

    A side belongs to the one name it stands with; `left and right` before or after a name
    is one side, `both`.

    >>> [(phrase.side, phrase.words) for phrase in read_phrases("L and R thalami, CSF")]
    [('both', 'thalami'), (None, 'csf')]
    """
    phrases: list[Phrase] = []
    for part in split_list(prompt):
        phrase = _take_side(part)
        last = phrases[-1] if phrases else None
        if last and _are_two_sides_of_one_name(last, phrase):
            words, said = last.words or phrase.words, f"{last.said} and {phrase.said}"
            phrases[-1] = Phrase(words, "both", said)
        else:
            phrases.append(phrase)
    return phrases


def _are_two_sides_of_one_name(last: Phrase, phrase: Phrase) -> bool:
    one_name = not (last.words and phrase.words)
    return one_name and {last.side, phrase.side} == {"left", "right"}


def _take_side(said: str) -> Phrase:
    words = normalise(said).split()
    for at in (0, -1):
        side = SIDES.get(words[at].removesuffix("의"))
        if side:
            del words[at]
            return Phrase(normalise(" ".join(words)), side, said)
    return Phrase(" ".join(words), None, said)


def without_quantifier(words: str) -> str:
    """Take `all` off the front, if something follows it."""
    for quantifier in QUANTIFIERS:
        if words.startswith(f"{quantifier} "):
            return normalise(words.removeprefix(f"{quantifier} "))
    return words


def glued_side(words: str) -> tuple[str, str] | None:
    """Split a Korean side from the name it is written to: `좌측해마` is `좌측 해마`."""
    for word in sorted(SIDES, key=len, reverse=True):
        if not word.isascii() and words.startswith(word) and words != word:
            return SIDES[word], words.removeprefix(word).strip()
    return None
