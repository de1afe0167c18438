"""Operations on regions: combine, divide into components, choose among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cc3d
import edt
import numpy as np

from medprompt_cli.execution.values import (
    MEASURED,
    Region,
    Regions,
    Status,
    first_problem,
)

CONNECTIVITY = 26
MOST = 0.5
TOUCHING_MM = 2.0
"""How near to a region an instance is said to touch it."""


def as_region(value: Region | Regions) -> Region:
    """Instances are their union."""
    return value.union() if isinstance(value, Regions) else value


def union(one: Region, other: Region) -> Region:
    """What is in one or both; a part that is absent takes nothing away."""
    name = f"{one.name} or {other.name}"
    present = [r for r in (one, other) if r.voxels is not None]
    unknown: list[Status] = [
        r.status for r in (one, other) if r.voxels is None and r.status != "absent"
    ]
    if unknown or not present:
        return _nothing(one, name, unknown[0] if unknown else "absent")
    voxels = np.any([r.voxels for r in present if r.voxels is not None], axis=0)
    status = first_problem(present[0].status, present[-1].status)
    return replace(present[0].with_voxels(voxels, name), status=status)


def intersect(one: Region, other: Region) -> Region:
    """What is in both."""
    name = f"{one.name} in {other.name}"
    if one.voxels is None or other.voxels is None:
        return _nothing(one, name, _why_not(one, other))
    return one.with_voxels(one.voxels & other.voxels, name)


def subtract(one: Region, other: Region) -> Region:
    """What is in the first alone; an absent second takes nothing away."""
    name = f"{one.name} without {other.name}"
    if one.voxels is None or (other.voxels is None and other.status != "absent"):
        return _nothing(one, name, first_problem(one.status, other.status))
    taken = np.zeros(one.voxels.shape, bool) if other.voxels is None else other.voxels
    return one.with_voxels(one.voxels & ~taken, name)


def rim(region: Region, width_mm: float) -> Region:
    """A shell of this width around a region."""
    name = f"{width_mm:g} mm around {region.name}"
    if region.voxels is None:
        return _nothing(region, name, region.status)
    away = distance_map(region)
    return region.with_voxels((away > 0) & (away <= width_mm), name)


def side(region: Region, which: str, hemispheres: tuple[Region, Region]) -> Region:
    """The voxels nearer to the left or to the right hemisphere."""
    name = f"{which} {region.name}"
    half = half_of(which, hemispheres)
    if region.voxels is None or half is None:
        status = region.status if region.voxels is None else "failed_qc"
        return _nothing(region, name, status)
    return region.with_voxels(region.voxels & half, name)


def instances(region: Region) -> Regions:
    """Connected components of a region, the largest first."""
    if region.voxels is None:
        status: Status = MEASURED if region.status == "absent" else region.status
        return Regions(region.name, (), status, region)
    labels, count = cc3d.connected_components(
        region.voxels, connectivity=CONNECTIVITY, return_N=True
    )
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable") + 1
    parts = tuple(
        region.with_voxels(labels == label, f"{region.name} {n}")
        for n, label in enumerate(order, start=1)
    )
    return Regions(region.name, parts, region.status, region)


def only(found: Regions, keep: Sequence[Region]) -> Regions:
    """Some of the instances."""
    return replace(found, parts=tuple(keep))


def within(found: Regions, region: Region) -> Regions:
    """Instances that lie in a region or touch it."""
    status = first_problem(
        found.status, MEASURED if region.status == "absent" else region.status
    )
    if region.voxels is None:
        return replace(found, parts=(), status=status)
    away = distance_map(region)
    parts = [p for p in found.parts if float(away[p.voxels].min()) <= TOUCHING_MM]
    return replace(found, parts=tuple(parts), status=status)


def on_side(found: Regions, which: str, hemispheres: tuple[Region, Region]) -> Regions:
    """Instances with most of their voxels on a side."""
    half = half_of(which, hemispheres) if found.parts else None
    if half is None:
        return found if not found.parts else replace(found, parts=(), status="failed_qc")
    parts = [p for p in found.parts if float(half[p.voxels].mean()) > MOST]
    return replace(found, parts=tuple(parts))


def by_size(found: Regions, *, largest: bool) -> Region:
    """The largest or the smallest instance."""
    word = "largest" if largest else "smallest"
    if not found.parts:
        return _nothing(found.whole, f"{word} {found.name}", _none_there(found))
    part = found.parts[0 if largest else -1]
    return replace(part, name=f"{word} {found.name}")


def nearest(found: Regions, region: Region) -> Region:
    """The instance nearest to a region."""
    name = f"{found.name} nearest to {region.name}"
    if not found.parts or region.voxels is None:
        status = first_problem(
            _none_there(found) if not found.parts else MEASURED, region.status
        )
        return _nothing(found.whole, name, status)
    away = distance_map(region)
    part = min(found.parts, key=lambda p: float(away[p.voxels].min()))
    return replace(part, name=name)


def distance_map(region: Region) -> np.ndarray:
    """Distance in mm, (I, J, K) float32, of every voxel to a region that is there."""
    outside = np.ascontiguousarray(~np.asarray(region.voxels))
    return edt.edt(outside, anisotropy=region.geometry.spacing, black_border=False)


def half_of(which: str, hemispheres: tuple[Region, Region]) -> np.ndarray | None:
    """Voxels nearer to one hemisphere, (I, J, K) bool; None if the brain was not seen.

    Not the middle of the grid: heads lie off it, and turned.
    """
    left, right = hemispheres
    if left.empty or right.empty:
        return None
    to_left, to_right = distance_map(left), distance_map(right)
    return to_left < to_right if which == "left" else to_right < to_left


def _nothing(like: Region, name: str, status: Status) -> Region:
    return replace(like, name=name, voxels=None, status=status, presence=None, target=None)


def _why_not(*regions: Region) -> Status:
    for region in regions:
        if region.voxels is None:
            return region.status
    return "absent"


def _none_there(found: Regions) -> Status:
    return "absent" if found.status == MEASURED else found.status
