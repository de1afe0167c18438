"""Label maps from files to one packed file."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.bank import read_bank
from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.training.pack import pack_folder


@pytest.fixture
def save(tmp_path):
    """Write a label map; left is 2, right is 41, on a grid that runs towards L, I, A."""

    def write(name, voxels, spacing=1.0):
        affine = np.array([[-1, 0, 0, 9], [0, 0, 1, -4], [0, -1, 0, 5], [0, 0, 0, 1.0]])
        affine[:3, :3] *= spacing
        folder = tmp_path / "maps"
        folder.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(voxels.astype(np.int16), affine), folder / name)
        return folder

    return write


@pytest.fixture
def two_sides():
    voxels = np.zeros((10, 8, 6))
    voxels[2:5, 1:4, 2:6] = 41  # low I is to the right
    voxels[5:7, 1:4, 2:6] = 2
    return voxels


def test_maps_are_turned_cropped_and_named(save, two_sides, tmp_path):
    save("b.nii.gz", two_sides)
    folder = save("a.nii", np.flip(two_sides, 1))
    (folder / "notes.txt").write_text("not a label map")

    maps = pack_folder(folder, tmp_path / "heads.labels.xz")

    assert [packed.name for packed in maps] == ["a.nii", "b.nii.gz"]
    for packed, read in zip(maps, read_bank(tmp_path / "heads.labels.xz"), strict=True):
        assert packed.voxels.shape == (5, 4, 3)
        ids = np.array([paint.index for paint in PAINT_CLASSES])[packed.voxels]
        assert (ids[:2] == 2).all()
        assert (ids[2:] == 41).all()
        np.testing.assert_array_equal(packed.voxels, read.voxels)
        assert packed.spacing == read.spacing == pytest.approx((1, 1, 1))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no label maps") as caught:
        pack_folder(tmp_path, tmp_path / "bank.labels.xz")

    assert str(caught.value) == f"{tmp_path} holds no label maps."
    assert caught.value.remedy == "Give a folder of .nii.gz or .mgz label maps."
    assert caught.value.code == "no-images"


def test_a_map_of_another_spacing_is_refused(save, two_sides, tmp_path):
    folder = save("a.nii.gz", two_sides, spacing=2.0)

    with pytest.raises(InputError, match="spacing") as caught:
        pack_folder(folder, tmp_path / "bank.labels.xz")

    assert str(caught.value) == (
        f"{folder / 'a.nii.gz'}: spacing (2.0, 2.0, 2.0) mm; label maps are painted at 1 mm."
    )
    assert caught.value.code == "not-1mm"


def test_a_map_without_labels_is_refused(save, two_sides, tmp_path):
    folder = save("a.nii.gz", 0 * two_sides)

    with pytest.raises(InputError, match="holds no label above 0") as caught:
        pack_folder(folder, tmp_path / "bank.labels.xz")

    assert str(caught.value) == f"{folder / 'a.nii.gz'} holds no label above 0."
    assert caught.value.remedy == "Take the file out of the folder."
    assert not (tmp_path / "bank.labels.xz").exists()


def test_unknown_ids_name_the_file(save, two_sides, tmp_path):
    two_sides[3, 2, 3] = 999
    folder = save("a.nii.gz", two_sides)

    with pytest.raises(InputError, match="does not know") as caught:
        pack_folder(folder, tmp_path / "bank.labels.xz")

    assert str(caught.value) == (
        f"{folder / 'a.nii.gz'} holds label ids [999] that training does not know."
    )
