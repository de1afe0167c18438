"""Score a label map against a truth, structure by structure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, BILATERAL, GROUPS, MIDLINE
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.overlap import Overlap, confusion, hausdorff95_mm, overlap
from medprompt_cli.evaluation.schemes import BRAIN, CLASS_OF, CLASSES, SCHEMES, Scheme
from medprompt_cli.evaluation.scores import Quantity, Score, status_of

BRAIN_MASK = "brain-mask"
"""Our brain against a brain mask that came with the truth, drawn by its own rule."""

SEVENTEEN: tuple[str, ...] = (
    *BILATERAL,
    *(kind for kind in MIDLINE if kind != "csf"),
)
"""The 14 bilateral and 3 midline kinds whose mean Dice sums a method up; a bilateral kind
counts once, with the mean of its sides."""

MEAN_OF_17 = "mean of 17"


@dataclass(frozen=True, eq=False)
class Pair:
    """A prediction and the truth it is held against, on one grid.

    Attributes:
        prediction: (I, J, K) classes of schemes.CLASS_OF.
        truth: Likewise.
        geometry: Their grid.
    """

    prediction: np.ndarray
    truth: np.ndarray
    geometry: Geometry


def pair(prediction: LabelMap, truth: LabelMap, scheme: Scheme, names: tuple[str, str]) -> Pair:
    """Put a prediction with FreeSurfer's ids beside a truth with those of `scheme`.

    Args:
        prediction: The label map to judge.
        truth: The label map to judge by.
        scheme: What the truth's ids mean.
        names: What to call the two in a message, such as their paths.

    Raises:
        InputError: If they do not lie on one grid.
    """
    check_grid(prediction.geometry, truth.geometry, names)
    ours = SCHEMES["freesurfer"].classes(prediction.voxels)
    return Pair(ours, scheme.classes(truth.voxels), truth.geometry)


def check_grid(first: Geometry, second: Geometry, names: tuple[str, str]) -> None:
    """Raise InputError unless both grids hold the same voxels.

    Raises:
        InputError: If they do not; it names both.
    """
    if first.matches(second):
        return
    remedy = "Resample one onto the grid of the other, labels by nearest neighbour."
    if first.shape != second.shape:
        sizes = [" x ".join(map(str, grid.shape)) for grid in (first, second)]
        problem = f"{names[0]} has {sizes[0]} voxels and {names[1]} has {sizes[1]}."
    else:
        corner = np.linalg.norm(first.affine[:3, 3] - second.affine[:3, 3])
        problem = (
            f"{names[0]} and {names[1]} have as many voxels, in other places: their first "
            f"voxels lie {corner:.3g} mm apart, oriented {first.orientation} and "
            f"{second.orientation}."
        )
        remedy = (
            "Correct the header that is wrong; if you have seen that the voxels line up, "
            "compare them one by one: --grid voxels, or that word in the column grid."
        )
    raise InputError(problem, remedy=remedy, code="grid-mismatch")


def score(
    judged: Pair,
    scan: str,
    group: str,
    *,
    brain: np.ndarray | None = None,
    found: np.ndarray | None = None,
    far: bool = False,
) -> list[Score]:
    """Score every base structure and the brain.

    Args:
        judged: Prediction and truth.
        scan: Name of the scan.
        group: What it is pooled with.
        brain: (I, J, K) bool, a brain mask drawn on its own; adds `brain-mask`.
        found: (I, J, K) bool, the brain mask to compare with it; without one, the union of
            the brain's labels.
        far: Whether to compute the 95 % Hausdorff distances, which take seconds.
    """
    table = confusion(judged.prediction, judged.truth, CLASSES)
    sided = table.copy()
    unsided = CLASS_OF[BRAIN]
    sided[:, unsided] = sided[unsided] = 0
    scores = []
    for structure in BASE_STRUCTURES:
        classes = [CLASS_OF[structure.name]]
        counts = overlap(sided, classes)
        distance = _distance(judged, classes, counts) if far else None
        scores += _scores(scan, group, structure.name, counts, distance)
    brain_classes = [*(CLASS_OF[name] for name in GROUPS["brain"]), unsided]
    counts = overlap(table, brain_classes)
    distance = _distance(judged, brain_classes, counts) if far else None
    scores += _scores(scan, group, BRAIN, counts, distance)
    if brain is not None:
        ours = np.isin(judged.prediction, brain_classes) if found is None else found
        shared = confusion(ours, brain, 2)
        scores += _scores(scan, group, BRAIN_MASK, overlap(shared, [1]), None)
    return [one for one in scores if far or one.quantity != "hd95_mm"]


def _distance(judged: Pair, classes: list[int], counts: Overlap) -> float | None:
    if not counts.true or not counts.predicted:
        return None
    unsided = CLASS_OF[BRAIN]
    kept = np.ones(judged.truth.shape, bool)
    if unsided not in classes:
        kept = (judged.truth != unsided) & (judged.prediction != unsided)
    first, second = (
        np.isin(labels, classes) & kept for labels in (judged.prediction, judged.truth)
    )
    return hausdorff95_mm(first, second, judged.geometry.spacing)


def _scores(
    scan: str, group: str, region: str, counts: Overlap, distance: float | None
) -> Iterator[Score]:
    there = counts.true > 0
    values: dict[Quantity, float | None] = {
        "dice": counts.dice if there else None,
        "volume_bias_pct": counts.volume_bias_pct,
        "hd95_mm": distance,
    }
    for quantity, value in values.items():
        yield Score(scan, group, region, quantity, value, status_of(value, there=there))


def by_kind(scores: Iterable[Score], quantity: Quantity = "dice") -> dict[str, float | None]:
    """Value of every kind in the scores of one scan: sides averaged, and the mean of 17.

    Returns:
        By kind, then `brain`, `brain-mask` if it was scored, and `mean of 17`; None where
        the truth holds no such region. The mean of 17 is over those it does hold.
    """
    sides: dict[str, list[float | None]] = {}
    kinds = {structure.name: structure.kind for structure in BASE_STRUCTURES}
    for one in scores:
        if one.quantity == quantity:
            sides.setdefault(kinds.get(one.region, one.region), []).append(one.value)
    found = {kind: mean(values) for kind, values in sides.items()}
    found[MEAN_OF_17] = mean(found.get(kind) for kind in SEVENTEEN)
    return found


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of what was measured; None if nothing was."""
    measured = [value for value in values if value is not None]
    return float(np.mean(measured)) if measured else None
