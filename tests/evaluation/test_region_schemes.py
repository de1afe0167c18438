import numpy as np
import pytest

from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.schemes import REGION_SCHEMES, find_scheme

PARTS = np.array([[[0, 1, 2, 3, 4]]], np.uint8)


@pytest.mark.parametrize(
    ("region", "there"),
    [
        ("tumor", [0, 1, 1, 1, 1]),
        ("lesion", [0, 1, 1, 1, 1]),
        ("tumor-core", [0, 1, 0, 1, 1]),
        ("enhancing-tumor", [0, 0, 0, 0, 1]),
        ("edema", [0, 0, 1, 0, 0]),
        ("necrosis", [0, 1, 0, 0, 0]),
    ],
)
def test_parts_of_a_glioma_of_2013(region, there):
    assert REGION_SCHEMES["brats2013"].region(PARTS, region).ravel().tolist() == there


@pytest.mark.parametrize("name", ["brats2013", "brats"])
def test_a_tumor_is_its_core_and_its_edema(name):
    scheme = find_scheme(name)
    tumor, core, edema, enhancing = (
        scheme.region(PARTS, region)
        for region in ("tumor", "tumor-core", "edema", "enhancing-tumor")
    )

    assert ((core | edema) == tumor).all()
    assert not (core & edema).any()
    assert not (enhancing & ~core).any()


@pytest.mark.parametrize("lesion", LESIONS)
def test_the_name_of_a_lesion_is_the_scheme_of_its_mask(lesion):
    scheme = find_scheme(lesion)

    assert set(scheme.regions) == {"lesion", lesion}
    for region in scheme.regions:
        assert scheme.region(PARTS * 60, region).ravel().tolist() == [0, 1, 1, 1, 1]


def test_parcels_have_their_ids_and_lobes_hold_theirs():
    scheme = find_scheme("dkt")

    for name, index in PARCEL_INDEX.items():
        if 1000 <= index < 3000:
            assert scheme.regions[name] == {index}
    assert scheme.regions["left-occipital-lobe"] == {1011, 1013, 1005, 1021}
    assert scheme.regions["right-insula"] == {2035}
    parcels = [index for index in PARCEL_INDEX.values() if 1000 <= index < 3000]
    lobes = [
        ids for name, ids in scheme.regions.items() if name.endswith(("lobe", "cingulate"))
    ]
    in_lobes = {index for ids in lobes for index in ids or ()}
    assert in_lobes | {1035, 2035} == set(parcels)


def test_one_id_may_mean_several_lesions_in_a_table(tmp_path):
    lines = ("index\tname", "1\ttumor", "1\ttumor-core", "2\ttumor", "2\tedema", "3\tbrain")
    (tmp_path / "mine.tsv").write_text("\n".join(lines) + "\n")

    scheme = find_scheme("mine.tsv", tmp_path)

    assert scheme.regions == {"tumor": {1, 2}, "tumor-core": {1}, "edema": {2}}
    assert scheme.ids == {3: "brain"}


def test_a_map_with_other_ids_is_no_glioma():
    labels = np.array([[[1, 17, 17, 17, 42]]], np.uint8)

    with pytest.raises(InputError, match="is no brats2013 label map") as caught:
        find_scheme("brats2013").check(labels, "truth.nii.gz")

    assert str(caught.value) == (
        "truth.nii.gz is no brats2013 label map: 80% of its labelled voxels have ids that "
        "are unknown there, such as 17, 42."
    )


@pytest.mark.shared
def test_the_cortex_of_a_real_parcellation_is_all_parcels(shared_data):
    voxels = read_labels(shared_data / "anatomy/bert/aparc.DKTatlas+aseg.mgz").voxels
    scheme = find_scheme("dkt")

    scheme.check(voxels, "aparc")
    cortex = (voxels >= 1000) & (voxels < 3000)
    ids = [ids for name, ids in scheme.regions.items() if name in PARCEL_INDEX]
    found = np.isin(voxels, [index for each in ids for index in each or ()])
    assert (found & cortex).sum() > 0.99 * cortex.sum()
    assert len(set(np.unique(voxels[found]).tolist())) == 62
