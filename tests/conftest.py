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

from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_NAMES, LESIONS
from medprompt_cli.domain.parcels import PARCEL_INDEX, PARCEL_NAMES
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.execution.segment import parents_of

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


LESION_INTENSITY = 5000
"""A lesion shines brighter than this, by its place in `LESIONS`."""


def intensity_of(name: str) -> int:
    """What a region shines with in the scans of `save_scan`."""
    if name in LESIONS:
        return LESION_INTENSITY + LESIONS.index(name)
    return 100 + (PARCEL_INDEX[name] if name in PARCEL_INDEX else BASE_INDEX[name])


def in_region(voxels: np.ndarray, name: str) -> np.ndarray:
    """Voxels of a region; a parcel belongs to each structure that it is a part of."""
    parts = [n for n in PARCEL_NAMES if name in parents_of([n])]
    return np.isin(voxels, [intensity_of(part) for part in (name, *parts)])


def certain(volume_ml: float) -> PosteriorSums:
    """The sums of a region of which every voxel is certain."""
    return PosteriorSums(volume_ml, volume_ml, 0.0)


class ThresholdSegmenter:
    """A segmenter without a network: what shines is there, and its rank says what it is.

    Voxels of intensity 100 + id belong to the base structure or the parcel with that id,
    those of 5000 + n to the lesion at n. Of several images the brightest voxel counts.
    """

    weights_name, weights_version, weights_sha256 = "threshold", "1.0.0", "5" * 64
    device_name = "cpu"

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.presence: float | str | None = "as seen"

    def segment(self, volumes, targets) -> SimpleNamespace:
        streams = [volumes] if isinstance(volumes, Volume) else volumes
        self.seen.append("+".join(Path(volume.source).name for volume in streams))
        voxels = np.max([volume.voxels for volume in streams], axis=0)
        geometry = streams[0].geometry
        regions = {
            target.name: np.any(
                [in_region(voxels, name) for name in target.members or (target.name,)], axis=0
            )
            for target in targets
        }
        single = {*BASE_NAMES, *PARCEL_NAMES}
        return SimpleNamespace(
            labels=_labels(regions, BASE_INDEX, geometry),
            parcels=_labels(regions, PARCEL_INDEX, geometry)
            if regions.keys() & PARCEL_INDEX.keys()
            else None,
            masks={n: Mask(n, r, geometry) for n, r in regions.items() if n not in single},
            presence={
                name: float(region.any()) if self.presence == "as seen" else self.presence
                for name, region in regions.items()
            },
            volumes_ml={
                name: float(r.sum()) * geometry.voxel_volume_mm3 / 1000
                for name, r in regions.items()
            },
            sums={
                name: certain(float(r.sum()) * geometry.voxel_volume_mm3 / 1000)
                for name, r in regions.items()
            },
            limits_ml={target.name: 1.234 for target in targets if target.name in LESIONS},
            notes=(),
            seconds={"network": 0.0},
        )


def _labels(regions, index, geometry) -> LabelMap:
    """Those regions that have an index, as one map."""
    found = {name: region for name, region in regions.items() if name in index}
    voxels = np.zeros(geometry.shape, np.uint16 if max(index.values()) > 255 else np.uint8)
    for name, region in found.items():
        voxels[region] = index[name]
    return LabelMap(voxels, geometry, {index[name]: name for name in found})


@pytest.fixture
def threshold_segmenter() -> ThresholdSegmenter:
    """A segmenter that needs no weights."""
    return ThresholdSegmenter()


@pytest.fixture(scope="session")
def make_segmenter() -> type[ThresholdSegmenter]:
    """Makes such segmenters, for what several tests share."""
    return ThresholdSegmenter


@pytest.fixture(scope="session")
def save_scan() -> Callable[..., Path]:
    """Write a small scan: boxes of regions inside a head of intensity 20."""

    def save(path: Path, *structures: str) -> Path:
        voxels = np.zeros((12, 14, 10), np.int16)
        voxels[1:-1, 1:-1, 1:-1] = 20
        for n, name in enumerate(structures):
            voxels[2 + n : 3 + n, 4:9, 3:7] = intensity_of(name)
        image = nib.Nifti1Image(voxels, None)
        image.header.set_xyzt_units("mm")
        image.header.set_sform([[-2, 0, 0, 11], [0, 0, 2.5, -9], [0, 2, 0, 7], [0, 0, 0, 1]], 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        image.to_filename(path)
        return path

    return save


@pytest.fixture
def contents(out) -> Callable[[], dict[str, bytes]]:
    """Bytes of every file that is not a record, by its path below the output folder."""

    def read():
        files = (path for path in out.rglob("*") if path.is_file())
        return {
            path.relative_to(out).as_posix(): path.read_bytes()
            for path in files
            if "logs" not in path.parts
        }

    return read
