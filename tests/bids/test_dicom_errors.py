"""Every way a DICOM folder can be refused: words, remedy and reason code."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.bids.dicom import read_series


def straight(count: int = 9, step: float = 2.0) -> np.ndarray:
    """Origins of slices stacked along z, LPS+ mm."""
    return np.array([[-30.0, 10.0, 5 + step * k] for k in range(count)])


def test_several_series(check_refusal, save_series):
    save_series(straight(), uid="1.2.3")
    folder = save_series(
        straight(11), uid="1.2.4", prefix="other", tags={(0x0008, 0x103E): "BONE"}
    )

    check_refusal(
        folder,
        "PATH holds several series: 1.2.3 (HEAD, 9 images), 1.2.4 (BONE, 11 images).",
        "Put each series in a folder of its own, or choose one by its UID.",
        "several-series",
        read_series,
    )
    check_refusal(
        folder,
        "PATH holds no series 9.9, only 1.2.3 (HEAD, 9 images), 1.2.4 (BONE, 11 images).",
        "Choose one of these.",
        "no-such-series",
        read=lambda path: read_series(path, series_uid="9.9"),
    )


def test_missing_slice(check_refusal, save_series):
    folder = save_series(straight())
    (folder / "slice05.dcm").unlink()

    check_refusal(
        folder,
        "PATH lacks slices: 4.00 mm between slice04.dcm and slice06.dcm, elsewhere 2.00 mm.",
        "Copy the missing files, or give each part a folder of its own.",
        "missing-slices",
        read_series,
    )


def test_two_slices_at_one_place(check_refusal, save_series):
    origins = straight()
    origins[5] = origins[4]

    check_refusal(
        save_series(origins),
        "PATH holds two slices at one place: slice05.dcm and slice06.dcm.",
        "Give one time point, echo or reconstruction a folder.",
        "repeated-slices",
        read_series,
    )


def test_slices_beside_the_line(check_refusal, save_series):
    origins = straight()
    origins[4, 0] += 8

    check_refusal(
        save_series(origins),
        "PATH: its slices are not stacked along one line; one lies 8.0 mm beside it.",
        "Give the slices of one scan only.",
        "scattered-slices",
        read_series,
    )


def test_slices_of_two_scans(check_refusal, save_series):
    save_series(straight())
    uid = {(0x0020, 0x000E): "1.2.3"}
    turned = (0, 1, 0, 0, 0, -1)
    folder = save_series(straight(), prefix="turned", axes=turned, uid="1.2.9", tags=uid)

    check_refusal(
        folder,
        "PATH mixes slices of different size, spacing or direction: slice01.dcm has "
        "14 x 12 voxels of 0.8 x 1.2 mm with normal [0.0, 0.0, 1.0], turned01.dcm "
        "14 x 12 voxels of 0.8 x 1.2 mm with normal [-1.0, 0.0, 0.0].",
        "Put the slices of each scan in a folder of their own.",
        "mixed-slices",
        read_series,
    )


@pytest.mark.parametrize(
    ("tags", "problem", "remedy", "code"),
    [
        (
            {(0x0008, 0x0008): "DERIVED\\SECONDARY\\LOCALIZER"},
            "PATH holds only localizer images (9).",
            "Give the scan that was planned on them.",
            "localizer",
        ),
        (
            {(0x0008, 0x0060): "PT"},
            "PATH/slice01.dcm has modality PT, not CT or MR.",
            "Give a CT or MR series.",
            "modality",
        ),
        (
            {(0x0028, 0x0004): "MONOCHROME1"},
            "PATH/slice01.dcm is not a plain grey image: MONOCHROME1.",
            "Give the scan itself, not a coloured or captured rendering of it.",
            "rgb",
        ),
        (
            {(0x0020, 0x0037): "1\\0\\0\\0.9\\0.1\\0"},
            "PATH/slice01.dcm does not say where it lies: Image Orientation "
            "[1.0, 0.0, 0.0, 0.9, 0.1, 0.0] is no pair of directions.",
            "Export the series again, with its positions.",
            "no-affine",
        ),
    ],
    ids=["localizer", "modality", "photometric", "orientation"],
)
def test_slices_that_are_no_scan(check_refusal, save_series, tags, problem, remedy, code):
    check_refusal(save_series(straight(), tags=tags), problem, remedy, code, read_series)


def test_thick_slices_and_single_slice(check_refusal, save_series):
    check_refusal(
        save_series(straight(9, step=40.0), tags={(0x0018, 0x0050): "40"}),
        "PATH has voxels 0.8 x 1.2 x 40 mm apart: more than 20 mm along one axis.",
        "Give a scan with thinner slices, or correct the spacing in its header.",
        "slices-too-thick",
        read_series,
    )
    check_refusal(
        save_series(straight(1), name="single"),
        "PATH is two-dimensional: a single slice, 14 x 12 x 1.",
        "Give a 3D image: all slices of the scan in one file.",
        "two-dimensional",
        read_series,
    )


def test_series_of_one_value(check_refusal, save_series):
    check_refusal(
        save_series(straight(), pixels=np.full((9, 12, 14), 1024, "int16")),
        "PATH shows nothing: all voxels are 0.",
        "Re-export the image, or leave it out.",
        "all-zero",
        read_series,
    )


def test_colour_and_multi_frame(check_refusal, save_series):
    colour = {(0x0028, 0x0002): 3, (0x0028, 0x0004): "RGB"}
    check_refusal(
        save_series(straight(), pixels=np.ones((9, 12, 14, 3), "uint8"), tags=colour),
        "PATH/slice01.dcm is not a plain grey image: RGB.",
        "Give the scan itself, not a coloured or captured rendering of it.",
        "rgb",
        read_series,
    )
    frames = np.ones((1, 12, 14, 5), "int16")
    check_refusal(
        save_series(straight(1), name="many", pixels=frames, tags={(0x0028, 0x0008): "5"}),
        "PATH/slice01.dcm is multi-frame: 5 frames in one file.",
        "Convert the series to NIfTI, for example with dcm2niix.",
        "multi-frame",
        read_series,
    )


def test_damaged_file(check_refusal, save_series):
    folder = save_series(straight())
    path = folder / "slice05.dcm"
    path.write_bytes(path.read_bytes()[:-40])

    check_refusal(
        folder,
        "PATH/slice05.dcm is a damaged or truncated DICOM file.",
        "Copy the series again.",
        "damaged",
        read_series,
    )


def test_folder_without_dicom(check_refusal, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")

    check_refusal(
        tmp_path,
        "PATH holds no DICOM image.",
        "Give the folder that holds the slices of one series.",
        "no-dicom",
        read_series,
    )


def test_folder_that_may_not_be_read(
    check_refusal, save_series, open_folder, without_privileges
):
    read_series(save_series(straight()))  # imports what a person without rights may not
    folder = open_folder / "closed"
    folder.mkdir(mode=0)

    with without_privileges():
        check_refusal(
            folder,
            "PATH may not be read by this user.",
            "Ask its owner for read permission, or copy it.",
            "no-permission",
            read_series,
        )
