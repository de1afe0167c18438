"""Read a folder of DICOM slices as one volume, in HU for CT, tilt and gaps kept honest.

A tilted gantry stacks slices along a line that is not their normal. The affine gets that
line as its third column, a shear, so nothing is moved or squashed. Slices that are not
evenly spaced are interpolated along the line to an even grid, with a note; where a slice
is missing the series is refused.
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np

from medprompt_cli.bids.dicom_files import DicomSlice, damaged, scan_folder
from medprompt_cli.bids.image_header import (
    Layout,
    by,
    checked_geometry,
    spatial_shape,
)
from medprompt_cli.bids.intensities import to_intensities
from medprompt_cli.bids.slice_stack import (
    LINE_TOLERANCE_MM,
    MIN_TILT_DEGREES,
    SliceStack,
)
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError

MODALITIES = ("CT", "MR")
"""What is read. Values of CT are HU after the header's rescaling."""

SAME_PLACE_MM = 0.01
"""Slices closer than this are at one and the same place."""

TILT_AGREEMENT_DEGREES = 1.0
"""A note is written if header and slice positions differ by more on the tilt."""

SAME_AXES = 1e-3
"""Row and column directions may differ by this within a series, per component."""


def read_series(folder: Path, *, series_uid: str | None = None) -> Volume:
    """Read one DICOM series as float32 on a RAS+ grid, (columns, rows, slices).

    Args:
        folder: Holds the files of the series; folders below are not searched.
        series_uid: Which series to read if the folder holds several.

    Raises:
        InputError: If the files are not one 3D CT or MR series; its code says why.
    """
    found, notes = scan_folder(folder)
    slices, chosen_notes = _choose(folder, found, series_uid)
    slices, copies = _without_copies(slices)
    _check_kind(slices)
    _check_alike(folder, slices)
    slices, stack = _stacked(folder, slices)
    shape = spatial_shape(folder, [*slices[0].size, stack.even_count()])
    geometry = checked_geometry(folder, shape, stack.affine(slices[0].spacing))
    pixels, _ = to_intensities(folder, _read_pixels(slices), Layout(np.dtype(np.float32), 0))
    voxels = stack.resample(pixels).transpose(2, 1, 0)
    notes = [*notes, *chosen_notes, *copies, *_stack_notes(slices, stack)]
    return Volume(voxels, geometry, slices[0].modality, str(folder), tuple(notes))


def _choose(
    folder: Path, found: list[DicomSlice], series_uid: str | None
) -> tuple[list[DicomSlice], list[str]]:
    """The slices of the one series wanted, localizers left out."""
    wanted = [image for image in found if series_uid in {None, image.series_uid}]
    if not wanted:
        raise InputError(
            f"{folder} holds no series {series_uid}, only {_listing(found)}.",
            remedy="Choose one of these.",
            code="no-such-series",
        )
    scans = [image for image in wanted if not image.localizer]
    if not scans:
        raise InputError(
            f"{folder} holds only localizer images ({len(wanted)}).",
            remedy="Give the scan that was planned on them.",
            code="localizer",
        )
    if len({image.series_uid for image in scans}) > 1:
        raise InputError(
            f"{folder} holds several series: {_listing(scans)}.",
            remedy="Put each series in a folder of its own, or choose one by its UID.",
            code="several-series",
        )
    count = len(wanted) - len(scans)
    return scans, [f"Localizer images left out: {count}."] if count else []


def _listing(found: list[DicomSlice]) -> str:
    names = {image.series_uid: image.description or "no description" for image in found}
    counts = Counter(image.series_uid for image in found)
    return ", ".join(f"{uid} ({names[uid]}, {counts[uid]} images)" for uid in sorted(counts))


def _without_copies(slices: list[DicomSlice]) -> tuple[list[DicomSlice], list[str]]:
    unique = list({image.image_uid or str(image.path): image for image in slices}.values())
    count = len(slices) - len(unique)
    return unique, [f"Second copies of an image left out: {count}."] if count else []


def _check_kind(slices: list[DicomSlice]) -> None:
    """Refuse what is not one grey CT or MR slice a file."""
    for image in slices:
        if image.modality not in MODALITIES:
            raise InputError(
                f"{image.path} has modality {image.modality or 'none'}, not CT or MR.",
                remedy="Give a CT or MR series.",
                code="modality",
            )
        if image.frames > 1:
            raise InputError(
                f"{image.path} is multi-frame: {image.frames} frames in one file.",
                remedy="Convert the series to NIfTI, for example with dcm2niix.",
                code="multi-frame",
            )
        if image.photometric != "MONOCHROME2":
            raise InputError(
                f"{image.path} is not a plain grey image: {image.photometric}.",
                remedy="Give the scan itself, not a coloured or captured rendering of it.",
                code="rgb",
            )
        if image.problem:
            raise InputError(
                f"{image.path} does not say where it lies: {image.problem}.",
                remedy="Export the series again, with its positions.",
                code="no-affine",
            )


