"""A person's head at several visits, each lying differently, and what moves it lies by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.longitudinal.transforms import about, rotation, translation
from medprompt_cli.synthesis.phantom import draw
from medprompt_cli.synthesis.phantom_frame import make_head
from medprompt_cli.synthesis.phantom_image import (
    FLAIR,
    T1W,
    fine_slices,
    scan,
    signal,
    thick_slices,
)

SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

CONTRASTS = {"FLAIR": FLAIR, "T1w": T1W}
BRAIN_IDS = range(2, 61)
"""Ids of the phantom that are of the brain or the fluid in it."""

MIDDLE = np.array([0.0, -13.0, 10.0])
"""Of the phantom's head."""


def grid_of(spacing, shape, centre=MIDDLE) -> Geometry:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = centre - np.array(spacing) * (np.array(shape) - 1) / 2
    return Geometry(tuple(shape), affine)


class Patient:
    """One head, scanned as often as wanted."""

    def __init__(self, seed: int = 1) -> None:
        self.head = make_head(np.random.default_rng(seed))

    def scan(
        self,
        pose,
        contrast="FLAIR",
        *,
        spacing=(3.0, 3.4, 4.0),
        shape=(64, 64, 48),
        offset=(0, 0, 0),
        seed=0,
    ) -> Volume:
        """An image with noise, of slices as thick as they are apart."""
        grid = grid_of(spacing, shape, MIDDLE + offset)
        random = np.random.default_rng(seed)
        fine = draw(fine_slices(grid, 3), self.head, pose)
        image = thick_slices(signal(fine, CONTRASTS[contrast], random), 3)
        return Volume(scan(image, 0.15, random).astype(np.float32), grid, source=contrast)

    def brain(self, pose) -> Mask:
        """The truth, on the grid of `scan`."""
        grid = grid_of((3.0, 3.4, 4.0), (64, 64, 48))
        tissue = draw(grid, self.head, pose).tissue
        return Mask("brain", np.isin(tissue, BRAIN_IDS), grid)


def turned_by(degrees, mm, seed) -> np.ndarray:
    """A move about the middle of the head, its directions drawn at random."""
    random = np.random.default_rng(seed)
    axis, way = random.normal(size=(2, 3))
    shift = translation(way / np.linalg.norm(way) * mm)
    return shift @ about(MIDDLE, rotation(axis, degrees))


@pytest.fixture(scope="session")
def patient() -> Patient:
    """Always the same person."""
    return Patient()


@pytest.fixture(scope="session")
def brain_points(patient) -> np.ndarray:
    """(N, 3) RAS+ mm all over the brain, at the pose that is the identity."""
    brain = patient.brain(np.eye(4))
    return brain.geometry.to_world(np.argwhere(brain.voxels).astype(float))


@pytest.fixture(scope="session")
def known_move() -> Callable[..., np.ndarray]:
    """A rigid move of so many degrees and mm."""
    return turned_by


@pytest.fixture(scope="session")
def volume_of() -> Callable[..., Measurement]:
    """A measured volume in mL, with its interval if it has one."""

    def build(value, region="left-hippocampus", interval=None) -> Measurement:
        low, high = interval or (None, None)
        return Measurement(region, "soft-volume", value, "mL", low=low, high=high)

    return build
