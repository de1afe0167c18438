"""Label maps and masks as NIfTI files that lie exactly on their source.

*The grid.* A mask of a NIfTI file takes over the place fields of the source's header
(sform, qform, their codes, voxel sizes, units) as they stand, so every program that shows
the source puts the mask on top of it, whichever of the two transforms it believes. MGZ has
no such fields, but its affine fits the 32 bits of NIfTI-1's sform. The affine of a DICOM
series has 64 bits: there the rounded affine is written, and the distance is noted. NIfTI-2,
which holds 64 bits but many viewers cannot open, is used only for a source that is NIfTI-2
itself, and for a grid that NIfTI-1 cannot hold.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, cast

import nibabel as nib
import numpy as np
from isal import igzip, isal_zlib
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from medprompt_cli.bids.atomic import Staged, stage
from medprompt_cli.bids.nifti_header import MM_PER_UNIT
from medprompt_cli.domain.geometry import GRID_TOLERANCE_MM, Geometry
from medprompt_cli.errors import OutputError

COMPRESSION_LEVEL = 1
"""Of isal's 0 to 3. Measured on 256^3 label maps: 4 ms and 0.33 MB; level 0 takes as long
and gives half as much again, level 2 gives the same file, level 3 takes 31 ms for more."""

PLACE_FIELDS = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units"),
)
"""Nifti1Header fields that say where voxels lie, besides the first four of `pixdim`."""

NIFTI1_LONGEST = 32767
"""Voxels along an axis that NIfTI-1 can count."""

NIFTI_NAMES = (".nii", ".nii.gz")

SCANNER = 1
"""NIfTI's code for scanner coordinates."""

_CHUNK = 1 << 20
_DAMAGE = (OSError, EOFError, cast("type[Exception]", isal_zlib.error))


def smallest_unsigned(largest: int) -> np.dtype:
    """The smallest unsigned type that holds ids up to `largest`."""
    return np.min_scalar_type(int(largest))


def grid_header(
    source: Path, geometry: Geometry, dtype: np.dtype
) -> tuple[Nifti1Header, float]:
    """The header of a label image on the grid of `source`.

    Args:
        source: The image file or DICOM folder that `geometry` was read from.
        geometry: The grid of the label image.
        dtype: Type of its voxels.

    Returns:
        The header, and how far its affine puts any voxel from its place, in mm: 0 for
        NIfTI and MGZ, else what rounding to 32 bits costs.
    """
    original = _source_header(source)
    version = Nifti1Header if original is None else type(original)
    if original is not None:
        header = _blank(version, geometry, dtype)
        header["pixdim"][:4] = original["pixdim"][:4]
        for field in PLACE_FIELDS:
            header[field] = original[field]
        if np.array_equal(_affine_mm(header), geometry.affine):
            return header, 0.0
    header = _placed(_blank(version, geometry, dtype), geometry)
    if _rounding_mm(header, geometry) > GRID_TOLERANCE_MM:
        header = _placed(_blank(Nifti2Header, geometry, dtype), geometry)
    return header, _rounding_mm(header, geometry)


def _affine_mm(header: Nifti1Header) -> np.ndarray:
    """The affine in mm, whatever the header's unit, as reading an image takes it."""
    affine = _affine(header).astype(np.float64)
    affine[:3] *= MM_PER_UNIT.get(int(header["xyzt_units"]) % 8, 1.0)
    return affine


def _affine(header: Nifti1Header) -> np.ndarray:
    return cast("np.ndarray", header.get_best_affine())


def _rounding_mm(header: Nifti1Header, geometry: Geometry) -> float:
    far = np.array(geometry.shape) - 1
    corners = np.array(np.meshgrid(*([0, n] for n in far))).reshape(3, -1).T
    stored = Geometry(geometry.shape, _affine(header))
    apart = stored.to_world(corners) - geometry.to_world(corners)
    return float(np.linalg.norm(apart, axis=1).max())


def stage_label_image(path: Path, voxels: np.ndarray, header: Nifti1Header) -> Staged:
    """Write voxels under a temporary name, and read them back before anyone sees them.

    Args:
        path: Final name, ending in `.nii.gz`.
        voxels: (I, J, K) bool or unsigned integers.
        header: From `grid_header`, for the shape of `voxels`.

    Raises:
        OutputError: If the file cannot be written, or does not read back as written.
    """
    dtype = header.get_data_dtype()
    checksum = 0

    def fill(stream: BinaryIO) -> None:
        nonlocal checksum
        with igzip.IGzipFile("", "wb", COMPRESSION_LEVEL, stream, mtime=0) as packed:
            packed.write(header.binaryblock.ljust(header.single_vox_offset, b"\0"))
            for k in range(voxels.shape[2]):
                plane = voxels[:, :, k].astype(dtype).tobytes(order="F")
                checksum = isal_zlib.crc32(plane, checksum)
                packed.write(plane)

    return stage(path, fill, lambda written: _read_back(path, written, header, checksum))


def _source_header(source: Path) -> Nifti1Header | None:
    if not source.is_file() or not source.name.lower().endswith(NIFTI_NAMES):
        return None
    try:
        header = nib.load(source).header
    except (OSError, ImageFileError, HeaderDataError):
        return None
    return header if isinstance(header, Nifti1Header) else None


def _blank(version: type[Nifti1Header], geometry: Geometry, dtype: np.dtype) -> Nifti1Header:
    if max(geometry.shape) > NIFTI1_LONGEST:
        version = Nifti2Header
    header = version()
    header.set_data_dtype(dtype)
    header.set_data_shape(geometry.shape)
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["descrip"] = b"medprompt"
    header.set_intent("label", allow_unknown=False)
    return header


def _placed(header: Nifti1Header, geometry: Geometry) -> Nifti1Header:
    header.set_xyzt_units("mm")
    header.set_qform(geometry.affine, SCANNER, strip_shears=True)
    if not Geometry(geometry.shape, cast("np.ndarray", header.get_qform())).matches(geometry):
        header["qform_code"] = 0
    header.set_sform(geometry.affine, SCANNER)
    return header


def _read_back(path: Path, written: Path, header: Nifti1Header, checksum: int) -> None:
    expected = (header.get_data_shape(), _affine(header), checksum)
    try:
        with igzip.open(written, "rb") as stream:
            found = _contents(stream, type(header))
    except _DAMAGE as error:
        raise _mismatch(path, f"it does not read back ({error})") from error
    for name, want, got in zip(("shape", "affine", "voxels"), expected, found, strict=True):
        if not np.array_equal(want, got):
            raise _mismatch(path, f"its {name} reads back as {got} and was {want}")


def _contents(
    stream: io.IOBase, version: type[Nifti1Header]
) -> tuple[tuple[int, ...], np.ndarray, int]:
    header = version(stream.read(version.sizeof_hdr))
    stream.read(header.single_vox_offset - version.sizeof_hdr)
    checksum = 0
    while chunk := stream.read(_CHUNK):
        checksum = isal_zlib.crc32(chunk, checksum)
    return header.get_data_shape(), _affine(header), checksum


def _mismatch(path: Path, what: str) -> OutputError:
    return OutputError(
        f"{path} was not kept: {what}.",
        remedy="Check the output disk, then run the same command again.",
    )
