"""How much memory images may take at a time, and how much one will take.

A case that would not fit is refused before it is read; what is read ahead and what is still
being written count beside the one that is worked on.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.nifti import read_header
from medprompt_cli.cohort.options import PROCESS_GB
from medprompt_cli.errors import InputError

GIB = 2**30

SHARE = 0.8
"""Of what a machine has left, the part that is taken: others grow as well. Own choice."""

LEAST_GB = 0.5
"""A machine that has less left is taken to have this much: its disk will be used as memory."""

TILE_GB = 3.0
"""More than this makes no larger tiles, so that results are the same on larger machines."""

READ_BYTES = 4
"""A voxel in float32; beside it, while it is read, the voxel as it is stored."""

WORK_BYTES = 26
"""A voxel while it is worked on: the image, the network's copy, labels and masks."""

WORKSPACE = 400 << 20
"""What the network takes beside, whatever the image.

Measured on heads of 8, 17 and 33 million voxels: 576, 824 and 887 MB while they are worked on
(620 with all 32 structures), where these two say 633, 856 and 1272.
"""

STREAM_BYTES = 8
"""A voxel of each further image that is read together: the image and the network's copy."""

WRITE_BYTES = 32
"""A voxel while it is measured and written. Measured on the same heads: 28, 30 and 16."""

WRITER = 300 << 20
"""What a process takes that only measures and writes, whatever the image."""

DICOM_BYTES = 2
"""A voxel in a DICOM file that is not compressed."""


@dataclass(frozen=True)
class Allowance:
    """What all images in memory may take together, beyond libraries and weights.

    Attributes:
        bytes: So much.
        source: Who says so: `--mem`, or what on this machine.
    """

    bytes: int
    source: str

    @property
    def gb(self) -> float:
        """In GB of 2**30 bytes."""
        return self.bytes / GIB

    @property
    def tile_gb(self) -> float:
        """What the network's tiles are cut by, in GB."""
        return min(TILE_GB, self.gb)

    def as_json(self) -> dict[str, object]:
        """The fields as the summary words them."""
        return {"images_gb": round(self.gb, 3), "source": self.source}


@dataclass(frozen=True)
class Demand:
    """What one case takes, in bytes.

    Attributes:
        read: From when it is read until it is worked on.
        work: While it is worked on.
        write: While it is measured and written.
    """

    read: int
    work: int
    write: int

    @property
    def most(self) -> int:
        """While it takes the most."""
        return max(self.read, self.work, self.write)


def allowance(memory_gb: float | None) -> Allowance:
    """What a person allows, or else what this machine has to give."""
    if memory_gb is not None:
        return Allowance(int(memory_gb * GIB), "--mem")
    left, source = available()
    return Allowance(int(max(LEAST_GB, SHARE * left / GIB - PROCESS_GB) * GIB), source)


def demand_of(sources: Sequence[ImageEntry], *, apart: bool = False) -> Demand:
    """What a case will take, by the headers of its images.

    Of an image that cannot be read nothing is known, and nothing counted: reading it will
    say what is wrong.

    Args:
        sources: Its images.
        apart: Whether it is measured and written by another process, which has its own copy.
    """
    grids = [_voxels_and_bytes(source.path) for source in sources]
    largest = max((voxels for voxels, _ in grids), default=0)
    held = sum(voxels for voxels, _ in grids) * READ_BYTES
    further = STREAM_BYTES * (len(grids) - 1)
    write = largest * (WRITE_BYTES + further)
    return Demand(
        held + max((voxels * stored for voxels, stored in grids), default=0),
        largest * (WORK_BYTES + further) + WORKSPACE,
        2 * write + WRITER if apart else write,
    )


def check_fits(sources: Sequence[ImageEntry], limit: Allowance) -> None:
    """Refuse a case that takes more than all of what may be taken.

    Raises:
        InputError: If it does, with what it takes.
    """
    most = demand_of(sources).most
    if most > limit.bytes:
        needed = most / GIB
        raise InputError(
            f"{sources[0].path} needs {needed:.1f} GB to be segmented, and images may take"
            f" {limit.gb:.1f} GB ({limit.source}).",
            remedy=f"Give --mem {needed + PROCESS_GB + 0.1:.1f}G or more, where there is so"
            " much, or a coarser image.",
            code="too-large-for-memory",
        )


def _voxels_and_bytes(path: Path) -> tuple[int, int]:
    """Voxels of an image, and bytes of each in its file; 0 if it cannot be told."""
    try:
        if path.is_dir():
            size = sum(file.stat().st_size for file in path.iterdir())
            return size // DICOM_BYTES, DICOM_BYTES
        header = read_header(path)
    except (OSError, InputError):
        return 0, 0
    return int(np.prod(header.shape, dtype=object)), header.layout.dtype.itemsize


def available(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> tuple[int, str]:
    """Bytes that are left to this process, and what says so: the least of all that limit it."""
    found = [
        *_of_machine(proc),
        *_of_cgroups(proc, cgroups),
        *_of_job(),
    ]
    return min(found, default=(int(LEAST_GB * GIB), "not known"))


def _of_machine(proc: Path) -> Iterator[tuple[int, str]]:
    for line in _lines(proc / "meminfo"):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            yield int(rest.split()[0]) << 10, "memory available"
            return
    try:  # where there is no such file, half of what is built in
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return
    yield pages // 2, "half of the machine's memory"


def _of_cgroups(proc: Path, cgroups: Path) -> Iterator[tuple[int, str]]:
    """What is left in each control group that the process is in, from its own upwards.

    Source: Linux, admin-guide/cgroup-v2 and cgroup-v1/memory.
    """
    for line in _lines(proc / "self" / "cgroup"):
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        root = cgroups / "memory" if controllers else cgroups
        names = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            if controllers
            else ("memory.max", "memory.current", "inactive_file")
        )
        below = root / path.strip("/")
        for folder in (below, *below.parents):
            if folder != root and root not in folder.parents:
                break
            left = _left_in(folder, *names)
            if left is not None:
                yield max(0, left), f"control group {folder / names[0]}"


def _left_in(folder: Path, most: str, used: str, cache: str) -> int | None:
    """Bytes left in a control group; cached files give way and do not count."""
    limit, current = _number(folder / most), _number(folder / used)
    if limit is None or current is None:
        return None
    told = dict(line.split() for line in _lines(folder / "memory.stat"))
    return limit - current + int(told.get(cache, 0))


def _of_job() -> Iterator[tuple[int, str]]:
    """What SLURM has given the job on this node, in MiB."""
    given = os.environ.get("SLURM_MEM_PER_NODE", "")
    if given.isdigit() and int(given) > 0:  # 0 means all there is
        yield int(given) << 20, "SLURM_MEM_PER_NODE"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _number(path: Path) -> int | None:
    """The number that a file holds; None if it holds none, such as `max`."""
    said = "".join(_lines(path)[:1]).strip()
    return int(said) if said.isdigit() else None


def give_back() -> None:
    """Give memory that is free to the system again, where the C library knows how.

    The GNU one keeps it for the next array, and of thousands of images of all sizes more and
    more of it lies in gaps between others.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
