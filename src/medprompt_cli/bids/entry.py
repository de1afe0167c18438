"""One image of a dataset, and what makes it different from every other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Literal

from medprompt_cli.bids.entities import DIFFUSION_SUFFIXES, SCAN_SUFFIXES
from medprompt_cli.bids.images import IMAGE_SUFFIXES
from medprompt_cli.bids.listing import stem_of
from medprompt_cli.bids.problems import Problem

_DIFFUSION = frozenset(suffix.lower() for suffix in DIFFUSION_SUFFIXES)


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One image, by its name alone: nothing of it has been read.

    Attributes:
        path: The file, or the folder of a DICOM series.
        subject: BIDS label with its prefix, e.g. `sub-01`; made from the path where
            the name gives none.
        session: BIDS label with its prefix, e.g. `ses-01`; None without sessions.
        suffix: What kind of scan, e.g. `T1w`; None if the name does not say.
        entities: Value of every BIDS entity, without its key; holds `sub` always.
        acquired: When it was scanned: a date, or a datetime where the time is known.
            A datetime has no zone; one given in UTC is kept in UTC.
    """

    path: Path
    subject: str
    session: str | None
    suffix: str | None
    entities: Mapping[str, str] = field(hash=False)
    acquired: date | None = None

    @property
    def stem(self) -> str:
        """The file name without its extension, or the folder name of a series."""
        return stem_of(self.path.name)

    @property
    def kind(self) -> str | None:
        """The suffix; `T1ce` for a T1w with a contrast agent, `dwi` for a trace image."""
        if self.suffix == "T1w" and self.entities.get("ce"):
            return "T1ce"
        return "dwi" if self.suffix == "trace" else self.suffix

    @property
    def is_diffusion(self) -> bool:
        """Whether it shows diffusion: next to no anatomy, but something to measure."""
        return (self.suffix or "").lower() in _DIFFUSION

    @property
    def modality(self) -> Literal["MR", "CT"] | None:
        """What the suffix says of how intensities are to be read; None if nothing."""
        if self.suffix == "ct":
            return "CT"
        return "MR" if self.suffix in SCAN_SUFFIXES or self.is_diffusion else None


def joined(entries: Sequence[ImageEntry]) -> ImageEntry:
    """The name under which images are read together; one image keeps its own.

    It has the path of the first, the entities that all agree on, and their suffixes as one
    word: `sub-01_run-1_FLAIR` and `sub-01_acq-hi_run-1_T1w` make `sub-01_run-1_FLAIRT1w`.
    """
    first = entries[0]
    shared = set.intersection(*(set(entry.entities.items()) for entry in entries))
    return replace(
        first,
        suffix="".join(entry.suffix or "" for entry in entries) or None,
        entities={
            key: value for key, value in first.entities.items() if (key, value) in shared
        },
    )


def _identity(entry: ImageEntry) -> tuple[object, ...]:
    return entry.suffix, frozenset(entry.entities.items())


def _preference(entry: ImageEntry) -> tuple[int, str]:
    """Compressed NIfTI first: it is what BIDS tools write."""
    suffix = entry.path.name.lower().removeprefix(entry.stem.lower())
    known = suffix in IMAGE_SUFFIXES
    return IMAGE_SUFFIXES.index(suffix) if known else len(IMAGE_SUFFIXES), str(entry.path)


def without_duplicates(
    entries: Iterable[ImageEntry], problems: list[Problem]
) -> list[ImageEntry]:
    """Keep one image per suffix and set of entities, so that results cannot collide."""
    kept: dict[tuple[object, ...], ImageEntry] = {}
    found = list(entries)
    for entry in found:
        identity = _identity(entry)
        rival = kept.setdefault(identity, entry)
        if rival is entry:
            continue
        kept[identity], lost = sorted((rival, entry), key=_preference)
        problems.append(
            Problem(
                lost.path,
                "duplicate",
                f"Has the subject, session, entities and suffix of "
                f"{kept[identity].path.name!r}, which is used instead.",
                "Remove one of the two, or tell them apart by an entity such as run-1.",
            )
        )
    winners = {id(entry) for entry in kept.values()}
    return [entry for entry in found if id(entry) in winners]
