"""What a sentence reads and what the table says of it are one number."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medprompt_cli.domain.anatomy import BASE_INDEX

SPACING = (0.7, 0.9, 1.1)
SEE = """scan = image("T1w")
left = segment(scan, "left-thalamus")
right = segment(scan, "right-thalamus")
"""
READ = """read(fraction_of_icv(left))
read(asymmetry(left, right))
read(volume(left))
"""


@pytest.fixture
def scan(tmp_path):
    """A head of white matter with thalami of 61 and 52 voxels."""
    voxels = np.zeros((20, 21, 22), np.int16)
    voxels[2:18, 2:18, 2:18] = 100 + BASE_INDEX["left-cerebral-white-matter"]
    for side, first, more in (("left", 4, 13), ("right", 12, 4)):
        index = 100 + BASE_INDEX[f"{side}-thalamus"]
        voxels[first : first + 3, 4:8, 4:8] = index
        voxels[first + 3, 4, 4 : 4 + more] = index
    path = tmp_path / "bids/sub-01/anat/sub-01_T1w.nii.gz"
    path.parent.mkdir(parents=True)
    nib.Nifti1Image(voxels, np.diag([*SPACING, 1.0])).to_filename(path)
    return tmp_path / "bids"


def rows(out) -> Any:
    return pd.read_parquet(out / "measurements")


def test_a_share_of_the_head_is_one_number_with_one_name(scan, run_plan, out):
    saved = 'save(left, "left-thalamus")\nsave(right, "right-thalamus")\n'
    [outcome] = run_plan(scan, SEE + saved + READ).outcomes
    table = rows(out).set_index(["region", "quantity"])
    share, asymmetry, volume = (value["Value"] for value in outcome.values)

    assert 100 * share == table.loc[("left-thalamus", "volume-fraction-of-icv"), "value"]
    assert share == pytest.approx(61 / 16**3)
    assert asymmetry == table.loc[("thalamus", "volume-asymmetry"), "value"]
    assert asymmetry == pytest.approx(200 * (61 - 52) / (61 + 52))
    assert volume / 1000 == table.loc[("left-thalamus", "volume"), "value"]
    assert not any("read(" in method for method in table["method"])
    of_icv = [quantity for _, quantity in table.index if "icv" in quantity]
    assert set(of_icv) == {"volume-fraction-of-icv", "soft-volume-fraction-of-icv"}
    assert len(of_icv) == 2 * 2
    assert set(table[table.index.get_level_values(1).str.contains("icv")]["unit"]) == {"%"}


def test_what_is_in_no_other_row_has_the_same_name_and_unit(scan, run_plan, out):
    whole = 'both = segment(scan, "thalamus")\nread(fraction_of_icv(both))\n'
    run_plan(scan, f'{SEE}{whole}save(left, "left-thalamus")\n')
    table = rows(out)
    read = table[table["method"].str.contains("read\\(")].to_dict("records")
    own = table[table["quantity"] == "volume-fraction-of-icv"].set_index("region")["value"]

    assert [(r["region"], r["quantity"], r["unit"]) for r in read] == [
        ("both", "volume-fraction-of-icv", "%")
    ]
    assert read[0]["value"] == pytest.approx(100 * (61 + 52) / 16**3)
    assert own["left-thalamus"] == pytest.approx(100 * 61 / 16**3)
