"""Names that no vocabulary knows: anatomy it lacks, and words that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from medprompt_cli.synthesis.prompts.asked import Language
from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.grammar import Grammar, read_lines
from medprompt_cli.synthesis.prompts.request import RedrawError

FILES: Mapping[Language, str] = {"en": "unknown_english.txt", "ko": "unknown_korean.txt"}

_ONSETS = """
    b bl br d dr f fl g gl gr j k kl kr m n p pl pr qu r s sk sn st t tr v w z zh
"""
ONSETS = tuple(_ONSETS.split())
_NUCLEI = """
    a e i o u oo ee ai ou
"""
NUCLEI = tuple(_NUCLEI.split())
_CODAS = """
    b d f g k l m n p r s t x z nk rd lt sk mp rb ck
"""
CODAS = tuple(_CODAS.split())
ENDINGS = ("", "", "us", "ix", "um", "oid", "ar gland", "al gyrus", " nucleus", "ex", "o")
_KOREAN_SYLLABLES = """
    갑 낙 덕 론 말 벽 숙 올 존 축 컬 툴 펜 호 귤 늑 뱀 솝 욱 잠 쿰 튼 핍 훌 겅 뇽
"""
KOREAN_SYLLABLES = tuple(_KOREAN_SYLLABLES.split())
KOREAN_ENDINGS = ("", "", "핵", "체", "회", "엽", "구")

SIDES: Mapping[Language, tuple[str, ...]] = {
    "en": ("left ", "right ", "bilateral "),
    "ko": ("좌측 ", "우측 ", "왼쪽 ", "오른쪽 ", "양측 "),
}


@lru_cache(maxsize=8)
def unknown_names(language: Language) -> tuple[str, ...]:
    """Real regions that a vocabulary may lack."""
    return tuple(line.text for line in read_lines(FILES[language]))


def unknown(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `unknown`: a real region that the vocabulary lacks; with any argument, sideless."""
    name = draft.pick(unknown_names(draft.language))
    if draft.lexicon.knows(name):
        raise RedrawError
    return _refused(draft, name, "" if argument else _side(draft, 0.2))


def nonsense(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `nonsense`: a word that means nothing."""
    count = draft.pick((1, 2, 2, 3))
    if draft.language == "ko" and draft.chance(0.8):
        word = "".join(draft.pick(KOREAN_SYLLABLES) for _ in range(count + 1))
        word += draft.pick(KOREAN_ENDINGS)
    else:
        word = "".join(draft.pick(ONSETS) + draft.pick(NUCLEI) for _ in range(count))
        word += draft.pick(CODAS) + draft.pick(ENDINGS)
    if draft.lexicon.is_near(word):
        raise RedrawError
    return _refused(draft, word, "" if argument else _side(draft, 0.1))


def _side(draft: Draft, probability: float) -> str:
    return draft.pick(SIDES[draft.language]) if draft.chance(probability) else ""


def _refused(draft: Draft, name: str, side: str) -> str:
    """The side stands before the mark: it is understood, the name is not."""
    draft.direct("refused=unknown-target")
    return side + draft.mark(name, "", "unknown")
