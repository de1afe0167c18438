"""The DICOM files of one folder: which are images, and what their headers say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medprompt_cli.bids.byte_source import check_is_file, no_permission, unreadable
from medprompt_cli.errors import InputError

if TYPE_CHECKING:
    import SimpleITK

PREAMBLE_BYTES = 128
DICOM_MAGIC = b"DICM"
"""Stands after the preamble of every DICOM file. Source: DICOM PS3.10, 7.1."""

NO_IMAGES = {
    "1.2.840.10008.1.3.10": "directory",
    "1.2.840.10008.5.1.4.1.1.88": "structured report",
    "1.2.840.10008.5.1.4.1.1.11": "presentation state",
    "1.2.840.10008.5.1.4.1.1.4.2": "spectroscopy",
    "1.2.840.10008.5.1.4.1.1.9.": "waveform",
    "1.2.840.10008.5.1.4.1.1.481.": "radiotherapy",
    "1.2.840.10008.5.1.4.1.1.66": "raw data, registration or segmentation",
    "1.2.840.10008.5.1.4.1.1.104": "encapsulated document",
}
"""SOP classes without an image of the scan, by the beginning of their UID. PS3.4, B.5."""

UID_TAG = b"\x02\x00\x02\x00UI"
"""Media Storage SOP Class UID in the file's own header. PS3.10, 7.1."""


@dataclass(frozen=True, eq=False)
class DicomSlice:
    """The header of one image file; positions in LPS+ mm, as DICOM has them.

    Attributes:
        path: The file.
        image_uid: SOP instance: the same in two copies of one image.
        series_uid: Series instance.
        description: Series description; may be empty.
        modality: `CT`, `MR` and so on.
        image_type: Parts of Image Type, such as `LOCALIZER`.
        photometric: Photometric interpretation, such as `MONOCHROME2`.
        frames: Number of frames in the file.
        problem: Why spacing, origin and axes are unknown (NaN); empty if they are not.
        size: Columns and rows.
        spacing: Distance between columns and between rows, in mm.
        origin: (3,) centre of the first voxel.
        axes: (2, 3) unit vectors along a row and along a column.
        thickness: Slice thickness in mm; 0 if not given.
        tilt_said: Gantry tilt in degrees as the header has it; NaN if not given.
        lossy: Whether it was ever compressed with loss.
    """

    path: Path
    image_uid: str
    series_uid: str
    description: str
    modality: str
    image_type: tuple[str, ...]
    photometric: str
    frames: int
    problem: str
    size: tuple[int, int]
    spacing: tuple[float, float]
    origin: np.ndarray
    axes: np.ndarray
    thickness: float
    tilt_said: float
    lossy: bool

    @property
    def localizer(self) -> bool:
        """Whether this is a scout, taken to plan the scan."""
        return "LOCALIZER" in self.image_type


def scan_folder(folder: Path) -> tuple[list[DicomSlice], list[str]]:
    """Read the header of every image in `folder`, not below; return notes as well.

    Raises:
        InputError: If a file is damaged, or nothing in the folder is DICOM.
    """
    slices, left_out = [], Counter()
    for path in _files(folder):
        kind = _kind(path)
        if kind == "image":
            slices.append(_read_slice(path))
        else:
            left_out[kind] += 1
    if not slices:
        raise InputError(
            f"{folder} holds no DICOM image.",
            remedy="Give the folder that holds the slices of one series.",
            code="no-dicom",
        )
    notes = [f"Files left out ({kind}): {count}." for kind, count in sorted(left_out.items())]
    return slices, notes


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        return [path for path in found if not path.is_dir()]
    except PermissionError as error:
        raise no_permission(folder) from error
    except OSError as error:
        raise unreadable(folder, error) from error


def _kind(path: Path) -> str:
    """`image`, or why the file is none."""
    check_is_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except PermissionError as error:
        raise no_permission(path) from error
    except OSError as error:
        raise unreadable(path, error) from error
    if start[PREAMBLE_BYTES : PREAMBLE_BYTES + len(DICOM_MAGIC)] != DICOM_MAGIC:
        return "not DICOM"
    uid = _storage_class(start)
    return next((name for root, name in NO_IMAGES.items() if uid.startswith(root)), "image")


