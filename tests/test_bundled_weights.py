"""The bundled weights, on scans of people and on the demo."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.cli.app import app
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.segmenter import Segmenter
from medprompt_cli.weights.store import load_weights

pytestmark = pytest.mark.weights

FLOOR = 0.74
"""Mean Dice of the 17 kinds that these weights must reach on one manual segmentation."""

BRAIN_FLOOR = 0.90
TUMOR_FLOOR = 0.80
"""Dice of the whole tumour on one FLAIR; the benchmark gave .88."""


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(device="cpu")


@pytest.fixture(scope="module")
def everything():
    return resolve(["all"])


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_default_weights_load_and_know_their_levels():
    loaded = load_weights()

    assert len(loaded.sha256) == 64
    assert loaded.finest_level in {0, 1, 2}


@pytest.mark.shared
@pytest.mark.slow
def test_a_real_t1_reaches_its_floors(shared_data, tmp_path):
    manifest = tmp_path / "manifest.tsv"
    manifest.write_text(
        "name\timage\ttruth\tscheme\n"
        "1000\tmanual/1000_SS.nii.gz\tmanual/1000_glm.nii.gz\tneuromorphometrics\n"
    )
    words = ("evaluate", "masks", manifest, "--root", shared_data, "--device", "cpu", "--json")
    scores = json.loads(run(*words))["scores"]

    dice = {row["region"]: row["value"] for row in scores if row["quantity"] == "dice"}
    structures = [dice[name] for name in BASE_INDEX if dice[name] is not None]
    assert dice["brain"] > BRAIN_FLOOR
    assert np.mean(structures) > FLOOR


@pytest.mark.shared
@pytest.mark.slow
def test_a_tumour_is_found_in_a_glioma_and_not_in_a_healthy_head(shared_data, segmenter):
    patient = shared_data / "tumor" / "brats_2013_pat0001_1"
    lesions = resolve(["tumor", "lesion"])

    found = segmenter.segment(read_image(patient / "Flair_subtrMeanDivStd.nii.gz"), lesions)
    healthy = segmenter.segment(read_image(shared_data / "manual" / "1000_SS.nii.gz"), lesions)

    truth = read_labels(patient / "OTMultiClass.nii.gz").voxels.squeeze() > 0
    tumor = found.masks["tumor"].voxels
    assert 2 * (tumor & truth).sum() / (tumor.sum() + truth.sum()) > TUMOR_FLOOR
    assert found.presence["tumor"] > 0.5
    assert not any(mask.voxels.any() for mask in healthy.masks.values())
    assert healthy.presence["tumor"] < 0.5
    assert 0 < found.limits_ml["lesion"] < 30


@pytest.mark.shared
@pytest.mark.slow
def test_all_48_orientations_give_one_result(shared_data, segmenter, everything):
    paths = sorted((shared_data / "orientation").glob("*.nii*"))
    assert len(paths) == 48
    results = []
    for path in paths:
        volume = read_image(path)
        found = segmenter.segment(volume, everything)
        assert found.labels.geometry.matches(volume.geometry)
        results.append(to_canonical(found.labels.voxels, volume.geometry))

    assert results[0].any()
    assert all(np.array_equal(result, results[0]) for result in results[1:])


@pytest.mark.slow
def test_the_demo_is_segmented_on_its_own_grids(tmp_path):
    run("demo", tmp_path / "demo", "--small", "--subjects", "1", "--sessions", "1")
    written = run("segment", tmp_path / "demo", tmp_path / "out", "-p", "all", "-p", "brain")

    masks = [line for line in written.splitlines() if line.endswith(".nii.gz")]
    labels = [line for line in masks if line.endswith("_dseg.nii.gz")]
    assert (len(masks), len(labels)) == (4, 2)
    t1w = read_labels(next(p for p in map(type(tmp_path), labels) if "T1w" in p.name))
    truth = read_labels(next((tmp_path / "demo").rglob("*T1w_dseg.nii.gz")))
    assert t1w.geometry.matches(truth.geometry)
    brain = [(m.voxels > 0) & (m.voxels != BASE_INDEX["csf"]) for m in (t1w, truth)]
    dice = 2 * (brain[0] & brain[1]).sum() / (brain[0].sum() + brain[1].sum())
    assert dice > 0.7
