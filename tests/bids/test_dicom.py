"""A DICOM series keeps every voxel's place in the world, tilted or uneven as it may be."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import SimpleITK

from medprompt_cli.bids.dicom import read_series

AXES = np.array([[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)]])
"""Rows and columns of a gantry tilted by 0.3 rad, LPS+."""

TILT = np.degrees(0.3)


def straight(count: int = 9, step: float = 2.0) -> np.ndarray:
    """Origins of slices stacked along z, LPS+ mm."""
    return np.array([[-30.0, 10.0, 5 + step * k] for k in range(count)])


def world_ramp(origins, axes=((1, 0, 0), (0, 1, 0)), spacing=(0.8, 1.2)) -> np.ndarray:
    """Slices (K, 12, 14) whose stored value is 20 z + 5 y - 3 x of the voxel, LPS+ mm."""
    row, column = (np.asarray(axis, float) for axis in axes)
    i, j = np.meshgrid(np.arange(14), np.arange(12))
    places = (
        np.asarray(origins)[:, None, None]
        + i[..., None] * spacing[0] * row
        + j[..., None] * spacing[1] * column
    )
    return np.round(places @ [-3, 5, 20]).astype("int16")


def expected_at(geometry) -> np.ndarray:
    """What `world_ramp` is, in HU, at every voxel of a grid."""
    voxels = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), -1)
    return geometry.to_world(voxels) @ [3, -5, 20] - 1024


def test_series_is_read_as_hu_in_place(save_series):
    origins = straight()
    volume = read_series(save_series(origins, pixels=world_ramp(origins)))

    assert (volume.modality, volume.voxels.dtype) == ("CT", np.float32)
    assert volume.geometry.shape == (14, 12, 9)
    np.testing.assert_allclose(volume.geometry.spacing, (0.8, 1.2, 2), rtol=1e-6)
    assert volume.geometry.orientation == "LPS"
    np.testing.assert_allclose(volume.voxels, expected_at(volume.geometry), atol=0.51)
    assert volume.notes == ()


def test_order_of_file_names_does_not_matter(save_series):
    origins = straight()
    pixels = world_ramp(origins)
    shuffled = np.random.default_rng(3).permutation(len(origins))
    folder = save_series(origins[shuffled], pixels=pixels[shuffled])

    volume = read_series(folder)

    np.testing.assert_allclose(volume.voxels, expected_at(volume.geometry), atol=0.51)


def test_grid_is_the_one_simpleitk_gives(save_series):
    folder = save_series(straight())
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    reference = SimpleITK.ReadImage(names)

    volume = read_series(folder)

    for voxel in [(0, 0, 0), (13, 0, 0), (0, 11, 0), (0, 0, 8), (4, 5, 6)]:
        lps = np.array(reference.TransformIndexToPhysicalPoint(voxel))
        np.testing.assert_allclose(
            volume.geometry.to_world(np.array(voxel)), lps * [-1, -1, 1], atol=1e-4
        )
        assert volume.voxels[voxel] == reference[voxel]


def test_gantry_tilt_becomes_a_shear(save_series):
    origins = straight()
    pixels = world_ramp(origins, AXES)
    folder = save_series(
        origins, axes=tuple(AXES.ravel()), pixels=pixels, tags={(0x0018, 0x1120): "17.2"}
    )

    volume = read_series(folder)

    assert volume.notes == (
        f"Gantry tilt: slices lean {TILT:.1f} degrees against the stack; "
        "the shear is kept in the affine.",
    )
    np.testing.assert_allclose(volume.geometry.affine[:3, 2], (0, 0, 2), atol=1e-6)
    thickness = 2 * np.cos(0.3)
    assert volume.geometry.voxel_volume_mm3 == pytest.approx(0.8 * 1.2 * thickness)
    np.testing.assert_allclose(volume.voxels, expected_at(volume.geometry), atol=0.51)


def test_oblique_series_without_tilt_has_no_note(save_series):
    normal = np.cross(*AXES)
    origins = np.array([k * 2.0 * normal for k in range(9)])
    volume = read_series(save_series(origins, axes=tuple(AXES.ravel())))

    assert volume.notes == ()
    spacing = np.asarray(volume.geometry.spacing)
    unit = volume.geometry.affine[:3, :3] / spacing
    np.testing.assert_allclose(unit.T @ unit, np.eye(3), atol=1e-6)


def test_tilt_in_the_header_alone_is_noted(save_series):
    volume = read_series(save_series(straight(), tags={(0x0018, 0x1120): "-20"}))

    assert volume.notes == (
        "The header says 20.0 degrees of gantry tilt, slice positions say 0.0; "
        "the positions were used.",
    )


def test_uneven_slices_are_interpolated_to_where_they_belong(save_series):
    heights = np.array([0, 2, 4, 6, 8, 8.5, 11.5, 14.5, 17.5])
    origins = straight(len(heights))
    origins[:, 2] = heights
    folder = save_series(origins, pixels=world_ramp(origins), tags={(0x0018, 0x0050): "3"})

    volume = read_series(folder)

    assert volume.notes == (
        "Uneven slices: 9 at steps of 0.50 to 3.00 mm were interpolated linearly to 10 "
        "at 1.94 mm.",
    )
    assert volume.geometry.shape == (14, 12, 10)
    np.testing.assert_allclose(volume.geometry.to_world(np.array([0, 0, 9]))[2], 17.5)
    # A linear image survives linear interpolation, whatever the grid.
    np.testing.assert_allclose(volume.voxels, expected_at(volume.geometry), atol=0.51)


def test_rounded_positions_are_not_uneven(save_series):
    origins = straight()
    origins[:, 2] += np.array([0, 0.04, -0.03, 0.02, 0.04, -0.04, 0.01, 0.03, 0])

    assert read_series(save_series(origins)).notes == ()


def test_mr_is_read_as_mr(save_series):
    assert read_series(save_series(straight(), tags={(0x0008, 0x0060): "MR"})).modality == "MR"


def test_lossy_compression_is_noted(save_series):
    volume = read_series(save_series(straight(), tags={(0x0028, 0x2110): "01"}))

    assert volume.notes == ("The images were once compressed with loss.",)


def test_files_that_are_no_slices_are_left_out_with_a_note(save_series):
    folder = save_series(straight())
    save_series(
        straight(2), prefix="scout", tags={(0x0008, 0x0008): "ORIGINAL\\PRIMARY\\LOCALIZER"}
    )
    shutil.copy(folder / "slice03.dcm", folder / "slice03_copy.dcm")
    (folder / "notes.txt").write_text("hello")
    (folder / "DICOMDIR").write_bytes(
        bytes(128) + b"DICM\x02\x00\x02\x00UI\x14\x001.2.840.10008.1.3.10\0"
    )

    volume = read_series(folder)

    assert volume.geometry.shape == (14, 12, 9)
    assert volume.notes == (
        "Files left out (directory): 1.",
        "Files left out (not DICOM): 1.",
        "Localizer images left out: 2.",
        "Second copies of an image left out: 1.",
    )


def test_one_of_several_series_can_be_chosen(save_series):
    save_series(straight(), uid="1.2.3")
    folder = save_series(straight(11), uid="1.2.4", prefix="other")

    assert read_series(folder, series_uid="1.2.4").geometry.shape[2] == 11


@pytest.mark.shared
def test_real_ct_with_tilt_and_uneven_slices(shared_data):
    volume = read_series(shared_data / "ct")

    assert volume.modality == "CT"
    assert volume.notes == (
        "Gantry tilt: slices lean 18.5 degrees against the stack; "
        "the shear is kept in the affine.",
        "Uneven slices: 28 at steps of 1.14 to 7.38 mm were interpolated linearly to 37 "
        "at 4.22 mm.",
    )
    first = SimpleITK.ReadImage(str(shared_data / "ct" / "01.dcm"), SimpleITK.sitkFloat32)
    np.testing.assert_array_equal(
        volume.voxels[..., 0].T, SimpleITK.GetArrayFromImage(first)[0]
    )
    corner = first.TransformIndexToPhysicalPoint((511, 511, 0))
    here = volume.geometry.to_world(np.array([511, 511, 0]))
    np.testing.assert_allclose(here, np.array(corner) * [-1, -1, 1], atol=1e-3)
    last = volume.geometry.to_world(np.array([0, 0, 36]))
    np.testing.assert_allclose(last, (125, 123.5404569, 157.7760586), atol=1e-6)
