"""Korean words, parted where it is safe: `좌측해마부피를` is `좌측 해마 부피 를`.

A word is cut only if all of it can be read as known nouns and particles, or if it ends in
a particle that fits the sound before it. Nothing is cut out of a name of the vocabulary:
`뇌전이` is no `뇌전` with a particle.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache

from medprompt_cli.language import synonyms

_NOUNS = """
    부피 용적 체적 크기 개수 갯수 직경 지름 길이 너비 넓이 표면적 면적 밝기 신호 강도 신호강도
    밀도 비대칭 비대칭도 비대칭지수 지수 비율 비 차이 변화 변화량 변화율 증가 증가율 감소 감소율
    성장 위축 위축률 퍼센트 백분율 영역 구역 부위 마스크 위치 평균 최대 최소 최장 전체 모든 각각
    안 주변 주위 근처 부근 내부
    영상 사진 이미지 스캔 강조 강조영상 환자 대비 고신호 저신호 등신호 조영 조영증강 증강 확산
    확산제한 제한 존재 유무 여부 방문 내원 검사 추적 기저 이전 이후 지난 처음 마지막 신규 반구
    측정 분할 계산 표시 비교 저장 분석 정량 정량화 추출 확인 병변 병소 구조물 구조 뇌엽 엽 의심
    뇌량 뇌하수체 뇌실질 중뇌 교뇌 연수 선조체 렌즈핵 시상하부 시상상부 시상밑핵 송과체 흑질
"""
NOUNS = frozenset(_NOUNS.split())
"""What is asked about regions, and regions of other vocabularies: safe to part from a name
it is written to."""

CASES = (
    *(
        "이",
        "가",
        "을",
        "를",
        "의",
        "에",
        "에서",
        "에게",
        "한테",
        "으로",
        "로",
        "으로써",
        "로써",
    ),
    *(
        "으로서",
        "로서",
        "와",
        "과",
        "하고",
        "이랑",
        "랑",
        "보다",
        "처럼",
        "만큼",
        "같이",
        "대로",
    ),
)
TOPICS = (
    *(
        "은",
        "는",
        "도",
        "만",
        "까지",
        "부터",
        "마다",
        "마저",
        "조차",
        "밖에",
        "뿐",
        "씩",
        "대신",
    ),
    *("이나", "나", "이라도", "라도", "이든지", "든지", "이든", "든", "이란", "란"),
    *("이야말로", "야말로", "은커녕", "는커녕"),
)
SUFFIXES = ("들", "및", "내", "외", "쪽", "측", "중", "량", "별", "당", "용")
COPULAS = (
    *("이다", "입니다", "입니까", "이에요", "예요", "에요", "이야", "야", "이죠", "죠", "인"),
    *("인가", "인가요", "인지", "인지요", "인데", "인데요", "이냐", "냐", "이니", "니", "일"),
    *("일까", "일까요", "일지", "이고", "고", "이며", "며", "이면", "면", "이라면", "라면"),
    *("이라고", "라고", "이라는", "라는", "이라서", "라서", "이므로", "므로", "이거나", "거나"),
    *("이지만", "지만", "이었나요", "였나요", "이었나", "였나", "이었는지", "였는지"),
    *("이었던", "였던", "이었다", "였다", "이었습니다", "였습니다", "이었고", "였고"),
    *("이었습니까", "였습니까"),
)
"""Forms of `to be`, written to the noun: `종양인가요`."""

PARTICLES = frozenset({*CASES, *TOPICS, *SUFFIXES, *COPULAS})
AFTER_NAMES = frozenset({"용", "든", "란", "야", "인", "니", "냐", "일", "고", "며", "면"})
"""Particles that end many other words too: only a name of the vocabulary takes them."""

BEINGS = (
    *("있나요", "있나", "있는", "있는지", "있음", "있어요", "있습니까", "있으면", "있을"),
    *("없나요", "없나", "없는", "없는지", "없음", "없어요", "없습니까", "없이", "아닌"),
    *(
        "제외",
        "제외하고",
        "제외한",
        "제외하면",
        "빼고",
        "포함",
        "포함한",
        "포함하여",
        "포함해서",
    ),
)
"""Words that people write to a name, at its end: `종양있나요`."""

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

AFTER_FINAL = frozenset(
    {"을", "은", "이", "과", "으로", "으로써", "으로서", "이나", "이랑", "이든", "이든지"}
    | {"이란", "이야", "이야말로", "은커녕"}
)
AFTER_VOWEL = frozenset(
    {"를", "는", "가", "와", "랑", "나", "라도", "든지", "든", "란", "야", "야말로", "는커녕"}
    | {"예요", "죠", "냐", "니", "고", "며", "면", "라면", "라고", "라는", "라서", "므로"}
    | {"거나", "지만", *(copula for copula in COPULAS if copula.startswith("였"))}
)
AFTER_VOWEL_OR_RIEUL = frozenset({"로", "로써", "로서"})
"""A particle's form goes by whether the syllable before it ends in a consonant."""

