"""Reading an atlas: what does not fit together is refused."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import KINDS
from medprompt_cli.domain.parcels import DKT31, PARCELS
from medprompt_cli.errors import InputError
from medprompt_cli.training.atlas import read_atlas


@pytest.fixture
def save(tmp_path):
    """Write an image of 10 voxels a side, on a grid that runs towards L, A, S."""

    def write(name, voxels, first_mm=0.0):
        affine = np.diag([-1.0, 1.0, 1.0, 1.0])
        affine[:3, 3] = 9, first_mm, 0
        nib.save(nib.Nifti1Image(voxels.astype(np.float32), affine), tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def ids():
    """One voxel of each parcel, in rows along the first axis."""
    voxels = np.zeros((10, 10, 10))
    for n, parcel in enumerate(PARCELS):
        voxels[n % 10, n // 10, 5] = parcel.index
    return voxels


def test_an_atlas_is_turned_and_cropped(save, ids):
    brain = np.where(ids > 0, 50.0, 0.0)
    brain[2, 3, 4] = 100  # the one voxel of white matter

    atlas = read_atlas(save("labels.nii.gz", ids), save("brain.nii.gz", brain))

    assert atlas.geometry.orientation == "RAS"
    assert atlas.kinds.shape == (10, 7, 2)
    assert np.count_nonzero(atlas.kinds) == len(PARCELS) + 1
    where = atlas.geometry.to_voxel(np.array([9.0 - 2, 3, 4])).round().astype(int)
    assert atlas.kinds[tuple(where)] == KINDS.index("cerebral-white-matter") + 1
    for n, parcel in enumerate(PARCELS):
        if parcel.side != "right":
            at = atlas.geometry.to_voxel(np.array([9.0 - n % 10, n // 10, 5.0]))
            column = 0 if parcel.family == "cortex" else 2
            assert atlas.nearest[(*at.round().astype(int), column)] == n + 1


def test_a_brain_on_another_grid_is_refused(save, ids):
    labels, brain = save("labels.nii.gz", ids), save("brain.nii.gz", ids, first_mm=3.0)

    with pytest.raises(InputError, match="does not lie on the grid") as caught:
        read_atlas(labels, brain)

    assert str(caught.value) == f"{brain} does not lie on the grid of {labels}."
    assert caught.value.code == "shape-mismatch"


def test_an_atlas_that_lacks_a_parcel_is_refused(save, ids):
    ids[np.isin(ids, [1035, 632])] = 0
    labels = save("labels.nii.gz", ids)

    with pytest.raises(InputError, match="has no voxel of") as caught:
        read_atlas(labels, save("brain.nii.gz", ids))

    assert str(caught.value) == (
        f"{labels} has no voxel of left-insula, inferior-posterior-vermis."
    )
    assert caught.value.remedy == "Give Mindboggle's DKT31 + CMA labels in MNI152 space."


@pytest.mark.shared
def test_mindboggles_labels_are_the_parcels(shared_data):
    name = "OASIS-TRT-20_jointfusion_DKT31_CMA_labels_in_MNI152_v2.nii.gz"
    labels = read_labels(shared_data / "atlases" / name)

    found = {index for index in labels.names if index >= 1000 or 600 <= index < 700}

    assert found | {6, 45} == {parcel.index for parcel in PARCELS}
    assert found >= {1000 + index for index in DKT31}
