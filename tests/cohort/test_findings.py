"""A plan that asks what lesions are like leaves their findings in a table."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli import api
from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import BASE_INDEX, LESIONS
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.plan_file import Plan, WeightsUsed, write_plan

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


def save(path, voxels):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(voxels.astype(np.int16), np.eye(4))
    image.header.set_xyzt_units("mm")
    image.to_filename(path)


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
def run(bids, tmp_path, monkeypatch, threshold_segmenter):
    """`api.segment` of the plan, and what lies in the tables then."""
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    used = WeightsUsed(
        threshold_segmenter.weights_name,
        threshold_segmenter.weights_version,
        threshold_segmenter.weights_sha256,
    )
    plan = tmp_path / "plan.json"
    write_plan(plan, Plan("enhancing tumors", parse(PROGRAM), used))
    return api.segment(bids, tmp_path / "out", (), api.SegmentOptions(plan=plan))


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
