"""Pictures to judge masks by eye: slices with the outlines of a label map on them.

PNG files are written by SimpleITK, which is there for DICOM anyway.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medprompt_cli.bids.label_table import DISPLAY
from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.errors import OutputError
from medprompt_cli.evaluation.masks import check_grid

MARGIN_MM = 12.0
"""What is shown around the labels."""

PIXEL_MM = 0.5
MAX_PIXELS = 512
"""Size of a pixel, made larger where a slice would not fit in MAX_PIXELS."""

WINDOW = (1.0, 99.5)
"""Percentiles of the shown voxels of an MR scan that become black and white."""

CT_WINDOW_HU = (0.0, 80.0)
"""Hounsfield units that become black and white: the usual brain window."""

LETTERS = {
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "R": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
}
"""Lines of pixels, from the top, of what stands at the patient's sides."""

LETTER_SCALE = 2
"""Picture pixels for each pixel of a letter."""

OTHER_COLOR = (255, 255, 0)
"""Outline of an id that is no base structure."""

MIDDLE = (0.2, 0.8)
"""Shares of the box between which slices are taken."""

PLANES = (2, 1, 0)
"""Axial, coronal, sagittal: the world axis the slices lie across."""


def mosaic(volume: Volume, labels: LabelMap, slices: int = 5) -> np.ndarray:
    """Draw axial, coronal and sagittal slices, one row each.

    The patient's left is on the left side of the picture, as `L` and `R` beside axial
    and coronal slices say; up is anterior or superior. The slices are spread over the box of
    the labels; without any label, over the image. CT is shown in a brain window.

    Args:
        volume: The image.
        labels: On the same grid.
        slices: In each row.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: If the two do not lie on one grid.
    """
    check_grid(volume.geometry, labels.geometry, (volume.source or "the image", "its labels"))
    image = to_canonical(volume.voxels, volume.geometry)
    ids = to_canonical(labels.voxels, volume.geometry)
    spacing = np.array(volume.geometry.canonical().spacing)
    box = _box(ids, spacing)
    image, ids = _gray(image[box], volume.modality), ids[box]
    colors = _colors(int(ids.max(initial=0)))
    step = max(PIXEL_MM, float((np.array(ids.shape) * spacing).max()) / MAX_PIXELS)
    rows = []
    for plane in PLANES:
        scale = np.delete(spacing, plane) / step
        panels = [
            _panel(image.take(at, plane), ids.take(at, plane), colors, scale)
            for at in _spread(ids.shape[plane], slices)
        ]
        row = np.concatenate(panels, axis=1)
        rows.append(row if plane == 0 else _lettered(row))
    width = max(row.shape[1] for row in rows)
    wide = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    return np.concatenate(wide, axis=0)


def write_png(picture: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) uint8 as PNG.

    Raises:
        OutputError: If it cannot be written.
    """
    import SimpleITK

    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(picture), isVector=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        SimpleITK.WriteImage(image, str(path))
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"{path} could not be written: {error}.",
            remedy="Give a file name that ends in .png, in a folder you may write to.",
        ) from error


def _box(ids: np.ndarray, spacing: np.ndarray) -> tuple[slice, ...]:
    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        along = np.flatnonzero(ids.any(axis=others))
        margin = round(MARGIN_MM / spacing[axis])
        low, high = (along[0], along[-1]) if len(along) else (0, ids.shape[axis] - 1)
        box.append(slice(max(0, int(low) - margin), int(high) + margin + 1))
    return tuple(box)


def _gray(image: np.ndarray, modality: str) -> np.ndarray:
    low, high = CT_WINDOW_HU if modality == "CT" else np.percentile(image, WINDOW)
    scaled = (image - low) / max(float(high - low), 1e-6)
    return (np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _colors(largest: int) -> np.ndarray:
    """Outline colour, (largest + 1, 3) uint8, of every id."""
    table = np.full((max(largest, 255) + 1, 3), OTHER_COLOR, np.uint8)
    for structure in BASE_STRUCTURES:
        color = DISPLAY[structure.kind][1].lstrip("#")
        table[structure.index] = tuple(bytes.fromhex(color))
    return table


def _spread(length: int, count: int) -> list[int]:
    """Indices spread evenly over the middle of a length, without its thin ends."""
    middle = np.linspace(*MIDDLE, count) if count > 1 else np.array([0.5])
    return [int(share * length) for share in middle]


def _panel(
    gray: np.ndarray, ids: np.ndarray, colors: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """One slice (U, V) as (H, W, 3): U to the right, V up, closed outlines inside labels."""
    across, up = (
        np.minimum((np.arange(max(1, round(n * s))) / s).astype(int), n - 1)
        for n, s in zip(gray.shape, scale, strict=True)
    )
    large = np.ix_(across, up)
    gray, ids = gray[large].T[::-1], ids[large].T[::-1]
    around = np.pad(ids, 1)
    beside = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
    edge = np.any([other != ids for other in beside], axis=0) & (ids > 0)
    drawn = np.repeat(gray[..., None], 3, axis=2)
    drawn[edge] = colors[ids[edge]]
    return drawn


def _lettered(row: np.ndarray) -> np.ndarray:
    """Slices (H, W, 3) with L and R, white on black, in the lower corners, under outlines."""
    lettered = row.copy()
    for name, lines in LETTERS.items():
        letter = np.array([[255 * int(pixel) for pixel in line] for line in lines], np.uint8)
        stamp = np.kron(np.pad(letter, 1), np.ones((LETTER_SCALE, LETTER_SCALE), np.uint8))
        height, width = stamp.shape
        if row.shape[0] < height or row.shape[1] < 2 * width:
            return row
        corner = slice(None, width) if name == "L" else slice(-width, None)
        lettered[-height:, corner] = stamp[..., None]
    outlines = (row != row[..., :1]).any(axis=2)
    lettered[outlines] = row[outlines]
    return lettered
