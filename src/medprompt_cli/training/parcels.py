"""Parcels for label maps: an atlas is laid over each map and its borders carried across.

Both sides are turned into images in which every structure has its own brightness, so that
ventricles, deep nuclei, white matter and the folds of the cortex draw the two together:
first an affine transform, then demons (Vercauteren et al., NeuroImage 2009), coarse to
fine. A voxel of a parent takes the parcel nearest to where it comes to lie, of its own
side: every voxel of a parent gets one, no other voxel does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK

from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_STRUCTURES, KINDS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.bank import PackedLabels, crop_box
from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.training.atlas import SECTORS, Atlas

BRIGHTNESS = {
    "cerebral-cortex": 0.8,
    "cerebral-white-matter": 2.0,
    "thalamus": 3.0,
    "caudate": 3.0,
    "putamen": 3.0,
    "accumbens": 3.0,
    "pallidum": 2.0,
    "hippocampus": 2.6,
    "amygdala": 3.0,
    "ventral-diencephalon": 3.0,
    "brainstem": 2.2,
    "cerebellar-cortex": 1.3,
    "cerebellar-white-matter": 2.0,
}
"""Of the images that are registered; ventricles, fluid and what is outside are 0."""

MARGIN = 12
"""Voxels put around the brain, so that nothing is pulled off the edge."""

_INNER = (slice(MARGIN, -MARGIN),) * 3

AFFINE_SHRINK = 4
AFFINE_BLUR_MM = 4.0
AFFINE_STEPS = 80


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of demons.

    Attributes:
        shrink: Voxels of the label map, along each axis, that are averaged to one.
        blur_mm: Width of the Gaussian both images are blurred with.
        steps: How many.
        stiffness: Width, in voxels of the stage, of the Gaussian the displacements are
            blurred with at every step.
    """

    shrink: int
    blur_mm: float
    steps: int
    stiffness: float


STAGES = (Stage(4, 3.0, 80, 1.0), Stage(2, 1.0, 80, 1.0))


@dataclass(frozen=True, eq=False)
class LaidAtlas:
    """An atlas laid over one label map.

    Attributes:
        layer: (I, J, K) uint8: positions in `PARCELS` plus 1, 0 for none.
        overlap: Dice of each kind of base structure between the atlas, moved, and the map;
            kinds that neither has are left out.
    """

    layer: np.ndarray
    overlap: dict[str, float]


def lay_atlas(
    atlas: Atlas, packed: PackedLabels, stages: Sequence[Stage] = STAGES
) -> LaidAtlas:
    """Register `atlas` to a label map and give every voxel of the parents a parcel.

    Raises:
        InputError: If the map holds no structure of the brain.
    """
    targets = np.array([paint.target for paint in PAINT_CLASSES], np.uint8)[packed.voxels]
    kinds = _kind_of_target()[targets]
    if not kinds.any():
        raise InputError(
            f"{packed.name} holds no structure of the brain.",
            remedy="Take the map out of the folder, or pack it without an atlas.",
            code="no-brain",
        )
    box = crop_box(kinds)
    fixed = _with_margin(kinds[box], packed.spacing)
    moving = to_image(atlas.kinds, atlas.geometry)
    transform = register(fixed, moving, stages)
    moved = SimpleITK.Resample(
        to_image(atlas.nearest, atlas.geometry),
        fixed,
        transform,
        SimpleITK.sitkNearestNeighbor,
        useNearestNeighborExtrapolator=True,  # beyond the atlas a parcel goes on
    )
    layer = np.zeros(packed.voxels.shape, np.uint8)
    layer[box] = _parcels(to_voxels(moved)[_INNER], targets[box])
    return LaidAtlas(layer, _overlap(moving, fixed, transform))


def _kind_of_target() -> np.ndarray:
    """Position in `KINDS` plus 1 by the id of a base structure; 0 for fluid and the rest."""
    table = np.zeros(256, np.uint8)
    for structure in BASE_STRUCTURES:
        if structure.kind != "csf":
            table[structure.index] = KINDS.index(structure.kind) + 1
    return table


def _with_margin(kinds: np.ndarray, spacing: tuple[float, float, float]) -> SimpleITK.Image:
    wide = np.pad(kinds, MARGIN)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -MARGIN * np.array(spacing)
    i, j, k = wide.shape
    return to_image(wide, Geometry((i, j, k), affine))


