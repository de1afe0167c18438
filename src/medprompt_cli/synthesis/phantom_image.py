"""A drawn head as a scanner would see it: contrast, partial volume, bias, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.synthesis import phantom_anatomy as parts
from medprompt_cli.synthesis.phantom import Drawing

NOISE = 3.0
"""Standard deviation of the noise in each channel of the complex signal; white matter
is near 110 in T1w, so it stands 37 to 1."""

BIAS = 0.08
"""Standard deviation of the bias field's logarithm."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Mean signal of each tissue.

    Attributes:
        kinds: By the kind of a base structure.
        around: By tissue id outside the brain; 0 is air.
        lesion: Of a white-matter lesion.
    """

    kinds: dict[str, float]
    around: dict[int, float]
    lesion: float

    def table(self) -> np.ndarray:
        """Signal, (256,) float32, by tissue id."""
        signal = np.zeros(256, np.float32)
        for structure in BASE_STRUCTURES:
            signal[structure.index] = self.kinds[structure.kind]
        for tissue, value in self.around.items():
            signal[tissue] = value
        return signal


def _around(
    fat: float, muscle: float, marrow: float, fluid: float, cord: float
) -> dict[int, float]:
    return {
        0: 0.0,
        parts.SKIN: 0.8 * muscle,
        parts.FAT: fat,
        parts.MUSCLE: muscle,
        parts.BONE: 8.0,
        parts.MARROW: marrow,
        parts.AIR: 2.0,
        parts.CORD: cord,
        parts.EYE: fluid,
        parts.CANAL: fluid,
    }


def _kinds(fluid: float, values: dict[str, float]) -> dict[str, float]:
    ventricles = ("lateral", "inferior-lateral", "third", "fourth")
    return {"csf": fluid} | {f"{name}-ventricle": fluid for name in ventricles} | values


T1W = Contrast(
    _kinds(
        25,
        {
            "cerebral-white-matter": 110,
            "cerebral-cortex": 75,
            "cerebellar-white-matter": 107,
            "cerebellar-cortex": 76,
            "thalamus": 91,
            "caudate": 79,
            "putamen": 83,
            "pallidum": 98,
            "hippocampus": 76,
            "amygdala": 75,
            "accumbens": 78,
            "ventral-diencephalon": 95,
            "brainstem": 100,
        },
    ),
    _around(fat=140, muscle=62, marrow=75, fluid=25, cord=95),
    lesion=70,
)
FLAIR = Contrast(
    _kinds(
        14,
        {
            "cerebral-white-matter": 70,
            "cerebral-cortex": 92,
            "cerebellar-white-matter": 72,
            "cerebellar-cortex": 88,
            "thalamus": 84,
            "caudate": 88,
            "putamen": 84,
            "pallidum": 68,
            "hippocampus": 96,
            "amygdala": 97,
            "accumbens": 89,
            "ventral-diencephalon": 80,
            "brainstem": 77,
        },
    ),
    _around(fat=95, muscle=50, marrow=48, fluid=14, cord=78),
    lesion=150,
)


def fine_slices(geometry: Geometry, parts_per_slice: int) -> Geometry:
    """The same box with every slice (along K) cut into thinner ones."""
    finer = np.eye(4)
    finer[2, 2] = 1 / parts_per_slice
    finer[2, 3] = (1 / parts_per_slice - 1) / 2
    i, j, k = geometry.shape
    return Geometry((i, j, k * parts_per_slice), geometry.affine @ finer)


def thick_slices(voxels: np.ndarray, parts_per_slice: int) -> np.ndarray:
    """Average runs of slices: (I, J, K * parts) to (I, J, K)."""
    i, j, k = voxels.shape
    return voxels.reshape(i, j, k // parts_per_slice, parts_per_slice).mean(axis=3)


def signal(drawing: Drawing, contrast: Contrast, rng: np.random.Generator) -> np.ndarray:
    """Mean signal, (I, J, K) float32, every tissue jittered by a few percent."""
    table = contrast.table()
    table *= rng.normal(1, 0.02, size=256).astype(np.float32)
    voxels = table[drawing.tissue]
    voxels[drawing.lesions > 0] = contrast.lesion
    return voxels


def scan(voxels: np.ndarray, blur: float, rng: np.random.Generator) -> np.ndarray:
    """What the scanner stores, (I, J, K) uint8.

    Args:
        voxels: (I, J, K) float32, signal without noise; changed in place.
        blur: Share of the signal that leaks to each neighbour along an axis.
        rng: Draws gain, bias field and noise.
    """
    for axis in range(3):
        voxels = _leak(voxels, axis, blur)
    voxels *= rng.normal(1, 0.05)
    for factor in _bias(voxels.shape, rng):
        voxels *= factor
    real = rng.standard_normal(voxels.shape, dtype=np.float32)
    real *= NOISE
    real += voxels
    imaginary = rng.standard_normal(voxels.shape, dtype=np.float32)
    imaginary *= NOISE
    np.hypot(real, imaginary, out=real)
    return np.clip(np.rint(real, out=real), 0, 255).astype(np.uint8)


def _leak(voxels: np.ndarray, axis: int, share: float) -> np.ndarray:
    """Smooth along one axis with weights share, 1 - 2 share, share."""
    line = np.moveaxis(voxels, axis, 0)
    out = np.empty_like(voxels)
    mixed = np.moveaxis(out, axis, 0)
    np.multiply(line, 1 - 2 * share, out=mixed)
    mixed[1:] += share * line[:-1]
    mixed[:-1] += share * line[1:]
    mixed[[0, -1]] += share * line[[0, -1]]
    return out


def _bias(shape: tuple[int, ...], rng: np.random.Generator) -> list[np.ndarray]:
    """A smooth multiplicative field, as one factor for each pair of axes."""
    along = [np.linspace(-1, 1, n, dtype=np.float32) for n in shape]
    i, j, k = np.meshgrid(*along, indexing="ij", sparse=True)
    bent = [
        a * u + b * v + c * u * v + d * (u * u + v * v)
        for (u, v), (a, b, c, d) in zip(
            ((i, j), (j, k), (i, k)),
            rng.normal(0, BIAS, (3, 4)).astype(np.float32),
            strict=True,
        )
    ]
    return [np.exp(field) for field in bent]
