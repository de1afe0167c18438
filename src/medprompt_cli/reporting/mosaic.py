"""Slices of a scan with the outlines of its regions, as SVG that prints.

The slice is a PNG in 256 greys, voxel by voxel; outlines are paths along the voxels' edges
cut by half a voxel at corners. The patient's left is on the left, as L and R say.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from markupsafe import Markup, escape

from medprompt_cli.domain.geometry import WORLD_AXES
from medprompt_cli.reporting.drawn import Drawn, Place

PLANES = (2, 1, 0)
"""Axial, coronal, sagittal: the axis that slices lie across."""

ACROSS = {2: (0, 1), 1: (0, 2), 0: (1, 2)}
"""Of every plane, the axis that runs to the right of the picture and the one that runs up."""

SLICES = 6
"""Axial ones in a row; of the other planes as many as fit in its width."""

MIDDLE = (0.005, 0.995)
"""Shares of the regions' voxels between which slices are taken: few lie at the ends, and a
stray one far off moves nothing."""

GAP_MM = 3.0
CLOSE_MM = 50.0
"""What a close-up shows: so much on every side of the lesion's middle, or to the border."""


Box = tuple[slice, slice]

SHEET = Markup(
    '<svg class="slices" viewBox="{}" role="img" aria-label="{}" '
    'xmlns="http://www.w3.org/2000/svg">{}</svg>'
)


@dataclass(frozen=True, eq=False)
class Panel:
    """A slice, or a part of one.

    Attributes:
        plane: The axis it lies across.
        index: Of the slice.
        box: Columns and rows shown, (first, end) each, along the axes of `ACROSS`.
    """

    plane: int
    index: int
    box: tuple[tuple[int, int], tuple[int, int]]


def mosaic(drawn: Drawn, slices: int = SLICES) -> Markup:
    """Axial, coronal and sagittal slices in a row each.

    The slices are spread over the regions that are shown, or over the image where there is
    none.
    """
    spans = _spans(drawn)
    rows: list[list[Panel]] = []
    widest = 0.0
    for plane in PLANES:
        whole = _whole(drawn, plane)
        width = _size(drawn, whole)[0] + GAP_MM
        widest = widest or slices * width
        count = max(1, round(widest / width - 0.2))
        low, high = spans[plane]
        # the middles of so many equal parts
        at = np.rint(np.linspace(low, high, 2 * count + 1)[1::2]).astype(int)
        rows.append([Panel(plane, int(index), whole.box) for index in at])
    return _sheet(drawn, rows)


def closeup(drawn: Drawn, place: tuple[int, int, int]) -> Markup:
    """One axial, coronal and sagittal slice through a voxel, and what is near it."""
    panels = [
        Panel(
            plane,
            place[plane],
            (_near(drawn, ACROSS[plane][0], place), _near(drawn, ACROSS[plane][1], place)),
        )
        for plane in PLANES
    ]
    return _sheet(drawn, [panels])