def _check_alike(folder: Path, slices: list[DicomSlice]) -> None:
    """Refuse slices of different size, spacing or direction."""
    first = slices[0]
    for image in slices:
        alike = (image.size, image.modality) == (first.size, first.modality)
        alike = alike and np.allclose(image.spacing, first.spacing, rtol=1e-3, atol=0)
        if not alike or np.abs(image.axes - first.axes).max() > SAME_AXES:
            raise InputError(
                f"{folder} mixes slices of different size, spacing or direction: "
                f"{first.path.name} has {_plane(first)}, {image.path.name} {_plane(image)}.",
                remedy="Put the slices of each scan in a folder of their own.",
                code="mixed-slices",
            )


def _plane(image: DicomSlice) -> str:
    normal = np.round(np.cross(*image.axes), 3).tolist()
    return f"{by(image.size)} voxels of {by(image.spacing)} mm with normal {normal}"


def _stacked(folder: Path, slices: list[DicomSlice]) -> tuple[list[DicomSlice], SliceStack]:
    """The slices in order along their normal, and where they lie."""
    normal = np.cross(*slices[0].axes)
    spatial_shape(folder, [*slices[0].size, len(slices)])
    slices = sorted(slices, key=lambda image: float(image.origin @ normal))
    for below, above in itertools.pairwise(slices):
        if (above.origin - below.origin) @ normal < SAME_PLACE_MM:
            raise InputError(
                f"{folder} holds two slices at one place: {below.path.name} and "
                f"{above.path.name}.",
                remedy="Give one time point, echo or reconstruction a folder.",
                code="repeated-slices",
            )
    stack = SliceStack(
        np.array([image.origin for image in slices]),
        slices[0].axes,
        np.array([image.thickness for image in slices]),
    )
    _check_stack(folder, slices, stack)
    return slices, stack


def _check_stack(folder: Path, slices: list[DicomSlice], stack: SliceStack) -> None:
    if stack.off_line_mm > LINE_TOLERANCE_MM:
        raise InputError(
            f"{folder}: its slices are not stacked along one line; one lies "
            f"{stack.off_line_mm:.1f} mm beside it.",
            remedy="Give the slices of one scan only.",
            code="scattered-slices",
        )
    if (gap := stack.missing_after()) is None:
        return
    width = stack.places[gap + 1] - stack.places[gap]
    raise InputError(
        f"{folder} lacks slices: {width:.2f} mm between {slices[gap].path.name} and "
        f"{slices[gap + 1].path.name}, elsewhere {stack.step:.2f} mm.",
        remedy="Copy the missing files, or give each part a folder of its own.",
        code="missing-slices",
    )


def _read_pixels(slices: list[DicomSlice]) -> np.ndarray:
    """(slices, rows, columns) float32, rescaled slope and intercept applied by GDCM."""
    import SimpleITK

    columns, rows = slices[0].size
    pixels = np.empty((len(slices), rows, columns), np.float32)
    for k, image in enumerate(slices):
        try:
            read = SimpleITK.ReadImage(
                str(image.path), SimpleITK.sitkFloat32, imageIO="GDCMImageIO"
            )
        except RuntimeError as error:
            raise damaged(image.path) from error
        pixels[k] = SimpleITK.GetArrayViewFromImage(read)[0]
    return pixels


def _stack_notes(slices: list[DicomSlice], stack: SliceStack) -> list[str]:
    """Sentences on tilt, uneven steps and lossy compression."""
    notes = []
    tilt, said = stack.tilt_degrees, abs(slices[0].tilt_said)
    if tilt >= MIN_TILT_DEGREES:
        notes.append(
            f"Gantry tilt: slices lean {tilt:.1f} degrees against the stack; "
            "the shear is kept in the affine."
        )
    if abs(tilt - said) > TILT_AGREEMENT_DEGREES:
        notes.append(
            f"The header says {said:.1f} degrees of gantry tilt, slice positions say "
            f"{tilt:.1f}; the positions were used."
        )
    if not stack.regular:
        steps = np.diff(stack.places)
        even = stack.places[-1] / (stack.even_count() - 1)
        notes.append(
            f"Uneven slices: {len(slices)} at steps of {steps.min():.2f} to "
            f"{steps.max():.2f} mm were interpolated linearly to {stack.even_count()} "
            f"at {even:.2f} mm."
        )
    if any(image.lossy for image in slices):
        notes.append("The images were once compressed with loss.")
    return notes