MOST_SYLLABLES = 60
"""A longer run is no word; it is left whole."""

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


def _parts(*tables: dict[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """The words of every Korean name that has several."""
    for words in itertools.chain.from_iterable(table.values() for table in tables):
        yield from (word.split() for word in words if is_korean(word) and " " in word)


SIDED_TABLES = (synonyms.STRUCTURES, synonyms.GROUPS, synonyms.LOBES, synonyms.PARCELS)
PARTS_OF_NAMES = frozenset(
    itertools.chain.from_iterable(_parts(synonyms.TERRITORIES, synonyms.LESIONS))
)
FIRST_PARTS = frozenset(
    parts[0] for parts in _parts(*SIDED_TABLES, synonyms.TERRITORIES) if len(parts[0]) > 1
)
"""May have a side written to them: `좌측내후각 피질`."""

LAST_PARTS = frozenset(parts[-1] for parts in _parts(*SIDED_TABLES))
"""May have a particle written to them: `기저 신경절하고`."""

SIDES = frozenset(side for side in synonyms.SIDES if is_korean(side))
LONGEST = max(map(len, NAMES | NOUNS | PARTICLES))


def split_korean(word: str) -> list[str]:
    """Cut one Korean word into nouns and particles; their letters in order are the word's.

    >>> split_korean("좌측해마부피를"), split_korean("뇌전이"), split_korean("flair에서")
    (['좌측', '해마', '부피', '를'], ['뇌전이'], ['flair', '에서'])
    """
    if len(word) > MOST_SYLLABLES:
        return [word]
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
    if piece in SIDES and (len(piece) > 1 or _starts_with_name(after)):
        return before not in SIDES
    if _is_part_of_name(piece, before, after):
        return True
    if piece in NOUNS or piece in PARTS_OF_NAMES:
        return len(piece) > 1 or before in NAMES
    return bool(before) and _may_end(piece, before, after)


def _is_part_of_name(piece: str, before: str, after: str) -> bool:
    if piece in NAMES:
        return len(piece) > 1 or not before
    if piece in FIRST_PARTS and before in SIDES and not after:
        return True
    return piece in LAST_PARTS and not before


def _may_end(piece: str, before: str, after: str) -> bool:
    """Whether a particle or an ending may be written to the piece before it."""
    if piece in PARTICLES and _sounds_right(piece, before):
        named = before in NAMES or before in LAST_PARTS or not is_korean(before)
        return named or piece not in AFTER_NAMES
    if after:
        return False
    return (piece in ENDINGS and before in NOUNS) or (
        piece in BEINGS and (before in NAMES or before in CASES)
    )


def _starts_with_name(text: str) -> bool:
    starts = (text[:length] for length in range(2, len(text) + 1))
    return text in NAMES or text in FIRST_PARTS or any(start in NAMES for start in starts)


def _sounds_right(particle: str, before: str) -> bool:
    if not is_korean(before[-1]):
        return True
    final = (ord(before[-1]) - ord("가")) % FINALS
    if particle in AFTER_VOWEL_OR_RIEUL:
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
