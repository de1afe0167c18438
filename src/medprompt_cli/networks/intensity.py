"""What the network expects of intensities: robust range, 0 to about 1."""

from __future__ import annotations

import torch

CT_WINDOW_HU = (-10.0, 90.0)
"""Hounsfield units kept from a CT: fluid to fresh blood, with bone and air cut off."""

RANGE = (0.001, 0.99)
"""Quantiles that become 0 and 1: of all voxels, and of those that are not background."""

CEILING = 1.5
"""Brighter voxels (vessels, fat) are clipped here."""

SAMPLES = 200_000
"""Voxels looked at for the quantiles; evenly strided, so the result is repeatable."""


def intensity_range(image: torch.Tensor) -> tuple[float, float]:
    """Values of `image` that should become 0 and 1."""
    flat = image.reshape(-1)
    flat = flat[:: max(1, flat.numel() // SAMPLES)].float()
    low = torch.quantile(flat, RANGE[0])
    top = torch.quantile(flat, 0.999)
    inside = flat[flat > low + 0.03 * (top - low)]
    high = torch.quantile(inside, RANGE[1]) if inside.numel() else top
    return float(low), float(high) if high > low else float(low) + 1.0


def normalise(image: torch.Tensor) -> torch.Tensor:
    """Scale `image`, any shape, so that its robust range becomes 0 to 1."""
    low, high = intensity_range(image)
    return ((image - low) / (high - low)).clamp_(0.0, CEILING)
