"""Masks that somebody gave, in place of a network: followed and measured as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from medprompt_cli.bids.derivatives import unit_name
from medprompt_cli.bids.image_folder import named_entry
from medprompt_cli.bids.label_names import read_names
from medprompt_cli.bids.listing import stem_of
from medprompt_cli.bids.mask_files import MaskCase, MaskFile, find_masks
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.execution.segment import Segmented
from medprompt_cli.execution.segment import Target as AnyTarget
from medprompt_cli.measurement.place import to_ml
from medprompt_cli.planning.requests import Request
from medprompt_cli.planning.vocabulary import Target

GIVEN = "masks"
"""Stands where the name of weights does."""

METHOD = "medprompt longitudinal --masks"
"""What rows of masks that were given say they come from."""

NOTE = (
    "The masks were given: nothing is known of how right they are, and volumes have no"
    " interval."
)


@dataclass(frozen=True)
class GivenSegments:
    """What was given of one image, as `Segmented` has it."""

    labels: LabelMap
    parcels: LabelMap | None
    masks: Mapping[str, Mask]
    volumes_ml: Mapping[str, float]
    sums: Mapping[str, PosteriorSums] = field(default_factory=dict)
    presence: Mapping[str, float | None] = field(default_factory=dict)
    limits_ml: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = (NOTE,)
    seconds: Mapping[str, float] = field(default_factory=dict)


def taken_as_given(request: Request) -> Request:
    """A request of which every target can be seen: masks can be of anything."""
    targets = tuple(replace(target, visible=True) for target in request.targets)
    return replace(request, targets=targets)


class GivenMasks:
    """Takes regions from files rather than from a network.

    Files are those of the images whose subject, session and kind they name, as `medprompt
    measure` finds them: label maps with a table of names, and single masks.

    Args:
        folder: Of label maps and masks, with BIDS names.

    Raises:
        InputError: If there is no mask.
    """

    weights_name, device_name = GIVEN, "cpu"

    def __init__(self, folder: Path) -> None:
        self.weights_version = folder.name
        self._folder = folder
        self._files: dict[str, list[MaskFile]] = {}
        cases = find_masks(folder)
        for case in cases:
            self._files.setdefault(_image_name(case.name), []).extend(case.files)
        self.weights_sha256 = _fingerprint(folder, cases)

    def segment(
        self, volumes: Volume | Sequence[Volume], targets: Sequence[AnyTarget], /
    ) -> Segmented:
        """The regions of one image that were given.

        Raises:
            InputError: If no mask is of this image, one lies on another grid, or none is of a
                target that was asked for.
        """
        first = volumes if isinstance(volumes, Volume) else volumes[0]
        regions = self._regions(first)
        grid = first.geometry
        found: dict[str, np.ndarray] = {}
        for target in targets:
            known = [name for name in target.members or (target.name,) if name in regions]
            if target.name in regions:
                found[target.name] = regions[target.name]
            elif len(known) == len(target.members) > 0:
                found[target.name] = np.any([regions[name] for name in known], axis=0)
            elif isinstance(target, Target):  # others are context that nobody asked for
                raise InputError(
                    f"The masks of {first.source} hold no {target.name}; there:"
                    f" {', '.join(sorted(regions))}.",
                    remedy="Name what is there.",
                    code="no-such-region",
                )
        single = {*BASE_INDEX, *PARCEL_INDEX}
        parcels = _as_map(found, PARCEL_INDEX, grid)
        return GivenSegments(
            _as_map(found, BASE_INDEX, grid),
            parcels if parcels.names else None,
            {n: Mask(n, v, grid) for n, v in found.items() if n not in single},
            {name: to_ml(int(v.sum()), grid) for name, v in found.items()},
        )

    def _regions(self, image: Volume) -> dict[str, np.ndarray]:
        """Voxels of every region that is given of an image, (I, J, K) bool, by name."""
        path = Path(image.source)
        entry = named_entry(path)
        name = stem_of(path.name) if entry is None else unit_name(entry)
        files = self._files.get(_image_name(name), [])
        if not files:
            raise InputError(
                f"{self._folder} holds no mask of {path.name}.",
                remedy=f"Name the masks of an image after it: {name}_mask.nii.gz, for example.",
                code="no-mask",
            )
        found: dict[str, np.ndarray] = {}
        for file in files:
            labels = read_labels(file.path)
            if not labels.geometry.matches(image.geometry):
                raise InputError(
                    f"{file.path} does not lie on the grid of {path}.",
                    remedy="Give masks on the grids of their images.",
                    code="grid-mismatch",
                )
            found |= self._of_file(file, labels)
        return found

    def _of_file(self, file: MaskFile, labels: LabelMap) -> dict[str, np.ndarray]:
        if file.region is not None:
            return {file.region: labels.voxels > 0}
        table = next((path for path in file.tables(self._folder) if path.is_file()), None)
        if table is None:
            raise InputError(
                f"{file.path} has no table of names beside it.",
                remedy="Put one there: a .tsv with the columns index and name.",
                code="no-table",
            )
        return {name: labels.voxels == index for index, name in read_names(table).items()}


def _as_map(
    found: Mapping[str, np.ndarray], index: Mapping[str, int], grid: Geometry
) -> LabelMap:
    """Those regions that have an index, as one map."""
    voxels = np.zeros(grid.shape, np.min_scalar_type(max(index.values())))
    names = {index[name]: name for name in found if name in index}
    for number, name in names.items():
        voxels[found[name]] = number
    return LabelMap(voxels, grid, names)


def _image_name(case: str) -> str:
    """The name of the image that a case is of: which map it is in does not matter."""
    return "_".join(part for part in case.split("_") if not part.startswith("seg-"))


def _fingerprint(folder: Path, cases: Sequence[MaskCase]) -> str:
    """SHA-256 of what files there are, how large, and when they were written."""
    stats = [
        (file.path.relative_to(folder).as_posix(), file.path.stat())
        for case in cases
        for file in case.files
    ]
    told = sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    return hashlib.sha256(repr(told).encode()).hexdigest()
