"""Which subjects one of several jobs does: each subject in one job, the jobs about even."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.images import is_image_name
from medprompt_cli.bids.nifti import read_header
from medprompt_cli.errors import UsageError

FROM_SLURM = "slurm"
"""The shard's name that stands for what an array job of SLURM says of itself."""

MAX_HEADERS = 2000
"""Of so many images the headers are read; of more the files' sizes have to do."""

BYTES_PER_VOXEL = 2
"""Of a series of DICOM files, whose voxels are 16-bit integers as a rule."""

_GIVEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Shard:
    """One part of a cohort.

    Attributes:
        number: Which part, from 1.
        of: How many parts there are.
        told: Where the two numbers come from, in words.
        strict: Whether having more parts than subjects must be a mistake.
    """

    number: int
    of: int
    told: str
    strict: bool = False


@dataclass(frozen=True)
class Share:
    """What a shard is of a cohort.

    Attributes:
        shard: Which one.
        subjects: Its subjects.
        of: How many subjects there are.
        size: Its share of all voxels, or of all bytes, 0 to 1; None if there are none.
    """

    shard: Shard
    subjects: frozenset[str]
    of: int
    size: float | None

    def __str__(self) -> str:
        shard, size = self.shard, self.size
        work = "" if size is None else f", {100 * size:.0f} % of the work"
        return (
            f"shard {shard.number}/{shard.of} ({shard.told}): {len(self.subjects)} of"
            f" {counted(self.of, 'subject')}{work}"
        )


def parse_shard(text: str, environment: Mapping[str, str]) -> Shard:
    """Understand `2/8`, or `slurm` by the variables of an array job.

    Raises:
        UsageError: If it is neither, or this is no array job, or one whose ids have gaps.
    """
    if text == FROM_SLURM:
        return _of_array(environment)
    match = _GIVEN.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(
            f"--shard {text!r} is no part of a whole.",
            remedy="Write it as in 2/8, the second of eight, or slurm in an array job.",
        )
    return Shard(int(match[1]), int(match[2]), f"--shard {text}")


def _of_array(environment: Mapping[str, str]) -> Shard:
    """The place of an id among the array's ids, wherever they start and however they step."""
    if "SLURM_ARRAY_TASK_ID" not in environment:
        raise UsageError(
            "--shard slurm was given outside an array job: SLURM_ARRAY_TASK_ID is not set.",
            remedy="Submit it with sbatch --array, or write --shard 1/8 and so on.",
        )
    task, first, last, count = (
        _number(environment, f"SLURM_ARRAY_TASK_{name}")
        for name in ("ID", "MIN", "MAX", "COUNT")
    )
    step = _number(environment, "SLURM_ARRAY_TASK_STEP", 1)
    place, off_step = divmod(task - first, max(step, 1))
    is_regular = (last - first) // max(step, 1) + 1 == count and not off_step
    if not is_regular or not 0 <= place < count:
        raise UsageError(
            f"--shard slurm cannot place task {task} of an array of {count} from {first} to"
            f" {last}: the ids have gaps.",
            remedy="Submit ids without gaps, or name the part with --shard I/N.",
        )
    ids = f"{first}-{last}" + (f":{step}" if step > 1 else "")
    told = f"task {task} of the SLURM array {ids}"
    if count == 1:
        told += ", which has no other: the whole cohort"
    return Shard(place + 1, count, told, strict=True)


def _number(environment: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environment.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isascii() or not text.isdigit():
        raise UsageError(
            f"--shard slurm needs the variable {name}, which is"
            f" {'not set' if text is None else repr(text)}.",
            remedy="Name the part with --shard I/N.",
        )
    return int(text)


def share_of(images: Sequence[ImageEntry], shard: Shard) -> Share:
    """The subjects of one part: all visits of a subject together, the parts about even.

    Every job that sees the same images makes the same parts, without a word to the others.

    Raises:
        UsageError: If an array has more tasks than there are subjects.
    """
    sizes = subject_sizes(images)
    if shard.strict and shard.of > max(len(sizes), 1):
        raise UsageError(
            f"{counted(len(sizes), 'subject')} cannot be split among {shard.of} tasks"
            f" ({shard.told}).",
            remedy="Leave out --shard if every task has subjects of its own; otherwise submit"
            f" {counted(len(sizes), 'task')} at most.",
        )
    parts = split(sizes, shard.of)
    subjects = parts[shard.number - 1]
    size, total = sum(sizes[subject] for subject in subjects), sum(sizes.values())
    return Share(shard, frozenset(subjects), len(sizes), size / total if total else None)


def counted(number: int, what: str) -> str:
    """`1 subject`, `2 subjects`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def split(sizes: Mapping[str, int], parts: int) -> list[list[str]]:
    """Divide subjects among parts: the largest first, each to the part that has least.

    The fullest part has at most 4/3 of what the fullest of the best division has.
    Source: Graham 1969, bounds on multiprocessing timing anomalies.
    """
    shares: list[list[str]] = [[] for _ in range(parts)]
    heap = [(0, 0, part) for part in range(parts)]
    for subject in sorted(sizes, key=lambda name: (-sizes[name], name)):
        # By number of subjects where sizes say nothing, as with files that cannot be read.
        size, count, part = heapq.heappop(heap)
        shares[part].append(subject)
        heapq.heappush(heap, (size + sizes[subject], count + 1, part))
    return shares


def subject_of(image: ImageEntry) -> str:
    """The subject of an image; one name in upper and lower case is one subject.

    Their results may share a name where the file system does not tell case.
    """
    return image.subject.lower()


def subject_sizes(images: Sequence[ImageEntry]) -> dict[str, int]:
    """How much work every subject is: its voxels, or its bytes in a large cohort."""
    measure = _voxels if len(images) <= MAX_HEADERS else _bytes
    sizes: Counter[str] = Counter()
    for image in images:
        sizes[subject_of(image)] += measure(image.path)
    return dict(sizes)


def _voxels(path: Path) -> int:
    """Voxels of an image; 0 of one that cannot be read, which is soon done."""
    if not is_image_name(path.name):
        return _bytes(path) // BYTES_PER_VOXEL
    try:
        return prod(read_header(path).shape)
    except Exception:  # noqa: BLE001 - what is wrong with an image, its own case says
        return 0


def _bytes(path: Path) -> int:
    """Bytes of a file, or of all files of a series; 0 if they cannot be looked at."""
    try:
        files = list(path.iterdir()) if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0
