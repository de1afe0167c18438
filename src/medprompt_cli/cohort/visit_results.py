"""What `medprompt segment` wrote of one visit, read back: numbers, statuses and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medprompt_cli.bids.derivatives import anat_folder, dseg_name, mask_name
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.bids.parts import read_part
from medprompt_cli.cohort.visits import FollowedVisit
from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_NAMES, GROUPS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement, Status
from medprompt_cli.domain.volume import Mask
from medprompt_cli.measurement.place import BOX, CENTROID
from medprompt_cli.measurement.standard import INTENSITIES

NOT_FOLLOWED = frozenset({*CENTROID, *BOX, *INTENSITIES, "visible-volume"})
"""Quantities whose change says nothing: places in the scanner, MR signal without a unit, and
how much of a region an image holds."""

SEEN = frozenset({"measured", "truncated_fov"})
"""Statuses of a lesion that has a mask."""

BRAIN = "brain"

WHITE_MATTER = ("left-cerebral-white-matter", "right-cerebral-white-matter")


@dataclass(frozen=True)
class VisitResults:
    """A visit and what was found at it.

    Attributes:
        visit: Which.
        statuses: By target.
        measurements: Each region and quantity once.
        limits_ml: Of an absent lesion, the volume below which one may be there unseen.
    """

    visit: FollowedVisit
    statuses: Mapping[str, Status]
    measurements: tuple[Measurement, ...]
    limits_ml: Mapping[str, float] = field(default_factory=dict)

    def lesions(self, out: Path, region: str, grid: Geometry) -> Mask | None:
        """The lesions of a region: none if absent, None if it is not known where they are.

        Args:
            out: The output folder.
            region: A target.
            grid: Of the visit's image.
        """
        status = self.statuses.get(region)
        if status in SEEN:
            entry = self.visit.entry
            path = out / anat_folder(entry) / f"{mask_name(entry, region)}.nii.gz"
            found = read_labels(path)
            return Mask(region, found.voxels > 0, found.geometry)
        if status == "absent":
            return Mask(region, np.zeros(grid.shape, bool), grid)
        return None

    def brain(self, out: Path) -> Mask | None:
        """The brain, if it was segmented, itself or all structures of it."""
        folder, entry = out / anat_folder(self.visit.entry), self.visit.entry
        if self.statuses.get(BRAIN) in SEEN:
            found = read_labels(folder / f"{mask_name(entry, BRAIN)}.nii.gz")
            return Mask(BRAIN, found.voxels > 0, found.geometry)
        if set(BASE_NAMES) <= self.statuses.keys():
            found = read_labels(folder / f"{dseg_name(entry)}.nii.gz")
            inside = np.isin(found.voxels, [BASE_INDEX[name] for name in GROUPS[BRAIN]])
            return Mask(BRAIN, inside, found.geometry)
        return None

    def white_matter(self, out: Path) -> Mask | None:
        """White matter of the cerebrum, if it was segmented."""
        if not all(self.statuses.get(name) in SEEN for name in WHITE_MATTER):
            return None
        folder, entry = out / anat_folder(self.visit.entry), self.visit.entry
        found = read_labels(folder / f"{dseg_name(entry)}.nii.gz")
        inside = np.isin(found.voxels, [BASE_INDEX[name] for name in WHITE_MATTER])
        return Mask("cerebral-white-matter", inside, found.geometry)


def read_results(
    out: Path, visit: FollowedVisit, targets: Mapping[str, Mapping[str, Any]]
) -> VisitResults:
    """Read the numbers of a visit.

    Args:
        out: The output folder.
        visit: Which.
        targets: What became of each, as the record of the case has it.

    Raises:
        InputError: If the table of the case cannot be read.
    """
    table = read_part(out, "measurements", visit.case)
    found = {
        (row["region"], row["quantity"]): Measurement(
            *(row["region"], row["quantity"], row["value"], row["unit"], row["status"]),
            *(row["lower"], row["upper"]),
        )
        for row in table.to_pylist()
        if row["instance"] is None and row["quantity"] not in NOT_FOLLOWED
    }
    statuses = {name: told["Status"] for name, told in targets.items()}
    limits = {
        name: float(told["DetectionLimitMl"])
        for name, told in targets.items()
        if told.get("DetectionLimitMl") is not None
    }
    return VisitResults(visit, statuses, tuple(found.values()), limits)


def completed(results: Sequence[VisitResults]) -> list[list[Measurement]]:
    """The measurements of every visit, with a missing one for what only others have.

    Its status is that of the region's volume at that visit: what is absent has no soft volume,
    and so no row of it.
    """
    every = {(m.region, m.quantity): m for visit in results for m in visit.measurements}
    lists: list[list[Measurement]] = []
    for visit in results:
        own = {(m.region, m.quantity): m for m in visit.measurements}
        lists.append(
            [
                own.get(key) or Measurement.missing(*key, known.unit, _why(own, key[0]))
                for key, known in every.items()
            ]
        )
    return lists


def _why(own: Mapping[tuple[str, str], Measurement], region: str) -> Status:
    volume = own.get((region, "volume"))
    return "error" if volume is None or volume.status == "measured" else volume.status
