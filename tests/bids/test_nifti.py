"""Reading keeps voxels, grid and precision; the header rules are those of the README."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.freesurfer.mghformat import MGHImage
from nibabel.nifti1 import Nifti1Extension, Nifti1Header, Nifti1Image

from medprompt_cli.bids.nifti import read_header, read_labels, read_volume
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError

SHAPE = (12, 10, 9)
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
CASES = st.integers(0, 2**32 - 1)


def nibabels_affine(path: Path) -> np.ndarray:
    """What nibabel says, by the file's name, without leaving the file open."""
    content = path.read_bytes()
    if path.name.endswith("z"):
        content = gzip.decompress(content)
    image_class = MGHImage if ".mg" in path.name else Nifti1Image
    return np.asarray(image_class.from_bytes(content).affine)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_type_and_byte_order_reads_back(save_nifti, ramp, affine, dtype, order, version):
    voxels = ramp(SHAPE, dtype) // 2
    path = save_nifti(voxels=voxels, order=order, version=version)

    volume = read_volume(path)

    assert volume.voxels.dtype == np.float32
    assert volume.voxels.dtype.isnative
    np.testing.assert_array_equal(volume.voxels, voxels)
    np.testing.assert_array_equal(volume.geometry.affine, affine)
    assert volume.notes == ()
    assert volume.source == str(path)
    assert (read_header(path).dtype, read_header(path).shape) == (dtype, SHAPE)


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "scan.NII.GZ"])
def test_name_and_compression_need_not_agree(tmp_path, nifti_bytes, ramp, name):
    content = nifti_bytes(ramp())
    for packed in (content, gzip.compress(content)):
        (tmp_path / name).write_bytes(packed)

        np.testing.assert_array_equal(read_volume(tmp_path / name).voxels, ramp())


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
@pytest.mark.parametrize("name", ["scan.mgz", "scan.mgh"])
def test_mgh_reads_as_nibabel_does(save_mgh, ramp, dtype, name):
    path = save_mgh(name, ramp(SHAPE, dtype))

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.voxels, ramp(SHAPE, dtype))
    np.testing.assert_array_equal(volume.geometry.affine, nibabels_affine(path))
    assert volume.voxels.dtype.isnative


