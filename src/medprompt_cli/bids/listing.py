"""One folder's content, seen through `os.scandir`, with what cannot be used set apart."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from medprompt_cli.bids.byte_source import POINTER_STARTS
from medprompt_cli.bids.images import IMAGE_SUFFIXES, is_image_name
from medprompt_cli.bids.problems import Problem, from_os_error, not_fetched

POINTER_BYTES = 1024
"""Only files smaller than this can be placeholders. Source: git-lfs specification."""

DICOM_MAGIC = b"DICM"
DICOM_PREAMBLE_BYTES = 128
DICOM_SUFFIXES = (".dcm", ".ima")
DICOM_CANDIDATES = 4
"""Files of unknown kind that are opened to see whether a folder is a DICOM series."""

NO_DICOM = (".json", ".tsv", ".csv", ".txt", ".md", ".bval", ".bvec", ".png", ".jpg")
"""Companions of images, not worth opening."""


def stem_of(name: str) -> str:
    """A file name without its image suffix; other names are kept whole."""
    for suffix in IMAGE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


@dataclass
class Listing:
    """What one folder holds, hidden names left out, each list sorted.

    Attributes:
        path: The folder.
        folders: Names of folders; a link to a folder is one.
        images: Names of image files that have content.
        unusable: Names of image files that have none.
        others: Names of all other files.
    """

    path: Path
    folders: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def is_dicom_series(self) -> bool:
        """Whether files of this folder are DICOM, by name or else by their first bytes."""
        if any(name.lower().endswith(DICOM_SUFFIXES) for name in self.others):
            return True
        unknown = [
            name
            for name in self.others
            if name != "DICOMDIR" and not name.lower().endswith(NO_DICOM)
        ]
        return any(is_dicom(self.path / name) for name in unknown[:DICOM_CANDIDATES])


def list_folder(path: Path, problems: list[Problem]) -> Listing:
    """List a folder; why an image cannot be used goes to `problems`."""
    listing = Listing(path)
    for entry in _scan(path, problems):
        if is_image_name(entry.name):
            problem = file_problem(entry)
            if problem is not None:
                problems.append(problem)
            (listing.images if problem is None else listing.unusable).append(entry.name)
        elif _is_folder(entry):
            listing.folders.append(entry.name)
        else:
            listing.others.append(entry.name)
    return listing


def count_images(path: Path, problems: list[Problem]) -> int:
    """How many names in a folder are names of images, whatever is behind them."""
    return sum(is_image_name(entry.name) for entry in _scan(path, problems))


def _scan(path: Path, problems: list[Problem]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        problems.append(from_os_error(path, error))
        return []
    return sorted(shown, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def file_problem(entry: os.DirEntry[str] | Path) -> Problem | None:
    """Why a file named like an image has no content to read; None if it has."""
    try:
        status = entry.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size >= POINTER_BYTES:
            return None
        return _content_problem(Path(entry), status)
    except FileNotFoundError as error:
        return _absence(Path(entry), error)
    except OSError as error:
        return from_os_error(Path(entry), error)


def _content_problem(path: Path, status: os.stat_result) -> Problem | None:
    """Tell a directory, a device, an empty file and a placeholder from a tiny image."""
    if stat.S_ISDIR(status.st_mode):
        remedy = "Give the image inside it, or rename the directory."
        return Problem(path, "is-directory", "Is a directory, not an image file.", remedy)
    if not stat.S_ISREG(status.st_mode):
        remedy = "Copy the image to a regular file."
        return Problem(path, "not-a-file", "Is not a regular file.", remedy)
    if status.st_size == 0:
        return Problem(path, "empty", "Is empty: 0 bytes.", "Copy or download it again.")
    with path.open("rb") as file:
        start = file.read(POINTER_BYTES)
    if start.startswith(POINTER_STARTS):
        return not_fetched(path, start.decode("utf-8", "replace"))
    return None


def _absence(path: Path, error: OSError) -> Problem:
    try:
        return not_fetched(path, str(path.readlink()))
    except OSError:
        return from_os_error(path, error)


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: a preamble, then the four letters DICM."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            return False
        with path.open("rb") as file:
            start = file.read(DICOM_PREAMBLE_BYTES + len(DICOM_MAGIC))
    except OSError:
        return False
    return start[DICOM_PREAMBLE_BYTES:] == DICOM_MAGIC
