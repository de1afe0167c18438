"""Small plots as SVG: the course of a volume, and a strip of a cohort's values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from medprompt_cli.reporting.printed import number_text

WIDTH, HEIGHT = 220.0, 120.0
LEFT, RIGHT, TOP, BOTTOM = 42.0, 10.0, 8.0, 18.0
TICKS = 4
"""About so many along an axis."""

ROOM = 0.08
"""Share of the span of values left free above and below them."""


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a visit.

    Attributes:
        x: Where, on any scale.
        label: What the visit is called.
        value: The value.
        low: Lower end of its interval; None if there is none.
        high: Upper end of it.
    """

    x: float
    label: str
    value: float
    low: float | None = None
    high: float | None = None


PLOT = Markup(
    '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}"'
    ' xmlns="http://www.w3.org/2000/svg">{}</svg>'
)
_TICK = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
_TEXT = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
_BAND = Markup('<rect class="band" x="{}" y="{}" width="{}" height="{}"/>')
_BAR = Markup('<line class="bar" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>')
_DOT = Markup('<circle cx="{}" cy="{}" r="3"><title>{}</title></circle>')
_LINE = Markup('<polyline class="course" points="{}"/>')


def course(points: Sequence[Point], what: str, noise: tuple[float, float] | None) -> Markup:
    """The values of a region at its visits, in order.

    Args:
        points: At least one.
        what: What is shown, for those who cannot see it.
        noise: Values between which the first may lie when measured again.
    """
    known = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    low, high = spread(min([*known, *(noise or ())]), max([*known, *(noise or ())]))
    xs = [p.x for p in points]
    across = scale(min(xs), max(xs), LEFT + 14, WIDTH - RIGHT - 14)
    up = scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [Markup("")]
    if noise is not None:
        top, bottom = up(noise[1]), up(noise[0])
        width = round(WIDTH - LEFT - RIGHT, 1)
        parts.append(_BAND.format(LEFT, top, width, round(bottom - top, 1)))
    for tick in ticks(low, high):
        parts.append(_TICK.format(LEFT, WIDTH - RIGHT, up(tick), up(tick)))
        parts.append(_TEXT.format(LEFT - 4, up(tick) + 3, "end", number_text(tick)))
    parts.append(_LINE.format(" ".join(f"{across(p.x)},{up(p.value)}" for p in points)))
    for point in points:
        x = across(point.x)
        if point.low is not None and point.high is not None:
            parts.append(_BAR.format(x, up(point.low), up(point.high)))
        parts.append(_DOT.format(x, up(point.value), f"{point.label}: {point.value:.4g}"))
    ends = (points[0], points[-1])[: len(points)]
    parts += [_TEXT.format(across(p.x), HEIGHT - 4, "middle", p.label) for p in ends]
    return PLOT.format(int(WIDTH), int(HEIGHT), what, Markup("").join(parts))


def ticks(low: float, high: float, wanted: int = TICKS) -> list[float]:
    """Round numbers within a span, about as many as wanted.

    >>> ticks(0.3, 9.2)
    [2.0, 4.0, 6.0, 8.0]
    """
    rough = (high - low) / wanted
    if rough <= 0 or not math.isfinite(rough):
        return [low]
    ten = 10.0 ** math.floor(math.log10(rough))
    step = min((ten * n for n in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def spread(low: float, high: float) -> tuple[float, float]:
    """A span with some room on either side; never below 0 where no value is."""
    room = (high - low) * ROOM or abs(high) * ROOM or 1.0
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """From values to the picture, rounded to a tenth of its unit."""
    slope = (end - start) / (high - low) if high > low else 0.0
    origin = start if slope else (start + end) / 2
    return lambda value: round(origin + (value - low) * slope, 1)
