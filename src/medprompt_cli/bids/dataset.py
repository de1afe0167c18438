"""Find the images of a dataset, whatever its form, without reading one of them."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from medprompt_cli.bids.bids_tree import SCAN_FOLDERS, looks_like_bids, walk_bids
from medprompt_cli.bids.byte_source import check_is_file
from medprompt_cli.bids.entities import label_of
from medprompt_cli.bids.entry import ImageEntry, without_duplicates
from medprompt_cli.bids.found import Found, Wanted
from medprompt_cli.bids.image_folder import (
    labelled_entry,
    named_entry,
    unique_labels,
    walk_folder,
)
from medprompt_cli.bids.images import IMAGE_SUFFIXES, is_image_name
from medprompt_cli.bids.listing import DICOM_SUFFIXES, file_problem, is_dicom, stem_of
from medprompt_cli.bids.manifest import read_manifest
from medprompt_cli.bids.participants import read_participants
from medprompt_cli.bids.problems import Problem
from medprompt_cli.bids.sidecars import Metadata, Sidecars
from medprompt_cli.bids.tables import Row
from medprompt_cli.errors import InputError, UsageError

__all__ = ["Dataset", "ImageEntry", "Metadata", "Problem", "open_dataset"]

Kind = Literal["bids", "folder", "image", "manifest"]


@dataclass(frozen=True)
class Dataset:
    """The images that were found, and whatever is wrong with the others.

    Attributes:
        root: The folder that paths and sidecars are looked up from.
        kind: What was given: a BIDS dataset, a plain folder, an image or a manifest.
        images: In the order of their paths, or of the manifest's lines; may be empty.
        problems: Files that cannot be used, and what looks wrong about the rest.
        participants: Rows of participants.tsv by subject, with its `sub-` prefix.
        ignored: How many images were passed over, by datatype or suffix: {'func': 4}.
    """

    root: Path
    kind: Kind
    images: tuple[ImageEntry, ...]
    problems: tuple[Problem, ...] = ()
    participants: Mapping[str, Row] = field(default_factory=dict, hash=False)
    ignored: Mapping[str, int] = field(default_factory=dict, hash=False)
    _sidecars: Sidecars | None = field(default=None, repr=False, compare=False)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects that have an image, sorted."""
        return tuple(sorted({entry.subject for entry in self.images}))

    @property
    def sessions(self) -> tuple[tuple[str, str], ...]:
        """Subject and session of every visit that has an image, sorted."""
        visits = {(e.subject, e.session) for e in self.images if e.session is not None}
        return tuple(sorted(visits))

    def metadata(self, entry: ImageEntry) -> Metadata:
        """What the JSON files around an image say of it; read when first asked for."""
        return (self._sidecars or Sidecars(self.root)).metadata(entry)


def open_dataset(
    path: Path,
    *,
    suffixes: Iterable[str] | None = None,
    subjects: Iterable[str] | None = None,
    sessions: Iterable[str] | None = None,
) -> Dataset:
    """Find the images of a BIDS dataset, a plain folder, a manifest, or one image.

    The folder of one subject or session inside a BIDS dataset stands for that part of
    the dataset. No image is opened.

    Args:
        path: What the user named.
        suffixes: Kinds of scan wanted, e.g. `T1w`; None for all.
        subjects: Subjects wanted, with or without `sub-`; None for all.
        sessions: Sessions wanted, with or without `ses-`; None for all.

    Returns:
        The dataset. It has no images if nothing usable was found; why stands in its
        problems.

    Raises:
        InputError: If `path` is not there or is nothing that could hold images.
        UsageError: If a wanted subject or session is not letters and digits.
    """
    wanted = Wanted(_labels(subjects, "sub"), _labels(sessions, "ses"))
    dataset = _open_folder(path, wanted) if _is_folder(path) else _open_file(path, wanted)
    if suffixes is None:
        return dataset
    kinds = set(suffixes)
    return replace(dataset, images=tuple(e for e in dataset.images if e.suffix in kinds))


def check_is_bids(path: Path) -> None:
    """Make sure that a folder says of itself that it is a BIDS dataset.

    No more than that is checked: names that break the rules are problems of their images.

    Raises:
        InputError: If it has no dataset description, or one without a name and a version.
    """
    description = path / "dataset_description.json"
    try:
        content = json.loads(description.read_bytes())
        missing = [key for key in ("Name", "BIDSVersion") if not content.get(key)]
        why = f"{description} has no {' and no '.join(missing)}" if missing else ""
    except OSError as error:
        why = f"{description} cannot be read: {error.strerror or error}"
    except (ValueError, AttributeError):
        why = f"{description} is no JSON object"
    if why:
        raise InputError(
            f"{path} is no BIDS dataset: {why}.",
            remedy="Mend it, or take the folder as it is with --skip-bids-validation.",
            code="not-bids",
        )


