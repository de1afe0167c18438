"""A head of boxes, whose tissues, lesions and distances are known by construction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

NAMES = {s.index: s.name for s in BASE_STRUCTURES}
INDEX = {name: index for index, name in NAMES.items()}

SHAPE = (60, 60, 40)
MIDDLE = 30
"""The hemispheres part between the voxels 29 and 30 of the first axis, which runs to R."""

LOBE_ROWS = {"superior-frontal": (40, 60), "precuneus": (20, 40), "lingual": (0, 20)}
"""Parcels of the cortex, by where they are along the second axis, which runs to A."""


class Head:
    """Cortex 3 voxels thick around white matter, a lateral ventricle on each side.

    1 mm voxels, axes towards R, A, S. Lobes of the cortex: frontal for j >= 40, parietal for
    20 <= j < 40, occipital below.
    """

    def __init__(self) -> None:
        self.geometry = Geometry(SHAPE, np.diag([1.0, 1.0, 1.0, 1.0]))
        self.labels = np.zeros(SHAPE, np.uint8)
        self.parcels = np.zeros(SHAPE, np.uint16)
        for side, first, last in (("left", 4, 30), ("right", 30, 56)):
            outer = (slice(first, last), slice(4, 56), slice(4, 36))
            inner = (slice(first + 3, last - 3), slice(7, 53), slice(7, 33))
            self.put(f"{side}-cerebral-cortex", outer)
            self.put(f"{side}-cerebral-white-matter", inner)
            edge = 24 if side == "left" else 33
            inside = (slice(edge, edge + 3), slice(20, 40), slice(16, 24))
            self.put(f"{side}-lateral-ventricle", inside)
            for lobe, rows in LOBE_ROWS.items():
                where = np.zeros(SHAPE, bool)
                where[first:last, slice(*rows)] = True
                where &= self.labels == INDEX[f"{side}-cerebral-cortex"]
                self.parcels[where] = PARCEL_INDEX[f"{side}-{lobe}"]

    def put(self, name: str, box: tuple[slice, ...]) -> None:
        self.labels[box] = INDEX[name]

    @property
    def structures(self) -> LabelMap:
        return LabelMap(self.labels, self.geometry, NAMES)

    @property
    def lobes(self) -> LabelMap:
        return LabelMap(self.parcels, self.geometry, {i: n for n, i in PARCEL_INDEX.items()})

    def lesion(self, *box: tuple[int, int]) -> Mask:
        voxels = np.zeros(SHAPE, bool)
        voxels[tuple(slice(*ends) for ends in box)] = True
        return Mask("lesion", voxels, self.geometry)

    def image(self, tissues: dict[str, float], noise: float = 0.0, seed: int = 0) -> Volume:
        """Each kind of structure with its signal, and normal noise everywhere."""
        voxels = np.zeros(SHAPE)
        for index, name in NAMES.items():
            kind = name.removeprefix("left-").removeprefix("right-")
            voxels[self.labels == index] = tissues.get(kind, 0.0)
        voxels += np.random.default_rng(seed).normal(0, noise, SHAPE) if noise else 0
        return Volume(voxels.astype(np.float32), self.geometry)


@pytest.fixture
def head() -> Head:
    """A new one for every test, to draw in."""
    return Head()


@pytest.fixture(scope="session")
def painted() -> Callable[[Volume, Mask, float], Volume]:
    """The image with something added inside of a mask."""

    def paint(image: Volume, mask: Mask, added: float) -> Volume:
        voxels = image.voxels + np.where(mask.voxels, added, 0).astype(np.float32)
        return Volume(voxels, image.geometry, image.modality)

    return paint


@pytest.fixture(scope="session")
def number() -> Callable[[Finding, str], float]:
    """One of the numbers behind a finding, which has to be there."""

    def get(finding: Finding, name: str) -> float:
        return finding.evidence[name].value

    return get


@pytest.fixture(scope="session")
def certainty() -> Callable[[Finding], str]:
    """How sure a finding is, in an English word."""

    def get(finding: Finding) -> str:
        assert finding.certainty is not None
        return finding.certainty.english

    return get
