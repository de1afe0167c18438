"""What became of a lesion between two images of a case: by the ledger of both."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medprompt_cli.domain.anatomy import GROUPS, LESIONS
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.errors import InputError
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.values import Image, Region, Status, Text
from medprompt_cli.longitudinal.evidence import Signals
from medprompt_cli.longitudinal.ledger import Ledger, LesionVisit, build_ledger
from medprompt_cli.longitudinal.midspace import find_midspace
from medprompt_cli.longitudinal.signal_change import SignalVisit, find_signal_change

BEFORE, AFTER = "before", "after"
"""What the two visits are called in a ledger."""

WHITE_MATTER = ("left-cerebral-white-matter", "right-cerebral-white-matter")

T2_SUFFIXES = ("flair", "t2w")
"""Kinds of image whose difference bears a fate out, or does not."""

_Scans = tuple[tuple[Image, ...], tuple[Image, ...]]


@dataclass
class Fates:
    """Fates of the lesions of a case.

    Attributes:
        case: Whose images are compared.
        looker: Where regions come from.
    """

    case: Case
    looker: Looker
    _moves: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray] | None] = field(
        default_factory=dict
    )
    _ledgers: dict[tuple[object, ...], Ledger | Status] = field(default_factory=dict)

    def fate(self, region: Region, other: Image | None) -> Text:
        """What became of a lesion from the earlier to the later of two visits.

        Args:
            region: A lesion, or a target that is one; of either visit.
            other: An image of another visit; None for one of the first visit, of the kind that
                the region was seen on.
        """
        name = region.target or (region.instance.of if region.instance else region.name)
        if name not in LESIONS:
            return Text(None, "undefined")
        if region.voxels is None:
            return Text(None, region.status)
        other = other or self._first(region)
        if other is None or other.visit == region.images[0].visit:
            return Text(None, "missing")
        is_later = other.visit.place < region.images[0].visit.place
        scans = ((other,), region.images) if is_later else (region.images, (other,))
        ledger = self._ledger(scans, name)
        if not isinstance(ledger, Ledger):
            return Text(None, ledger)
        return _told(ledger, AFTER if is_later else BEFORE, region.voxels)

    def _first(self, region: Region) -> Image | None:
        suffix = region.images[0].suffix
        return self.case.image(suffix, self.case.visits[0])

    def _ledger(self, scans: _Scans, name: str) -> Ledger | Status:
        """The lesions of both visits, or why they cannot be followed."""
        key = (*(id(image) for images in scans for image in images), name)
        if key not in self._ledgers:
            self._ledgers[key] = self._build(scans, name)
        return self._ledgers[key]

    def _build(self, scans: _Scans, name: str) -> Ledger | Status:
        masks: list[Mask] = []
        for images in scans:
            found = self.looker.region(images, name)
            if found.voxels is None and found.status != "absent":
                return found.status
            none = np.zeros(found.geometry.shape, bool)
            masks.append(
                Mask(name, none if found.voxels is None else found.voxels, found.geometry)
            )
        moves = self._between(scans)
        if moves is None:
            return "failed_qc"
        visits = [
            LesionVisit(*(visit, mask, move), self.looker.limit_ml(images, name) or 0.0)
            for visit, mask, move, images in zip(
                (BEFORE, AFTER), masks, moves, scans, strict=True
            )
        ]
        return build_ledger(visits, signals=self._signals(scans, masks, moves))

    def _between(self, scans: _Scans) -> tuple[np.ndarray, np.ndarray] | None:
        """The moves of both visits to mid-space; None if they could not be registered."""
        key = tuple(id(image) for images in scans for image in images)
        if key not in self._moves:
            brains = [_brain(self.looker.around(images)) for images in scans]
            known = [None, None] if None in brains else brains
            try:
                found = find_midspace([images[0].read() for images in scans], known).to_mid
            except InputError:
                found = (None, None)
            first, second = found
            known_moves = None if first is None or second is None else (first, second)
            self._moves[key] = known_moves
        return self._moves[key]

    def _signals(
        self, scans: _Scans, masks: list[Mask], moves: tuple[np.ndarray, np.ndarray]
    ) -> Signals:
        kinds = [(images[0].suffix or "").lower() for images in scans]
        if any(kind not in T2_SUFFIXES for kind in kinds):
            return {}
        visits: list[SignalVisit] = []
        for name, images, move, mask in zip((BEFORE, AFTER), scans, moves, masks, strict=True):
            structures = self.looker.around(images)
            if structures is None:
                return {}
            white = _parts(structures, WHITE_MATTER)
            visits.append(SignalVisit(name, images[0].read(), move, white, (mask,)))
        try:
            return {(BEFORE, AFTER): find_signal_change(visits[0], visits[1])}
        except InputError:
            return {}


def _told(ledger: Ledger, visit: str, voxels: np.ndarray) -> Text:
    """The fate of the lesion that most voxels of a mask belong to."""
    labels = ledger.labels[ledger.visits.index(visit)]
    counts = np.bincount(labels.voxels[voxels]) if labels is not None else np.zeros(1)
    counts[:1] = 0
    if not counts.any():
        return Text(None, "undefined")
    before, after = ledger.history(int(counts.argmax()))
    if after.fate is not None:
        return Text(after.fate)
    if "truncated_fov" in {before.status, after.status}:
        return Text(None, "truncated_fov")
    return Text(None, "undefined")


def _brain(structures: LabelMap | None) -> Mask | None:
    found = None if structures is None else _parts(structures, GROUPS["brain"])
    return found if found is not None and found.voxels.any() else None


def _parts(structures: LabelMap, names: tuple[str, ...]) -> Mask:
    ids = [index for index, name in structures.names.items() if name in names]
    return Mask("parts", np.isin(structures.voxels, ids), structures.geometry)
