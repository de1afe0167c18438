"""Where a lesion lies in the sense of multiple sclerosis, and whether it crosses the midline.

| Site | Means |
|---|---|
| infratentorial | most of it lies in brainstem or cerebellum |
| periventricular | it touches a lateral ventricle |
| juxtacortical | it touches or lies in the cerebral cortex |
| deep | none of these: deep white or deep gray matter |

The first that holds is the site; a note says if a periventricular lesion touches the cortex,
too.

Source: McDonald criteria, Thompson et al., Lancet Neurology 2018; Filippi et al., Assessment
of lesions on magnetic resonance imaging in multiple sclerosis, Brain 2019, where both
contacts are direct ones, without white matter between.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage
from scipy.special import ndtr

from medprompt_cli.characterization.around import (
    SIDES,
    Box,
    box_around,
    check_grids,
    coded,
    inside,
    kind_of,
    labelled,
    nothing,
    points_of,
    side_of,
)
from medprompt_cli.characterization.landmarks import SEARCH_MM, landmarks_of
from medprompt_cli.domain.finding import NO, YES, Evidence, Finding
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask

SITE, CROSSING = "site", "midline-crossing"

INFRATENTORIAL, PERIVENTRICULAR = "infratentorial", "periventricular"
JUXTACORTICAL, DEEP = "juxtacortical", "deep"

INFRATENTORIAL_KINDS = frozenset(
    {"brainstem", "cerebellar-white-matter", "cerebellar-cortex", "fourth-ventricle"}
)
LATERAL_KINDS = frozenset({"lateral-ventricle", "inferior-lateral-ventricle"})
CORTEX_KINDS = frozenset({"cerebral-cortex"})

CONTACT_MM = 1.0
"""Two regions touch if the gap between their voxels is at most this: the masks of both end at
a voxel's border, and each may end one early. Own choice, of some voxel of usual scans."""

GAP_ERROR_MM = 0.5
"""Standard error of that gap. Own choice."""

CROSSING_MM = 3.0
"""A lesion crosses the midline if it reaches farther than this into the other hemisphere.
Less is within the error of where the hemispheres are told apart. Own choice."""

CROSSING_ERROR_MM = 1.5
"""Standard error of how far it reaches. Own choice."""

CELLS_AT_CORNER = 8


def site(lesion: Mask, structures: LabelMap) -> Finding:
    """`infratentorial`, `periventricular`, `juxtacortical` or `deep`.

    The probability follows the order of the table: of the share that lies below the tentorium
    and, for the rest, of the two gaps with `GAP_ERROR_MM`.

    Args:
        lesion: One instance.
        structures: Base structures.

    Raises:
        InputError: If they lie on different grids.
    """
    check_grids(lesion, structures)
    if not lesion.voxels.any():
        return nothing(lesion, SITE)
    found = inside(lesion, structures.voxels)
    below = coded(structures, found, lambda name: kind_of(name) in INFRATENTORIAL_KINDS)
    share = float(np.mean(below))
    ventricle = gap_mm(lesion, structures, LATERAL_KINDS)
    cortex = gap_mm(lesion, structures, CORTEX_KINDS)
    evidence = {"share-infratentorial": Evidence(100 * share, "%")}
    for name, gap in (("gap-to-ventricle", ventricle), ("gap-to-cortex", cortex)):
        if np.isfinite(gap):
            evidence[name] = Evidence(gap, "mm")
    at_ventricle, at_cortex = (
        float(ndtr((CONTACT_MM - gap) / GAP_ERROR_MM)) for gap in (ventricle, cortex)
    )
    value = _first(share, ventricle, cortex)
    chances = {
        INFRATENTORIAL: share,
        PERIVENTRICULAR: (1 - share) * at_ventricle,
        JUXTACORTICAL: (1 - share) * (1 - at_ventricle) * at_cortex,
        DEEP: (1 - share) * (1 - at_ventricle) * (1 - at_cortex),
    }
    both = value == PERIVENTRICULAR and cortex <= CONTACT_MM
    notes = ("It touches the cortex, too.",) if both else ()
    return Finding(lesion.region, SITE, value, chances[value], evidence=evidence, notes=notes)


def _first(share: float, ventricle: float, cortex: float) -> str:
    if share > 1 / 2:
        return INFRATENTORIAL
    if ventricle <= CONTACT_MM:
        return PERIVENTRICULAR
    return JUXTACORTICAL if cortex <= CONTACT_MM else DEEP


