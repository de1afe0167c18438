"""A real mask, measured as a person would have it measured."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(
    ("words", "lesions", "method"),
    [
        ((), 37, "medprompt measure"),
        (("--connectivity", "6"), 49, "medprompt measure --connectivity 6"),
    ],
    ids=["corners", "faces"],
)
def test_lesions_of_a_consensus_mask_on_its_flair(
    shared_data, tmp_path, words, lesions, method
):
    folder = shared_data / "ms" / "cross-07"
    given = ["measure", folder / "lesions.nii.gz", tmp_path, "--region", "ms-lesion", *words]
    for name in ("FLAIR.nii.gz", "T1.nii.gz"):
        given += ["--image", folder / name]
    done = CliRunner().invoke(app, [str(word) for word in given])
    table: Any = pd.read_parquet(tmp_path / "measurements").set_index("quantity")
    each: Any = pd.read_parquet(tmp_path / "lesions")
    volumes = each[each["quantity"] == "volume"]["value"]

    assert done.exit_code == 0, done.stderr
    assert table.loc["volume", "value"] == 1.3
    assert table.loc["count", "value"] == len(volumes) == each["instance"].max() == lesions
    assert volumes.sum() == pytest.approx(1.3)
    assert volumes.is_monotonic_decreasing
    assert set(table["method"]) == set(each["method"]) == {method}
    assert sorted(table.loc["mean", "source"].str.rpartition("/")[2]) == [
        *("FLAIR.nii.gz", "T1.nii.gz"),
    ]
