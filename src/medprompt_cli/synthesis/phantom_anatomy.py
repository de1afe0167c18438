"""Where the parts of a computed head lie, and how large they are.

Positions are typical adult ones in RAS+ mm, the origin near the anterior commissure.
Written by hand from general anatomy; no image or atlas is stored here. What is paired is
given for the right side and mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medprompt_cli.synthesis.shapes import Node

SKIN, FAT, MUSCLE, BONE, MARROW, AIR, CORD, EYE, CANAL = range(201, 210)
"""Tissues outside the brain; ids of our own, never written to a label map."""


@dataclass(frozen=True, slots=True)
class Ball:
    """An ellipsoid: centre and half axes in mm, turned `yaw` degrees about z."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    yaw: float = 0.0


@dataclass(frozen=True, slots=True)
class Path:
    """A tube through `nodes`, each x, y, z and radius in mm."""

    nodes: tuple[Node, ...]


CEREBRUM = Ball((0, -17, 14), (66, 85, 60.5))
TEMPORAL = Path(((44, 12, -26, 12), (49, -8, -22, 18), (50, -32, -14, 19), (44, -58, -4, 20)))
MEDIAL_TEMPORAL = Path(
    ((24, -2, -22, 10), (27, -18, -20, 10), (27, -34, -10, 9), (25, -45, -2, 8))
)
CEREBELLUM = Ball((23, -63, -36), (27, 27.5, 22))
VERMIS = Ball((0, -61, -29), (15, 24, 22))
BRAINSTEM = Path(
    (
        (5, -19, -7, 6),
        (4, -24, -14, 8.8),
        (3, -24, -26, 11.5),
        (1, -26, -34, 11.2),
        (0, -34, -46, 8.2),
        (0, -40, -62, 6),
    )
)
CORD_PATH = Path(((0, -41, -63, 6), (0, -48, -90, 5.5), (0, -51, -190, 5.5)))
CALLOSUM = Path(
    (
        (0, 14, -4, 2.5),
        (0, 25, 1, 3.2),
        (0, 29, 8, 4),
        (0, 24, 18, 3.4),
        (0, 10, 25, 2.8),
        (0, -10, 28, 2.6),
        (0, -26, 25, 2.8),
        (0, -36, 18, 3.6),
        (0, -40, 11, 4.4),
    )
)
CALLOSUM_HALF_WIDTH_MM = 14.0
CORE = Ball((0, -4, 7), (32, 34, 23))
"""No cortex and no sulci in here: nuclei, ventricles, the crossing fibres."""

SYLVIAN = Path(((0, 20, -11, 1.6), (0, 4, -6, 1.6), (0, -16, 3, 1.4), (0, -36, 13, 1)))
"""The fissure, seen from the side; it runs inwards as far as the insula."""
INSULA = Ball((38, 1, 0), (1.2, 20, 13))
SYLVIAN_BOX = (np.array([33, -44, -26]), np.array([90, 30, 24]))
"""Nothing farther than a cortex's thickness from the fissure lies outside of it."""
PEDUNCLE = Path(((9, -31, -31, 6), (18, -46, -36, 6)))

NUCLEI: dict[str, tuple[Ball | Path, ...]] = {
    "ventral-diencephalon": (
        Ball((10.5, -14, -7.5), (10.5, 11.5, 8), -25),
        Path(((3, 0, -8, 3.5), (4, -8, -9, 5.5))),
    ),
    "thalamus": (Ball((11.5, -18, 7), (8.9, 16.8, 10.4), 28),),
    "putamen": (Ball((26, 2, 2), (6.0, 16.5, 11.5), 10),),
    "pallidum": (Ball((20.6, -3.5, -1), (4.2, 10.5, 7.4), 22),),
    "accumbens": (Ball((9.6, 12, -7), (4.6, 5.4, 4.4), -15),),
    "caudate": (
        Path(
            (
                (11.5, 17, -2, 5),
                (13, 16, 7, 5.8),
                (14.5, 8, 15, 4.8),
                (16.5, -3, 20, 3.5),
                (19, -15, 22, 2.7),
                (23.5, -26, 19, 2.1),
                (29, -33, 9, 1.6),
            )
        ),
    ),
    "amygdala": (Ball((23, -4, -19.5), (7, 6.8, 6.8)),),
}
"""Deep grey structures, first drawn first; a later one takes voxels of an earlier."""

