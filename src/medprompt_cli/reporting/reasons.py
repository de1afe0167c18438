"""Why something was not assessed: the reason of a fact without a value, and its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.domain.finding import missing_image
from medprompt_cli.domain.measurement import STATUSES, Status
from medprompt_cli.reporting.facts import Facts, FindingFact, ImageFact, is_lesion, volume_of
from medprompt_cli.reporting.report import Language

Cause = Status | Literal["failed_check", "not_read", "not_asked", "no_lesion", "not_compared"]
"""A status; or the image does not bear it out (`failed_check`), another kind of image would
have shown it (`not_read`), nobody asked, it is looked at only beside a lesion and there is none
(`no_lesion`), visits were not compared."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "enhancement": ("T1w", "T1ce"),
    "diffusion-restriction": ("dwi", "ADC"),
}
"""Kinds of image that a feature is seen on, if not on any."""

NO_PLACE: Mapping[str, str] = {"lobe": "share-no-lobe", "territory": "share-no-territory"}
"""By the feature that names a place, the number that is there if a lesion has none."""

_WORDS: Mapping[Language, Mapping[Cause, str]] = {
    "en": {
        "absent": "nothing of it is there",
        "truncated_fov": "outside the field of view",
        "not_visible": "not visible to these weights",
        "failed_qc": "mask not to be trusted",
        "failed_check": "quality check failed",
        "error": "no value",
        "not_read": "{} was not read",
        "not_asked": "not asked for",
        "no_lesion": "no lesion was found",
        "not_compared": "visits were not compared",
    },
    "ko": {
        "absent": "대상이 없음",
        "truncated_fov": "영상 범위 밖",
        "not_visible": "이 가중치로는 볼 수 없음",
        "failed_qc": "마스크를 신뢰할 수 없음",
        "failed_check": "품질 검사를 통과하지 못함",
        "error": "값이 없음",
        "not_read": "{} 영상을 읽지 않음",
        "not_asked": "요청되지 않음",
        "no_lesion": "병변이 발견되지 않음",
        "not_compared": "방문을 비교하지 않음",
    },
}

_THERE: Mapping[Language, Mapping[str, str]] = {
    "en": {"measured": "measured", "absent": "absent"},
    "ko": {"measured": "측정됨", "absent": "없음"},
}

_NOT_ASSESSED: Mapping[Language, str] = {"en": "not assessed", "ko": "평가하지 못함"}


def status_words(language: Language) -> dict[str, str]:
    """What stands in a table in the place of each status."""
    words = _WORDS[language]
    whys = {str(status): words[status] for status in STATUSES if status in words}
    return {**whys, **_THERE[language]}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no value.

    Attributes:
        cause: What sort of reason it is.
        image: Kind of image that was not read; empty if that is not the reason.
    """

    cause: Cause
    image: str = ""

    def said(self, language: Language) -> str:
        """That something was not assessed, and why.

        >>> Reason("not_read", "T1ce").said("en")
        'not assessed (T1ce was not read)'
        """
        words = _WORDS[language][self.cause].format(self.image)
        return f"{_NOT_ASSESSED[language]} ({words})"


def why(finding: FindingFact) -> Reason:
    """Why a finding has no value."""
    if finding.status == "failed_qc" and finding.notes:
        return Reason("failed_check")  # the mask is sound, what is around it is not
    image = missing_image(finding.notes)
    return Reason("not_read", image) if image else Reason(finding.status)


def has_no_place(finding: FindingFact) -> bool:
    """Whether a lesion lies in no lobe, or in no territory: that is an answer."""
    return finding.value is None and NO_PLACE.get(finding.feature) in finding.evidence


def why_unlooked(feature: str, images: Iterable[ImageFact]) -> Reason:
    """Why nobody looked for a feature: without the kinds of image it needs it is not seen.

    Args:
        feature: Of lesions.
        images: Of the visit.
    """
    kinds = {_kind_of(image) for image in images}
    missing = [kind for kind in NEEDED.get(feature, ()) if kind.lower() not in kinds]
    return Reason("not_read", missing[-1]) if missing else Reason("not_asked")


def why_no_shift(facts: Facts, visit: str) -> Reason:
    """Why nobody looked for a shift of the midline: that is done where lesions are found."""
    shifts = {one.visit for one in facts.findings if one.feature == "midline-shift"}
    found = {one.name: _lesions_found(facts, one.name) for one in facts.visits}
    passed_over = any(there and name not in shifts for name, there in found.items())
    return Reason("no_lesion" if found.get(visit) is False and not passed_over else "not_asked")


def _lesions_found(facts: Facts, visit: str) -> bool | None:
    """Whether a visit has lesions; None where none was looked for, or none can be told."""
    numbers = (facts.numbers_of(region, visit) for region in facts.regions if is_lesion(region))
    statuses = {volume.status for one in numbers if (volume := volume_of(one))}
    if statuses & {"measured", "truncated_fov", "failed_qc", "error"}:
        return True
    return False if "absent" in statuses else None


def _kind_of(image: ImageFact) -> str:
    """As a feature asks for it: a T1w after contrast agent is another kind."""
    return "t1ce" if image.kind == "T1w" and "_ce-" in image.case else image.kind.lower()
