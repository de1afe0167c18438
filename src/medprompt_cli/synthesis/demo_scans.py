"""The people of the demo: who they are, what changes in them, and their scans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.synthesis.phantom import draw
from medprompt_cli.synthesis.phantom_anatomy import LATER, LESIONS
from medprompt_cli.synthesis.phantom_frame import Head, make_head
from medprompt_cli.synthesis.phantom_image import (
    FLAIR,
    T1W,
    fine_slices,
    scan,
    signal,
    thick_slices,
)

CHANGE_PER_VISIT: Mapping[str, float] = {
    "left-lateral-ventricle": 1.10,
    "right-lateral-ventricle": 1.10,
    "left-hippocampus": 0.95,
    "right-hippocampus": 0.95,
    "lesion-1": 1.30,
}
"""Factor by which volumes change from one visit to the next; the rest stays."""

GONE = "lesion-2"
"""There at the first visit alone; `phantom_anatomy.LATER` at every visit but the first."""

FIRST_VISIT = datetime(2024, 3, 4, 9, 30)
DAYS_BETWEEN_VISITS = 365
FLAIR_DELAY = timedelta(minutes=7)
MM3_PER_ML = 1000.0

PARTS_PER_SLICE = 3
"""Odd, so that the middle part of a thick slice is the slice's centre."""

T1W_FIELD_MM = np.array([176, 224, 208])
T1W_CENTRE_MM = np.array([0, -13, -6])
SMALL_T1W_FIELD_MM = np.array([176, 220, 172])
SMALL_T1W_CENTRE_MM = np.array([0, -13, 10])
FLAIR_FIELD_MM = np.array([192, 228, 162])
FLAIR_CENTRE_MM = np.array([0, -17, 4])


@dataclass(frozen=True, slots=True)
class Person:
    """A participant.

    Attributes:
        head: Their anatomy at the first visit.
        age: In years, at the first visit.
        sex: `F` or `M`, as in participants.tsv.
    """

    head: Head
    age: int
    sex: str


@dataclass(frozen=True, slots=True)
class Scan:
    """One image and what is known of it.

    Attributes:
        suffix: `T1w` or `FLAIR`.
        geometry: The grid.
        voxels: (I, J, K) uint8.
        labels: (I, J, K) uint8, the base structure at the centre of every voxel.
        lesions: (I, J, K) uint8, 1 for the growing lesion, 2 for the one that goes, 4 for the
            one that comes.
        acquired: When.
    """

    suffix: str
    geometry: Geometry
    voxels: np.ndarray
    labels: np.ndarray
    lesions: np.ndarray
    acquired: datetime


def make_person(rng: np.random.Generator) -> Person:
    """Draw a participant; the older have wider ventricles."""
    head = make_head(rng)
    age = round(48 + 14 * head.ventricle_mm + float(rng.normal(0, 3)))
    return Person(head, age, "FM"[int(rng.integers(2))])


def visits(
    person: Person, rng: np.random.Generator, count: int, *, small: bool
) -> Iterator[tuple[Scan, ...]]:
    """The scans of each visit, T1w and then FLAIR, in one and the same head position."""
    first: dict[str, int] = {}
    day = FIRST_VISIT + timedelta(days=int(rng.integers(0, 60)))
    for visit in range(count):
        pose = _pose(rng)
        wanted = {
            name: round(first[name] * factor**visit)
            for name, factor in CHANGE_PER_VISIT.items()
            if name in first
        }
        wanted = {name: n for name, n in first.items() if name not in wanted} | wanted
        if visit:
            wanted[GONE] = 0
        if not first.get(LATER):  # as large as it is by nature, once it is there
            wanted.pop(LATER, None)
        sharp = t1w_grid(small=small)
        new = {LATER: 0.0} if visit else {}
        drawing = draw(sharp, person.head, pose, levels=new, counts=wanted)
        first = {**drawing.counts, **{n: c for n, c in first.items() if c}}
        image = scan(signal(drawing, T1W, rng), 0.17, rng)
        thick = flair_grid(rng, small=small)
        yield (
            Scan("T1w", sharp, image, _structures(drawing.tissue), drawing.lesions, day),
            _flair(thick, person.head, pose, drawing.levels, rng, day + FLAIR_DELAY),
        )
        day += timedelta(days=DAYS_BETWEEN_VISITS + int(rng.integers(-20, 21)))


