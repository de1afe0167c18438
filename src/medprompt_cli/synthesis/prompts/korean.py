"""How Korean writes a region, its sides, and lists; and the particles that fit a word."""

from __future__ import annotations

from collections.abc import Sequence

from medprompt_cli.synthesis.prompts.draft import FIT, Draft
from medprompt_cli.synthesis.prompts.english import noun as english_noun
from medprompt_cli.synthesis.prompts.lexicon import HANGUL, Entry

ENGLISH_WORDS = 0.12
ENGLISH_WORDS_IN_NOTES = 0.3
"""How often a region is named in English."""

LEFT_RIGHT: dict[str, tuple[str, ...]] = {
    "left": ("좌측", "왼쪽", "좌측", "왼쪽", "좌", "왼"),
    "right": ("우측", "오른쪽", "우측", "오른쪽", "우", "오른"),
}
ENGLISH_SIDES: dict[str, tuple[str, ...]] = {
    "left": ("left", "Left", "L", "Lt", "Lt.", "좌측", "왼쪽"),
    "right": ("right", "Right", "R", "Rt", "Rt.", "우측", "오른쪽"),
}
BOTH = (
    *("양측 {0}", "양측 {0}", "양쪽 {0}", "양쪽 {0}", "좌우 {0}", "양측{0}"),
    *("좌측과 우측 {0}", "왼쪽과 오른쪽 {0}", "좌측 및 우측 {0}", "좌/우 {0}", "{0} 양측"),
)
SIDE_PAIRS = (
    *("좌우 {0}", "좌측과 우측 {0}", "왼쪽과 오른쪽 {0}", "좌/우 {0}", "좌·우 {0}"),
    *("왼쪽, 오른쪽 {0}", "좌측 및 우측 {0}"),
)
ENGLISH_BOTH = ("bilateral {0}", "양측 {0}", "양쪽 {0}", "both {0}", "L/R {0}", "좌우 {0}")
FINALS = 28
RIEUL = 8

SPOKEN_FINALS = {**dict.fromkeys("mnMN036", 1), **dict.fromkeys("l178", RIEUL)}
"""Of letters and digits as Koreans read them out: the consonant that ends their name."""


def noun(draft: Draft, entry: Entry) -> str:
    """A word for a region: Korean mostly, English now and then or where there is no other."""
    english = ENGLISH_WORDS_IN_NOTES if draft.terse else ENGLISH_WORDS
    if not entry.korean or draft.chance(english):
        return english_noun(draft, entry)
    return draft.pick(entry.korean).text


def region(draft: Draft, entry: Entry, side: str, *, article: bool) -> str:
    """A region with its side, marked. There is no article: `article` changes nothing."""
    del article
    word = noun(draft, entry)
    if not side:
        return draft.mark(word, entry.name, entry.kind)
    korean = HANGUL.search(word) is not None
    if side == "both":
        text = draft.pick(BOTH if korean else ENGLISH_BOTH).format(word)
        return draft.mark(text, entry.name, entry.kind)
    said = draft.pick((LEFT_RIGHT if korean else ENGLISH_SIDES)[side])
    return draft.mark(_beside(draft, said, word), f"{side}-{entry.name}", entry.kind)


def _beside(draft: Draft, side: str, word: str) -> str:
    if HANGUL.search(side + word) and draft.chance(0.06):
        return f"{word}({side})"
    if len(side) > 1 and HANGUL.search(side) and draft.chance(0.03):
        return f"{word} {side}"
    glued = HANGUL.search(word) and HANGUL.search(side) and draft.chance(0.15)
    if glued and side not in {"왼", "오른", "좌", "우"}:
        return f"{side}{word}"
    return f"{side} {word}"


def both_sides(draft: Draft, entry: Entry) -> str:
    """A region with its two sides named one by one; marked."""
    word = noun(draft, entry)
    return draft.mark(draft.pick(SIDE_PAIRS).format(word), entry.name, entry.kind)


def adjective(draft: Draft, entry: Entry, side: str) -> str:
    """A region before a noun: Korean writes no other form."""
    return region(draft, entry, side, article=False)


def join(draft: Draft, items: Sequence[str]) -> str:
    """A list."""
    if len(items) == 1:
        return items[0]
    if draft.terse:
        return draft.pick((", ", ", ", " 및 ", "/", "·", " + ")).join(items)
    with_particle = f"{FIT}{draft.pick(('와', '와', '랑'))}{FIT} "
    last = draft.pick((with_particle, with_particle, ", ", " 및 ", "하고 ", ", 그리고 "))
    between = draft.pick((", ", ", ", last if last == with_particle else ", "))
    return between.join(items[:-1]) + last + items[-1]


def fits(form: str, before: str) -> str:
    """The form of a particle after the character `before`.

    >>> fits("을", "마"), fits("을", "핵"), fits("으로", "발"), fits("이", "H")
    ('를', '을', '로', '가')
    """
    final = _final(before)
    if form in {"으로", "로"}:
        return "로" if final in {0, RIEUL} else "으로"
    for closed, opened in (
        *(("을", "를"), ("이", "가"), ("은", "는"), ("과", "와"), ("이랑", "랑")),
        *(("이나", "나"), ("이에요", "예요"), ("이야", "야"), ("이라", "라"), ("아", "야")),
        *(("이고", "고"), ("이다", "다"), ("이죠", "죠"), ("이면", "면"), ("이든", "든")),
    ):
        if form in {closed, opened}:
            return closed if final else opened
    raise ValueError(f"{form!r} is no particle that fits itself.")


def _final(character: str) -> int:
    if "가" <= character <= "힣":
        return (ord(character) - ord("가")) % FINALS
    return SPOKEN_FINALS.get(character, 0)
