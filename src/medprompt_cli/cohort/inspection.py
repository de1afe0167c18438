"""Look at every image of a dataset before anything is computed from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from joblib import Parallel, cpu_count, delayed

from medprompt_cli.bids.dataset import Dataset
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_header
from medprompt_cli.bids.problems import Problem, from_os_error
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import InputError

MAX_DECODERS = 4
"""Images decoded at once; each holds its voxels twice, and a disk feeds no more."""

SEVERITIES = ("skipped", "warning", "note")
"""Worst first."""

Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Inspected:
    """What opening one image showed.

    Attributes:
        entry: The image.
        geometry: Its grid; None if it cannot be read.
        problems: Why it cannot be read, or what was mended on the way.
    """

    entry: ImageEntry
    geometry: Geometry | None
    problems: tuple[Problem, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it could be read."""
        return self.geometry is not None


@dataclass(frozen=True)
class Inspection:
    """What opening every image of a dataset showed.

    Attributes:
        dataset: What was looked at.
        images: One for each image of the dataset, in its order.
        deep: Whether voxels were decoded; else only headers were read.
    """

    dataset: Dataset
    images: tuple[Inspected, ...]
    deep: bool

    @property
    def usable(self) -> tuple[Inspected, ...]:
        """The images that could be read."""
        return tuple(image for image in self.images if image.usable)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong: the worst first, then by path; each said once."""
        found = [*self.dataset.problems]
        for image in self.images:
            found += [*image.problems, *self.dataset.metadata(image.entry).problems]
        return tuple(
            sorted(
                dict.fromkeys(found),
                key=lambda p: (SEVERITIES.index(p.severity), p.path, p.code, p.message),
            )
        )

    def spacings(self) -> dict[str | None, Counter[Spacing]]:
        """How many usable images of each suffix have which spacing (I, J, K) in mm."""
        counted: dict[str | None, Counter[Spacing]] = {}
        for image in self.images:
            spacings = counted.setdefault(image.entry.suffix, Counter())
            if image.geometry is not None:
                i, j, k = (round(mm, 2) for mm in image.geometry.spacing)
                spacings[i, j, k] += 1
        return counted


def inspect(
    dataset: Dataset, *, deep: bool = False, advance: Callable[[bool], None] | None = None
) -> Inspection:
    """Open every image of a dataset; no image that is broken stops the others.

    Args:
        dataset: What to look at.
        deep: Decode every voxel, so that checksums, NaN and empty images show; else only
            headers are read. DICOM series are always decoded.
        advance: Called after each image, with whether it failed.
    """
    images = []
    for image in _inspect_all(dataset.images, deep=deep):
        images.append(image)
        if advance is not None:
            advance(not image.usable)
    return Inspection(dataset, tuple(images), deep)


def _inspect_all(entries: tuple[ImageEntry, ...], *, deep: bool) -> Iterator[Inspected]:
    if not deep:
        return map(_read_geometry, entries)
    workers = Parallel(
        n_jobs=min(cpu_count(), MAX_DECODERS), prefer="threads", return_as="generator"
    )
    decoded = workers(delayed(_decode)(entry) for entry in entries)
    return cast("Iterator[Inspected]", decoded)


def _read_geometry(entry: ImageEntry) -> Inspected:
    if entry.path.is_dir():
        return _decode(entry)
    try:
        header = read_header(entry.path)
    except InputError as error:
        return Inspected(entry, None, (Problem.from_error(entry.path, error),))
    return Inspected(entry, header.geometry, _mended(entry, header.notes))


def _decode(entry: ImageEntry) -> Inspected:
    try:
        volume = read_image(entry.path, modality=entry.modality)
    except InputError as error:
        return Inspected(entry, None, (Problem.from_error(entry.path, error),))
    except OSError as error:
        return Inspected(entry, None, (from_os_error(entry.path, error),))
    return Inspected(entry, volume.geometry, _mended(entry, volume.notes))


def _mended(entry: ImageEntry, notes: tuple[str, ...]) -> tuple[Problem, ...]:
    remedy = "Look whether the image is right as it is read; export it again if not."
    return tuple(Problem(entry.path, "mended", note, remedy) for note in notes)
