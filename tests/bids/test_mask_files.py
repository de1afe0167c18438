"""Masks are found, sorted into cases, and say what they are of."""

from __future__ import annotations

import json

import pytest

from medprompt_cli.bids.mask_files import find_masks, source_paths
from medprompt_cli.errors import InputError


@pytest.fixture
def plant(tmp_path):
    """Make empty files."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return tmp_path

    return make


def names(cases):
    return {case.name: [file.path.name for file in case.files] for case in cases}


def test_masks_of_one_image_are_one_case_with_the_name_of_the_image(plant):
    root = plant(
        "sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz",
        "sub-01/anat/sub-01_space-orig_seg-dkt_desc-T1w_dseg.nii.gz",
        "sub-01/anat/sub-01_space-orig_label-Ventricles_desc-T1w_mask.nii.gz",
        "sub-01/anat/sub-01_space-orig_label-Lesion_desc-FLAIRT1w_mask.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_run-2_space-T1w_desc-biasT2w_mask.nii.gz",
        ".hidden/sub-03_dseg.nii.gz",
    )

    found = names(find_masks(root))
    assert {name: len(files) for name, files in found.items()} == {
        "sub-01_T1w": 3,
        "sub-01_FLAIRT1w": 1,
        "sub-02_ses-1_run-2_space-T1w_desc-bias_T2w": 1,
    }


def test_label_maps_of_others_keep_what_tells_them_apart(plant):
    root = plant("sub-01_seg-aseg_dseg.nii.gz", "sub-01_seg-fast_dseg.nii.gz", "T1w.nii.gz")

    assert sorted(names(find_masks(root))) == ["sub-01_seg-aseg_dseg", "sub-01_seg-fast_dseg"]


def test_of_a_plain_folder_every_image_is_a_mask(plant):
    root = plant("a/lesions.nii.gz", "b/lesions.mgz", "notes.txt")
    cases = find_masks(root)

    assert [case.files[0].path.parent.name for case in cases] == ["a", "b"]
    assert len({case.entry.subject for case in cases}) == 2
    assert {case.files[0].region for case in cases} == {None}


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("sub-01_label-Sarcoma_desc-T1w_mask.nii.gz", "Sarcoma"),
        ("sub-01_label-MsLesion_desc-T1w_mask.nii.gz", "ms-lesion"),
        ("sub-01_desc-brain_mask.nii.gz", "brain"),
        ("sub-01_mask.nii.gz", "mask"),
        ("sub-01_dseg.nii.gz", None),
    ],
)
def test_a_mask_is_named_by_what_says_it(plant, name, region):
    assert find_masks(plant(name))[0].files[0].region == region


def test_our_sidecars_name_the_region_as_the_vocabulary_does(plant, tmp_path):
    root = plant("sub-01_label-MsLesion_desc-T1w_mask.nii.gz")
    content = {"Targets": {"ms-lesion": {}}, "PlanHash": "a"}
    (tmp_path / "sub-01_label-MsLesion_desc-T1w_mask.json").write_text(json.dumps(content))
    file = find_masks(root)[0].files[0]

    assert (file.is_own, file.region) == (True, "ms-lesion")


def test_a_sidecar_that_cannot_be_read_is_named(plant, tmp_path):
    root = plant("sub-01_mask.nii.gz", "sub-01_mask.json")
    with pytest.raises(InputError, match="cannot be read") as caught:
        find_masks(root)

    assert str(tmp_path / "sub-01_mask.json") in str(caught.value)


def test_nothing_there(plant, tmp_path):
    with pytest.raises(InputError, match="holds no mask") as caught:
        find_masks(plant("notes.txt"))

    assert str(caught.value) == f"{tmp_path} holds no mask: no NIfTI or MGH file."
    with pytest.raises(InputError, match="does not exist"):
        find_masks(tmp_path / "nowhere")


def test_sources_are_looked_up_by_their_uris(tmp_path):
    links = {"DatasetLinks": {"source": "../my%20bids"}}
    (tmp_path / "dataset_description.json").write_text(json.dumps(links))
    uris = ["bids:source:sub-01/a%20b.nii.gz", "file:///data/a%20b.nii.gz"]

    assert [path.as_posix() for path in source_paths(tmp_path, uris)] == [
        f"{tmp_path}/../my bids/sub-01/a b.nii.gz",
        "/data/a b.nii.gz",
    ]


def test_maps_of_what_became_of_lesions_are_no_masks(plant):
    dseg = "sub-01/anat/sub-01_space-orig_seg-{}_desc-FLAIR_dseg.nii.gz"
    root = plant(*(dseg.format(seg) for seg in ("medprompt", "LesionIds", "SignalChange")))

    [case] = find_masks(root)
    assert [file.entry.entities["seg"] for file in case.files] == ["medprompt"]
