"""Synthetic heads whose lesions, lobes and structures are all known, one image each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.networks.intensity import CEILING
from medprompt_cli.synthesis.bank import SUFFIX, read_bank
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator, GeneratorConfig, Sample
from medprompt_cli.synthesis.lesion_parts import truth_table
from medprompt_cli.synthesis.lesions import LesionRange

SUFFIX_OF: Mapping[str, str] = {"flair": "FLAIR", "t1": "T1w", "t2": "T2w"}
"""Contrasts that heads are painted in, and how BIDS calls such images."""

WITH_LESIONS = 0.7
"""Share of the heads that have any lesion."""

SPACING_MM = 2.0
BOXES = ((6, 7, 6),)
"""Fields of view, in cells of 32 mm: all of the brain."""

FULL = 255

_STRUCTURE_IDS = np.array([0, *(s.index for s in BASE_STRUCTURES)], np.uint8)
_PARCEL_IDS = np.array([0, *(p.index for p in PARCELS)], np.uint16)


@dataclass(frozen=True, eq=False)
class LesionHead:
    """One image and everything that is known of it.

    Attributes:
        suffix: Kind of image, as BIDS calls it.
        geometry: Its grid.
        voxels: (I, J, K) uint8.
        structures: (I, J, K) uint8, base structures by FreeSurfer's id.
        parcels: (I, J, K) uint16, parcels by id.
        lesions: By name (I, J, K) bool, also of those that are not there. Those are left
            out of which the image does not decide whether they are.
    """

    suffix: str
    geometry: Geometry
    voxels: np.ndarray
    structures: np.ndarray
    parcels: np.ndarray
    lesions: Mapping[str, np.ndarray]


def draw_heads(
    bank: Path, count: int, seed: int, spacing_mm: float = SPACING_MM
) -> Iterator[LesionHead]:
    """Draw heads from a bank of label maps. A head hangs on seed and number alone.

    Args:
        bank: As `medprompt train pack` writes it, with parcels or without.
        count: How many.
        seed: The same seed gives the same heads.
        spacing_mm: Of the images, along every axis.

    Raises:
        InputError: If the bank cannot be read.
    """
    config = GeneratorConfig(
        spacing_mm, boxes=BOXES, thick=0, lesion=LesionRange(share=WITH_LESIONS)
    )
    generator = Generator(read_bank(bank), config, Draw(seed))
    for number in range(count):
        start = np.random.SeedSequence((seed, number)).generate_state(1)[0]
        generator.draw = Draw(int(start))
        contrast = tuple(SUFFIX_OF)[generator.draw.integer(len(SUFFIX_OF))]
        appearance = replace(
            config.appearance, any_contrast=0, tissue_contrast=0, contrasts=(contrast,)
        )
        generator.config = replace(config, appearance=appearance)
        yield _head(SUFFIX_OF[contrast], generator.sample())


def _head(suffix: str, sample: Sample) -> LesionHead:
    middle = sample.labels.shape[-1] // 2
    rows = sample.labels[..., middle].numpy()
    shape = (rows.shape[0], rows.shape[1], rows.shape[2])
    affine = np.diag([*sample.spacing, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    image = (sample.images[0] / CEILING * FULL).round().clamp(0, FULL)
    return LesionHead(
        suffix,
        Geometry(shape, affine),
        image.numpy().astype(np.uint8),
        _STRUCTURE_IDS[rows],
        _PARCEL_IDS[sample.parcels.numpy()],
        dict(_lesions(sample.lesions)),
    )


def _lesions(parts: torch.Tensor) -> Iterator[tuple[str, np.ndarray]]:
    """Every lesion that the parts decide, (I, J, K) bool: half of a voxel or more is it."""
    table = truth_table()
    there = torch.unique(parts)
    for column, name in enumerate(LESIONS):
        if (table[there.long(), column] < 0).any():
            continue
        share = (table[:, column] > 0)[parts.int()].float().mean(-1)
        yield name, (share >= 1 / 2).numpy()


def is_bank(path: Path) -> bool:
    """Whether a file is called as banks of label maps are."""
    return path.name.endswith(SUFFIX)
