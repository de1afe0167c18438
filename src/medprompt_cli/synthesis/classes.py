"""Label ids of whole-head maps: what each is, and how it looks in a known contrast.

Ids are FreeSurfer's, with the additions of SynthSeg's training maps: 5xx lie
outside the brain. A map with an id outside this table is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from medprompt_cli.domain.anatomy import BASE_STRUCTURES


@dataclass(frozen=True, slots=True)
class PaintClass:
    """One label of the maps images are painted from.

    Attributes:
        index: Id in the label map.
        target: Id of the base structure it counts as; 0 for none.
        mirror: Id of the same thing on the other side; itself if there is none.
        tissue: Group that shares an intensity in most contrasts.
    """

    index: int
    target: int
    mirror: int
    tissue: str


_TISSUE_OF_KIND = {
    "cerebral-white-matter": "white",
    "cerebellar-white-matter": "white",
    "cerebral-cortex": "gray",
    "cerebellar-cortex": "gray",
    "hippocampus": "gray",
    "amygdala": "gray",
    "accumbens": "deep",
    "caudate": "deep",
    "putamen": "deep",
    "thalamus": "thalamus",
    "pallidum": "pallidum",
    "ventral-diencephalon": "stem",
    "brainstem": "stem",
}

_EXTRA = (
    PaintClass(0, 0, 0, "air"),
    PaintClass(25, 2, 57, "lesion"),
    PaintClass(57, 41, 25, "lesion"),
    PaintClass(30, 2, 62, "fluid"),
    PaintClass(62, 41, 30, "fluid"),
    PaintClass(72, 24, 72, "fluid"),
    PaintClass(85, 0, 85, "white"),
    PaintClass(136, 4, 163, "choroid"),
    PaintClass(163, 43, 136, "choroid"),
    PaintClass(137, 5, 164, "choroid"),
    PaintClass(164, 44, 137, "choroid"),
    PaintClass(502, 0, 502, "soft"),
    PaintClass(506, 0, 506, "eye"),
    PaintClass(507, 0, 507, "soft"),
    PaintClass(508, 0, 508, "soft"),
    PaintClass(509, 0, 509, "air"),
    PaintClass(511, 0, 511, "fat"),
    PaintClass(512, 0, 512, "stem"),
    PaintClass(514, 0, 514, "soft"),
    PaintClass(515, 0, 515, "bone"),
    PaintClass(516, 0, 516, "fat"),
    PaintClass(530, 0, 530, "soft"),
)


def _paint_classes() -> tuple[PaintClass, ...]:
    by_place = {(s.kind, s.side): s.index for s in BASE_STRUCTURES}
    other = {"left": "right", "right": "left", "midline": "midline"}
    classes = list(_EXTRA)
    for s in BASE_STRUCTURES:
        mirror = by_place[s.kind, other[s.side]]
        tissue = _TISSUE_OF_KIND.get(s.kind, "fluid")
        classes.append(PaintClass(s.index, s.index, mirror, tissue))
    return tuple(sorted(classes, key=lambda c: c.index))


PAINT_CLASSES: tuple[PaintClass, ...] = _paint_classes()
"""All classes, by id. Packed label maps hold positions in this tuple."""

TISSUES: tuple[str, ...] = tuple(sorted({c.tissue for c in PAINT_CLASSES}))

CONTRASTS: dict[str, dict[str, float]] = {
    "t1": {
        "white": 0.85, "gray": 0.55, "deep": 0.6, "thalamus": 0.68, "pallidum": 0.76,
        "stem": 0.8, "fluid": 0.12, "choroid": 0.35, "lesion": 0.6, "air": 0.02,
        "bone": 0.12, "fat": 0.95, "soft": 0.45, "eye": 0.2,
    },
    "t2": {
        "white": 0.3, "gray": 0.48, "deep": 0.42, "thalamus": 0.4, "pallidum": 0.25,
        "stem": 0.33, "fluid": 0.95, "choroid": 0.7, "lesion": 0.6, "air": 0.02,
        "bone": 0.08, "fat": 0.6, "soft": 0.3, "eye": 0.9,
    },
    "flair": {
        "white": 0.5, "gray": 0.68, "deep": 0.6, "thalamus": 0.58, "pallidum": 0.45,
        "stem": 0.52, "fluid": 0.1, "choroid": 0.45, "lesion": 0.9, "air": 0.02,
        "bone": 0.1, "fat": 0.7, "soft": 0.4, "eye": 0.2,
    },
    "ct": {
        "white": 0.38, "gray": 0.48, "deep": 0.48, "thalamus": 0.47, "pallidum": 0.47,
        "stem": 0.41, "fluid": 0.17, "choroid": 0.5, "lesion": 0.3, "air": 0.0,
        "bone": 1.0, "fat": 0.0, "soft": 0.55, "eye": 0.25,
    },
    "t1c": {
        "white": 0.8, "gray": 0.54, "deep": 0.58, "thalamus": 0.65, "pallidum": 0.72,
        "stem": 0.76, "fluid": 0.12, "choroid": 0.9, "lesion": 0.58, "air": 0.02,
        "bone": 0.2, "fat": 0.95, "soft": 0.7, "eye": 0.25,
    },
    "dwi": {
        "white": 0.42, "gray": 0.5, "deep": 0.46, "thalamus": 0.46, "pallidum": 0.3,
        "stem": 0.46, "fluid": 0.08, "choroid": 0.2, "lesion": 0.52, "air": 0.02,
        "bone": 0.03, "fat": 0.08, "soft": 0.14, "eye": 0.08,
    },
    "adc": {
        "white": 0.28, "gray": 0.32, "deep": 0.28, "thalamus": 0.29, "pallidum": 0.27,
        "stem": 0.28, "fluid": 1.0, "choroid": 0.7, "lesion": 0.42, "air": 0.02,
        "bone": 0.05, "fat": 0.05, "soft": 0.4, "eye": 0.95,
    },
    "pd": {
        "white": 0.55, "gray": 0.72, "deep": 0.66, "thalamus": 0.64, "pallidum": 0.52,
        "stem": 0.58, "fluid": 0.78, "choroid": 0.76, "lesion": 0.85, "air": 0.02,
        "bone": 0.1, "fat": 0.75, "soft": 0.5, "eye": 0.76,
    },
    "t2star": {
        "white": 0.48, "gray": 0.58, "deep": 0.48, "thalamus": 0.5, "pallidum": 0.28,
        "stem": 0.48, "fluid": 0.9, "choroid": 0.6, "lesion": 0.68, "air": 0.02,
        "bone": 0.08, "fat": 0.5, "soft": 0.4, "eye": 0.85,
    },
}  # fmt: skip
"""Typical tissue intensities, 0 to 1, after the network's own normalisation.

`t1c` is T1 after a contrast agent, `dwi` the diffusion-weighted image at b = 1000 s/mm2,
`ct` a window of -10 to 90 HU.
"""
