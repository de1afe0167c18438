"""Strip plots: every scan of a cohort as one point, along the values of a region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from medprompt_cli.reporting.plots import scale, spread, ticks
from medprompt_cli.reporting.printed import number_text

WIDTH, HEIGHT = 640.0, 58.0
MARGIN = 12.0
TOP, BOTTOM = 4.0, 16.0
GOLDEN = 0.6180339887
"""Steps of this share spread points evenly over the height, whatever their number."""

DIGITS = 4

_STRIP = Markup(
    '<svg class="strip" viewBox="0 0 {} {}" role="img" aria-label="{}" data-cases="{}"'
    ' data-values="{}" xmlns="http://www.w3.org/2000/svg">{}<path d="{}"/>{}</svg>'
)
_BAND = Markup('<rect class="band" x="{}" y="{}" width="{}" height="{}"/>')
_TICK = Markup(
    '<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
    '<text x="{0}" y="{3}" text-anchor="middle">{4}</text>'
)
_FAR = Markup('<a href="{}"><circle cx="{}" cy="{}" r="3.5"><title>{}</title></circle></a>')
_FAR_BARE = Markup('<circle cx="{}" cy="{}" r="3.5"><title>{}</title></circle>')


@dataclass(frozen=True, slots=True)
class Strip:
    """A plot.

    Attributes:
        title: What it shows.
        scans: How many points it has.
        far: How many of them are outliers.
        plot: As SVG.
    """

    title: str
    scans: int
    far: int
    plot: Markup


def strip(
    title: str,
    values: Sequence[tuple[int, str, float]],
    limits: tuple[float, float] | None,
    far: Mapping[str, str],
) -> Strip:
    """One point for each scan; outliers are links of their own.

    Args:
        title: What is shown.
        values: Index of the scan in the cohort, its name, and the value, by index.
        limits: Between which the cohort lies.
        far: Outliers by the name of the scan, with the page to link to.
    """
    numbers = [value for _, _, value in values]
    low, high = spread(min(numbers), max(numbers))
    across = scale(low, high, MARGIN, WIDTH - MARGIN)
    bottom = HEIGHT - BOTTOM
    back = [Markup("")]
    if limits is not None:
        left, right = across(max(low, limits[0])), across(min(high, limits[1]))
        back.append(_BAND.format(left, TOP, round(max(0.0, right - left), 1), bottom - TOP))
    back += [
        _TICK.format(across(t), TOP, bottom, HEIGHT - 4, number_text(t))
        for t in ticks(low, high)
    ]
    points = [(across(value), _height(index)) for index, _, value in values]
    circles = [
        _circle(far[name], point, f"{name}: {number_text(value, DIGITS)}")
        for (_, name, value), point in zip(values, points, strict=True)
        if name in far
    ]
    plot = _STRIP.format(
        int(WIDTH),
        int(HEIGHT),
        title,
        ranges([index for index, _, _ in values]),
        " ".join(number_text(value, DIGITS) for value in numbers),
        Markup("").join(back),
        "".join(f"M{x:g} {y:g}h0" for x, y in points),
        Markup("").join(circles),
    )
    return Strip(title, len(values), len(circles), plot)


def ranges(indices: Sequence[int]) -> str:
    """Rising whole numbers, shorter.

    >>> ranges([0, 1, 2, 5, 7, 8])
    '0-2 5 7-8'
    """
    parts: list[list[int]] = []
    for index in indices:
        if parts and index == parts[-1][1] + 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return " ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in parts)


def _height(index: int) -> float:
    """Where a scan lies across a strip: the same in every plot."""
    share = (index + 1) * GOLDEN % 1
    return round(TOP + 4 + share * (HEIGHT - BOTTOM - TOP - 8), 1)


def _circle(page: str, point: tuple[float, float], about: str) -> Markup:
    x, y = point
    return _FAR.format(page, x, y, about) if page else _FAR_BARE.format(x, y, about)
