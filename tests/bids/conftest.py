"""Small images written to disk: NIfTI with any header, and DICOM series of any shape."""

from __future__ import annotations

import gzip
import os
import re
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nibabel.freesurfer import mghformat
from nibabel.nifti1 import Nifti1Image
from nibabel.nifti2 import Nifti2Image

from medprompt_cli.bids.listing import POINTER_BYTES
from medprompt_cli.bids.nifti import read_volume
from medprompt_cli.errors import InputError

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


VALUE_KINDS = {
    (0x0002, 0x0001): "OB",
    (0x0008, 0x0008): "CS",
    (0x0008, 0x0060): "CS",
    (0x0008, 0x103E): "LO",
    (0x0018, 0x0050): "DS",
    (0x0018, 0x1120): "DS",
    (0x0020, 0x0032): "DS",
    (0x0020, 0x0037): "DS",
    (0x0028, 0x0004): "CS",
    (0x0028, 0x0008): "IS",
    (0x0028, 0x0030): "DS",
    (0x0028, 0x1052): "DS",
    (0x0028, 0x1053): "DS",
    (0x0028, 0x2110): "CS",
    (0x7FE0, 0x0010): "OW",
}
"""Value representation of the tags written here; UI for other text, US for numbers."""


def _element(tag: tuple[int, int], value: str | int | bytes) -> bytes:
    """One data element, explicit little endian. Source: DICOM PS3.5, 7.1.2."""
    kind = VALUE_KINDS.get(tag, "US" if isinstance(value, int) else "UI")
    if isinstance(value, int):
        content = struct.pack("<H", value)
    else:
        content = value.encode() if isinstance(value, str) else value
    content += (b"\0" if kind in {"UI", "OB"} else b" ") * (len(content) % 2)
    size = "<xxI" if kind in {"OB", "OW"} else "<H"
    return struct.pack("<HH", *tag) + kind.encode() + struct.pack(size, len(content)) + content


def dicom_bytes(pixels: np.ndarray, tags: Mapping[tuple[int, int], str | int]) -> bytes:
    """A DICOM file of 16-bit `pixels`, (rows, columns, ...), written from the standard.

    Independent of the library that reads it, so that both cannot be wrong alike.
    """
    rows, columns = pixels.shape[:2]
    bits = pixels.dtype.itemsize * 8
    described = {
        (0x0008, 0x0016): "1.2.840.10008.5.1.4.1.1.2",
        (0x0028, 0x0002): 1,
        (0x0028, 0x0004): "MONOCHROME2",
        (0x0028, 0x0006): 0,
        (0x0028, 0x0010): rows,
        (0x0028, 0x0011): columns,
        (0x0028, 0x0100): bits,
        (0x0028, 0x0101): bits,
        (0x0028, 0x0102): bits - 1,
        (0x0028, 0x0103): int(pixels.dtype.kind == "i"),
        (0x7FE0, 0x0010): np.ascontiguousarray(pixels).tobytes(),
    } | dict(tags)
    if described[0x0028, 0x0002] == 1:
        del described[0x0028, 0x0006]  # planar configuration: colour only
    meta = {
        (0x0002, 0x0001): b"\0\1",
        (0x0002, 0x0002): described[0x0008, 0x0016],
        (0x0002, 0x0003): described.get((0x0008, 0x0018), "1.2"),
        (0x0002, 0x0010): "1.2.840.10008.1.2.1",
    }
    start = b"".join(_element(tag, value) for tag, value in meta.items())
    length = struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(start))
    body = b"".join(_element(tag, described[tag]) for tag in sorted(described))
    return bytes(128) + b"DICM" + length + start + body


HEAD_FIRST = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.fixture
def save_series(tmp_path: Path) -> Save:
    """Write a DICOM series, one file for each of `origins` (LPS mm); return the folder."""

    def save(
        origins: np.ndarray,
        *,
        name: str = "series",
        uid: str = "1.2.3",
        axes: tuple[float, ...] = HEAD_FIRST,
        pixels: np.ndarray | None = None,
        prefix: str = "slice",
        tags: dict[tuple[int, int], str | int] | None = None,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        if pixels is None:
            pixels = _ramp((14, 12, len(origins)), "int16").transpose(2, 1, 0)
        for k, origin in enumerate(origins):
            described = {
                (0x0008, 0x0018): f"{uid}.{k + 1}",
                (0x0008, 0x0060): "CT",
                (0x0008, 0x103E): "HEAD",
                (0x0018, 0x0050): "2.0",
                (0x0020, 0x000D): "1.2",
                (0x0020, 0x000E): uid,
                (0x0020, 0x0032): "\\".join(f"{value:.8g}" for value in origin),
                (0x0020, 0x0037): "\\".join(f"{value:.9g}" for value in axes),
                (0x0028, 0x0030): "1.2\\0.8",
                (0x0028, 0x1052): "-1024",
                (0x0028, 0x1053): "1",
            } | (tags or {})
            path = folder / f"{prefix}{k + 1:02d}.dcm"
            path.write_bytes(dicom_bytes(pixels[k], described))
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


@pytest.fixture(scope="session")
def check_refusal() -> Callable[..., None]:
    """Check that reading a path fails in exactly these words; PATH in them stands for it."""

    def check(
        path: Path, problem: str, remedy: str, code: str, read: Callable = read_volume
    ) -> None:
        exactly = f"^{re.escape(problem.replace('PATH', str(path)))}$"
        with pytest.raises(InputError, match=exactly) as caught:
            read(path)
        assert (caught.value.remedy, caught.value.code) == (remedy, code)
        assert caught.value.exit_code == 65

    return check


@pytest.fixture
def plant(tmp_path):
    """Write files of `content` into an empty dataset; return its root."""
    root = tmp_path / "data"
    root.mkdir()

    def write(*names, content=bytes(POINTER_BYTES)):
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return root

    return write
