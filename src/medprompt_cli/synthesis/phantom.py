"""A head computed from shapes: tissue at every voxel of any grid, known without error.

The head is drawn straight on the grid that is asked for, thick slices and oblique ones
included, so truth is never interpolated. A person differs from another by scale, a
smooth warp, the folds, and how wide the ventricles are; a visit from another by pose and
by the few structures that change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from medprompt_cli.domain.anatomy import BASE_INDEX, BILATERAL
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.synthesis import phantom_anatomy as parts
from medprompt_cli.synthesis.phantom_frame import Head, Region, distance, regions
from medprompt_cli.synthesis.phantom_tissues import draw_tissues
from medprompt_cli.synthesis.shapes import box_of, inside_box

REACH_MM = 8.0
"""How far outside its first surface a changing structure can get."""

NOWHERE = -math.inf
"""Level of what is not there at all."""

LESION_ROUGHNESS_MM = 0.6
"""Standard deviation of a lesion's edge about its ellipsoid."""

WHITE = BILATERAL["cerebral-white-matter"]
GIVE_WAY: dict[str, tuple[int, ...]] = {
    "hippocampus": (
        *WHITE,
        *BILATERAL["cerebral-cortex"],
        *BILATERAL["inferior-lateral-ventricle"],
    ),
    "lateral-ventricle": WHITE,
    "lesion": WHITE,
}
"""What can change between visits, and the ids it may take voxels from."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Tissue and lesions on one grid.

    Attributes:
        tissue: (I, J, K) uint8: ids of domain/anatomy.py, those of phantom_anatomy
            above 200, and 0 for the air around the head.
        lesions: (I, J, K) uint8: numbers of `phantom_anatomy.LESIONS`, from 1.
        levels: How far each changing region's surface was moved outwards, in mm.
        counts: Voxels of each changing region.
    """

    tissue: np.ndarray
    lesions: np.ndarray
    levels: dict[str, float]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Surface:
    """Voxels near a region that can change: flat index, and mm outside its surface."""

    index: np.ndarray
    distance: np.ndarray


def draw(
    geometry: Geometry,
    head: Head,
    pose: np.ndarray,
    *,
    levels: Mapping[str, float] | None = None,
    counts: Mapping[str, int] | None = None,
) -> Drawing:
    """Draw a head on a grid.

    Args:
        geometry: The grid.
        head: The person.
        pose: (4, 4) float64; takes head coordinates to world, in mm.
        levels: How far to move the surface of a changing region outwards, in mm;
            what is not named stays where it is, and what comes later is not there.
        counts: Or how many voxels a changing region shall have: its level is found
            and returned, so that a second grid can show the same anatomy.
    """
    tissue = np.zeros(int(np.prod(geometry.shape)), np.uint8)
    surfaces: dict[str, list[_Surface]] = {}
    for region in regions(geometry, head, pose):
        tissue[region.index] = draw_tissues(region, head.folds, head.grain)
        for name, surface in _surfaces(region, head):
            surfaces.setdefault(name, []).append(surface)
    lesions = np.zeros_like(tissue)
    found: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for name in sorted(surfaces):
        near = _open_voxels(name, surfaces[name], tissue)
        level = (levels or {}).get(name, NOWHERE if name == parts.LATER else 0.0)
        if counts is not None and name in counts:
            level = _level_of(near.distance, counts[name])
        drawn = near.index[near.distance < level]
        if name.startswith("lesion"):
            lesions[drawn] = int(name.rpartition("-")[2])
        else:
            tissue[drawn] = BASE_INDEX[name]
        found[name], sizes[name] = level, len(drawn)
    shape = geometry.shape
    return Drawing(tissue.reshape(shape), lesions.reshape(shape), found, sizes)


def _surfaces(region: Region, head: Head) -> Iterator[tuple[str, _Surface]]:
    """Each region of the head that can change, as far as it comes near these voxels."""
    ventricle = (parts.LATERAL_VENTRICLE, parts.ATRIUM)
    for kind, solids, wider in (
        ("hippocampus", (parts.HIPPOCAMPUS,), 0.0),
        ("lateral-ventricle", ventricle, head.ventricle_mm),
    ):
        nodes = [node for solid in solids for node in solid.nodes]
        near = inside_box(region.mirrored, *box_of(nodes, REACH_MM + wider))
        mirrored = region.mirrored[:, near]
        apart = np.min([distance(mirrored, solid) for solid in solids], axis=0) - wider
        right = region.points[0, near] >= 0
        for side, here in (("left", ~right), ("right", right)):
            yield f"{side}-{kind}", _Surface(region.index[near[here]], apart[here])
    for number, ball in enumerate(parts.LESIONS, start=1):
        reach = np.asarray(ball.radii) + REACH_MM
        near = inside_box(region.points, ball.centre - reach, ball.centre + reach)
        points = region.points[:, near]
        apart = distance(points, ball) + LESION_ROUGHNESS_MM * head.grain(points)
        yield f"lesion-{number}", _Surface(region.index[near], apart)


def _open_voxels(name: str, surfaces: list[_Surface], tissue: np.ndarray) -> _Surface:
    """The voxels a region may take, given what has been drawn."""
    index = np.concatenate([surface.index for surface in surfaces])
    distance = np.concatenate([surface.distance for surface in surfaces])
    ids = next(ids for kind, ids in GIVE_WAY.items() if kind in name)
    free = np.isin(tissue[index], ids)
    return _Surface(index[free], distance[free])


def _level_of(distance: np.ndarray, count: int) -> float:
    """The level that exactly `count` voxels lie below, up to ties."""
    if count == 0:
        return NOWHERE
    lowest = np.partition(distance, (count - 1, count))[count - 1 : count + 1]
    return float(lowest.mean())
