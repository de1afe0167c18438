"""Which lobe and which arterial territory a lesion lies in.

A lobe of the vocabulary is its cortex, and most lesions lie in the white matter below. A voxel
there belongs to the lobe whose cortex is nearest, on its own side: within `NEAR_CORTEX_MM`
with insula and cingulate gyrus as lobes of their own; deeper, where nobody names white matter
after them, the insula is left out and the cingulate gyrus counts as frontal or parietal. Deep
gray matter, third and fourth ventricle, brainstem and cerebellum belong to no lobe.
Hippocampus, amygdala and what is not labelled, such as a tumor on the outside of the brain,
belong to the nearest; so do the lateral ventricles, as what dark lesions beside them are
labelled as.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from medprompt_cli.characterization.around import (
    SIDES,
    box_around,
    check_grids,
    coded,
    inside,
    kind_of,
    labelled,
    mm_between,
    nothing,
    points_of,
    side_of,
)
from medprompt_cli.characterization.landmarks import SEARCH_MM, landmarks_of, spread
from medprompt_cli.domain.finding import Evidence, Finding
from medprompt_cli.domain.parcels import LOBES, PARCELS
from medprompt_cli.domain.volume import LabelMap, Mask

LOBE, TERRITORY = "lobe", "territory"

NEAR_CORTEX_MM = 5.0
"""White matter within this of cortex is named after it. Source: FreeSurfer's wmparc; Salat et
al., Regional white matter volume differences, NeuroImage 2009."""

DEEP_LOBES: Mapping[str, tuple[str, ...]] = {
    "frontal-lobe": (
        *LOBES["frontal-lobe"],
        *("rostral-anterior-cingulate", "caudal-anterior-cingulate"),
    ),
    "parietal-lobe": (*LOBES["parietal-lobe"], "posterior-cingulate", "isthmus-cingulate"),
    "temporal-lobe": LOBES["temporal-lobe"],
    "occipital-lobe": LOBES["occipital-lobe"],
}
"""Parcel kinds whose lobe a deep voxel takes. Source: FreeSurfer's mapping of parcels to lobes
in the form that shares the cingulate gyrus out."""

OUTSIDE_KINDS = frozenset(
    {
        *("third-ventricle", "fourth-ventricle", "brainstem", "cerebellar-white-matter"),
        *("cerebellar-cortex", "thalamus", "caudate", "putamen", "pallidum", "accumbens"),
        "ventral-diencephalon",
    }
)
"""Structures that lie in no lobe."""

BORDER_ERROR_MM = 3.0
"""Standard error of where a border between lobes is drawn. Own choice, as no fissure marks
most of these borders in white matter."""

EVEN = 0.5
"""A lesion of which more than this lies outside of all lobes lies in none."""


def lobe(lesion: Mask, structures: LabelMap, parcels: LabelMap) -> Finding:
    """The lobe that most of a lesion's voxels belong to, e.g. `right-parietal-lobe`.

    The probability is that it keeps the lesion's median voxel, however the borders between
    lobes move by `BORDER_ERROR_MM`. What lies outside of the lobes has status `error`: the
    question has no answer there.

    Args:
        lesion: One instance, or all of a lesion.
        structures: Base structures; say which side and what is no lobe.
        parcels: Of the cortex, by the names of `domain/parcels.py`.

    Raises:
        InputError: If they lie on different grids.
    """
    check_grids(lesion, structures, parcels)
    if not lesion.voxels.any():
        return nothing(lesion, LOBE)
    ways = _ways(lesion, structures, parcels)
    known = np.isfinite(ways.min(axis=1))
    owner = np.where(known, np.argmin(ways, axis=1), len(LOBE_NAMES))
    shares = np.bincount(owner, minlength=len(LOBE_NAMES) + 1) / len(owner)
    evidence = _share_evidence(dict(zip((*LOBE_NAMES, "no-lobe"), shares, strict=True)))
    if shares[-1] > EVEN:
        note = "More than half of it lies in no lobe."
        return Finding.missing(lesion.region, LOBE, "error", evidence, (note,))
    most = int(np.argmax(shares[:-1]))
    margin = _margins(ways[known], most)
    evidence["median-margin"] = Evidence(float(np.median(margin)), "mm")
    # a border that moves by 1 mm takes 1 mm from one side and gives it to the other
    probability = float(ndtr(np.median(margin) / (2 * BORDER_ERROR_MM)))
    return Finding(lesion.region, LOBE, LOBE_NAMES[most], probability, evidence=evidence)


LOBE_NAMES: tuple[str, ...] = tuple(f"{side}-{name}" for name in LOBES for side in SIDES)
"""Every lobe with its side."""


def territory(lesion: Mask, territories: LabelMap | None) -> Finding:
    """The arterial territory that most of a lesion's voxels lie in.

    Args:
        lesion: One instance, or all of a lesion.
        territories: By the names of the vocabulary, e.g. `left-mca-territory`; None where
            the weights cannot see them, as the bundled ones cannot.

    Raises:
        InputError: If they lie on different grids.
    """
    if territories is None:
        note = "The weights do not see arterial territories."
        return Finding.missing(lesion.region, TERRITORY, "not_visible", notes=(note,))
    check_grids(lesion, territories)
    if not lesion.voxels.any():
        return nothing(lesion, TERRITORY)
    names = sorted(name for index, name in territories.names.items() if index)
    found = inside(lesion, territories.voxels)
    owner = coded(territories, found, lambda name: names.index(name) + 1)
    shares = np.bincount(owner, minlength=len(names) + 1) / len(owner)
    evidence = _share_evidence(dict(zip(("no-territory", *names), shares, strict=True)))
    if shares[0] > EVEN:
        note = "More than half of it lies in no territory."
        return Finding.missing(lesion.region, TERRITORY, "error", evidence, (note,))
    most = names[int(np.argmax(shares[1:]))]
    margin = _border_margin(lesion, territories, most)
    evidence["median-margin"] = Evidence(margin, "mm")
    probability = float(ndtr(margin / (2 * BORDER_ERROR_MM)))
    return Finding(lesion.region, TERRITORY, most, probability, evidence=evidence)


def _ways(lesion: Mask, structures: LabelMap, parcels: LabelMap) -> np.ndarray:
    """(N, lobes) mm from voxels of the lesion to the cortex of each lobe it may have."""
    box = box_around(lesion, 0.0)
    points = points_of(lesion.voxels[box], lesion.geometry, box)
    asked = spread(len(points))
    points, ids = points[asked], inside(lesion, structures.voxels)[asked]
    near, deep = (np.full((len(ids), len(LOBE_NAMES)), np.inf) for _ in range(2))
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        across = coded(structures, ids, lambda name, o=other: side_of(name) == o).astype(bool)
        for lobes, kinds in CELLS.items():
            ways = _ways_to(parcels, points[~across], side, kinds)
            for found, lobe_ in zip((near, deep), lobes, strict=True):
                if lobe_ is not None:
                    column = LOBE_NAMES.index(f"{side}-{lobe_}")
                    found[~across, column] = np.minimum(found[~across, column], ways)
    found = np.where(near.min(axis=1)[:, None] <= NEAR_CORTEX_MM, near, deep)
    outside = coded(structures, ids, lambda name: kind_of(name) in OUTSIDE_KINDS)
    found[outside.astype(bool)] = np.inf
    return found


def _lobe_of(kind: str, lobes: Mapping[str, tuple[str, ...]]) -> str | None:
    return next((name for name, kinds in lobes.items() if kind in kinds), None)


def _cells() -> dict[tuple[str | None, str | None], frozenset[str]]:
    cells: dict[tuple[str | None, str | None], frozenset[str]] = {}
    for kind in (kind for kinds in LOBES.values() for kind in kinds):
        lobes = _lobe_of(kind, LOBES), _lobe_of(kind, DEEP_LOBES)
        cells[lobes] = cells.get(lobes, frozenset()) | {kind}
    return cells


CELLS = _cells()
"""Parcel kinds by the lobe that near voxels and the lobe that deep voxels take from them: the
way to each is measured once for both."""


def _ways_to(
    parcels: LabelMap, points: np.ndarray, side: str, kinds: frozenset[str]
) -> np.ndarray:
    """(N,) mm from (N, 3) mm to the nearest voxel of some kinds of parcels of a side."""
    names = frozenset(p.name for p in PARCELS if p.side == side and p.kind in kinds)
    return landmarks_of(parcels).mm_to(
        (side, kinds),
        points,
        lambda: points_of(labelled(parcels, names.__contains__), parcels.geometry),
    )


def _margins(ways: np.ndarray, own: int) -> np.ndarray:
    """(N,) by how many mm the own lobe is nearer than the next, at most `SEARCH_MM`."""
    rest = np.delete(ways, own, axis=1).min(axis=1)
    capped = (np.minimum(way, SEARCH_MM) for way in (rest, ways[:, own]))
    return np.subtract(*capped)


def _border_margin(lesion: Mask, regions: LabelMap, own: str) -> float:
    """By how many mm a region is nearer to the lesion's median voxel than the next region."""
    box = box_around(lesion, SEARCH_MM)
    points = points_of(lesion.voxels[box], lesion.geometry, box)
    ways = [
        mm_between(points, points_of(labelled(regions, wanted, box), lesion.geometry, box))
        for wanted in (lambda name: name != own, lambda name: name == own)
    ]
    return float(np.median(np.subtract(*np.minimum(ways, SEARCH_MM))))


def _share_evidence(shares: Mapping[str, float]) -> dict[str, Evidence]:
    return {
        f"share-{name}": Evidence(100 * float(share), "%")
        for name, share in shares.items()
        if share
    }
