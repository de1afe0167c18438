"""What became of every lesion: who it is at each visit, how large, and its fate.

Ids stay with lesions over all visits. Where lesions have grown together, the one that shares
most with the whole keeps its id, and the fate of the others is `merged`; where one has come
apart, the piece that shares most keeps the id, and the others are new ids whose fate is
`split`. Growth is judged by all that belongs together, so a split is no shrinking. A lesion
that was not seen at some visit is compared with when it was last seen.

A visit that could not be registered takes no part: its lesions have no ids. Where an image was
said to hold no lesion, though small ones would not have been seen, what is smaller than that is
neither new nor resolved for it, unless the images themselves became brighter or darker there.
Where masks say that a lesion changed, and the images that nothing did, its fate cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, get_args

import numpy as np

from medprompt_cli.domain.measurement import Status
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.evidence import Signals, brightening, supported
from medprompt_cli.longitudinal.matching import Links, Placed, linked
from medprompt_cli.measurement.instances import find_instances

Fate = Literal["new", "resolved", "enlarging", "shrinking", "stable", "merged", "split"]
"""What became of a lesion since it was last seen."""

FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(frozen=True, slots=True)
class FateRule:
    """How much a lesion has to change before it counts.

    The same lesion measured again and again varied by 22.6 % below 0.67 cm2, by 12.1 % above;
    changes beyond twice that were taken for real. These were areas, of four patients, drawn by
    hand; here volumes are held against them, small ones being those of balls whose largest
    section is below 0.67 cm2. For "enlarging" there is no definition all agree on.

    Attributes:
        small_percent: Of small lesions.
        large_percent: Of the others.
        large_ml: Volume from which a lesion is not small.
        least_ml: What is smaller is neither a lesion that counts nor a change. Own choice: a
            ball 3 mm across.

    Source: Magnetic resonance imaging lesion enlargement in multiple sclerosis: disease-related
    activity, chance occurrence, or measurement artifact?, Arch Neurol 1992;49:261-263.
    """

    small_percent: float = 45.2
    large_percent: float = 24.2
    large_ml: float = 0.41
    least_ml: float = 0.014

    def fate(self, before_ml: float, after_ml: float) -> Fate:
        """Whether one volume after another means growing, shrinking or neither."""
        percent = self.large_percent if before_ml >= self.large_ml else self.small_percent
        change = after_ml - before_ml
        if abs(change) < self.least_ml or 100 * abs(change) <= percent * before_ml:
            return "stable"
        return "enlarging" if change > 0 else "shrinking"


RULE = FateRule()


@dataclass(frozen=True, slots=True)
class LesionVisit:
    """The lesions of one visit.

    Attributes:
        name: The session, e.g. `ses-01`.
        lesions: On the visit's own grid; empty if there are none.
        to_mid: (4, 4) float64, RAS+ mm of the visit to RAS+ mm of mid-space; None if it could
            not be registered.
        surely_ml: Of an image that was said to hold no lesion, the volume below which one may
            be there all the same; 0 where masks are trusted.
    """

    name: str
    lesions: Mask
    to_mid: np.ndarray | None
    surely_ml: float = 0.0


@dataclass(frozen=True, slots=True)
class LesionRow:
    """One lesion at one visit.

    Attributes:
        lesion: Its id.
        visit: Name of the visit.
        status: `measured`; `absent`; `truncated_fov` where the image does not reach it;
            `failed_qc` where the visit could not be registered.
        volume_ml: None unless measured.
        fate: Since it was last seen; None at the first visit, and where it cannot be told.
        unsure: What masks alone say, where the fate cannot be told; once, if it stays away.
        related: Ids it merged with, split from, or that merged into it or split from it.
        signal_z: How much brighter the images became where it grew, or darker where it shrank
            (negative), in standard deviations; None if it did neither, or it is not known.
    """

    lesion: int
    visit: str
    status: Status
    volume_ml: float | None
    fate: Fate | None
    related: tuple[int, ...] = ()
    signal_z: float | None = None
    unsure: Fate | None = None


@dataclass(frozen=True, eq=False)
class Ledger:
    """All lesions of a person over all visits.

    Attributes:
        region: What they are lesions of, e.g. `ms-lesion`.
        visits: Names, in order.
        rows: By lesion, then by visit: a row for every lesion at every visit.
        labels: For each visit a map on its own grid in which a lesion's voxels hold its id;
            None if it could not be registered.
        rule: What growth was judged by.
    """

    region: str
    visits: tuple[str, ...]
    rows: tuple[LesionRow, ...]
    labels: tuple[LabelMap | None, ...]
    rule: FateRule

    def history(self, lesion: int) -> tuple[LesionRow, ...]:
        """The rows of one lesion."""
        return tuple(row for row in self.rows if row.lesion == lesion)

    def at(self, visit: str) -> tuple[LesionRow, ...]:
        """The rows of one visit."""
        return tuple(row for row in self.rows if row.visit == visit)


def build_ledger(
    visits: Sequence[LesionVisit], rule: FateRule = RULE, signals: Signals | None = None
) -> Ledger:
    """Follow every lesion through the visits.

    Args:
        visits: In the order of their dates, each by another name.
        rule: How much a lesion has to change before it counts.
        signals: How the images of two visits differ, where that is known.

    Raises:
        InputError: If there is no visit, two have one name, or they hold different regions.
    """
    region = _checked_region(visits)
    tracks = _Tracks(rule, signals or {})
    labels: list[LabelMap | None] = []
    for visit in visits:
        if visit.to_mid is None:
            tracks.skip(visit.name)
            labels.append(None)
            continue
        placed = Placed(find_instances(visit.lesions), visit.to_mid, visit.surely_ml)
        labels.append(_labelled(placed.instances, tracks.add(visit.name, placed), region))
    names = tuple(visit.name for visit in visits)
    return Ledger(region, names, tracks.rows(), tuple(labels), rule)


@dataclass(slots=True, eq=False)
class _Track:
    """One lesion so far.

    Attributes:
        id: From 1.
        rows: One for each visit so far.
        seen: The visit it was last seen at.
        number: Which of the lesions there it was.
        ended: Whether it has merged into another.
        lost: Whether it has resolved, so far.
    """

    id: int
    rows: list[LesionRow]
    seen: Placed
    number: int
    ended: bool = False
    lost: bool = False

    @property
    def volume_ml(self) -> float:
        """When it was last seen."""
        return self.seen.volumes_ml[self.number]


@dataclass(frozen=True, slots=True)
class _Assignment:
    """What the links between tracks and the lesions of a visit mean.

    Attributes:
        kept: By the number of a lesion the track it goes on with.
        merged: By the id of a track that ends the number of the lesion it ends in.
        split: By the number of a new lesion the track that it came off.
    """

    kept: Mapping[int, _Track]
    merged: Mapping[int, int]
    split: Mapping[int, _Track]


class _Tracks:
    """The lesions of the visits so far."""

    def __init__(self, rule: FateRule, signals: Signals) -> None:
        self._rule, self._signals = rule, signals
        self._tracks: list[_Track] = []
        self._visits: list[tuple[str, Placed | None]] = []

    def rows(self) -> tuple[LesionRow, ...]:
        """By lesion, then by visit."""
        return tuple(row for track in self._tracks for row in track.rows)

    def skip(self, name: str) -> None:
        """Enter a visit whose lesions cannot be placed."""
        for track in self._tracks:
            track.rows.append(LesionRow(track.id, name, "failed_qc", None, None))
        self._visits.append((name, None))

    def add(self, name: str, placed: Placed) -> dict[int, int]:
        """Enter the lesions of the next visit; their ids by their numbers."""
        found = _assigned(self._edges(placed))
        ids = {number: track.id for number, track in found.kept.items()}
        new = [number for number in placed.volumes_ml if number not in ids]
        ids |= {number: len(self._tracks) + n for n, number in enumerate(new, start=1)}
        before = {track.id: track.volume_ml for track in self._tracks}
        kept = {track.id: number for number, track in found.kept.items()}
        for track in self._tracks:
            if track.id in kept:
                row = self._kept_row(name, placed, found, ids, before, kept[track.id])
                track.seen, track.number, track.lost = placed, kept[track.id], False
            elif track.id in found.merged:
                into = ids[found.merged[track.id]]
                row, track.ended = (
                    LesionRow(track.id, name, "absent", None, "merged", (into,)),
                    True,
                )
            else:
                row = self._unseen_row(track, name, placed)
                track.lost |= row.fate == "resolved"
            track.rows.append(row)
        for number in new:
            self._start(ids[number], name, placed, number, found.split.get(number))
        self._visits.append((name, placed))
        return ids

    def _edges(self, placed: Placed) -> list[tuple[float, _Track, int]]:
        """Links from tracks to the lesions of a visit, those that share most first."""
        edges: list[tuple[float, _Track, int]] = []
        links: dict[int, Links] = {}
        for track in self._tracks:
            if track.ended:
                continue
            seen = id(track.seen)
            if seen not in links:
                links[seen] = linked(track.seen, placed)
            edges += [(ml, track, b) for (a, b), ml in links[seen].items() if a == track.number]
        return sorted(edges, key=lambda edge: (-edge[0], edge[1].id, edge[2]))

    def _kept_row(
        self,
        name: str,
        placed: Placed,
        found: _Assignment,
        ids: Mapping[int, int],
        before: Mapping[int, float],
        number: int,
    ) -> LesionRow:
        """A lesion that goes on, with what it took up and what came off it."""
        track = found.kept[number]
        joined = [id_ for id_, into in found.merged.items() if into == number]
        pieces = [n for n, origin in found.split.items() if origin.id == track.id]
        volumes = placed.volumes_ml
        fate = self._rule.fate(
            before[track.id] + sum(before[id_] for id_ in joined),
            volumes[number] + sum(volumes[n] for n in pieces),
        )
        z = None
        if fate == "enlarging":
            z = self._brightening(
                track.seen, name, placed.outside([number, *pieces], track.seen)
            )
        elif fate == "shrinking":
            z = self._brightening(track.seen, name, track.seen.outside([track.number], placed))
        told, unsure = _told(fate, sure=supported(fate, z))
        related = tuple(sorted([*joined, *(ids[n] for n in pieces)]))
        volume = volumes[number]
        return LesionRow(track.id, name, "measured", volume, told, related, z, unsure)

    def _start(
        self, id_: int, name: str, placed: Placed, number: int, origin: _Track | None
    ) -> None:
        """A lesion that was not there before, or came off another."""
        points = placed.points(number)
        rows = [
            LesionRow(id_, earlier, _absence(there, points), None, None)
            for earlier, there in self._visits
        ]
        fate: Fate | None = None
        unsure: Fate | None = None
        z = None
        volume = placed.volumes_ml[number]
        if origin is not None:
            fate = "split"
        elif any(row.status == "absent" for row in rows):
            z = self._brightening(self._last(), name, points)
            known = [there for _, there in self._visits if there and there.sees(points)]
            sure = z is not None or any(volume >= there.surely_ml for there in known)
            fate, unsure = _told("new", sure=sure and supported("new", z))
        related = () if origin is None else (origin.id,)
        rows.append(LesionRow(id_, name, "measured", volume, fate, related, z, unsure))
        self._tracks.append(_Track(id_, rows, placed, number))

    def _unseen_row(self, track: _Track, name: str, placed: Placed) -> LesionRow:
        """A lesion of which this visit shows nothing; it resolves once."""
        points = track.seen.points(track.number)
        status = _absence(placed, points)
        if status != "absent" or track.ended or track.lost:
            return LesionRow(track.id, name, status, None, None)
        z = self._brightening(track.seen, name, points)
        sure = z is not None or track.volume_ml >= placed.surely_ml
        told, unsure = _told("resolved", sure=sure and supported("resolved", z))
        said = any(row.unsure for row in takewhile(lambda r: not r.volume_ml, track.rows[::-1]))
        return LesionRow(track.id, name, status, None, told, (), z, None if said else unsure)

    def _last(self) -> Placed | None:
        """The latest visit so far that could be placed."""
        return next((placed for _, placed in reversed(self._visits) if placed), None)

    def _brightening(
        self, earlier: Placed | None, later: str, points: np.ndarray
    ) -> float | None:
        """What the images of two visits say of some points of mid-space."""
        name = next((name for name, placed in self._visits if placed is earlier), None)
        return brightening(self._signals, (name, later), points)


def _told(fate: Fate, *, sure: bool) -> tuple[Fate | None, Fate | None]:
    """A fate, first if it can be told, else second: what masks alone say."""
    return (fate, None) if sure else (None, fate)


def _assigned(edges: Sequence[tuple[float, _Track, int]]) -> _Assignment:
    """Each lesion goes on with the track it shares most with, each track with one lesion."""
    kept: dict[int, _Track] = {}
    merged: dict[int, int] = {}
    split: dict[int, _Track] = {}
    going_on: set[int] = set()
    for _, track, number in edges:
        if number not in kept and track.id not in going_on:
            kept[number] = track
            going_on.add(track.id)
    for _, track, number in edges:
        if track.id not in going_on:
            merged.setdefault(track.id, number)
        if number not in kept:
            split.setdefault(number, track)
    return _Assignment(kept, merged, split)


def _absence(visit: Placed | None, points: np.ndarray) -> Status:
    """Why a lesion at some points of mid-space is not in a visit."""
    if visit is None:
        return "failed_qc"
    return "absent" if visit.sees(points) else "truncated_fov"


def _labelled(instances: LabelMap, ids: Mapping[int, int], region: str) -> LabelMap:
    """The lesions of a visit with their ids in place of their numbers."""
    most = max(ids.values(), default=0)
    table = np.zeros(max(ids, default=0) + 1, np.min_scalar_type(max(most, 1)))
    table[list(ids)] = list(ids.values())
    names = {id_: f"{region}-{id_}" for id_ in sorted(ids.values())}
    return LabelMap(table[instances.voxels], instances.geometry, names)


def _checked_region(visits: Sequence[LesionVisit]) -> str:
    names = [visit.name for visit in visits]
    regions = sorted({visit.lesions.region for visit in visits})
    if len(regions) != 1 or len(set(names)) != len(names):
        raise InputError(
            f"Lesions of {regions} at the visits {names} were to be followed.",
            remedy="Give one region at one or more visits, each by its own name.",
            code="bad-visits",
        )
    return regions[0]
