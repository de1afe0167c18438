"""Parcels: regions that divide a base structure without remainder.

Names, ids and borders follow one atlas, whose terms allow weights that learnt from it to
be passed on under Apache-2.0. Atlases with other terms have no part here.

| Atlas | Terms | Used |
|---|---|---|
| Mindboggle-101 joint fusion, OASIS-TRT-20, DKT31 + CMA (Klein 2016, doi:10.7910/DVN/XCCE9Q) | CC BY 4.0 | gyri, vermis |
| Digital 3D brain MRI arterial territories (Liu 2023) | CC BY-SA 4.0, as those who pass it on state it | no: share alike |
| Thalamic nuclei, HCP (Najdenovska 2018) | CC BY or CC BY-SA 4.0: those who pass it on disagree | no: unclear |
| Cerebellar lobules (Diedrichsen 2009), Harvard-Oxford, JHU, as FSL has them | non-commercial | no |

Source: the DKT protocol, Klein and Tourville, Frontiers in Neuroscience 2012.
"""  # noqa: E501 - a table row is one line

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medprompt_cli.domain.anatomy import Side

VISIBLE: bool = True
"""Whether the bundled weights can see parcels, and with them lobes."""

LAYERS: tuple[str, ...] = ("parcels",)
"""What a packed label map may carry beside its labels, one volume each. Regions that
overlap the parcels, such as arterial territories, would be a second layer."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One part of a base structure; shares no voxel with the other parts.

    Attributes:
        name: Canonical name; carries the side, e.g. `left-precentral`.
        index: FreeSurfer's id, or Mindboggle's where FreeSurfer has none.
        kind: The name without its side, e.g. `precentral`.
        side: `left`, `right` or `midline`.
        family: Key of `FAMILIES`: the parcels it divides its parent with.
    """

    name: str
    index: int
    kind: str
    side: Side
    family: str


FAMILIES: Mapping[str, tuple[str, ...]] = {
    "cortex": ("cerebral-cortex",),
    "cerebellum": ("cerebellar-cortex",),
}
"""Kinds of the base structures each family divides, every voxel of them."""

DKT31: Mapping[int, str] = {
    2: "caudal-anterior-cingulate",
    3: "caudal-middle-frontal",
    5: "cuneus",
    6: "entorhinal",
    7: "fusiform",
    8: "inferior-parietal",
    9: "inferior-temporal",
    10: "isthmus-cingulate",
    11: "lateral-occipital",
    12: "lateral-orbitofrontal",
    13: "lingual",
    14: "medial-orbitofrontal",
    15: "middle-temporal",
    16: "parahippocampal",
    17: "paracentral",
    18: "pars-opercularis",
    19: "pars-orbitalis",
    20: "pars-triangularis",
    21: "pericalcarine",
    22: "postcentral",
    23: "posterior-cingulate",
    24: "precentral",
    25: "precuneus",
    26: "rostral-anterior-cingulate",
    27: "rostral-middle-frontal",
    28: "superior-frontal",
    29: "superior-parietal",
    30: "superior-temporal",
    31: "supramarginal",
    34: "transverse-temporal",
    35: "insula",
}
"""Cortical parcels; FreeSurfer's id is 1000 more on the left and 2000 more on the right."""

HEMISPHERE = "cerebellar-hemisphere-cortex"
"""Cerebellar cortex that is not vermis."""

VERMIS: Mapping[int, str] = {
    630: "anterior-vermis",
    631: "superior-posterior-vermis",
    632: "inferior-posterior-vermis",
}
"""Vermal lobules I to V, VI and VII, VIII to X; on the midline, with Mindboggle's ids."""


_CORTEX_START: tuple[tuple[Side, int], ...] = (("left", 1000), ("right", 2000))
_EXTERIOR: tuple[tuple[Side, int], ...] = (("left", 6), ("right", 45))


def _parcels() -> tuple[Parcel, ...]:
    found = [
        Parcel(f"{side}-{kind}", start + index, kind, side, "cortex")
        for side, start in _CORTEX_START
        for index, kind in DKT31.items()
    ]
    found += [
        Parcel(f"{side}-{HEMISPHERE}", index, HEMISPHERE, side, "cerebellum")
        for side, index in _EXTERIOR
    ]
    return (
        *found,
        *(Parcel(kind, index, kind, "midline", "cerebellum") for index, kind in VERMIS.items()),
    )


PARCELS: tuple[Parcel, ...] = _parcels()
"""All 67: family by family. Their order is the order of the network's parcel targets."""

PARCEL_NAMES: tuple[str, ...] = tuple(parcel.name for parcel in PARCELS)
PARCEL_INDEX: Mapping[str, int] = {parcel.name: parcel.index for parcel in PARCELS}
PARCEL_KINDS: tuple[str, ...] = tuple(dict.fromkeys(parcel.kind for parcel in PARCELS))
"""The 35 names without side: what is learnt once for both sides."""


def mirror_of(name: str) -> str:
    """The parcel on the other side; itself on the midline.

    >>> mirror_of("left-insula"), mirror_of("anterior-vermis")
    ('right-insula', 'anterior-vermis')
    """
    side, _, kind = name.partition("-")
    other = {"left": "right", "right": "left"}.get(side)
    return f"{other}-{kind}" if other else name


LOBES: Mapping[str, tuple[str, ...]] = {
    "frontal-lobe": (
        *("superior-frontal", "rostral-middle-frontal", "caudal-middle-frontal"),
        *("pars-opercularis", "pars-triangularis", "pars-orbitalis"),
        *("lateral-orbitofrontal", "medial-orbitofrontal", "precentral", "paracentral"),
    ),
    "parietal-lobe": (
        *("superior-parietal", "inferior-parietal", "supramarginal"),
        *("postcentral", "precuneus"),
    ),
    "temporal-lobe": (
        *("superior-temporal", "middle-temporal", "inferior-temporal", "fusiform"),
        *("transverse-temporal", "entorhinal", "parahippocampal"),
    ),
    "occipital-lobe": ("lateral-occipital", "lingual", "cuneus", "pericalcarine"),
    "insula": ("insula",),
    "cingulate": (
        *("rostral-anterior-cingulate", "caudal-anterior-cingulate"),
        *("posterior-cingulate", "isthmus-cingulate"),
    ),
}
"""Parcel kinds of each lobe. A lobe is its cortex: white matter belongs to none.

Source: FreeSurfer's mapping of the Desikan-Killiany parcels to lobes, with the cingulate
kept apart.
"""

REGIONS: Mapping[str, tuple[str, ...]] = {
    "middle-frontal": ("rostral-middle-frontal", "caudal-middle-frontal"),
    "inferior-frontal": ("pars-opercularis", "pars-triangularis", "pars-orbitalis"),
    "orbitofrontal": ("lateral-orbitofrontal", "medial-orbitofrontal"),
    "anterior-cingulate": ("rostral-anterior-cingulate", "caudal-anterior-cingulate"),
    "vermis": tuple(VERMIS.values()),
}
"""Parcel kinds of regions that people name as one and the protocol cuts."""


def parcels_of(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Names of all parcels of these kinds, in the order of `PARCELS`."""
    return tuple(parcel.name for parcel in PARCELS if parcel.kind in kinds)
