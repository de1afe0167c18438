"""From stored values to intensities: scaled, float32, finite, and not all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from medprompt_cli.bids.image_header import Layout
from medprompt_cli.errors import InputError

NonFinite = Literal["refuse", "zero"]
"""What to do with NaN and inf: refuse the image, or read them as 0 with a note."""


def to_intensities(
    path: Path, stored: np.ndarray, layout: Layout, non_finite: NonFinite = "refuse"
) -> tuple[np.ndarray, list[str]]:
    """Scale `stored` to float32, in place if it is float32 already; return notes as well.

    Raises:
        InputError: If voxels are NaN or inf and that is refused, too large for float32,
            or all the same.
    """
    bad, counted = _non_finite(stored)
    if bad is not None and non_finite == "refuse":
        raise InputError(
            f"{path} holds {counted}.",
            remedy="Mend the export, or write numbers in their place, such as 0.",
            code="non-finite",
        )
    with np.errstate(all="ignore"):
        voxels = stored.astype(np.float32, copy=False)
        if layout.scaled:
            voxels *= np.float32(layout.slope)
            voxels += np.float32(layout.inter)
    if bad is not None:
        voxels[bad] = 0
    _refuse_overflow(path, voxels, layout)
    _refuse_constant(path, voxels)
    return voxels, [f"{counted} were read as 0."] if counted else []


def _non_finite(stored: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Where NaN and inf are, and how many in words; None and nothing if nowhere."""
    if stored.dtype.kind != "f":
        return None, ""
    finite = np.isfinite(stored)
    if finite.all():
        return None, ""
    bad = np.logical_not(finite, out=finite)
    nan = int(np.isnan(stored).sum())
    return bad, f"{nan} NaN and {int(bad.sum()) - nan} infinite voxels"


def _refuse_overflow(path: Path, voxels: np.ndarray, layout: Layout) -> None:
    """Refuse inf that converting or scaling made; the stored ones are gone by now."""
    if voxels.dtype == layout.dtype and not layout.scaled:
        return
    finite = np.isfinite(voxels)
    if not finite.all():
        raise InputError(
            f"{path} holds {int(voxels.size - finite.sum())} voxels too large for float32 "
            f"({layout.dtype.name} scaled by {layout.slope:g} plus {layout.inter:g}).",
            remedy="Rescale the image to ordinary intensities.",
            code="overflow",
        )


def _refuse_constant(path: Path, voxels: np.ndarray) -> None:
    low, high = float(voxels.min()), float(voxels.max())
    if low == high:
        raise InputError(
            f"{path} shows nothing: all voxels are {low:g}.",
            remedy="Re-export the image, or leave it out.",
            code="all-zero" if low == 0 else "constant",
        )