def _storage_class(start: bytes) -> str:
    at = start.find(UID_TAG)
    if at < 0:
        return ""
    begin = at + len(UID_TAG) + 2
    length = int.from_bytes(start[begin - 2 : begin], "little")
    return start[begin : begin + length].rstrip(b"\0 ").decode("ascii", "replace")


def _read_slice(path: Path) -> DicomSlice:
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise damaged(path) from error
    tags = Tags(reader)
    spacing, origin, axes, problem = _plane(tags)
    columns, rows = reader.GetSize()[:2]
    return DicomSlice(
        path=path,
        image_uid=tags.text("0008|0018"),
        series_uid=tags.text("0020|000e"),
        description=tags.text("0008|103e"),
        modality=tags.text("0008|0060"),
        image_type=tuple(part.strip() for part in tags.text("0008|0008").split("\\")),
        photometric=tags.text("0028|0004"),
        frames=int(tags.number("0028|0008", default=1)),
        problem=problem,
        size=(columns, rows),
        spacing=spacing,
        origin=origin,
        axes=axes,
        thickness=tags.number("0018|0050", default=0.0),
        tilt_said=tags.number("0018|1120", default=np.nan),
        lossy=tags.text("0028|2110") == "01",
    )


def _plane(tags: Tags) -> tuple[tuple[float, float], np.ndarray, np.ndarray, str]:
    """Spacing, origin and axes as in DicomSlice, and what is wrong with them."""
    try:
        row_spacing, column_spacing = tags.numbers("0028|0030", 2, "Pixel Spacing")
        origin = np.array(tags.numbers("0020|0032", 3, "Image Position"))
        axes = np.reshape(tags.numbers("0020|0037", 6, "Image Orientation"), (2, 3))
        return (column_spacing, row_spacing), origin, _unit_axes(axes), ""
    except ValueError as error:
        nowhere = np.full((2, 3), np.nan)
        return (np.nan, np.nan), nowhere[0], nowhere, str(error)


AXIS_TOLERANCE = 1e-3
"""How far row and column directions may be from unit length and a right angle."""


def _unit_axes(axes: np.ndarray) -> np.ndarray:
    """Row and column direction to unit length; refuse what is no pair of directions."""
    lengths = np.linalg.norm(axes, axis=1)
    if np.abs(lengths - 1).max() > AXIS_TOLERANCE or abs(axes[0] @ axes[1]) > AXIS_TOLERANCE:
        raise ValueError(f"Image Orientation {axes.ravel().tolist()} is no pair of directions")
    return axes / lengths[:, None]


class Tags:
    """Text and numbers of one DICOM header, by tag, as SimpleITK writes tags."""

    def __init__(self, reader: SimpleITK.ImageFileReader) -> None:
        self._reader = reader
        self._known = set(reader.GetMetaDataKeys())

    def text(self, tag: str) -> str:
        """The tag's text without padding; empty if absent."""
        if tag not in self._known:
            return ""
        text = self._reader.GetMetaData(tag).strip("\0 ")
        return text.encode("utf-8", "replace").decode("utf-8")

    def number(self, tag: str, *, default: float) -> float:
        """The tag's number, or `default` if it is absent, empty or no finite number."""
        try:
            value = float(self.text(tag))
        except ValueError:
            return default
        return value if np.isfinite(value) else default

    def numbers(self, tag: str, count: int, name: str) -> list[float]:
        """The tag's `count` finite numbers; ValueError if there are not so many."""
        text = self.text(tag)
        values = [float(part) for part in text.split("\\") if part]
        if len(values) != count or not np.isfinite(values).all():
            raise ValueError(f"{name} is {text!r}, not {count} numbers")
        return values


def damaged(path: Path) -> InputError:
    """The error for a DICOM file whose header or pixels cannot be decoded."""
    return InputError(
        f"{path} is a damaged or truncated DICOM file.",
        remedy="Copy the series again.",
        code="damaged",
    )
