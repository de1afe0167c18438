"""Label maps on disk to one packed file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.bank import PackedLabels, crop_box, to_positions, write_bank

if TYPE_CHECKING:
    from medprompt_cli.training.atlas import Atlas

Report = Callable[[PackedLabels, dict[str, float]], None]
"""Called with each map as it is done, and with the Dice of what the atlas shares with it."""

MILLIMETRE = 0.05
"""How far from 1 mm the spacing of a label map may be."""

LEAST_OVERLAP = 0.6
"""Mean Dice over structures below which the atlas is not where the brain is."""


def pack_folder(
    folder: Path, bank: Path, atlas: Atlas | None = None, report: Report | None = None
) -> tuple[PackedLabels, ...]:
    """Read every label map in `folder`, in order of name, and write them to `bank`.

    Args:
        folder: Holds the label maps.
        bank: File to write.
        atlas: Whose parcels each map is given; without one, the maps have no layers.
        report: Called with each map as it is done.

    Raises:
        InputError: If there are no maps, one is empty, not at 1 mm or has unknown ids, or
            the atlas cannot be laid over one.
    """
    from medprompt_cli.bids.images import is_image_name

    paths = sorted(path for path in folder.glob("*") if is_image_name(path.name))
    if not paths:
        raise InputError(
            f"{folder} holds no label maps.",
            remedy="Give a folder of .nii.gz or .mgz label maps.",
            code="no-images",
        )
    maps = []
    for path in paths:
        packed, overlap = _pack(path), {}
        if atlas is not None:
            packed, overlap = _with_parcels(packed, atlas, path)
        if report is not None:
            report(packed, overlap)
        maps.append(packed)
    write_bank(bank, maps)
    return tuple(maps)


def _with_parcels(
    packed: PackedLabels, atlas: Atlas, path: Path
) -> tuple[PackedLabels, dict[str, float]]:
    from medprompt_cli.training.parcels import lay_atlas

    laid = lay_atlas(atlas, packed)
    mean = float(np.mean(list(laid.overlap.values()) or [0.0]))
    if mean < LEAST_OVERLAP:
        raise InputError(
            f"{path}: the atlas, laid over it, overlaps by a Dice of {mean:.2f} only.",
            remedy="Take the map out of the folder, or pack it without an atlas.",
            code="no-overlap",
        )
    return replace(packed, layers=(laid.layer,)), laid.overlap


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