def _labels(given: Iterable[str] | None, key: str) -> frozenset[str] | None:
    if given is None:
        return None
    labels = set()
    for text in given:
        label = label_of(text, key)
        if label is None:
            raise UsageError(
                f"{text!r} cannot be a label: it is not letters and digits.",
                remedy=f"Write it as in {key}-01 or 01.",
            )
        labels.add(label)
    return frozenset(labels)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False  # check_is_file says why


def _open_folder(path: Path, wanted: Wanted) -> Dataset:
    if is_image_name(path.name):
        raise InputError(
            f"{path} is a directory, not an image file.",
            remedy="Give the image inside it, or rename the directory.",
            code="is-directory",
        )
    part = _part_of_bids(path)
    if part is not None:
        return _open_bids(part.root, part.narrow(wanted))
    if looks_like_bids(path):
        return _open_bids(path, wanted)
    return _dataset(path, "folder", walk_folder(path, wanted), wanted)


def _open_bids(root: Path, wanted: Wanted) -> Dataset:
    found = walk_bids(root, wanted)
    participants = read_participants(root, found, wanted)
    return replace(_dataset(root, "bids", found, wanted), participants=participants)


def _dataset(root: Path, kind: Kind, found: Found, wanted: Wanted) -> Dataset:
    problems = found.problems
    images = without_duplicates(found.images, problems)
    sessions = {entry.session for entry in images}
    for what, labels, there in (
        ("subject", wanted.subjects, found.subjects),
        ("session", wanted.sessions, sessions),
    ):
        for label in sorted(set(labels or ()).difference(there)):
            remedy = "Check the label; medprompt check lists what is there."
            said = f"Has no {what} {label}."
            problems.append(Problem(root, f"no-such-{what}", said, remedy))
    sidecars, ignored = Sidecars(root), dict(found.ignored)
    return Dataset(root, kind, tuple(images), tuple(problems), {}, ignored, sidecars)


def _open_file(path: Path, wanted: Wanted) -> Dataset:
    if is_image_name(path.name):
        return _open_image(path, wanted)
    check_is_file(path)
    if path.suffix.lower() == ".tsv":
        return _dataset(path.parent, "manifest", read_manifest(path, wanted), wanted)
    if path.suffix.lower() in DICOM_SUFFIXES or is_dicom(path):
        raise InputError(
            f"{path} is one DICOM file of a series.",
            remedy="Give the folder that holds all its slices.",
            code="dicom-file",
        )
    raise InputError(
        f"{path} is neither an image nor a manifest: its name ends in none of "
        f"{', '.join(IMAGE_SUFFIXES)} and .tsv.",
        remedy="Give a folder, an image, or a table of images with tabs between columns.",
        code="not-an-image",
    )


def _open_image(path: Path, wanted: Wanted) -> Dataset:
    """One image; with all its dataset knows of it if it lies in a BIDS dataset."""
    problem = file_problem(path)
    if problem is not None:
        if problem.code == "missing":
            check_is_file(path)
        return Dataset(path.parent, "image", (), (problem,))
    part = _part_of_bids(path.parent)
    if part is not None:
        whole = _open_bids(part.root, part.narrow(wanted))
        for entry in whole.images:
            if entry.path.name == path.name and entry.path.samefile(path):
                problems = tuple(p for p in whole.problems if p.path == entry.path)
                return replace(whole, kind="image", images=(entry,), problems=problems)
    made = labelled_entry(path, f"sub-{unique_labels([stem_of(path.name)])[0]}")
    found = Found(images=[named_entry(path) or made])
    return _dataset(path.parent, "image", wanted.of(found), wanted)


@dataclass(frozen=True)
class _Part:
    """One subject or session of a BIDS dataset."""

    root: Path
    subject: str
    session: str | None

    def narrow(self, wanted: Wanted) -> Wanted:
        """What is wanted of this part alone."""
        subjects = {self.subject} if wanted.subject(self.subject) else set()
        sessions = wanted.sessions
        if self.session is not None:
            sessions = {self.session} if wanted.session(self.session) else set()
        return Wanted(subjects, sessions)


def _part_of_bids(path: Path) -> _Part | None:
    """Which part of a BIDS dataset a folder is; None if it is none."""
    folder = path.absolute()
    if folder.name in SCAN_FOLDERS:
        folder = folder.parent
    session = None
    if folder.name.startswith("ses-"):
        folder, session = folder.parent, folder.name
    if not folder.name.startswith("sub-") or not looks_like_bids(folder.parent):
        return None
    return _Part(folder.parent, folder.name, session)
