"""What a scanner and a restless person do to an image: lost detail, ghosts, ringing."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from medprompt_cli.synthesis.deform import Draw

LARGEST_MOVE = 0.03
"""Of the field of view: how far a person moves between two stretches of k-space."""

LEAST_KEPT = 0.6
"""Share of k-space along an axis that a truncated acquisition still reads."""


def lose_resolution(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Average runs of voxels along one axis and interpolate them back, in place of detail."""
    axis, run = draw.integer(3), 2 + draw.integer(2)
    window = [1, 1, 1]
    window[axis] = run
    coarse = F.avg_pool3d(image[None, None], window, ceil_mode=True)
    whole = [n * w for n, w in zip(coarse.shape[2:], window, strict=True)]  # no drift
    fine = F.interpolate(coarse, size=whole, mode="trilinear", align_corners=False)
    i, j, k = image.shape
    return fine[0, 0, :i, :j, :k]


def move(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Ghosts of motion: stretches of k-space are read with the head shifted.

    The centre of k-space, which holds the contrast, is read without a move.

    Args:
        image: (I, J, K), not negative.
        draw: Chooses axis, stretches and shifts.
    """
    axis = draw.integer(3)
    lines = image.shape[axis]
    frequency = torch.fft.fftfreq(lines, device=image.device)
    shift = torch.zeros(lines, device=image.device)
    for _ in range(1 + draw.integer(3)):
        start = draw.integer(lines)
        length = max(1, int(lines * draw.uniform(0.03, 0.15)))
        shift[start : start + length] = draw.uniform(-1, 1) * LARGEST_MOVE * lines
    shift[frequency.abs() < draw.uniform(0.02, 0.06)] = 0
    angle = -2 * math.pi * frequency * shift
    turn = torch.polar(torch.ones_like(angle), angle)
    return _through_k_space(image, turn, axis)


def truncate(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Ringing at sharp edges: the outer part of k-space along one axis is not read."""
    axis = draw.integer(3)
    frequency = torch.fft.fftfreq(image.shape[axis], device=image.device)
    kept = frequency.abs() <= 0.5 * draw.uniform(LEAST_KEPT, 0.9)
    return _through_k_space(image, kept.to(torch.complex64), axis)


def _through_k_space(image: torch.Tensor, filter_: torch.Tensor, axis: int) -> torch.Tensor:
    size = [1, 1, 1]
    size[axis] = -1
    spectrum = torch.fft.fft(image, dim=axis) * filter_.reshape(size)
    return torch.fft.ifft(spectrum, dim=axis).abs()
