"""What is known of each image on disk: done, failed or cut off, and made from what.

One small JSON file per image, `OUT/logs/NAME.json`. It is what makes a rerun do only what
is missing or changed, and what keeps medprompt from overwriting a mask that somebody
corrected by hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.json_files import LOGS, to_json

SCHEMA = 1

CHUNK = 1 << 16
"""Bytes that are read at once; a record has fewer."""

Standing = Literal["todo", "current", "edited", "blocked"]
"""todo: missing, failed or changed; current: nothing to do; edited: current, though a file
was changed by somebody; blocked: to be redone, which would overwrite such a file."""


@dataclass(frozen=True)
class Basis:
    """What a result depends on: if any of it changes, the image is done again.

    Attributes:
        bytes: Size of the image, or of all files of a series, or of all images that are
            read together; -1 if one is not there.
        modified_ns: When it was last written, as the file system says; of several images
            the sum, so that no change of one hides behind another.
        plan: Hash of the targets.
        weights: SHA-256 of the weights.
    """

    bytes: int
    modified_ns: int
    plan: str
    weights: str


def basis_of(images: Sequence[Path | str], plan: str, weights: str) -> Basis:
    """What a result made from `images` now would depend on."""
    try:
        found = [_size_and_time(image) for image in images]
    except OSError:
        return Basis(-1, -1, plan, weights)
    return Basis(sum(size for size, _ in found), sum(time for _, time in found), plan, weights)


def _size_and_time(image: Path | str) -> tuple[int, int]:
    """Bytes of an image, or of all files of a series, and when the last was written."""
    status = os.stat(image)  # noqa: PTH116 - asked of every image of a cohort
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size, status.st_mtime_ns
    stats = [file.stat() for file in Path(image).iterdir()]
    latest = max((status.st_mtime_ns for status in stats), default=-1)
    return sum(status.st_size for status in stats), latest


def contents_of(images: Sequence[Path | str]) -> str | None:
    """SHA-256 of an image; of several files, that of theirs, one a line in hexadecimal.

    Of a series all files count, in the order of their names.

    Returns:
        None if one cannot be read.
    """
    digests = []
    try:
        for image in map(Path, images):
            for path in sorted(image.iterdir()) if image.is_dir() else (image,):
                with path.open("rb") as file:
                    digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    except OSError:
        return None
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def record_path(out: Path, name: str) -> Path:
    """Where the record of an image lies."""
    return out / LOGS / f"{name}.json"


def read_record(path: Path | str) -> dict[str, Any] | None:
    """The record of an image; None if there is none that can be used."""
    try:
        record = json.loads(_content(path))
    except (OSError, ValueError):
        return None
    usable = (
        isinstance(record, dict)
        and record.get("schema") == SCHEMA
        and isinstance(record.get("outputs"), dict)
    )
    return record if usable else None


def _content(path: Path | str) -> bytes:
    """A file's bytes, by few calls of the system: one record for each case of a cohort."""
    file = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(file, CHUNK):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(file)


def write_record(path: Path, status: str, basis: Basis, content: Mapping[str, Any]) -> None:
    """Replace the record of an image.

    Args:
        path: From `record_path`.
        status: `writing`, `done` or `failed`.
        basis: What the result depends on.
        content: `outputs` (size by path relative to OUT), and whatever else is known.

    Raises:
        OutputError: If it cannot be written.
    """
    record = {"schema": SCHEMA, "status": status, "basis": asdict(basis), **content}
    write_file(path, to_json(record).encode())


def outputs_of(record: Mapping[str, Any] | None) -> dict[str, int]:
    """Size of every file that a record lists, by path relative to OUT."""
    return dict(record["outputs"]) if record else {}


def edited_outputs(out: Path, record: Mapping[str, Any] | None) -> list[Path]:
    """Files that have another size than when they were written."""
    return [out / name for name in _edited(record, _sizes(out, record))]


def _edited(record: Mapping[str, Any] | None, sizes: Mapping[str, int | None]) -> list[str]:
    if record is None or record["status"] == "writing":
        return []  # cut off between renames: either size may be right
    written = record["outputs"]
    return [name for name, size in sizes.items() if size not in {None, written[name]}]


