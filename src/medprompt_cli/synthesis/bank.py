"""Packed label maps: one small file that training reads without nibabel."""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.classes import PAINT_CLASSES

SUFFIX = ".labels.xz"
_MAGIC = "medprompt label bank 1"
_PRESET = 4

UNKNOWN = 255
"""Position given to an id that is in no paint class."""


@dataclass(frozen=True, eq=False)
class PackedLabels:
    """One label map, cropped to the head.

    Attributes:
        name: File the map came from.
        voxels: (I, J, K) uint8 along R, A, S; positions in `PAINT_CLASSES`.
        spacing: In mm.
    """

    name: str
    voxels: np.ndarray
    spacing: tuple[float, float, float]


def to_positions(labels: np.ndarray, name: str) -> np.ndarray:
    """Replace label ids by their position in `PAINT_CLASSES`.

    Raises:
        InputError: If an id is not in the table.
    """
    table = np.full(PAINT_CLASSES[-1].index + 2, UNKNOWN, np.uint8)
    for position, paint in enumerate(PAINT_CLASSES):
        table[paint.index] = position
    outside = np.intp(len(table) - 1)  # one place for all ids that are negative or too large
    found = table[np.where((labels < 0) | (labels > outside), outside, labels)]
    if (found == UNKNOWN).any():
        unknown = sorted({int(i) for i in np.unique(labels[found == UNKNOWN])})
        raise InputError(
            f"{name} holds label ids {unknown} that training does not know.",
            remedy="Use FreeSurfer ids, or add the ids to synthesis/classes.py.",
            code="unknown-label",
        )
    return found


def crop_box(voxels: np.ndarray) -> tuple[slice, ...]:
    """Smallest box that holds every voxel above zero."""
    box = []
    for axis in range(voxels.ndim):
        rest = tuple(a for a in range(voxels.ndim) if a != axis)
        inside = np.flatnonzero(voxels.any(axis=rest))
        box.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return tuple(box)


def write_bank(path: Path, maps: Sequence[PackedLabels]) -> None:
    """Write packed maps to one xz-compressed file, under its name only when whole."""
    head = {
        "magic": _MAGIC,
        "classes": [paint.index for paint in PAINT_CLASSES],
        "maps": [{"name": m.name, "shape": m.voxels.shape, "spacing": m.spacing} for m in maps],
    }
    partial = path.with_name(path.name + ".partial")
    with lzma.open(partial, "wb", preset=_PRESET) as file:
        file.write(json.dumps(head).encode() + b"\n")
        for packed in maps:
            file.write(np.ascontiguousarray(packed.voxels).tobytes())
    partial.replace(path)


def read_bank(path: Path) -> tuple[PackedLabels, ...]:
    """Read what `write_bank` wrote.

    Raises:
        InputError: If the file cannot be read, is cut short, is not a bank, or is one of
            other label classes.
    """
    try:
        with lzma.open(path, "rb") as file:
            head = _read_head(file, path)
            return tuple(_read_map(file, entry, path) for entry in head["maps"])
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise InputError(
            f"{path} cannot be read as a label bank: {error}.",
            remedy="Make it again with `medprompt train pack`.",
            code="truncated" if isinstance(error, EOFError) else "unreadable",
        ) from error


def _read_head(file: lzma.LZMAFile, path: Path) -> dict[str, Any]:
    head: dict[str, Any] = {}
    try:
        head = json.loads(file.readline())
        same = head["magic"] == _MAGIC and head["classes"] == [p.index for p in PAINT_CLASSES]
    except (ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise InputError(
            f"{path} is not a label bank of this version.",
            remedy="Make it again with `medprompt train pack`.",
            code="wrong-bank",
        )
    return head


def _read_map(file: lzma.LZMAFile, entry: dict[str, Any], path: Path) -> PackedLabels:
    shape = tuple(entry["shape"])
    size = int(np.prod(shape))
    raw = file.read(size)
    if len(raw) != size:
        raise InputError(
            f"{path} ends inside {entry['name']}: {len(raw)} of {size} bytes.",
            remedy="Make it again with `medprompt train pack`.",
            code="truncated",
        )
    voxels = np.frombuffer(raw, np.uint8).reshape(shape)
    return PackedLabels(entry["name"], voxels, tuple(entry["spacing"]))
