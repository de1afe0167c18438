"""Surfaces of lesions: levels in mm, negative inside, over a small window of the image.

Letters: (I, J, K) voxels of the window, (A, B, C) control points of a field.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_model import Lesion, Vector
from medprompt_cli.synthesis.lesion_sites import distance_to, ventricle_classes

FINEST_MM = 3.0
"""Smallest bumps of a surface."""

WIDEST_BAND_MM = 24.0
"""How far from the ventricles a band is looked for."""

COARSE_MM = 2.0
"""Distances to the ventricles are measured on a grid of about this spacing."""

GLANCE_MM = 4.0
"""The ventricles' box is looked up at every so many mm."""

MOST_BUMP = 2.0
"""Bumps are cut at this many times their size."""

SPREAD = 0.5
"""How unevenly edema spreads, relative to its reach."""

HORN_MM = 18.0
"""In front of and behind this distance from the ventricles' middle a band gets caps."""

CAP = 0.9
"""How much thicker caps are than the band, at most."""

CALLOSUM_MM = 5.0
"""Half the width of the strip of the corpus callosum that a band leaves alone."""

BUMP_LOSS = 0.8
"""A rough surface is drawn in by this much times roughness squared times radius.

Volume goes with the cube of the radius, so bumps add more than dents take away.
"""

_STD = (151 / 315) ** 1.5
"""Standard deviation of a cubic B-spline field with coefficients of one.

151 / 315 is the integral of the squared spline.
"""

_ORIENTED = {"periventricular", "surface", "cortex"}

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Window:
    """A box of voxels round a lesion.

    Attributes:
        box: In the image's grid.
        axes: Coordinates of its planes in mm from the middle of the image, one (I,), (J,)
            and (K,) tensor.
        spacing: In mm.
    """

    box: Box
    axes: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    spacing: Vector

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        i, j, k = (len(axis) for axis in self.axes)
        return i, j, k

    def along(self, direction: torch.Tensor, origin: Vector) -> torch.Tensor:
        """Coordinate in mm along a direction, (I, J, K), from an origin."""
        x, y, z = (
            (axis - start) * float(share)
            for axis, start, share in zip(self.axes, origin, direction, strict=True)
        )
        return x[:, None, None] + (y[:, None] + z)


def window_round(
    grid: tuple[torch.Size, Vector], centre_mm: Vector, reach_mm: Vector, device: torch.device
) -> Window | None:
    """The voxels within `reach_mm` of a place, along every axis; None if there are none.

    Args:
        grid: Shape and spacing (mm) of the image.
        centre_mm: From the middle of the image.
        reach_mm: Half the size of the window.
        device: Where the window's axes live.
    """
    shape, spacing = grid
    box, axes = [], []
    for n, step, centre, reach in zip(shape, spacing, centre_mm, reach_mm, strict=True):
        middle = (n - 1) / 2
        low = max(0, math.ceil((centre - reach) / step + middle))
        high = min(n, math.floor((centre + reach) / step + middle) + 1)
        if low >= high:
            return None
        box.append(slice(low, high))
        axes.append((torch.arange(low, high, device=device) - middle) * step)
    return Window((box[0], box[1], box[2]), (axes[0], axes[1], axes[2]), spacing)


def smooth_noise(draw: Draw, window: Window, scale_mm: float) -> torch.Tensor:
    """A smooth random field, (I, J, K), mean 0 and variance 1, with bumps of a size.

    It is a cubic B-spline with control points `scale_mm` apart.
    """
    weights = []
    for axis, n, step in zip(window.axes, window.shape, window.spacing, strict=True):
        place = (axis - axis[0]) / scale_mm + 1 + draw.uniform(0, 1)
        nodes = torch.arange(int((n - 1) * step / scale_mm) + 5, device=axis.device)
        weights.append(_bumps(place[:, None] - nodes))
    field = draw.normal(*(w.shape[1] for w in weights)) / _STD
    for weight in reversed(weights):  # (A, B, C) to (K, A, B) to (J, K, A) to (I, J, K)
        field = torch.einsum("nc,abc->nab", weight, field)
    return field


def _bumps(away: torch.Tensor) -> torch.Tensor:
    """The cubic B-spline at a distance from its node."""
    size = away.abs()
    outer, inner = (2 - size).clamp_min(0), (1 - size).clamp_min(0)
    return (outer.pow(3) - 4 * inner.pow(3)) / 6


def reach_of(lesion: Lesion) -> tuple[Vector, Vector]:
    """Middle and half size, in mm, of a box that holds an ellipsoid or a wedge."""
    longest = max(*lesion.stretch, 1 / lesion.stretch[1], 1.0)
    edge = max(offset for _, offset in lesion.layers)
    around = lesion.radius_mm * longest * (1 + MOST_BUMP * lesion.roughness) + 1
    around += (1 + SPREAD) * max(edge, 0.0)
    length = lesion.sink_mm / 2 + 4 if lesion.form == "wedge" else 0.0
    x, y, z = (m - length * a for m, a in zip(lesion.middle_mm, lesion.spot.axis, strict=True))
    i, j, k = (around + length * abs(a) for a in lesion.spot.axis)
    return (x, y, z), (i, j, k)


