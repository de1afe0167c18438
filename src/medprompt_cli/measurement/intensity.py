"""What an image shows inside a region: mean, spread, percentiles, density.

Voxels that are NaN or infinite, as resampling leaves them outside of what was scanned, are
left out; `finite_voxels` counts those that were not. Where none is left, nothing was
measured, and the status is `failed_qc`. The unit is HU in CT; in MR, where the signal has
none, 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.measurement import HOUNSFIELD, Measurement
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError

HIGHEST_PERCENT = 100.0


def mean(mask: Mask, image: Volume) -> Measurement:
    """Mean intensity of the region's voxels."""
    return _measured(mask, image, "mean", np.mean)


def std(mask: Mask, image: Volume) -> Measurement:
    """Standard deviation of the region's voxels: the root of the mean squared deviation.

    Divided by n, not by n - 1: it describes these voxels, and is 0 for one.
    """
    return _measured(mask, image, "std", np.std)


def percentile(mask: Mask, image: Volume, percent: float) -> Measurement:
    """Intensity that `percent` of the region's voxels do not exceed.

    Between two voxels it is interpolated linearly. 50 is the median.

    Raises:
        InputError: If `percent` is not between 0 and 100.

    Source: definition 7 of Hyndman and Fan, Sample quantiles in statistical packages, 1996.
    """
    check_percent(percent)
    return _measured(
        mask, image, percentile_name(percent), lambda found: np.percentile(found, percent)
    )


def percentile_name(percent: float) -> str:
    """The quantity's name, e.g. `percentile-95`."""
    return f"percentile-{percent:g}"


def check_percent(percent: float) -> None:
    """Raise InputError unless it lies between 0 and 100."""
    if not 0 <= percent <= HIGHEST_PERCENT:
        raise InputError(
            f"Percentile {percent:g} was asked for.",
            remedy="Give a percentile from 0 to 100.",
            code="not-a-percentile",
        )


def density(mask: Mask, image: Volume) -> Measurement:
    """Mean density in HU.

    Raises:
        InputError: If the image is not a CT: only there do intensities mean density.
    """
    if image.modality != "CT":
        raise InputError(
            f"The density of {mask.region} was asked for in {image.source or 'an image'},"
            f" which is {image.modality}.",
            remedy="Ask for the mean of this image, or for the density of a CT.",
            code="not-ct",
        )
    return _measured(mask, image, "density", np.mean)


def finite_voxels(mask: Mask, image: Volume) -> Measurement:
    """How many voxels of the region have an intensity, being neither NaN nor infinite."""
    found = len(_finite(mask, image))
    if not np.any(mask.voxels):
        return Measurement.missing(mask.region, "finite-voxels", "1", "absent")
    return Measurement(mask.region, "finite-voxels", found, "1")


def unit_of(image: Volume) -> str:
    """HU in CT, 1 elsewhere."""
    return HOUNSFIELD if image.modality == "CT" else "1"


def check_grids(region: str, geometry: Geometry, image: Volume) -> None:
    """Raise InputError unless the region's grid is that of the image."""
    if not geometry.matches(image.geometry):
        raise InputError(
            f"{region}, on a grid of {geometry.shape}, does not lie on the grid of"
            f" {image.source or 'the image'}, {image.geometry.shape}.",
            remedy="Resample the mask or the image to the grid of the other.",
            code="grid-mismatch",
        )


def _measured(
    mask: Mask, image: Volume, quantity: str, statistic: Callable[[np.ndarray], object]
) -> Measurement:
    found = _finite(mask, image)
    unit = unit_of(image)
    if found.size:
        value = float(np.asarray(statistic(found)))
        return Measurement(mask.region, quantity, value, unit)
    status = "failed_qc" if np.any(mask.voxels) else "absent"
    return Measurement.missing(mask.region, quantity, unit, status)


def _finite(mask: Mask, image: Volume) -> np.ndarray:
    """(N,) float64: intensities of the region, in one order for all orders of axes."""
    check_grids(mask.region, mask.geometry, image)
    inside = to_canonical(np.asarray(mask.voxels, dtype=bool), mask.geometry)
    found = to_canonical(image.voxels, image.geometry)[inside].astype(np.float64)
    return found[np.isfinite(found)]
