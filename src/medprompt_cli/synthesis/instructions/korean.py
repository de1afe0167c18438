"""Korean words of instructions and answers."""

from __future__ import annotations

from collections.abc import Mapping

from medprompt_cli.domain.instruction import Form

NOUNS: Mapping[str, str] = {
    "lesion": "병변",
    "white-matter-hyperintensity": "백질 고신호",
    "ms-lesion": "다발성 경화증 병변",
    "tumor": "종양",
    "tumor-core": "종양 중심부",
    "enhancing-tumor": "조영증강 종양",
    "edema": "부종",
    "infarct": "뇌경색",
    "hemorrhage": "출혈",
    "cyst": "낭종",
    "metastasis": "뇌전이",
    "meningioma": "수막종",
    "resection-cavity": "절제강",
    "necrosis": "괴사",
}

UNCOUNTED = frozenset({"edema", "necrosis", "enhancing-tumor"})
"""Lesions that are not counted."""

_SIDES = {"left": "왼쪽", "right": "오른쪽"}
_SIDED: Mapping[str, str] = {
    "hemisphere": "{} 반구",
    "frontal-lobe": "{} 전두엽",
    "parietal-lobe": "{} 두정엽",
    "temporal-lobe": "{} 측두엽",
    "occipital-lobe": "{} 후두엽",
    "insula": "{} 섬엽",
    "cingulate": "{} 대상회",
    "cerebral-white-matter": "{} 대뇌 백질",
    "thalamus": "{} 시상",
    "basal-ganglia": "{} 기저핵",
    "cerebellum": "{} 소뇌",
}
PLACE_PHRASES: Mapping[str, str] = {
    **{
        f"{side}-{name}": words.format(said)
        for name, words in _SIDED.items()
        for side, said in _SIDES.items()
    },
    "brainstem": "뇌간",
}

TEMPLATES: Mapping[Form, tuple[str, ...]] = {
    "basic": (
        "{place}의 {one}[을] 분할해 주세요.",
        "{place}에 있는 {one}[을] 모두 표시해 주세요.",
        "{place}에 {one}[이] 있나요? 있으면 분할해 주세요.",
        "{place} {one}의 윤곽을 그려 주세요.",
        "{place}에서 {one}[을] 찾아 분할해 줘.",
        "{place} {one} 마스크가 필요합니다.",
    ),
    "global": (
        "{one}[을] 분할해 주세요.",
        "이 영상에 있는 {one}[을] 모두 표시해 주세요.",
        "{one}[이] 있나요? 있으면 분할해 주세요.",
        "{one}의 윤곽을 그려 주세요.",
        "{one}[을] 찾아 분할해 줘.",
        "{one} 마스크가 필요합니다.",
    ),
    "lesion_inference": (
        "병변을 분할하고 무엇인지 말해 주세요.",
        "이 영상에서 이상한 곳의 윤곽을 그려 주세요.",
        "어떤 병변인가요? 분할해 주세요.",
        "병소를 표시하고 이름을 알려 주세요.",
        "병변을 분할해 주세요. 무슨 병인가요?",
        "이상 소견을 찾아 표시해 주세요.",
    ),
}
"""How an instruction is worded; `[을]` stands for the form that fits what comes before."""