def _sizes(out: Path, record: Mapping[str, Any] | None) -> dict[str, int | None]:
    """The sizes that the files a record lists have now."""
    folder = os.fspath(out)
    return {name: file_size(f"{folder}/{name}") for name in (record or {}).get("outputs", ())}


def standing(
    out: Path,
    record: Mapping[str, Any] | None,
    basis: Basis,
    images: Sequence[Path | str] = (),
    *,
    thorough: bool = False,
) -> Standing:
    """What is to be done for an image, going by its record and the files it lists.

    Args:
        out: The output folder.
        record: Of the image.
        basis: What its result would depend on now.
        images: Read only where it takes their contents to tell, see `same_images`.
        thorough: Whether it always does.
    """
    sizes = _sizes(out, record)
    edited = _edited(record, sizes)
    current = (
        record is not None
        and record["status"] == "done"
        and None not in sizes.values()
        and not asked_otherwise(record, basis)
        and same_images(record, basis, images, thorough=thorough)
    )
    if edited:
        return "edited" if current else "blocked"
    return "current" if current else "todo"


def asked_otherwise(
    record: Mapping[str, Any], basis: Basis
) -> Literal["", "prompts", "weights"]:
    """Whether a result is of other prompts or weights; '' if it is not."""
    earlier = record.get("basis", {})
    if earlier.get("plan") != basis.plan:
        return "prompts"
    return "weights" if earlier.get("weights") != basis.weights else ""


def same_images(
    record: Mapping[str, Any],
    basis: Basis,
    images: Sequence[Path | str] = (),
    *,
    thorough: bool = False,
) -> bool:
    """Whether images are those that a record's result was made from.

    They are if their size and time are the same. If only the time is another, as of a copy or
    a fresh checkout, their contents decide; with `thorough` these decide in any case, so far
    as the record knows them.
    """
    earlier = record.get("basis", {})
    if earlier.get("bytes") != basis.bytes:
        return False
    same_time = earlier.get("modified_ns") == basis.modified_ns
    known = record.get("contents")
    if known is None or not images or (same_time and not thorough):
        return same_time
    return known == contents_of(images)


def settle(path: Path, record: Mapping[str, Any] | None, basis: Basis) -> None:
    """Note the time that images have now, so that their contents are read but once.

    Args:
        path: Of the record.
        record: Of a result that is current.
        basis: What it depends on.

    Raises:
        OutputError: If it cannot be written.
    """
    if record is not None and record["basis"] != vars(basis):
        rest = {k: v for k, v in record.items() if k not in {"schema", "status", "basis"}}
        write_record(path, "done", basis, rest)


def replaced_answer(record: Mapping[str, Any] | None, basis: Basis) -> str | None:
    """What a record's files answer, if that is not what `basis` asks for.

    Returns:
        The prompts as the person worded them, `'left hippocampus', 'brain'`, and the weights
        if they are others; None if nothing is there, or nothing else was asked for.
    """
    if not outputs_of(record) or record is None:
        return None
    earlier = record.get("basis", {})
    if earlier.get("weights") != basis.weights:
        weights = record.get("weights", {})
        by = f" with the weights {weights.get('Name')} {weights.get('Version')}"
    elif earlier.get("plan") != basis.plan:
        by = ""
    else:
        return None
    return ", ".join(f"'{prompt}'" for prompt in record.get("prompts", ())) + by


def other_results(out: Path, names: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cases of `out`, but those called `names`, that have files, and their records."""
    folder = out / LOGS
    listed = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - names are enough
    found = {name.removesuffix(".json") for name in listed if name.endswith(".json")}
    for name in sorted(found - set(names)):
        record = read_record(record_path(out, name))
        if record is not None and record["outputs"]:
            yield name, record


def other_answers(out: Path, names: Collection[str], basis: Basis) -> Counter[str]:
    """In how many images of `out`, but those called `names`, something else is answered.

    Args:
        out: The output folder.
        names: Images to leave out.
        basis: Of what is asked for now; only its plan and weights matter.

    Returns:
        Number of images by what they answer, in the words of `replaced_answer`.
    """
    answers = (replaced_answer(record, basis) for _, record in other_results(out, names))
    return Counter(answer for answer in answers if answer is not None)


def file_size(path: Path | str) -> int | None:
    """Size in bytes; None if there is no such file."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - asked of every output of a cohort
    except OSError:
        return None
