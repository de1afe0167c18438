"""What is measured of every region unless something else is asked for.

One pass over the image gives volumes, places and intensities of all regions of a map; what
needs the shape of a region is measured on the box that the pass found for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.measurement import Measurement, Status
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.cutout import (
    Connectivity,
    Cutout,
    connected_pieces,
    cut_box,
)
from medprompt_cli.measurement.diameters import bidimensional, longest_mm
from medprompt_cli.measurement.intensity import unit_of
from medprompt_cli.measurement.labels import LabelStatistics, measure_labels
from medprompt_cli.measurement.place import BOX, CENTROID, CORNERS
from medprompt_cli.measurement.surface import area_mm2

FEWEST_VOXELS = 10
"""Fewer have no shape or spread to speak of: their surface, asymmetry and standard deviation
are not given. Where a ball of this volume happens to lie on the grid moves the number of
its voxels by 12 % (one standard deviation); with 100 voxels it is 3 %."""

INTENSITIES = ("mean", "std")

NEED_VOXELS = frozenset({"surface-area", "std"})
"""Quantities that a region of fewer than `FEWEST_VOXELS` does not have."""


def _bidimensional(cutout: Cutout) -> float:
    grid = Geometry(cutout.voxels.shape, cutout.grid.affine)  # lengths do not ask where it is
    return bidimensional(Mask("", cutout.voxels, grid)).value or 0.0


SHAPES: dict[str, tuple[str, Callable[[Cutout], float]]] = {
    "max-diameter": ("mm", longest_mm),
    "bidimensional": ("mm2", _bidimensional),
    "surface-area": ("mm2", area_mm2),
}
"""Quantities that need the shape of a region: unit, and how they are measured."""

STANDARD: tuple[str, ...] = ("volume", "count", *SHAPES, *CENTROID, *BOX, *INTENSITIES)
"""Every quantity measured here, in the order of the table."""

UNIT_OF = {
    **{"volume": "mL", "count": "1"},
    **dict.fromkeys((*CENTROID, *BOX), "mm"),
    **{quantity: unit for quantity, (unit, _) in SHAPES.items()},
}
"""Units of all but the intensities, whose unit is that of the image."""


@dataclass(frozen=True)
class RegionMeasured:
    """What was measured of one region.

    Attributes:
        region: Its name.
        voxels: How many it has.
        largest_share: Of them in the largest connected piece; 0 without voxels.
        measurements: In the order of `STANDARD`; of intensities those of the first image.
        others: Of every further image its intensities.
    """

    region: str
    voxels: int
    largest_share: float
    measurements: tuple[Measurement, ...]
    others: tuple[tuple[Measurement, ...], ...] = ()


def measure_map(
    labels: LabelMap,
    images: Sequence[Volume] = (),
    shapes_of: Callable[[str], Collection[str]] | None = None,
    connectivity: Connectivity = CORNERS,
) -> list[RegionMeasured]:
    """Measure every region that a label map names, present or not, by id.

    Args:
        labels: Regions that do not overlap.
        images: Whose intensities are measured, on the same grid.
        shapes_of: Which of `SHAPES` to measure of a region: they take the most time, the
            surface above all. All if None.
        connectivity: What makes a connected piece, as of `find_instances`.

    Raises:
        InputError: If a voxel has an id without a name, two ids have one name, or the grids
            differ.
    """
    found = measure_labels(labels, images[0] if images else None)
    _check_names(found.regions)
    first, *further = (
        _by_region(statistics)
        for statistics in (found, *(measure_labels(labels, image) for image in images[1:]))
    )
    measured: list[RegionMeasured] = []
    for row, cutout in enumerate(_cutouts(labels, found)):
        region = found.regions[row]
        wanted = SHAPES if shapes_of is None else shapes_of(region)
        count, share = _pieces(region, cutout, connectivity)
        numbers = {**first[region], "count": count, **_shapes(region, cutout, wanted)}
        voxels = int(found.voxels[row])
        kept = tuple(_enough(numbers[q], voxels) for q in STANDARD if q in numbers)
        others = tuple(
            tuple(_enough(other[region][q], voxels) for q in INTENSITIES) for other in further
        )
        measured.append(RegionMeasured(region, voxels, share, kept, others))
    return measured


def measure_mask(
    mask: Mask,
    images: Sequence[Volume] = (),
    shapes_of: Callable[[str], Collection[str]] | None = None,
    connectivity: Connectivity = CORNERS,
) -> RegionMeasured:
    """Measure one region, as `measure_map` does."""
    voxels = np.asarray(mask.voxels, dtype=bool).view(np.uint8)
    alone = LabelMap(voxels, mask.geometry, {1: mask.region})
    return measure_map(alone, images, shapes_of, connectivity)[0]


def unmeasured(
    region: str,
    status: Status,
    images: Sequence[Volume] = (),
    shapes: Collection[str] = tuple(SHAPES),
) -> RegionMeasured:
    """Every quantity of a region without a voxel, with the status that says why.

    Of what is absent there are 0 pieces, and that is measured.
    """
    left_out = {*(SHAPES.keys() - set(shapes)), *(() if images else INTENSITIES)}
    unit = unit_of(images[0]) if images else "1"
    none = [
        Measurement.missing(region, quantity, UNIT_OF.get(quantity, unit), status)
        for quantity in STANDARD
        if quantity not in left_out
    ]
    others = tuple(
        tuple(Measurement.missing(region, q, unit_of(image), status) for q in INTENSITIES)
        for image in images[1:]
    )
    counted = tuple(
        Measurement(region, "count", 0, "1")
        if (m.quantity, status) == ("count", "absent")
        else m
        for m in none
    )
    return RegionMeasured(region, 0, 0.0, counted, others)


def _check_names(regions: Sequence[str]) -> None:
    twice = next((name for name in regions if regions.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"Two ids of a label map are both named {twice!r}.",
            remedy="Give every id a name of its own.",
            code="name-twice",
        )


def _by_region(found: LabelStatistics) -> dict[str, dict[str, Measurement]]:
    by_region: dict[str, dict[str, Measurement]] = {name: {} for name in found.regions}
    for measurement in found.measurements():
        by_region[measurement.region][measurement.quantity] = measurement
    return by_region


def _cutouts(labels: LabelMap, found: LabelStatistics) -> Iterator[Cutout | None]:
    """Every region in the box that the pass found for it; None without a voxel."""
    voxels = to_canonical(labels.voxels, labels.geometry)
    grid = labels.geometry.canonical()
    for row, index in enumerate(found.ids):
        first, last = found.spans[row]
        box = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        there = bool(found.voxels[row])
        yield cut_box(voxels[box] == index, grid, first) if there else None


def _pieces(
    region: str, cutout: Cutout | None, connectivity: Connectivity
) -> tuple[Measurement, float]:
    """How many pieces, and which share of the voxels the largest holds."""
    if cutout is None:
        return Measurement(region, "count", 0, "1"), 0.0
    labels, number = connected_pieces(cutout.voxels, connectivity)
    sizes = np.bincount(labels.ravel())[1:]
    return Measurement(region, "count", number, "1"), float(sizes.max() / sizes.sum())


def _shapes(
    region: str, cutout: Cutout | None, wanted: Collection[str]
) -> dict[str, Measurement]:
    return {
        quantity: Measurement.missing(region, quantity, unit, "absent")
        if cutout is None
        else Measurement(region, quantity, measure(cutout), unit)
        for quantity, (unit, measure) in SHAPES.items()
        if quantity in wanted
    }


def _enough(measurement: Measurement, voxels: int) -> Measurement:
    """The same, or no value if so few voxels do not have it."""
    few = 0 < voxels < FEWEST_VOXELS and measurement.quantity in NEED_VOXELS
    return measurement.withheld("failed_qc") if few else measurement
