"""Regions by the names that people read, in English and Korean, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from medprompt_cli.domain.anatomy import BILATERAL
from medprompt_cli.domain.parcels import LOBES, PARCEL_KINDS, VERMIS
from medprompt_cli.language import synonyms
from medprompt_cli.reporting.report import Language

SIDES = ("left", "right")

KOREAN_SIDES: Mapping[str, str] = {"left": "좌측", "right": "우측"}

ENGLISH: Mapping[str, str] = {
    "csf": "cerebrospinal fluid",
    "accumbens": "nucleus accumbens",
    "ms-lesion": "MS lesion",
    "intracranial": "intracranial volume",
    "pericalcarine": "pericalcarine cortex",
    "cerebellar-hemisphere-cortex": "cortex of the cerebellar hemisphere",
    "mca-territory": "middle cerebral artery territory",
    "aca-territory": "anterior cerebral artery territory",
    "pca-territory": "posterior cerebral artery territory",
}
"""Names that are not what their ids say, with spaces."""

KOREAN: Mapping[str, str] = {
    **{"intracranial": "두개내 용적", "metastasis": "뇌전이"},
    **{"aca-territory": "전대뇌동맥 영역", "mca-territory": "중대뇌동맥 영역"},
    "pca-territory": "후대뇌동맥 영역",
}
"""Korean names that are not the first of their synonyms."""

LARGEST = "largest-"
"""Begins the name under which programs save the largest of several."""

PLACES = ("gyrus", "lobule", "cortex")
"""What a parcel's name ends in that can stand by itself."""

_TABLES = (
    *(synonyms.STRUCTURES, synonyms.GROUPS, synonyms.LOBES, synonyms.PARCELS),
    *(synonyms.TERRITORIES, synonyms.LESIONS),
)
_WORDS: Mapping[str, tuple[str, ...]] = {
    name: words for table in _TABLES for name, words in table.items()
}
_HANGUL = re.compile(r"[\uac00-\ud7a3]")

SIDED: frozenset[str] = frozenset(
    {*BILATERAL, *LOBES, *(kind for kind in PARCEL_KINDS if kind not in VERMIS.values())}
    | {name for name in synonyms.PARCELS if "vermis" not in name}
    | {name for name in synonyms.TERRITORIES if name not in synonyms.UNSIDED_TERRITORIES}
)
"""Names that stand for a left and a right region."""

LANDMARKS: frozenset[str] = frozenset({*synonyms.LOBES, *synonyms.TERRITORIES})
"""What lesions are said to lie in."""


def split_side(region: str) -> tuple[str | None, str]:
    """The side of a region's name, and the name without it.

    >>> split_side("left-hippocampus"), split_side("brainstem")
    (('left', 'hippocampus'), (None, 'brainstem'))
    """
    side, _, kind = region.partition("-")
    return (side, kind) if side in SIDES and kind else (None, region)


def name_of(region: str, language: Language) -> str:
    """A region as it is read.

    >>> name_of("left-accumbens", "en"), name_of("left-accumbens", "ko")
    ('left nucleus accumbens', '좌측 측좌핵')
    """
    side, kind = split_side(region)
    if language == "ko":
        korean = _korean(kind)
        if korean is not None:
            return f"{KOREAN_SIDES[side]} {korean}" if side else korean
    plain = _english(kind)
    return f"{side} {plain}" if side else plain


@cache
def _english(kind: str) -> str:
    if kind in ENGLISH:
        return ENGLISH[kind]
    spelled = re.sub(r"[-_]+", " ", kind)
    if kind not in synonyms.PARCELS:
        return spelled
    first = next(iter(synonyms.PARCELS[kind]), spelled)
    return first if first.endswith(PLACES) and first.isascii() else spelled


@cache
def _korean(kind: str) -> str | None:
    if kind.startswith(LARGEST):
        rest = _korean(kind.removeprefix(LARGEST))
        return None if rest is None else f"가장 큰 {rest}"
    if kind in KOREAN:
        return KOREAN[kind]
    return next((word for word in _WORDS.get(kind, ()) if _HANGUL.search(word)), None)


def spoken_names() -> Iterator[tuple[str, str]]:
    """Every word for a region, and its name without side; both languages."""
    for name, words in _WORDS.items():
        yield re.sub("-", " ", name), name
        yield from ((word, name) for word in words)
    yield from ((word, name) for name, word in (*ENGLISH.items(), *KOREAN.items()))
    yield from synonyms.ADJECTIVES.items()


def plural(region: str) -> str:
    """Several of a kind of lesion, in English.

    >>> plural("metastasis"), plural("white-matter-hyperintensity"), plural("ms-lesion")
    ('metastases', 'white matter hyperintensities', 'MS lesions')
    """
    name = name_of(region, "en")
    for ending, instead in (("sis", "ses"), ("ty", "ties"), ("", "s")):
        if name.endswith(ending):
            return name.removesuffix(ending) + instead
    return name


def listed(words: list[str], last: str) -> str:
    """Words as a list.

    >>> listed(["one", "two", "three"], " and ")
    'one, two and three'
    """
    return last.join(part for part in (", ".join(words[:-1]), words[-1]) if part)
