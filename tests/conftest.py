"""Fixtures for every test, and the settings that keep tests repeatable."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from hypothesis import settings

from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans; tests that ask for it are marked `shared`."""
    folder = Path(
        os.environ.get("MEDPROMPT_SHARED_DATA", REPOSITORY.parent / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip(f"no folder of real scans at {folder}; set MEDPROMPT_SHARED_DATA")
    return folder


class ThresholdSegmenter:
    """A segmenter without a network: what shines is there, and its rank says what it is.

    Voxels of intensity 100 + id belong to the base structure with that id.
    """

    weights_name, weights_version, weights_sha256 = "threshold", "1.0.0", "5" * 64
    device_name = "cpu"

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.presence: float | str | None = "as seen"

    def segment(self, volume: Volume, targets) -> SimpleNamespace:
        self.seen.append(Path(volume.source).name)
        index = np.where(volume.voxels >= 100, volume.voxels - 100, 0).astype(np.uint8)
        single = [target for target in targets if len(target.members) == 1]
        names = {BASE_INDEX[target.name]: target.name for target in single}
        labels = np.where(np.isin(index, list(names)), index, 0).astype(np.uint8)
        regions = {
            target.name: np.isin(index, [BASE_INDEX[name] for name in target.members])
            for target in targets
        }
        voxel_ml = volume.geometry.voxel_volume_mm3 / 1000
        return SimpleNamespace(
            labels=LabelMap(labels, volume.geometry, names),
            masks={
                target.name: Mask(target.name, regions[target.name], volume.geometry)
                for target in targets
                if len(target.members) > 1
            },
            presence={
                name: float(region.any()) if self.presence == "as seen" else self.presence
                for name, region in regions.items()
            },
            volumes_ml={name: float(r.sum()) * voxel_ml for name, r in regions.items()},
            notes=(),
            seconds={"network": 0.0},
        )


@pytest.fixture
def threshold_segmenter() -> ThresholdSegmenter:
    """A segmenter that needs no weights."""
    return ThresholdSegmenter()


@pytest.fixture(scope="session")
def save_scan() -> Callable[..., Path]:
    """Write a small scan: boxes of intensity 100 + id inside a head of intensity 20."""

    def save(path: Path, *structures: str) -> Path:
        voxels = np.zeros((12, 14, 10), np.int16)
        voxels[1:-1, 1:-1, 1:-1] = 20
        for n, name in enumerate(structures):
            voxels[2 + n : 3 + n, 4:9, 3:7] = 100 + BASE_INDEX[name]
        image = nib.Nifti1Image(voxels, None)
        image.header.set_xyzt_units("mm")
        image.header.set_sform([[-2, 0, 0, 11], [0, 0, 2.5, -9], [0, 2, 0, 7], [0, 0, 0, 1]], 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        image.to_filename(path)
        return path

    return save
