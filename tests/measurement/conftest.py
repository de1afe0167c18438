"""Phantoms whose size is known in closed form, and what turns a grid 48 ways."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask

Inside = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Phantom:
    """A solid and its measures in mm; `inside` says which points belong to it."""

    inside: Inside
    volume: float
    surface: float
    half: tuple[float, float, float]  # extent from the middle along each axis
    diameter: float
    in_plane: tuple[float, float]  # longest in an axial plane, and across it

    def draw(self, spacing, offset=(0.0, 0.0, 0.0)) -> Mask:
        """Voxels whose centre is inside; `offset` shifts the grid, in voxels."""
        shape = tuple(2 * math.ceil(h / s) + 6 for h, s in zip(self.half, spacing, strict=True))
        start = (-(np.array(shape) - 1) / 2 + offset) * spacing
        at = start.reshape(3, 1, 1, 1) + np.indices(shape) * np.reshape(spacing, (3, 1, 1, 1))
        affine = np.diag([*spacing, 1.0])
        affine[:3, 3] = start
        return Mask("phantom", self.inside(*at), Geometry(shape, affine))


def ball(r: float) -> Phantom:
    def inside(x, y, z):
        return x**2 + y**2 + z**2 <= r**2

    volume, surface = 4 / 3 * math.pi * r**3, 4 * math.pi * r**2
    return Phantom(inside, volume, surface, (r, r, r), 2 * r, (2 * r, 2 * r))


def ellipsoid(a: float, b: float, c: float) -> Phantom:
    def inside(x, y, z):
        return (x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2 <= 1

    n = 1000  # the surface integral by the midpoint rule, far more exact than the voxels
    polar = ((np.arange(n) + 0.5) / n * math.pi)[:, None]
    round_ = (np.arange(n) + 0.5) / n * 2 * math.pi
    flat = (b * c * np.cos(round_)) ** 2 + (a * c * np.sin(round_)) ** 2
    density = np.sqrt(np.sin(polar) ** 2 * flat + (a * b * np.cos(polar)) ** 2)
    surface = float((np.sin(polar) * density).sum() * 2 * (math.pi / n) ** 2)
    volume = 4 / 3 * math.pi * a * b * c
    return Phantom(inside, volume, surface, (a, b, c), 2 * a, (2 * a, 2 * b))


def shell(outer: float, inner: float) -> Phantom:
    whole, hole = ball(outer), ball(inner)

    def inside(x, y, z):
        return whole.inside(x, y, z) & ~hole.inside(x, y, z)

    volume, surface = whole.volume - hole.volume, whole.surface + hole.surface
    return Phantom(inside, volume, surface, whole.half, whole.diameter, whole.in_plane)


def torus(ring: float, tube: float) -> Phantom:
    def inside(x, y, z):
        return (np.hypot(x, y) - ring) ** 2 + z**2 <= tube**2

    reach = ring + tube
    volume, surface = 2 * math.pi**2 * ring * tube**2, 4 * math.pi**2 * ring * tube
    half, across = (reach, reach, tube), (2 * reach, 2 * reach)
    return Phantom(inside, volume, surface, half, 2 * reach, across)


def box(a: float, b: float, c: float) -> Phantom:
    """At least as long as it is wide: only then does the chord across fit in."""

    def inside(x, y, z):
        return (abs(x) < a / 2) & (abs(y) < b / 2) & (abs(z) < c / 2)

    diagonal = math.hypot(a, b)
    surface = 2 * (a * b + b * c + a * c)
    half, flat = (a / 2, b / 2, c / 2), (diagonal, b * diagonal / a)
    return Phantom(inside, a * b * c, surface, half, math.hypot(a, b, c), flat)


PHANTOMS = {
    "ball": ball(14),
    "ellipsoid": ellipsoid(20, 15, 12),
    "shell": shell(17, 9),
    "torus": torus(22, 11),
    "box": box(30, 24, 18),
}


@pytest.fixture(params=sorted(PHANTOMS))
def phantom(request) -> Phantom:
    """Each of the solids in turn."""
    return PHANTOMS[request.param]


@pytest.fixture(scope="session")
def solids() -> dict[str, Callable[..., Phantom]]:
    """Makers of solids of any size."""
    return {f.__name__: f for f in (ball, ellipsoid, shell, torus, box)}


def turned(voxels: np.ndarray, geometry: Geometry) -> Iterator[tuple[np.ndarray, Geometry]]:
    """The same voxels in the same places, stored in each of the 48 orientations."""
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            matrix = np.zeros((4, 4))
            matrix[3, 3] = 1
            for new, (old, flip) in enumerate(zip(order, flips, strict=True)):
                matrix[old, new] = -1 if flip else 1
                matrix[old, 3] = geometry.shape[old] - 1 if flip else 0
            stored = voxels.transpose(order)
            stored = stored[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
            yield (
                np.ascontiguousarray(stored),
                Geometry(stored.shape, geometry.affine @ matrix),
            )


@pytest.fixture(scope="session")
def every_way() -> Callable[..., Iterator[tuple[np.ndarray, Geometry]]]:
    """The 48 orientations of some voxels."""
    return turned


@pytest.fixture(scope="session")
def mask_of() -> Callable[..., Mask]:
    """A mask of an array, by default of 1 mm voxels with the first at 0, 0, 0 mm."""

    def build(voxels, spacing=(1.0, 1.0, 1.0), region="region", affine=None) -> Mask:
        voxels = np.asarray(voxels, dtype=bool)
        affine = np.diag([*spacing, 1.0]) if affine is None else affine
        return Mask(region, voxels, Geometry(voxels.shape, affine))

    return build


@pytest.fixture(scope="session")
def oblique() -> np.ndarray:
    """An affine turned by some 20 degrees about an odd axis, 0.8 x 1.1 x 1.5 mm."""
    axis = np.array([0.3, -0.5, 0.8]) / np.linalg.norm([0.3, -0.5, 0.8])
    cross = np.cross(np.eye(3), -axis)
    angle = 0.35
    turn = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    affine = np.eye(4)
    affine[:3, :3] = turn * (0.8, 1.1, 1.5)
    affine[:3, 3] = (-31.0, 12.5, 7.25)
    return affine