def png(gray: np.ndarray) -> str:
    """A picture, (H, W) uint8, as a data URL."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(gray)).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def outline(inside: np.ndarray) -> str:
    """The border of a region of a slice, as the path of an SVG.

    Args:
        inside: (U, V) bool.

    Returns:
        In units of half a voxel, U to the right and V up from the lower left corner of the
        first voxel; '' if there is no voxel.
    """
    return outlines([(inside, (0, 0))])[0]


def outlines(parts: Sequence[tuple[np.ndarray, tuple[int, int]]]) -> list[str]:
    """The borders of several regions of a slice, as `outline` gives one.

    Args:
        parts: Of each the part of the slice that holds it, (U, V) bool, and where in the
            slice the first voxel of that part lies.
    """
    if not parts:
        return []
    from contourpy import LineType, contour_generator

    # all on one sheet, beside each other: a call for each takes several times as long; a
    # border of background closes every line, and its half voxels are taken off again
    starts = np.cumsum([0, *(inside.shape[0] + 2 for inside, _ in parts)])
    sheet = np.zeros((max(inside.shape[1] for inside, _ in parts) + 2, starts[-1]), np.float32)
    for (inside, _), start in zip(parts, starts.tolist(), strict=False):
        u, v = inside.shape
        sheet[1 : v + 1, start + 1 : start + u + 1] = inside.T
    generator = contour_generator(z=sheet, line_type=LineType.ChunkCombinedOffset)
    found = cast(
        "tuple[list[np.ndarray | None], list[np.ndarray | None]]", generator.lines(0.5)
    )
    (points,), (offsets,) = found
    if points is None or offsets is None:
        return [""] * len(parts)
    owners = np.searchsorted(starts, points[offsets[:-1], 0], side="right") - 1
    moves = np.array([corner for _, corner in parts]) - np.stack(
        [starts[:-1], 0 * starts[:-1]], 1
    )
    at = np.repeat(owners, np.diff(offsets))
    lines = _lines(np.rint(2 * points).astype(int) - 1 + 2 * moves[at], offsets)
    paths = [""] * len(parts)
    for owner, line in zip(owners.tolist(), lines, strict=True):
        paths[owner] += line
    return paths


def _lines(points: np.ndarray, offsets: np.ndarray) -> Iterable[str]:
    """Closed lines as relative moves, without the points that lie on a straight part.

    Args:
        points: (N, 2), those of every line after each other; the last of a line is its first.
        offsets: Where the lines begin, and where the last ends.
    """
    steps = np.diff(points, axis=0)
    turns = np.ones(len(points), dtype=bool)
    turns[1:-1] = (steps[1:] != steps[:-1]).any(axis=1)
    ends = offsets[1:] - 1
    turns[offsets[:-1]] = True
    turns[ends] = False  # closing the line leads there
    starts = np.searchsorted(np.flatnonzero(turns), offsets[:-1]).tolist()
    corners = points[turns]
    texts = _pairs(np.diff(corners, axis=0, prepend=corners[:1]))
    firsts = corners[starts].tolist()
    for (x, y), start, end in zip(firsts, starts, [*starts[1:], len(texts)], strict=True):
        # the first move, which has nothing before it to be apart from, may begin with a space
        yield f"M{x} {y}l{''.join(texts[start + 1 : end])}z"


def _pairs(moves: np.ndarray) -> list[str]:
    """Of (N, 2) moves, which are the same few again and again, their texts after a number."""
    reach = int(np.abs(moves).max(initial=0))
    width = 2 * reach + 1
    codes = (moves[:, 0] + reach) * width + moves[:, 1] + reach
    known = np.flatnonzero(np.bincount(codes))
    table = np.empty(width * width, dtype=object)
    for code in known.tolist():
        x, y = code // width - reach, code % width - reach
        table[code] = f"{' ' * (x >= 0)}{x}{' ' * (y >= 0)}{y}"
    return table[codes].tolist()


def _spans(drawn: Drawn) -> list[tuple[float, float]]:
    """Along each axis, between which indices most of the regions that are shown lie."""
    there = np.zeros(drawn.geometry.shape, dtype=bool)
    for layer in {region.layer for region in drawn.regions if region.shown}:
        there |= drawn.layers[layer] > 0
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        share = np.cumsum(there.sum(axis=others, dtype=float))
        if not share[-1]:
            share = np.arange(1.0, len(share) + 1)
        low, high = np.searchsorted(share / share[-1], MIDDLE)
        spans.append((float(low), float(high)))
    return spans


def _whole(drawn: Drawn, plane: int) -> Panel:
    across, up = (drawn.geometry.shape[axis] for axis in ACROSS[plane])
    return Panel(plane, 0, ((0, across), (0, up)))


def _near(drawn: Drawn, axis: int, place: Sequence[int]) -> tuple[int, int]:
    reach = round(CLOSE_MM / drawn.geometry.spacing[axis])
    return max(0, place[axis] - reach), min(drawn.geometry.shape[axis], place[axis] + reach + 1)


def _size(drawn: Drawn, panel: Panel) -> tuple[float, float]:
    """Width and height in mm."""
    (left, right), (low, high) = panel.box
    across, up = (drawn.geometry.spacing[axis] for axis in ACROSS[panel.plane])
    return (right - left) * across, (high - low) * up


def _sheet(drawn: Drawn, rows: Iterable[Sequence[Panel]]) -> Markup:
    """Rows of panels as one SVG whose unit is a millimetre."""
    parts: list[str] = []
    widest = top = 0.0
    for row in rows:
        left = tallest = 0.0
        for panel in row:
            width, height = _size(drawn, panel)
            parts.append(_panel(drawn, panel, left, top))
            left, tallest = left + width + GAP_MM, max(tallest, height)
        widest, top = max(widest, left - GAP_MM), top + tallest + GAP_MM
    box = f"0 0 {widest:.1f} {top - GAP_MM:.1f}"
    label = f"Slices of {drawn.case.name} with outlines; the patient's left is on the left."
    content = Markup("".join(parts))  # of numbers, and of names that were escaped
    return SHEET.format(box, label, content)


def _panel(drawn: Drawn, panel: Panel, left: float, top: float) -> str:
    width, height = _size(drawn, panel)
    gray = _cut(drawn.grays[0], panel)
    half = width / gray.shape[0] / 2, height / gray.shape[1] / 2
    frame = f"translate(0 {height:.2f}) scale({half[0]:.5f} {-half[1]:.5f})"
    image = (
        f'<image width="{width:.2f}" height="{height:.2f}" preserveAspectRatio="none"'
        f' href="{png(gray.T[::-1])}"/>'
    )
    return (
        f'<g transform="translate({left:.2f} {top:.2f})">{image}'
        f'<g class="lines" transform="{frame}">{_outlines(drawn, panel)}</g>'
        f"{_marks(drawn, panel, width, height)}</g>"
    )


def _cut(voxels: np.ndarray, panel: Panel) -> np.ndarray:
    """(U, V): the part of a slice that a panel shows."""
    (u0, u1), (v0, v1) = panel.box
    index: list[int | slice] = [slice(None)] * 3
    index[panel.plane] = panel.index
    return np.ascontiguousarray(voxels[tuple(index)][u0:u1, v0:v1])


def _outlines(drawn: Drawn, panel: Panel) -> str:
    # only what is there, and no more of the slice than it needs
    slices = [_cut(layer, panel) for layer in drawn.layers]
    boxes = [_boxes(layer) for layer in slices]
    there = [
        (region, box)
        for region in drawn.regions
        if region.shown and (box := boxes[region.layer].get(region.value))
    ]
    paths = outlines(
        [
            (slices[region.layer][box] == region.value, (box[0].start, box[1].start))
            for region, box in there
        ]
    )
    return "".join(
        f'<path data-r="{escape(region.name)}" stroke="{region.color}" d="{path}"/>'
        for (region, _), path in zip(there, paths, strict=True)
    )


def _boxes(layer: np.ndarray) -> dict[int, Box]:
    """By value, the smallest rectangle of a slice that holds all its pixels."""
    at = np.nonzero(layer)
    values = layer[at]
    most = int(values.max(initial=0)) + 1
    low = np.full((2, most), max(layer.shape))
    high = np.zeros((2, most), dtype=int)
    for axis in range(2):
        np.minimum.at(low[axis], values, at[axis])
        np.maximum.at(high[axis], values, at[axis] + 1)
    return {
        value: (slice(*ends[0]), slice(*ends[1]))
        for value in np.flatnonzero(high[0]).tolist()
        if (ends := np.stack([low[:, value], high[:, value]], axis=1).tolist())
    }


def _corner(box: Box) -> tuple[int, int]:
    return box[0].start, box[1].start


def _marks(drawn: Drawn, panel: Panel, width: float, height: float) -> str:
    """Which side is which, and where the middle of the slice lies."""
    across, up = ACROSS[panel.plane]
    (u0, u1), (v0, v1) = panel.box
    middle = np.zeros(3)
    middle[[panel.plane, across, up]] = panel.index, (u0 + u1 - 1) / 2, (v0 + v1 - 1) / 2
    world = float(drawn.geometry.to_world(middle)[panel.plane])
    end = WORLD_AXES[panel.plane][world >= 0]
    near, far = WORLD_AXES[across]
    size = max(5.0, min(8.0, height / 16))
    baseline = f'{height / 2:.1f}" font-size="{size:.1f}'
    return (
        f'<text x="1.5" y="{baseline}">{near}</text>'
        f'<text x="{width - 1.5:.1f}" y="{baseline}" text-anchor="end">{far}</text>'
        f'<text x="1.5" y="{height - 1.5:.1f}" font-size="{size * 0.75:.1f}">'
        f"{end} {abs(world):.0f}</text>"
    )


def centre_of(drawn: Drawn, region: str, place: Place) -> tuple[int, int, int] | None:
    """The voxel of a region that is nearest to its centre; None if it is not drawn."""
    found = next((r for r in drawn.regions if r.name == region), None)
    return None if found is None else drawn.nearest(found, place)
