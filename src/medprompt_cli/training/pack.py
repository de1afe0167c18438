"""Label maps on disk to one packed file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.bank import PackedLabels, crop_box, to_positions, write_bank

MILLIMETRE = 0.05
"""How far from 1 mm the spacing of a label map may be."""


def pack_folder(folder: Path, bank: Path) -> tuple[PackedLabels, ...]:
    """Read every label map in `folder`, in order of name, and write them to `bank`.

    Raises:
        InputError: If there are none, or one is empty, not at 1 mm or has unknown ids.
    """
    from medprompt_cli.bids.images import is_image_name

    paths = sorted(path for path in folder.glob("*") if is_image_name(path.name))
    if not paths:
        raise InputError(
            f"{folder} holds no label maps.",
            remedy="Give a folder of .nii.gz or .mgz label maps.",
            code="no-images",
        )
    maps = tuple(_pack(path) for path in paths)
    write_bank(bank, maps)
    return maps


def _pack(path: Path) -> PackedLabels:
    from medprompt_cli.bids.nifti import read_labels

    labels = read_labels(path)
    spacing = labels.geometry.canonical().spacing
    if max(abs(step - 1.0) for step in spacing) > MILLIMETRE:
        raise InputError(
            f"{path}: spacing {spacing} mm; label maps are painted at 1 mm.",
            remedy="Resample the label map to 1 mm with nearest-neighbour interpolation.",
            code="not-1mm",
        )
    if not labels.voxels.any():
        raise InputError(
            f"{path} holds no label above 0.",
            remedy="Take the file out of the folder.",
            code="empty",
        )
    voxels = to_canonical(np.asarray(labels.voxels), labels.geometry)
    voxels = np.ascontiguousarray(voxels[crop_box(voxels)])
    return PackedLabels(path.name, to_positions(voxels, str(path)), spacing)
