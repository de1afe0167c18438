"""Parcels: every voxel of a structure goes to the part of it that is likeliest there."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.parcels import FAMILIES, PARCELS
from medprompt_cli.networks.levels import Factors
from medprompt_cli.segmentation.tiling import Box

BATCH = 200_000
"""Voxels looked up at a time."""


def parcel_rows(
    rows: np.ndarray, logits: torch.Tensor, box: Box, factors: Factors
) -> np.ndarray:
    """Rows of `PARCELS` plus 1 for every voxel of a structure that is divided; 0 elsewhere.

    A voxel of a left structure only goes to parcels that are not on the right.

    Args:
        rows: (I, J, K) uint8 rows of `BASE_STRUCTURES` plus 1, on the native grid.
        logits: (P, I', J', K') at the core's level, over `box`.
        box: Where the logits lie, in voxels of the core's level.
        factors: Native voxels per voxel of the core's level.
    """
    found = np.zeros(rows.shape, np.uint8)
    for row, structure in enumerate(BASE_STRUCTURES, start=1):
        choices = choices_of(structure.kind, structure.side)
        if not choices:
            continue
        places = np.argwhere(rows == row)
        for start in range(0, len(places), BATCH):
            some = places[start : start + BATCH]
            best = _likeliest(some, logits[list(choices)], box, factors)
            found[tuple(some.T)] = np.asarray(choices, np.uint8)[best] + 1
    return found


def choices_of(kind: str, side: str) -> tuple[int, ...]:
    """Rows of `PARCELS` a structure is divided into."""
    families = {family for family, parents in FAMILIES.items() if kind in parents}
    return tuple(
        n
        for n, parcel in enumerate(PARCELS)
        if parcel.family in families and parcel.side in {side, "midline"}
    )


def parents_of(row: int) -> tuple[int, ...]:
    """Rows of `BASE_STRUCTURES` plus 1 that a parcel is a part of."""
    return tuple(
        n
        for n, structure in enumerate(BASE_STRUCTURES, start=1)
        if row in choices_of(structure.kind, structure.side)
    )


def _likeliest(
    places: np.ndarray, logits: torch.Tensor, box: Box, factors: Factors
) -> np.ndarray:
    """Which of the (P, I', J', K') logits, interpolated, is greatest at each (V, 3) place."""
    shape = torch.tensor(logits.shape[1:], device=logits.device)
    step = torch.tensor(factors, device=logits.device)
    start = torch.tensor(box.start, device=logits.device)
    at = torch.from_numpy(places).to(logits.device)
    where = (at + 0.5) / step - start  # in core voxels, from the box's edge
    grid = (2 * where / shape - 1).float().flip(-1)[None, None, None]
    values = F.grid_sample(
        logits[None], grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return values[0, :, 0, 0].argmax(dim=0).cpu().numpy()
