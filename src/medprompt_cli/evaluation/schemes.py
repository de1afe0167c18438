"""What the numbers of other people's label maps mean in our words.

A scheme takes ids to base structures, or to the brain without saying where: for parts that
have no side (corpus callosum, vermis) or no counterpart (optic chiasm). Such voxels count
as brain, and are left out, in both maps, when structures are scored. Or it says of which
ids a region is the union: lesions, which may lie in each other, and parcels and lobes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medprompt_cli.bids.problems import Problem
from medprompt_cli.bids.tables import Row, read_table
from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_NAMES, BILATERAL, LESIONS
from medprompt_cli.domain.parcels import DKT31, LOBES
from medprompt_cli.errors import InputError, UsageError

BRAIN = "brain"
"""In a scheme: part of the brain, but of no base structure."""

CLASS_OF = {name: number for number, name in enumerate(BASE_NAMES, start=1)} | {
    BRAIN: len(BASE_NAMES) + 1
}
"""What is counted: 0 is everything else, then the base structures, then BRAIN."""

CLASSES = len(CLASS_OF) + 1

UNKNOWN_SHARE = 0.2
"""Of labelled voxels with ids that a scheme does not know: above, the map is of another."""

SHOWN_IDS = 5
"""So many unknown ids are named, those with most voxels first."""


@dataclass(frozen=True)
class Scheme:
    """The meaning of a label map's numbers.

    Attributes:
        name: As it is asked for.
        ids: Name of a base structure, or BRAIN, by id; other ids are background.
        notes: By kind of structure, why its score has to be read with care.
        outside: Ids that such maps hold outside the brain. None if any other id may be:
            then nothing tells a map of another scheme.
        regions: By name of a lesion, parcel or lobe, the ids it is the union of; None
            stands for every id above 0.
    """

    name: str
    ids: Mapping[int, str]
    notes: Mapping[str, str] = field(default_factory=dict)
    outside: frozenset[int] | None = None
    regions: Mapping[str, frozenset[int] | None] = field(default_factory=dict)

    def classes(self, labels: np.ndarray) -> np.ndarray:
        """The class, (I, J, K) uint8 of CLASS_OF, of every voxel."""
        largest = max(self.ids, default=0)
        table = np.zeros(largest + 2, np.uint8)
        for label, name in self.ids.items():
            table[label] = CLASS_OF[name]
        limit = min(largest + 1, int(np.iinfo(labels.dtype).max))
        return table[np.minimum(labels, limit)]

    def region(self, labels: np.ndarray, name: str) -> np.ndarray:
        """The voxels, (I, J, K) bool, of one of `regions`."""
        ids = self.regions[name]
        if ids is None:
            return labels > 0
        if len(ids) == 1:
            return labels == next(iter(ids))  # far faster, and parcels are many
        return np.isin(labels, list(ids))

    def check(self, labels: np.ndarray, name: str) -> None:
        """Raise unless a label map, (I, J, K), can be one of this scheme.

        Args:
            labels: The ids.
            name: What to call it in a message, such as its path.

        Raises:
            InputError: If more than UNKNOWN_SHARE of its labelled voxels have ids that
                the scheme does not know.
        """
        if self.outside is None:
            return
        ids, counts = np.unique(labels[labels > 0], return_counts=True)
        unions = (label for union in self.regions.values() for label in union or ())
        unknown = ~np.isin(ids, [*self.ids, *self.outside, *unions])
        share = counts[unknown].sum() / max(1, counts.sum())
        if share <= UNKNOWN_SHARE:
            return
        most = ids[unknown][np.argsort(-counts[unknown], kind="stable")][:SHOWN_IDS]
        listed = ", ".join(str(label) for label in most)
        raise InputError(
            f"{name} is no {self.name} label map: {share:.0%} of its labelled voxels have ids "
            f"that are unknown there, such as {listed}.",
            remedy=f"Name the scheme of the truth: {CHOICES}.",
            code="wrong-scheme",
        )


def _sided(pairs: Mapping[str, tuple[int, int]]) -> dict[int, str]:
    found = {}
    for kind, (left, right) in pairs.items():
        found[left], found[right] = f"left-{kind}", f"right-{kind}"
    return found


def _every(numbers: range, name: str) -> dict[int, str]:
    return dict.fromkeys(numbers, name)


OWN = {index: name for name, index in BASE_INDEX.items()}

FREESURFER_IDS: dict[int, str] = {
    **_every(range(1000, 1036), "left-cerebral-cortex"),
    **_every(range(2000, 2036), "right-cerebral-cortex"),
    **_every(range(11101, 11176), "left-cerebral-cortex"),
    **_every(range(12101, 12176), "right-cerebral-cortex"),
    **_every(range(3001, 3036), "left-cerebral-white-matter"),
    **_every(range(4001, 4036), "right-cerebral-white-matter"),
    **_sided(
        {
            "cerebral-white-matter": (78, 79),
            "lateral-ventricle": (31, 63),
        }
    ),
    **{5001: "left-cerebral-white-matter", 5002: "right-cerebral-white-matter"},
    **{25: "left-cerebral-white-matter", 57: "right-cerebral-white-matter"},
    **{136: "left-lateral-ventricle", 137: "left-inferior-lateral-ventricle"},
    **{163: "right-lateral-ventricle", 164: "right-inferior-lateral-ventricle"},
    **dict.fromkeys((30, 62, 72, 77, 80, 81, 82, 85, 1004, 2004), BRAIN),
    **_every(range(251, 256), BRAIN),
    **OWN,
}
"""aseg, aparc+aseg, wmparc and SynthSeg's training maps. Source: FreeSurferColorLUT.txt;
25, 57, 136, 137, 163 and 164 as SynthSeg's training maps use them."""

