"""A run as a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from medprompt_cli.cohort.outcome import TABLE_COLUMNS, Failure, Outcome, Summary


def test_a_run_is_a_table_with_one_row_for_each_image_and_target():
    targets = {
        "brainstem": {"Status": "measured", "Presence": 0.9, "VolumeMl": 21.5},
        "tumor": {"Status": "not_visible", "Presence": None, "VolumeMl": None},
    }
    good = Outcome("sub-01_T1w", Path("a.nii"), "done", targets=targets)
    bad = Outcome("sub-02_T1w", Path("b.nii"), "failed", failure=Failure("empty", "No.", "Go."))

    table = Summary((good, bad), planned=2).table()

    assert tuple(table.columns) == TABLE_COLUMNS
    assert table["status"].tolist() == ["measured", "not_visible", "error"]
    assert table["volume_ml"].isna().tolist() == [False, True, True]
    assert table.loc[0, "volume_ml"] == 21.5
    assert pd.isna(table.loc[2, "target"])


def test_a_run_without_images_is_a_table_without_rows():
    table = Summary((), planned=0).table()

    assert (len(table), tuple(table.columns)) == (0, TABLE_COLUMNS)
