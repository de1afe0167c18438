"""How far the signal of a lesion lies from that of normal tissue of its kind.

Normal tissue is labelled, is no fluid and no lesion, and keeps `GAP_MM` from the lesion. Of
such tissue the first is taken of which there is enough: of the kind that most of the lesion
replaces, near it; of that kind, anywhere, with the other side of the brain; of any kind, near
it. Centre and spread are a median and a median deviation, which a vessel or a missed lesion
among the normal voxels does not move.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from medprompt_cli.characterization.around import (
    box_around,
    check_grids,
    coded,
    inside,
    is_tissue,
    kind_of,
    labelled,
    mm_from,
)
from medprompt_cli.domain.finding import Evidence
from medprompt_cli.domain.measurement import HOUNSFIELD, Status
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

GAP_MM = 2.0
"""Tissue nearer to a lesion is not normal: a mask's border errs by a voxel or two of usual
scans, and these share their signal with it. Own choice."""

REACH_MM = 15.0
"""Tissue within this is near: the receive field of a head coil changes little over so much.
Own choice."""

LEAST_MM3, LEAST_VOXELS = 200.0, 30
"""Less normal tissue than either tells nothing. Of 30 values a median deviation is off by
some 15 %. Own choice."""

OWN_SHARE = 0.5
"""Part of a lesion's tissue that has to be of one kind for it to have that kind."""

MAD_TO_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""

LEAST_SPREAD = 0.01
"""Part of the normal signal that its spread is taken to be at least: images without noise,
as phantoms are, have none, and a contrast of less than a percent is nowhere called one. Own
choice."""

MEDIAN_ERROR = 1.2533
"""A median's standard error over that of a mean: the root of pi / 2."""

CORRELATED_VOXELS = 8
"""Voxels that count as one, as neighbours share their noise: 2 along each axis. Own choice,
after the smoothing that resampling and interpolated reconstruction do."""

FIELD_ERROR = 0.5
"""Standard error of z that no number of voxels takes away, from the receive field and from
where masks are drawn. Own choice."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The signal of a lesion beside that of normal tissue.

    Attributes:
        centre: Median of the lesion.
        spread: Median deviation of the lesion, as a standard deviation.
        voxels: How many of the lesion have a signal.
        normal: Median of the normal tissue.
        normal_spread: Its median deviation, as a standard deviation; not less than it is
            taken to be.
        normal_voxels: How many.
        tissue: Which, in words.
        unit: Of the signal.
    """

    centre: float
    spread: float
    voxels: int
    normal: float
    normal_spread: float
    normal_voxels: int
    tissue: str
    unit: str

    @property
    def z(self) -> float:
        """Lesion minus normal, in spreads of the normal tissue."""
        return (self.centre - self.normal) / self.normal_spread

    @property
    def sampling_error(self) -> float:
        """Standard error of z from how many voxels the two medians are of.

        A few voxels of a lesion may happen to agree; they are taken to scatter no less than
        normal ones.
        """
        own = max(self.spread / self.normal_spread, 1.0)
        of_medians = own**2 / _independent(self.voxels) + 1 / _independent(self.normal_voxels)
        return MEDIAN_ERROR * math.sqrt(of_medians)

    @property
    def error(self) -> float:
        """Standard error of z."""
        return math.hypot(self.sampling_error, FIELD_ERROR)

    def above(self, z: float) -> float:
        """Probability that the true z is greater than this one."""
        return float(ndtr((self.z - z) / self.error))

    def evidence(self, prefix: str = "") -> dict[str, Evidence]:
        """The numbers, by their names."""
        numbers = {
            "z": Evidence(self.z, "1"),
            "z-error": Evidence(self.error, "1"),
            "median": Evidence(self.centre, self.unit),
            "normal-median": Evidence(self.normal, self.unit),
            "normal-spread": Evidence(self.normal_spread, self.unit),
            "spread-ratio": Evidence(self.spread / self.normal_spread, "1"),
            "voxels": Evidence(self.voxels, "1"),
            "normal-voxels": Evidence(self.normal_voxels, "1"),
        }
        return {prefix + name: number for name, number in numbers.items()}

    def note(self) -> str:
        """What it was compared with, as a sentence."""
        return f"Compared with {self.tissue}."


@dataclass(frozen=True, slots=True)
class NoContrast:
    """Why a lesion could not be compared."""

    status: Status
    note: str


