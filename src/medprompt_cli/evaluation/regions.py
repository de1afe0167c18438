"""Score a region that is a mask of its own: a lesion, a parcel, a lobe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cc3d
import numpy as np

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.evaluation.overlap import Overlap, hausdorff95_mm
from medprompt_cli.evaluation.scores import Quantity, Score, status_of

MM3_PER_ML = 1000.0
CORNERS = 26
"""Neighbours of a voxel that hold one lesion together: over faces, edges and corners."""

SIZES: tuple[Quantity, ...] = ("true_ml", "predicted_ml", "shared_ml")
AGREEMENT: tuple[Quantity, ...] = ("dice", "volume_bias_pct", "hd95_mm")
DETECTION: tuple[Quantity, ...] = (
    *("lesions_true", "lesions_predicted"),
    *("lesion_precision", "lesion_recall", "lesion_f1"),
)

Values = dict[Quantity, float | None]


@dataclass(frozen=True, slots=True)
class Detection:
    """How many lesions, each a connected piece, were found.

    A true lesion is found, and a predicted one right, if it shares a voxel with the other
    mask.

    Attributes:
        true: Lesions of the truth.
        found: Those of them that were found.
        predicted: Lesions of the prediction.
        right: Those of them that are right.

    Source: WMH segmentation challenge, Kuijf et al., doi:10.1109/TMI.2019.2905770.
    """

    true: int
    found: int
    predicted: int
    right: int

    @property
    def recall(self) -> float | None:
        """Share of the true lesions that were found; None if there are none."""
        return self.found / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        """Share of the predicted lesions that are right; None if there are none."""
        return self.right / self.predicted if self.predicted else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; 0 if nothing was found, None if there is no true lesion."""
        if self.recall is None:
            return None
        precision = self.precision or 0.0
        both = precision + self.recall
        return 2 * precision * self.recall / both if both else 0.0


def detect(prediction: np.ndarray, truth: np.ndarray) -> Detection:
    """Count the lesions of two masks, (I, J, K) bool, and those that meet."""
    predicted, predicted_count = _pieces(prediction)
    true, true_count = _pieces(truth)
    shared = prediction & truth
    return Detection(
        true=true_count,
        found=len(np.unique(true[shared])),
        predicted=predicted_count,
        right=len(np.unique(predicted[shared])),
    )


def _pieces(mask: np.ndarray) -> tuple[np.ndarray, int]:
    labels, count = cc3d.connected_components(mask, connectivity=CORNERS, return_N=True)
    return np.asarray(labels), int(count)


@dataclass(frozen=True, eq=False)
class RegionPair:
    """One region, as it was found and as it is.

    Attributes:
        region: Its name.
        prediction: (I, J, K) bool; None if the weights cannot see such a region.
        truth: (I, J, K) bool; None if the region is known not to be there.
        geometry: Their grid.
    """

    region: str
    prediction: np.ndarray | None
    truth: np.ndarray | None
    geometry: Geometry


def score_region(judged: RegionPair, scan: str, group: str) -> list[Score]:
    """Score one region: volumes, agreement and, if it is a lesion, detection.

    Where the truth is empty only the volumes and the number of predicted lesions are
    measured.

    Args:
        judged: What was found, and the truth.
        scan: Name of the scan.
        group: What it is pooled with.
    """
    lesion = judged.region in LESIONS
    if judged.prediction is None:
        quantities = (*SIZES, *AGREEMENT, *(DETECTION if lesion else ()))
        return [
            Score(scan, group, judged.region, quantity, None, "not_visible")
            for quantity in quantities
        ]
    truth = judged.truth
    if truth is None:
        truth = np.zeros(judged.prediction.shape, bool)
    there = bool(truth.any())
    values = dict(_agreement(judged.prediction, truth, judged.geometry))
    if lesion:
        values |= _detection(judged.prediction, truth)
    return [
        Score(scan, group, judged.region, quantity, value, status_of(value, there=there))
        for quantity, value in values.items()
    ]


def _agreement(
    prediction: np.ndarray, truth: np.ndarray, geometry: Geometry
) -> Iterator[tuple[Quantity, float | None]]:
    counts = Overlap(
        *(int(np.count_nonzero(mask)) for mask in (prediction & truth, prediction, truth))
    )
    scale = geometry.voxel_volume_mm3 / MM3_PER_ML
    sizes = (counts.true * scale, counts.predicted * scale, counts.shared * scale)
    yield from zip(SIZES, sizes, strict=True)
    yield "dice", counts.dice if counts.true else None
    yield "volume_bias_pct", counts.volume_bias_pct
    yield "hd95_mm", hausdorff95_mm(prediction, truth, geometry.spacing)


def _detection(prediction: np.ndarray, truth: np.ndarray) -> Values:
    pieces = detect(prediction, truth)
    found = (pieces.true, pieces.predicted, pieces.precision, pieces.recall, pieces.f1)
    values: Values = dict(zip(DETECTION, found, strict=True))
    if not pieces.true:
        values["lesion_precision"] = None
    return values


def sizes_of(scores: list[Score]) -> Overlap | None:
    """Volumes in mL of one region of one scan, out of its scores; None if not visible."""
    values = {one.quantity: one.value for one in scores}
    true, predicted, shared = (values.get(quantity) for quantity in SIZES)
    if true is None or predicted is None or shared is None:
        return None
    return Overlap(shared=shared, predicted=predicted, true=true)
