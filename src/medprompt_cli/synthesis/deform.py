"""Random shapes: where each voxel of a synthetic image looks into its label map."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

FIELD_STEP_MM = 8.0
"""Grid the velocity field is integrated on."""

SQUARINGS = 4
"""Scaling-and-squaring steps; the field is divided by 2**4 first."""


@dataclass(frozen=True, slots=True)
class ShapeRange:
    """How far a synthetic head may differ from its label map.

    Attributes:
        rotation_deg: Largest rotation about each axis.
        scaling: Largest relative change of size along each axis.
        shear: Largest shear.
        shift_mm: Largest shift of the field of view along each axis.
        warp_mm: Largest standard deviation of the velocity field.
        warp_steps_mm: Distances between the field's control points.
    """

    rotation_deg: float = 20.0
    scaling: float = 0.2
    shear: float = 0.03
    shift_mm: float = 15.0
    warp_mm: float = 5.0
    warp_steps_mm: tuple[float, ...] = (64.0, 32.0, 16.0)


class Draw:
    """Random numbers on one device, from one seed."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.scalars = torch.Generator().manual_seed(seed)
        self.fields = torch.Generator(self.device).manual_seed(seed + 1)

    def uniform(self, low: float, high: float) -> float:
        """One number between `low` and `high`."""
        return low + (high - low) * float(torch.rand((), generator=self.scalars))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform(0, 1) < probability

    def integer(self, below: int) -> int:
        """A whole number from 0 up to, not including, `below`."""
        return int(torch.randint(below, (), generator=self.scalars))

    def normal(self, *shape: int) -> torch.Tensor:
        """Standard normal numbers on the device."""
        return torch.randn(shape, generator=self.fields, device=self.device)


def random_affine(draw: Draw, shape: ShapeRange) -> torch.Tensor:
    """A (3, 3) matrix, output mm to label-map mm, on the CPU."""
    matrix = torch.eye(3)
    for axis in range(3):
        angle = math.radians(draw.uniform(-shape.rotation_deg, shape.rotation_deg))
        turn = torch.eye(3)
        first, second = [a for a in range(3) if a != axis]
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ turn
    overall = draw.uniform(-shape.scaling, shape.scaling) / 2
    sizes = [1 + overall + draw.uniform(-shape.scaling, shape.scaling) / 2 for _ in range(3)]
    shears = torch.eye(3)
    for row, column in ((0, 1), (0, 2), (1, 2)):
        shears[row, column] = draw.uniform(-shape.shear, shape.shear)
    return matrix @ torch.diag(torch.tensor(sizes)) @ shears


def random_warp(draw: Draw, extent_mm: tuple[float, ...], shape: ShapeRange) -> torch.Tensor:
    """A smooth invertible displacement, (3, A, B, C) in mm, on an 8 mm grid."""
    grid = [max(3, math.ceil(length / FIELD_STEP_MM) + 1) for length in extent_mm]
    velocity = torch.zeros(1, 3, *grid, device=draw.device)
    for step in shape.warp_steps_mm:
        coarse = [max(2, math.ceil(length / step) + 1) for length in extent_mm]
        size = draw.uniform(0, shape.warp_mm) * min(1.0, step / 40)
        bumps = size * draw.normal(1, 3, *coarse)
        velocity += F.interpolate(bumps, size=grid, mode="trilinear", align_corners=True)
    return integrate(velocity)[0]


def integrate(velocity: torch.Tensor) -> torch.Tensor:
    """Flow of a stationary velocity field, (1, 3, A, B, C) in mm, by squaring.

    Source: Arsigny et al., MICCAI 2006.
    """
    grid = velocity.shape[2:]
    axes = [torch.linspace(-1, 1, n, device=velocity.device) for n in grid]
    identity = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)[None]
    scale = torch.tensor([2 / ((n - 1) * FIELD_STEP_MM) for n in grid], device=velocity.device)
    flow = velocity / 2**SQUARINGS
    for _ in range(SQUARINGS):
        places = identity + flow.permute(0, 2, 3, 4, 1) * scale
        flow = flow + F.grid_sample(
            flow, places.flip(-1), align_corners=True, padding_mode="border"
        )
    return flow


@dataclass(frozen=True, slots=True)
class Places:
    """Where each point of an output grid looks into a label map.

    Attributes:
        flat: int32 of the output's shape, the nearest voxel counted in C order.
        inside: bool of the output's shape, whether that lies in the map.
    """

    flat: torch.Tensor
    inside: torch.Tensor

    def take(self, labels: torch.Tensor) -> torch.Tensor:
        """`labels`, (X, Y, Z) uint8, at these places; 0 outside the map."""
        found = labels.reshape(-1).index_select(0, self.flat.reshape(-1))
        return found.reshape(self.flat.shape).masked_fill_(~self.inside, 0)


def find_places(
    map_shape: tuple[int, ...],
    grid: tuple[tuple[int, int, int], tuple[float, float, float]],
    placement: tuple[torch.Tensor, torch.Tensor],
    warp: torch.Tensor | None,
    device: torch.device | str = "cpu",
) -> Places:
    """Nearest voxel of a label map at 1 mm for each point of an output grid.

    Args:
        map_shape: (X, Y, Z) of the label map.
        grid: Shape and spacing (mm) of the output.
        placement: Matrix (3, 3) and centre (3,): output mm, from the grid's middle,
            to voxels of the map.
        warp: (3, A, B, C) in mm over the output's box, or None.
        device: Where to compute.
    """
    shape, spacing = grid
    matrix, centre = placement
    middle = [
        (torch.arange(n, device=device) - (n - 1) / 2) * step
        for n, step in zip(shape, spacing, strict=True)
    ]
    if warp is None:
        moved = torch.zeros(3, 1, 1, 1, device=device)
    else:
        moved = F.interpolate(warp[None], size=shape, mode="trilinear", align_corners=True)[0]
    flat = torch.zeros(shape, dtype=torch.int32, device=device)
    inside = torch.ones(shape, dtype=torch.bool, device=device)
    for axis in range(3):
        a, b, c = (float(v) for v in matrix[axis])
        along = (moved[axis] + float(centre[axis])).expand(shape).clone()
        along += a * middle[0][:, None, None]
        along += b * middle[1][:, None] + c * middle[2]
        nearest = along.round_().to(torch.int32)
        inside &= (nearest >= 0) & (nearest < map_shape[axis])
        flat.mul_(map_shape[axis]).add_(nearest)
    return Places(flat.masked_fill_(~inside, 0), inside)