def contrast(
    lesion: Mask,
    image: Volume,
    structures: LabelMap,
    others: Mask | None = None,
    least_spread: float = 0.0,
) -> Contrast | NoContrast:
    """Compare a lesion with normal tissue of its kind.

    Args:
        lesion: One instance, or all of a lesion.
        image: What is compared; voxels that are not finite are left out.
        structures: Tissue and fluid; regions without a known name count as tissue.
        others: All lesions, none of which is normal tissue.
        least_spread: What normal tissue is taken to spread at least, where a part of its
            signal says nothing, as in a difference of images.

    Raises:
        InputError: If they lie on different grids.
    """
    check_grids(lesion, image, structures, *([others] if others else []))
    if not lesion.voxels.any():
        return NoContrast("absent", f"There is no voxel of {lesion.region}.")
    own = _finite(inside(lesion, image.voxels))
    if not own.size:
        return NoContrast("failed_qc", "No voxel of it has a finite signal.")
    values, tissue = _normal_values(lesion, image, structures, others)
    if not _enough(len(values), lesion):
        return NoContrast(
            "failed_qc",
            f"There are {len(values)} voxels of normal tissue to compare it with, too few.",
        )
    centre, spread = centre_and_spread(own)
    normal, normal_spread = centre_and_spread(values)
    normal_spread = max(normal_spread, LEAST_SPREAD * abs(normal), least_spread)
    if not normal_spread:
        return NoContrast("failed_qc", "The normal tissue shows one value, and it is 0.")
    unit = HOUNSFIELD if image.modality == "CT" else "1"
    return Contrast(
        *(centre, spread, len(own)), *(normal, normal_spread, len(values)), tissue, unit
    )


def centre_and_spread(values: np.ndarray) -> tuple[float, float]:
    """Median, and median absolute deviation as a standard deviation.

    >>> centre_and_spread(np.array([1.0, 2.0, 3.0, 1000.0]))
    (2.5, 1.4826)
    """
    centre = float(np.median(values))
    return centre, MAD_TO_SD * float(np.median(np.abs(values - centre)))


def _normal_values(
    lesion: Mask, image: Volume, structures: LabelMap, others: Mask | None
) -> tuple[np.ndarray, str]:
    """(N,) signal of the first normal tissue that there is enough of, and its name."""
    box = box_around(lesion, REACH_MM)
    way = mm_from(lesion.voxels[box], lesion.geometry)
    near = (way > GAP_MM) & (way <= REACH_MM) & ~lesion.voxels[box]
    if others is not None:
        near &= ~others.voxels[box]
    kind = _own_kind(lesion, structures)
    if kind is not None:
        alike = labelled(structures, lambda name: kind_of(name) == kind, box)
        values = _finite(image.voxels[box][alike & near])
        if _enough(len(values), lesion):
            return values, f"{kind} near it"
        alike = labelled(structures, lambda name: kind_of(name) == kind)
        alike &= ~lesion.voxels if others is None else ~(lesion.voxels | others.voxels)
        alike[box] &= way > GAP_MM
        values = _finite(image.voxels[alike])
        if _enough(len(values), lesion):
            return values, f"{kind} anywhere"
    tissue = labelled(structures, is_tissue, box)
    return _finite(image.voxels[box][tissue & near]), "tissue of any kind near it"


def _own_kind(lesion: Mask, structures: LabelMap) -> str | None:
    """The kind of tissue that most of the lesion's tissue is labelled as."""
    kinds = sorted({kind_of(name) for name in structures.names.values() if is_tissue(name)})
    if not kinds:
        return None
    places = coded(
        structures,
        inside(lesion, structures.voxels),
        lambda name: kinds.index(kind_of(name)) + 1 if is_tissue(name) else 0,
    )
    counts = np.bincount(places, minlength=len(kinds) + 1)[1:]
    most = int(np.argmax(counts))
    return kinds[most] if counts[most] > OWN_SHARE * counts.sum() else None


def _enough(voxels: int, lesion: Mask) -> bool:
    return voxels >= LEAST_VOXELS and voxels * lesion.geometry.voxel_volume_mm3 >= LEAST_MM3


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)].astype(np.float64)


def _independent(voxels: int) -> float:
    return max(voxels / CORRELATED_VOXELS, 1.0)