NEUROMORPHOMETRICS_PAIRS: dict[str, tuple[int, int]] = {
    "accumbens": (30, 23),
    "amygdala": (32, 31),
    "caudate": (37, 36),
    "cerebellar-cortex": (39, 38),
    "cerebellar-white-matter": (41, 40),
    "cerebral-white-matter": (45, 44),
    "hippocampus": (48, 47),
    "inferior-lateral-ventricle": (50, 49),
    "lateral-ventricle": (52, 51),
    "pallidum": (56, 55),
    "putamen": (58, 57),
    "thalamus": (60, 59),
    "ventral-diencephalon": (62, 61),
}
"""Left and right, unlike the tables of the atlas, which put right first."""

NEUROMORPHOMETRICS_IDS: dict[int, str] = {
    **{4: "third-ventricle", 11: "fourth-ventricle", 35: "brainstem", 46: "csf"},
    **_sided(NEUROMORPHOMETRICS_PAIRS),
    **_every(range(100, 208, 2), "right-cerebral-cortex"),
    **_every(range(101, 208, 2), "left-cerebral-cortex"),
    **dict.fromkeys((15, 63, 64, 69, 71, 72, 73, 75, 76), BRAIN),
}
"""General segmentation and cortical parcels of Neuromorphometrics, Inc."""

FREESURFER_OUTSIDE = frozenset((118, 165, 257, 258, 259, *range(500, 600)))
"""Meninges, skull, fluid, skin and other tissue of a whole head; from 500 on as SynthSeg's
training maps number it."""

ANOTHER_RULE = "drawn by another rule than FreeSurfer's"

SCHEMES: dict[str, Scheme] = {
    "medprompt": Scheme("medprompt", OWN, outside=frozenset()),
    "freesurfer": Scheme(
        "freesurfer",
        FREESURFER_IDS,
        {"csf": "an aseg holds only a few mL of the fluid around the brain"},
        FREESURFER_OUTSIDE,
    ),
    "synthseg": Scheme("synthseg", FREESURFER_IDS, outside=FREESURFER_OUTSIDE),
    "neuromorphometrics": Scheme(
        "neuromorphometrics",
        NEUROMORPHOMETRICS_IDS,
        {
            "cerebral-white-matter": ANOTHER_RULE,
            "cerebellar-white-matter": ANOTHER_RULE,
            "cerebellar-cortex": "the vermis has no side there and is left out",
            "ventral-diencephalon": ANOTHER_RULE,
            "csf": "only a few mL of the fluid around the brain are drawn there",
        },
        frozenset((42, 43)),
    ),
}


