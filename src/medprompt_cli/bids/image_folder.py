"""Images of a plain folder: who they belong to is read from names, or made from paths."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from medprompt_cli.bids.entities import LABEL_SUFFIXES, guess_suffix, parse_name
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.found import Found, Wanted
from medprompt_cli.bids.listing import list_folder, stem_of
from medprompt_cli.bids.problems import Problem, from_os_error

MAX_DEPTH = 12
"""Folders below the given one that are searched."""

PASSED_OVER = frozenset({"derivatives", "sourcedata", "code", "__MACOSX"})
"""Folders that hold copies and results, not scans."""

MAX_LABEL = 64
"""Letters of a path that a label keeps: file names may have 255, and hold more than it."""

HASH_DIGITS = 6
"""Hexadecimal digits of the path's SHA-256 behind a label that is not enough by itself."""


def walk_folder(root: Path, wanted: Wanted) -> Found:
    """Find every image file and every folder of DICOM slices below a plain folder.

    A file named after BIDS belongs to the subject its name says. Every other image is a
    subject of its own, labelled after its path below `root`, so two files of the same
    name in different folders stay apart. Files whose names end in `_mask` or `_dseg`
    are counted and passed over.
    """
    found = Found()
    scans = []
    for path in _image_paths(root, found):
        suffix = guess_suffix(stem_of(path.name))
        if suffix in LABEL_SUFFIXES:
            found.ignored[suffix] += 1
        else:
            scans.append(path)
    named = _unscattered([e for path in scans if (e := named_entry(path))], found.problems)
    known = {entry.path for entry in named}
    loose = [path for path in scans if path not in known]
    names = {path: _name_below(path, root) for path in loose}
    different = list(dict.fromkeys(names.values()))
    labels = dict(
        zip(different, unique_labels(different, [e.subject for e in named]), strict=True)
    )
    made = [labelled_entry(path, f"sub-{labels[name]}") for path, name in names.items()]
    found.images = sorted([*named, *made], key=lambda entry: entry.path)
    return wanted.of(found)


def _image_paths(root: Path, found: Found) -> list[Path]:
    """Files and DICOM folders, in the order of their paths; a folder is seen once."""
    paths: list[Path] = []
    seen: set[tuple[int, int]] = set()
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        if not _is_new(folder, seen, found.problems):
            continue
        listing = list_folder(folder, found.problems)
        paths += [folder / name for name in listing.images]
        if listing.is_dicom_series():
            paths.append(folder)
        inner = [folder / name for name in listing.folders if name not in PASSED_OVER]
        if depth < MAX_DEPTH:
            waiting += [(path, depth + 1) for path in inner]
        elif inner:
            said = f"Holds folders more than {MAX_DEPTH} below {root}; they were not searched."
            remedy = "Give a folder nearer to the images."
            found.problems.append(Problem(folder, "too-deep", said, remedy))
    return sorted(paths)


def _is_new(folder: Path, seen: set[tuple[int, int]], problems: list[Problem]) -> bool:
    """Whether a folder was not searched before, under this name or through a link."""
    try:
        status = folder.stat()
    except OSError as error:
        problems.append(from_os_error(folder, error))
        return False
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def named_entry(path: Path) -> ImageEntry | None:
    """The entry of a file whose name follows BIDS and names its subject, else None."""
    parsed = parse_name(stem_of(path.name))
    if parsed.fault or "sub" not in parsed.entities:
        return None
    session = parsed.entities.get("ses")
    return ImageEntry(
        path,
        f"sub-{parsed.entities['sub']}",
        None if session is None else f"ses-{session}",
        parsed.suffix,
        parsed.entities,
    )


def _unscattered(named: Sequence[ImageEntry], problems: list[Problem]) -> list[ImageEntry]:
    """Those whose subject has all its files in one place; the others are reported.

    Two folders may each have a `sub-01` who is not the same person: taking their images
    for one person's would be wrong without a word.
    """
    homes: dict[str, set[Path]] = defaultdict(set)
    for entry in named:
        homes[entry.subject].add(_home(entry))
    together = []
    for entry in named:
        if len(homes[entry.subject]) == 1:
            together.append(entry)
            continue
        said = f"Is taken for a subject of its own: other folders have a {entry.subject} too."
        remedy = "Arrange the images as a BIDS dataset, or list them in a manifest."
        problems.append(Problem(entry.path, "ambiguous-subject", said, remedy))
    return together


def _home(entry: ImageEntry) -> Path:
    """The folder above it that is called after its subject, else the one it lies in."""
    above = entry.path.parents
    return next((folder for folder in above if folder.name == entry.subject), above[0])


def labelled_entry(path: Path, subject: str) -> ImageEntry:
    """The entry of a file whose subject is known and whose name does not follow BIDS."""
    suffix = guess_suffix(stem_of(path.name))
    return ImageEntry(path, subject, None, suffix, {"sub": subject.removeprefix("sub-")})


def _name_below(path: Path, root: Path) -> str:
    """The path below `root` without its extension; two formats of one image share it."""
    if path == root:
        return path.resolve().name
    return path.relative_to(root).with_name(stem_of(path.name)).as_posix()


def unique_labels(paths: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Make a label of letters and digits out of each path, no two the same.

    A path comes without its extension.

    A label that another path has as well, or that is among the subjects `taken`, gets a
    hash of the path behind it; so does one that lost letters on the way. Labels that
    differ only in case count as the same: some disks cannot hold both.
    """
    labels = [_plain_label(path) for path in paths]
    uses = Counter(label.lower() for label in labels)
    uses.update(subject.removeprefix("sub-").lower() for subject in taken)
    return [
        label + _digest(path) if uses[label.lower()] > 1 else label
        for path, label in zip(paths, labels, strict=True)
    ]


def _plain_label(path: str) -> str:
    text = unicodedata.normalize("NFKD", path)
    letters = "".join(char for char in text if char.isalnum())
    label = re.sub(r"[^0-9a-zA-Z]", "", letters)[:MAX_LABEL]
    return label if label and label == letters else label + _digest(path)


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:HASH_DIGITS]
