"""What a quantity of a prompt is called in the table of measurements."""

from __future__ import annotations

from collections.abc import Mapping

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "volume": ("volume", "soft-volume", "visible-volume", "voxels"),
    "count": ("count",),
    "max-diameter": ("max-diameter",),
    "bidimensional": ("bidimensional",),
    "surface-area": ("surface-area",),
    "mean-intensity": ("mean", "std", "finite-voxels"),
    "density": ("mean", "std", "finite-voxels"),
    "asymmetry": ("volume-asymmetry", "soft-volume-asymmetry"),
    "fraction-of-icv": ("volume-fraction-of-icv", "soft-volume-fraction-of-icv"),
    "presence": ("volume", "count"),
}
"""Names of the table by the name of a prompt."""
