"""Words that say something which facts can bear out, in English and Korean.

A text is held against facts by these words, by names of regions, and by numbers. What is none
of them has to be a plain word (`reporting/plain_words.py`): any other is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple

from medprompt_cli.domain.certainty import CERTAINTIES
from medprompt_cli.reporting.names import spoken_names
from medprompt_cli.reporting.plain_words import PARTICLES, PLAIN

Kind = Literal[
    "region",
    "side",
    "number",
    "visit",
    "date",
    "image",
    "quantity",
    "direction",
    "fate",
    "degree",
    "feature",
    "certainty",
    "status",
    "limit",
    "noise",
    "since",
    "earlier",
    "generic",
    "followed",
    "largest",
    "present",
    "detection",
    "read-on",
    "qc",
    "said",
    "in",
    "conjunction",
    "particle",
    "plain",
    "point",
    "unknown",
]


class Term(NamedTuple):
    """What a word means.

    Attributes:
        kind: What sort of thing it says.
        value: Which.
    """

    kind: Kind
    value: str


Words = Mapping[Kind, Mapping[str, tuple[str, ...]]]

ENGLISH: Words = {
    "side": {
        "left": ("left", "left side", "left sided", "lefthand"),
        "right": ("right", "right side", "right sided", "righthand"),
        "both": ("both", "bilateral", "bilaterally", "left and right", "right and left"),
    },
    "quantity": {
        "volume": ("volume", "soft volume"),
        "inside": (
            "inside the field of view",
            "part inside the image",
            "visible part",
            "at least",
        ),
        "diameter": (
            *("at its longest", "longest diameter", "maximum diameter", "maximal diameter"),
            *("max diameter", "largest diameter", "longest axis", "diameter"),
        ),
        "product": ("product of diameters", "product of its diameters", "bidimensional"),
        "surface": ("surface area",),
        "asymmetry": ("asymmetry", "asymmetry index"),
        "fraction": (
            *("of the intracranial volume", "of intracranial volume"),
            *("share of the intracranial volume", "fraction of the intracranial volume"),
        ),
        "interval": ("interval", "confidence interval", "ci"),
        "annual": ("a year", "per year", "each year", "annually", "yearly"),
        "z": ("robust z", "z"),
        "mean": ("mean signal", "mean density", "mean intensity"),
        "std": ("standard deviation",),
        "count": ("piece", "pieces", "in number"),
        "voxels": ("voxel", "voxels"),
    },
    "direction": {
        "down": (
            *("smaller", "decreased", "decrease", "shrunk", "shrank", "shrinking", "shrinks"),
            *("reduced", "reduction", "shrinkage", "declined", "decline", "atrophied"),
        ),
        "up": (
            *("larger", "bigger", "increased", "increase", "grown", "grew", "growing"),
            *("enlarging", "enlarged", "enlargement", "growth", "expanded"),
        ),
        "any": ("change", "changed", "changes"),
        "same": ("stable", "unchanged", "no change", "of the same size", "without change"),
    },
    "fate": {
        "new": ("new", "newly"),
        "resolved": ("resolved", "disappeared", "no longer seen"),
        "merged": ("merged",),
        "split": ("split",),
        "untold": ("cannot be told",),
    },
    "degree": {
        "small": ("small",),
        "medium": ("medium sized", "medium"),
        "large": ("large",),
    },
    "feature": {
        "signal=hyper": ("hyperintense", "hyperdense", "bright", "high signal"),
        "signal=iso": ("isointense", "isodense"),
        "signal=hypo": ("hypointense", "hypodense", "dark", "low signal"),
        "enhancement=yes": ("enhancing", "enhances", "enhance", "enhancement", "enhanced"),
        "diffusion-restriction=yes": (
            *("restricted diffusion", "diffusion restriction", "restricts diffusion"),
            "restrict diffusion",
        ),
        "midline-crossing=yes": (
            *("crossing the midline", "crosses the midline", "midline crossing"),
            "cross the midline",
        ),
        "midline-shift=yes": ("midline shift", "shift of the midline"),
        "site=periventricular": ("periventricular",),
        "site=juxtacortical": ("juxtacortical",),
        "site=infratentorial": ("infratentorial",),
        "site=deep": ("deep",),
        "signal=": ("signal",),
        "lobe=none": ("outside all lobes",),
        "territory=none": ("outside all territories",),
        "lobe=": ("lobe",),
        "territory=": ("territory",),
        "site=": ("site",),
    },
    "present": {"": ("present",)},
    "detection": {
        "from": ("or more",),
        "unseen": ("smaller ones may be there and not be seen",),
    },
    "status": {
        "unknown": ("not assessed", "could not be assessed", "was not assessed"),
        "truncated_fov": ("outside the field of view", "outside of the field of view"),
        "not_visible": ("not visible to these weights",),
        "failed_qc": ("mask not to be trusted",),
        "failed_check": ("quality check failed",),
        "error": ("no value",),
        "absent": ("nothing of it is there",),
        "not_read": ("was not read", "not read"),
        "not_asked": ("not asked for",),
        "no_lesion": ("no lesion was found",),
        "not_compared": ("visits were not compared",),
    },
    "limit": {
        "below": (
            *("below the reference range", "below its limits", "below the limits"),
            *("small for this cohort", "below limits", "below the lower limit"),
        ),
        "above": (
            *("above the reference range", "above its limits", "above the limits"),
            *("large for this cohort", "above limits", "above the upper limit"),
        ),
        "within": (
            *("within the reference range", "within its limits", "within the limits"),
            *("normal for this cohort", "within limits", "normal", "unremarkable"),
        ),
        "outside": (
            *("outside its limits", "outside the limits", "outside of its limits"),
            *("outside their limits", "abnormal", "outside the reference range"),
        ),
    },
    "noise": {
        "beyond": ("beyond the noise of this method", "beyond noise", "beyond the noise"),
        "within": ("within the noise of this method", "within noise", "within the noise"),
        "unknown": ("the noise of this method being unknown", "noise unknown"),
        "untold": ("no change beyond noise can be told",),
        "limit": ("limit",),
    },
    "since": {"": ("since", "compared with", "compared to")},
    "earlier": {
        "": tuple(
            f"{when} {what}"
            for when in ("earlier", "previous", "prior")
            for what in ("visit", "scan", "study", "examination")
        )
    },
    "generic": {"": ("structure", "region")},
    "followed": {"": ("followed",)},
    "largest": {"": ("largest", "biggest")},
    "read-on": {
        "structures": ("structures were read on",),
        "lesions": ("lesions were read on",),
        "changes": ("changes were measured on",),
    },
    "qc": {
        "review": ("masks to be reviewed", "mask to be reviewed", "to be reviewed"),
        "uncertain": ("uncertain",),
        "asymmetric": ("asymmetric",),
        "in-pieces": ("in pieces",),
        "unlikely-present": ("unlikely present",),
        "unusual-volume": ("unusual volume",),
    },
    "in": {"": ("in", "within", "inside", "involving", "at")},
    "conjunction": {"": ("and", "but", "while", "whereas"), "or": ("or",)},
}

KOREAN: Words = {
    "side": {
        "left": ("좌측", "왼쪽", "좌"),
        "right": ("우측", "오른쪽", "우"),
        "both": ("양측", "양쪽", "좌우"),
    },
    "quantity": {
        "volume": ("부피", "용적", "체적"),
        "inside": ("영상 범위 안의 부분", "영상 안에 있는 부분", "적어도"),
        "diameter": ("최장 지름", "최대 지름", "최대 직경", "장경"),
        "product": ("지름의 곱",),
        "surface": ("표면적",),
        "asymmetry": ("비대칭",),
        "fraction": ("두개내 용적의", "두개내 용적에 대한 비율"),
        "interval": ("구간", "신뢰구간"),
        "annual": ("연간", "매년"),
        "z": ("로버스트 z",),
        "mean": ("평균 신호", "평균 밀도"),
        "std": ("표준편차",),
        "count": ("개수",),
    },
    "direction": {
        "down": ("감소", "작아짐", "줄어듦", "위축"),
        "up": ("증가", "커짐", "늘어남"),
        "any": ("변화", "변함", "변한"),
        "same": ("그대로임", "변화 없음", "크기 같음"),
    },
    "fate": {
        "new": ("새로 생김", "새로 생긴", "새로운"),
        "resolved": ("사라짐", "사라진", "소실"),
        "merged": ("합쳐짐",),
        "split": ("나뉨",),
        "untold": ("알 수 없음",),
    },
    "degree": {"small": ("작음",), "medium": ("중간 크기",), "large": ("큼",)},
    "feature": {
        "signal=hyper": ("고신호", "고음영"),
        "signal=iso": ("등신호", "등음영"),
        "signal=hypo": ("저신호", "저음영"),
        "enhancement=yes": ("조영증강", "조영 증강"),
        "diffusion-restriction=yes": ("확산 제한",),
        "midline-crossing=yes": ("정중선을 넘음", "정중선을 넘지", "정중선 통과"),
        "midline-shift=yes": ("정중선 편위", "정중선 전위"),
        "site=periventricular": ("뇌실 주위", "뇌실주위"),
        "site=juxtacortical": ("피질 인접",),
        "site=infratentorial": ("천막하",),
        "site=deep": ("심부",),
        "signal=": ("신호",),
        "lobe=none": ("모든 뇌엽 밖",),
        "territory=none": ("모든 혈관 영역 밖",),
        "lobe=": ("뇌엽",),
        "territory=": ("혈관 영역",),
        "site=": ("위치",),
    },
    "present": {"": ("있음", "관찰됨", "보임")},
    "detection": {
        "from": ("이상의",),
        "unseen": ("더 작은 것은 있어도 보이지 않을 수 있음",),
    },
    "status": {
        "unknown": ("평가하지 못함",),
        "truncated_fov": ("영상 범위 밖",),
        "not_visible": ("이 가중치로는 볼 수 없음",),
        "failed_qc": ("마스크를 신뢰할 수 없음",),
        "failed_check": ("품질 검사를 통과하지 못함",),
        "error": ("값이 없음",),
        "absent": ("대상이 없음",),
        "not_read": ("영상을 읽지 않음",),
        "not_asked": ("요청되지 않음",),
        "no_lesion": ("병변이 발견되지 않음",),
        "not_compared": ("방문을 비교하지 않음",),
    },
    "limit": {
        "below": ("참고 범위 미만", "범위 미만", "이 코호트에서 작음"),
        "above": ("참고 범위 초과", "범위 초과", "이 코호트에서 큼"),
        "within": ("참고 범위 이내", "범위 이내", "정상"),
        "outside": ("범위를 벗어난", "범위를 벗어남", "비정상"),
    },
    "noise": {
        "beyond": (
            *("방법의 잡음을 넘음", "방법의 잡음을 넘는", "방법의 잡음을 넘어 변한"),
            *("방법의 잡음을 넘어 변함", "방법의 잡음을 넘어"),
        ),
        "within": ("방법의 잡음 이내",),
        "unknown": ("방법의 잡음은 미상",),
        "untold": ("잡음을 넘는 변화를 알 수 없음",),
        "limit": ("한계",),
    },
    "since": {"": ("이후", "대비", "비교한 검사")},
    "earlier": {"": ("이전 검사", "이전 방문", "지난 검사")},
    "generic": {"": ("구조물", "영역")},
    "followed": {"": ("추적",)},
    "largest": {"": ("가장 큰",)},
    "read-on": {
        "structures": ("구조물 판독 영상",),
        "lesions": ("병변 판독 영상",),
        "changes": ("변화 측정 영상",),
    },
    "qc": {
        "review": ("검토할 마스크",),
        "uncertain": ("불확실",),
        "asymmetric": ("비대칭",),
        "in-pieces": ("조각남",),
        "unlikely-present": ("존재 의심",),
        "unusual-volume": ("드문 부피",),
    },
    "in": {"": ("에 위치", "내부", "안")},
    "conjunction": {"": ("및", "그리고")},
}

SHORT = 3
"""Letters of a Latin abbreviation that means a region only where it is written in capitals."""

NO_NAMES = frozenset({"l", "r", "met", "lh", "rh"})
"""Synonyms that are other words in a report."""


@cache
def vocabulary() -> Mapping[str, tuple[Term, ...]]:
    """Every phrase and what it may mean."""
    found: dict[str, tuple[Term, ...]] = {}
    for phrase, term in _phrases():
        known = found.get(phrase, ())
        if term not in known:
            found[phrase] = (*known, term)
    return found


def _phrases() -> Iterator[tuple[str, Term]]:
    for words in (ENGLISH, KOREAN):
        yield from _spelled(words)
    for word, name in spoken_names():
        if word not in NO_NAMES:
            yield word, Term("region", name)
    for certainty in CERTAINTIES:
        yield certainty.english, Term("certainty", certainty.english)
        yield certainty.korean, Term("certainty", certainty.english)
    yield from ((word, Term("plain", word)) for word in PLAIN)
    yield from ((word, Term("particle", word)) for word in PARTICLES)


def _spelled(words: Words) -> Iterator[tuple[str, Term]]:
    for kind, values in words.items():
        for value, phrases in values.items():
            yield from ((phrase, Term(kind, value)) for phrase in phrases)
