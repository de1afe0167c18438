"""Random appearance: paint labels with a contrast, then spoil the picture.

Ranges follow SynthSeg (Billot et al. 2023) where it publishes them. More than half of
the images follow the order of tissues of a real contrast, the others none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.synthesis.classes import CONTRASTS, PAINT_CLASSES, TISSUES
from medprompt_cli.synthesis.deform import Draw

DRAWN_CONTRASTS = ("t1", "t1", "t1", "t1c", "t2", "t2", "flair", "flair", "ct", "pd", "dwi")
"""As often as cohorts hold them, about."""


@dataclass(frozen=True, slots=True)
class Look:
    """The contrast of one image.

    Attributes:
        contrast: Name in `CONTRASTS`; None if it is like none of them.
        means: (G,) mean intensity of every paint class; both sides look alike.
    """

    contrast: str | None
    means: torch.Tensor


@dataclass(frozen=True, slots=True)
class AppearanceRange:
    """How a synthetic image may look.

    Attributes:
        any_contrast: Share of images whose every label has its own random mean.
        tissue_contrast: Share whose tissues have random means, labels close to them.
        contrasts: Names in `CONTRASTS` the others are drawn from; more often listed,
            more often drawn.
        spread: Largest standard deviation within a label.
        bias: Largest standard deviation of the log bias field.
        noise: Largest standard deviation of the noise added last.
        gamma: Standard deviation of the logarithm of gamma.
        blur: Largest blur, in voxels of the painted grid.
        stripped: Share of images without skull.
        dark_air: Share of images whose background is exactly zero.
    """

    any_contrast: float = 0.2
    tissue_contrast: float = 0.2
    contrasts: tuple[str, ...] = DRAWN_CONTRASTS
    spread: float = 0.1
    bias: float = 0.5
    noise: float = 0.06
    gamma: float = 0.35
    blur: float = 1.0
    stripped: float = 0.4
    dark_air: float = 0.35


CSF = BASE_INDEX["csf"]

LEAST_SIGMA = 0.2
"""Blur, in voxels, too small to change anything."""

_POSITION = {paint.index: n for n, paint in enumerate(PAINT_CLASSES)}
_MIRROR = [_POSITION[paint.mirror] for paint in PAINT_CLASSES]
_TISSUE = [TISSUES.index(paint.tissue) for paint in PAINT_CLASSES]
_AIR = _POSITION[0]
_BRAIN = [paint.target not in (0, CSF) for paint in PAINT_CLASSES]
_FLUID = [paint.target == CSF for paint in PAINT_CLASSES]


def draw_look(draw: Draw, ranges: AppearanceRange) -> Look:
    """A random contrast."""
    pick = draw.uniform(0, 1)
    means = torch.rand(len(PAINT_CLASSES), generator=draw.scalars)
    contrast = None
    if pick >= ranges.any_contrast:
        if pick < ranges.any_contrast + ranges.tissue_contrast:
            tissue = torch.rand(len(TISSUES), generator=draw.scalars)
            jitter = 0.06
        else:
            contrast = ranges.contrasts[draw.integer(len(ranges.contrasts))]
            known = CONTRASTS[contrast]
            tissue = torch.tensor([known[name] for name in TISSUES])
            jitter = draw.uniform(0.02, 0.08)
            wobble = torch.randn(len(TISSUES), generator=draw.scalars)
            tissue = tissue + jitter * wobble
        wobble = torch.randn(len(PAINT_CLASSES), generator=draw.scalars)
        means = tissue[_TISSUE] + jitter * wobble
    lower = torch.minimum(torch.arange(len(means)), torch.tensor(_MIRROR))
    means = means[lower].clamp(0, 1.2)
    means[_AIR] = draw.uniform(0, 0.1) if draw.chance(0.9) else draw.uniform(0, 1)
    return Look(contrast, means)


def paint(
    labels: torch.Tensor, look: Look, draw: Draw, ranges: AppearanceRange
) -> torch.Tensor:
    """Draw every voxel of `labels`, (I, J, K) uint8, from its label's Gaussian."""
    means = look.means.clone()
    spread = ranges.spread * draw.uniform(0, 1)
    spreads = spread * torch.rand(len(means), generator=draw.scalars)
    if draw.chance(ranges.dark_air):
        means[_AIR] = spreads[_AIR] = 0.0
    index = labels.reshape(-1).int()
    mean = means.to(labels.device).index_select(0, index).reshape(labels.shape)
    std = spreads.to(labels.device).index_select(0, index).reshape(labels.shape)
    return mean.addcmul_(std, draw.normal(*labels.shape))


def skull_mask(labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Voxels a skull-stripping tool would keep: the brain, more or less."""
    keep_fluid = draw.chance(0.4)
    table = torch.tensor(_BRAIN) | (torch.tensor(_FLUID) & keep_fluid)
    keep = table.to(labels.device)[labels.int()]
    if draw.chance(0.5):
        reach = 1 + draw.integer(2)
        grown = F.max_pool3d(keep[None, None].float(), 2 * reach + 1, 1, reach)
        keep = grown[0, 0] > 0
    return keep


def smooth_field(draw: Draw, shape: torch.Size, points: int) -> torch.Tensor:
    """A smooth random field over `shape` from at most `points` control points an axis."""
    coarse = [2 + draw.integer(points - 1) for _ in range(3)]
    bumps = draw.normal(1, 1, *coarse)
    return F.interpolate(bumps, size=tuple(shape), mode="trilinear", align_corners=True)[0, 0]


def blur(image: torch.Tensor, sigmas: tuple[float, ...]) -> torch.Tensor:
    """Gaussian blur of (I, J, K), one sigma in voxels per axis."""
    out = image[None, None]
    for axis, sigma in enumerate(sigmas):
        if sigma < LEAST_SIGMA:
            continue
        reach = max(1, math.ceil(2.5 * sigma))
        steps = torch.arange(-reach, reach + 1, device=image.device)
        kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
        size = [1, 1, 1]
        size[axis] = len(kernel)
        pad = [reach * (a == axis) for a in range(3)]
        out = F.conv3d(out, (kernel / kernel.sum()).reshape(1, 1, *size), padding=pad)
    return out[0, 0]


def spoil(image: torch.Tensor, draw: Draw, ranges: AppearanceRange) -> torch.Tensor:
    """Blur and bias the painted image, (I, J, K)."""
    if draw.chance(0.7):
        common = draw.uniform(0, ranges.blur)
        sigmas = tuple(common * draw.uniform(0.5, 1.0) for _ in range(3))
        image = blur(image, sigmas)
    field = smooth_field(draw, image.shape, 5).mul_(draw.uniform(0, ranges.bias))
    return image * field.exp_()


def finish(image: torch.Tensor, draw: Draw, ranges: AppearanceRange) -> torch.Tensor:
    """Add what happens after sampling: noise and a nonlinear response."""
    dark = image <= 0
    if draw.chance(0.8):
        noise = draw.normal(*image.shape) * draw.uniform(0, ranges.noise)
        image = (image + noise).abs_() if draw.chance(0.5) else image + noise
    gamma = math.exp(ranges.gamma * float(torch.randn((), generator=draw.scalars)))
    image = image.clamp(0, 2).pow(gamma)
    return image.masked_fill(dark, 0) if draw.chance(0.7) else image
