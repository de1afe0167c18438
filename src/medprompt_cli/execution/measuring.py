"""The regions of a case, measured: numbers, intervals, and how far to trust them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medprompt_cli.domain.anatomy import BASE_NAMES, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement, Status
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.execution.extent import is_cut, label_extents
from medprompt_cli.execution.segment import CaseResult, TargetResult
from medprompt_cli.measurement.cutout import Connectivity
from medprompt_cli.measurement.instances import find_instances
from medprompt_cli.measurement.interval import with_interval
from medprompt_cli.measurement.place import CORNERS, to_ml
from medprompt_cli.measurement.quality import Evidence, Quality, judge
from medprompt_cli.measurement.relate import LEFT, RIGHT, asymmetry, fraction_of_icv
from medprompt_cli.measurement.resample import NOTE as RESAMPLED
from medprompt_cli.measurement.resample import resampled
from medprompt_cli.measurement.standard import (
    FEWEST_VOXELS,
    INTENSITIES,
    SHAPES,
    RegionMeasured,
    measure_map,
    measure_mask,
    unmeasured,
)

COMPACT = frozenset(
    f"{side}{kind}"
    for side in (LEFT, RIGHT)
    for kind in (
        *("thalamus", "caudate", "putamen", "pallidum"),
        *("hippocampus", "amygdala", "accumbens"),
    )
)
"""Structures whose surface `medprompt segment` measures: a tenth of a second each, where that
of a cortex takes a quarter of a minute; and it measures those of single lesions, not of all
lesions together. `medprompt measure --every-surface` measures all."""


@dataclass(frozen=True)
class Answer:
    """What is known of a region beside its voxels.

    Attributes:
        name: The region.
        status: Of its mask.
        presence: Probability that it is there; None if not estimated.
        sums: What its probabilities add up to; None if not known.
    """

    name: str
    status: Status
    presence: float | None = None
    sums: PosteriorSums | None = None


@dataclass(frozen=True)
class Measured:
    """What was measured of one region, or of one instance of it.

    Attributes:
        region: Its name.
        numbers: Of the region; intensities are those of the first image.
        others: Of every further image its intensities.
        instance: Number of the connected piece; None if the whole region is meant.
        presence: Probability that it is there; None if not estimated.
        quality: How far to trust it; None without voxels.
    """

    region: str
    numbers: tuple[Measurement, ...]
    others: tuple[tuple[Measurement, ...], ...] = ()
    instance: int | None = None
    presence: float | None = None
    quality: Quality | None = None


@dataclass(frozen=True, eq=False)
class Measurable:
    """The regions of a case, from a network or from files.

    Attributes:
        maps: Measurable that do not overlap.
        masks: Measurable that may.
        answers: One for every region that is to be in the table.
        intracranial: Volumes of the whole; empty if not known.
        everything: Whether to measure every surface, however long it takes.
        connectivity: What makes a connected piece: voxels that share a face (6), also an
            edge (18), also a corner (26).
    """

    maps: tuple[LabelMap, ...]
    masks: tuple[Mask, ...]
    answers: tuple[Answer, ...]
    intracranial: tuple[Measurement, ...] = ()
    everything: bool = False
    connectivity: Connectivity = CORNERS

    @property
    def geometry(self) -> Geometry | None:
        """The grid that all of them lie on; None without a map or a mask."""
        return next((region.geometry for region in (*self.maps, *self.masks)), None)


@dataclass(frozen=True)
class CaseMeasured:
    """What was measured in a case.

    Attributes:
        regions: Every region that was asked for, then pairs of both sides.
        lesions: Every instance of every lesion that is there.
    """

    regions: tuple[Measured, ...]
    lesions: tuple[Measured, ...]


def measurable(result: CaseResult) -> Measurable:
    """The regions that a network gave, ready to be measured."""
    maps = tuple(labels for labels in (result.labels, result.parcels) if labels is not None)
    answers = tuple(
        Answer(r.name, r.status, r.presence, result.sums.get(r.name)) for r in result.results
    )
    return Measurable(maps, result.masks, answers, result.intracranial)


def on_grid_of(regions: Measurable, images: Sequence[Volume]) -> tuple[list[Volume], list[str]]:
    """Images on the grid of some regions, to be measured there, and a note on each moved."""
    grid = regions.geometry
    if grid is None:
        return list(images), []
    moved = [resampled(image, grid) for image in images]
    notes = [
        f"{Path(image.source).name}: {RESAMPLED}"
        for image, there in zip(images, moved, strict=True)
        if there is not image
    ]
    return moved, notes


def measure_case(regions: Measurable, images: Sequence[Volume] = ()) -> CaseMeasured:
    """Measure every region, and every instance of every lesion.

    Args:
        regions: Of one case, on one grid.
        images: Whose intensities are measured, on the same grid.
    """
    shapes = _all_shapes if regions.everything else _quick_shapes
    found = {
        measured.region: measured
        for labels in regions.maps
        for measured in measure_map(labels, images, shapes, regions.connectivity)
    }
    found |= {
        mask.region: measure_mask(mask, images, shapes, regions.connectivity)
        for mask in regions.masks
    }
    wanted = {
        answer.name: _numbers(
            answer, found.get(answer.name), images, shapes(answer.name), regions.intracranial
        )
        for answer in regions.answers
    }
    qualities = dict(_qualities(regions.answers, found))
    judged = tuple(
        _judged(answer, wanted[answer.name], qualities.get(answer.name))
        for answer in regions.answers
    )
    lesions = tuple(
        instance
        for mask in regions.masks
        if mask.region in LESIONS
        for instance in _instances(mask, images, regions.connectivity)
    )
    return CaseMeasured((*judged, *_pairs(judged, found)), lesions)


def withheld(results: Sequence[TargetResult], measured: CaseMeasured) -> list[TargetResult]:
    """The answers, without the volumes of masks that failed."""
    failed = {region.region for region in _failed(measured)}
    return [
        replace(r, status="failed_qc", volume_ml=None)
        if r.name in failed and r.status == "measured"
        else r
        for r in results
    ]


def failure_notes(measured: CaseMeasured) -> Iterator[str]:
    """A sentence for every mask that failed."""
    for region in _failed(measured):
        reasons = ", ".join(region.quality.reasons) if region.quality else ""
        yield f"The mask of {region.region} is not to be trusted: {reasons}."


def _failed(measured: CaseMeasured) -> Iterator[Measured]:
    for region in measured.regions:
        if region.quality is not None and region.quality.level == "fail":
            yield region


def _all_shapes(region: str) -> tuple[str, ...]:  # noqa: ARG001 - the form of a choice
    return tuple(SHAPES)


def _quick_shapes(region: str) -> tuple[str, ...]:
    if region in LESIONS:
        return ("max-diameter", "bidimensional")
    return ("max-diameter", "surface-area") if region in COMPACT else ("max-diameter",)


def _numbers(
    answer: Answer,
    found: RegionMeasured | None,
    images: Sequence[Volume],
    shapes: Sequence[str],
    intracranial: Sequence[Measurement],
) -> RegionMeasured:
    """Everything about a region: shape, place, intensities, soft volume, share of the head."""
    if found is None or not found.voxels:
        status: Status = "error" if answer.status == "measured" else answer.status
        found = unmeasured(answer.name, status, images, shapes)
    volume, *rest = found.measurements
    first: list[Measurement] = [volume]
    if answer.sums is not None and found.voxels:
        first = [
            with_interval(volume, answer.sums),
            with_interval(
                Measurement(answer.name, "soft-volume", answer.sums.total_ml, "mL"),
                answer.sums,
            ),
        ]
    whole = {measurement.quantity: measurement for measurement in intracranial}
    shares = [fraction_of_icv(v, whole[v.quantity]) for v in first if v.quantity in whole]
    return replace(found, measurements=(*first, *shares, *rest))


def _judged(answer: Answer, found: RegionMeasured, quality: Quality | None) -> Measured:
    """Take back what means nothing, because the region is cut or its mask failed."""
    numbers, others = found.measurements, found.others
    failed = quality is not None and quality.level == "fail"
    status: Status = "failed_qc" if failed else answer.status
    if found.voxels and status == "truncated_fov":
        visible = replace(found.measurements[0], quantity="visible-volume", low=None, high=None)
        kept = [m if m.quantity in INTENSITIES else _without(m, status) for m in numbers]
        numbers = (kept[0], visible, *kept[1:])
    elif found.voxels and status != "measured":
        numbers = tuple(_without(m, status) for m in numbers)
        others = tuple(tuple(_without(m, status) for m in other) for other in others)
    return Measured(answer.name, numbers, others, None, answer.presence, quality)


def _without(measurement: Measurement, status: Status) -> Measurement:
    return measurement if measurement.value is None else measurement.withheld(status)


def _qualities(
    answers: Sequence[Answer], found: Mapping[str, RegionMeasured]
) -> Iterator[tuple[str, Quality]]:
    """How far to trust every region that has voxels."""
    whole = {answer.name for answer in answers if answer.status == "measured"}
    for answer in answers:
        measured = found.get(answer.name)
        if measured is None or not measured.voxels:
            continue
        other = found.get(_other_side(answer.name)) if answer.name in whole else None
        other_ml = other.measurements[0].value if other and other.region in whole else None
        evidence = Evidence(
            answer.name,
            measured.measurements[0].value or 0.0,
            measured.largest_share,
            answer.presence,
            answer.sums,
        )
        yield answer.name, judge(evidence, other_ml)


def _other_side(name: str) -> str:
    if name.startswith(LEFT):
        return RIGHT + name.removeprefix(LEFT)
    return LEFT + name.removeprefix(RIGHT) if name.startswith(RIGHT) else ""


def _pairs(
    judged: Sequence[Measured], found: Mapping[str, RegionMeasured]
) -> Iterator[Measured]:
    """The asymmetry of every structure of which both sides were asked for."""
    by_name = {measured.region: measured for measured in judged}
    for name, left in by_name.items():
        right = by_name.get(_other_side(name)) if name.startswith(LEFT) else None
        if right is None:
            continue
        few = any(
            side.region in found and 0 < found[side.region].voxels < FEWEST_VOXELS
            for side in (left, right)
        )
        numbers = [
            asymmetry(a, b)
            for a in left.numbers
            for b in right.numbers
            if a.quantity == b.quantity and a.quantity in {"volume", "soft-volume"}
        ]
        kept = tuple(_without(m, "failed_qc") if few else m for m in numbers)
        yield Measured(name.removeprefix(LEFT), kept)


def _instances(
    mask: Mask, images: Sequence[Volume], connectivity: Connectivity
) -> Iterator[Measured]:
    """Every connected piece of a lesion by itself, the largest first."""
    instances = find_instances(mask, connectivity)
    extents = label_extents(instances.voxels, instances.geometry)
    for number, measured in enumerate(
        measure_map(instances, images, connectivity=connectivity), start=1
    ):
        answer = Answer(mask.region, "measured")
        if is_cut([extents[number]], mask.geometry):
            answer = replace(answer, status="truncated_fov")
        own = tuple(replace(m, region=mask.region) for m in measured.measurements)
        others = tuple(
            tuple(replace(m, region=mask.region) for m in other) for other in measured.others
        )
        kept = _judged(answer, replace(measured, measurements=own, others=others), None)
        yield replace(kept, instance=number)


def intracranial_of(maps: Sequence[LabelMap]) -> tuple[Measurement, ...]:
    """Volume of all base structures of some maps together, where the image holds them whole."""
    parts = [
        extent
        for labels in maps
        for index, extent in label_extents(labels.voxels, labels.geometry).items()
        if labels.names.get(index) in BASE_NAMES
    ]
    grid = maps[0].geometry if maps else None
    if grid is None or not parts or is_cut(parts, grid):
        status: Status = "truncated_fov" if parts else "absent"
        return (Measurement.missing("intracranial", "volume", "mL", status),)
    total = to_ml(sum(part.voxels for part in parts), grid)
    return (Measurement("intracranial", "volume", total, "mL"),)
