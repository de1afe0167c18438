"""How far a mass has pushed the middle of the brain aside.

The plane of the middle is laid through where the left and the right hemisphere meet at the
frontal and the occipital end of the brain: there the falx is fastened to the skull and stays.
The septum between the lateral ventricles, at the interventricular foramen, is held against it;
where it is not to be seen, the third ventricle.

Source: Liao, Chen and Xiao, Brain midline shift measurement and its automation, International
Journal of Biomedical Imaging 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from medprompt_cli.characterization.around import side_of
from medprompt_cli.characterization.contrast import centre_and_spread
from medprompt_cli.domain.anatomy import GROUPS
from medprompt_cli.domain.finding import Evidence, Finding
from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.volume import LabelMap

FEATURE, REGION = "midline-shift", "brain"

LEFT, RIGHT, NONE = "left", "right", "none"

LEAST_SHIFT_MM = 3.0
"""A middle that lies less off is not shifted. In 22 label maps of brains without a mass the
septum lay up to 2.1 mm off."""

SEVERE_SHIFT_MM = 5.0
"""More is a reason to operate. Source: Bullock et al., Surgical management of traumatic brain
injury, Neurosurgery 2006."""

SHIFT_ERROR_MM = 1.1
"""Standard error of a shift: the root mean square of what was measured in these 22."""

FISSURE_MM = 10.0
"""Hemispheres that are farther apart, as temporal poles are, do not meet. Own choice."""

END_SHARE = 0.2
"""Part of the brain's length that counts as its frontal and as its occipital end. Own
choice."""

CUT_SHARE = 0.1
"""A brain that touches the frontal or the occipital end of the image with more than this part
of its largest coronal section goes on behind it. Own choice."""

SEPTUM_MM = 6.0
"""Lateral ventricles that are farther apart have no septum between them. Own choice, more than
the 3 mm of a normal one."""

BEHIND_MM, BEFORE_MM = 10.0, 15.0
"""The septum is looked at from so far behind the front of the third ventricle to so far before
it: around the interventricular foramen."""

LEAST_MEETINGS = 30
"""Fewer columns of voxels where sides meet are too few, at either end or at the septum."""

LEAST_THIRD_VENTRICLE = 20
"""Fewer voxels of the third ventricle say nothing."""

TRIM, ROUNDS = 3.0, 10
"""Points farther than so many spreads from the plane are left out of the next; so often."""

LEAST_SPREAD_MM = 0.5
"""No point is left out for less than `TRIM` of these: half a voxel of usual scans."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The middle of the head: the points where R = offset + along_a * A + along_s * S.

    Attributes:
        offset: mm.
        along_a: mm to the right for each mm to the front.
        along_s: mm to the right for each mm up.
        spread: Spread of the points it was laid through about it, in mm.
    """

    offset: float
    along_a: float
    along_s: float
    spread: float

    def off(self, points: np.ndarray) -> np.ndarray:
        """(N,) mm by which points, (N, 3), lie to the right of the plane."""
        across = points @ np.array([1.0, -self.along_a, -self.along_s]) - self.offset
        return across / np.sqrt(1 + self.along_a**2 + self.along_s**2)


def midline_shift(structures: LabelMap) -> Finding:
    """To which side the middle of the brain is pushed: `left`, `right` or `none`.

    The probability is that the true shift lies on the same side of `LEAST_SHIFT_MM`. Evidence
    `shift` is in mm, above 0 to the right.

    Args:
        structures: Base structures; their names say the sides.
    """
    if _is_cut(structures):
        note = "The image ends in the frontal or in the occipital lobes."
        return Finding.missing(REGION, FEATURE, "truncated_fov", notes=(note,))
    plane = middle_plane(structures)
    if plane is None:
        note = "The hemispheres do not meet at both ends of the brain."
        return Finding.missing(REGION, FEATURE, "failed_qc", notes=(note,))
    third = _third_ventricle(structures)
    septum = _septum(structures, third)
    evidence = {"plane-spread": Evidence(plane.spread, "mm")}
    if third is not None:
        evidence["third-ventricle"] = Evidence(float(np.mean(plane.off(third))), "mm")
    if septum is not None:
        evidence["septum"] = Evidence(float(np.median(plane.off(septum))), "mm")
    measured = evidence.get("septum") or evidence.get("third-ventricle")
    if measured is None:
        note = "Neither the septum nor the third ventricle is to be seen."
        return Finding.missing(REGION, FEATURE, "failed_qc", evidence, (note,))
    evidence["shift"] = measured
    value, probability = _graded(measured.value)
    severe = ndtr((abs(measured.value) - SEVERE_SHIFT_MM) / SHIFT_ERROR_MM)
    evidence["probability-over-5-mm"] = Evidence(float(severe), "1")
    return Finding(REGION, FEATURE, value, probability, evidence=evidence)


def middle_plane(structures: LabelMap) -> Plane | None:
    """The plane that the falx hangs in; None if its ends are not to be seen."""
    points = _meetings(structures, set(GROUPS["cerebrum"]), FISSURE_MM)
    if not len(points):
        return None
    back, front = _ends(structures)
    length = front - back
    before = points[:, 1] >= front - END_SHARE * length
    behind = points[:, 1] <= back + END_SHARE * length
    if min(np.count_nonzero(before), np.count_nonzero(behind)) < LEAST_MEETINGS:
        return None
    return _laid_through(points[before | behind])


def _graded(shift: float) -> tuple[str, float]:
    right, left = (
        float(ndtr((side * shift - LEAST_SHIFT_MM) / SHIFT_ERROR_MM)) for side in (1, -1)
    )
    if abs(shift) <= LEAST_SHIFT_MM:
        return NONE, max(1 - right - left, 0.0)
    return (RIGHT, right) if shift > 0 else (LEFT, left)


def _laid_through(points: np.ndarray) -> Plane:
    """Least squares, without the points that lie far off, in turns."""
    design = np.column_stack([np.ones(len(points)), points[:, 1], points[:, 2]])
    kept, spread = np.ones(len(points), dtype=bool), 0.0
    found = np.zeros(3)
    for _ in range(ROUNDS):
        found = np.linalg.lstsq(design[kept], points[kept, 0], rcond=None)[0]
        residuals = points[:, 0] - design @ found
        centre, spread = centre_and_spread(residuals)
        now = np.abs(residuals - centre) <= TRIM * max(spread, LEAST_SPREAD_MM)
        if np.array_equal(now, kept):
            break
        kept = now
    return Plane(float(found[0]), float(found[1]), float(found[2]), spread)


def _sides(structures: LabelMap, names: set[str]) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """(I, J, K) bool, axes towards R, A, S, of the left and of the right; their grid."""
    voxels = to_canonical(structures.voxels, structures.geometry)
    left, right = (
        [n for n, name in structures.names.items() if name in names and side_of(name) == side]
        for side in (LEFT, RIGHT)
    )
    grid = structures.geometry.canonical()
    return np.isin(voxels, left), np.isin(voxels, right), grid


def _meetings(structures: LabelMap, names: set[str], most_mm: float) -> np.ndarray:
    """(N, 3) RAS+ mm: halfway between the sides in every row of voxels where they are near."""
    left, right, grid = _sides(structures, names)
    last_left = left.shape[0] - 1 - np.argmax(left[::-1], axis=0)
    first_right = np.argmax(right, axis=0)
    apart = np.abs(first_right - last_left) * grid.spacing[0]
    near = left.any(axis=0) & right.any(axis=0) & (apart <= most_mm)
    rows = np.argwhere(near)
    return grid.to_world(np.column_stack([(last_left + first_right)[near] / 2, rows]))


def _ends(structures: LabelMap) -> tuple[float, float]:
    """A coordinates, in mm, of the occipital and the frontal end of the cerebrum."""
    left, right, grid = _sides(structures, set(GROUPS["cerebrum"]))
    along = np.argwhere((left | right).any(axis=0))
    middle = np.full((len(along), 1), left.shape[0] / 2)
    places = grid.to_world(np.hstack([middle, along]))[:, 1]
    return float(places.min()), float(places.max())


def _is_cut(structures: LabelMap) -> bool:
    left, right, _ = _sides(structures, set(GROUPS["cerebrum"]))
    areas = np.count_nonzero(left | right, axis=(0, 2))
    return bool(max(areas[0], areas[-1]) > CUT_SHARE * areas.max())


def _third_ventricle(structures: LabelMap) -> np.ndarray | None:
    """(N, 3) RAS+ mm of its voxels; None if there are too few."""
    ids = [n for n, name in structures.names.items() if name == "third-ventricle"]
    points = structures.geometry.to_world(np.argwhere(np.isin(structures.voxels, ids)))
    return points if len(points) >= LEAST_THIRD_VENTRICLE else None


def _septum(structures: LabelMap, third: np.ndarray | None) -> np.ndarray | None:
    """(N, 3) RAS+ mm between the lateral ventricles around the foramen; None if too few."""
    ventricles = {"left-lateral-ventricle", "right-lateral-ventricle"}
    points = _meetings(structures, ventricles, SEPTUM_MM)
    if third is not None:
        front = third[:, 1].max()
        near = (points[:, 1] >= front - BEHIND_MM) & (points[:, 1] <= front + BEFORE_MM)
        points = points[near]
    return points if len(points) >= LEAST_MEETINGS else None
