"""How a class of lesion fares over all scans: with the lesion, and without it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.evaluation.overlap import (
    bootstrap_interval,
    cumulative_iou,
    generalized_iou,
    null_accuracy,
    ratio_interval,
)
from medprompt_cli.evaluation.regions import sizes_of
from medprompt_cli.evaluation.scores import Quantity, Score, status_of

CLASS_QUANTITIES: tuple[Quantity, ...] = ("n_acc", "lesion_recall", "giou", "ciou")

POOLED = "all scans"
"""Group of a score that is about several scans."""


def pool(scans: Iterable[Sequence[Score]], once: Container[str | None]) -> list[Score]:
    """Pool the scores of every class of lesion that any scan was judged for.

    gIoU and cIoU are over all scans, N-Acc over those whose truth is empty, the recall of
    lesions over the others. cIoU adds up mL, not voxels: scans differ in voxel size.

    Args:
        scans: The scores of each scan.
        once: Names of the scans to take: of several that are the same, one.
    """
    by_region: dict[str, list[list[Score]]] = {name: [] for name in LESIONS}
    for scores in scans:
        mine: dict[str, list[Score]] = {}
        for one in scores:
            if one.region in by_region and one.scan in once:
                mine.setdefault(one.region, []).append(one)
        for region, found in mine.items():
            by_region[region].append(found)
    return [one for region, found in by_region.items() for one in _pooled(region, found)]


def _pooled(region: str, scans: list[list[Score]]) -> Iterator[Score]:
    sizes = [size for scores in scans if (size := sizes_of(scores)) is not None]
    if not scans:
        return
    if not sizes:
        for quantity in CLASS_QUANTITIES:
            yield Score(None, POOLED, region, quantity, None, "not_visible", n=0)
        return
    each = [1.0 if (value := size.jaccard) is None else value for size in sizes]
    yield _score(region, "giou", generalized_iou(sizes), bootstrap_interval(each), len(each))
    unions = [size.predicted + size.true - size.shared for size in sizes]
    spread = ratio_interval([size.shared for size in sizes], unions)
    yield _score(region, "ciou", cumulative_iou(sizes), spread, len(sizes))
    empty = [float(size.predicted == 0) for size in sizes if size.true == 0]
    yield _score(region, "n_acc", null_accuracy(sizes), bootstrap_interval(empty), len(empty))
    recalls = [
        one.value
        for scores in scans
        for one in scores
        if one.quantity == "lesion_recall" and one.value is not None
    ]
    mean = sum(recalls) / len(recalls) if recalls else None
    yield _score(region, "lesion_recall", mean, bootstrap_interval(recalls), len(recalls))


def _score(
    region: str,
    quantity: Quantity,
    value: float | None,
    interval: tuple[float, float] | None,
    n: int,
) -> Score:
    low, high = interval if interval is not None and value is not None else (None, None)
    status = status_of(value, there=False)
    return Score(None, POOLED, region, quantity, value, status, low, high, n)
