"""What a killed run is compared by tells equal from different."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def kills(benchmark_module):
    return benchmark_module("kills")


def write_part(folder, name, *rows):
    (folder / "measurements").mkdir(parents=True, exist_ok=True)
    columns = {"case": [case for case, _ in rows], "value": [value for _, value in rows]}
    pq.write_table(pa.table(columns), folder / "measurements" / f"{name}.parquet")


def test_tables_are_equal_whatever_the_order_of_rows_and_parts(kills, tmp_path):
    write_part(tmp_path / "one", "a", ("x", 1.0), ("x", None))
    write_part(tmp_path / "one", "b", ("y", 3.0))
    write_part(tmp_path / "other", "a", ("y", 3.0), ("x", None), ("x", 1.0))
    write_part(tmp_path / "wrong", "a", ("y", 3.0), ("x", None), ("x", 1.0000001))
    one, other, wrong, none = (
        kills.table_bytes(tmp_path / name, "measurements")
        for name in ("one", "other", "wrong", "none")
    )

    assert one == other
    assert one != wrong
    assert none == b""


def test_masks_are_those_with_a_final_name(kills, tmp_path):
    (tmp_path / "anat").mkdir()
    (tmp_path / "anat" / "a_mask.nii.gz").write_bytes(b"one")
    (tmp_path / "anat" / ".b_mask.nii.gz.host.1.part").write_bytes(b"half")

    assert list(kills.mask_hashes(tmp_path)) == ["anat/a_mask.nii.gz"]
    before = kills.mask_hashes(tmp_path)
    (tmp_path / "anat" / "a_mask.nii.gz").write_bytes(b"other")
    assert kills.mask_hashes(tmp_path) != before