HIPPOCAMPUS = Path(
    (
        (22, -12, -20.5, 6.3),
        (27, -16, -19, 6.5),
        (28.5, -24, -15, 5.6),
        (28, -31, -9, 5),
        (24.5, -37, -2, 4),
        (19, -39, 4, 2.6),
    )
)

LATERAL_VENTRICLE = Path(
    (
        (11, 34, 4, 1.6),
        (9.5, 28, 9, 4.2),
        (8, 20, 13, 5.2),
        (7.5, 8, 18, 5),
        (9.5, -6, 21, 4.6),
        (14, -20, 22, 5),
        (21, -32, 18, 6.2),
        (26, -40, 9, 6),
        (25, -52, 6, 4.2),
        (23, -66, 5, 1.6),
    )
)
ATRIUM = Path(((26, -38, 8, 5), (33, -36, -2, 3)))
TEMPORAL_HORN = Path(
    ((34, -36, -4, 3.2), (35.5, -27, -11, 2.8), (34.5, -16, -17, 2.6), (30, -8, -21, 2.8))
)
THIRD_VENTRICLE = Ball((0, -10, -2), (2.4, 14, 11))
FOURTH_VENTRICLE = Path(
    (
        (0, -35, -14, 1.2),
        (0, -36, -22, 1.8),
        (0, -40, -31, 5.2),
        (0, -42, -38, 5),
        (0, -43, -50, 1),
    )
)

FACE = Ball((0, 40, -54), (62, 54, 64))
JAW = Ball((0, 52, -96), (46, 42, 34))
NOSE = Path(((0, 84, -34, 6), (0, 104, -58, 11)))
NECK = Path(((0, -32, -70, 58), (0, -38, -190, 60)))
EYES = Ball((31, 62, -34), (12, 12, 12))
NASAL_CAVITY = Ball((0, 66, -56), (13, 30, 24))
MAXILLARY_SINUS = Ball((27, 62, -56), (12, 14, 15))
SPHENOID_SINUS = Ball((0, 26, -36), (13, 13, 9))
FRONTAL_SINUS = Ball((0, 78, -14), (16, 5, 10))
PHARYNX = Path(((0, 22, -62, 9), (0, 18, -120, 8)))
SPINE = Path(((0, -30, -82, 17), (0, -34, -190, 17)))
SPINE_MARROW = Path(((0, -27, -82, 11), (0, -30, -190, 11)))
CANAL_PATH = Path(((0, -40, -58, 9), (0, -48, -90, 8.5), (0, -51, -190, 8.5)))

LESIONS: tuple[Ball, ...] = (
    Ball((25, 22, 20), (5.5, 8.5, 6)),
    Ball((-30, -32, 26), (3.6, 5.2, 3.6)),
    Ball((34, -20, 30), (2.6, 3.4, 3)),
    Ball((-26, 20, 24), (3.4, 4.4, 3.6)),
)
"""White-matter lesions: the first grows from visit to visit, the second goes, the third stays,
and the last is new."""

LATER = "lesion-4"
"""Not there unless it is asked for."""

FACE_AND_NECK: tuple[tuple[Ball | Path, int], ...] = (
    (EYES, EYE),
    (NASAL_CAVITY, AIR),
    (MAXILLARY_SINUS, AIR),
    (SPHENOID_SINUS, AIR),
    (FRONTAL_SINUS, AIR),
    (PHARYNX, AIR),
    (SPINE, BONE),
    (SPINE_MARROW, MARROW),
)
SPINAL_CANAL: tuple[tuple[Path, int], ...] = ((CANAL_PATH, CANAL), (CORD_PATH, CORD))
"""What is drawn in turn outside the brain; a later part takes voxels of an earlier one."""