def midline_crossing(lesion: Mask, structures: LabelMap) -> Finding:
    """Whether a lesion crosses from one hemisphere into the other: `yes` or `no`.

    A voxel has the side of its structure or, if that has none, of the nearest that has. How
    far the lesion reaches across is the way from its farthest voxel on the smaller side to
    the hemisphere of the larger.

    Args:
        lesion: One instance.
        structures: Base structures; their names say the sides.

    Raises:
        InputError: If they lie on different grids.
    """
    check_grids(lesion, structures)
    if not lesion.voxels.any():
        return nothing(lesion, CROSSING)
    ways = _ways_to_sides(lesion, structures)
    if not np.isfinite(ways).any():
        note = f"No structure with a side lies within {SEARCH_MM:g} mm."
        return Finding.missing(lesion.region, CROSSING, "failed_qc", notes=(note,))
    on_right = ways[:, 1] < ways[:, 0]
    shares = {"left": 1 - float(np.mean(on_right)), "right": float(np.mean(on_right))}
    evidence = {f"share-{side}": Evidence(100 * s, "%") for side, s in shares.items()}
    larger = int(shares["right"] > shares["left"])
    across = ways[on_right != bool(larger), larger]
    reach = float(np.minimum(across, SEARCH_MM).max(initial=0.0))
    evidence["reach-across"] = Evidence(reach, "mm")
    crosses = float(ndtr((reach - CROSSING_MM) / CROSSING_ERROR_MM))
    value, probability = (YES, crosses) if crosses > 1 / 2 else (NO, 1 - crosses)
    return Finding(lesion.region, CROSSING, value, probability, evidence=evidence)


def gap_mm(lesion: Mask, structures: LabelMap, kinds: frozenset[str]) -> float:
    """The gap between a lesion and structures of some kinds; infinite beyond `SEARCH_MM`.

    Measured between the corners of their voxels, not the centres: 0 if they share a voxel, or
    if voxels of theirs share a face, an edge or a corner, however thick the slices are.
    """
    box = box_around(lesion, 0.0)
    own = lesion.voxels[box]
    if (labelled(structures, lambda name: kind_of(name) in kinds, box) & own).any():
        return 0.0

    def theirs() -> np.ndarray:
        whole = labelled(structures, lambda name: kind_of(name) in kinds)
        return _corners(whole, structures.geometry)

    ways = landmarks_of(structures).mm_to(kinds, _corners(own, lesion.geometry, box), theirs)
    return float(ways.min())


def _corners(voxels: np.ndarray, geometry: Geometry, box: Box | None = None) -> np.ndarray:
    """(N, 3) mm: corners of the voxels that are set, without those inside the region."""
    cells = np.zeros(np.add(voxels.shape, 1), dtype=np.int8)
    for shift in itertools.product((0, 1), repeat=3):
        at = tuple(slice(s, s + n) for s, n in zip(shift, voxels.shape, strict=True))
        cells[at] += voxels
    start = (np.zeros(3) if box is None else np.array([side.start for side in box])) - 0.5
    return geometry.to_world(np.argwhere((cells > 0) & (cells < CELLS_AT_CORNER)) + start)


def _ways_to_sides(lesion: Mask, structures: LabelMap) -> np.ndarray:
    """(N, 2) mm from voxels of the lesion to the nearest of the left, of the right."""
    box = box_around(lesion, 0.0)
    points = points_of(lesion.voxels[box], lesion.geometry, box)
    found = inside(lesion, structures.voxels)
    ways = np.full((len(found), len(SIDES)), np.inf)
    on = [
        coded(structures, found, lambda name, s=side: side_of(name) == s).astype(bool)
        for side in SIDES
    ]
    for place, side in enumerate(on):
        ways[side, place] = 0.0
        if side.all():  # as most lesions are: no need to search
            return ways
    for place, side in enumerate(SIDES):
        rest = ~on[place]
        ways[rest, place] = _ways_to_side(structures, points[rest], side)
    return ways


def _ways_to_side(structures: LabelMap, points: np.ndarray, side: str) -> np.ndarray:
    """(N,) mm from (N, 3) mm outside of a side's structures to the nearest of their voxels."""

    def theirs() -> np.ndarray:
        whole = labelled(structures, lambda name: side_of(name) == side)
        # whoever is outside meets their surface first
        return points_of(whole & ~ndimage.binary_erosion(whole), structures.geometry)

    return landmarks_of(structures).mm_to(side, points, theirs)
