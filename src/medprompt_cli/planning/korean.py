"""Korean words, parted where it is safe: `좌측해마부피를` is `좌측 해마 부피 를`.

A word is cut only if all of it can be read as known nouns and particles, or if it ends in
a particle that fits the sound before it. Nothing is cut out of a name of the vocabulary:
`뇌전이` is no `뇌전` with a particle.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from medprompt_cli.planning import synonyms

_NOUNS = """
    부피 용적 체적 크기 개수 갯수 직경 지름 길이 너비 넓이 표면적 면적 밝기 신호 강도 신호강도
    밀도 비대칭 비대칭도 비대칭지수 지수 비율 비 차이 변화 변화량 변화율 증가 증가율 감소 감소율
    성장 위축 위축률 퍼센트 백분율 영역 구역 부위 마스크 위치 평균 최대 최소 최장 전체 모든 각각
    안 주변 주위 근처 부근 내부
    영상 사진 이미지 스캔 강조 강조영상 환자 대비 고신호 저신호 등신호 조영 조영증강 증강 확산
    확산제한 제한 존재 유무 여부 방문 내원 검사 추적 기저 이전 이후 지난 처음 마지막 신규 반구
    측정 분할 계산 표시 비교 저장 분석 정량 정량화 추출 확인 병변 병소 구조물 구조 뇌엽 엽
"""
NOUNS = frozenset(_NOUNS.split())
"""What is asked about regions: safe to part from a name it is written to."""

PARTICLES = (
    *("에서", "으로", "보다", "부터", "까지", "마다", "이나", "이랑", "하고", "처럼", "만큼"),
    *("을", "를", "은", "는", "이", "가", "의", "에", "와", "과", "로", "도", "만", "들"),
    *("랑", "및", "내", "쪽", "중", "량", "별", "당", "입니다", "인가요", "이에요", "예요"),
)
ENDINGS = (
    *("해주세요", "해줘", "해줄래", "하세요", "해라", "합니다", "해서", "하여", "하고", "하기"),
    *("해", "하라", "한", "할", "된", "되는", "되었나요", "했나요", "하나요", "있나요"),
)
"""Of verbs made from a noun: `측정해줘`."""

COMMONEST = (
    *("에서", "으로", "보다", "부터", "까지", "들", "을", "를", "은", "는", "이", "가", "의"),
    *("에", "와", "과", "로", "도", "만"),
)
"""Particles taken off a word that is not known."""

AFTER_FINAL = frozenset({"을", "은", "이", "과", "으로", "이나", "이랑"})
AFTER_VOWEL = frozenset({"를", "는", "가", "와", "로", "랑"})
"""A particle's form goes by whether the syllable before it ends in a consonant."""

LEAST_STEM = 2
"""Syllables an unknown word keeps when a particle is taken off."""

HANGUL = re.compile(r"[\uac00-\ud7a3]")
RUN = re.compile(r"[\uac00-\ud7a3]+|[^\uac00-\ud7a3]+")
FINALS = 28
RIEUL = 8
"""Of the 28 finals of a syllable in Unicode, none is 0 and ㄹ is 8."""


def is_korean(word: str) -> bool:
    """Whether a word holds any Korean syllable."""
    return HANGUL.search(word) is not None


def _names() -> frozenset[str]:
    tables = (
        *(synonyms.STRUCTURES, synonyms.GROUPS, synonyms.LOBES, synonyms.PARCELS),
        *(synonyms.TERRITORIES, synonyms.LESIONS, synonyms.AMBIGUOUS),
    )
    words = itertools.chain.from_iterable(
        (*table, *itertools.chain.from_iterable(table.values())) for table in tables
    )
    return frozenset(word.replace(" ", "") for word in words if is_korean(word))


NAMES = _names()
"""Korean names of the vocabulary, without spaces."""

PARTS_OF_NAMES = frozenset(
    part
    for words in (*synonyms.TERRITORIES.values(), *synonyms.LESIONS.values())
    for word in words
    if is_korean(word) and " " in word
    for part in word.split()
)
SIDES = frozenset(side for side in synonyms.SIDES if is_korean(side))
LONGEST = max(map(len, NAMES | NOUNS))


def split_korean(word: str) -> list[str]:
    """Cut one Korean word into nouns and particles; their letters in order are the word's.

    >>> split_korean("좌측해마부피를"), split_korean("뇌전이"), split_korean("flair에서")
    (['좌측', '해마', '부피', '를'], ['뇌전이'], ['flair', '에서'])
    """
    parts = _read(word, "")
    if parts:
        return list(parts)
    runs = RUN.findall(word)
    if len(runs) == 1:
        return _without_particles(word)
    return [part for n, run in enumerate(runs) for part in _run(run, first=n == 0)]


def _run(run: str, *, first: bool) -> list[str]:
    if not is_korean(run):
        return [run]
    parts = _read(run, "") if first else _read(run, "w")
    return list(parts) if parts else _without_particles(run)


@lru_cache(maxsize=4096)
def _read(rest: str, before: str) -> tuple[str, ...] | None:
    """The fewest known pieces that make up `rest`, after the piece `before`; None if none."""
    if not rest:
        return ()
    best: tuple[str, ...] | None = None
    for length in range(min(LONGEST, len(rest)), 0, -1):
        piece = rest[:length]
        if not _may_follow(piece, before, rest[length:]):
            continue
        others = _read(rest[length:], piece)
        if others is not None and (best is None or len(others) + 1 < len(best)):
            best = (piece, *others)
    return best


def _may_follow(piece: str, before: str, after: str) -> bool:
    if piece in SIDES and (len(piece) > 1 or after in NAMES or _starts_with_name(after)):
        return before not in SIDES
    if piece in NAMES:
        return len(piece) > 1 or not before
    if piece in NOUNS or piece in PARTS_OF_NAMES:
        return len(piece) > 1 or before in NAMES
    if not before:
        return False
    return (piece in PARTICLES and _sounds_right(piece, before)) or (
        piece in ENDINGS and before in NOUNS and not after
    )


def _starts_with_name(text: str) -> bool:
    return any(text[:length] in NAMES for length in range(2, len(text)))


def _sounds_right(particle: str, before: str) -> bool:
    if not is_korean(before[-1]):
        return True
    final = (ord(before[-1]) - ord("가")) % FINALS
    if particle == "로":
        return final in {0, RIEUL}
    if particle in AFTER_FINAL:
        return final != 0
    return particle not in AFTER_VOWEL or final == 0


def _without_particles(word: str) -> list[str]:
    """Take particles off the end of a word that is not known."""
    for particle in COMMONEST:
        stem = word.removesuffix(particle)
        if stem != word and len(stem) >= LEAST_STEM and _sounds_right(particle, stem):
            return [*(_read(stem, "") or _without_particles(stem)), particle]
    return [word]
