"""Values as a sentence holds them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

from medprompt_cli.execution.values import (
    Image,
    Number,
    Region,
    Regions,
    Status,
    Text,
    Truth,
    Visits,
)
from medprompt_cli.planning.units import UNITS, Dimension

SHOWN_UNITS: Mapping[str, tuple[float, str]] = {
    "volume": (1000.0, " mL"),
    "area": (100.0, " cm²"),
    "length": (1.0, " mm"),
    "percent": (1.0, " %"),
    "density": (1.0, " HU"),
    "time": (1.0, " days"),
    "rate": (1.0, " % per year"),
}
"""What a number is divided by, and the unit that is said after it."""

UCUM: dict[str, str] = {
    **{unit.dimension: unit.ucum for unit in reversed(tuple(UNITS.values()))},
    **dict.fromkeys((Dimension.COUNT, Dimension.RATIO, Dimension.INTENSITY), "1"),
}
"""Unit of a number, by its dimension: the first in the table."""

THREE_FIGURES = 1000.0
"""From here on whole numbers are said."""


@singledispatch
def say(value: object) -> str:
    """A value as a sentence holds it."""
    return str(value)


@say.register
def _(value: Number) -> str:
    if value.value is None:
        return unknown(value.status)
    factor, unit = SHOWN_UNITS.get(value.dimension, (1.0, ""))
    shown = value.value / factor
    if value.dimension == "count" or abs(shown) >= THREE_FIGURES:
        return f"{shown:.0f}{unit}"
    return f"{shown:.3g}{unit}"


@say.register
def _(value: Text) -> str:
    return _why_unknown(value) if value.value is None else value.value


@say.register
def _(value: Truth) -> str:
    if value.value is None:
        return _why_unknown(value)
    return "yes" if value.value else "no"


@say.register
def _(value: Region) -> str:
    return value.name if value.voxels is not None else f"{value.name}: {said_of(value.status)}"


@say.register
def _(value: Regions) -> str:
    return f"{len(value.parts)} of {value.name}"


@say.register
def _(value: Visits) -> str:
    return f"{len(value.all)} visits"


@say.register
def _(value: Image) -> str:
    return value.source


@say.register
def _(value: tuple) -> str:
    return " + ".join(say(one) for one in value)


def _why_unknown(value: Text | Truth) -> str:
    """What is said where something could not be found out: the finding's own reason first."""
    notes = value.found.finding.notes if value.found else ()
    return f"not known ({_inside(notes[0])})" if notes else unknown(value.status)


def _inside(sentence: str) -> str:
    """A sentence as it stands in brackets: `There is none.` is `there is none`."""
    first, rest = sentence[:1], sentence[1:].removesuffix(".")
    return (first.lower() if rest[:1].islower() else first) + rest


def unknown(status: Status) -> str:
    """What is said in the place of a number that is not there."""
    return f"not known ({said_of(status)})"


def said_of(status: Status) -> str:
    """A status in words."""
    return _SAID[status]


_SAID: Mapping[Status, str] = {
    "measured": "measured",
    "absent": "absent",
    "truncated_fov": "cut by the edge of the image",
    "not_visible": "not visible to these weights",
    "failed_qc": "not found, though it is probably there",
    "missing": "no such image or date",
    "undefined": "no value",
}
