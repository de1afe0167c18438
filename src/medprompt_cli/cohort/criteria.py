"""Published criteria, applied to what was found of one subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medprompt_cli.cohort.signals import shows_t2_lesions
from medprompt_cli.cohort.visit_results import VisitResults
from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.longitudinal.change import Change
from medprompt_cli.longitudinal.ledger import Ledger
from medprompt_cli.longitudinal.readings import (
    Reading,
    brain_loss,
    lesion_activity,
    lesion_counts,
    signal_activity,
    ventricle_change,
)
from medprompt_cli.longitudinal.response import LEAST_MM, RULES, Criteria, TumourVisit, response
from medprompt_cli.longitudinal.signal_change import SignalChange
from medprompt_cli.measurement.diameters import in_plane_diameters, reading_axis
from medprompt_cli.reporting.facts import LESION_VOLUMES, VOLUMES, is_lesion

ENHANCING_TUMOR, TUMOR = "enhancing-tumor", "tumor"

OF_ENHANCING: tuple[Criteria, ...] = ("rano-hgg", "rano-2.0-area", "rano-2.0-volume")
OF_T2: tuple[Criteria, ...] = ("rano-lgg", "rano-2.0-area", "rano-2.0-volume")
"""Criteria that are told of an enhancing tumour, and of a tumour on T2 or FLAIR."""

LEAST_SLICES = 2
"""Measurable disease is on as many slices at least."""


def volumes_of(region: str) -> tuple[str, ...]:
    """Quantities that are the volume of a region, the one that is read first.

    Of a lesion that is the mask's: its pieces, whose fates are told, add up to it.

    >>> volumes_of("left-hippocampus"), volumes_of("lesion")
    (('soft-volume', 'volume'), ('volume', 'soft-volume'))
    """
    return LESION_VOLUMES if is_lesion(region) else VOLUMES


def read_on(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By region the quantity that is read as its volume.

    Args:
        found: Regions and quantities that there are.
    """
    there = set(found)
    regions = dict.fromkeys(region for region, quantity in there if quantity in VOLUMES)
    return {
        region: next(name for name in volumes_of(region) if (region, name) in there)
        for region in regions
    }


@dataclass(frozen=True, slots=True)
class Size:
    """What the criteria take of one lesion.

    Attributes:
        diameters_mm: The longest within a slice, and the longest perpendicular to it.
        slices: How many hold a voxel of it.
    """

    diameters_mm: tuple[float, float]
    slices: int

    @property
    def product_mm2(self) -> float:
        """Of both diameters."""
        return self.diameters_mm[0] * self.diameters_mm[1]

    @property
    def is_measurable(self) -> bool:
        """Whether it is measurable disease."""
        return min(self.diameters_mm) >= LEAST_MM and self.slices >= LEAST_SLICES


Sizes = Mapping[int, Size]
"""Of every lesion of a visit by its id."""


def read_criteria(
    changes: Sequence[Change],
    ledgers: Mapping[str, Ledger | None],
    signals: Mapping[tuple[str, str], SignalChange],
    results: Sequence[VisitResults],
    kind: str,
    age: float | None,
) -> tuple[Reading, ...]:
    """Every reading that what was found allows.

    Args:
        changes: From the first to the last visit.
        ledgers: By region of lesions.
        signals: By the names of two visits.
        results: Of every visit.
        kind: Of the images.
        age: In years at the first visit; None if not known.
    """
    readings: list[Reading] = []
    whole = {(c.region, c.quantity): c for c in changes}
    if brain := _volume_of(whole, "brain"):
        readings += brain_loss(brain, age)
    if ventricles := _volume_of(whole, "ventricles"):
        readings.append(ventricle_change(ventricles))
    for region, ledger in ledgers.items():
        if ledger is not None and shows_t2_lesions(kind, [region]):
            for counts in lesion_counts(ledger):
                reading = lesion_activity(counts)
                name = f"{reading.name}, {region}, {counts.first} to {counts.second}"
                readings.append(replace(reading, name=name))
    readings += [signal_activity(found) for found in signals.values()]
    if len(results) > 1:
        readings += _responses(ENHANCING_TUMOR, OF_ENHANCING, ledgers, results)
        if shows_t2_lesions(kind, ["lesion"]):
            readings += _responses(TUMOR, OF_T2, ledgers, results)
    return tuple(readings)


