"""Where the pieces of a lesion lie: by label maps, and by findings that were made before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.special import ndtr

from medprompt_cli.characterization.around import (
    box_around,
    labelled,
    mm_from,
    points_of,
)
from medprompt_cli.characterization.landmarks import SEARCH_MM, landmarks_of, spread
from medprompt_cli.characterization.places import (
    BORDER_ERROR_MM,
    LOBE_NAMES,
    lobe,
)
from medprompt_cli.domain.anatomy import GROUPS
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.parcels import LOBES, PARCELS
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.execution.combining import half_of
from medprompt_cli.execution.values import Region
from medprompt_cli.measurement.instances import find_instances, instance_masks
from medprompt_cli.measurement.place import to_ml
from medprompt_cli.synthesis.instructions.known import (
    HEMISPHERES,
    REGION_PLACES,
    SIDES,
    Piece,
    Where,
)

CLEAR = 0.9
"""Share of a piece's voxels that lie in a place if it lies there, and in no lobe if in none."""

BORDER_MM = 5.0
"""A piece this near to a structure, and not in it, is on its border."""

_HALVES: Mapping[str, frozenset[str]] = {
    side: frozenset(
        (
            *(name for name in GROUPS["cerebrum"] if name.startswith(f"{side}-")),
            *(p.name for p in PARCELS if p.side == side and p.family == "cortex"),
        )
    )
    for side in SIDES
}
"""By side the structures of the cerebrum; in maps of parcels these stand for the cortex."""

_LOBES: Mapping[str, frozenset[str]] = {
    f"{side}-{name}": frozenset(f"{side}-{kind}" for kind in kinds)
    for name, kinds in LOBES.items()
    for side in SIDES
}
"""By lobe its parcels."""


@dataclass(frozen=True)
class Reported:
    """The lobe of one piece, as a table of findings has it.

    Attributes:
        value: The lobe; None unless it was measured.
        probability: That it is right.
        status: Of the finding.
    """

    value: str | None
    probability: float | None
    status: str


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What says where things are in one image.

    Attributes:
        structures: With base structures; None if there is no such map.
        parcels: With cortical parcels; may be the same map.
        reported: By lesion and number of the piece, the lobe it was found in; None if no
            lobe was looked for.
    """

    structures: LabelMap | None = None
    parcels: LabelMap | None = None
    reported: Mapping[tuple[str, int], Reported] | None = None

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The places that pieces can be said to lie in, or not to."""
        found: list[str] = list(HEMISPHERES) if self.halves else []
        if self.grounds_lobes or self.reported is not None:
            found += LOBE_NAMES
        return (*found, *(place for place in REGION_PLACES if self._holds(place)))

    @property
    def grounds_lobes(self) -> bool:
        """Whether label maps say where lobes are."""
        return self.structures is not None and self.parcels is not None

    @cached_property
    def halves(self) -> Mapping[str, np.ndarray]:
        """By side the voxels, (I, J, K) bool, nearer to that half of the cerebrum.

        Empty if one half is not labelled.
        """
        if self.structures is None:
            return {}
        left, right = (
            Region(
                *(side, (), self.structures.geometry),
                labelled(self.structures, _HALVES[side].__contains__),
            )
            for side in SIDES
        )
        halves = {side: half_of(side, (left, right)) for side in SIDES}
        return {side: half for side, half in halves.items() if half is not None}

    def _holds(self, place: str) -> bool:
        """Whether the label map has a voxel of every structure that a place is made of."""
        if self.structures is None:
            return False
        there = set(np.unique(self.structures.voxels).tolist())
        named = {name for index, name in self.structures.names.items() if index in there}
        return REGION_PLACES[place] <= named


def pieces_of(lesion: Mask, anatomy: Anatomy, certain: float) -> tuple[Piece, ...]:
    """The connected pieces of a lesion, the largest first, and where each lies.

    Args:
        lesion: On the grid of the anatomy.
        anatomy: What says where things are.
        certain: Probability from which on a finding counts.
    """
    instances = find_instances(lesion)
    sizes = np.bincount(instances.voxels.ravel(), minlength=len(instances.names) + 1)
    ground = _Ground(anatomy, certain, lesion.region)
    pieces = []
    for number, mask in enumerate(instance_masks(instances), start=1):
        voxels = int(sizes[number])
        tied = bool(np.count_nonzero(sizes[1:] == voxels) > 1)
        places = dict(ground.places(mask, number, tied=tied))
        pieces.append(Piece(number, voxels, to_ml(voxels, lesion.geometry), places))
    return tuple(pieces)


