"""Masks of anybody are measured; one that is broken is named, and the rest goes on."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli.cohort.masks import MaskJob, measure_masks
from medprompt_cli.errors import InputError, UsageError

AFFINE = np.diag([1.0, 2.0, 1.0, 1.0])


@pytest.fixture
def save(tmp_path):
    """Write voxels as an image below `tmp_path`."""

    def write(name, voxels, affine=AFFINE):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(voxels, affine), path)
        return path

    return write


@pytest.fixture
def measured(tmp_path):
    """Measure; give the summary and the table."""

    def run(masks, table="measurements", **options):
        out = tmp_path / "tables"
        summary = measure_masks(MaskJob(masks, out, **options))
        return summary, pd.read_parquet(out / table) if summary.having("done") else None

    return run


def brain(*ids):
    voxels = np.zeros((16, 16, 16), np.uint8)
    for n, index in enumerate(ids):
        voxels[3 + 3 * n : 5 + 3 * n, 4:9, 4:9] = index
    return voxels


def volumes(table: pd.DataFrame):
    rows = table[table["quantity"] == "volume"]
    return dict(zip(rows["region"], rows["value"], strict=True))


def test_a_label_map_without_names_has_numbers(save, measured):
    summary, table = measured(save("in/aseg.nii.gz", brain(17, 53)))

    assert summary.exit_code == 0
    assert volumes(table) == pytest.approx({"label-17": 0.1, "label-53": 0.1})
    assert set(table["method"]) == {"medprompt measure"}
    assert table["weights"].isna().all()
    assert "mean" not in set(table["quantity"])


def test_freesurfers_names_give_pairs(save, measured):
    _, table = measured(save("in/aseg.nii.gz", brain(17, 53)), labels="freesurfer")
    asymmetry = table[table["quantity"] == "volume-asymmetry"]

    assert volumes(table) == pytest.approx({"left-hippocampus": 0.1, "right-hippocampus": 0.1})
    assert asymmetry[["region", "value"]].to_numpy().tolist() == [["hippocampus", 0.0]]
    assert "fraction" not in " ".join(table["quantity"])


def test_a_table_beside_the_masks_names_them(save, measured, tmp_path):
    root = save("in/sub-01_seg-own_dseg.nii.gz", brain(1, 2)).parent
    (root / "seg-own_dseg.tsv").write_text("index\tname\n1\tone\n2\ttwo\n3\tthree\n")
    _, table = measured(root)

    assert volumes(table) == pytest.approx({"one": 0.1, "two": 0.1})


def test_a_mask_with_a_name_and_an_image_on_another_grid(save, measured):
    voxels = np.zeros((16, 16, 16), np.uint8)
    voxels[2:4, 2:4, 2:4] = 255
    voxels[8:12, 8:12, 8:12] = 1
    mask = save("in/gt.nii.gz", voxels)
    ramp = np.broadcast_to(50 + 2 * np.arange(8.0)[:, None, None], (8, 32, 16))
    image = save("t1.nii.gz", ramp.astype(np.float32), np.diag([2, 1, 1, 1]))
    options = {"region": "ms-lesion", "images": (image,)}
    _, lesions = measured(mask, "lesions", **options)
    _, table = measured(mask, **options)

    assert table[table["quantity"] == "count"]["value"].tolist() == [2]
    assert volumes(table) == pytest.approx({"ms-lesion": 0.144})
    assert lesions[lesions["quantity"] == "volume"]["value"].tolist() == pytest.approx(
        [0.128, 0.016]
    )
    means = table[table["quantity"] == "mean"]
    assert means["value"].tolist() == pytest.approx([50 + (8 * 2.5 + 64 * 9.5) / 72])
    assert means["source"].tolist() == [image.as_uri()]


@pytest.mark.parametrize(("connectivity", "pieces"), [(6, 4), (18, 3), (26, 2)])
def test_what_makes_a_lesion_is_a_choice(save, measured, tmp_path, connectivity, pieces):
    voxels = np.zeros((12, 12, 12), np.uint8)
    for place in ((3, 3, 3), (4, 4, 3), (5, 5, 4), (9, 9, 9)):  # an edge, a corner, a gap
        voxels[place] = 1
    path = save("lesions.nii.gz", voxels)
    _, table = measured(path, region="ms-lesion", connectivity=connectivity)
    lesions = pd.read_parquet(tmp_path / "tables" / "lesions")
    own = "" if connectivity == 26 else f" --connectivity {connectivity}"

    assert table.set_index("quantity").loc["count", "value"] == pieces
    assert sorted(set(lesions["instance"])) == list(range(1, pieces + 1))
    assert set(table["method"]) == set(lesions["method"]) == {f"medprompt measure{own}"}


def test_what_the_image_cuts_has_no_volume(save, measured):
    voxels = brain()
    voxels[:5, 4:9, 4:9] = 17
    _, table = measured(save("in/aseg.nii.gz", voxels), labels="freesurfer")
    rows = table.set_index("quantity")

    assert rows.loc["volume", "status"] == "truncated_fov"
    assert np.isnan(rows.loc["volume", "value"])
    assert rows.loc["visible-volume", "value"] == pytest.approx(0.25)


def test_one_broken_mask_is_named_and_the_rest_goes_on(save, measured):
    root = save("in/sub-01_dseg.nii.gz", brain(17)).parent
    save("in/sub-02_dseg.nii.gz", brain().astype(np.float32) + 0.5)
    (root / "sub-03_dseg.nii.gz").write_bytes(b"no image")
    summary, table = measured(root)
    failures = {o.name: o.failure.code for o in summary.having("failed") if o.failure}

    assert summary.exit_code == 1
    assert failures == {"sub-02_dseg": "not-labels", "sub-03_dseg": "not-an-image"}
    assert set(table["case"]) == {"sub-01_dseg"}


def test_two_files_with_one_region_of_one_image(save, measured):
    root = save("in/sub-01_label-A_mask.nii.gz", brain(1)).parent
    save("in/sub-01_mask.nii.gz", brain(1))
    summary, _ = measured(root, region="lesion")
    failure = summary.outcomes[0].failure

    assert summary.exit_code == 65
    assert failure.problem == (
        f"{root / 'sub-01_label-A_mask.nii.gz'} and {root / 'sub-01_mask.nii.gz'} both hold "
        "lesion of one image."
    )


def test_masks_of_one_image_on_two_grids(save, measured):
    root = save("in/sub-01_label-A_mask.nii.gz", brain(1)).parent
    other = save("in/sub-01_label-B_mask.nii.gz", brain(1), np.eye(4))
    summary, _ = measured(root)

    assert summary.outcomes[0].failure.problem == (
        f"{other} does not lie on the grid of {root / 'sub-01_label-A_mask.nii.gz'}."
    )


def test_an_image_for_several_cases_is_refused(save, measured):
    root = save("in/sub-01_dseg.nii.gz", brain(17)).parent
    save("in/sub-02_dseg.nii.gz", brain(17))
    with pytest.raises(UsageError, match="given as the image of 2 cases"):
        measured(root, images=(root / "t1.nii.gz",))


def test_names_that_cannot_be_read_are_said_before_anything_is_written(save, tmp_path):
    mask = save("in/aseg.nii.gz", brain(17))
    with pytest.raises(InputError, match=r"lut\.txt cannot be read"):
        measure_masks(MaskJob(mask, tmp_path / "tables", labels=tmp_path / "lut.txt"))

    assert not (tmp_path / "tables").exists()


class TestOwn:
    """Masks that `medprompt segment` wrote."""

    @pytest.fixture
    def ours(self, run, out):
        run("left hippocampus", "right hippocampus", "ventricles", "cyst")
        return out

    def test_they_say_the_same_numbers_again(self, ours, measured):
        _, table = measured(ours)
        before = pd.read_parquet(ours / "measurements")
        key = ["case", "region", "quantity", "source"]
        both = before.merge(table, on=key, suffixes=("", "_again"))
        lost = set(before["quantity"]) - set(table["quantity"])

        assert {"soft-volume", "volume-fraction-of-icv"} <= lost  # of parts of a head
        assert all("soft" in quantity or "icv" in quantity for quantity in lost)
        assert len(both) == len(table) > 100
        assert np.allclose(both["value"], both["value_again"], equal_nan=True)
        assert both["status"].tolist() == both["status_again"].tolist()
        assert both["presence"].equals(both["presence_again"])
        assert both["weights_sha256"].equals(both["weights_sha256_again"])

    def test_their_masks_are_named_from_the_new_folder(self, ours, measured, tmp_path):
        _, table = measured(ours)

        for mask in table["mask"].dropna().unique():
            assert (tmp_path / "tables" / mask).is_file()

    def test_their_folder_is_not_written_to(self, ours, tmp_path):
        with pytest.raises(UsageError, match="is the input folder"):
            measure_masks(MaskJob(ours, ours))
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        with pytest.raises(UsageError, match="holds results of medprompt segment") as caught:
            measure_masks(MaskJob(elsewhere, ours))
        assert caught.value.remedy == "Give another folder: those are measured already."
