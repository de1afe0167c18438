"""Notes on a report: what its reader has to know of it that no sentence of it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from medprompt_cli.reporting.names import LANDMARKS, name_of, split_side
from medprompt_cli.reporting.report import Language

NO_PLACES: Mapping[Language, str] = {
    "en": "Lobes were not measured: there is a passage for each kind of lesion.",
    "ko": "뇌엽을 측정하지 않았으므로 병변의 종류별로 기술합니다.",
}


def nothing_known(regions: Iterable[str], language: Language) -> tuple[str, ...]:
    """Regions of which nothing is known, a note for each."""
    return tuple(_nothing_known(region, language) for region in regions)


def _nothing_known(region: str, language: Language) -> str:
    name, place = name_of(region, language), split_side(region)[1] in LANDMARKS
    if language == "ko":
        why = "요청되지 않았고, 그 안에 위치한 병변도 없음" if place else "요청되지 않음"
        return f"{name}: 알려진 것이 없음 ({why})."
    why = f"it was not asked for{', and no lesion is placed in it' if place else ''}"
    return f"Nothing is known of {name}: {why}."


def compared(said: Iterable[str], language: Language) -> tuple[str, ...]:
    """What `medprompt longitudinal` said of how visits were compared, which is in English."""
    if language == "ko":
        return tuple(f'방문 비교에 관한 참고 (영어 원문 인용): "{one}"' for one in said)
    return tuple(said)


def left_out(model: str, count: int, language: Language) -> str:
    """How many of our statements a language model left out."""
    if language == "ko":
        return f"언어 모델 {model}: 원래 문장 중 {count}개를 빠뜨림."
    return f"The language model {model} left out {count} of our statements."


def replaced(model: str, tries: int, reason: str, language: Language) -> str:
    """That what a language model wrote was refused, with the reason, which is in English."""
    if language == "ko":
        return (
            f"언어 모델 {model}: 작성한 글이 {tries}번 거부되어 원래 글로 대체됨"
            f' (영어 원문 인용): "{reason}"'
        )
    return (
        f"The text of the language model {model} was refused {tries} times and replaced by our"
        f" own: {reason}"
    )