def _volume_of(changes: Mapping[tuple[str, str], Change], region: str) -> Change | None:
    found = [changes[region, name] for name in volumes_of(region) if (region, name) in changes]
    return next((c for c in found if c.status == "measured"), found[0] if found else None)


def _responses(
    region: str,
    criteria: Sequence[Criteria],
    ledgers: Mapping[str, Ledger | None],
    results: Sequence[VisitResults],
) -> Iterator[Reading]:
    """What each set of criteria says of a tumour, by its diameters or by its volume."""
    if region not in ledgers:
        return
    ledger = ledgers[region]
    sizes = _sizes(ledger, len(results))
    targets = _targets(ledger, sizes)
    new = _new_lesions(ledger, sizes)
    for one in criteria:
        by_volume = RULES[one].quantity == "volume"
        visits = [
            TumourVisit(
                _volume(result, region)
                if by_volume
                else _products(result, region, found, targeted),
                _largest(found),
                is_new,
                others_left=bool(found and not targeted.intersection(found)),
            )
            for result, found, targeted, is_new in zip(
                results, sizes, targets, new, strict=True
            )
        ]
        reading = response(one, visits)
        yield replace(reading, name=f"{reading.name}, {region}")


def _sizes(ledger: Ledger | None, visits: int) -> list[Sizes | None]:
    """Of every lesion of every visit; None of a visit whose lesions are not known."""
    if ledger is None:
        return [None] * visits
    return [None if labels is None else dict(_of_map(labels)) for labels in ledger.labels]


def _of_map(labels: LabelMap) -> Iterator[tuple[int, Size]]:
    axis = reading_axis(labels.geometry)
    canonical = to_canonical(labels.voxels, labels.geometry)
    for id_, name in labels.names.items():
        found = in_plane_diameters(Mask(name, labels.voxels == id_, labels.geometry))
        if found is not None:
            slices = np.unique(np.argwhere(canonical == id_)[:, axis])
            yield id_, Size((found.longest_mm, found.perpendicular_mm), len(slices))


def _targets(ledger: Ledger | None, sizes: Sequence[Sizes | None]) -> list[frozenset[int]]:
    """The ids that belong to the target lesions, visit by visit.

    Those that are measurable at the first visit, what they merged into, and what came off.
    """
    if ledger is None or not sizes[0]:
        return [frozenset()] * len(sizes)
    known = {id_ for id_, one in sizes[0].items() if one.is_measurable}
    found = [frozenset(known)]
    for name in ledger.visits[1:]:
        for row in ledger.at(name):
            if row.fate == "merged" and row.lesion in known:
                known |= set(row.related)
            if row.fate == "split" and known.intersection(row.related):
                known.add(row.lesion)
        found.append(frozenset(known))
    return found


def _new_lesions(ledger: Ledger | None, sizes: Sequence[Sizes | None]) -> list[bool | None]:
    """Whether there has been a new measurable lesion since the first visit."""
    if ledger is None:
        return [None] * len(sizes)
    found: list[bool | None] = []
    seen = False
    for name, known in zip(ledger.visits, sizes, strict=True):
        for row in ledger.at(name) if known is not None else ():
            one = (known or {}).get(row.lesion)
            seen |= row.fate == "new" and one is not None and one.is_measurable
        found.append(seen if seen or known is not None else None)
    return found


def _volume(result: VisitResults, region: str) -> Measurement:
    for found in result.measurements:
        if (found.region, found.quantity) == (region, "volume"):
            return found
    return Measurement.missing(region, "volume", "mL", "error")


def _products(
    result: VisitResults, region: str, found: Sizes | None, targets: frozenset[int]
) -> Measurement:
    """Sum of the products of diameters of the target lesions."""
    if result.statuses.get(region) == "absent":
        return Measurement.missing(region, "bidimensional", "mm2", "absent")
    if found is None:
        return Measurement.missing(region, "bidimensional", "mm2", "failed_qc")
    # without measurable disease at the first visit, all that is there
    counted = [one for id_, one in found.items() if id_ in targets or not targets]
    total = sum(one.product_mm2 for one in counted)
    return Measurement(region, "bidimensional", total, "mm2")


def _largest(found: Sizes | None) -> tuple[float, float] | None:
    """Diameters of the measurable lesion whose product is largest; None if there is none."""
    measurable = [one for one in (found or {}).values() if one.is_measurable]
    largest = max(measurable, key=lambda size: size.product_mm2, default=None)
    return None if largest is None else largest.diameters_mm
