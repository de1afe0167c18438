"""Lesions are told from the structures around them by their colour."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.reporting.colors import color_of

APART = 25.0
"""CIE76 distance; 2.3 is one that can just be seen side by side."""


def lab(color: str) -> np.ndarray:
    """sRGB to CIELAB under D65."""
    srgb = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ linear / (0.9505, 1.0, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_lesions_are_told_from_structures_and_from_each_other():
    structures = {color_of(one.kind) for one in BASE_STRUCTURES}
    lesions = [color_of(name) for name in LESIONS]

    pairs = [(a, b) for a in lesions for b in structures] + list(combinations(lesions, 2))
    near = {pair for pair in pairs if np.linalg.norm(lab(pair[0]) - lab(pair[1])) < APART}
    assert near == set()
