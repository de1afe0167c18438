"""The loop over scans: read, segment, score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.cases import Judged
from medprompt_cli.evaluation.masks import BRAIN_MASK, check_grid, pair, score
from medprompt_cli.evaluation.regions import RegionPair, score_region
from medprompt_cli.evaluation.scores import Score

EVERY_STRUCTURE = "all"
"""The prompt that means every base structure."""


class Found(Protocol):
    """What segmentation gives."""

    @property
    def labels(self) -> LabelMap:
        """The base structures, with FreeSurfer's ids."""
        ...

    @property
    def parcels(self) -> LabelMap | None:
        """The parcels asked for by themselves, with FreeSurfer's ids."""
        ...

    @property
    def masks(self) -> Mapping[str, Mask]:
        """Every other region asked for that the weights can see, by name."""
        ...


Predict = Callable[[Sequence[Volume], Sequence[str]], Found]
"""Takes co-registered images, and the names of what to segment in them."""


@dataclass(frozen=True, eq=False)
class _FromFile:
    """A prediction that was read."""

    labels: LabelMap
    masks: Mapping[str, Mask]
    parcels: LabelMap | None = None


def judge(
    cases: Iterable[Judged], predict: Predict, *, far: bool = False
) -> Iterator[list[Score]]:
    """Score scan after scan.

    Args:
        cases: What to judge.
        predict: Segments the images of a case that has no prediction.
        far: Whether to compute the 95 % Hausdorff distances of base structures, which take
            seconds. Those of other regions are always computed.

    Raises:
        InputError: If a file cannot be used, does not lie on the grid of its truth, or
            the truth is of another scheme.
    """
    for case in cases:
        sources = _read_sources(case)
        grid = sources[0].geometry
        truth = _aligned(case.truth, case, grid)
        brain = _aligned(case.brain, case, grid)
        if truth is not None:
            case.scheme.check(truth.voxels, str(case.truth))
        found = _found(case, sources, predict)
        scores = []
        if truth is not None and case.scheme.ids:
            judged = pair(found.labels, truth, case.scheme, (case.name, str(case.truth)))
            outline = None if brain is None else brain.voxels > 0
            ours = _voxels_of(found, BRAIN_MASK)
            names = (case.name, case.group)
            scores = score(judged, *names, brain=outline, found=ours, far=far)
        for region in _regions(case, found, truth, grid):
            scores += score_region(region, case.name, case.group)
        yield scores


def _read_sources(case: Judged) -> Sequence[LabelMap] | Sequence[Volume]:
    if case.prediction is not None:
        return [read_labels(case.prediction)]
    if not case.images:
        raise InputError(
            f"{case.name} has neither an image nor a prediction.",
            remedy="Give one of the two.",
            code="missing",
        )
    return [read_image(image) for image in case.images]


def _aligned(path: Path | None, case: Judged, grid: Geometry) -> LabelMap | None:
    """A label map of the case, refused unless it lies on `grid`."""
    if path is None:
        return None
    labels = read_labels(path)
    if case.same_voxels and labels.geometry.shape == grid.shape:
        return replace(labels, geometry=grid)
    source = case.prediction or case.images[0]
    check_grid(grid, labels.geometry, (str(source), str(path)))
    return labels


def _found(
    case: Judged, sources: Sequence[LabelMap] | Sequence[Volume], predict: Predict
) -> Found:
    if isinstance(sources[0], LabelMap):
        return _FromFile(sources[0], _masks(case, sources[0]))
    every = (EVERY_STRUCTURE,) if case.truth and case.scheme.ids else ()
    regions = case.targets if case.truth else ()
    volumes = [volume for volume in sources if isinstance(volume, Volume)]
    mask = (BRAIN_MASK,) if case.brain else ()
    return predict(volumes, (*every, *mask, *regions, *case.absent))


def _masks(case: Judged, labels: LabelMap) -> dict[str, Mask]:
    """The regions of a prediction from a file: a mask of one, or by the scheme's ids."""
    if len(case.targets) == 1:
        parts = {case.targets[0]: labels.voxels > 0}
    else:
        parts = {name: case.scheme.region(labels.voxels, name) for name in case.targets}
    return {name: Mask(name, voxels, labels.geometry) for name, voxels in parts.items()}


def _regions(
    case: Judged, found: Found, truth: LabelMap | None, grid: Geometry
) -> Iterator[RegionPair]:
    for name in (*(case.targets if truth else ()), *case.absent):
        known = truth is not None and name not in case.absent
        there = case.scheme.region(truth.voxels, name) if truth is not None and known else None
        yield RegionPair(name, _voxels_of(found, name), there, grid)


def _voxels_of(found: Found, name: str) -> np.ndarray | None:
    """The voxels, (I, J, K) bool, of a region; None if the weights cannot see it."""
    if name in found.masks:
        return found.masks[name].voxels
    if found.parcels is not None:
        for index, parcel in found.parcels.names.items():
            if parcel == name:
                return found.parcels.voxels == index
    return None
