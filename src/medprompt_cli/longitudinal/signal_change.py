"""Where an image became brighter or darker from one visit to another, by more than noise.

Both images are brought to one grid of mid-space, each interpolated once, and divided by the
median of the white matter that looks normal; what receive fields make of the ratio of the two,
smooth as they are, is taken out by half from either. Tissue that is as bright as a voxel, on
average of both visits, says how much such tissue differs anyway (another echo time makes all
cortex brighter) and by how much that varies. A difference beyond it is held against

    noise² = sd² + sum over slices' and in-plane axes of (e g)²

with sd that of tissue as bright, though no less than that of white matter, g the signal's slope
along an axis, and e how far the images may be displaced there: next to a ventricle or a sulcus
the same anatomy, moved by half a millimetre, differs as much as a lesion does. Patches are
looked for in white matter and lesions, and closely around them, and must be brighter than
normal white matter at the visit where they are bright: of T2 contrast, a change of a lesion and
not of fluid. Exchanging the visits exchanges brighter and darker.

A patch is neither a lesion nor a diagnosis. It is independent of the masks of the network, and
so a check on them.

Source: Schmidt et al., Automated segmentation of changes in FLAIR-hyperintense white matter
lesions in multiple sclerosis on serial magnetic resonance imaging, NeuroImage: Clinical 2019,
for holding differences against those of normal-appearing white matter. The error of place and
the comparison with tissue as bright are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import edt
import numpy as np
from scipy import ndimage

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.sampling import sampled
from medprompt_cli.longitudinal.transforms import moved, placed
from medprompt_cli.measurement.instances import find_instances

Way = Literal["brighter", "darker"]

GRID_MM = 1.0
"""Spacing of the grid that differences are taken on."""

INSIDE = 0.9
"""Share of white matter from which a voxel between voxels is of it."""

MAD_TO_SD = 1.4826
"""A standard deviation, over the median distance from the median, of normal noise."""

FIELD_MM = 20.0
"""Standard deviation of the Gaussian within which the ratio of two images is averaged: as when
they are registered, see longitudinal/sampling.py."""

EVERY = 4
"""It is averaged over every fourth voxel along each axis."""

MOST_FIELD, LEAST_NEAR = 0.5, 0.01
"""Logarithms of a ratio beyond this are no field; and the weight of white matter around a voxel
from which on there is an average."""

LEAST_SIGNAL = 0.3
"""What has less, as a share of white matter, is fluid or air: nothing follows of its difference
for tissue. Own choice."""

BRIGHTNESSES, LEAST_ALIKE = 40, 200
"""Into so many sets of equal size tissue is divided by its brightness, each of so many voxels
at least."""

MOST_SIGNAL, SIGNAL_STEPS = 8.0, 4096
"""Brightnesses, as shares of white matter, that are told apart."""

LEAST_WHITE_ML = 50.0
"""With less white matter in both images its noise is not that of the brain. Own choice."""

MM3_PER_ML = 1000.0


@dataclass(frozen=True, slots=True)
class SignalRule:
    """What counts as a patch.

    Attributes:
        least_z: A voxel belongs to a patch from this on.
        peak_z: A patch has a voxel of at least this. Own choices, both.
        bright_sd: Brighter than normal white matter by so many of its standard deviations.
        near_mm: Patches lie in white matter or lesions, or this near.
        least_ml: Smaller is no patch; as the ledger's rule.
        shifted_mm: How far registration may be off: what it was, on average, from the affines
            that came with the scans of two patients.
        shifted_voxels: How far interpolation may be off, as a share of a voxel's length.
    """

    least_z: float = 3.0
    peak_z: float = 5.0
    bright_sd: float = 2.0
    near_mm: float = 3.0
    least_ml: float = 0.014
    shifted_mm: float = 0.3
    shifted_voxels: float = 0.15


RULE = SignalRule()


@dataclass(frozen=True, eq=False)
class SignalVisit:
    """What is taken from one visit.

    Attributes:
        name: The session.
        image: Of T2 contrast.
        to_mid: (4, 4) RAS+ mm of the visit to mid-space.
        white: White matter of the cerebrum, on the image's grid.
        lesions: Any lesions, on the same grid: not normal, and looked at.
    """

    name: str
    image: Volume
    to_mid: np.ndarray
    white: Mask
    lesions: Sequence[Mask] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """One connected place that changed.

    Attributes:
        number: From 1, its id in the map.
        way: What became of it.
        volume_ml: Of all its voxels.
        mean_z: Of its voxels, without a sign.
        peak_z: The largest of these.
        centre_mm: (3,) of its voxels, RAS+ mm of mid-space.
    """

    number: int
    way: Way
    volume_ml: float
    mean_z: float
    peak_z: float
    centre_mm: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class SignalChange:
    """The difference of two visits.

    Attributes:
        first: Name of the earlier visit.
        second: Name of the later.
        z: (I, J, K) float32, later minus earlier over noise; NaN where it was not looked.
        grid: Of mid-space.
        patches: The largest first.
        labels: (I, J, K): the number of the patch of a voxel.
        noise: Standard deviation in normal white matter, as a share of its signal.
        white_ml: How much of it there was.
        rule: What counted as a patch.
    """

    first: str
    second: str
    z: np.ndarray
    grid: Geometry
    patches: tuple[Patch, ...]
    labels: np.ndarray
    noise: float
    white_ml: float
    rule: SignalRule

    def mean_z(self, points: np.ndarray) -> float | None:
        """Mean of the difference at (N, 3) points of mid-space; None if none was looked at."""
        places = np.rint(self.grid.to_voxel(points)).astype(np.intp)
        reached = ((places >= 0) & (places < self.grid.shape)).all(axis=1)
        found = self.z[tuple(places[reached].T)]
        known = found[np.isfinite(found)]
        return float(known.mean()) if known.size else None

    def on_grid(self, geometry: Geometry, to_mid: np.ndarray) -> LabelMap:
        """The patches on the grid of a visit, by the nearest voxel."""
        there = placed(geometry, to_mid)
        numbers = sampled(self.labels, self.grid, there, nearest=True)
        names = {p.number: f"{p.way}-{p.number}" for p in self.patches}
        return LabelMap(numbers, geometry, names)


def find_signal_change(
    first: SignalVisit, second: SignalVisit, rule: SignalRule = RULE
) -> SignalChange:
    """Hold the difference of two visits against that of their normal white matter.

    Raises:
        InputError: If both images show too little of it.
    """
    visits = (first, second)
    grid = _grid_around(visits, rule.near_mm)
    images = [
        sampled(v.image.voxels.astype(np.float32), placed(v.image.geometry, v.to_mid), grid)
        for v in visits
    ]
    whites = [_share(v.white, v, grid) for v in visits]
    lesions = np.any([_share(m, v, grid) > 0 for v in visits for m in v.lesions], axis=0)
    lesions = np.broadcast_to(lesions, grid.shape)
    seen = np.isfinite(images[0]) & np.isfinite(images[1])
    normal = seen & ~lesions & (whites[0] > INSIDE) & (whites[1] > INSIDE)
    white_ml = float(np.count_nonzero(normal)) * grid.voxel_volume_mm3 / MM3_PER_ML
    medians = [float(np.median(i[normal])) if normal.any() else 0.0 for i in images]
    if white_ml < LEAST_WHITE_ML or min(medians) <= 0:
        raise InputError(
            f"{first.name} and {second.name} show {white_ml:.0f} mL of white matter together,"
            f" less than {LEAST_WHITE_ML:.0f} mL.",
            remedy="Look at the masks of white matter: they may not lie on the brain.",
            code="too-little-white-matter",
        )
    scaled = _flattened(
        [
            np.where(seen, image / median, 0).astype(np.float32)
            for image, median in zip(images, medians, strict=True)
        ],
        normal,
        grid,
    )
    near = _near((whites[0] > INSIDE) | (whites[1] > INSIDE) | lesions, grid, rule.near_mm)
    ordinary = near & seen & ~lesions & (np.minimum(*scaled) > LEAST_SIGNAL)
    z, noise = _standardised(scaled, (normal, ordinary), visits, grid, rule)
    z = np.where(seen & near, z, np.nan).astype(np.float32)
    patches, labels = _patches(z, scaled, normal, grid, rule)
    return SignalChange(
        *(first.name, second.name, z, grid, patches, labels, noise, white_ml, rule)
    )


def _grid_around(visits: Sequence[SignalVisit], margin_mm: float) -> Geometry:
    """A grid of mid-space around the white matter and lesions of both visits."""
    corners: list[np.ndarray] = []
    for visit in visits:
        for mask in (visit.white, *visit.lesions):
            places = np.argwhere(mask.voxels)
            if len(places):
                ends = np.where(_CORNERS, places.max(axis=0), places.min(axis=0))
                world = mask.geometry.to_world(ends.astype(float))
                corners.append(moved(world, visit.to_mid))
    if not corners:
        return Geometry((1, 1, 1), np.eye(4))
    every = np.concatenate(corners)
    low, high = every.min(axis=0) - margin_mm, every.max(axis=0) + margin_mm
    i, j, k = (int(n) for n in np.ceil((high - low) / GRID_MM) + 1)
    affine = np.diag([GRID_MM, GRID_MM, GRID_MM, 1.0])
    affine[:3, 3] = (low + high) / 2 - GRID_MM * (np.array([i, j, k]) - 1) / 2
    return Geometry((i, j, k), affine)


_CORNERS = np.indices((2, 2, 2)).reshape(3, -1).T.astype(bool)


def _share(mask: Mask, visit: SignalVisit, grid: Geometry) -> np.ndarray:
    """(I, J, K) float32: how much of a mask is at each voxel of mid-space, from 0 to 1."""
    there = placed(mask.geometry, visit.to_mid)
    return np.nan_to_num(sampled(mask.voxels.astype(np.float32), there, grid))


def _flattened(
    scaled: Sequence[np.ndarray], normal: np.ndarray, grid: Geometry
) -> list[np.ndarray]:
    """Both images without the smooth part of their ratio, by normal white matter."""
    coarse = (slice(None, None, EVERY),) * 3
    first, second = (np.maximum(image[coarse], LEAST_SIGNAL) for image in scaled)
    ratio = np.clip(np.log(second / first), -MOST_FIELD, MOST_FIELD)
    weights = normal[coarse].astype(np.float32)
    sigmas = [FIELD_MM / (EVERY * step) for step in grid.spacing]
    near = ndimage.gaussian_filter(weights, sigmas, mode="constant")
    mean = ndimage.gaussian_filter(ratio * weights, sigmas, mode="constant")
    field = np.divide(mean, near, where=near > LEAST_NEAR, out=np.zeros_like(mean))
    there = np.empty(grid.shape, np.float32)
    steps = np.full(3, 1 / EVERY)
    ndimage.affine_transform(field, steps, output=there, order=1, mode="nearest")
    half = np.exp(there / 2)
    return [scaled[0] * half, scaled[1] / half]


def _near(voxels: np.ndarray, grid: Geometry, mm: float) -> np.ndarray:
    outside = np.ascontiguousarray(~voxels)
    return edt.edt(outside, anisotropy=grid.spacing, black_border=False) <= mm


def _standardised(
    scaled: Sequence[np.ndarray],
    tissue: tuple[np.ndarray, np.ndarray],
    visits: Sequence[SignalVisit],
    grid: Geometry,
    rule: SignalRule,
) -> tuple[np.ndarray, float]:
    """The difference over its noise, and the noise in normal white matter.

    Args:
        scaled: Signal of both visits as a share of that of white matter, (I, J, K).
        tissue: (I, J, K) bool each: normal white matter, and all tissue but lesions.
        visits: Whose axes say how far either may be displaced.
        grid: Of the signal.
        rule: How far.
    """
    normal, ordinary = tissue
    apart, mean = scaled[1] - scaled[0], (scaled[0] + scaled[1]) / 2
    _, sd = _middle_and_sd(apart[normal])
    middle, spread = _by_brightness(apart, mean, ordinary)
    variance = np.maximum(spread, sd) ** 2
    slopes = np.gradient(mean, *grid.spacing)
    for visit in visits:
        linear = (visit.to_mid @ visit.image.geometry.affine)[:3, :3]
        for step in linear.T:  # each visit accounts for half
            length = float(np.linalg.norm(step))
            shift = rule.shifted_mm + rule.shifted_voxels * length
            along = sum(s * float(d / length) for s, d in zip(slopes, step, strict=True))
            variance += (shift * along) ** 2 / 2
    return (apart - middle) / np.sqrt(variance), sd


def _by_brightness(
    apart: np.ndarray, mean: np.ndarray, ordinary: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Median and standard deviation of the difference of tissue as bright, at every voxel."""
    levels, differences = mean[ordinary], apart[ordinary]
    order = np.argsort(levels)
    sets = np.array_split(order, max(1, min(BRIGHTNESSES, len(order) // LEAST_ALIKE)))
    at = [float(levels[one].mean()) for one in sets]
    found = np.array([_middle_and_sd(differences[one]) for one in sets])
    steps = np.linspace(0, MOST_SIGNAL, SIGNAL_STEPS)
    places = np.minimum(mean * ((SIGNAL_STEPS - 1) / MOST_SIGNAL), SIGNAL_STEPS - 1)
    places = np.maximum(places, 0).astype(np.int32)
    middle, spread = (
        np.interp(steps, at, column).astype(np.float32)[places] for column in found.T
    )
    return middle, spread


def _middle_and_sd(values: np.ndarray) -> tuple[float, float]:
    """The median, and a standard deviation that what is not noise does not widen."""
    middle = float(np.median(values))
    spread = MAD_TO_SD * float(np.median(np.abs(values - middle)))
    return middle, max(spread, 1e-6)


def _patches(
    z: np.ndarray,
    scaled: Sequence[np.ndarray],
    normal: np.ndarray,
    grid: Geometry,
    rule: SignalRule,
) -> tuple[tuple[Patch, ...], np.ndarray]:
    """Connected voxels that changed the same way, the largest patch first."""
    found: list[tuple[np.ndarray, Way]] = []
    ways: tuple[tuple[Way, float, np.ndarray], ...] = (
        ("brighter", 1.0, scaled[1]),
        ("darker", -1.0, scaled[0]),
    )
    for way, sign, bright in ways:
        _, sd = _middle_and_sd(bright[normal])
        high = np.nan_to_num(sign * z) >= rule.least_z
        high &= bright >= 1 + rule.bright_sd * sd
        pieces = find_instances(Mask(way, high, grid)).voxels
        places, ends = _grouped(pieces)
        for low, past in ends:
            voxels = places[low:past]
            ml = len(voxels) * grid.voxel_volume_mm3 / MM3_PER_ML
            if ml >= rule.least_ml and np.abs(z.ravel()[voxels]).max() >= rule.peak_z:
                found.append((voxels, way))
    found.sort(key=lambda one: (-len(one[0]), one[0][0]))
    labels = np.zeros(grid.shape, np.min_scalar_type(len(found)))
    patches: list[Patch] = []
    for number, (voxels, way) in enumerate(found, start=1):
        labels.ravel()[voxels] = number
        patches.append(_patch(number, way, voxels, z, grid))
    return tuple(patches), labels


def _grouped(pieces: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Flat places of all pieces, piece after piece, and where each begins and ends."""
    flat = np.ascontiguousarray(pieces).ravel()
    places = np.flatnonzero(flat)
    places = places[np.argsort(flat[places], kind="stable")]
    counts = np.bincount(flat[places])[1:] if len(places) else np.zeros(0, int)
    past = np.cumsum(counts)
    return places, list(zip((past - counts).tolist(), past.tolist(), strict=True))


def _patch(number: int, way: Way, voxels: np.ndarray, z: np.ndarray, grid: Geometry) -> Patch:
    values = np.abs(z.ravel()[voxels])
    places = np.stack(np.unravel_index(voxels, grid.shape), axis=1).astype(float)
    x, y, s = (float(mm) for mm in grid.to_world(places).mean(axis=0))
    ml = len(voxels) * grid.voxel_volume_mm3 / MM3_PER_ML
    return Patch(number, way, ml, float(values.mean()), float(values.max()), (x, y, s))
