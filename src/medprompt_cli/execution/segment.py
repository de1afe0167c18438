"""One case in, the answer to every target out: masks, or the reason there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from medprompt_cli.domain.anatomy import BASE_NAMES, BASE_STRUCTURES, GROUPS, LESIONS
from medprompt_cli.domain.attempt import Attempt
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.parcels import FAMILIES, LOBES, PARCELS, VISIBLE, parcels_of
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume, check_one_grid
from medprompt_cli.execution.extent import (
    Extent,
    cut_faces,
    extents_by_name,
    is_cut,
    label_extents,
)
from medprompt_cli.measurement.place import to_ml

CORTEX: tuple[str, ...] = parcels_of(tuple(k for kinds in LOBES.values() for k in kinds))
"""The parcels of every lobe."""

EVEN_ODDS = 0.5
"""Presence above which a region without a voxel was missed rather than absent."""

Status = Literal["measured", "absent", "truncated_fov", "not_visible", "failed_qc"]


class Target(Protocol):
    """What a prompt asks for."""

    @property
    def name(self) -> str:
        """Canonical name, e.g. `left-hippocampus` or `ventricles`."""
        ...

    @property
    def members(self) -> tuple[str, ...]:
        """The base structures or the parcels it is made of; empty for a lesion."""
        ...

    @property
    def visible(self) -> bool:
        """Whether the weights can see it."""
        ...


class Segmented(Protocol):
    """Regions of one case, on its grid."""

    @property
    def labels(self) -> LabelMap:
        """The base structures that were asked for."""
        ...

    @property
    def parcels(self) -> LabelMap | None:
        """The parcels that were asked for; None if none was."""
        ...

    @property
    def masks(self) -> Mapping[str, Mask]:
        """By name of the target: unions, and lesions, whose mask may hold no voxel."""
        ...

    @property
    def presence(self) -> Mapping[str, float | None]:
        """By name of the target, the probability that it is there."""
        ...

    @property
    def volumes_ml(self) -> Mapping[str, float]:
        """By name of the target, in mL."""
        ...

    @property
    def sums(self) -> Mapping[str, PosteriorSums]:
        """By name of the target, what its probabilities add up to; not all have them."""
        ...

    @property
    def limits_ml(self) -> Mapping[str, float | None]:
        """By name of a lesion, the volume from which on it is found; None if not known."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the masks should know."""
        ...

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time by stage."""
        ...


class Segments(Protocol):
    """A network with its weights loaded."""

    weights_name: str
    weights_version: str
    weights_sha256: str
    device_name: str

    def segment(
        self, volumes: Volume | Sequence[Volume], targets: Sequence[Target], /
    ) -> Segmented:
        """Find the targets in one image, or in several of one grid read together."""
        ...


@dataclass(frozen=True)
class TargetResult:
    """The answer to one target in one case.

    Attributes:
        name: Canonical name of the target.
        status: measured; absent (no voxel of it); truncated_fov (the image ends inside
            it or, of a lesion, holds nothing of the brain); not_visible (the weights cannot
            see it); failed_qc (no voxel of it, though it is probably there).
        presence: Probability that it is there; None if not estimated.
        volume_ml: None unless measured.
        visible_volume_ml: Of a truncated region, the part inside the image.
        limit_ml: Of an absent lesion, the volume from which on nine of ten like it were
            found in synthetic scans: a smaller one may be there.
    """

    name: str
    status: Status
    presence: float | None = None
    volume_ml: float | None = None
    visible_volume_ml: float | None = None
    limit_ml: float | None = None

    @property
    def has_voxels(self) -> bool:
        """Whether some of it is in the image."""
        return (self.volume_ml, self.visible_volume_ml) != (None, None)

    def as_json(self) -> dict[str, object]:
        """The fields as a sidecar words them."""
        content: dict[str, object] = {
            "Status": self.status,
            "Presence": self.presence,
            "VolumeMl": self.volume_ml,
        }
        if self.visible_volume_ml is not None:
            content["VisibleVolumeMl"] = self.visible_volume_ml
        if self.limit_ml is not None:
            content["DetectionLimitMl"] = self.limit_ml
        return content


@dataclass(frozen=True, eq=False)
class CaseResult:
    """What one case gave.

    Attributes:
        labels: Base structures; None if none of them has a voxel.
        masks: Regions that may overlap, and have voxels.
        results: One for every target that was asked for, in order.
        notes: What a reader of the masks should know, one sentence each.
        seconds: Time by stage.
        parcels: Parts of base structures; None if none of them has a voxel.
        sums: By name of the target, what its probabilities add up to; not all have them.
        intracranial: Volume and soft volume of all base structures together.
        around: All base structures, asked for or not.
        cortex: The parcels of all lobes, if they were looked for; asked for or not.
        attempts: Where memory ran out on the way: the tries, the one that gave this last.
    """

    labels: LabelMap | None
    masks: tuple[Mask, ...]
    results: tuple[TargetResult, ...]
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    parcels: LabelMap | None = None
    sums: Mapping[str, PosteriorSums] = field(default_factory=dict)
    intracranial: tuple[Measurement, ...] = ()
    around: LabelMap | None = None
    cortex: LabelMap | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True)
class _Context:
    """A structure or parcel that nobody asked for, and that what is said of others leans on."""

    name: str
    visible: bool = True

    @property
    def members(self) -> tuple[str, ...]:
        return (self.name,)


def plan_hash(targets: Iterable[Target]) -> str:
    """SHA-256 over what is asked for; the order of the prompts does not matter."""
    asked = sorted((target.name, sorted(target.members)) for target in targets)
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def segment_case(
    volumes: Volume | Sequence[Volume],
    targets: Sequence[Target],
    segmenter: Segments,
    *,
    with_lobes: bool = False,
) -> CaseResult:
    """Segment what can be seen, and give every target its status.

    Args:
        volumes: One image, or several of one grid that are read together.
        targets: What is asked for.
        segmenter: The network.
        with_lobes: Look for the parcels of the lobes, too, asked for or not.

    Raises:
        InputError: If several images do not lie on one grid.
    """
    streams = [volumes] if isinstance(volumes, Volume) else list(volumes)
    check_one_grid(streams)
    visible = [target for target in targets if target.visible]
    asked = {target.name for target in visible}
    beside = _context(visible, BASE_NAMES)
    if with_lobes and VISIBLE:
        beside += _context(visible, CORTEX)
    found = segmenter.segment(streams[0] if len(streams) == 1 else streams, [*visible, *beside])
    extents = {**extents_by_name(found.labels), **extents_by_name(found.parcels)}
    geometry = streams[0].geometry
    results = tuple(_result(target, found, extents, geometry) for target in targets)
    there = {result.name for result in results if result.has_voxels}
    return CaseResult(
        _with_voxels(found.labels, asked, extents),
        tuple(mask for name, mask in found.masks.items() if name in there),
        results,
        (*_reading_notes(streams), *found.notes),
        found.seconds,
        _with_voxels(found.parcels, asked, extents),
        {name: sums for name, sums in found.sums.items() if name in there},
        _intracranial(found, extents, geometry),
        found.labels,
        found.parcels if with_lobes else None,
        attempts_of(found),
    )


def attempts_of(found: Segmented) -> tuple[Attempt, ...]:
    """The tries that a network needed; none where it says nothing of them."""
    return getattr(found, "attempts", ())


def cases_at_once(segmenter: Segments) -> int:
    """How many cases to work on at a time so that a network's device is always busy."""
    return getattr(segmenter, "cases_at_once", 1)