def surface(
    lesion: Lesion, window: Window, labels: torch.Tensor, draw: Draw
) -> torch.Tensor | None:
    """Level of the lesion's surface, (I, J, K) mm, with its bumps.

    Args:
        lesion: What to draw.
        window: Where.
        labels: (I, J, K) uint8 of the window.
        draw: Random numbers.

    Returns:
        None if there is nothing to measure from: a band without ventricles.
    """
    if lesion.form == "band":
        return _band(lesion, window, labels, draw)
    level = (_wedge if lesion.form == "wedge" else _ellipsoid)(lesion, window, draw)
    size = lesion.roughness * lesion.radius_mm
    bumps = 0.75 * smooth_noise(draw, window, max(FINEST_MM, 1.4 * lesion.radius_mm))
    bumps += 0.45 * smooth_noise(draw, window, max(FINEST_MM, 0.6 * lesion.radius_mm))
    level += bumps.clamp_(-MOST_BUMP, MOST_BUMP).add_(BUMP_LOSS * lesion.roughness).mul_(size)
    grain = min(0.5, 0.6 * size)
    return level.add_(smooth_noise(draw, window, FINEST_MM).clamp_(-2, 2), alpha=grain)


def _direction(draw: Draw) -> Vector:
    """A direction, all equally likely."""
    height, turn = draw.uniform(-1, 1), draw.uniform(0, 2 * math.pi)
    width = math.sqrt(1 - height**2)
    return width * math.cos(turn), width * math.sin(turn), height


def _frame(axis: Vector, draw: Draw) -> torch.Tensor:
    """Three unit vectors at right angles, (3, 3); the first is `axis`, the rest random."""
    first = torch.tensor(axis)
    other = torch.tensor(_direction(draw))
    second = torch.linalg.cross(first, other)
    second = second / second.norm().clamp_min(1e-6)
    return torch.stack([first, second, torch.linalg.cross(first, second)])


def _ellipsoid(lesion: Lesion, window: Window, draw: Draw) -> torch.Tensor:
    stretch = (*lesion.stretch, 1.0)
    mean = (stretch[0] * stretch[1]) ** (1 / 3)
    squared = torch.zeros((), device=window.axes[0].device)
    axis = lesion.spot.axis if lesion.spot.home in _ORIENTED else _direction(draw)
    for direction, length in zip(_frame(axis, draw), stretch, strict=True):
        scaled = direction * (mean / length)
        squared = squared + window.along(scaled, lesion.middle_mm).square_()
    return squared.sqrt() - lesion.radius_mm


def _wedge(lesion: Lesion, window: Window, draw: Draw) -> torch.Tensor:
    """A cone that opens from its tip, deep inside, to the surface."""
    frame = _frame(lesion.spot.axis, draw)
    height = -window.along(frame[0], lesion.middle_mm)
    wide = window.along(frame[1], lesion.middle_mm) / lesion.stretch[1]
    across = window.along(frame[2], lesion.middle_mm) * lesion.stretch[1]
    slope = lesion.radius_mm / lesion.sink_mm
    away = (wide.square_() + across.square_()).sqrt_()
    return (away - slope * height.clamp_min(0)) / math.hypot(1, slope) + (-height).clamp_min(0)


def _band(
    lesion: Lesion, window: Window, labels: torch.Tensor, draw: Draw
) -> torch.Tensor | None:
    """A band round the lateral ventricles: thick at their ends, open at the midline."""
    away = _to_ventricles(labels, window)
    if away is None:
        return None
    thick = 0.8 * smooth_noise(draw, window, 24.0) + 0.6 * smooth_noise(draw, window, 9.0)
    thick = thick.mul_(lesion.roughness).exp_().mul_(lesion.radius_mm)
    behind = (window.axes[1] - lesion.centre_mm[1]).abs()
    ends = 1 + CAP * ((behind - HORN_MM) / HORN_MM).clamp(0, 1)
    aside = window.along(torch.tensor(lesion.spot.axis), lesion.centre_mm).abs_()
    thick *= ends[:, None]
    thick *= ((aside - CALLOSUM_MM) / CALLOSUM_MM).clamp_(0, 1)
    return away - thick


def _to_ventricles(labels: torch.Tensor, window: Window) -> torch.Tensor | None:
    """Distance to the lateral ventricles, (I, J, K) mm; None if the window has none."""
    steps = [max(1, round(COARSE_MM / step)) for step in window.spacing]
    i, j, k = (slice(step // 2, None, step) for step in steps)
    inside = ventricle_classes(labels.device)[labels[i, j, k].int()]
    if not bool(inside.any()):
        return None
    spacing = tuple(n * step for n, step in zip(steps, window.spacing, strict=True))
    away = distance_to(inside, spacing, WIDEST_BAND_MM) - 0.5 * COARSE_MM
    return F.interpolate(away[None, None], size=window.shape, mode="trilinear")[0, 0]


def ventricle_box(labels: torch.Tensor, spacing: Vector) -> tuple[Vector, Vector] | None:
    """Middle and half size, in mm, of a box round the lateral ventricles; None without."""
    steps = [max(1, round(GLANCE_MM / step)) for step in spacing]
    glance = labels[:: steps[0], :: steps[1], :: steps[2]].int()
    index = torch.nonzero(ventricle_classes(labels.device)[glance])
    if not len(index):
        return None
    middle, half = [], []
    for axis in range(3):
        low, high = int(index[:, axis].min()), int(index[:, axis].max())
        stride = steps[axis] * spacing[axis]
        middle.append((low + high) / 2 * stride - (labels.shape[axis] - 1) / 2 * spacing[axis])
        half.append((high - low) / 2 * stride + GLANCE_MM)
    return (middle[0], middle[1], middle[2]), (half[0], half[1], half[2])
