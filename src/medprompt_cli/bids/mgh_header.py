"""FreeSurfer's MGH headers: always big-endian, always in mm."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from nibabel.freesurfer.mghformat import MGHHeader, data_type_codes, header_dtype

from medprompt_cli.bids.byte_source import ByteSource
from medprompt_cli.bids.image_header import (
    REEXPORT_AFFINE,
    ImageHeader,
    Layout,
    checked_geometry,
    spatial_shape,
    stored_dtype,
)
from medprompt_cli.errors import InputError

VERSION = b"\x00\x00\x00\x01"
"""The first four bytes of every MGH file."""

VOXELS_AT = 284
"""Byte of the first voxel. Source: FreeSurfer, MghFormat."""


def parse_mgh(source: ByteSource, start: bytes) -> ImageHeader:
    """Read the header that begins with the four bytes `start`, already taken.

    Raises:
        InputError: If the header is damaged or promises what is not a 3D scan.
    """
    path = source.path
    block = start + source.take(header_dtype.itemsize - len(start))
    header = MGHHeader(block, check=False)
    sizes = [int(size) for size in header["dims"]]
    shape = spatial_shape(path, sizes)
    dtype = _dtype(path, int(header["type"])).newbyteorder(">")
    # Asked of the block: nibabel's header replaces a missing orientation by a guess.
    stored = np.frombuffer(block, header_dtype)[0]
    if int(stored["goodRASFlag"]) <= 0:
        raise InputError(
            f"{path} does not say where it lies: its goodRASFlag is "
            f"{int(stored['goodRASFlag'])}.",
            remedy=REEXPORT_AFFINE,
            code="no-affine",
        )
    affine = np.asarray(header.get_affine(), dtype=np.float64)
    geometry = checked_geometry(path, shape, affine)
    return ImageHeader(shape, geometry, dtype.name, (), Layout(dtype, VOXELS_AT))


def _dtype(path: Path, code: int) -> np.dtype:
    if code not in data_type_codes.code:
        return stored_dtype(path, code, "unknown", None)
    dtype = np.dtype(cast("np.dtype", data_type_codes.numpy_dtype[code])).newbyteorder("=")
    return stored_dtype(path, code, str(data_type_codes.label[code]), dtype)
