"""One function reads files and folders, and tells CT from MR by a stated rule."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from medprompt_cli.bids.images import is_image_name, looks_like_ct, read_image
from medprompt_cli.errors import InputError

CT_NOTE = "Taken for CT: its values lie as HU of air and soft tissue do."


@pytest.mark.parametrize(
    "name", ["a.nii", "a.nii.gz", "sub-01_T1w.NII.GZ", "orig.mgz", "orig.mgh"]
)
def test_image_names(name):
    assert is_image_name(name)


@pytest.mark.parametrize(
    "name", ["a.json", "a.gz", "._a.nii.gz", ".a.nii", "a.nii.gz.part", "nii", "a.hdr"]
)
def test_other_names(name):
    assert not is_image_name(name)


def test_names_cost_no_import():
    code = (
        "import sys, medprompt_cli.bids.images; "
        "print([m for m in ('numpy', 'nibabel', 'SimpleITK', 'torch') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"


def head_in_hu(noise: float = 20, outside: float = -1000) -> np.ndarray:
    """A ball of soft tissue in a shell of bone, in air."""
    rng = np.random.default_rng(0)
    axes = np.meshgrid(*(np.linspace(-1.4, 1.4, 40),) * 3, indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    hu = np.select([radius < 0.9, radius < 1], [40.0, 900.0], outside)
    return (hu + rng.normal(0, noise, hu.shape)).astype(np.float32)


def with_padding(voxels: np.ndarray, value: float) -> np.ndarray:
    padded = voxels.copy()
    padded[:5], padded[-5:] = value, value
    return padded


@pytest.mark.parametrize(
    "voxels",
    [head_in_hu(), with_padding(head_in_hu(), -3024), with_padding(head_in_hu(), -2000)],
    ids=["plain", "padded-3024", "padded-2000"],
)
def test_hounsfield_units_look_like_ct(voxels):
    assert looks_like_ct(voxels)


def mr_images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shape = (40, 40, 40)
    return {
        "magnitude": np.abs(rng.normal(300, 200, shape)),
        "z-score": rng.normal(0, 1, shape),
        "phase": rng.uniform(-4096, 4096, shape),
        "inversion-recovery": np.where(
            rng.random(shape) < 0.5, rng.normal(0, 60, shape), rng.normal(-800, 900, shape)
        ),
        "one-dark-voxel": np.where(np.arange(64_000).reshape(shape) == 0, -2000, 50.0),
    }


@pytest.mark.parametrize("name", mr_images())
def test_other_intensities_do_not_look_like_ct(name):
    assert not looks_like_ct(mr_images()[name].astype(np.float32))


def test_file_that_looks_like_ct_is_noted_and_the_caller_may_know_better(save_nifti):
    path = save_nifti(voxels=head_in_hu())

    guessed, told = read_image(path), read_image(path, modality="MR")

    assert (guessed.modality, guessed.notes) == ("CT", (CT_NOTE,))
    assert (told.modality, told.notes) == ("MR", ())
    assert read_image(save_nifti("mr.nii.gz")).modality == "MR"


def test_non_finite_choice_is_passed_on(save_nifti, ramp):
    voxels = ramp(dtype="float32")
    voxels[0, 0, 0] = np.nan

    volume = read_image(save_nifti(voxels=voxels), non_finite="zero")

    assert volume.notes == ("1 NaN and 0 infinite voxels were read as 0.",)


def test_dicom_folder_is_read_as_a_series(save_series):
    folder = save_series([(0, 0, 2.0 * k) for k in range(9)])

    assert read_image(folder).modality == "CT"


@pytest.mark.parametrize(
    ("name", "problem", "remedy", "code"),
    [
        (
            "IM0001.dcm",
            "{} is one DICOM file of a series.",
            "Give the folder that holds all its slices.",
            "dicom-file",
        ),
        (
            "scan.nrrd",
            "{} is not an image file: its name ends in none of .nii.gz, .nii, .mgz, .mgh.",
            "Convert it to .nii.gz.",
            "not-an-image",
        ),
    ],
)
def test_other_files_are_refused(tmp_path, name, problem, remedy, code):
    path = tmp_path / name
    path.write_bytes(b"something")

    with pytest.raises(InputError, match=f"^{re.escape(problem.format(path))}$") as caught:
        read_image(path)
    assert (caught.value.remedy, caught.value.code) == (remedy, code)


@pytest.mark.shared
def test_real_mr_is_not_taken_for_ct(shared_data):
    for name in (
        "anatomy/t1_crop.nii.gz",
        "ms/long-01/study1_FLAIR.nii.gz",
        "stroke/isles-dwi/sub-strokecase0001_ses-0001_adc.nii.gz",
        "tumor/brats_2013_pat0001_1/Flair_subtrMeanDivStd.nii.gz",
    ):
        assert read_image(shared_data / name).modality == "MR", name


@pytest.mark.shared
def test_real_ct_looks_like_ct(shared_data):
    assert looks_like_ct(read_image(shared_data / "ct").voxels)
