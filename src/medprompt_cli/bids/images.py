"""Read any image we know: a NIfTI or MGH file, or a folder of DICOM slices.

Light to import: the names alone cost neither numpy nor nibabel.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from medprompt_cli.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from medprompt_cli.domain.volume import Volume

IMAGE_SUFFIXES = (".nii.gz", ".nii", ".mgz", ".mgh")
"""How the name of an image file ends, in lower case."""

AIR_HU = (-1100.0, -900.0)
"""Air in HU, with the noise of a head scan."""

SOFT_TISSUE_HU = (-150.0, 150.0)
"""From fat to fresh blood."""

MIN_AIR_SHARE = 0.01
MIN_AIR_SHARE_OF_DARK = 0.75
MIN_SOFT_TISSUE_SHARE = 0.05
"""Shares of all voxels, of those below air's upper end, and of all voxels, that make a CT.

A wrapped phase image, even from -4096 to 4095, has no more than 0.04 soft tissue.
"""

SAMPLES_PER_AXIS = 64
"""Voxels looked at along each axis to tell CT from MR."""


def is_image_name(name: str) -> bool:
    """Whether a file of this name is an image; hidden files are not."""
    return not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)


def read_image(
    path: Path,
    *,
    modality: Literal["MR", "CT"] | None = None,
    non_finite: Literal["refuse", "zero"] = "refuse",
) -> Volume:
    """Read an image file, or a folder of DICOM slices, as one float32 volume.

    Args:
        path: A file whose name ends in one of IMAGE_SUFFIXES, or a DICOM folder.
        modality: What the caller knows of a file, for example from its sidecar. Without
            it a file is CT if `looks_like_ct`, with a note. DICOM says so itself.
        non_finite: Refuse an image with NaN or inf, or read such voxels as 0.

    Raises:
        InputError: If nothing readable is there; its code says why.
    """
    mode = _mode(path)
    if stat.S_ISDIR(mode) and not is_image_name(path.name):
        from medprompt_cli.bids.dicom import read_series

        return read_series(path)
    if stat.S_ISREG(mode) and not is_image_name(path.name):
        raise _unknown_name(path)
    from medprompt_cli.bids.nifti import read_volume

    return _with_modality(read_volume(path, non_finite=non_finite), modality)


def _mode(path: Path) -> int:
    """File type bits; 0 if they cannot be had, and the reader will say why."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _unknown_name(path: Path) -> InputError:
    if path.suffix.lower() in {".dcm", ".ima"}:
        return InputError(
            f"{path} is one DICOM file of a series.",
            remedy="Give the folder that holds all its slices.",
            code="dicom-file",
        )
    return InputError(
        f"{path} is not an image file: its name ends in none of {', '.join(IMAGE_SUFFIXES)}.",
        remedy="Convert it to .nii.gz.",
        code="not-an-image",
    )


def _with_modality(volume: Volume, modality: Literal["MR", "CT"] | None) -> Volume:
    from dataclasses import replace

    if modality is not None:
        return replace(volume, modality=modality)
    if not looks_like_ct(volume.voxels):
        return volume
    note = "Taken for CT: its values lie as HU of air and soft tissue do."
    return replace(volume, modality="CT", notes=(*volume.notes, note))


def looks_like_ct(voxels: np.ndarray) -> bool:
    """Whether intensities (I, J, K) lie as Hounsfield units do.

    True if the minimum is -900 or less, and among a sample of the voxels at least
    MIN_AIR_SHARE lie in AIR_HU or at the minimum (padding), these are at least
    MIN_AIR_SHARE_OF_DARK of all voxels below -900, and MIN_SOFT_TISSUE_SHARE lie in
    SOFT_TISSUE_HU. A CT stripped to the brain, with 0 around it, does not look like one.
    """
    sample = voxels[tuple(slice(None, None, -(-n // SAMPLES_PER_AXIS)) for n in voxels.shape)]
    lowest = sample.min()
    dark = sample <= AIR_HU[1]
    air = (dark & (sample >= AIR_HU[0])) | (dark & (sample == lowest))
    soft = (sample >= SOFT_TISSUE_HU[0]) & (sample <= SOFT_TISSUE_HU[1])
    return bool(
        air.mean() >= MIN_AIR_SHARE
        and air.sum() >= MIN_AIR_SHARE_OF_DARK * dark.sum()
        and soft.mean() >= MIN_SOFT_TISSUE_SHARE
    )
