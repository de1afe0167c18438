"""Everything in a computed head that does not change from visit to visit."""

from __future__ import annotations

import numpy as np

from medprompt_cli.domain.anatomy import BILATERAL, MIDLINE
from medprompt_cli.synthesis import phantom_anatomy as parts
from medprompt_cli.synthesis.phantom_anatomy import Ball, Path
from medprompt_cli.synthesis.phantom_frame import Region, distance
from medprompt_cli.synthesis.shapes import Ripples, box_of, inside_box

CORTEX_MM = 2.4
"""Thickness of the cortical ribbon: a typical adult mean."""

SULCUS_DEPTH_MM = 18.0
FISSURE_MM = 1.0
"""Half the gap between the hemispheres."""

DURA_MM, SKULL_MM = 2.2, 8.5
"""Outer faces of the fluid and the bone, in mm outside the brain."""

MARROW_MM, FAT_MM, SKIN_MM = 2.4, 6.0, 2.0
"""Thickness of the marrow inside the bone; depths of fat and skin under the surface."""

FAT_BETWEEN_MUSCLES = 1.3
"""Standard deviations of the grain above which there is fat: a tenth of the muscle."""


def draw_tissues(region: Region, folds: Ripples, grain: Ripples) -> np.ndarray:
    """Tissue ids, (N,) uint8, of the voxels of `region`."""
    tissue = np.empty(len(region.index), np.uint8)
    outside = np.flatnonzero(region.brain >= DURA_MM)
    inside = np.flatnonzero(region.brain < DURA_MM)
    tissue[outside] = _around_the_brain(region.take(outside), grain)
    tissue[inside] = _Brain(region.take(inside)).draw(folds)
    return tissue


def within(points: np.ndarray, solid: Ball | Path) -> np.ndarray:
    """Indices, (M,), of the points, (3, N), inside a part of the anatomy."""
    near = inside_box(points, *_box(solid))
    return near[distance(points[:, near], solid) < 0]


def _box(solid: Ball | Path) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(solid, Path):
        return box_of(solid.nodes, 0)
    reach = np.array(solid.radii)
    if solid.yaw:
        reach[:2] = max(reach[:2])
    return solid.centre - reach, solid.centre + reach


def _around_the_brain(region: Region, grain: Ripples) -> np.ndarray:
    """Tissue ids, (N,), outside of the dura: bone, scalp, face and neck."""
    tissue = np.full(len(region.index), parts.MUSCLE, np.uint8)
    deep = np.flatnonzero((region.outline < -FAT_MM) & (region.brain > SKULL_MM))
    tissue[region.outline > -FAT_MM] = parts.FAT
    tissue[deep[grain(region.points[:, deep]) > FAT_BETWEEN_MUSCLES]] = parts.FAT
    tissue[region.outline > -SKIN_MM] = parts.SKIN
    for solid, value in parts.FACE_AND_NECK:
        tissue[within(region.mirrored, solid)] = value
    tissue[region.brain < SKULL_MM] = parts.BONE
    tissue[np.abs(region.brain - (DURA_MM + SKULL_MM) / 2) < MARROW_MM / 2] = parts.MARROW
    for solid, value in parts.SPINAL_CANAL:
        tissue[within(region.mirrored, solid)] = value
    return tissue


class _Brain:
    """Draws what lies within the dura, part after part."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.right = region.points[0] >= 0
        self.tissue = np.full(len(region.index), MIDLINE["csf"], np.uint8)

    def draw(self, folds: Ripples) -> np.ndarray:
        """Tissue ids, (N,); a later part takes voxels of an earlier one."""
        self._cerebrum(folds)
        self._cerebellum()
        for kind, solids in parts.NUCLEI.items():
            for solid in solids:
                self._fill(kind, within(self.region.mirrored, solid))
        self._temporal_horn()
        self._fill_midline("third-ventricle", parts.THIRD_VENTRICLE)
        self.tissue[self.region.brainstem < 0] = MIDLINE["brainstem"]
        self._fill_midline("fourth-ventricle", parts.FOURTH_VENTRICLE)
        return self.tissue

    def _fill(self, kind: str, index: np.ndarray) -> None:
        left, right = BILATERAL[kind]
        self.tissue[index] = np.where(self.right[index], right, left)

    def _fill_midline(self, kind: str, solid: Ball | Path) -> None:
        self.tissue[within(self.region.mirrored, solid)] = MIDLINE[kind]

    def _cerebrum(self, folds: Ripples) -> None:
        """White matter, and a ribbon of cortex along the folded surface."""
        here = np.flatnonzero(self.region.cerebrum < 0)
        region = self.region.take(here)
        core = distance(region.mirrored, parts.CORE)
        depth = -np.maximum(region.cerebrum, FISSURE_MM - region.mirrored[0])
        surface = np.maximum(-depth, -np.maximum(_sulci(region, depth, folds), 2 - core))
        white = (surface < -CORTEX_MM) | (core < 0)
        bundle = region.mirrored.copy()
        bundle[0] = np.maximum(bundle[0] - parts.CALLOSUM_HALF_WIDTH_MM, 0)
        white[within(bundle, parts.CALLOSUM)] = True
        self._fill("cerebral-cortex", here[(surface < 0) & ~white])
        self._fill("cerebral-white-matter", here[white])

    def _cerebellum(self) -> None:
        """Cortex in leaves, fissures between them, and the white tree inside."""
        here = np.flatnonzero(self.region.cerebellum < 0)
        region = self.region.take(here)
        _, y, z = region.mirrored
        fan = np.arctan2(z + 36, -(y + 40)) * 26
        leaf = np.cos(fan + 0.05 * region.points[0])
        hull = region.cerebellum
        self._fill("cerebellar-cortex", here[hull < -1.2 * np.maximum(leaf - 0.3, 0)])
        self._fill("cerebellar-white-matter", here[hull + 9.5 - 3.5 * leaf < 0])
        self._fill("cerebellar-white-matter", within(self.region.mirrored, parts.PEDUNCLE))

    def _temporal_horn(self) -> None:
        horn = within(self.region.mirrored, parts.TEMPORAL_HORN)
        ground = (*BILATERAL["cerebral-white-matter"], *BILATERAL["cerebral-cortex"])
        self._fill("inferior-lateral-ventricle", horn[np.isin(self.tissue[horn], ground)])


def _sulci(region: Region, depth: np.ndarray, folds: Ripples) -> np.ndarray:
    """Distance, (N,) mm, to the fluid in the sulci, the Sylvian fissure included."""
    sulcus = np.full(len(depth), SULCUS_DEPTH_MM, np.float32)
    near = np.flatnonzero(depth < SULCUS_DEPTH_MM + CORTEX_MM)
    shallow = SULCUS_DEPTH_MM - depth[near]
    sheet = folds.sheet_distance(region.points[:, near]) - (0.25 + 0.035 * shallow)
    sulcus[near] = np.maximum(sheet, -shallow)
    near = inside_box(region.mirrored, *parts.SYLVIAN_BOX)
    mirrored = region.mirrored[:, near]
    flat = mirrored * np.array([[0], [1], [1]], np.float32)
    fissure = np.maximum(distance(flat, parts.SYLVIAN), parts.INSULA.centre[0] - mirrored[0])
    fissure = np.minimum(fissure, distance(mirrored, parts.INSULA))
    sulcus[near] = np.minimum(sulcus[near], fissure)
    return sulcus
