"""Read NIfTI and MGH images: the header, the intensities, or the labels.

Voxels come in the file's own order, I fastest (Fortran order), and on the file's own
grid. What is refused, and what is mended and noted, stands in the README under
*Reading rules*.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medprompt_cli.bids import mgh_header, nifti_header
from medprompt_cli.bids.byte_source import ByteSource, open_source, shown_bytes
from medprompt_cli.bids.image_header import ImageHeader
from medprompt_cli.bids.intensities import NonFinite, to_intensities
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.errors import InputError

MAX_LABEL = 2**32 - 1
"""Largest label read; FreeSurfer's largest is below 2**15."""


def read_header(path: Path) -> ImageHeader:
    """Read only the header, and check all that can be checked without the voxels.

    Truncation shows by the file's size; in a gzip stream only if grave.

    Raises:
        InputError: If the file cannot be read as one 3D scan; its code says why.
    """
    with open_source(path) as source:
        return _header(source)


def read_volume(path: Path, *, non_finite: NonFinite = "refuse") -> Volume:
    """Read an image as float32 on its own grid, scaled as its header says.

    Holds the stored voxels and their float32 copy at most; float32 files are not copied.

    Raises:
        InputError: If the file cannot be read as one 3D scan; its code says why.
    """
    header, stored, notes = _read_stored(path)
    voxels, mended = to_intensities(path, stored, header.layout, non_finite)
    return Volume(voxels, header.geometry, "MR", str(path), (*header.notes, *notes, *mended))


def read_labels(path: Path, names: dict[int, str] | None = None) -> LabelMap:
    """Read a label map in the smallest unsigned type that holds its largest label.

    Args:
        path: The file; integers, or floats that are whole numbers. May be all 0.
        names: Region name of each label; `label-17` where a label found has none.

    Raises:
        InputError: If the file cannot be read, or holds what is no label: a fraction,
            NaN, a negative number, or one above MAX_LABEL.
    """
    header, stored, _ = _read_stored(path)
    layout = header.layout
    if layout.scaled:
        with np.errstate(all="ignore"):
            stored = stored.astype(np.float64) * layout.slope + layout.inter
    _refuse_non_labels(path, stored)
    voxels = stored.astype(np.min_scalar_type(int(stored.max())))
    found = {int(label): f"label-{label}" for label in _distinct(voxels) if label}
    return LabelMap(voxels, header.geometry, found | (names or {}))


@np.errstate(all="ignore")
def _header(source: ByteSource) -> ImageHeader:
    """The header, checked; damaged numbers may overflow on the way and are refused."""
    start = source.take(4)
    if found := nifti_header.byte_order(start):
        header = nifti_header.parse_nifti(source, start, *found)
    elif start == mgh_header.VERSION:
        header = mgh_header.parse_mgh(source, start)
    else:
        raise InputError(
            f"{source.path} is neither NIfTI nor MGH: it begins with {shown_bytes(start)}.",
            remedy="Give a .nii, .nii.gz, .mgh or .mgz file, or a DICOM folder.",
            code="not-an-image",
        )
    voxels = int(np.prod(header.shape, dtype=object))
    source.require(header.layout.offset + voxels * header.layout.dtype.itemsize)
    return header


def _read_stored(path: Path) -> tuple[ImageHeader, np.ndarray, list[str]]:
    """Header, voxels (I, J, K) as stored, and notes; the whole file is checked."""
    with open_source(path) as source:
        try:
            header = _header(source)
        except InputError:
            source.check_stream()  # a flipped byte may look like a strange header
            raise
        source.skip(header.layout.offset - source.position)
        stored = np.empty(header.shape, header.layout.dtype, order="F")
        source.fill(stored.reshape(-1, order="F").view(np.uint8).data)
        return header, stored, source.finish()


def _refuse_non_labels(path: Path, stored: np.ndarray) -> None:
    """Refuse unless every value is a whole number from 0 to MAX_LABEL."""
    wrong = None
    if stored.dtype.kind == "f":
        with np.errstate(all="ignore"):
            whole = np.trunc(stored) == stored
        if not whole.all():
            wrong = ~whole
    if wrong is None and (stored.min() < 0 or stored.max() > MAX_LABEL):
        wrong = (stored < 0) | (stored > MAX_LABEL)
    if wrong is None:
        return
    i, j, k = (int(n) for n in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    raise InputError(
        f"{path} is not a label map: {int(wrong.sum())} voxels are no whole number from 0 to "
        f"{MAX_LABEL}, such as {stored[i, j, k]:g} at voxel ({i}, {j}, {k}).",
        remedy="Give the label map itself, resampled by nearest neighbour if at all.",
        code="not-labels",
    )


def _distinct(voxels: np.ndarray) -> np.ndarray:
    """The labels that occur, ascending; without sorting where labels are small."""
    if voxels.dtype.itemsize > np.dtype(np.uint16).itemsize:
        return np.unique(voxels)
    seen = np.zeros(int(voxels.max()) + 1, dtype=bool)
    for plane in np.moveaxis(voxels, 2, 0):
        seen[plane] = True
    return np.flatnonzero(seen)
