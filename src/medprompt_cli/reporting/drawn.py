"""What a page shows of a scan: a part of it in 256 greys, and its regions in layers.

Both the printed slices and the viewer are made of this. The axes run towards R, A and S as
nearly as they can without resampling: a voxel of the page is a voxel of the scan.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.domain.volume import LabelMap, Mask, Volume, check_one_grid
from medprompt_cli.errors import InputError
from medprompt_cli.reporting.colors import color_of, is_cover

MARGIN_MM = 8.0
"""What is kept around the regions."""

WHOLE_HEAD_MM = 90.0
"""Regions that reach less far than this say nothing of where the head ends."""

WINDOW = (1.0, 99.8)
"""Percentiles of the voxels kept of an MR scan, every second along each axis, that become
black and white."""

CT_WINDOW_HU = (0.0, 80.0)
"""Hounsfield units that become black and white: the usual brain window."""

HEAD_SHARE = 0.15
"""Of the way from dark to bright: what is brighter belongs to the head, not to air."""

HEAD_HU = -300.0
"""The same in CT."""

MOST_VOXELS = 16_000_000
"""A scan with more is shown coarser, so that its page still opens: at 1 mm a whole head has
half as many."""

NEAR_VOXELS = 4
"""How far around a place its region is looked for first."""

Place = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class ShownCase:
    """One scan of one visit, with what was found in it.

    Attributes:
        name: Of the case, such as `sub-01_ses-01_T1w`.
        visit: What the visit is called.
        images: On one grid; the first is shown first. Empty if none can be read any more.
        labels: Regions that do not overlap, on the same grid.
        masks: Regions that may.
        places: Where a region is, in RAS+ mm of this scan: by its name, by `NAME#N` for its
            Nth piece, by `NAME@N` for the lesion that has the id N at every visit.
        to_shared: (4, 4) from this scan's world to one that all visits share; None if they
            were not registered.
        notes: What a reader has to know of it, one sentence each.
    """

    name: str
    visit: str
    images: tuple[Volume, ...]
    labels: tuple[LabelMap, ...] = ()
    masks: tuple[Mask, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    to_shared: np.ndarray | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    """One region of a drawn scan.

    Attributes:
        name: Its name.
        color: As `#RRGGBB`.
        layer: Index of the layer that holds it.
        value: What its voxels have there.
        shown: Whether to show it at first: what covers others is not.
    """

    name: str
    color: str
    layer: int
    value: int
    shown: bool


@dataclass(frozen=True, eq=False)
class Drawn:
    """A scan as pages show it.

    Attributes:
        case: What was drawn.
        geometry: Of all arrays here; axes towards R, A, S.
        grays: Of every image, (I, J, K) uint8.
        windows: Of every image, which intensities became 0 and 255.
        layers: (I, J, K) unsigned integers each, 0 for no region.
        regions: Those that have a voxel here.
        coarser: How many voxels of the scan lie along each edge of one here.
    """

    case: ShownCase
    geometry: Geometry
    grays: tuple[np.ndarray, ...]
    windows: tuple[tuple[float, float], ...]
    layers: tuple[np.ndarray, ...]
    regions: tuple[DrawnRegion, ...]
    coarser: tuple[int, int, int] = (1, 1, 1)

    def voxels_of(self, region: DrawnRegion) -> np.ndarray:
        """(I, J, K) bool: where a region is."""
        return self.layers[region.layer] == region.value

    def nearest(self, region: DrawnRegion, place: Place) -> tuple[int, int, int]:
        """The voxel of a region that is nearest to a place: centres may lie outside."""
        at = np.rint(self.geometry.to_voxel(np.asarray(place))).astype(int)
        layer, reach = self.layers[region.layer], NEAR_VOXELS
        last = np.array(layer.shape) - 1
        while True:
            low, high = (np.clip(at + n, 0, last) for n in (-reach, reach))
            box = tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))
            found = np.argwhere(layer[box] == region.value) + low
            apart = np.linalg.norm(self.geometry.to_world(found) - np.asarray(place), axis=1)
            # beyond the box nothing can be nearer than its own nearest side
            known = apart.min(initial=np.inf) <= (reach - 1) * min(self.geometry.spacing)
            if known or reach >= max(layer.shape) * 2:
                i, j, k = found[int(np.argmin(apart))].tolist()
                return i, j, k
            reach *= 4


def draw(case: ShownCase) -> Drawn:
    """Cut a scan to what is worth showing, and make greys and layers of it.

    Raises:
        InputError: If there is no image, or images and regions do not lie on one grid.
    """
    _check_grids(case)
    grid = case.images[0].geometry
    found = [to_canonical(part.voxels, grid) for part in (*case.labels, *case.masks)]
    pictures = [to_canonical(image.voxels, grid) for image in case.images]
    canonical = grid.canonical()
    box = _box(pictures[0], found, case.images[0].modality, canonical)
    steps = _steps([side.stop - side.start for side in box], canonical.spacing)
    box = _whole_blocks(box, steps)
    thin = tuple(slice(s.start + n // 2, s.stop, n) for s, n in zip(box, steps, strict=True))
    stack = _Stack()
    for labels, voxels in zip(case.labels, found, strict=False):
        stack.add_labels(voxels[thin], labels.names)
    for mask, voxels in zip(case.masks, found[len(case.labels) :], strict=True):
        stack.add_mask(np.asarray(voxels[thin], dtype=bool), mask.region)
    both = [
        _grays(_blocks(voxels[box], steps), image.modality)
        for voxels, image in zip(pictures, case.images, strict=True)
    ]
    return Drawn(
        case,
        _grid(canonical, box, steps),
        tuple(gray for gray, _ in both),
        tuple(window for _, window in both),
        tuple(stack.layers),
        tuple(stack.shown()),
        steps,
    )


def _check_grids(case: ShownCase) -> None:
    check_one_grid(case.images)
    grid = case.images[0].geometry
    for part in (*case.labels, *case.masks):
        if not grid.matches(part.geometry):
            what = f"mask {part.region}" if isinstance(part, Mask) else "label map"
            raise InputError(
                f"A {what} of {case.name} does not lie on the grid of its image.",
                remedy="Give masks and image of one and the same scan.",
                code="grid-mismatch",
            )


def _steps(shape: Sequence[int], spacing: Sequence[float]) -> tuple[int, int, int]:
    """How many voxels along each axis to make one of; the finest axes are thinned first."""
    steps = [1, 1, 1]
    while math.prod(n // step for n, step in zip(shape, steps, strict=True)) > MOST_VOXELS:
        axis = min(range(3), key=lambda a: spacing[a] * steps[a])
        steps[axis] += 1
    return steps[0], steps[1], steps[2]


def _whole_blocks(box: tuple[slice, ...], steps: tuple[int, int, int]) -> tuple[slice, ...]:
    """The box without what is left over at its ends."""
    lengths = [(side.stop - side.start) // n * n for side, n in zip(box, steps, strict=True)]
    return tuple(
        slice(side.start, side.start + n) for side, n in zip(box, lengths, strict=True)
    )


def _blocks(voxels: np.ndarray, steps: tuple[int, int, int]) -> np.ndarray:
    """Means of blocks of voxels."""
    if steps == (1, 1, 1):
        return voxels
    i, j, k = (n // step for n, step in zip(voxels.shape, steps, strict=True))
    a, b, c = steps
    return voxels.reshape(i, a, j, b, k, c).mean(axis=(1, 3, 5))


def _grid(whole: Geometry, box: tuple[slice, ...], steps: tuple[int, int, int]) -> Geometry:
    """The grid of the blocks of a box."""
    i, j, k = ((side.stop - side.start) // step for side, step in zip(box, steps, strict=True))
    first = [side.start + (step - 1) / 2 for side, step in zip(box, steps, strict=True)]
    affine = whole.affine @ np.diag([*steps, 1.0])
    affine[:3, 3] = whole.to_world(np.array(first))
    return Geometry((i, j, k), affine)


def _box(
    image: np.ndarray, found: Sequence[np.ndarray], modality: str, grid: Geometry
) -> tuple[slice, slice, slice]:
    """Around all regions; around the head if they are but a small part of it."""
    margin = np.ceil(MARGIN_MM / np.array(grid.spacing)).astype(int)
    spans = [span for span in map(_span, found) if span is not None]
    low, high = _together(spans, image.shape)
    if not spans or (np.array(grid.spacing) * (high - low)).max() < WHOLE_HEAD_MM:
        head = _span(_is_head(image, modality))
        low, high = _together([*spans, *([head] if head else [])], image.shape)
    low, high = np.maximum(low - margin, 0), np.minimum(high + margin, image.shape)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k


def _span(voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """First index and the one after the last, along each axis, of what is not 0."""
    low, high = np.zeros(3, dtype=int), np.zeros(3, dtype=int)
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        along = np.flatnonzero(voxels.any(axis=others))
        if not along.size:
            return None
        low[axis], high[axis] = along[0], along[-1] + 1
    return low, high


def _together(
    spans: Sequence[tuple[np.ndarray, np.ndarray]], shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    if not spans:
        return np.zeros(3, dtype=int), np.array(shape)
    low, high = zip(*spans, strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


def _is_head(image: np.ndarray, modality: str) -> np.ndarray:
    if modality == "CT":
        return image > HEAD_HU
    dark, bright = np.percentile(image[::2, ::2, ::2], WINDOW)
    return image > dark + HEAD_SHARE * (bright - dark)


def _grays(image: np.ndarray, modality: str) -> tuple[np.ndarray, tuple[float, float]]:
    window = CT_WINDOW_HU if modality == "CT" else np.percentile(image[::2, ::2, ::2], WINDOW)
    low, high = float(window[0]), float(window[1])
    if high <= low:
        high = low + 1.0
    scaled = np.clip((image - low) * np.float32(255 / (high - low)), 0, 255)
    return np.rint(scaled).astype(np.uint8), (low, high)


class _Stack:
    """Regions in as few layers as they fit in without touching each other's voxels."""

    def __init__(self) -> None:
        self.layers: list[np.ndarray] = []
        self.regions: list[tuple[str, int, int]] = []
        self._own = 0  # layers before this one are maps of labels, and stay as they are

    def add_labels(self, voxels: np.ndarray, names: Mapping[int, str]) -> None:
        """Add a map of labels, its values made consecutive."""
        ids = [
            index for index in np.flatnonzero(np.bincount(voxels.ravel("K"))).tolist() if index
        ]
        table = np.zeros(int(voxels.max(initial=0)) + 1, np.min_scalar_type(len(ids)))
        table[ids] = np.arange(1, len(ids) + 1)
        named = [(names.get(index, f"label-{index}"), n) for n, index in enumerate(ids, 1)]
        self.regions += [(name, len(self.layers), value) for name, value in named]
        self.layers.append(table[voxels])
        self._own = len(self.layers)

    def add_mask(self, voxels: np.ndarray, name: str) -> None:
        """Add a mask to the first layer that is free where it is."""
        if not voxels.any():
            return
        for at in range(self._own, len(self.layers)):
            if not (self.layers[at] > 0)[voxels].any():
                break
        else:
            at = len(self.layers)
            self.layers.append(np.zeros(voxels.shape, np.uint8))
        value = 1 + sum(layer == at for _, layer, _ in self.regions)
        self.layers[at][voxels] = value
        self.regions.append((name, at, value))

    def shown(self) -> Iterable[DrawnRegion]:
        """Every region, with its colour; what covers others only if there is nothing else."""
        names = [name for name, _, _ in self.regions]
        hidden = {name for name in names if is_cover(name, names)}
        for name, layer, value in self.regions:
            yield DrawnRegion(name, color_of(name), layer, value, name not in hidden)
