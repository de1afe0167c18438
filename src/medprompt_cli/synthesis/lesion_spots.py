"""From places of a label map to places in the image, and tissue pushed aside there.

A point x of the image, in mm from its middle, shows the voxel `matrix @ x + centre +
warp(x)` of the label map.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_model import Lesion, Spot, Vector
from medprompt_cli.synthesis.lesion_sites import Candidates, Sites

Placement = tuple[torch.Tensor, torch.Tensor]
"""Matrix (3, 3) and centre (3,): output mm to voxels of the label map."""

Warp = tuple[torch.Tensor, tuple[float, ...]]
"""A displacement, (3, A, B, C), and the extent in mm of the box it spans."""

INVERSION_STEPS = 10
"""Fixed-point steps that follow a warp backwards; each leaves less than half the error."""

PUSH_REACH = 2.4
"""Mass effect ends at this many radii from the middle of a lesion."""

SKULL_RADIUS_MM = 70.0
"""The skull near a lesion is taken for a piece of a sphere this large."""

LEAST_PUSH_MM = 0.5
"""A smaller shift is not worth a change."""


def _unit(vector: torch.Tensor) -> torch.Tensor:
    return vector / vector.norm(dim=-1, keepdim=True).clamp_min(1e-6)


def _vector(row: torch.Tensor) -> Vector:
    x, y, z = (float(v) for v in row)
    return x, y, z


class SpotFinder:
    """Draws places of a label map and says where they are in the image.

    Args:
        draw: Random numbers.
        sites: Of the label map.
        placement: See the top of the module.
        warp: Its displacement, or None.
    """

    def __init__(
        self, draw: Draw, sites: Sites, placement: Placement, warp: Warp | None = None
    ) -> None:
        matrix, centre = (part.detach().float().cpu() for part in placement)
        self.draw, self.sites, self.matrix, self.centre = draw, sites, matrix, centre
        self.inverse = torch.linalg.inv(matrix)
        self.scale = float(torch.linalg.det(matrix).abs() ** (1 / 3))
        self.rows = (_vector(matrix[0]), _vector(matrix[1]), _vector(matrix[2]))
        self.field = None if warp is None else (warp[0].cpu(), warp[1])

    def spots(self, homes: Mapping[str, float], count: int) -> list[Spot]:
        """Candidates for `count` lesions; fewer if the map has none of a sort.

        Args:
            homes: Names in `lesion_sites.HOMES`, each with its share.
            count: How many.
        """
        found = {h: self.sites.places[h] for h in homes if len(self.sites.places.get(h, ()))}
        if not found:
            return []
        names = list(found)
        shares = torch.tensor([homes[name] for name in names]).cumsum(0)
        spots = []
        for _ in range(count):
            pick = self.draw.uniform(0, float(shares[-1]))
            name = names[min(int((shares <= pick).sum()), len(names) - 1)]
            spots.append(self._spot(name, found[name]))
        return spots

    def ventricles(self) -> Spot | None:
        """The middle of the lateral ventricles; its axis points from left to right."""
        if self.sites.ventricles is None:
            return None
        across = _vector(_unit(self.matrix.T @ torch.tensor([1.0, 0.0, 0.0])))
        centre = _vector(self.to_image(self.sites.ventricles[None])[0])
        return Spot("white", centre, across, 0.0, self.rows)

    def to_image(self, voxels: torch.Tensor) -> torch.Tensor:
        """Where the image shows these voxels of the map: (N, 3) to (N, 3) mm."""
        straight = (voxels - self.centre) @ self.inverse.T
        points = straight
        if self.field is not None:
            for _ in range(INVERSION_STEPS):
                points = straight - displacement(*self.field, points) @ self.inverse.T
        return points

    def _spot(self, name: str, places: Candidates) -> Spot:
        n = self.draw.integer(len(places))
        centre = self.to_image(places.voxels[n : n + 1])[0]
        axis = _unit(self.matrix.T @ places.axes[n])  # a normal, not an arrow
        depth = float(places.depths[n]) / self.scale
        return Spot(name, _vector(centre), _vector(axis), depth, self.rows)


def displacement(
    warp: torch.Tensor, extent_mm: tuple[float, ...], points: torch.Tensor
) -> torch.Tensor:
    """The warp, (3, A, B, C), at points, (N, 3) mm from the middle of its box: (N, 3)."""
    half = torch.tensor(extent_mm, device=points.device) / 2
    places = (points / half).flip(-1).reshape(1, -1, 1, 1, 3)
    found = F.grid_sample(warp[None], places, align_corners=True, padding_mode="border")
    return found[0, :, :, 0, 0].T


def push_aside(
    warp: torch.Tensor, lesions: tuple[Lesion, ...], extent_mm: tuple[float, ...]
) -> torch.Tensor:
    """Let lesions move the tissue round them: mass effect, or the pull of a scar.

    Along every ray from a lesion's middle the image looks nearer to the middle than
    before, by a share that fades to nothing at `PUSH_REACH` radii and at the skull, and
    is below 1, so that no two points look at the same one.

    Args:
        warp: (3, A, B, C) displacement in voxels of the label map, added after the
            placement.
        lesions: Of the image.
        extent_mm: Of the box that `warp` spans.

    Returns:
        (3, A, B, C), on the same device.
    """
    moving = [lesion for lesion in lesions if _largest_shift(lesion) > LEAST_PUSH_MM]
    if not moving:
        return warp
    axes = [
        torch.linspace(-length / 2, length / 2, n, device=warp.device)
        for n, length in zip(warp.shape[1:], extent_mm, strict=True)
    ]
    start = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, 3)
    points = start
    for lesion in moving:
        points = points - shift(lesion, points)
    matrix = torch.tensor(moving[0].spot.matrix, device=warp.device)
    looked = displacement(warp, extent_mm, points) + (points - start) @ matrix.T
    return looked.T.reshape(warp.shape)


def shift(lesion: Lesion, points: torch.Tensor) -> torch.Tensor:
    """How much nearer to the lesion, (N, 3) mm, the image looks at points, (N, 3) mm."""
    middle, axis = (
        torch.tensor(v, device=points.device) for v in (lesion.middle_mm, lesion.spot.axis)
    )
    away = points - middle
    reach = PUSH_REACH * lesion.radius_mm
    fade = (1 - away.square().sum(-1) / reach**2).clamp_min(0).square()
    depth = lesion.spot.depth_mm + lesion.sink_mm
    skull = middle + (SKULL_RADIUS_MM - depth) * axis
    inside = SKULL_RADIUS_MM - (points - skull).norm(dim=-1)
    gate = (inside / max(0.5 * reach, 8.0)).clamp(0, 1)
    gate = gate.square() * (3 - 2 * gate)
    return lesion.push * (fade * gate)[:, None] * away


def _largest_shift(lesion: Lesion) -> float:
    """Of a point, in mm, were there no skull."""
    return 0.286 * PUSH_REACH * lesion.radius_mm * abs(lesion.push)
