"""NIfTI-1 and NIfTI-2 headers: which affine counts, in which unit, and what is odd.

The fields are taken apart by nibabel; the rules are ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import numpy as np
from nibabel.nifti1 import Nifti1Header, data_type_codes
from nibabel.nifti2 import Nifti2Header

from medprompt_cli.bids.byte_source import ByteSource, shown_bytes
from medprompt_cli.bids.image_header import (
    REEXPORT_AFFINE,
    ImageHeader,
    Layout,
    by,
    checked_geometry,
    spatial_shape,
    stored_dtype,
)
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import InputError

HEADER_CLASSES = {348: Nifti1Header, 540: Nifti2Header}
"""By the header's own length, its first four bytes. Source: NIfTI-1, NIfTI-2."""

MAX_DIMENSIONS = 7
"""Source: NIfTI-1, dim[0]."""

MAX_EXTENSION_BYTES = 1 << 26
"""Header extensions may be this long; a larger voxel offset is taken for damage."""

AFFINE_DISAGREEMENT_MM = 1.0
"""A note is written if sform and qform put any corner farther apart than this."""

SPACING_DISAGREEMENT = 0.01
"""A note is written if pixdim and affine differ by more than this share."""

MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""By spatial unit code: unknown (taken as mm), metre, mm, micron. Source: NIfTI-1."""

UNIT_NAMES = {1: "metres", 3: "microns"}


ByteOrder = Literal["little", "big"]


def byte_order(start: bytes) -> tuple[int, ByteOrder] | None:
    """Header length and byte order from a file's first four bytes; None if not NIfTI."""
    orders: tuple[ByteOrder, ByteOrder] = ("little", "big")
    for order in orders:
        length = int.from_bytes(start, order)
        if length in HEADER_CLASSES:
            return length, order
    return None


def parse_nifti(source: ByteSource, start: bytes, length: int, order: ByteOrder) -> ImageHeader:
    """Read the header that begins with the four bytes `start`, already taken.

    Args:
        source: The file, four bytes in.
        start: Those four bytes.
        length: Length of the header, 348 or 540 bytes.
        order: Byte order of header and voxels.

    Raises:
        InputError: If the header is damaged or promises what is not a 3D scan.
    """
    path = source.path
    block = start + source.take(length - len(start))
    header = HEADER_CLASSES[length](block, order, check=False)
    _check_magic(path, header)
    sizes = _sizes(path, header)
    shape = spatial_shape(path, sizes)
    dtype = _dtype(path, header).newbyteorder(order)
    geometry, notes = _geometry(path, header, shape)
    if len(sizes) > len(shape):
        notes.append(f"Singleton axes of {by(sizes)} were left out.")
    slope, inter = _scaling(path, header)
    layout = Layout(dtype, _offset(path, header), slope, inter)
    return ImageHeader(shape, geometry, dtype.name, tuple(notes), layout)


def _check_magic(path: Path, header: Nifti1Header) -> None:
    magic = header["magic"].tobytes()
    if magic.startswith((b"n+1", b"n+2")):
        return
    if magic.startswith((b"ni1", b"ni2")):
        problem = "is one half of a .hdr/.img pair"
    else:
        problem = f"is an Analyze file or damaged: its magic is {shown_bytes(magic)}"
    raise InputError(
        f"{path} {problem}.",
        remedy="Convert it to a single .nii.gz file.",
        code="not-single-nifti",
    )


def _sizes(path: Path, header: Nifti1Header) -> list[int]:
    dimensions = [int(size) for size in header["dim"]]
    if not 1 <= dimensions[0] <= MAX_DIMENSIONS:
        raise InputError(
            f"{path} has a damaged header: {dimensions[0]} dimensions.",
            remedy="Re-export the image.",
            code="bad-header",
        )
    return dimensions[1 : dimensions[0] + 1]


def _dtype(path: Path, header: Nifti1Header) -> np.dtype:
    code = int(header["datatype"])
    if code not in data_type_codes.code:
        return stored_dtype(path, code, "unknown", None)
    dtype = np.dtype(cast("np.dtype", data_type_codes.dtype[code]))
    return stored_dtype(path, code, str(data_type_codes.label[code]), dtype)


def _offset(path: Path, header: Nifti1Header) -> int:
    """Bytes before the voxels; 0 in the header means directly after it."""
    offset, least = float(header["vox_offset"]), int(header.single_vox_offset)
    if offset == 0:
        return least
    if not least <= offset <= MAX_EXTENSION_BYTES or offset % 1:
        raise InputError(
            f"{path} has a damaged header: voxels begin at byte {offset:g}, "
            f"not between {least} and {MAX_EXTENSION_BYTES}.",
            remedy="Re-export the image.",
            code="bad-header",
        )
    return int(offset)


