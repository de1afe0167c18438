"""Where the regions of a program come from: one pass of the network for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution.segment import CaseResult, Segments, Target, segment_case
from medprompt_cli.execution.values import Image, Region, Status
from medprompt_cli.planning.vocabulary import resolve


@dataclass
class Looker:
    """Segments images once, for everything a program will ask of them.

    Attributes:
        segmenter: The network.
        wanted: Canonical names that a program segments anywhere, for the first pass.
    """

    segmenter: Segments
    wanted: tuple[str, ...] = ()
    _seen: dict[tuple[int, ...], dict[str, Region]] = field(default_factory=dict)

    def region(self, images: tuple[Image, ...], name: str) -> Region:
        """Where a target is in images that are read together; both sides of a bare name."""
        key = tuple(id(image) for image in images)
        known = self._seen.setdefault(key, {})
        if any(target.name not in known for target in resolve([name])):
            names = dict.fromkeys((name, *(w for w in self.wanted if w not in known)))
            targets = [t for t in resolve(list(names)) if t.name not in known]
            known.update(self._look(images, targets))
        parts = [known[target.name] for target in resolve([name])]
        return parts[0] if len(parts) == 1 else _joined(name, parts)

    def _look(self, images: tuple[Image, ...], targets: Sequence[Target]) -> dict[str, Region]:
        volumes = [image.read() for image in images]
        result = segment_case(volumes, targets, self.segmenter)
        return {t.name: _region(t.name, images, volumes[0], result) for t in targets}


def _region(name: str, images: tuple[Image, ...], volume: Volume, result: CaseResult) -> Region:
    found = next(r for r in result.results if r.name == name)
    voxels = _voxels(name, result) if found.has_voxels else None
    status: Status = found.status
    return Region(name, images, volume.geometry, voxels, status, found.presence, name)


def _voxels(name: str, result: CaseResult) -> np.ndarray | None:
    for mask in result.masks:
        if mask.region == name:
            return mask.voxels
    for labels in (result.labels, result.parcels):
        for index, known in labels.names.items() if labels else ():
            if known == name:
                return labels.voxels == index if labels else None
    return None


def _joined(name: str, parts: Sequence[Region]) -> Region:
    """Both sides as one region; what is unknown of one is unknown of both."""
    first = parts[0]
    there = [part.voxels for part in parts if part.voxels is not None]
    unknown: list[Status] = [
        p.status for p in parts if p.voxels is None and p.status != "absent"
    ]
    presence = [p.presence for p in parts if p.presence is not None]
    cut = any(p.status == "truncated_fov" for p in parts)
    status: Status = "truncated_fov" if cut else "measured"
    if unknown or not there:
        status = unknown[0] if unknown else "absent"
    voxels = np.any(there, axis=0) if there and not unknown else None
    chance = max(presence) if presence else None
    return Region(name, first.images, first.geometry, voxels, status, chance, name)
