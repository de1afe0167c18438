"""Facts in Korean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medprompt_cli.domain.certainty import Certainty
from medprompt_cli.domain.measurement import HOUNSFIELD
from medprompt_cli.reporting.absence import absence
from medprompt_cli.reporting.facts import (
    ChangeFact,
    FateFact,
    FindingFact,
    ImageFact,
    NumberFact,
    Visit,
)
from medprompt_cli.reporting.names import KOREAN_SIDES, name_of
from medprompt_cli.reporting.reasons import NO_PLACE, Reason, has_no_place, why
from medprompt_cli.reporting.voice import OneLesion, Title
from medprompt_cli.reporting.wording import (
    UNIT_WORDS,
    counted,
    degree_of,
    shown,
    signal_image,
    signed,
    step,
    tenths,
    with_unit,
)

TITLES: Mapping[Title, str] = {
    "technique": "검사 방법",
    "brain": "뇌와 뇌실",
    "structures": "구조물",
    "limits": "범위를 벗어난 구조물",
    "lesions": "병변",
    "change": "변화",
    "impression": "결론",
    "asked": "요청한 내용",
    "elsewhere": "그 밖의 병변",
}

QUANTITIES: Mapping[str, str] = {
    "volume": "부피",
    "soft-volume": "부피",
    "visible-volume": "영상 안에 있는 부분",
    "count": "개수",
    "surface-area": "표면적",
    "max-diameter": "최장 지름",
    "bidimensional": "지름의 곱",
    "std": "표준편차",
    "volume-asymmetry": "비대칭",
    "soft-volume-asymmetry": "비대칭",
    "volume-fraction-of-icv": "두개내 용적에 대한 비율",
    "soft-volume-fraction-of-icv": "두개내 용적에 대한 비율",
}

REASONS: Mapping[str, str] = {
    "uncertain": "불확실",
    "asymmetric": "비대칭",
    "in-pieces": "조각남",
    "unlikely-present": "존재 의심",
    "unusual-volume": "드문 부피",
}
"""Why a mask is to be reviewed."""

DEGREES = {"small": "작음", "medium": "중간 크기", "large": "큼"}
SIGNALS = {"hyper": "고신호", "iso": "등신호", "hypo": "저신호"}
DENSITIES = {"hyper": "고음영", "iso": "등음영", "hypo": "저음영"}

FEATURES: Mapping[tuple[str, str], str] = {
    ("enhancement", "yes"): "조영증강 있음",
    ("enhancement", "no"): "조영증강 없음",
    ("diffusion-restriction", "yes"): "확산 제한 있음",
    ("diffusion-restriction", "no"): "확산 제한 없음",
    ("midline-crossing", "yes"): "정중선을 넘음",
    ("midline-crossing", "no"): "정중선을 넘지 않음",
    ("site", "periventricular"): "뇌실 주위",
    ("site", "juxtacortical"): "피질 인접",
    ("site", "infratentorial"): "천막하",
    ("site", "deep"): "심부",
}

NOUNS: Mapping[str, str] = {
    "signal": "신호",
    "lobe": "뇌엽",
    "territory": "혈관 영역",
    "enhancement": "조영증강",
    "diffusion-restriction": "확산 제한",
    "midline-crossing": "정중선 통과",
    "midline-shift": "정중선 편위",
    "site": "위치",
}

OUTSIDE = {"lobe": "모든 뇌엽 밖", "territory": "모든 혈관 영역 밖"}
FATES: Mapping[str, str] = {
    "new": "새로 생김",
    "enlarging": "커짐",
    "shrinking": "작아짐",
    "resolved": "사라짐",
    "stable": "그대로임",
    "merged": "합쳐짐",
    "split": "나뉨",
    "untold": "알 수 없음",
}


class Korean:
    """Sentences in Korean; see `reporting/voice.py`."""

    titles: Mapping[Title, str] = TITLES

    def images(self, visit: Visit, images: Sequence[ImageFact]) -> str:
        """What was scanned at a visit."""
        shown_images = ", ".join(_image(image) for image in images)
        when = f" ({visit.when.isoformat()})" if visit.when else ""
        return f"{visit.name or '영상'}{when}: {shown_images}."

    def read_on(self, kind: str, *, lesions: bool) -> str:
        """Kind of image that structures, or lesions, are read on."""
        return f"{'병변' if lesions else '구조물'} 판독 영상: {kind}."

    def made_with(self, versions: Sequence[str]) -> str:
        """Program and weights."""
        return f"사용한 도구: {', '.join(versions)}."

    def compared(self, visit: Visit, days: float | None) -> str:
        """The earlier visit that this one is compared with."""
        when = f" ({visit.when.isoformat()})" if visit.when else ""
        apart = f", {counted(days)}일 전" if days else ""
        return f"비교한 검사: {visit.name}{when}{apart}."

    def no_earlier(self) -> str:
        """There is no earlier visit."""
        return "이전 검사 없음."

    def volume(self, volume: NumberFact, fraction: NumberFact | None) -> str:
        """How large a region is, and which part of the intracranial volume."""
        share = f", 두개내 용적의 {_number(fraction)}" if fraction else ""
        return f"{_name(volume.region)}: {_number(volume)}{_interval(volume)}{share}."

    def pair(
        self, kind: str, left: NumberFact, right: NumberFact, asymmetry: NumberFact | None
    ) -> str:
        """How large the two sides of a structure are."""
        sides = ", ".join(
            f"{KOREAN_SIDES[side]} {_number(number)}{_interval(number)}"
            for side, number in (("left", left), ("right", right))
        )
        apart = f"; 비대칭 {_number(asymmetry)}" if asymmetry else ""
        return f"{_name(kind)}: {sides}{apart}."

    def quantity(self, number: NumberFact) -> str:
        """Any number, by the name of its quantity."""
        said = f"{_quantity(number)} {_number(number)}{_interval(number)}"
        said += "개" if number.quantity == "count" else ""
        said = signal_image(number.quantity, number.unit, number.kind, "{} ") + said
        if number.other:
            said = f"{_name(number.other)} 대비 {said}"
        return f"{_name(number.region, number.instance)}: {said}."

    def part_inside(self, number: NumberFact) -> str:
        """What the image shows of a region that it cuts."""
        name = _name(number.region, number.instance)
        return f"{name}: 영상 범위 안의 부분 적어도 {_number(number)}."

    def not_assessed(self, regions: Sequence[str], reason: Reason) -> str:
        """Regions that were not measured, and why."""
        return f"{', '.join(_name(region) for region in regions)}: {reason.said('ko')}."

    def unlooked(self, region: str, feature: str, reason: Reason) -> str:
        """A feature that nobody looked for, and why."""
        said = f"{NOUNS[feature]} {reason.said('ko')}"
        return f"{_name(region)}: {said}." if region else f"{said}."

    def missing(self, number: NumberFact) -> str:
        """A number other than the volume that was not measured, and why."""
        return (
            f"{_name(number.region)}: {_quantity(number)} {Reason(number.status).said('ko')}."
        )

    def review(self, regions: Sequence[str], reasons: str) -> str:
        """Regions whose masks are to be looked at, and why."""
        said = ", ".join(REASONS.get(one, one) for one in reasons.split("; "))
        return f"검토할 마스크 ({said}): {', '.join(_name(region) for region in regions)}."

    def absent(self, number: NumberFact) -> str:
        """A region that is not there."""
        return absence(number, "ko")

    def shift(self, finding: FindingFact, *, brief: bool = False) -> str:
        """Whether the midline is shifted."""
        number = finding.evidence.get("shift")
        far = f": {shown(abs(number.value))} mm" if number and not brief else ""
        sure = _sure(finding.certainty)
        if finding.value == "none":
            return f"정중선 편위 없음{sure}{far}."
        side = KOREAN_SIDES.get(finding.value or "", "")
        return f"{side} 정중선 편위 있음{sure}{far}."

    def outside(self, number: NumberFact) -> str:
        """A number outside of its limits."""
        start = f"{_name(number.region)}: {_number(number)}{_interval(number)}"
        limits = number.limits
        if limits is not None and limits.z is not None:
            word = "작음" if number.verdict == "below" else "큼"
            return f"{start}, 이 코호트에서 {word} (로버스트 z {signed(limits.z)})."
        word = "미만" if number.verdict == "below" else "초과"
        between = f" ({_range(limits.low, limits.high, number.unit)})" if limits else ""
        return f"{start}, 참고 범위 {word}{between}."

    def none_outside(self, *, other: bool) -> str:
        """No structure, or no other, lies outside of its limits."""
        return f"{'그 밖에 ' if other else ''}범위를 벗어난 구조물 없음."

    def lesions(self, count: NumberFact | None, volume: NumberFact) -> str:
        """How many lesions of a kind there are."""
        start = f"{_name(volume.region)}: 있음{_sure(volume.certainty)}"
        pieces = f", {_number(count)}개" if count else ""
        return f"{start}{pieces}, 모두 {_number(volume)}{_interval(volume)}."

    def lesion(self, lesion: OneLesion) -> str:
        """What one lesion is like."""
        parts = [_size(lesion), *(_feature(finding) for finding in lesion.findings)]
        return f"{_name(lesion.region, lesion.instance)}: {'; '.join(filter(None, parts))}."

    def further_lesions(self, volumes: Sequence[NumberFact]) -> str:
        """How large the smaller lesions are, by the first and the last of their numbers."""
        first, last = volumes[0], volumes[-1]
        if len(volumes) == 1:
            return f"{_name(first.region, first.instance)}: {_number(first)}."
        known = [fact.value for fact in volumes if fact.value is not None]
        numbers = f"{first.instance}~{last.instance}"
        sizes = _range(min(known), max(known), first.unit)
        return f"{_name(first.region)} {numbers}: 각각 {sizes}."

    def finding(self, finding: FindingFact) -> str:
        """What is said of a region."""
        return f"{_name(finding.region, finding.instance)}: {_feature(finding)}."

    def change(self, change: ChangeFact) -> str:
        """What changed between two visits."""
        word = {1: "증가", -1: "감소"}.get(change.direction or 0, "크기 같음")
        word = "잡음을 넘는 변화를 알 수 없음" if change.untold else word
        unit = UNIT_WORDS.get(change.unit, "")
        first, second = (
            f"{shown(value or 0.0)}{unit}" for value in (change.first, change.second)
        )
        said = f"{word}, {change.earlier} 이후 {first}에서 {second}로"
        return f"{_name(change.region)}: {said}{_rates(change)}, {_noise(change)}."

    def followed_on(self, kind: str) -> str:
        """Kind of image that changes were measured on."""
        return f"변화 측정 영상: {kind}."

    def unfollowed(self, earlier: str) -> str:
        """Change since a visit was not assessed."""
        return f"{earlier} 이후 변화 {Reason('not_compared').said('ko')}."

    def no_change(self, earlier: str) -> str:
        """No structure changed beyond noise."""
        return f"{earlier} 이후 방법의 잡음을 넘어 변한 구조물 없음."

    def fates(self, region: str, earlier: str, counts: Mapping[str, int]) -> str:
        """How many lesions met which fate."""
        said = ", ".join(
            f"{words} {counts[fate]}개" for fate, words in FATES.items() if counts.get(fate)
        )
        return f"{_name(region)}, {earlier} 이후: {said}."

    def fate(self, fate: FateFact) -> str:
        """What became of one lesion."""
        start = f"추적 {_name(fate.region, fate.lesion)}: {FATES[fate.fate or '']}"
        if fate.fate in {"merged", "split"}:
            others = ", ".join(f"추적 {_name(fate.region, one)}" for one in fate.related)
            joined = f" ({others}{'과 함께' if fate.fate == 'merged' else '에서'})"
            size = "" if fate.volume_ml is None else f", {shown(fate.volume_ml)} mL"
            return f"{start}{joined if others else ''}{size}."
        if fate.before_ml is None:
            return f"{start}, {shown(fate.volume_ml or 0.0)} mL."
        if fate.volume_ml is None:
            return f"{start}, {fate.before} 당시 {shown(fate.before_ml)} mL."
        before, now = shown(fate.before_ml), shown(fate.volume_ml)
        return f"{start}, {fate.before} 이후 {before} mL에서 {now} mL로."

    def no_new(self, region: str, earlier: str) -> str:
        """No lesion is new."""
        return f"{earlier} 이후 새로 생긴 {_name(region)} 없음."

    def brief_lesions(self, volume: NumberFact, largest: OneLesion | None) -> str:
        """That there are lesions, and what the largest is like."""
        start = f"{_name(volume.region)}: 있음{_sure(volume.certainty)}"
        if largest is None or largest.diameter is None:
            return f"{start}."
        name = _name(volume.region, largest.instance)
        word = DEGREES[degree_of(largest.diameter.value or 0.0)]
        places = [_feature(one) for one in largest.findings]
        return f"{start}; {', '.join([f'{name} {word}', *places])}."

    def brief_outside(self, numbers: Sequence[NumberFact]) -> str:
        """Regions on one side of their limits."""
        names = ", ".join(_name(one.region) for one in numbers)
        word = "미만" if numbers[0].verdict == "below" else "초과"
        return f"범위 {word}: {names}."

    def brief_changes(self, changes: Sequence[ChangeFact]) -> str:
        """Regions that changed in one direction beyond noise."""
        names = ", ".join(_name(one.region) for one in changes)
        word = "증가" if changes[0].direction == 1 else "감소"
        return f"{changes[0].earlier} 이후 방법의 잡음을 넘는 {word}: {names}."


def _name(region: str, instance: int | None = None) -> str:
    number = "" if instance is None else f" {instance}"
    return f"{name_of(region, 'ko')}{number}"


def _image(image: ImageFact) -> str:
    if not image.spacing_mm:
        return image.kind
    return f"{image.kind} ({' x '.join(step(edge) for edge in image.spacing_mm)} mm)"


def _number(number: NumberFact) -> str:
    value = number.value or 0.0
    return counted(value) if number.quantity == "count" else with_unit(value, number.unit)


def _range(low: float, high: float, unit: str) -> str:
    if shown(low) == shown(high) and unit != "%":
        return with_unit(high, unit)
    return f"{(tenths if unit == '%' else shown)(low)}~{with_unit(high, unit)}"


def _interval(number: NumberFact) -> str:
    if number.low is None or number.high is None:
        return ""
    return f" (구간 {_range(number.low, number.high, number.unit)})"


def _quantity(number: NumberFact) -> str:
    if number.quantity == "mean":
        return "평균 밀도" if number.unit == HOUNSFIELD else "평균 신호"
    return QUANTITIES.get(number.quantity, number.quantity.replace("-", " "))


def _sure(certainty: Certainty | None) -> str:
    return f" ({certainty.korean})" if certainty else ""


def _size(lesion: OneLesion) -> str:
    parts = []
    if lesion.diameter is not None and lesion.diameter.value is not None:
        parts.append(DEGREES[degree_of(lesion.diameter.value)])
    if lesion.volume is not None:
        parts.append(_number(lesion.volume))
    if lesion.diameter is not None:
        parts.append(f"최장 지름 {_number(lesion.diameter)}")
    if lesion.product is not None:
        parts.append(f"지름의 곱 {_number(lesion.product)}")
    return ", ".join(parts)


def _feature(finding: FindingFact) -> str:
    """A finding as a part of a sentence."""
    noun = NOUNS.get(finding.feature, finding.feature.replace("-", " "))
    if has_no_place(finding):
        return OUTSIDE[finding.feature]
    if finding.value is None:
        return f"{noun} {why(finding).said('ko')}"
    sure = _sure(finding.certainty)
    if finding.feature in NO_PLACE:
        return f"{_name(finding.value)}에 위치{sure}"
    if finding.feature == "signal" and finding.value in SIGNALS:
        words = DENSITIES if finding.kinds == ("CT",) else SIGNALS
        where = f"{finding.kinds[0]} " if len(finding.kinds) == 1 else ""
        return f"{where}{words[finding.value]}{sure}"
    if (finding.feature, finding.value) in FEATURES:
        return f"{FEATURES[finding.feature, finding.value]}{sure}"
    return f"{noun} {finding.value}{sure}"


def _rates(change: ChangeFact) -> str:
    if change.percent is None:
        return ""
    said = f"{signed(change.percent)} %"
    if change.percent_low is not None and change.percent_high is not None:
        said += f", 구간 {signed(change.percent_low)}~{signed(change.percent_high)} %"
    if change.annual_compound_percent is not None:
        said += f"; 연간 {signed(change.annual_compound_percent)} %"
    return f" ({said})"


def _noise(change: ChangeFact) -> str:
    if change.exceeds_limit is None:
        return "방법의 잡음은 미상"
    limit = f" (한계 {tenths(change.limit_percent)} %)" if change.limit_percent else ""
    return f"방법의 잡음{'을 넘음' if change.exceeds_limit else ' 이내'}{limit}"
