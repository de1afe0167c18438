"""The structures the base network was trained to see, with FreeSurfer's ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right", "midline"]


@dataclass(frozen=True, slots=True)
class Structure:
    """One region that shares no voxel with its neighbours.

    Attributes:
        name: Canonical name; carries the side, e.g. `left-hippocampus`.
        index: FreeSurfer's id, and the voxel value in a dseg.
        kind: The name without its side, e.g. `hippocampus`.
        side: `left`, `right` or `midline`.
    """

    name: str
    index: int
    kind: str
    side: Side


BILATERAL = {
    "cerebral-white-matter": (2, 41),
    "cerebral-cortex": (3, 42),
    "lateral-ventricle": (4, 43),
    "inferior-lateral-ventricle": (5, 44),
    "cerebellar-white-matter": (7, 46),
    "cerebellar-cortex": (8, 47),
    "thalamus": (10, 49),
    "caudate": (11, 50),
    "putamen": (12, 51),
    "pallidum": (13, 52),
    "hippocampus": (17, 53),
    "amygdala": (18, 54),
    "accumbens": (26, 58),
    "ventral-diencephalon": (28, 60),
}
"""FreeSurfer's id on the left and on the right."""

MIDLINE = {"third-ventricle": 14, "fourth-ventricle": 15, "brainstem": 16, "csf": 24}
"""FreeSurfer's id; `csf` is the fluid around the brain, inside the skull."""


def _base_structures() -> tuple[Structure, ...]:
    found = [Structure(kind, index, kind, "midline") for kind, index in MIDLINE.items()]
    for kind, (left, right) in BILATERAL.items():
        found.append(Structure(f"left-{kind}", left, kind, "left"))
        found.append(Structure(f"right-{kind}", right, kind, "right"))
    return tuple(sorted(found, key=lambda structure: structure.index))


BASE_STRUCTURES: tuple[Structure, ...] = _base_structures()
"""All 32, by id. Their order is the order of the network's base targets."""

BASE_NAMES: tuple[str, ...] = tuple(structure.name for structure in BASE_STRUCTURES)
BASE_INDEX: dict[str, int] = {s.name: s.index for s in BASE_STRUCTURES}
KINDS: tuple[str, ...] = tuple(MIDLINE) + tuple(BILATERAL)
"""The 18 names without side: what is learnt once for both sides."""


def _both(*kinds: str) -> tuple[str, ...]:
    return tuple(s.name for s in BASE_STRUCTURES if s.kind in kinds)


VENTRICLE_KINDS = (
    "lateral-ventricle",
    "inferior-lateral-ventricle",
    "third-ventricle",
    "fourth-ventricle",
)

GROUPS: dict[str, tuple[str, ...]] = {
    "brain": tuple(name for name in BASE_NAMES if name != "csf"),
    "brain-mask": tuple(name for name in BASE_NAMES if name != "csf"),
    "intracranial": BASE_NAMES,
    "cerebrum": _both(
        *(
            kind
            for kind in BILATERAL
            if not kind.startswith("cerebellar") and kind != "ventral-diencephalon"
        ),
    ),
    "cerebellum": _both("cerebellar-white-matter", "cerebellar-cortex"),
    "ventricles": _both(*VENTRICLE_KINDS),
    "basal-ganglia": _both("caudate", "putamen", "pallidum", "accumbens"),
    "deep-gray-matter": _both("thalamus", "caudate", "putamen", "pallidum", "accumbens"),
    "gray-matter": _both(
        "cerebral-cortex",
        "cerebellar-cortex",
        "thalamus",
        "caudate",
        "putamen",
        "pallidum",
        "hippocampus",
        "amygdala",
        "accumbens",
    ),
    "white-matter": _both("cerebral-white-matter", "cerebellar-white-matter"),
}
"""Unions of base structures. `brain` holds the ventricles, not the fluid around it."""

CLOSED_MM: dict[str, float] = {"brain-mask": 5.0}
"""Groups whose union is closed by a ball of this radius, and its holes filled.

A brain mask, unlike the brain, holds the fluid in the sulci.
"""

LESIONS: tuple[str, ...] = (
    "lesion",
    "white-matter-hyperintensity",
    "ms-lesion",
    "tumor",
    "tumor-core",
    "enhancing-tumor",
    "edema",
    "infarct",
    "hemorrhage",
    "cyst",
    "metastasis",
    "meningioma",
    "resection-cavity",
    "necrosis",
)
"""Pathological regions of the vocabulary. May overlap structures and each other."""

VISIBLE_LESIONS: tuple[str, ...] = ("lesion", "tumor", "edema")
"""Those of `LESIONS` that the bundled weights were seen to find on real scans."""
