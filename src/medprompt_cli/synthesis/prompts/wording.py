"""Numbers with units, and scans, as people write them."""

from __future__ import annotations

from collections.abc import Mapping

from medprompt_cli.synthesis.prompts.asked import Language
from medprompt_cli.synthesis.prompts.draft import HOLD, RELEASE, Draft
from medprompt_cli.synthesis.prompts.request import RedrawError

SIZES: Mapping[str, tuple[str, ...]] = {
    "mm3": (
        "2",
        "3",
        "5",
        "8",
        "10",
        "15",
        "20",
        "25",
        "30",
        "50",
        "100",
        "200",
        "500",
        "1000",
    ),
    "mL": ("0.1", "0.2", "0.25", "0.5", "1", "1.5", "2", "3", "5", "10", "15", "20", "30"),
    "mm": ("2", "3", "4", "5", "6", "7", "8", "10", "12", "15", "20", "25", "30"),
    "cm": ("0.5", "1", "1.5", "2", "2.5", "3", "4"),
}
"""Numbers people choose, by unit."""

UNIT_WORDS: Mapping[Language, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "mm3": ("mm3", "mm3", "mm³", "mm^3", "cubic mm", "cubic millimeters", "cu mm"),
        "mL": ("mL", "ml", "ml", "cc", "cc", "cm3", "cm³", "milliliters", "cubic cm", "ML"),
        "mm": ("mm", "mm", "mm", "millimeters"),
        "cm": ("cm", "cm", "cm", "centimeters"),
    },
    "ko": {
        "mm3": ("mm3", "mm³", "mm^3", "세제곱밀리미터", "입방밀리미터"),
        "mL": ("mL", "ml", "cc", "cc", "cm3", "cm³", "밀리리터", "시시"),
        "mm": ("mm", "mm", "밀리미터"),
        "cm": ("cm", "cm", "센티미터", "센티"),
    },
}
"""How units are written, in American spelling."""

SPELLED: Mapping[str, str] = {
    **{"0.5": "half a", "1": "one", "2": "two", "3": "three", "5": "five", "10": "ten"},
}
SPELLED_UNITS = frozenset({"milliliters", "millimeters", "centimeters", "cc", "ml", "mm"})
SINGULAR = {
    **{"milliliters": "milliliter", "millimeters": "millimeter"},
    "centimeters": "centimeter",
}
CM = 10

SCANS: Mapping[str, tuple[str, ...]] = {
    "T1w": ("T1", "T1", "T1w", "T1-weighted", "T1 weighted", "T1W", "t1", "MPRAGE", "T1WI"),
    "T2w": ("T2", "T2", "T2w", "T2-weighted", "T2 weighted", "T2W", "t2", "T2WI"),
    "FLAIR": ("FLAIR", "FLAIR", "FLAIR", "flair", "T2 FLAIR", "T2-FLAIR", "Flair"),
    "PDw": ("PD", "PDw", "proton density", "PD-weighted"),
    "T2starw": ("T2*", "T2 star", "T2star", "GRE", "T2*-weighted"),
    "T1ce": (
        *("T1ce", "post-contrast T1", "T1 post contrast", "T1 with contrast", "T1+C", "T1c"),
        *("contrast-enhanced T1", "T1 post-gad", "T1-Gd", "CE-T1", "gadolinium T1"),
    ),
    "dwi": ("DWI", "DWI", "dwi", "diffusion", "diffusion-weighted"),
    "ADC": ("ADC", "ADC", "ADC map", "adc"),
    "swi": ("SWI", "SWI", "swi", "susceptibility-weighted"),
    "ct": ("CT", "CT", "CT", "ct", "head CT", "non-contrast CT", "NCCT"),
}
KOREAN_SCANS: Mapping[str, tuple[str, ...]] = {
    "T1w": ("T1", "T1", "T1 강조영상", "T1 강조", "T1w", "t1"),
    "T2w": ("T2", "T2", "T2 강조영상", "T2 강조", "T2w", "t2"),
    "FLAIR": ("FLAIR", "FLAIR", "flair", "플레어", "FLAIR 영상"),
    "PDw": ("PD", "양성자 밀도 영상", "PDw"),
    "T2starw": ("T2*", "GRE", "T2 star"),
    "T1ce": ("조영증강 T1", "조영 증강 T1", "T1 조영증강", "T1ce", "조영 후 T1", "T1 CE"),
    "dwi": ("DWI", "확산강조영상", "확산 강조 영상", "dwi"),
    "ADC": ("ADC", "ADC 맵", "ADC map"),
    "swi": ("SWI", "자화율 강조영상", "자화율강조영상"),
    "ct": ("CT", "CT", "씨티", "시티", "비조영 CT", "두부 CT"),
}
LIKELY_SCANS: Mapping[str, float] = {
    **{"T1w": 5, "T2w": 4, "FLAIR": 6, "PDw": 0.5, "T2starw": 1, "T1ce": 2},
    **{"dwi": 1.5, "ADC": 1, "swi": 1, "ct": 0.8},
}


def held(text: str) -> str:
    """`text`, safe from typing errors."""
    return f"{HOLD}{text}{RELEASE}"


def size(draft: Draft, sign: str, dimension: str) -> str:
    """A bound with its unit; adds the filter."""
    units = ("mm3", "mL") if dimension == "volume" else ("mm", "mm", "cm")
    unit = draft.pick(units)
    number = draft.pick(SIZES[unit])
    word = draft.pick(UNIT_WORDS[draft.language][unit])
    if unit == "cm":
        draft.limit(f"size:{sign}{float(number) * CM:g}mm")
    else:
        draft.limit(f"size:{sign}{number}{unit}")
    return held(_written(draft, number, word))


def _written(draft: Draft, number: str, word: str) -> str:
    spelled = number in SPELLED and word in SPELLED_UNITS and draft.language == "en"
    if spelled and draft.chance(0.15):
        number = SPELLED[number]
        one = number in {"one", "half a"}
        return f"{number} {SINGULAR.get(word, word) if one else word}"
    if number == "1" and word in SINGULAR:
        word = SINGULAR[word]
    if number == "1000" and draft.chance(0.5):
        number = "1,000"
    space = "" if draft.chance(0.4) and not word.startswith("cubic") else " "
    return f"{number}{space}{word}"


def scan(draft: Draft, suffix: str) -> str:
    """A kind of scan, the one given or a usual one; adds its suffix to the images."""
    if not suffix:
        suffix = draft.pick(tuple(LIKELY_SCANS), tuple(LIKELY_SCANS.values()))
    if suffix in draft.request.images:
        raise RedrawError
    draft.request.images.append(suffix)
    words = SCANS if draft.language == "en" or draft.chance(0.3) else KOREAN_SCANS
    return held(draft.pick(words[suffix]))