@given(seed=CASES, coded=st.sampled_from([(1, 1), (2, 0), (0, 1), (1, 3)]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_geometry_is_nibabels_affine_to_the_last_bit(tmp_path, nifti_bytes, ramp, seed, coded):
    rng = np.random.default_rng(seed)
    axes = rng.normal(size=(3, 3)) * rng.uniform(0.3, 4, size=3)
    if abs(np.linalg.det(axes / np.linalg.norm(axes, axis=0))) < 0.15:
        return
    affine = np.eye(4)
    affine[:3] = np.c_[axes, rng.normal(size=3) * 100]
    image = Nifti1Image(ramp(), affine)
    image.set_sform(affine, coded[0], update_affine=False)
    image.set_qform(affine, coded[1], update_affine=False)
    path = tmp_path / "oblique.nii"
    path.write_bytes(image.to_bytes())
    spacing = np.linalg.norm(nibabels_affine(path)[:3, :3], axis=0)
    if spacing.max() > 20 or spacing.min() < 0.05:
        return

    np.testing.assert_array_equal(read_volume(path).geometry.affine, nibabels_affine(path))


def test_shear_is_kept(save_nifti):
    tilted = np.array([[0.5, 0, 0, 0], [0, 0.5, 1.6, 0], [0, 0, 4, 0], [0, 0, 0, 1.0]])

    geometry = read_volume(save_nifti(affine=tilted.astype(np.float32))).geometry

    np.testing.assert_array_equal(geometry.affine, tilted.astype(np.float32))
    assert geometry.voxel_volume_mm3 == pytest.approx(1.0)


def test_sform_wins_over_qform_and_says_when_they_differ(save_nifti, affine):
    agreeing = save_nifti("agree.nii", sform_code=1, qform_code=1)
    differing = save_nifti("differ.nii", sform_code=1, qform_code=1, qoffset_x=42.5)

    assert read_volume(agreeing).notes == ()
    volume = read_volume(differing)
    np.testing.assert_array_equal(volume.geometry.affine, affine)
    assert volume.notes == ("sform and qform differ by up to 12.5 mm; the sform was used.",)


def test_uncoded_sform_gives_way_to_qform(save_nifti, affine):
    path = save_nifti(sform_code=0, qform_code=1, srow_x=[9, 9, 9, 9])

    np.testing.assert_allclose(read_volume(path).geometry.affine, affine, atol=1e-5)


def test_spacing_that_contradicts_the_sform_is_noted(save_nifti):
    path = save_nifti(sform_code=1, qform_code=0, pixdim=[1, 1.5, 1.25, 5, 0, 0, 0, 0])

    assert read_volume(path).notes == (
        "pixdim says 1.5 x 1.25 x 5 mm, the sform 1.5 x 1.25 x 2 mm; the sform was used.",
    )


@pytest.mark.parametrize(
    ("code", "factor", "notes"),
    [
        (0, 1, ()),
        (1, 1000, ("Positions given in metres were converted to mm.",)),
        (3, 0.001, ("Positions given in microns were converted to mm.",)),
        (5, 1, ("Unknown spatial unit (code 5) was taken as mm.",)),
    ],
)
def test_units_become_mm(save_nifti, affine, code, factor, notes):
    stored = affine.copy()
    stored[:3] /= factor
    volume = read_volume(save_nifti(affine=stored, xyzt_units=code))

    np.testing.assert_allclose(volume.geometry.affine, affine, rtol=1e-6)
    assert volume.notes == notes


@pytest.mark.parametrize("shape", [(*SHAPE, 1), (*SHAPE, 1, 1)])
def test_singleton_axes_are_left_out_with_a_note(save_nifti, ramp, shape):
    volume = read_volume(save_nifti(voxels=ramp(shape)))

    np.testing.assert_array_equal(volume.voxels, ramp(shape).reshape(SHAPE))
    sizes = " x ".join(str(size) for size in shape)
    assert volume.notes == (f"Singleton axes of {sizes} were left out.",)


def test_scaling_is_applied_in_float32(save_nifti, ramp):
    volume = read_volume(save_nifti(scl_slope=0.1, scl_inter=-3))

    expected = ramp().astype(np.float32) * np.float32(0.1) + np.float32(-3)
    np.testing.assert_array_equal(volume.voxels, expected)
    assert volume.voxels.dtype == np.float32


@pytest.mark.parametrize("slope", [0, np.nan, np.inf])
def test_no_slope_means_no_scaling(save_nifti, ramp, slope):
    volume = read_volume(save_nifti(scl_slope=slope, scl_inter=7))

    np.testing.assert_array_equal(volume.voxels, ramp())


def test_non_finite_voxels_become_zero_when_allowed(save_nifti, ramp):
    voxels = ramp(SHAPE, "float32") + 1
    voxels[0, 0, :3], voxels[5, 5, 5] = np.nan, -np.inf
    path = save_nifti(voxels=voxels, scl_slope=2, scl_inter=10)

    volume = read_volume(path, non_finite="zero")

    assert volume.notes == ("3 NaN and 1 infinite voxels were read as 0.",)
    expected = np.where(np.isfinite(voxels), voxels * 2 + 10, 0)
    np.testing.assert_array_equal(volume.voxels, expected)


def test_header_extension_is_passed_over(tmp_path, ramp, affine):
    image = Nifti1Image(ramp(), affine)
    extension = Nifti1Extension("comment", b"x" * 70_000)
    image.header.extensions.append(extension)
    (tmp_path / "scan.nii").write_bytes(image.to_bytes())

    np.testing.assert_array_equal(read_volume(tmp_path / "scan.nii").voxels, ramp())


def test_gzip_members_are_joined_and_what_follows_them_is_noted(tmp_path, nifti_bytes, ramp):
    content = nifti_bytes(ramp())
    parts = [gzip.compress(content[i : i + 500]) for i in range(0, len(content), 500)]
    path = tmp_path / "scan.nii.gz"

    path.write_bytes(b"".join(parts))
    np.testing.assert_array_equal(read_volume(path).voxels, ramp())
    assert read_volume(path).notes == ()

    path.write_bytes(b"".join(parts) + b"\0" * 700_000)
    assert read_volume(path).notes == ("700000 bytes after the gzip stream were left out.",)


def test_header_is_read_without_the_voxels(save_nifti, tmp_path, affine):
    whole = save_nifti("whole.nii.gz", voxels=np.zeros((64, 64, 64), "int16"))
    start = tmp_path / "start.nii.gz"
    start.write_bytes(whole.read_bytes()[:-20])

    header = read_header(start)

    assert header.shape == (64, 64, 64)
    np.testing.assert_array_equal(header.geometry.affine, affine)


@pytest.mark.parametrize(
    ("dtype", "largest", "expected"),
    [("int16", 200, "uint8"), ("float32", 2035, "uint16"), ("int32", 70_000, "uint32")],
)
def test_labels_come_in_the_smallest_type(save_nifti, dtype, largest, expected):
    voxels = np.zeros(SHAPE, dtype)
    voxels[2, 3, 4], voxels[3, 3, 3] = 17, largest

    labels = read_labels(save_nifti(voxels=voxels), names={17: "left-hippocampus"})

    assert labels.voxels.dtype == expected
    np.testing.assert_array_equal(labels.voxels, voxels)
    assert labels.names == {17: "left-hippocampus", largest: f"label-{largest}"}


def test_labels_may_be_scaled_and_may_be_all_zero(save_nifti, ramp):
    doubled = read_labels(save_nifti(voxels=ramp(SHAPE, "uint8") // 2, scl_slope=2))
    empty = read_labels(save_nifti(voxels=np.zeros(SHAPE, "float32")))

    np.testing.assert_array_equal(doubled.voxels, ramp(SHAPE, "uint8") // 2 * 2)
    assert empty.names == {}
    assert not empty.voxels.any()


def test_memory_stays_at_stored_plus_float32(save_nifti):
    shape, mib = (128, 128, 64), 1 << 20
    noise = np.random.default_rng(0).integers(0, 9, shape)
    stored = {"int16": 2, "float32": 0, "float64": 8}
    for dtype, extra in stored.items():
        path = save_nifti(f"{dtype}.nii.gz", voxels=noise.astype(dtype))
        read_header(path)  # imports nibabel
        tracemalloc.start()
        read_volume(path)
        peak = tracemalloc.get_traced_memory()[1] / mib
        tracemalloc.stop()

        # One MiB of voxels: float32, the stored ones, one Boolean each, and two chunks.
        assert peak < 4 + extra + 1 + 1


@given(
    changes=st.lists(st.tuples(st.integers(0, 347), st.integers(0, 255)), max_size=12),
    zipped=st.booleans(),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_header_reads_or_is_refused(tmp_path, nifti_bytes, ramp, changes, zipped):
    content = bytearray(nifti_bytes(ramp(SHAPE, "uint8")))
    for at, value in changes:
        content[at] = value
    path = tmp_path / "fuzzed.nii"
    path.write_bytes(gzip.compress(content, 1) if zipped else content)

    _reads_or_is_refused(path)


FIELDS = ["dim", "datatype", "vox_offset", "pixdim", "srow_x", "quatern_b", "qform_code"]


@given(
    field=st.sampled_from([*FIELDS, "sform_code", "scl_slope", "scl_inter", "xyzt_units"]),
    data=st.data(),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_field_reads_or_is_refused(tmp_path, nifti_bytes, ramp, field, data):
    layout = Nifti1Header.template_dtype
    names, size = list(layout.names or ()), layout[field].itemsize
    at = sum(layout[earlier].itemsize for earlier in names[: names.index(field)])
    noise = data.draw(st.binary(min_size=size, max_size=size))
    content = bytearray(
        nifti_bytes(ramp(SHAPE, "uint8"), sform_code=data.draw(st.integers(0, 1)))
    )
    content[at : at + size] = noise
    path = tmp_path / "fuzzed.nii"
    path.write_bytes(content)

    _reads_or_is_refused(path)


@given(data=st.binary(max_size=200), at=st.integers(0, 400))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_gzip_stream_reads_or_is_refused(tmp_path, nifti_bytes, ramp, data, at):
    packed = bytearray(gzip.compress(nifti_bytes(ramp(SHAPE, "uint8"))))
    packed[at : at + len(data)] = data
    path = tmp_path / "fuzzed.nii.gz"
    path.write_bytes(packed)

    _reads_or_is_refused(path)


def _reads_or_is_refused(path: Path) -> None:
    """Either outcome is right; any other exception, or much memory, is not."""
    tracemalloc.start()
    try:
        outcome = read_volume(path, non_finite="zero")
    except InputError as error:
        outcome = error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 << 20
    if isinstance(outcome, Volume):
        assert np.isfinite(outcome.voxels).all()
    else:
        assert str(outcome).startswith(str(path))
