"""A network and a head small enough to train in seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medprompt_cli.domain.parcels import PARCEL_NAMES
from medprompt_cli.networks.config import CONFIGS, NetworkConfig
from medprompt_cli.synthesis.appearance import AppearanceRange
from medprompt_cli.synthesis.bank import PackedLabels, to_positions
from medprompt_cli.synthesis.deform import ShapeRange
from medprompt_cli.synthesis.generator import GeneratorConfig
from medprompt_cli.training.recipe import Recipe


@pytest.fixture(autouse=True)
def tiny(monkeypatch) -> NetworkConfig:
    """Known to recipes as `tiny`."""
    config = NetworkConfig(
        name="tiny",
        fine_channels=(4, 8),
        core_channels=(8, 8, 8, 8),
        embedding=8,
        lesion_embedding=4,
        parcel_channels=8,
        attention=4,
        groups=4,
    )
    monkeypatch.setitem(CONFIGS, "tiny", config)
    return config


@pytest.fixture(scope="session")
def head() -> PackedLabels:
    """Boxes in boxes: bone, fluid, cortex, white matter and ventricles, left and right.

    The front half of the cortex is one parcel, its back half another.
    """
    ids = np.zeros((64, 64, 64), np.int16)
    ids[4:60, 4:60, 4:60] = 515
    ids[8:56, 8:56, 8:56] = 24
    for half, (cortex, white, ventricle, thalamus) in (
        (slice(None, 32), (3, 2, 4, 10)),
        (slice(32, None), (42, 41, 43, 49)),
    ):
        inside = np.zeros(ids.shape, bool)
        inside[half] = True
        for margin, index in ((12, cortex), (18, white), (26, ventricle)):
            box = np.zeros(ids.shape, bool)
            box[margin:-margin, margin:-margin, margin:-margin] = True
            ids[inside & box] = index
        below = np.zeros(ids.shape, bool)
        below[22:42, 26:38, 18:26] = True
        ids[inside & below] = thalamus
    parcels = np.zeros(ids.shape, np.uint8)
    for index, side in ((3, "left"), (42, "right")):
        back, front = (
            1 + PARCEL_NAMES.index(f"{side}-{kind}")
            for kind in ("precuneus", "superior-frontal")
        )
        parcels[:, :32] += np.where(ids == index, back, 0).astype(np.uint8)[:, :32]
        parcels[:, 32:] += np.where(ids == index, front, 0).astype(np.uint8)[:, 32:]
    voxels = to_positions(ids, "head")
    return PackedLabels("head.nii.gz", voxels, (1.0, 1.0, 1.0), (parcels,))


@pytest.fixture
def recipe() -> Recipe:
    """Undeformed heads in known contrasts, at 4 mm in one box of 64 mm."""
    still = ShapeRange(0, 0, 0, 0, 0)
    plain = AppearanceRange(any_contrast=0, tissue_contrast=0, stripped=0)
    generator = GeneratorConfig(
        boxes=((2, 2, 2),), oversample=1, thick=0, coarse=0, shape=still, appearance=plain
    )
    return Recipe(
        "test", network="tiny", steps=50, rate=1e-2, warmup=5, generator=generator, seed=3
    )


@pytest.fixture
def fine_recipe(recipe) -> Recipe:
    """The 2 mm level as well, on crops of 16 mm."""
    generator = replace(recipe.generator, spacing_mm=2.0)
    return replace(recipe, level=1, crop_mm=16.0, generator=generator)
