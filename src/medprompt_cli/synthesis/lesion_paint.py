"""How lesions look: a mean for every part, mottled, with borders that fade.

Letters: N lesion voxels, P parts, G paint classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from medprompt_cli.synthesis.classes import CONTRASTS, PAINT_CLASSES
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_parts import PARTS

VISIBLE = 0.9
"""Share of the parts of an unknown contrast that stand out from the tissue under them."""

STEP = (0.13, 0.6)
"""Least and largest difference in intensity of a part that stands out."""

BRIGHTEST = 1.25

MOTTLE_VOXELS = (10, 4)
"""Distance of the control points of the mottling, coarse and fine."""

_EVEN = {"cyst", "cavity", "infarct-chronic"}
_EVENNESS = torch.tensor([0.25 if part.name in _EVEN else 1.0 for part in PARTS])
_SOFT = torch.tensor([part.soft for part in PARTS])
_WHITE = torch.tensor([paint.tissue == "white" for paint in PAINT_CLASSES])
_NEIGHBOURS = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


def paint_lesions(
    image: torch.Tensor,
    labels: torch.Tensor,
    parts: torch.Tensor,
    contrast: str | None,
    means: torch.Tensor,
    draw: Draw,
) -> torch.Tensor:
    """Paint lesions over an image.

    Args:
        image: (I, J, K) float32, painted from `labels`.
        labels: (I, J, K) uint8, positions in `PAINT_CLASSES`.
        parts: (I, J, K) uint8, positions in `PARTS`.
        contrast: Name in `CONTRASTS`, or None where tissues have random means.
        means: (G,) mean intensity of every class in this image.
        draw: Random numbers.

    Returns:
        (I, J, K) float32; `image` itself if there is no lesion.
    """
    index = torch.nonzero(parts.reshape(-1))[:, 0]
    if not len(index):
        return image
    here = parts.reshape(-1)[index].long()
    if contrast is None:
        under = means.to(image.device)[labels.reshape(-1)[index].long()]
        centres = _unknown_look(_mean_under(under, here), draw)
    else:
        centres = _known_look(contrast, means, draw)
    mottle = draw.uniform(0.02, 0.07) * _mottle(index, parts.shape, draw)
    mottle += draw.uniform(0.0, 0.05) * draw.normal(len(index))
    value = centres.to(image.device)[here] + mottle * _EVENNESS.to(image.device)[here]
    painted = image.reshape(-1).clone()
    painted[index] = value.clamp_(0, BRIGHTEST)
    painted = painted.reshape(image.shape)
    return _fade_borders(painted, parts, index)


def _looks_shared() -> list[int]:
    """For every part the first part that looks the same in every contrast."""
    looks = [part.look for part in PARTS]
    return [looks.index(look) for look in looks]


_ALIKE = _looks_shared()


def _known_look(contrast: str, means: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Mean of every part, (P,); parts of one range get one value.

    White matter that is brighter than usual in this image lifts all parts with it.
    """
    lift = float(means.cpu()[_WHITE].mean()) - CONTRASTS[contrast]["white"]
    drawn: dict[tuple[float, float], float] = {}
    centres = torch.zeros(len(PARTS))
    for n, part in enumerate(PARTS[1:], start=1):
        limits = part.look[contrast]
        if limits not in drawn:
            drawn[limits] = draw.uniform(*limits)
        centres[n] = max(0.0, drawn[limits] + lift)
    return centres


def _mean_under(under: torch.Tensor, here: torch.Tensor) -> torch.Tensor:
    """Mean intensity, (P,), of the tissue each part lies on; 0 for absent parts."""
    sums = torch.zeros(2, len(PARTS), device=under.device)
    sums.index_add_(1, here, torch.stack([under, torch.ones_like(under)]))
    return (sums[0] / sums[1].clamp_min(1)).cpu()


def _unknown_look(under: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Mean of every part, (P,): a step up or down from the tissue under it."""
    steps = []
    for _ in PARTS:
        low, high = STEP if draw.chance(VISIBLE) else (0.0, STEP[0])
        steps.append(draw.uniform(low, high) * (1 if draw.chance(0.5) else -1))
    step = torch.tensor(steps)[_ALIKE]
    outside = (under + step < 0) | (under + step > BRIGHTEST)
    return under + torch.where(outside, -step, step)


def _mottle(index: torch.Tensor, shape: torch.Size, draw: Draw) -> torch.Tensor:
    """A smooth random field at voxels given by flat position, (N,)."""
    i, j, k = _subscripts(index, shape)
    places = torch.stack(
        [2 * at / max(n - 1, 1) - 1 for at, n in zip((k, j, i), shape[::-1], strict=True)], -1
    )
    total = torch.zeros(len(index), device=index.device)
    for step in MOTTLE_VOXELS:
        coarse = draw.normal(1, 1, *(n // step + 2 for n in shape))
        total += F.grid_sample(
            coarse, places.reshape(1, -1, 1, 1, 3), mode="bilinear", align_corners=True
        ).reshape(-1)
    return total


def _subscripts(
    index: torch.Tensor, shape: torch.Size
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    _, j, k = shape
    return index // (j * k), index // k % j, index % k


def _neighbours(index: torch.Tensor, shape: torch.Size) -> list[torch.Tensor]:
    """Flat positions, (N,) each, of the six neighbours; at an edge, of the voxel itself."""
    at = _subscripts(index, shape)
    found = []
    for steps in _NEIGHBOURS:
        i, j, k = (
            (place + step).clamp(0, n - 1)
            for place, step, n in zip(at, steps, shape, strict=True)
        )
        found.append((i * shape[1] + j) * shape[2] + k)
    return found


def _fade_borders(
    image: torch.Tensor, parts: torch.Tensor, index: torch.Tensor
) -> torch.Tensor:
    """Average every voxel on either side of a soft border with its neighbours."""
    flat, values = parts.reshape(-1), image.reshape(-1)
    soft = _SOFT.to(parts.device)
    inner = index[soft[flat[index].long()]]
    around = torch.stack(_neighbours(inner, parts.shape))  # (6, N)
    edge = (flat[around] == 0).any(0)
    border = torch.zeros_like(flat, dtype=torch.bool)
    border[inner[edge]] = True
    border[around[:, edge].reshape(-1)] = True
    border = torch.nonzero(border)[:, 0]
    under = flat[border].long()
    border = border[soft[under] | (under == 0)]
    near = torch.stack([border, *_neighbours(border, parts.shape)])
    values[border] = values[near].mean(0)
    return image