def to_image(voxels: np.ndarray, geometry: Geometry) -> SimpleITK.Image:
    """Voxels along R, A, S as an image whose three axes are R, A and S, in mm."""
    across = np.ascontiguousarray(voxels.swapaxes(0, 2))
    image = SimpleITK.GetImageFromArray(across, isVector=voxels.ndim > len(geometry.shape))
    image.SetOrigin([float(x) for x in geometry.affine[:3, 3]])
    image.SetSpacing(geometry.spacing)
    return image


def to_voxels(image: SimpleITK.Image) -> np.ndarray:
    """Undo `to_image`."""
    return SimpleITK.GetArrayFromImage(image).swapaxes(0, 2)


def register(
    fixed: SimpleITK.Image, moving: SimpleITK.Image, stages: Sequence[Stage]
) -> SimpleITK.Transform:
    """Where each point of `fixed` lies in `moving`; both hold positions in `KINDS` plus 1."""
    bright, other = _brightness(fixed), _brightness(moving)
    coarse = _blurred(bright, AFFINE_SHRINK, AFFINE_BLUR_MM)
    affine = _affine(coarse, _blurred(other, AFFINE_SHRINK, AFFINE_BLUR_MM))
    shifts = SimpleITK.Image(coarse.GetSize(), SimpleITK.sitkVectorFloat64)
    shifts.CopyInformation(coarse)
    for stage in stages:
        still = _blurred(bright, stage.shrink, stage.blur_mm)
        near = SimpleITK.Resample(_blurred(other, stage.shrink, stage.blur_mm), still, affine)
        demons = SimpleITK.FastSymmetricForcesDemonsRegistrationFilter()
        demons.SetNumberOfIterations(stage.steps)
        demons.SetStandardDeviations(stage.stiffness)
        shifts = demons.Execute(still, near, SimpleITK.Resample(shifts, still))
    return SimpleITK.CompositeTransform([affine, SimpleITK.DisplacementFieldTransform(shifts)])


def _brightness(kinds: SimpleITK.Image) -> SimpleITK.Image:
    table = np.zeros(len(KINDS) + 1, np.float32)
    for kind, value in BRIGHTNESS.items():
        table[KINDS.index(kind) + 1] = value
    image = SimpleITK.GetImageFromArray(table[SimpleITK.GetArrayViewFromImage(kinds)])
    image.CopyInformation(kinds)
    return image


def _blurred(image: SimpleITK.Image, shrink: int, blur_mm: float) -> SimpleITK.Image:
    small = SimpleITK.BinShrink(image, [shrink] * 3)
    return SimpleITK.SmoothingRecursiveGaussian(small, [blur_mm] * 3)


def _affine(fixed: SimpleITK.Image, moving: SimpleITK.Image) -> SimpleITK.Transform:
    start = SimpleITK.CenteredTransformInitializer(
        fixed,
        moving,
        SimpleITK.AffineTransform(3),
        SimpleITK.CenteredTransformInitializerFilter.MOMENTS,
    )
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=0.01, numberOfIterations=AFFINE_STEPS, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(start, inPlace=True)
    return method.Execute(fixed, moving)


def _parcels(nearest: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Of the parcels nearest to each voxel, (I, J, K, F), the one of its structure and side."""
    layer = np.zeros(targets.shape, np.uint8)
    for column, (kind, side) in enumerate(SECTORS):
        inside = targets == BASE_INDEX[f"{side}-{kind}"]
        layer[inside] = nearest[..., column][inside]
    return layer


def _overlap(
    moving: SimpleITK.Image, fixed: SimpleITK.Image, transform: SimpleITK.Transform
) -> dict[str, float]:
    moved = to_voxels(
        SimpleITK.Resample(moving, fixed, transform, SimpleITK.sitkNearestNeighbor)
    )
    own, overlap = to_voxels(fixed), {}
    for position, kind in enumerate(KINDS, start=1):
        one, other = moved == position, own == position
        both = int(one.sum()) + int(other.sum())
        if both:
            overlap[kind] = 2 * int((one & other).sum()) / both
    return overlap
