"""Every way a header or its voxels can be refused: words, remedy and reason code."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.bids.nifti import read_header, read_labels, read_volume
from medprompt_cli.errors import InputError

REEXPORT = "Export the image again with its orientation, for example from DICOM."
SHAPE = (12, 10, 9)


HEADER_REFUSALS = {
    "four-dimensional": (
        {"voxels": np.ones((12, 10, 9, 5), "int16")},
        "PATH is four-dimensional: a series of 5 volumes, 12 x 10 x 9 x 5.",
        "Give one volume: extract it from the series, or average over time.",
    ),
    "two-dimensional": (
        {"voxels": np.ones((12, 10), "int16")},
        "PATH is two-dimensional: a single slice, 12 x 10 x 1.",
        "Give a 3D image: all slices of the scan in one file.",
    ),
    "one-dimensional": (
        {"voxels": np.ones((1, 10, 1), "int16")},
        "PATH is a single line of voxels, 1 x 10 x 1.",
        "Give a 3D image: all slices of the scan in one file.",
    ),
    "single-voxel": (
        {"voxels": np.ones((1, 1, 1), "int16")},
        "PATH is a single voxel, 1 x 1 x 1.",
        "Give a 3D image: all slices of the scan in one file.",
    ),
    "too-small": (
        {"voxels": np.ones((12, 7, 7), "int16")},
        "PATH is too small, 12 x 7 x 7: two axes need 8 voxels or more.",
        "Give the whole scan.",
    ),
    "too-large": (
        {"dim": [3, 4000, 4000, 4000, 1, 1, 1, 1]},
        "PATH is too large, 4000 x 4000 x 4000: more than 2147483648 voxels.",
        "Crop or downsample the image, or check its header.",
    ),
    "rgb": (
        {"datatype": 128},
        "PATH stores RGB voxels (type code 128): not one real number each.",
        "Give the scan itself, not a coloured rendering of it.",
    ),
    "complex": (
        {"voxels": np.ones(SHAPE, "complex64")},
        "PATH stores complex64 voxels (type code 32): not one real number each.",
        "Give the magnitude image.",
    ),
    "unsupported-dtype": (
        {"datatype": 1536},
        "PATH stores float128 voxels (type code 1536): not one real number each.",
        "Convert it to 16-bit integers or 32-bit floats.",
    ),
    "no-affine": (
        {"sform_code": 0, "qform_code": 0},
        "PATH does not say where it lies: sform_code and qform_code are both 0.",
        REEXPORT,
    ),
    "zero-affine": (
        {"srow_x": [0, 0, 0, 5], "srow_y": [0, 0, 0, 5], "srow_z": [0, 0, 0, 5]},
        "PATH: its affine is all zero.",
        REEXPORT,
    ),
    "singular-affine": (
        {"srow_x": [1, 1, 0, 0], "srow_y": [0, 0, 1, 0], "srow_z": [0, 0, 1, 0]},
        "PATH: its affine has axes in one plane: "
        "[[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]].",
        REEXPORT,
    ),
    "bad-affine": (
        {"sform_code": 0, "qform_code": 1, "quatern_b": 3, "quatern_c": 0, "quatern_d": 0},
        "PATH: its qform is damaged: quaternion [3.0, 0.0, 0.0], "
        "pixdim [-1.0, 1.5, 1.25, 2.0].",
        REEXPORT,
    ),
    "slices-too-thick": (
        {"affine": np.diag([1.0, 1, 40, 1])},
        "PATH has voxels 1 x 1 x 40 mm apart: more than 20 mm along one axis.",
        "Give a scan with thinner slices, or correct the spacing in its header.",
    ),
    "spacing-too-fine": (
        {"affine": np.diag([0.01, 0.01, 0.5, 1])},
        "PATH has voxels 0.01 x 0.01 x 0.5 mm apart: less than 0.05 mm along one axis.",
        "Check the header: its spacing may be in another unit than it says.",
    ),
    "not-single-nifti": (
        {"magic": b"ni1"},
        "PATH is one half of a .hdr/.img pair.",
        "Convert it to a single .nii.gz file.",
    ),
}


@pytest.mark.parametrize("code", HEADER_REFUSALS)
@pytest.mark.parametrize("read", [read_header, read_volume, read_labels])
def test_unusable_headers_are_refused_in_words(check_refusal, save_nifti, code, read):
    fields, problem, remedy = HEADER_REFUSALS[code]

    check_refusal(save_nifti(**fields), problem, remedy, code, read)


DAMAGED_HEADERS = {
    "negative-axis": ({"dim": [3, 12, -10, 9, 1, 1, 1, 1]}, "axis lengths 12 x -10 x 9."),
    "dimensions": ({"dim": [300, 12, 10, 9, 1, 1, 1, 1]}, "300 dimensions."),
    "offset": (
        {"vox_offset": -16},
        "voxels begin at byte -16, not between 352 and 67108864.",
    ),
    "far-offset": (
        {"vox_offset": 1e9},
        "voxels begin at byte 1e+09, not between 352 and 67108864.",
    ),
    "scaling": (
        {"scl_slope": 2, "scl_inter": np.nan},
        "intensities are scaled by 2 plus nan.",
    ),
}


@pytest.mark.parametrize("name", DAMAGED_HEADERS)
def test_damaged_headers_are_refused_in_words(check_refusal, save_nifti, name):
    fields, what = DAMAGED_HEADERS[name]

    problem = f"PATH has a damaged header: {what}"
    check_refusal(save_nifti(**fields), problem, "Re-export the image.", "bad-header")


def test_nan_affine(save_nifti):
    path = save_nifti(srow_x=[np.nan, 0, 0, 0])

    with pytest.raises(
        InputError, match=r"its affine holds NaN or inf: \[\[nan, 0\.0"
    ) as caught:
        read_volume(path)
    assert caught.value.code == "bad-affine"


def test_signalling_nan_is_no_crash(tmp_path, nifti_bytes, ramp):
    content = bytearray(nifti_bytes(ramp()))
    content[80:84] = bytes.fromhex("0100a07f")
    (tmp_path / "scan.nii").write_bytes(content)

    np.testing.assert_array_equal(read_volume(tmp_path / "scan.nii").voxels, ramp())


def test_analyze_file(check_refusal, save_nifti):
    check_refusal(
        save_nifti(magic=b""),
        "PATH is an Analyze file or damaged: its magic is 00 00 00 00.",
        "Convert it to a single .nii.gz file.",
        "not-single-nifti",
    )


@pytest.mark.parametrize(
    ("content", "shown_as"),
    [
        (b"<html>Sign in to download</html>", "'<htm'"),
        (b"PK\x03\x04 and so on", "50 4b 03 04"),
    ],
    ids=["text", "bytes"],
)
def test_something_else_named_like_an_image(check_refusal, tmp_path, content, shown_as):
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(content)

    check_refusal(
        path,
        f"PATH is neither NIfTI nor MGH: it begins with {shown_as}.",
        "Give a .nii, .nii.gz, .mgh or .mgz file, or a DICOM folder.",
        "not-an-image",
    )


def test_mgh_without_orientation(check_refusal, save_mgh):
    problem = "PATH does not say where it lies: its goodRASFlag is 0."
    check_refusal(save_mgh(goodRASFlag=0), problem, REEXPORT, "no-affine")


def test_mgh_of_several_frames(check_refusal, save_mgh, ramp):
    check_refusal(
        save_mgh(voxels=ramp((12, 10, 9, 3), "float32")),
        "PATH is four-dimensional: a series of 3 volumes, 12 x 10 x 9 x 3.",
        "Give one volume: extract it from the series, or average over time.",
        "four-dimensional",
    )


@pytest.mark.parametrize(("value", "code"), [(0, "all-zero"), (7, "constant")])
def test_image_of_one_value(check_refusal, save_nifti, value, code):
    check_refusal(
        save_nifti(voxels=np.full(SHAPE, value, "float32")),
        f"PATH shows nothing: all voxels are {value}.",
        "Re-export the image, or leave it out.",
        code,
    )


def test_non_finite_voxels(check_refusal, save_nifti, ramp):
    voxels = ramp(SHAPE, "float32")
    voxels[1, 1, :4], voxels[0, 0, 0], voxels[0, 0, 1] = np.nan, np.inf, -np.inf

    check_refusal(
        save_nifti(voxels=voxels),
        "PATH holds 4 NaN and 2 infinite voxels.",
        "Mend the export, or write numbers in their place, such as 0.",
        "non-finite",
    )


@pytest.mark.parametrize(
    ("dtype", "slope", "peak"), [("float64", 1, 1e200), ("float32", 1e30, 1e30)]
)
def test_voxels_beyond_float32(check_refusal, save_nifti, ramp, dtype, slope, peak):
    voxels = ramp(SHAPE, dtype) % 2
    voxels[3, 3, :3] = peak

    check_refusal(
        save_nifti(voxels=voxels, scl_slope=slope, scl_inter=0),
        f"PATH holds 3 voxels too large for float32 ({dtype} scaled by {slope:g} plus 0).",
        "Rescale the image to ordinary intensities.",
        "overflow",
    )


@pytest.mark.parametrize(
    ("dtype", "value", "said"),
    [("float32", 0.5, "0.5"), ("float32", np.nan, "nan"), ("int16", -3, "-3")],
)
def test_labels_that_are_none(check_refusal, save_nifti, dtype, value, said):
    voxels = np.zeros(SHAPE, dtype)
    voxels[4, 5, 6:8] = value

    check_refusal(
        save_nifti(voxels=voxels),
        "PATH is not a label map: 2 voxels are no whole number from 0 to 4294967295, "
        f"such as {said} at voxel (4, 5, 6).",
        "Give the label map itself, resampled by nearest neighbour if at all.",
        "not-labels",
        read_labels,
    )
