"""Real label maps: counted as they are, to the last digit."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids.label_names import FREESURFER_NAMES
from medprompt_cli.bids.nifti import read_labels, read_volume
from medprompt_cli.domain.volume import Mask
from medprompt_cli.measurement.diameters import max_diameter
from medprompt_cli.measurement.instances import find_instances, instance_masks
from medprompt_cli.measurement.labels import measure_labels
from medprompt_cli.measurement.place import count, volume
from medprompt_cli.measurement.standard import measure_map
from medprompt_cli.measurement.surface import sphericity, surface_area

pytestmark = pytest.mark.shared


def test_volumes_of_freesurfers_structures_are_their_voxels(shared_data):
    """FreeSurfer's table counts voxels and multiplies by theirs, here of 1 mm3."""
    folder = shared_data / "anatomy" / "bert"
    labels, image = read_labels(folder / "aseg.mgz"), read_volume(folder / "norm.mgz")
    ids, voxels = np.unique(labels.voxels, return_counts=True)

    found = measure_labels(labels, image)

    assert found.ids.tolist() == ids[1:].tolist()
    assert found.voxels.tolist() == voxels[1:].tolist()
    assert found.volumes_ml.tolist() == [int(n) / 1000 for n in voxels[1:]]
    assert not found.touches_border.any()
    assert found.intensities is not None
    for row in (0, 10, -1):
        inside = image.voxels[labels.voxels == found.ids[row]].astype(np.float64)
        assert found.intensities.means[row] == pytest.approx(inside.mean(), rel=1e-12)
        assert found.intensities.stds[row] == pytest.approx(inside.std(), rel=1e-9)
    left, right = (found.centroids[found.ids == index][0] for index in (17, 53))
    assert left[0] < right[0]  # R grows to the right


@pytest.mark.parametrize("name", ["aseg.mgz", "aparc.DKTatlas+aseg.mgz"])
def test_volumes_are_what_another_reader_counts(shared_data, name):
    """To the last digit, for every label: voxels times the volume of one."""
    path = shared_data / "anatomy" / "bert" / name
    other: Any = nib.load(path)
    ids, voxels = np.unique(np.asarray(other.dataobj), return_counts=True)
    mm3 = abs(np.linalg.det(other.affine[:3, :3]))
    counted = {
        int(n): int(count) * mm3 / 1000 for n, count in zip(ids, voxels, strict=True) if n
    }
    labels = read_labels(path)

    found = measure_labels(labels)
    assert dict(zip(found.ids.tolist(), found.volumes_ml.tolist(), strict=True)) == counted
    for index in (2, 17, 53):
        mask = Mask("region", labels.voxels == index, labels.geometry)
        assert volume(mask).value == counted[index]


def test_a_real_hippocampus_is_as_large_as_they_are(shared_data):
    labels = read_labels(shared_data / "anatomy" / "bert" / "aseg.mgz")
    mask = Mask("left-hippocampus", labels.voxels == 17, labels.geometry)

    assert volume(mask).value == pytest.approx(4.0, abs=1.0)
    assert max_diameter(mask).value == pytest.approx(47, abs=5)
    assert surface_area(mask).value == pytest.approx(2400, rel=0.1)
    assert sphericity(mask).value == pytest.approx(0.5, abs=0.1)


def test_lesions_of_a_real_consensus_mask(shared_data):
    """1.30 mL; 49 pieces of voxels that share faces, 37 where edges and corners connect."""
    labels = read_labels(shared_data / "ms" / "cross-07" / "lesions.nii.gz")
    mask = Mask("ms-lesion", labels.voxels > 0, labels.geometry)

    assert volume(mask).value == 1.3
    assert [count(mask, n).value for n in (6, 18, 26)] == [49, 38, 37]
    assert count(mask).value == 37
    sizes = [np.count_nonzero(m.voxels) for m in instance_masks(find_instances(mask))]
    assert sum(sizes) == 1300
    assert sizes[:3] == [210, 138, 119]


def test_every_structure_of_freesurfer_is_measured_as_it_is_counted(shared_data):
    folder = shared_data / "anatomy" / "bert"
    labels = read_labels(folder / "aseg.mgz", FREESURFER_NAMES)
    found = {
        r.region: r
        for r in measure_map(labels, [read_volume(folder / "norm.mgz")], lambda _: ())
    }
    there = np.unique(labels.voxels)[1:]

    assert {n for n, r in found.items() if r.voxels} == {FREESURFER_NAMES[n] for n in there}
    for index in (17, 85, 251):
        region = found[FREESURFER_NAMES[index]]
        assert region.measurements[0].value == np.count_nonzero(labels.voxels == index) / 1000