def _dkt() -> Scheme:
    sides = (("left", 1000), ("right", 2000))
    numbers = {kind: number for number, kind in DKT31.items()}
    regions = {
        f"{side}-{name}": frozenset(start + numbers[kind] for kind in kinds)
        for side, start in sides
        for name, kinds in (*((kind, (kind,)) for kind in numbers), *LOBES.items())
    }
    known = frozenset(FREESURFER_IDS) | FREESURFER_OUTSIDE
    return Scheme("dkt", {}, outside=known, regions=regions)


BRATS2013 = {
    "lesion": frozenset({1, 2, 3, 4}),
    "tumor": frozenset({1, 2, 3, 4}),
    "tumor-core": frozenset({1, 3, 4}),
    "enhancing-tumor": frozenset({4}),
    "edema": frozenset({2}),
    "necrosis": frozenset({1}),
}
"""1 necrosis, 2 edema, 3 non-enhancing and 4 enhancing tumor; `tumor` is all of it, as in
the challenge's whole tumor. Source: Menze et al., IEEE TMI 2015."""

BRATS = {
    "lesion": frozenset({1, 2, 3, 4}),
    "tumor": frozenset({1, 2, 3, 4}),
    "tumor-core": frozenset({1, 3, 4}),
    "enhancing-tumor": frozenset({3, 4}),
    "edema": frozenset({2}),
}
"""From 2017 on: 1 is necrosis and non-enhancing tumor in one, 2 edema, and 4, since 2023 3,
enhancing tumor. Source: Bakas et al., arXiv:1811.02629."""

REGION_SCHEMES: dict[str, Scheme] = {
    "dkt": _dkt(),
    "brats2013": Scheme("brats2013", {}, outside=frozenset(), regions=BRATS2013),
    "brats": Scheme("brats", {}, outside=frozenset(), regions=BRATS),
    **{name: Scheme(name, {}, regions=dict.fromkeys(("lesion", name))) for name in LESIONS},
}
"""Schemes of regions that are no base structures. That of a lesion's name is a mask."""

CHOICES = (
    f"{', '.join(SCHEMES)}, dkt, brats2013, brats, the name of a lesion such as ms-lesion, or "
    "a .tsv file with the columns index and name"
)


def find_scheme(name: str, folder: Path = Path()) -> Scheme:
    """The scheme called `name`, or read from the TSV file of that name.

    Args:
        name: One of SCHEMES or REGION_SCHEMES, or a path; the table has the columns
            `index` and `name`.
        folder: Where a relative path starts.

    Raises:
        UsageError: If there is no such scheme.
        InputError: If the table cannot be used.
    """
    if found := SCHEMES.get(name) or REGION_SCHEMES.get(name):
        return found
    path = folder / name
    if path.suffix == ".tsv":
        return _read_scheme(path)
    raise UsageError(
        f"There is no label scheme called {name!r}.",
        remedy=f"Use {CHOICES}.",
    )


def _read_scheme(path: Path) -> Scheme:
    problems: list[Problem] = []
    table = read_table(path, problems)
    if table is None or not {"index", "name"} <= set(table.columns):
        found = problems[-1].message if table is None else f"has {', '.join(table.columns)}"
        raise InputError(
            f"{path} is no label scheme: {found}",
            remedy="Give a tab-separated table with the columns index and name.",
            code="bad-table",
        )
    entries = [_entry(path, number, row) for number, row in table.rows]
    ids = {index: name for index, name in entries if name in CLASS_OF}
    lesions: dict[str, frozenset[int]] = {}
    for index, name in entries:
        if name in LESIONS:
            lesions[name] = lesions.get(name, frozenset()) | {index}
    return Scheme(path.name, ids, regions=lesions)


def _entry(path: Path, number: int, row: Row) -> tuple[int, str]:
    """Id and name of one line; an empty name for what is not brain."""
    index, name = row["index"] or "", row["name"]
    if not index.isdigit():
        raise InputError(
            f"{path}, line {number}: the index {index!r} is not a whole number.",
            remedy="Give the voxel value of the label.",
            code="bad-table",
        )
    if name is None or name == "background":
        return int(index), ""
    if name not in CLASS_OF and name not in LESIONS:
        hint = f"left-{name}" if name in BILATERAL else "left-hippocampus"
        raise InputError(
            f"{path}, line {number}: {name!r} is neither a base structure nor a lesion.",
            remedy=f"Use names such as {hint} or tumor, or {BRAIN} for what belongs to none.",
            code="bad-table",
        )
    return int(index), name
