"""A head drawn from solids, for tests of what grows in it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medprompt_cli.synthesis.bank import to_positions
from medprompt_cli.synthesis.lesion_sites import find_sites

HEAD_SHAPE = (104, 120, 104)


def _ball(axes, centre, radii):
    parts = [
        ((axis - at) / radius) ** 2
        for axis, at, radius in zip(axes, centre, radii, strict=True)
    ]
    return parts[0] + parts[1] + parts[2] < 1


def draw_head():
    """FreeSurfer ids at 1 mm along R, A, S, the middle of the brain in the middle."""
    axes = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in HEAD_SHAPE), indexing="ij")
    right = axes[0] > 0
    ids = np.zeros(HEAD_SHAPE, np.int16)
    ids[_ball(axes, (0, 0, 0), (51, 59, 51))] = 515
    ids[_ball(axes, (0, 0, 0), (46, 54, 46))] = 24
    cerebrum = _ball(axes, (0, 0, 0), (43, 51, 43)) & (np.abs(axes[0]) > 1)
    ids[cerebrum] = np.where(right, 42, 3)[cerebrum]
    white = _ball(axes, (0, 0, 0), (38, 46, 38))
    ids[white] = np.where(right, 41, 2)[white]
    mirrored = [np.abs(axes[0]), axes[1], axes[2]]
    for (left_id, right_id), centre, radii in (
        ((4, 43), (8, -2, 6), (5, 22, 7)),
        ((10, 49), (9, -8, -7), (6, 9, 6)),
        ((12, 51), (20, 4, -4), (5, 10, 8)),
        ((8, 47), (14, -26, -28), (14, 14, 11)),
        ((7, 46), (12, -24, -26), (7, 7, 5)),
    ):
        inside = _ball(mirrored, centre, radii)
        ids[inside] = np.where(right, right_id, left_id)[inside]
    ids[_ball(axes, (0, -14, -28), (8, 8, 16))] = 16
    return ids


@pytest.fixture(scope="session")
def lesion_head():
    """Positions in `PAINT_CLASSES`, (104, 120, 104) uint8 at 1 mm."""
    return torch.from_numpy(to_positions(draw_head(), "head"))


@pytest.fixture(scope="session")
def lesion_sites(lesion_head):
    """Candidate places of that head."""
    return find_sites(lesion_head)
