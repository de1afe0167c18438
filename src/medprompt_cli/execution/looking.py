"""Where the regions of a program come from: one pass of the network for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from medprompt_cli.domain.anatomy import BASE_NAMES, LESIONS
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.execution.segment import CORTEX, CaseResult, Segments, segment_case
from medprompt_cli.execution.values import Image, Region, Status
from medprompt_cli.planning.vocabulary import resolve

AROUND: tuple[str, ...] = (*BASE_NAMES, "lesion")
"""What a lesion is held against: every tissue, less whatever is lesion itself."""

Key = tuple[int, ...]
"""Which images were read together."""


@dataclass
class Looker:
    """Segments images once, for everything a program will ask of them.

    Attributes:
        segmenter: The network.
        wanted: Canonical names that a program segments anywhere, for the first pass.
        together: Images that are always read together, whichever of them is named.
        passes: What every pass of the network gave, in order.
    """

    segmenter: Segments
    wanted: tuple[str, ...] = ()
    together: tuple[Image, ...] = ()
    passes: list[CaseResult] = field(default_factory=list)
    _of: dict[Key, list[CaseResult]] = field(default_factory=dict)
    _regions: dict[tuple[Key, str], Region] = field(default_factory=dict)
    _lesions: dict[tuple[Key, int], Mask] = field(default_factory=dict)

    def region(self, images: tuple[Image, ...], name: str) -> Region:
        """Where a target is in images that are read together; both sides of a bare name."""
        images = self._as_read(images)
        names = [target.name for target in resolve([name])]
        self._pass(images, names)
        parts = [self._region(images, one) for one in names]
        return parts[0] if len(parts) == 1 else _joined(name, parts)

    def around(self, images: tuple[Image, ...]) -> LabelMap | None:
        """All base structures, which every pass finds; None without a brain."""
        return self._pass(self._as_read(images), ()).around

    def limit_ml(self, images: tuple[Image, ...], name: str) -> float | None:
        """Of an absent lesion, the volume below which one may be there; None of any other."""
        images = self._as_read(images)
        results = self._pass(images, (name,)).results
        return next((r.limit_ml for r in results if r.name == name), None)

    def intracranial(self, images: tuple[Image, ...]) -> Measurement:
        """Volume of all base structures together, as every table takes it."""
        return self._pass(self._as_read(images), ()).intracranial[0]

    def structures(self, images: tuple[Image, ...]) -> LabelMap:
        """All base structures; of an image without a brain, a map that is empty."""
        images = self._as_read(images)
        found = self._pass(images, AROUND, CORTEX).labels
        if found is not None:
            return found
        geometry = images[0].read().geometry
        return LabelMap(np.zeros(geometry.shape, np.uint8), geometry, {})

    def parcels(self, images: tuple[Image, ...]) -> LabelMap | None:
        """The cortex of all lobes; None if nothing of it is seen."""
        return self._pass(self._as_read(images), (*AROUND, *CORTEX)).parcels

    def lesions(self, images: tuple[Image, ...]) -> Mask:
        """Everything that was seen to be lesion of any kind; may hold no voxel."""
        images = self._as_read(images)
        self._pass(images, AROUND, CORTEX)
        passes = self._of[_key(images)]
        key = _key(images), len(passes)
        if key not in self._lesions:
            seen = [mask for found in passes for mask in found.masks if mask.region in LESIONS]
            geometry = images[0].read().geometry
            voxels = np.zeros(geometry.shape, bool)
            for mask in seen:
                voxels |= mask.voxels
            self._lesions[key] = Mask("lesion", voxels, geometry)
        return self._lesions[key]

    def _as_read(self, images: tuple[Image, ...]) -> tuple[Image, ...]:
        joined = any(image is one for image in images for one in self.together)
        return self.together if joined else images

    def _region(self, images: tuple[Image, ...], name: str) -> Region:
        """One target; its voxels are taken out of the label map when it is asked for."""
        key = _key(images), name
        if key not in self._regions:
            self._regions[key] = _region(name, images, self._pass(images, (name,)))
        return self._regions[key]

    def _pass(
        self, images: tuple[Image, ...], names: Collection[str], beside: Iterable[str] = ()
    ) -> CaseResult:
        """A pass over these images that answers all of `names`.

        If there was none, one is run: for them, for what is wanted, and for `beside`, which
        is likely to be asked for next.
        """
        done = self._of.setdefault(_key(images), [])
        for found in done:
            if {result.name for result in found.results}.issuperset(names):
                return found
        answered = {result.name for found in done for result in found.results}
        wanted = [
            target.name
            for name in self.wanted
            for target in resolve([name])
            if target.name not in answered
        ]
        targets = resolve(list(dict.fromkeys((*names, *wanted, *beside))))
        found = segment_case([image.read() for image in images], targets, self.segmenter)
        done.append(found)
        self.passes.append(found)
        return found


def _key(images: Sequence[Image]) -> Key:
    return tuple(id(image) for image in images)


def _region(name: str, images: tuple[Image, ...], result: CaseResult) -> Region:
    found = next(r for r in result.results if r.name == name)
    voxels = _voxels(name, result) if found.has_voxels else None
    geometry = images[0].read().geometry
    return Region(name, images, geometry, voxels, found.status, found.presence, name)


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