def _reading_notes(streams: Sequence[Volume]) -> Iterable[str]:
    """What was noted of each image; of several, with its file's name."""
    for volume in streams:
        name = f"{Path(volume.source).name}: " if len(streams) > 1 else ""
        yield from (name + note for note in volume.notes)


def _context(targets: Sequence[Target], names: Iterable[str]) -> list[Target]:
    """The structures or parcels that nobody asked for, where anything is asked for.

    Structures cost next to nothing, and much leans on them: whether there is a brain that
    could have a lesion, whether a parcel's structure is seen whole, how large the head is.
    """
    asked = {target.name for target in targets}
    return [_Context(name) for name in names if name not in asked] if asked else []


def _intracranial(
    found: Segmented, extents: Mapping[str, Extent], geometry: Geometry
) -> tuple[Measurement, ...]:
    """Volume and soft volume of all base structures, where the image holds them whole.

    Nothing where some of them were not looked for, as in masks that somebody gave.
    """
    if not all(name in found.volumes_ml for name in BASE_NAMES):
        return ()
    parts = [extents[name] for name in BASE_NAMES if name in extents]
    status: Status = "absent"
    if parts:
        status = "truncated_fov" if is_cut(parts, geometry) else "measured"
    voxels = sum(part.voxels for part in parts)
    soft = sum(found.volumes_ml.get(name, 0.0) for name in BASE_NAMES)
    volumes = {"volume": to_ml(voxels, geometry), "soft-volume": soft}
    return tuple(
        Measurement("intracranial", name, value, "mL")
        if status == "measured"
        else Measurement.missing("intracranial", name, "mL", status)
        for name, value in volumes.items()
    )


