"""Which images of a dataset are to be segmented, and what is to be done for each case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medprompt_cli.bids.derivatives import anat_folder, dseg_name, unit_name
from medprompt_cli.bids.entities import LABEL_SUFFIXES
from medprompt_cli.bids.entry import ImageEntry, joined
from medprompt_cli.cohort.records import Basis, Standing, basis_of, read_record, standing
from medprompt_cli.cohort.records import record_path as path_of_record

NO_ANATOMY = frozenset({"phase", "real", "imag"})
"""Values of `part` whose voxels show no anatomy to go by. Source: BIDS."""


@dataclass(frozen=True)
class Unit:
    """One case to segment: what is done, recorded and resumed as a whole.

    Attributes:
        sources: Its images; several are read together.
        entry: The image, or the name that several have together and the path of the first.
        name: A name that no other case of the dataset has.
        record_path: Where its record lies.
        record: What was known of it when the run began.
        basis: What its result depends on.
        standing: What is to be done.
    """

    sources: tuple[ImageEntry, ...]
    entry: ImageEntry
    name: str
    record_path: Path
    record: dict[str, Any] | None
    basis: Basis
    standing: Standing

    @property
    def partners(self) -> tuple[Path, ...]:
        """The images that are read together with the first."""
        return tuple(source.path for source in self.sources[1:])


def choose(
    entries: Iterable[ImageEntry], suffixes: Sequence[str] = (), *, diffusion: bool = True
) -> tuple[ImageEntry, ...]:
    """The images to segment: those with one of `suffixes`, or every scan.

    Regions drawn on scans, and the phase, real and imaginary parts of scans, are left out
    unless their suffix is asked for; so are diffusion images without `diffusion`.
    """
    wanted = {suffix.lower() for suffix in suffixes}
    return tuple(
        entry
        for entry in entries
        if _is_wanted(entry, wanted) and (diffusion or wanted or not entry.is_diffusion)
    )


def _is_wanted(entry: ImageEntry, suffixes: set[str]) -> bool:
    suffix = (entry.suffix or "").lower()
    if suffixes:
        return suffix in suffixes or (entry.kind or "").lower() in suffixes
    part = entry.entities.get("part", "").removeprefix("part-")
    return suffix not in LABEL_SUFFIXES and part not in NO_ANATOMY


def make_unit(
    out: Path,
    sources: tuple[ImageEntry, ...],
    plan: str,
    weights: str,
    *,
    thorough: bool = False,
) -> Unit:
    """Look up what is there of a case's result; with `thorough`, by its images' contents."""
    entry = joined(sources)
    name = unit_name(entry)
    path = path_of_record(out, name)
    record = read_record(path)
    images = [source.path for source in sources]
    basis = basis_of(images, plan, weights)
    stands = standing(out, record, basis, images, thorough=thorough)
    return Unit(sources, entry, name, path, record, basis, stands)


def same_outputs(entries: Sequence[ImageEntry]) -> dict[Path, Path]:
    """Images whose results would have the names of an earlier image's, and that image."""
    first: dict[str, Path] = {}
    clashes = {}
    for entry in entries:
        name = str(anat_folder(entry) / dseg_name(entry)).lower()
        if name in first:
            clashes[entry.path] = first[name]
        else:
            first[name] = entry.path
    return clashes
