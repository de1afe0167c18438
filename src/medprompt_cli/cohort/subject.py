"""All scans of one subject, as a program or a dialogue looks at them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.images import read_image
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.fitness import Misfit, misfits
from medprompt_cli.execution.values import Image, Visit
from medprompt_cli.planning.tree import Program


def case_of(entries: Sequence[ImageEntry]) -> Case:
    """One subject's case; its visits in the order of their dates, or else of their labels.

    Raises:
        InputError: If there is no image, or they are of several subjects.
    """
    subjects = sorted({entry.subject for entry in entries})
    if len(subjects) != 1:
        shown = ", ".join(subjects[:5]) + (", …" if subjects[5:] else "")
        raise InputError(
            f"A case is one subject; here are {len(subjects)}: {shown or 'none'}.",
            remedy="Choose one with --participant-label.",
            code="several-subjects" if subjects else "no-images",
        )
    places = {visit.label: visit for visit in visits_of(entries)}
    images = [_image(entry, places[entry.session]) for entry in entries]
    return Case.of(subjects[0], images)


def images_of(entries: Sequence[ImageEntry], volumes: Sequence[Volume]) -> tuple[Image, ...]:
    """The images of one visit, their voxels at hand."""
    visit = Visit(entries[0].session, 0, entries[0].acquired)
    return tuple(
        Image(entry.kind, visit, partial(_given, volume), str(entry.path))
        for entry, volume in zip(entries, volumes, strict=True)
    )


def kinds_of(case: Case) -> dict[str, tuple[str, ...]]:
    """The kinds of image of every visit, in the order of time."""
    return {str(visit): case.kinds(visit) for visit in case.visits}


def visits_of(entries: Sequence[ImageEntry]) -> tuple[Visit, ...]:
    """The visits of one subject, in the order of time.

    By their dates if every visit has one; by their labels, numbers as numbers, if not.
    """
    dates = {
        session: min(
            (e.acquired for e in entries if e.session == session and e.acquired),
            default=None,
            key=str,
        )
        for session in {entry.session for entry in entries}
    }
    if all(dates.values()):
        order = sorted(dates, key=lambda s: (str(dates[s]), _natural(s)))
    else:
        order = sorted(dates, key=_natural)
    return tuple(Visit(session, n, dates[session]) for n, session in enumerate(order))


def _natural(label: str | None) -> list[tuple[int, int | str]]:
    parts = re.split(r"(\d+)", label or "")
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _image(entry: ImageEntry, visit: Visit) -> Image:
    return Image(entry.kind, visit, cache(partial(_read, entry)), str(entry.path))


def _read(entry: ImageEntry) -> Volume:
    return read_image(entry.path, modality=entry.modality)


def find_misfits(
    source: str | os.PathLike[str], program: Program
) -> tuple[int, tuple[Misfit, ...]]:
    """Every subject of a dataset that lacks what a program needs; reads no image.

    Returns:
        How many subjects there are, and what those lack that cannot satisfy it.

    Raises:
        InputError: If there is no image.
    """
    dataset = open_dataset(Path(source))
    if not dataset.images:
        raise InputError(
            f"{source} holds no image.",
            remedy=f"See what is there with: medprompt check {source}",
            code="no-images",
        )
    found: list[Misfit] = []
    for subject in dataset.subjects:
        entries = [entry for entry in dataset.images if entry.subject == subject]
        found += misfits(case_of(entries), program)
    return len(dataset.subjects), tuple(found)


def _given(volume: Volume) -> Volume:
    return volume
