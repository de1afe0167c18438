"""A plan that asks what lesions are like leaves their findings in a table."""

from __future__ import annotations

import json
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli import api
from medprompt_cli.domain.anatomy import BASE_INDEX, LESIONS
from medprompt_cli.domain.parcels import PARCEL_INDEX

PROGRAM = """before = image("T1w")
tumor = segment(before, "tumor")
enhancing = where(instances(tumor), enhances(it))
save(tumor, "tumor")
save(enhancing, "enhancing")
read(lobe(enhancing))
read(signal(tumor, image("FLAIR")))
"""
BIG, SMALL = np.s_[10:16, 26:32, 14:22], np.s_[10:14, 8:12, 14:18]
HEAD = (
    (100 + BASE_INDEX["left-cerebral-white-matter"], np.s_[4:36, 4:36, 4:36]),
    (100 + PARCEL_INDEX["left-superior-frontal"], np.s_[4:7, 20:36, 4:36]),
    (100 + PARCEL_INDEX["left-lingual"], np.s_[4:7, 4:20, 4:36]),
    *((5000 + LESIONS.index("tumor"), box) for box in (BIG, SMALL)),
)


def save(path, voxels, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(voxels.astype(np.int16), np.eye(4) if affine is None else affine)
    image.header.set_xyzt_units("mm")
    image.to_filename(path)


def load(path) -> Any:
    return nib.load(path)


@pytest.fixture
def bids(tmp_path):
    """Two subjects with two tumors, of which the large one enhances; one has no T1ce."""
    t1w, flair = np.zeros((2, 40, 40, 40))
    for value, box in HEAD:
        t1w[box] = value
    t1ce = 2 * t1w
    t1ce[BIG] += 800
    flair[4:36, 4:36, 4:36], flair[BIG], flair[SMALL] = 100, 160, 160
    for sub in ("sub-01", "sub-02"):
        folder = tmp_path / "bids" / sub / "anat"
        save(folder / f"{sub}_T1w.nii.gz", t1w)
        save(folder / f"{sub}_FLAIR.nii.gz", flair)
        if sub == "sub-01":
            save(folder / f"{sub}_ce-gd_T1w.nii.gz", t1ce)
    return tmp_path / "bids"


@pytest.fixture
def run(bids, run_plan):
    """What became of the plan."""
    return run_plan(bids, PROGRAM)


@pytest.fixture
def findings(run, tmp_path):
    assert run.having("done")
    return pd.read_parquet(tmp_path / "out" / "findings")


def test_a_subject_without_the_image_is_named(run):
    [failed] = run.having("failed")

    assert (failed.name, failed.failure.code) == ("sub-02", "missing-scan")
    assert "has no T1ce beside it" in failed.failure.problem


def test_each_instance_and_what_was_read_has_a_row(findings, threshold_segmenter):
    columns = ["region", "instance", "feature", "value", "status"]
    rows = findings[columns].astype(object).where(findings[columns].notna(), None)

    assert [tuple(row) for row in rows.to_numpy()] == [
        ("enhancing", None, "lobe", "left-frontal-lobe", "measured"),
        ("tumor", None, "signal", "hyper", "measured"),
        ("tumor", 1, "enhancement", "yes", "measured"),
        ("tumor", 2, "enhancement", "no", "measured"),
    ]
    assert (findings["probability"] > 0.5).all()
    assert threshold_segmenter.seen == ["sub-01_T1w.nii.gz"]


def test_a_row_has_the_numbers_behind_it_and_the_images_that_show_it(findings):
    lobe, signal, first, second = findings.to_dict("records")
    images = "bids:source:sub-01/anat/sub-01"

    assert json.loads(first["evidence"])["enhanced-share"] == {"value": 100.0, "unit": "%"}
    assert json.loads(second["evidence"])["enhanced-share"] == {"value": 0.0, "unit": "%"}
    assert json.loads(signal["evidence"])["z"]["value"] == pytest.approx(60.0)
    assert first["notes"] == "Compared with tissue of any kind near it."
    assert signal["source"] == f"{images}_FLAIR.nii.gz"
    assert first["source"] == f"{images}_T1w.nii.gz {images}_ce-gd_T1w.nii.gz"
    assert lobe["mask"].endswith("label-Enhancing_desc-FLAIRT1wT1w_mask.nii.gz")
    assert signal["method"] == 'medprompt segment: read(signal(tumor, image("FLAIR")))'
    assert first["method"] == "medprompt segment"


def test_instances_have_the_numbers_of_the_table_of_lesions(findings, tmp_path):
    lesions = pd.read_parquet(tmp_path / "out" / "lesions")
    volumes = lesions[lesions["quantity"] == "volume"].set_index("instance")["value"]
    told = findings[findings["feature"] == "enhancement"].set_index("instance")["value"]

    assert volumes[told[told == "yes"].index].tolist() == [6 * 6 * 8 / 1000]


OBLIQUE = np.array([[2, 0.1, 0, 0.5], [-0.1, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1.0]])
"""The grid of the diffusion images: voxels of 2 mm, turned a little."""


@pytest.fixture
def diffusion(tmp_path):
    """The large tumor is bright on DWI and dark on the ADC map, which have their own grid."""
    t1w = np.zeros((40, 40, 40))
    for value, box in HEAD:
        t1w[box] = value
    at = np.moveaxis(np.indices((20, 20, 20)), 0, -1) @ OBLIQUE[:3, :3].T + OBLIQUE[:3, 3]
    head, lesion = (
        np.all((at >= low) & (at < high), axis=-1)
        for low, high in ((4, 36), ((7, 23, 11), (19, 35, 25)))
    )
    root = tmp_path / "bids"
    save(root / "sub-01/anat/sub-01_T1w.nii.gz", t1w)
    for suffix, normal, there in (("trace", 100, 200), ("ADC", 800, 400)):
        voxels = np.where(lesion, there, normal * head)
        save(root / f"sub-01/dwi/sub-01_{suffix}.nii.gz", voxels, OBLIQUE)
    return root


SEE = 'tumor = segment(image("T1w"), "tumor")\nsave(tumor, "tumor")\n'


def test_images_on_other_grids_are_resampled_to_be_measured_and_never_written(
    diffusion, run_plan, tmp_path, threshold_segmenter
):
    summary = run_plan(diffusion, f"{SEE}read(restricts_diffusion(tumor))\n")
    [outcome] = summary.outcomes
    assert (outcome.status, threshold_segmenter.seen) == ("done", ["sub-01_T1w.nii.gz"])
    [mask] = outcome.masks
    source = load(diffusion / "sub-01/anat/sub-01_T1w.nii.gz")
    sidecar = json.loads(mask.with_name(mask.name.replace(".nii.gz", ".json")).read_text())
    [finding] = pd.read_parquet(tmp_path / "out" / "findings").to_dict("records")
    rows = pd.read_parquet(tmp_path / "out" / "measurements")
    means = rows[rows["quantity"] == "mean"].set_index("source")["value"]

    assert (finding["feature"], finding["value"]) == ("diffusion-restriction", "yes")
    assert finding["source"].split() == [
        f"bids:source:sub-01/dwi/sub-01_{suffix}.nii.gz" for suffix in ("trace", "ADC")
    ]
    assert json.loads(finding["evidence"])["adc"]["value"] == pytest.approx(400)
    assert means.to_dict() == {
        "bids:source:sub-01/dwi/sub-01_ADC.nii.gz": pytest.approx((288 * 400 + 64 * 800) / 352),
        "bids:source:sub-01/anat/sub-01_T1w.nii.gz": 5000 + LESIONS.index("tumor"),
        "bids:source:sub-01/dwi/sub-01_trace.nii.gz": pytest.approx(
            (288 * 200 + 64 * 100) / 352
        ),
    }
    written = load(mask)
    assert written.header["srow_x"].tolist() == source.header["srow_x"].tolist()
    assert written.shape == source.shape
    assert sidecar["Notes"] == [
        f"sub-01_{suffix}.nii.gz: Resampled to the grid of the mask, to be measured."
        for suffix in ("ADC", "trace")
    ]
    assert sorted(path.name for path in (diffusion / "sub-01/dwi").iterdir()) == [
        "sub-01_ADC.nii.gz",
        "sub-01_trace.nii.gz",
    ]


def test_images_that_only_functions_ask_for_need_no_common_grid(
    bids, run_plan, tmp_path, threshold_segmenter
):
    t1ce = bids / "sub-01/anat/sub-01_ce-gd_T1w.nii.gz"
    voxels = np.asarray(load(t1ce).dataobj)
    save(t1ce, voxels[:, :, ::2], np.diag([1.0, 1.0, 2.0, 1.0]))
    program = """tumor = segment(image(), "tumor")
enhancing = where(instances(tumor), enhances(it))
save(enhancing, "enhancing")
read(count(enhancing))
"""
    summary = run_plan(bids, program)
    outcome = next(o for o in summary.outcomes if o.name.startswith("sub-01"))
    sidecar = json.loads(next(p for p in outcome.outputs if p.suffix == ".json").read_text())

    assert threshold_segmenter.seen == ["sub-01_T1w.nii.gz"]
    assert [value["Value"] for value in outcome.values] == [1]
    assert sidecar["Notes"] == [
        "Regions were looked for on T1w alone: the images lie on several grids.",
        "sub-01_ce-gd_T1w.nii.gz: Resampled to the grid of the mask, to be measured.",
    ]


def test_images_that_are_to_be_read_together_still_need_one_grid(diffusion, run_plan, tmp_path):
    together = 'tumor = segment([image("T1w"), image("ADC")], "tumor")\nsave(tumor, "t")\n'
    [outcome] = run_plan(diffusion, together).outcomes

    assert outcome.failure.code == "grid-mismatch"


def test_names_of_lesions_alone_describe_them(bids, out, all_seeing):
    summary = api.segment(bids, out, ["tumor"], api.SegmentOptions(suffixes=["T1w"]))
    found: Any = pd.read_parquet(out / "findings")
    own = found[found["case"] == "sub-01_T1w"]
    lesions: Any = pd.read_parquet(out / "lesions")

    assert summary.exit_code == 0
    assert [path.parent.name for path in summary.outcomes[0].outputs][-3:] == [
        *("measurements", "findings", "lesions"),
    ]
    assert set(own["instance"].dropna()) == set(lesions["instance"])
    lobes = own[own["feature"] == "lobe"].set_index("instance")["value"]
    assert lobes.to_dict() == {1: "left-frontal-lobe", 2: "left-occipital-lobe"}
    assert set(own["source"]) == {"bids:source:sub-01/anat/sub-01_T1w.nii.gz"}
    assert set(own["method"]) == {"medprompt segment"}
    structures = pd.read_parquet(out / "measurements")["region"]
    assert set(structures) == {"tumor"}  # what they were held against was not asked for


def test_names_of_structures_describe_nothing(bids, out, all_seeing):
    api.segment(bids, out, ["thalamus"])

    assert not (out / "findings").exists()
