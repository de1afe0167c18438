"""Subjects of the demo, whose change is known, by the masks of its truth as they are."""

from __future__ import annotations

import json
import shutil
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli import api
from medprompt_cli.api import LongitudinalOptions, longitudinal
from medprompt_cli.bids.images import read_image
from medprompt_cli.cohort.given import GivenMasks
from medprompt_cli.errors import InputError
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.synthesis.demo import TRUTH, DemoOptions, write_demo

PROMPTS = ("hippocampus", "lateral ventricle", "lesion")
CHANGES = {
    "left-hippocampus": -5.0,
    "right-hippocampus": -5.0,
    "left-lateral-ventricle": 10.0,
    "right-lateral-ventricle": 10.0,
}
FATES = {
    "lesion-1": "enlarging",
    "lesion-2": "resolved",
    "lesion-3": "stable",
    "lesion-4": "new",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Two people, two visits, coarse grids."""
    folder = tmp_path_factory.mktemp("given") / "demo"
    write_demo(folder, DemoOptions(small=True))
    return folder


@pytest.fixture(scope="module")
def followed(demo, tmp_path_factory):
    """Followed on T1w by the masks of the truth; no network is opened."""
    out = tmp_path_factory.mktemp("followed") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "_open_segmenter", None)
        options = LongitudinalOptions(suffixes=("T1w",), masks=demo / TRUTH)
        summary = longitudinal(demo, out, PROMPTS, options)
    assert summary.exit_code == 0, summary
    return out


@pytest.fixture(scope="module")
def truth(demo) -> Any:
    table = pd.read_csv(demo / TRUTH / "volumes.tsv", sep="\t")
    return table.set_index(["participant_id", "session_id", "region"])


def changes(out) -> Any:
    table = pd.read_parquet(out / "changes")
    return table.set_index(["participant_id", "region", "quantity"]).sort_index()


@pytest.mark.parametrize("subject", ["sub-01", "sub-02"])
@pytest.mark.parametrize("region", CHANGES)
def test_signs_and_sizes_are_right_and_no_interval_is_made_up(followed, truth, subject, region):
    row = changes(followed).loc[subject, region, "volume"]
    before, after = (truth.loc[subject, s, region]["volume_ml"] for s in ("ses-01", "ses-02"))

    assert np.sign(row["percent"]) == np.sign(CHANGES[region])
    assert row["absolute"] == pytest.approx(after - before, abs=1e-3)
    assert row["percent"] == pytest.approx(CHANGES[region], abs=0.3)
    assert row[["percent_low", "percent_high", "absolute_low", "absolute_high"]].isna().all()


@pytest.mark.parametrize("subject", ["sub-01", "sub-02"])
def test_every_lesion_has_its_fate_and_its_volume(followed, truth, subject):
    ledger: Any = pd.read_parquet(followed / "ledger")
    found: dict[int, list[float]] = {}
    told: dict[int, str] = {}
    for row in ledger.sort_values("session_id").to_dict("records"):
        if row["participant_id"] == subject:
            there = row["status"] == "measured"
            found.setdefault(row["lesion"], []).append(row["volume_ml"] if there else 0.0)
            told[row["lesion"]] = row["fate"]
    expected = {
        tuple(truth.loc[subject, s, lesion]["volume_ml"] for s in ("ses-01", "ses-02")): fate
        for lesion, fate in FATES.items()
    }

    assert len(found) == len(expected)
    for volumes, fate in expected.items():
        [lesion] = [n for n, own in found.items() if own == pytest.approx(volumes, abs=1e-3)]
        assert told[lesion] == fate


def test_who_gave_the_masks_is_told_and_no_dice_is_made_up(followed):
    table: Any = pd.read_parquet(followed / "measurements")
    told = json.loads((followed / "sub-01_longitudinal.json").read_text())
    record = json.loads((followed / "logs/sub-01_ses-01_T1w.json").read_text())

    assert set(table["weights"]) == {"masks truth"}
    assert set(table["method"]) == {"medprompt longitudinal --masks"}
    assert table["expected_dice"].isna().all()
    assert table[["lower", "upper"]].isna().all().all()
    assert not table["quantity"].str.startswith("soft-volume").any()
    assert told["Weights"]["Name"] == "masks truth"
    assert record["weights"]["Name"] == "masks"
    # not all structures were asked for, but all are in the masks: the head is known
    assert (table["quantity"] == "volume-fraction-of-icv").any()


def test_a_changed_mask_is_read_again_and_others_are_kept(demo, tmp_path):
    masks = tmp_path / "masks"
    shutil.copytree(demo / TRUTH, masks)
    options = LongitudinalOptions(suffixes=("T1w",), masks=masks, participants=("01",))
    longitudinal(demo, tmp_path / "out", ["left hippocampus"], options)
    again = longitudinal(demo, tmp_path / "out", ["left hippocampus"], options)
    assert len(again.segmented.having("kept")) == 2

    path = next(masks.rglob("sub-01_ses-02*_seg-truth_desc-T1w_dseg.nii.gz"))
    image: Any = nib.load(path)
    voxels = np.asarray(image.dataobj).copy()
    voxels[voxels == 17] = 0
    nib.Nifti1Image(voxels, image.affine, image.header).to_filename(path)
    changed = longitudinal(demo, tmp_path / "out", ["left hippocampus"], options)
    row = changes(tmp_path / "out").loc["sub-01", "left-hippocampus", "volume"]

    assert len(changed.segmented.having("done")) == 2
    assert (row["status"], row["second"]) == ("absent", None) or np.isnan(row["second"])


def test_one_mask_alone_knows_no_head(demo, tmp_path):
    source = next((demo / TRUTH).rglob("sub-01_ses-01*label-Lesion_desc-T1w_mask.nii.gz"))
    anat = tmp_path / "masks/sub-01/ses-01/anat"
    anat.mkdir(parents=True)
    shutil.copy(source, anat)
    found = GivenMasks(tmp_path / "masks")
    image = read_image(demo / "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz")

    options = LongitudinalOptions(
        suffixes=("T1w",), masks=tmp_path / "masks", participants=("01",), sessions=("01",)
    )
    longitudinal(demo, tmp_path / "out", ["lesion"], options)

    assert set(found.segment(image, resolve(["lesion"])).volumes_ml) == {"lesion"}
    table: Any = pd.read_parquet(tmp_path / "out/measurements")
    assert "volume-fraction-of-icv" not in set(table["quantity"])


def test_what_the_masks_do_not_hold_is_said(demo):
    given = GivenMasks(demo / TRUTH)
    image = read_image(demo / "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz")

    with pytest.raises(InputError, match=r"T1w\.nii\.gz hold no tumor; there: .*left-h"):
        given.segment(image, resolve(["tumor"]))
    both = given.segment(image, resolve(["hippocampus", "ventricles"]))
    assert set(both.masks) == {"ventricles"}
    assert set(both.labels.names.values()) == {"left-hippocampus", "right-hippocampus"}


def test_an_image_without_masks_is_said(demo, tmp_path):
    given = GivenMasks(demo / TRUTH)
    source = demo / "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz"
    shutil.copy(source, tmp_path / "sub-09_T1w.nii.gz")

    with pytest.raises(InputError, match=r"holds no mask of sub-09_T1w\.nii\.gz"):
        given.segment(read_image(tmp_path / "sub-09_T1w.nii.gz"), resolve(["lesion"]))


def test_masks_on_another_grid_are_refused(demo, tmp_path):
    given = GivenMasks(demo / TRUTH)
    image: Any = nib.load(demo / "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz")
    moved = image.affine.copy()
    moved[0, 3] += 5
    path = tmp_path / "sub-01_ses-01_T1w.nii.gz"
    other = nib.Nifti1Image(np.asarray(image.dataobj), moved)
    other.header.set_xyzt_units("mm")
    other.to_filename(path)

    with pytest.raises(InputError, match="does not lie on the grid of"):
        given.segment(read_image(path), resolve(["lesion"]))


def test_a_map_without_names_is_refused(demo, tmp_path):
    shutil.copytree(demo / TRUTH, tmp_path / "masks")
    (tmp_path / "masks/seg-truth_dseg.tsv").unlink()
    image = read_image(demo / "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz")

    with pytest.raises(InputError, match="has no table of names beside it"):
        GivenMasks(tmp_path / "masks").segment(image, resolve(["hippocampus"]))
