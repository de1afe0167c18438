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
    if not inside.any():
        return ""
    from contourpy import LineType, contour_generator

    # a border of background closes every line; its half voxels are taken off again
    generator = contour_generator(
        z=np.pad(inside, 1).T.astype(np.float32), line_type=LineType.ChunkCombinedOffset
    )
    found = cast("tuple[list[np.ndarray], list[np.ndarray]]", generator.lines(0.5))
    (points,), (offsets,) = found
    return _path(np.rint(2 * points).astype(int) - 1, offsets)


def _path(points: np.ndarray, offsets: np.ndarray) -> str:
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
    starts = np.searchsorted(np.flatnonzero(turns), offsets[:-1])
    corners = points[turns]
    moves = np.diff(corners, axis=0, prepend=corners[:1])
    texts = [f"{x} {y}" for x, y in moves.tolist()]
    for start, (x, y) in zip(starts.tolist(), corners[starts].tolist(), strict=True):
        texts[start] = f"zM{x} {y}l"
    joined = " ".join(texts).replace("l ", "l").replace(" -", "-").replace(" z", "z")
    return f"{joined[1:]}z"


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
    slices = [_cut(layer, panel) for layer in drawn.layers]
    return "".join(
        f'<path data-r="{escape(region.name)}" stroke="{region.color}" d="{path}"/>'
        for region in drawn.regions
        if region.shown and (path := outline(slices[region.layer] == region.value))
    )


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
