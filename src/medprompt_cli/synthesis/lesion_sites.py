"""Where in a label map lesions may start: found once for every map.

Letters: G paint classes, N places of one sort.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.synthesis.lesion_parts import ground_of

STRIDE = 2
"""Every second voxel of a map is looked at, along each axis."""

MOST_PLACES = 3000
"""Candidates kept of each sort."""

DEPTH_MM, VENTRICLE_MM, CORTEX_MM = 32.0, 24.0, 10.0
"""Distances are measured up to here; what lies farther counts as this far."""

BESIDE_VENTRICLE_MM, CONVEXITY_MM, UNDER_SKULL_MM = 7.0, 8.0, 4.0
"""How near a ventricle, the outer skull or its inner face a place must be to belong there."""

SMOOTHING = 5
"""Voxels of the window that smooths a surface before its normal is taken."""

HOMES: Mapping[str, frozenset[str]] = {
    "periventricular": frozenset({"white"}),
    "white": frozenset({"white"}),
    "junction": frozenset({"white"}),
    "deep": frozenset({"deep"}),
    "brainstem": frozenset({"stem"}),
    "cerebellum": frozenset({"cerebellar-white"}),
    "cortex": frozenset({"cortex", "cerebellar-cortex"}),
    "surface": frozenset({"csf"}),
}
"""Sorts of places, and the ground each lies on.

`junction` is white matter beside cortex, `cortex` that of the convexity, `surface` the
fluid between brain and skull.
"""

_VENTRICLES = {4, 43, 136, 163}
_CHIASM = 85


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates of one sort, on the CPU.

    Attributes:
        voxels: (N, 3) float32, in voxels of the label map.
        axes: (N, 3) float32 unit vectors: away from the ventricle for `periventricular`,
            else from the skull inwards, or to the middle where the skull is far.
        depths: (N,) float32 mm to the skull, at most `DEPTH_MM`.
    """

    voxels: torch.Tensor
    axes: torch.Tensor
    depths: torch.Tensor

    def __len__(self) -> int:
        return len(self.voxels)


@dataclass
class Sites:
    """Candidate places of one label map.

    Attributes:
        places: For every name in `HOMES`; may be empty.
        ventricles: (3,) middle of the lateral ventricles, in voxels; None without them.
    """

    places: dict[str, Candidates] = field(default_factory=dict)
    ventricles: torch.Tensor | None = None


def ventricle_classes(device: torch.device) -> torch.Tensor:
    """Which classes of `PAINT_CLASSES` are lateral ventricles, (G,) bool."""
    return torch.tensor([p.index in _VENTRICLES for p in PAINT_CLASSES], device=device)


def distance_to(
    mask: torch.Tensor, spacing: tuple[float, ...], reach_mm: float
) -> torch.Tensor:
    """Distance, (I, J, K) mm, to the nearest voxel of `mask`; at most `reach_mm`.

    Source: the lower envelope of Felzenszwalb and Huttenlocher, by shifts.
    """
    far = float(reach_mm) ** 2
    squared = torch.full(mask.shape, far, device=mask.device).masked_fill_(mask, 0)
    for axis, step in enumerate(spacing):
        before, length = squared, mask.shape[axis]
        squared = before.clone()
        for shift in range(1, min(int(reach_mm / step), length - 1) + 1):
            away, rest = (shift * step) ** 2, length - shift
            for start, origin in ((shift, 0), (0, shift)):
                part = squared.narrow(axis, start, rest)
                other = before.narrow(axis, origin, rest) + away
                torch.minimum(part, other, out=part)
    return squared.sqrt_()


def find_sites(labels: torch.Tensor) -> Sites:
    """Look for the places of every sort.

    Args:
        labels: (X, Y, Z) uint8 at 1 mm; positions in `PAINT_CLASSES`.
    """
    coarse = labels[::STRIDE, ::STRIDE, ::STRIDE].int()
    spacing = (float(STRIDE),) * 3
    inside = torch.tensor([p.target != 0 or p.index == _CHIASM for p in PAINT_CLASSES])
    inside = inside.to(labels.device)[coarse]
    ventricle = ventricle_classes(labels.device)[coarse]
    cortex = _ground(coarse, "cortex", "cerebellar-cortex")
    depth = distance_to(~inside, spacing, DEPTH_MM)
    to_ventricle = distance_to(ventricle, spacing, VENTRICLE_MM)
    to_cortex = distance_to(cortex, spacing, CORTEX_MM)
    rules = {
        "periventricular": (to_ventricle <= BESIDE_VENTRICLE_MM) & (to_cortex > STRIDE),
        "white": to_cortex >= 2 * STRIDE,
        "junction": (to_cortex <= STRIDE) & (to_ventricle > BESIDE_VENTRICLE_MM),
        "cortex": depth <= CONVEXITY_MM,
        "surface": (depth <= UNDER_SKULL_MM) & (to_cortex <= CONVEXITY_MM),
    }
    inwards, outwards = _slope(depth), _slope(to_ventricle)
    sites = Sites()
    for name, grounds in HOMES.items():
        here = _ground(coarse, *grounds)
        if name in rules:
            here &= rules[name]
        axes = outwards if name == "periventricular" else inwards
        sites.places[name] = _places(here, axes, depth)
    if ventricle.any():
        sites.ventricles = torch.nonzero(ventricle).float().mean(0).cpu() * STRIDE
    return sites


def _ground(labels: torch.Tensor, *names: str) -> torch.Tensor:
    return ground_of(*names).to(labels.device)[labels]


def _slope(distance: torch.Tensor) -> torch.Tensor:
    """Direction, (3, I, J, K), in which a smoothed distance grows fastest."""
    smooth = distance[None, None]
    for axis in range(3):
        window = [SMOOTHING if a == axis else 1 for a in range(3)]
        pad = [n // 2 for n in window]
        smooth = F.avg_pool3d(smooth, window, 1, pad, count_include_pad=False)
    slope = torch.stack(torch.gradient(smooth[0, 0]))
    return slope / slope.norm(dim=0).clamp_min(1e-6)


def _places(here: torch.Tensor, axes: torch.Tensor, depth: torch.Tensor) -> Candidates:
    index = torch.nonzero(here)
    index = index[:: max(1, -(-len(index) // MOST_PLACES))]
    i, j, k = index.unbind(1)
    towards, voxels = axes[:, i, j, k].T, index.float()
    if len(index):  # where a distance has reached its limit it has no slope
        centre = voxels.mean(0) - voxels + voxels.new_tensor([0.0, 0.0, 0.01])
        flat = towards.norm(dim=1, keepdim=True) < 0.5  # noqa: PLR2004 - a length is 0 or 1
        towards = torch.where(flat, centre / centre.norm(dim=1, keepdim=True), towards)
    return Candidates(voxels.cpu() * STRIDE, towards.cpu(), depth[i, j, k].cpu())