def volumes_ml(labelled: Scan) -> dict[str, float]:
    """Volume of every base structure and lesion in a scan's truth, in mL."""
    scale = labelled.geometry.voxel_volume_mm3 / MM3_PER_ML
    tissue = np.bincount(labelled.labels.ravel(), minlength=256)
    lesions = np.bincount(labelled.lesions.ravel(), minlength=len(LESIONS) + 1)
    found = {s.name: float(tissue[s.index]) * scale for s in BASE_STRUCTURES}
    found["lesion"] = float(lesions[1:].sum()) * scale
    numbered = enumerate(lesions[1:], start=1)
    return found | {f"lesion-{number}": float(n) * scale for number, n in numbered}


def t1w_grid(*, small: bool) -> Geometry:
    """1 mm isotropic, head and neck; 2 mm and without the neck if `small`."""
    if small:
        affine = np.diag([2.0, 2.0, 2.0, 1.0])
        return _centred(affine, SMALL_T1W_FIELD_MM // 2, SMALL_T1W_CENTRE_MM)
    return _centred(np.eye(4), T1W_FIELD_MM, T1W_CENTRE_MM)


def flair_grid(rng: np.random.Generator, *, small: bool) -> Geometry:
    """1 x 1 x 4 mm, tilted about the left-right axis; 2 x 2 x 6 mm if `small`."""
    spacing = np.array([2.0, 2.0, 6.0] if small else [1.0, 1.0, 4.0])
    tilt = np.deg2rad(rng.uniform(6, 16))
    affine = np.eye(4)
    affine[1:3, 1:3] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    affine[0, 0] = -1
    affine[:3, :3] *= spacing
    shape = np.ceil(FLAIR_FIELD_MM / spacing).astype(int)
    return _centred(affine, shape, FLAIR_CENTRE_MM)


def _centred(affine: np.ndarray, shape: np.ndarray, centre: np.ndarray) -> Geometry:
    affine[:3, 3] = centre - affine[:3, :3] @ ((shape - 1) / 2)
    stored = affine.astype(np.float32).astype(np.float64)  # as a NIfTI header holds it
    i, j, k = (int(n) for n in shape)
    return Geometry((i, j, k), stored)


def _pose(rng: np.random.Generator) -> np.ndarray:
    """How the head lies in the scanner, (4, 4): a few degrees and mm from straight."""
    pose = np.eye(4)
    for first, second in ((0, 1), (1, 2), (0, 2)):
        angle = np.deg2rad(rng.normal(0, 2.5))
        turn = np.eye(4)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        pose = turn @ pose
    pose[:3, 3] = rng.normal(0, 2, size=3)
    return pose


def _flair(
    geometry: Geometry,
    head: Head,
    pose: np.ndarray,
    levels: Mapping[str, float],
    rng: np.random.Generator,
    acquired: datetime,
) -> Scan:
    fine = draw(fine_slices(geometry, PARTS_PER_SLICE), head, pose, levels=levels)
    image = thick_slices(signal(fine, FLAIR, rng), PARTS_PER_SLICE)
    centres = np.s_[:, :, PARTS_PER_SLICE // 2 :: PARTS_PER_SLICE]
    labels, lesions = _structures(fine.tissue[centres]), fine.lesions[centres]
    return Scan("FLAIR", geometry, scan(image, 0.12, rng), labels, lesions, acquired)


def _structures(tissue: np.ndarray) -> np.ndarray:
    """Keep the ids of base structures; all around the brain is background."""
    table = np.zeros(256, np.uint8)
    for structure in BASE_STRUCTURES:
        table[structure.index] = structure.index
    return table[tissue]
