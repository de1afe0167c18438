"""Packed label maps: one small file that training reads without nibabel."""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.classes import PAINT_CLASSES

SUFFIX = ".labels.xz"
_MAGIC = "medprompt label bank 2"
_MAGIC_BEFORE_LAYERS = "medprompt label bank 1"
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
        layers: Volumes on the same grid, in the order of `domain.parcels.LAYERS`, each
            (I, J, K) uint8: positions in `PARCELS` plus 1, 0 for no parcel. Empty if the
            map was packed without an atlas.
    """

    name: str
    voxels: np.ndarray
    spacing: tuple[float, float, float]
    layers: tuple[np.ndarray, ...] = ()


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
        "parcels": [parcel.index for parcel in PARCELS],
        "maps": [
            {
                "name": m.name,
                "shape": m.voxels.shape,
                "spacing": m.spacing,
                "layers": len(m.layers),
            }
            for m in maps
        ],
    }
    partial = path.with_name(path.name + ".partial")
    with lzma.open(partial, "wb", preset=_PRESET) as file:
        file.write(json.dumps(head).encode() + b"\n")
        for packed in maps:
            for volume in (packed.voxels, *packed.layers):
                file.write(np.ascontiguousarray(volume).tobytes())
    partial.replace(path)


def read_bank(path: Path) -> tuple[PackedLabels, ...]:
    """Read what `write_bank` wrote; a bank of format 1 holds no layers.

    Raises:
        InputError: If the file cannot be read, is cut short, is not a bank, or is one of
            other label classes or parcels.
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
        same = head["classes"] == [p.index for p in PAINT_CLASSES] and (
            head["magic"] == _MAGIC_BEFORE_LAYERS
            or (head["magic"] == _MAGIC and head["parcels"] == [p.index for p in PARCELS])
        )
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
    voxels, *layers = (
        _read_volume(file, entry, path) for _ in range(1 + entry.get("layers", 0))
    )
    return PackedLabels(entry["name"], voxels, tuple(entry["spacing"]), tuple(layers))


def _read_volume(file: lzma.LZMAFile, entry: dict[str, Any], path: Path) -> np.ndarray:
    shape = tuple(entry["shape"])
    size = int(np.prod(shape))
    raw = file.read(size)
    if len(raw) != size:
        raise InputError(
            f"{path} ends inside {entry['name']}: {len(raw)} of {size} bytes.",
            remedy="Make it again with `medprompt train pack`.",
            code="truncated",
        )
    return np.frombuffer(raw, np.uint8).reshape(shape)
