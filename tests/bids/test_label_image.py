"""Label images lie on their source to the last bit, and read back before they have a name."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from medprompt_cli.bids import label_image
from medprompt_cli.bids.atomic import commit
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.label_image import grid_header, smallest_unsigned, stage_label_image
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import OutputError

SHAPE = (11, 9, 10)
OBLIQUE = np.array(
    [
        [0.9, 0.13, -0.21, -37.123456789],
        [-0.11, 0.83, 0.4, 12.3456789],
        [0.2, -0.35, 1.7, 55.98765],
        [0, 0, 0, 1],
    ]
)
ROTATION = np.array(
    [[-0.8, 0, 0.6, 31.7], [0, 1, 0, -9.3], [-0.6, 0, -0.8, 11.1], [0, 0, 0, 1]]
)


def load(path) -> Any:
    return nib.load(path)


def save(path, affine, kind=nib.Nifti1Image, sform=1, qform=0, **fields):
    """An image with something to see in it, and the codes that are asked for."""
    voxels = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    image = kind(voxels, None)
    image.header.set_xyzt_units("mm", "sec")
    if qform:
        image.header.set_qform(affine, qform)
    if sform:
        image.header.set_sform(affine, sform)
    for name, value in fields.items():
        image.header[name] = value
    image.to_filename(path)
    return path


def write(path, voxels, source, geometry=None):
    """Write a label image for `source` and load it with nibabel alone."""
    geometry = geometry or read_image(source).geometry
    header, rounding = grid_header(source, geometry, smallest_unsigned(int(voxels.max())))
    commit(stage_label_image(path, voxels, header))
    return load(path), rounding


def labels():
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[2:5, 3:6, 1:9] = 17
    voxels[6:8, 3:6, 1:9] = 53
    return voxels


CASES = {
    "sform": {"affine": OBLIQUE},
    "qform only": {"affine": ROTATION, "sform": 0, "qform": 1},
    "both, other codes": {"affine": ROTATION, "sform": 4, "qform": 2},
    "nifti-2": {"affine": OBLIQUE, "kind": nib.Nifti2Image},
    "metres": {"affine": np.diag([0.001, 0.001, 0.002, 1]), "xyzt_units": 1},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_affine_of_a_nifti_is_kept_to_the_last_bit(tmp_path, case):
    source = save(tmp_path / "source.nii.gz", **case)
    before = load(source)
    after, rounding = write(tmp_path / "dseg.nii.gz", labels(), source)

    assert rounding == 0
    assert after.shape == before.shape
    assert after.affine.tobytes() == before.affine.tobytes()
    assert type(after.header) is type(before.header)
    for form in ("sform", "qform"):
        assert after.header[f"{form}_code"] == before.header[f"{form}_code"]
    assert after.header["xyzt_units"] == before.header["xyzt_units"]
    assert np.array_equal(np.asarray(after.dataobj), labels())


def test_a_qform_that_contradicts_the_sform_is_kept_too(tmp_path):
    source = save(tmp_path / "source.nii.gz", OBLIQUE, qform=0)
    image = load(source)
    image.header.set_qform(ROTATION, 2)
    nib.Nifti1Image(np.asarray(image.dataobj), None, image.header).to_filename(source)
    before = load(source).header
    after = write(tmp_path / "dseg.nii.gz", labels(), source)[0].header

    assert not np.allclose(before.get_sform(), before.get_qform())
    assert np.array_equal(after.get_qform(), before.get_qform())
    assert np.array_equal(after.get_sform(), before.get_sform())


@given(st.lists(st.floats(-300, 300, width=64), min_size=3, max_size=3))
def test_an_affine_of_64_bits_is_rounded_and_the_distance_is_told(
    tmp_path_factory, translation
):
    folder = tmp_path_factory.mktemp("mgz")
    affine = OBLIQUE.copy()
    affine[:3, 3] = translation
    after, rounding = write(
        folder / "dseg.nii.gz", labels(), folder / "dicom", Geometry(SHAPE, affine)
    )

    assert after.affine.tobytes() == affine.astype(np.float32).astype(np.float64).tobytes()
    assert rounding <= 3e-5
    far = np.array([*SHAPE, 2]) - 1
    assert np.linalg.norm((after.affine - affine) @ far) <= rounding + 1e-12
    assert int(after.header["sform_code"]) == 1


@pytest.mark.parametrize("shift", [0, 1 / 3, 133.39971924])
def test_the_affine_of_an_mgz_is_kept_to_the_last_bit(tmp_path, shift):
    source = tmp_path / "norm.mgz"
    affine = ROTATION.copy()
    affine[:3, 3] += shift
    data: Any = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    nib.MGHImage(data, affine).to_filename(source)
    after, rounding = write(tmp_path / "dseg.nii.gz", labels(), source)

    assert rounding == 0
    assert after.affine.tobytes() == load(source).affine.astype(np.float64).tobytes()
    assert np.allclose(after.header.get_qform(), after.affine, atol=1e-4)
    assert int(after.header["qform_code"]) == 1


def test_a_sheared_grid_has_no_qform_to_lie_with(tmp_path):
    after, _ = write(tmp_path / "d.nii.gz", labels(), tmp_path, Geometry(SHAPE, OBLIQUE))

    assert int(after.header["qform_code"]) == 0


def test_a_grid_that_nifti_1_cannot_hold_becomes_nifti_2(tmp_path):
    shape = (40000, 8, 8)
    header, rounding = grid_header(tmp_path, Geometry(shape, np.eye(4)), np.dtype(np.uint8))

    assert (type(header), rounding) == (Nifti2Header, 0)

    far_away = np.eye(4)
    far_away[0, 3] = 1e6 + 0.123456
    header, rounding = grid_header(tmp_path, Geometry(SHAPE, far_away), np.dtype(np.uint8))

    assert (type(header), rounding) == (Nifti2Header, 0)


def test_names_of_people_are_not_taken_over(tmp_path):
    source = save(
        tmp_path / "source.nii.gz", OBLIQUE, descrip=b"Jane Doe 1970", aux_file=b"doe.hdr"
    )
    write(tmp_path / "dseg.nii.gz", labels(), source)

    written = gzip.decompress((tmp_path / "dseg.nii.gz").read_bytes())
    assert b"doe" not in written.lower()


@pytest.mark.parametrize(
    ("largest", "dtype"),
    [(1, np.uint8), (60, np.uint8), (255, np.uint8), (256, np.uint16), (65536, np.uint32)],
)
def test_the_smallest_type_that_holds_the_ids_is_used(tmp_path, largest, dtype):
    voxels = np.zeros(SHAPE, np.int64)
    voxels[3, 3, 3] = largest
    image, _ = write(tmp_path / "d.nii.gz", voxels, tmp_path, Geometry(SHAPE, np.eye(4)))

    assert image.get_data_dtype() == dtype
    assert np.asarray(image.dataobj)[3, 3, 3] == largest
    assert np.asarray(image.dataobj).dtype == dtype


def test_masks_are_zero_and_one(tmp_path):
    mask = labels() > 0
    image, _ = write(tmp_path / "m.nii.gz", mask, tmp_path, Geometry(SHAPE, np.eye(4)))

    assert image.get_data_dtype() == np.uint8
    assert np.array_equal(np.asarray(image.dataobj), mask.astype(np.uint8))


def test_the_same_voxels_give_the_same_bytes(tmp_path):
    source = save(tmp_path / "source.nii.gz", OBLIQUE)
    write(tmp_path / "one.nii.gz", labels(), source)
    write(tmp_path / "two.nii.gz", np.asfortranarray(labels()), source)

    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()


def test_a_label_image_is_smaller_than_its_voxels_by_far(tmp_path):
    write(tmp_path / "d.nii.gz", labels(), tmp_path, Geometry(SHAPE, np.eye(4)))

    assert (tmp_path / "d.nii.gz").stat().st_size < labels().size / 3


def damaged(how):
    """Change what a disk gives back after writing."""

    def open_damaged(path, mode):
        content = how(path.read_bytes())
        path.write_bytes(content)
        return label_image.igzip.IGzipFile(path, mode)

    return open_damaged


def flip(content):
    body = bytearray(content)
    body[len(body) // 2] ^= 0x10
    return bytes(body)


def other_voxel(content):
    body = bytearray(gzip.decompress(content))
    body[-100] ^= 1
    return gzip.compress(bytes(body))


def other_place(content):
    body = bytearray(gzip.decompress(content))
    body[280] ^= 1  # the last bit of srow_x's first number
    return gzip.compress(bytes(body))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda content: content[:-20], "it does not read back"),
        (flip, "it does not read back|its voxels reads back as"),
        (other_voxel, "its voxels reads back as"),
        (other_place, "its affine reads back as"),
    ],
    ids=["truncated", "one bit of the file", "one voxel", "one bit of the affine"],
)
def test_what_does_not_read_back_never_gets_its_name(tmp_path, monkeypatch, how, message):
    source = save(tmp_path / "source.nii.gz", OBLIQUE)
    geometry = read_image(source).geometry
    header, _ = grid_header(source, geometry, np.dtype(np.uint8))
    monkeypatch.setattr(label_image.igzip, "open", damaged(how))
    with pytest.raises(OutputError, match=message) as caught:
        stage_label_image(tmp_path / "out" / "dseg.nii.gz", labels(), header)

    assert caught.value.remedy == "Check the output disk, then run the same command again."
    assert list((tmp_path / "out").iterdir()) == []


def test_the_checksum_is_the_one_everybody_uses():
    assert label_image.isal_zlib.crc32(b"medprompt") == zlib.crc32(b"medprompt")


def test_headers_are_little_endian_whatever_the_source(tmp_path):
    source = tmp_path / "big.nii"
    header = Nifti1Header(endianness=">")
    header.set_sform(OBLIQUE, 1)
    nib.Nifti1Image(np.arange(990, dtype=">i2").reshape(SHAPE), None, header).to_filename(
        source
    )
    before = load(source)
    after, _ = write(tmp_path / "dseg.nii.gz", labels(), source)

    assert before.header.endianness == ">"
    assert after.header.endianness == "<"
    assert after.affine.tobytes() == before.affine.tobytes()


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "anatomy/brain-t1w.nii.gz",
        "anatomy/bert/norm.mgz",
        "ms/long-01/study1_FLAIR.nii.gz",
        "manual/1000_SS.nii.gz",
    ],
)
def test_masks_of_real_scans_lie_on_them_to_the_last_bit(tmp_path, shared_data, name):
    source = shared_data / name
    volume = read_image(source)
    after, rounding = write(tmp_path / "mask.nii.gz", volume.voxels > 0, source)

    assert rounding == 0
    assert after.shape == load(source).shape[:3]
    assert after.affine.tobytes() == load(source).affine.tobytes()
