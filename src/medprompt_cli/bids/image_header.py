"""What an image header promises, checked before a voxel is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import InputError

MAX_VOXELS = 2**31
"""Larger grids are refused: 8 GiB in float32, twenty times a 512 x 512 x 400 CT."""

MIN_IN_PLANE = 8
"""Voxels wanted along each of the two longest axes; less shows no anatomy."""

MAX_SPACING_MM = 20.0
"""Voxels farther apart along any axis are refused: structures fall between them."""

MIN_SPACING_MM = 0.05
"""Voxels closer along any axis are refused: microscopy, or a wrong unit."""

MIN_AXIS_INDEPENDENCE = 0.1
"""Voxel volume over the product of spacings: 1 for a box, 0 for axes in one plane."""

READABLE_DTYPES = frozenset(
    np.dtype(name) for name in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")
)
"""Stored types that hold one real number a voxel, in the machine's byte order."""

MANY = 1e12
"""Numbers from here on are not written out."""

REEXPORT_AFFINE = "Export the image again with its orientation, for example from DICOM."


@dataclass(frozen=True, eq=False)
class Layout:
    """How the voxels lie in the file.

    Attributes:
        dtype: Type of a stored voxel, byte order included.
        offset: Content bytes before the first voxel.
        slope: Factor from stored value to intensity; 1 if the header has none.
        inter: Added after the factor; 0 if the header has none.
    """

    dtype: np.dtype
    offset: int
    slope: float = 1.0
    inter: float = 0.0

    @property
    def scaled(self) -> bool:
        """Whether stored values differ from intensities."""
        return (self.slope, self.inter) != (1.0, 0.0)


@dataclass(frozen=True, eq=False)
class ImageHeader:
    """A 3D image before its voxels are read.

    Attributes:
        shape: Voxels along the array axes, (I, J, K); singleton axes after K left out.
        geometry: The grid, in RAS+ mm.
        dtype: Name of the stored type, e.g. `int16`.
        notes: What was found and mended, one sentence each.
        layout: How the voxels lie in the file.
    """

    shape: tuple[int, int, int]
    geometry: Geometry
    dtype: str
    notes: tuple[str, ...]
    layout: Layout


def spatial_shape(path: Path, sizes: list[int]) -> tuple[int, int, int]:
    """Three axis lengths out of all of a header's; refuse what is not one volume.

    Raises:
        InputError: For an axis without voxels, a series of volumes, a slice, a line,
            a single voxel, and a grid too small or too large to be a scan.
    """
    if any(size < 1 for size in sizes):
        raise InputError(
            f"{path} has a damaged header: axis lengths {by(sizes)}.",
            remedy="Re-export the image.",
            code="bad-header",
        )
    volumes = int(np.prod(sizes[3:], dtype=object))
    if volumes > 1:
        raise InputError(
            f"{path} is four-dimensional: a series of {volumes} volumes, {by(sizes)}.",
            remedy="Give one volume: extract it from the series, or average over time.",
            code="four-dimensional",
        )
    i, j, k = (*sizes, 1, 1)[:3]
    _refuse_flat(path, (i, j, k))
    _refuse_size(path, (i, j, k))
    return i, j, k


def _refuse_flat(path: Path, shape: tuple[int, int, int]) -> None:
    what, code = {
        0: ("", ""),
        1: ("two-dimensional: a single slice", "two-dimensional"),
        2: ("a single line of voxels", "one-dimensional"),
        3: ("a single voxel", "single-voxel"),
    }[shape.count(1)]
    if code:
        raise InputError(
            f"{path} is {what}, {by(shape)}.",
            remedy="Give a 3D image: all slices of the scan in one file.",
            code=code,
        )


def _refuse_size(path: Path, shape: tuple[int, int, int]) -> None:
    if sorted(shape)[1] < MIN_IN_PLANE:
        raise InputError(
            f"{path} is too small, {by(shape)}: two axes need {MIN_IN_PLANE} voxels or more.",
            remedy="Give the whole scan.",
            code="too-small",
        )
    if int(np.prod(shape, dtype=object)) > MAX_VOXELS:
        raise InputError(
            f"{path} is too large, {by(shape)}: more than {MAX_VOXELS} voxels.",
            remedy="Crop or downsample the image, or check its header.",
            code="too-large",
        )


def checked_geometry(path: Path, shape: tuple[int, int, int], affine: np.ndarray) -> Geometry:
    """The grid of a header, its affine kept to the last bit; refuse an unusable one.

    Raises:
        InputError: If the affine, (4, 4) to RAS+ mm, holds NaN or inf, is zero, has
            axes in one plane, or puts voxels too far apart or too close.
    """
    axes = np.asarray(affine, dtype=np.float64)[:3, :3]
    if not np.isfinite(affine).all():
        raise _affine_error(path, f"holds NaN or inf: {affine.tolist()}", "bad-affine")
    if not axes.any():
        raise _affine_error(path, "is all zero", "zero-affine")
    with np.errstate(all="ignore"):
        spacing = np.linalg.norm(axes, axis=0)
        unit = axes / spacing
    if not np.isfinite(unit).all() or abs(np.linalg.det(unit)) < MIN_AXIS_INDEPENDENCE:
        raise _affine_error(path, f"has axes in one plane: {axes.tolist()}", "singular-affine")
    _refuse_spacing(path, spacing)
    return Geometry(shape, affine)


def _refuse_spacing(path: Path, spacing: np.ndarray) -> None:
    if spacing.max() > MAX_SPACING_MM:
        raise InputError(
            f"{path} has voxels {by(spacing)} mm apart: "
            f"more than {MAX_SPACING_MM:g} mm along one axis.",
            remedy="Give a scan with thinner slices, or correct the spacing in its header.",
            code="slices-too-thick",
        )
    if spacing.min() < MIN_SPACING_MM:
        raise InputError(
            f"{path} has voxels {by(spacing)} mm apart: "
            f"less than {MIN_SPACING_MM:g} mm along one axis.",
            remedy="Check the header: its spacing may be in another unit than it says.",
            code="spacing-too-fine",
        )


def _affine_error(path: Path, what: str, code: str) -> InputError:
    return InputError(
        f"{path}: its affine {what}.",
        remedy=REEXPORT_AFFINE,
        code=code,
    )


def stored_dtype(path: Path, code: int, name: str, dtype: np.dtype | None) -> np.dtype:
    """The type of a stored voxel; refuse what is not one real number a voxel.

    Args:
        path: The file, for messages.
        code: The header's code for the type.
        name: The format's word for the type.
        dtype: Its numpy type; None if there is none.
    """
    if dtype is not None and dtype in READABLE_DTYPES:
        return dtype
    if dtype is not None and dtype.names:
        problem, remedy = "rgb", "Give the scan itself, not a coloured rendering of it."
    elif name.startswith("complex"):
        problem, remedy = "complex", "Give the magnitude image."
    else:
        problem, remedy = "unsupported-dtype", "Convert it to 16-bit integers or 32-bit floats."
    raise InputError(
        f"{path} stores {name} voxels (type code {code}): not one real number each.",
        remedy=remedy,
        code=problem,
    )


def by(values: Iterable[float]) -> str:
    """Write sizes the way people say them: `256 x 256 x 40`."""
    return " x ".join(
        f"{value:.4g}" if value % 1 or abs(value) >= MANY else f"{value:.0f}"
        for value in values
    )
