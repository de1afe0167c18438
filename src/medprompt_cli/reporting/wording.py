"""Numbers, units and degrees as sentences have them, whatever the language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from medprompt_cli.domain.finding import MICROMETRE2_PER_SECOND
from medprompt_cli.domain.measurement import HOUNSFIELD

FIGURES = 3
"""Significant figures of a number; whole numbers are not shortened."""

UNIT_WORDS: Mapping[str, str] = {
    **{"mL": " mL", "mm": " mm", "mm2": " mm2", "%": " %", "1": ""},
    **{HOUNSFIELD: " HU", MICROMETRE2_PER_SECOND: " um2/s"},
}
"""What stands behind a number, by the UCUM code of its unit."""

SMALL_MM, LARGE_MM = 10.0, 30.0
"""A lesion whose longest diameter is below the first is called small, one above the second
large. 10 mm is what RANO wants for a lesion to be measured; 30 mm is our own choice."""

INTENSITIES = frozenset({"mean", "std"})
"""Quantities of the signal of an image."""

Degree = Literal["small", "medium", "large"]


def shown(value: float) -> str:
    """A number in three significant figures, without an exponent.

    >>> shown(16.536), shown(1131.6), shown(0.048), shown(2.1)
    ('16.5', '1132', '0.0480', '2.10')
    """
    if value == 0:
        return "0"
    decimals = FIGURES - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    if rounded:  # 9.996 has a figure more once it is rounded
        decimals = FIGURES - 1 - math.floor(math.log10(abs(rounded)))
    return f"{value:.{max(decimals, 0)}f}"


def counted(value: float) -> str:
    """A number that is whole."""
    return f"{value:.0f}"


def tenths(value: float) -> str:
    """A number with one decimal; no minus before 0.

    >>> tenths(-5.64), tenths(-0.01)
    ('-5.6', '0.0')
    """
    return f"{round(value, 1) + 0.0:.1f}"


def signed(value: float) -> str:
    """The same with its sign, also above 0."""
    text = tenths(value)
    return text if value <= 0 or text == "0.0" else f"+{text}"


def step(value: float) -> str:
    """The edge of a voxel: three figures, and no zeros after them."""
    return f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    """A number and its unit: percent with one decimal, the rest in three figures."""
    text = tenths(value) if unit == "%" else shown(value)
    return f"{text}{UNIT_WORDS.get(unit, f' {unit}')}"


def signal_image(quantity: str, unit: str, kind: str, form: str) -> str:
    """The image that a signal was measured on, as a part of a sentence: it has no unit.

    Args:
        quantity: Of a region.
        unit: Its UCUM code; a density is the same on every image.
        kind: Of the image; of several read together none is named.
        form: Words with a place for it.

    >>> signal_image("mean", "1", "FLAIR", " on {}"), signal_image("volume", "mL", "CT", "{}")
    (' on FLAIR', '')
    """
    named = quantity in INTENSITIES and unit != HOUNSFIELD and kind and "+" not in kind
    return form.format(kind) if named else ""


def degree_of(diameter_mm: float) -> Degree:
    """How large a lesion is, by its longest diameter."""
    if diameter_mm < SMALL_MM:
        return "small"
    return "large" if diameter_mm > LARGE_MM else "medium"
