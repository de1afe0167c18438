"""Small images written to disk: NIfTI with any header, and DICOM series of any shape."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from nibabel.freesurfer import mghformat
from nibabel.nifti1 import Nifti1Image
from nibabel.nifti2 import Nifti2Image

SHAPE = (12, 10, 9)
AFFINE = np.array([[-1.5, 0, 0, 30], [0, 0, 2, -20], [0, -1.25, 0, 10], [0, 0, 0, 1.0]])

Save = Callable[..., Path]


def _ramp(shape: tuple[int, ...] = SHAPE, dtype: str = "int16") -> np.ndarray:
    """Voxels that all differ, as far as the type allows."""
    count = int(np.prod(shape))
    return (np.arange(count) % min(count, 250)).reshape(shape, order="F").astype(dtype)


def _nifti_bytes(
    voxels: np.ndarray,
    affine: np.ndarray = AFFINE,
    *,
    version: int = 1,
    order: str = "<",
    **fields: object,
) -> bytes:
    """A NIfTI file's bytes, with any `fields` of its header overwritten unchecked."""
    image_class = Nifti1Image if version == 1 else Nifti2Image
    header_class = image_class.header_class(endianness=order)
    image = image_class(voxels, affine, header=header_class, dtype=voxels.dtype)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    length = image.header.sizeof_hdr
    header = image_class.header_class(content[:length], endianness=order, check=False)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + content[length:]


@pytest.fixture(scope="session")
def ramp() -> Callable[..., np.ndarray]:
    """Build an array whose voxels all differ, as far as its type allows."""
    return _ramp


@pytest.fixture(scope="session")
def affine() -> np.ndarray:
    """The affine of every saved image that asks for no other: axes permuted, flipped."""
    return AFFINE.copy()


@pytest.fixture(scope="session")
def nifti_bytes() -> Callable[..., bytes]:
    """Build a NIfTI file's bytes, any field of its header overwritten unchecked."""
    return _nifti_bytes


@pytest.fixture
def save_nifti(tmp_path: Path) -> Save:
    """Write a NIfTI file, compressed if its name says so; return its path."""

    def save(name: str = "scan.nii.gz", voxels: np.ndarray | None = None, **fields) -> Path:
        content = _nifti_bytes(_ramp() if voxels is None else voxels, **fields)
        path = tmp_path / name
        path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
        return path

    return save


@pytest.fixture
def save_mgh(tmp_path: Path) -> Save:
    """Write an MGH file, compressed if its name ends in z; return its path."""

    def save(name: str = "scan.mgz", voxels: np.ndarray | None = None, **fields) -> Path:
        stored: Any = _ramp() if voxels is None else voxels
        content = bytearray(mghformat.MGHImage(stored, AFFINE).to_bytes())
        header = np.ndarray((), mghformat.header_dtype, content)
        for field, value in fields.items():
            header[field] = value
        path = tmp_path / name
        packed = gzip.compress(content, 1) if name.endswith("z") else bytes(content)
        path.write_bytes(packed)
        return path

    return save


HEAD_FIRST = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def _write_slice(path: Path, pixels: np.ndarray, spacing, tags: dict[str, str]) -> None:
    image = SimpleITK.GetImageFromArray(
        pixels, isVector=pixels.ndim == 3 and "rgb" in path.name
    )
    image.SetSpacing((*spacing, 1.0)[: image.GetDimension()])
    for tag, value in tags.items():
        image.SetMetaData(tag, value)
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(path))
    writer.Execute(image)


@pytest.fixture
def save_series(tmp_path: Path) -> Save:
    """Write a DICOM series, one file for each of `origins` (LPS mm); return the folder."""

    def save(
        origins: np.ndarray,
        *,
        name: str = "series",
        uid: str = "1.2.3",
        axes: tuple[float, ...] = HEAD_FIRST,
        spacing: tuple[float, float] = (0.8, 1.2),
        pixels: np.ndarray | None = None,
        prefix: str = "slice",
        **more: str,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        if pixels is None:
            pixels = _ramp((14, 12, len(origins)), "int16").transpose(2, 1, 0)
        for k, origin in enumerate(origins):
            tags = {
                "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
                "0008|0018": f"{uid}.{k + 1}",
                "0008|0060": "CT",
                "0008|103e": "HEAD",
                "0018|0050": "2.0",
                "0020|000d": "1.2",
                "0020|000e": uid,
                "0020|0032": "\\".join(f"{value:.7g}" for value in origin),
                "0020|0037": "\\".join(f"{value:.9g}" for value in axes),
                "0028|1052": "-1024",
                "0028|1053": "1",
            } | {tag.replace("_", "|").removeprefix("x"): value for tag, value in more.items()}
            _write_slice(folder / f"{prefix}{k + 1:02d}.dcm", pixels[k], spacing, tags)
        return folder

    return save


@pytest.fixture
def without_privileges() -> Callable[[], AbstractContextManager[None]]:
    """Give up root for a while, so that file permissions count; nothing to do otherwise."""

    @contextmanager
    def give_up() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return give_up


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder anyone may enter; pytest's own are closed to all but their owner."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