def _with_voxels(
    labels: LabelMap | None, asked: Collection[str], extents: Mapping[str, Extent]
) -> LabelMap | None:
    """What was asked for of a label map; None if nothing of it has a voxel."""
    if labels is None or not any(n in asked and n in extents for n in labels.names.values()):
        return None
    return labels.only(asked)


def parents_of(members: Iterable[str]) -> frozenset[str]:
    """The base structures that parcels are parts of; none for what is no parcel.

    >>> sorted(parents_of(["left-insula", "anterior-vermis"]))
    ['left-cerebellar-cortex', 'left-cerebral-cortex', 'right-cerebellar-cortex']
    """
    wanted = set(members)
    return frozenset(
        structure.name
        for parcel in PARCELS
        if parcel.name in wanted
        for structure in BASE_STRUCTURES
        if structure.kind in FAMILIES[parcel.family]
        and parcel.side in {structure.side, "midline"}
    )


def _result(
    target: Target, found: Segmented, extents: Mapping[str, Extent], geometry: Geometry
) -> TargetResult:
    if not target.visible:
        return TargetResult(target.name, "not_visible")
    presence = found.presence.get(target.name)
    presence = None if presence is None else round(presence, 4)
    if target.name in found.masks:
        parts = list(label_extents(found.masks[target.name].voxels, geometry).values())
    else:
        parts = [extents[name] for name in target.members if name in extents]
    parents = [extents[name] for name in parents_of(target.members) if name in extents]
    if not parts:
        status = _status_without_voxels(target, presence, parents, extents, geometry)
        limit = found.limits_ml.get(target.name) if status == "absent" else None
        limit = None if limit is None else round(limit, 2)
        return TargetResult(target.name, status, presence, limit_ml=limit)
    volume = round(found.volumes_ml[target.name], 4)
    cut = cut_faces(parts, geometry)
    if parents:  # a thin parcel touches the edge of a tight crop, which cuts nothing
        cut &= cut_faces(parents, geometry)
    if cut.any():
        return TargetResult(target.name, "truncated_fov", presence, None, volume)
    return TargetResult(target.name, "measured", presence, volume)


def _status_without_voxels(
    target: Target,
    presence: float | None,
    parents: Sequence[Extent],
    extents: Mapping[str, Extent],
    geometry: Geometry,
) -> Status:
    """Why a region has no voxel.

    No lesion is the usual answer in a brain; where no brain is seen, nothing is known of
    its lesions. A parcel must be somewhere in a structure that is seen whole.
    """
    if target.name in LESIONS:
        return "absent" if extents.keys() & set(GROUPS["brain"]) else "truncated_fov"
    if parents_of(target.members):
        return "failed_qc" if parents and not is_cut(parents, geometry) else "absent"
    missed = presence is not None and presence > EVEN_ODDS
    return "failed_qc" if missed else "absent"
