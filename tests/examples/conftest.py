"""The benchmarks are scripts that import each other from their own folder."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from medprompt_cli.networks.config import NetworkConfig
from medprompt_cli.synthesis.bank import PackedLabels, to_positions
from medprompt_cli.synthesis.generator import GeneratorConfig
from medprompt_cli.training.recipe import Recipe


@pytest.fixture
def benchmark_module(repository, monkeypatch):
    """Import one of the scripts by its name."""
    monkeypatch.syspath_prepend(str(repository / "examples/benchmarks"))
    return importlib.import_module


@pytest.fixture
def tiny() -> NetworkConfig:
    """A network that takes milliseconds."""
    return NetworkConfig(
        name="tiny",
        fine_channels=(4, 8),
        core_channels=(8, 8, 8, 8),
        embedding=8,
        lesion_embedding=4,
        parcel_channels=8,
        attention=4,
        groups=4,
    )


@pytest.fixture
def head() -> PackedLabels:
    """Boxes in boxes: fluid, cortex and white matter, left and right."""
    ids = np.zeros((64, 64, 64), np.int16)
    for side, (cortex, white) in ((slice(8, 32), (3, 2)), (slice(32, 56), (42, 41))):
        ids[side, 8:56, 8:56] = 24
        ids[side, 14:50, 14:50] = cortex
        ids[side, 22:42, 22:42] = white
    return PackedLabels("head.nii.gz", to_positions(ids, "head"), (1.0, 1.0, 1.0))


@pytest.fixture
def recipe() -> Recipe:
    """Small heads at 4 mm, in one box of 64 mm."""
    generator = GeneratorConfig(boxes=((2, 2, 2),), oversample=1, thick=0)
    return Recipe("test", network="tiny", rate=1e-2, held_out=("other",), generator=generator)
