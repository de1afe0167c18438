import json
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.longitudinal.transforms import translation

GRID = Geometry((12, 12, 12), np.diag([2.0, 2.0, 2.0, 1.0]))


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("newlesions")


def boxes(*places):
    mask = np.zeros(GRID.shape, bool)
    for place in places:
        mask[place] = True
    return mask


BIG, OTHER, SPECK = np.s_[1:4, 1:4, 1:4], np.s_[7:10, 7:10, 7:10], np.s_[11:, 0:1, 11:]


def test_scores_of_voxels_and_of_lesions(script):
    truth = boxes(BIG, OTHER, SPECK)
    found = boxes(np.s_[1:4, 1:4, 1:3], np.s_[6:8, 1:4, 8:10])

    scores = script.scores(found, truth, GRID)

    assert scores.found_ml == pytest.approx(30 * 8 / 1000)
    assert scores.drawn_ml == pytest.approx((27 + 27 + 1) * 8 / 1000)
    assert (scores.precision, scores.recall) == pytest.approx((18 / 30, 18 / 55))
    assert (scores.found, scores.lesion_precision) == (2, 0.5)
    assert (scores.drawn, scores.lesion_recall) == (2, 0.5)  # 8 mm3 are too small to count


def test_nothing_found_has_no_precision(script):
    scores = script.scores(boxes(), boxes(BIG), GRID)

    assert (scores.precision, scores.lesion_precision) == (None, None)
    assert (scores.recall, scores.lesion_recall) == (0.0, 0.0)
    assert script.line("a", "b", scores) == (
        "| a | b | 0.00 | 0.22 | - | 0.00 | 0.00 | 0 | - | 1 | 0.00 |"
    )


def save(folder, session, seg, labels):
    anat = folder / f"sub-01/ses-{session}/anat"
    anat.mkdir(parents=True, exist_ok=True)
    name = f"sub-01_ses-{session}_space-orig_seg-{seg}_desc-FLAIR_dseg.nii.gz"
    nib.Nifti1Image(labels.astype(np.uint8), GRID.affine).to_filename(anat / name)


def test_every_fate_gives_its_voxels(script, tmp_path):
    """Lesion 1 grows, 2 resolves, 3 is new, 4 is not told; the second visit lies 2 mm off."""
    before = np.zeros(GRID.shape, int)
    before[BIG], before[OTHER] = 1, 2
    after = np.zeros(GRID.shape, int)
    after[2:6, 1:4, 1:4], after[8, 1, 1], after[10, 10, 1] = 1, 3, 4
    save(tmp_path, 1, "LesionIds", before)
    save(tmp_path, 2, "LesionIds", after)
    rows = [(1, "enlarging"), (2, "resolved"), (3, "new"), (4, None)]
    (tmp_path / "ledger").mkdir()
    table = pd.DataFrame(rows, columns=["lesion", "fate"]).assign(session_id="ses-2")
    table.to_parquet(tmp_path / "ledger/sub-01.parquet")
    space = script.Space(GRID, (np.eye(4), translation((2, 0, 0))))

    found = dict(script.changes(tmp_path, space))

    assert np.array_equal(found["ledger"], boxes(np.s_[4:5, 1:4, 1:4], OTHER, np.s_[7, 1, 1]))
    masks = found["ledger"] | boxes(np.s_[9, 10, 1])
    assert np.array_equal(found["masks"], masks)
    assert not found["signal"].any()
    assert np.array_equal(found["either"], found["ledger"])


def test_the_dataset_of_a_patient_is_bids(script, tmp_path, monkeypatch):
    for n in (1, 2):
        (tmp_path / f"study{n}_FLAIR.nii.gz").write_bytes(b"image")
    seen = {}

    def longitudinal(source, out, prompts, options):
        seen["prompts"] = prompts
        return type("Summary", (), {"exit_code": 0})()

    monkeypatch.setattr(script, "longitudinal", longitudinal)
    script.followed(tmp_path, 81, tmp_path / "place")

    bids = tmp_path / "place/bids"
    dates: Any = [
        pd.read_csv(path, sep="\t", parse_dates=["acq_time"])["acq_time"][0]
        for path in sorted(bids.rglob("*_scans.tsv"))
    ]
    assert (dates[1] - dates[0]).days == 81
    assert json.loads((bids / "dataset_description.json").read_text())["BIDSVersion"]
    assert seen["prompts"] == ["lesion"]
