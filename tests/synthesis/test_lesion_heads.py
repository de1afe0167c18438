"""Heads with known lesions, from a bank of one head of solids."""

import numpy as np
import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.mask_files import find_masks
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import BASE_INDEX, LESIONS
from medprompt_cli.synthesis.bank import PackedLabels, write_bank
from medprompt_cli.synthesis.demo import TRUTH
from medprompt_cli.synthesis.lesion_heads import SUFFIX_OF, draw_heads, is_bank
from medprompt_cli.synthesis.lesion_heads_files import write_heads

MM = 4.0


@pytest.fixture(scope="module")
def bank(lesion_head, tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "heads.labels.xz"
    write_bank(path, [PackedLabels("solids", lesion_head.numpy(), (1.0, 1.0, 1.0))])
    return path


@pytest.fixture(scope="module")
def heads(bank):
    return list(draw_heads(bank, 4, 11, MM))


def test_heads_have_images_structures_and_lesions(heads):
    for head in heads:
        assert head.suffix in SUFFIX_OF.values()
        assert head.voxels.dtype == np.uint8
        assert head.voxels.max() > 100
        assert set(np.unique(head.structures)) <= {0, *BASE_INDEX.values()}
        assert set(head.lesions) <= set(LESIONS)
        assert {v.shape for v in head.lesions.values()} == {head.geometry.shape}
    assert len({head.lesions["lesion"].any() for head in heads}) == 2  # some have none


def test_every_lesion_lies_in_what_is_lesion_of_any_kind(heads):
    for head in heads:
        for name, voxels in head.lesions.items():
            assert not (voxels & ~head.lesions["lesion"]).any(), name


def test_what_an_image_does_not_decide_is_left_out(heads):
    spotted = [head for head in heads if head.lesions.get("ms-lesion", np.False_).any()]
    spotted += [
        h for h in heads if h.lesions.get("white-matter-hyperintensity", np.False_).any()
    ]

    assert all(
        not {"ms-lesion", "white-matter-hyperintensity"} <= set(head.lesions)
        for head in spotted
    )
    for head in heads:
        if not head.lesions["lesion"].any():
            assert set(head.lesions) == set(LESIONS)


def test_a_head_hangs_on_seed_and_number_alone(bank, heads):
    (again,) = draw_heads(bank, 1, 11, MM)
    (other,) = draw_heads(bank, 1, 12, MM)

    assert np.array_equal(again.voxels, heads[0].voxels)
    assert np.array_equal(again.lesions["lesion"], heads[0].lesions["lesion"])
    assert not np.array_equal(other.voxels, heads[0].voxels)


def test_they_are_written_as_a_dataset_with_its_truth(bank, heads, tmp_path):
    images = write_heads(tmp_path / "heads", bank, 1, 11, MM)

    dataset = open_dataset(tmp_path / "heads")
    assert dataset.problems == ()
    assert [entry.path for entry in dataset.images] == images
    truth = tmp_path / "heads" / TRUTH
    masks = {
        file.region: file.path
        for case in find_masks(truth)
        for file in case.files
        if file.region is not None
    }
    assert set(masks) == set(heads[0].lesions)
    for name, path in masks.items():
        assert np.array_equal(read_labels(path).voxels > 0, heads[0].lesions[name])


def test_a_bank_is_told_by_its_name(bank, tmp_path):
    assert is_bank(bank)
    assert not is_bank(tmp_path)
