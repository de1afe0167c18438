"""What a synthetic lesion is made of: names, truth, and look in every known contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.synthesis.classes import PAINT_CLASSES, PaintClass

OUTSIDE = "outside"
"""Ground of air, skull and ventricles: no lesion grows there."""

_KIND_GROUND = {
    "cerebral-white-matter": "white",
    "cerebral-cortex": "cortex",
    "hippocampus": "cortex",
    "amygdala": "cortex",
    "thalamus": "deep",
    "caudate": "deep",
    "putamen": "deep",
    "pallidum": "deep",
    "accumbens": "deep",
    "ventral-diencephalon": "stem",
    "brainstem": "stem",
    "cerebellar-white-matter": "cerebellar-white",
    "cerebellar-cortex": "cerebellar-cortex",
    "csf": "csf",
}
_FIFTH_VENTRICLE = 72
_STRUCTURE = {structure.index: structure for structure in BASE_STRUCTURES}


def _ground(paint: PaintClass) -> str:
    if paint.target == 0 or paint.index == _FIFTH_VENTRICLE:
        return OUTSIDE
    return _KIND_GROUND.get(_STRUCTURE[paint.target].kind, OUTSIDE)


def _compartment(paint: PaintClass) -> str:
    ground = _ground(paint)
    if ground in {OUTSIDE, "csf"}:
        return ground
    if ground.startswith("cerebellar"):
        return "cerebellum"
    side = _STRUCTURE[paint.target].side
    return "brainstem" if side == "midline" else side


GROUNDS: tuple[str, ...] = tuple(_ground(paint) for paint in PAINT_CLASSES)
"""Tissue a lesion grows in, for every class of `PAINT_CLASSES`."""

COMPARTMENTS: tuple[str, ...] = tuple(_compartment(paint) for paint in PAINT_CLASSES)
"""`left` or `right` hemisphere, `cerebellum`, `brainstem`, `csf` or `outside`."""

WHITE = frozenset({"white"})
WHITE_EVERYWHERE = frozenset({"white", "cerebellar-white", "stem"})
TISSUE = frozenset({"white", "cortex", "deep", "stem", "cerebellar-white", "cerebellar-cortex"})
TISSUE_AND_FLUID = TISSUE | {"csf"}

Range = tuple[float, float]


@dataclass(frozen=True)
class LesionPart:
    """One kind of abnormal tissue.

    Attributes:
        name: In kebab-case.
        targets: Members of `LESIONS` that hold it.
        undecided: Members of `LESIONS` that may or may not hold it: only the question
            tells, for the image looks the same.
        look: Lowest and highest mean intensity in every contrast of `CONTRASTS`, in
            their scale. Empty for no lesion.
        ground: Tissues, members of `GROUNDS`, it grows in.
        soft: Whether its border fades into the tissue around it.
    """

    name: str
    targets: frozenset[str]
    undecided: frozenset[str]
    look: Mapping[str, Range]
    ground: frozenset[str]
    soft: bool = False


def _look(*rows: Range) -> dict[str, Range]:
    return dict(zip(_LOOK_ORDER, rows, strict=True))


_LOOK_ORDER = ("t1", "t1c", "t2", "flair", "pd", "t2star", "dwi", "adc", "ct")

_DEMYELINATED = _look(
    (0.48, 0.68), (0.46, 0.66), (0.55, 0.85), (0.8, 1.1), (0.78, 0.98),
    (0.62, 0.82), (0.48, 0.65), (0.38, 0.55), (0.27, 0.33),
)  # fmt: skip
_BLACK_HOLE = _look(
    (0.22, 0.4), (0.22, 0.4), (0.75, 0.98), (0.62, 0.95), (0.75, 0.95),
    (0.72, 0.9), (0.3, 0.46), (0.55, 0.8), (0.22, 0.3),
)  # fmt: skip
_EDEMA = _look(
    (0.48, 0.66), (0.46, 0.64), (0.6, 0.85), (0.8, 1.05), (0.78, 1.0),
    (0.62, 0.85), (0.4, 0.56), (0.45, 0.65), (0.24, 0.32),
)  # fmt: skip
_ACUTE_INFARCT = _look(
    (0.48, 0.66), (0.46, 0.66), (0.58, 0.82), (0.75, 1.05), (0.78, 1.0),
    (0.6, 0.82), (0.95, 1.2), (0.1, 0.19), (0.25, 0.34),
)  # fmt: skip
_GLIOSIS = _look(
    (0.42, 0.64), (0.42, 0.64), (0.62, 0.85), (0.8, 1.05), (0.8, 1.0),
    (0.66, 0.85), (0.4, 0.55), (0.42, 0.62), (0.24, 0.32),
)  # fmt: skip
_FLUID = _look(
    (0.1, 0.24), (0.1, 0.24), (0.86, 1.05), (0.08, 0.28), (0.72, 0.9),
    (0.82, 1.0), (0.05, 0.16), (0.85, 1.1), (0.12, 0.22),
)  # fmt: skip
_SOLID_TUMOR = {
    "t1": (0.4, 0.58), "t2": (0.55, 0.82), "flair": (0.72, 1.0), "pd": (0.75, 0.98),
    "t2star": (0.5, 0.75), "dwi": (0.5, 0.8), "adc": (0.25, 0.48), "ct": (0.3, 0.5),
}  # fmt: skip
_NECROSIS = _look(
    (0.16, 0.36), (0.16, 0.36), (0.75, 1.0), (0.25, 0.6), (0.7, 0.92),
    (0.7, 0.92), (0.1, 0.35), (0.6, 0.95), (0.18, 0.3),
)  # fmt: skip
_MENINGIOMA = _look(
    (0.48, 0.62), (0.98, 1.2), (0.42, 0.68), (0.6, 0.9), (0.66, 0.85),
    (0.45, 0.65), (0.5, 0.75), (0.24, 0.36), (0.52, 0.7),
)  # fmt: skip
_ACUTE_BLOOD = _look(
    (0.42, 0.66), (0.42, 0.66), (0.1, 0.26), (0.18, 0.42), (0.25, 0.45),
    (0.02, 0.16), (0.1, 0.35), (0.12, 0.24), (0.75, 0.95),
)  # fmt: skip
_SUBACUTE_BLOOD = _look(
    (0.98, 1.2), (0.98, 1.2), (0.7, 1.0), (0.75, 1.1), (0.8, 1.05),
    (0.1, 0.7), (0.55, 1.1), (0.3, 0.6), (0.42, 0.62),
)  # fmt: skip
_ENHANCING = _SOLID_TUMOR | {"t1c": (0.98, 1.2)}
_NOT_ENHANCING = _SOLID_TUMOR | {"t1c": (0.4, 0.6)}


def _part(
    name: str,
    targets: str,
    look: Mapping[str, Range],
    ground: frozenset[str] = TISSUE,
    *,
    undecided: str = "",
    soft: bool = False,
) -> LesionPart:
    members = frozenset(["lesion", *targets.split()])
    return LesionPart(name, members, frozenset(undecided.split()), look, ground, soft)


_WMH, _MS = "white-matter-hyperintensity", "ms-lesion"
_CORE = "tumor tumor-core"
_RIM = "tumor tumor-core enhancing-tumor"

PARTS: tuple[LesionPart, ...] = (
    LesionPart("none", frozenset(), frozenset(), {}, frozenset()),
    _part("wmh", _WMH, _DEMYELINATED, WHITE, undecided=_MS, soft=True),
    _part("ms", _MS, _DEMYELINATED, WHITE_EVERYWHERE, undecided=_WMH),
    _part("ms-black-hole", _MS, _BLACK_HOLE, WHITE_EVERYWHERE, undecided=_WMH),
    _part("tumor-edema", "tumor edema", _EDEMA, soft=True),
    _part("hemorrhage-edema", "edema", _EDEMA, soft=True),
    _part("cavity-gliosis", "", _GLIOSIS, undecided=f"tumor edema {_WMH}", soft=True),
    _part("infarct-gliosis", "infarct", _GLIOSIS, undecided=_WMH, soft=True),
    _part("infarct-acute", "infarct", _ACUTE_INFARCT, undecided="edema", soft=True),
    _part("infarct-lacunar", "infarct", _ACUTE_INFARCT, undecided=f"edema {_WMH} {_MS}"),
    _part("infarct-chronic", "infarct", _FLUID, undecided="cyst resection-cavity"),
    _part("glioma-core", _CORE, _NOT_ENHANCING, soft=True),
    _part("glioma-enhancing", _RIM, _ENHANCING),
    _part("glioma-necrosis", f"{_CORE} necrosis", _NECROSIS, undecided="cyst"),
    _part("metastasis-enhancing", f"{_RIM} metastasis", _ENHANCING),
    _part("metastasis-necrosis", f"{_CORE} necrosis metastasis", _NECROSIS, undecided="cyst"),
    _part("meningioma", f"{_RIM} meningioma", _MENINGIOMA, TISSUE_AND_FLUID),
    _part("hemorrhage-acute", "hemorrhage", _ACUTE_BLOOD),
    _part("hemorrhage-subacute", "hemorrhage", _SUBACUTE_BLOOD),
    _part("cyst", "cyst", _FLUID, TISSUE_AND_FLUID, undecided="infarct resection-cavity"),
    _part("cavity", "resection-cavity", _FLUID, TISSUE_AND_FLUID, undecided="cyst infarct"),
)
"""All parts. Where two lesions meet, the part listed later takes the voxel.

`tumor` is the whole tumour of BraTS and holds its edema; `tumor-core` does not. The
edema of a hemorrhage is `edema` alone. A white-matter hyperintensity and an MS lesion
look alike, and so do fluid-filled cysts, cavities and old infarcts. An enhancing rim and
the tumour that does not enhance differ after a contrast agent only.
Source: Bakas et al., arXiv:1811.02629 (BraTS labels).
"""

PART_INDEX: dict[str, int] = {part.name: n for n, part in enumerate(PARTS)}
"""Voxel value of every part."""


def truth_table() -> torch.Tensor:
    """Which targets hold which part, (len(PARTS), len(LESIONS)) int8.

    1: the part belongs to the target; 0: it does not; -1: undecided.
    """
    table = torch.zeros(len(PARTS), len(LESIONS), dtype=torch.int8)
    for row, part in enumerate(PARTS):
        for column, target in enumerate(LESIONS):
            table[row, column] = (target in part.targets) - (target in part.undecided)
    return table


def ground_of(*names: str) -> torch.Tensor:
    """Which classes of `PAINT_CLASSES` are one of these grounds, (G,) bool."""
    return torch.tensor([ground in names for ground in GROUNDS])