@dataclass(frozen=True)
class _Ground:
    """Says where one piece lies.

    Attributes:
        anatomy: What says where things are.
        certain: Probability from which on a finding counts.
        lesion: Name of the lesion.
    """

    anatomy: Anatomy
    certain: float
    lesion: str

    def places(self, piece: Mask, number: int, *, tied: bool) -> Iterator[tuple[str, Where]]:
        """Every place that is known of, and whether the piece lies there.

        Args:
            piece: Its mask.
            number: Its number among the pieces.
            tied: Whether another piece is as large, so that the numbers of the table of
                findings do not tell the two apart.
        """
        for side, half in self.anatomy.halves.items():
            share = float(half[piece.voxels].mean())
            yield f"{side}-hemisphere", _by_share(share)
        yield from self._lobes(piece, number, tied=tied)
        for place, members in REGION_PLACES.items():
            if place in self.anatomy.places:
                yield place, self._in_region(piece, members)

    def _lobes(self, piece: Mask, number: int, *, tied: bool) -> Iterator[tuple[str, Where]]:
        structures, parcels = self.anatomy.structures, self.anatomy.parcels
        grounded = None
        if structures is not None and parcels is not None:
            grounded = self._by_finding(lobe(piece, structures, parcels))
            if "finding-uncertain" in grounded.values():
                grounded |= dict.fromkeys(_far_lobes(piece, parcels, self.certain), "out")
        told = None
        if self.anatomy.reported is not None:
            found = self.anatomy.reported.get((self.lesion, number))
            told = self._by_report(found, tied=tied)
        for name in LOBE_NAMES:
            both: list[Where] = [one[name] for one in (grounded, told) if one is not None]
            if both:
                yield name, _agreed(both)

    def _by_finding(self, found: Finding) -> dict[str, Where]:
        outside = (found.number("share-no-lobe") or 0) / 100
        if found.status == "error":
            return _all("out" if outside >= CLEAR else "place-unclear")
        return self._by_report(
            Reported(found.value, found.probability, found.status), tied=False
        )

    def _by_report(self, found: Reported | None, *, tied: bool) -> dict[str, Where]:
        if found is None or found.value is None or found.probability is None:
            return _all("finding-not-measured")
        if tied or found.probability < self.certain:
            return _all("finding-uncertain")
        return {**_all("out"), found.value: "in"}

    def _in_region(self, piece: Mask, members: frozenset[str]) -> Where:
        """By the labels under a piece, and by how far it is from the region."""
        labels = self.anatomy.structures
        if labels is None:
            raise ValueError(piece.region)
        box = box_around(piece, BORDER_MM)
        own, region = piece.voxels[box], labelled(labels, members.__contains__, box)
        known = labels.voxels[box][own] > 0
        share = float(region[own][known].mean()) if known.any() else 0.0
        if share >= CLEAR and float(known.mean()) > 1 / 2:
            return "in"
        if not region.any():
            return "out"
        away = float(mm_from(region, piece.geometry)[own].min())
        return "out" if away > BORDER_MM else "place-unclear"


def _far_lobes(piece: Mask, parcels: LabelMap, certain: float) -> Iterator[str]:
    """The lobes that a piece is surely not in, though it is not sure which one it is in.

    By how much farther their cortex is than that of the nearest lobe, as the probability of a
    lobe is found in `characterization/places.py`.
    """
    box = box_around(piece, 0.0)
    points = points_of(piece.voxels[box], piece.geometry, box)
    points = points[spread(len(points))]
    known = landmarks_of(parcels)

    def cortex(lobe_: str) -> np.ndarray:
        return points_of(labelled(parcels, _LOBES[lobe_].__contains__), parcels.geometry)

    ways = np.column_stack(
        [known.mm_to(name, points, partial(cortex, name)) for name in LOBE_NAMES]
    )
    ways = np.minimum(ways, SEARCH_MM)
    farther = np.median(ways - ways.min(axis=1, keepdims=True), axis=0)
    for name, far in zip(LOBE_NAMES, farther, strict=True):
        if ndtr(far / (2 * BORDER_ERROR_MM)) >= certain:
            yield name


def _all(where: Where) -> dict[str, Where]:
    return dict.fromkeys(LOBE_NAMES, where)


def _by_share(share: float) -> Where:
    if share >= CLEAR:
        return "in"
    return "out" if share <= 1 - CLEAR else "place-unclear"


def _agreed(both: list[Where]) -> Where:
    """What one says, or both; a reason why it is not known stands above what is."""
    for where in both:
        if where not in {"in", "out"}:
            return where
    return both[0] if len(set(both)) == 1 else "places-differ"
