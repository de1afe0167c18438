"""A real mask, measured as a person would have it measured."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from medprompt_cli.cohort.masks import MaskJob, measure_masks

pytestmark = pytest.mark.shared


def test_lesions_of_a_consensus_mask_on_its_flair(shared_data, tmp_path):
    folder = shared_data / "ms" / "cross-07"
    job = MaskJob(
        folder / "lesions.nii.gz",
        tmp_path,
        region="ms-lesion",
        images=(folder / "FLAIR.nii.gz", folder / "T1.nii.gz"),
    )
    summary = measure_masks(job)
    table: Any = pd.read_parquet(tmp_path / "measurements").set_index("quantity")
    lesions: Any = pd.read_parquet(tmp_path / "lesions")
    volumes = lesions[lesions["quantity"] == "volume"]["value"]

    assert summary.exit_code == 0
    assert table.loc["volume", "value"] == 1.3
    assert table.loc["count", "value"] == len(volumes) == lesions["instance"].max() == 37
    assert volumes.sum() == pytest.approx(1.3)
    assert volumes.is_monotonic_decreasing
    assert sorted(table.loc["mean", "source"].str.rpartition("/")[2]) == [
        *("FLAIR.nii.gz", "T1.nii.gz"),
    ]