def _scaling(path: Path, header: Nifti1Header) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or NaN means none. Source: NIfTI-1."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        return 1.0, 0.0
    if not np.isfinite(inter):
        raise InputError(
            f"{path} has a damaged header: intensities are scaled by {slope:g} plus {inter:g}.",
            remedy="Re-export the image.",
            code="bad-header",
        )
    return slope, inter


def _geometry(
    path: Path, header: Nifti1Header, shape: tuple[int, int, int]
) -> tuple[Geometry, list[str]]:
    """The grid by our rule: sform if coded, else qform if coded, else refused."""
    sform, qform = _sform(header), _qform(header)
    if sform is None and int(header["qform_code"]) <= 0:
        raise InputError(
            f"{path} does not say where it lies: sform_code and qform_code are both 0.",
            remedy=REEXPORT_AFFINE,
            code="no-affine",
        )
    affine = qform if sform is None else sform
    if affine is None:
        raise InputError(
            f"{path}: its qform is damaged: quaternion {_quaternion(header)}, "
            f"pixdim {header['pixdim'][:4].tolist()}.",
            remedy=REEXPORT_AFFINE,
            code="bad-affine",
        )
    affine, notes = _in_mm(header, affine)
    geometry = checked_geometry(path, shape, affine)
    if sform is not None:
        notes += _disagreements(header, geometry, qform)
    return geometry, notes


def _sform(header: Nifti1Header) -> np.ndarray | None:
    if int(header["sform_code"]) <= 0:
        return None
    return cast("np.ndarray", header.get_sform())


def _qform(header: Nifti1Header) -> np.ndarray | None:
    """The qform in the header's unit; None if not coded or not a rotation.

    A qfac that is neither 1 nor -1 counts as 1. Source: NIfTI-1, method 2.
    """
    if int(header["qform_code"]) <= 0:
        return None
    pixdim = np.asarray(header["pixdim"], dtype=np.float64)[1:4]
    if not np.isfinite([*_quaternion(header), *pixdim]).all() or pixdim.min() <= 0:
        return None
    mended = header.copy()
    if float(header["pixdim"][0]) not in {1.0, -1.0}:
        mended["pixdim"][0] = 1
    try:
        return cast("np.ndarray", mended.get_qform())
    except ValueError:  # a quaternion longer than 1
        return None


def _quaternion(header: Nifti1Header) -> list[float]:
    return [float(header[f"quatern_{letter}"]) for letter in "bcd"]


def _in_mm(header: Nifti1Header, affine: np.ndarray) -> tuple[np.ndarray, list[str]]:
    code = int(header["xyzt_units"]) % 8
    if code not in MM_PER_UNIT:
        return affine, [f"Unknown spatial unit (code {code}) was taken as mm."]
    if code not in UNIT_NAMES:
        return affine, []
    scaled = affine.copy()
    scaled[:3] *= MM_PER_UNIT[code]
    return scaled, [f"Positions given in {UNIT_NAMES[code]} were converted to mm."]


def _disagreements(
    header: Nifti1Header, geometry: Geometry, qform: np.ndarray | None
) -> list[str]:
    """Sentences on what else in the header contradicts the sform."""
    notes = []
    if qform is not None:
        apart = _corner_distance_mm(geometry, _in_mm(header, qform)[0])
        if apart > AFFINE_DISAGREEMENT_MM:
            notes.append(f"sform and qform differ by up to {apart:.1f} mm; the sform was used.")
    unit = MM_PER_UNIT.get(int(header["xyzt_units"]) % 8, 1.0)
    pixdim = np.abs(header["pixdim"][1:4].astype(np.float64)) * unit
    spacing = np.asarray(geometry.spacing)
    if (
        np.isfinite(pixdim).all()
        and (np.abs(pixdim / spacing - 1) > SPACING_DISAGREEMENT).any()
    ):
        notes.append(
            f"pixdim says {by(pixdim)} mm, the sform {by(spacing)} mm; the sform was used."
        )
    return notes


def _corner_distance_mm(geometry: Geometry, affine: np.ndarray) -> float:
    """How far apart, at most, a corner voxel lies under two affines."""
    far = np.array(geometry.shape) - 1
    corners = np.array(np.meshgrid(*([0, n] for n in far), [1])).reshape(4, -1)
    return float(np.linalg.norm(((geometry.affine - affine) @ corners)[:3], axis=0).max())
