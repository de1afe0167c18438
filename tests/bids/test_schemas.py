"""Columns are declared once; rows, parts and dictionaries agree with them."""

from __future__ import annotations

import json
from dataclasses import replace

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medprompt_cli.bids.atomic import commit
from medprompt_cli.bids.parts import part_path, read_parts, stage_part
from medprompt_cli.bids.schemas import (
    LESIONS,
    MEASUREMENTS,
    TABLES,
    ChangeRow,
    FindingRow,
    LedgerRow,
    MeasurementRow,
    describe,
    row_columns,
    to_table,
)
from medprompt_cli.bids.table_files import data_dictionary, write_table
from medprompt_cli.domain.measurement import STATUSES, UNITS
from medprompt_cli.errors import InputError, UsageError

ROW = MeasurementRow(
    participant_id="sub-01",
    session_id=None,
    case="sub-01_T1w",
    method="medprompt segment",
    version="0.1",
    source="bids:source:sub-01_T1w.nii.gz",
    region='a "quoted"\tregion',
    quantity="volume",
    value=0.1,
    unit="mL",
    lower=0.05,
    upper=0.2,
    status="measured",
)
ABSENT = replace(ROW, value=None, lower=None, upper=None, status="absent", quantity="mean")


def save(out, *rows, case="sub-01_T1w", table="measurements"):
    commit(stage_part(out, table, case, rows))


@pytest.mark.parametrize(
    ("name", "row"),
    [
        *(("measurements", MeasurementRow), ("lesions", MeasurementRow)),
        *(("findings", FindingRow), ("changes", ChangeRow), ("ledger", LedgerRow)),
    ],
)
def test_row_and_schema_agree(name, row):
    assert {field.name for field in TABLES[name]} == row_columns(row)


@pytest.mark.parametrize("schema", TABLES.values(), ids=list(TABLES))
def test_every_column_is_described(schema):
    assert all(len(describe(field)["Description"]) > 3 for field in schema)
    assert [field.name for field in schema][:3] == ["participant_id", "session_id", "case"]


def test_a_lesion_has_a_number_and_what_must_be_there_is():
    assert not LESIONS.field("instance").nullable
    assert MEASUREMENTS.field("instance").nullable
    needed = {field.name for field in MEASUREMENTS if not field.nullable}
    assert needed == {
        *("participant_id", "case", "region", "quantity", "unit", "status"),
        *("method", "version"),
    }


def test_pandas_reads_the_folder_as_it_lies(tmp_path):
    save(tmp_path, ROW, ABSENT)
    save(tmp_path, replace(ROW, case="sub-02_T1w"), case="sub-02_T1w")
    (tmp_path / "measurements" / ".sub-03_T1w.parquet.host.1.part").write_bytes(b"half a file")
    table = pd.read_parquet(tmp_path / "measurements")

    assert table["case"].tolist() == ["sub-01_T1w", "sub-01_T1w", "sub-02_T1w"]
    assert table["value"].tolist()[0] == 0.1
    assert table["value"].isna().tolist() == [False, True, False]
    assert table["status"].tolist()[1] == "absent"


def test_duckdb_reads_the_folder_as_it_lies(tmp_path):
    save(tmp_path, ROW, ABSENT)
    found = duckdb.sql(
        f"select region, value from '{tmp_path}/measurements/*.parquet' where value is not null"
    )

    assert found is not None
    assert found.fetchall() == [(ROW.region, 0.1)]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    save(tmp_path, ROW, ABSENT)
    before = part_path(tmp_path, "measurements", "sub-01_T1w").read_bytes()
    save(tmp_path, ROW, ABSENT)

    assert part_path(tmp_path, "measurements", "sub-01_T1w").read_bytes() == before


def test_a_row_without_what_must_be_there_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(pa.ArrowInvalid, match="'instance' is declared non-nullable"):
        stage_part(tmp_path, "lesions", "sub-01_T1w", [ROW])

    assert list((tmp_path / "lesions").iterdir()) == []


def test_parts_are_read_in_the_order_of_their_names_and_empty_ones_count(tmp_path):
    save(tmp_path, replace(ROW, case="b"), case="b")
    save(tmp_path, replace(ROW, case="a"), case="a")
    save(tmp_path, case="c")

    found = read_parts(tmp_path, "measurements")
    assert found["case"].to_pylist() == ["a", "b"]
    assert found.schema.equals(MEASUREMENTS, check_metadata=True)


def test_without_parts(tmp_path):
    with pytest.raises(InputError, match="holds no lesions") as caught:
        read_parts(tmp_path, "lesions")

    assert str(caught.value) == (
        f"{tmp_path} holds no lesions: there is no .parquet file in {tmp_path / 'lesions'}."
    )
    assert caught.value.remedy == (
        "Give the folder that medprompt segment or medprompt measure wrote to."
    )


@pytest.mark.parametrize("table", ["changes", "ledger"])
def test_without_parts_of_visits_that_were_compared(table, tmp_path):
    with pytest.raises(InputError, match=f"holds no {table}") as caught:
        read_parts(tmp_path, table)

    assert caught.value.remedy == "Give the folder that medprompt longitudinal wrote to."


def test_a_damaged_part_is_named(tmp_path):
    save(tmp_path, ROW)
    path = part_path(tmp_path, "measurements", "sub-02_T1w")
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_parts(tmp_path, "measurements")

    assert str(caught.value).startswith(f"{path} cannot be read: ")


def test_a_part_of_another_version_is_named(tmp_path):
    path = part_path(tmp_path, "measurements", "sub-01_T1w")
    path.parent.mkdir()
    older = to_table("measurements", [ROW]).replace_schema_metadata({"schema_version": "0"})
    pq.write_table(older, path)
    with pytest.raises(InputError, match="schema version 0, not 1") as caught:
        read_parts(tmp_path, "measurements")

    assert caught.value.remedy == (
        "Run the command that wrote it again, with --force or into a new folder."
    )


def test_columns_that_differ_are_named(tmp_path):
    path = part_path(tmp_path, "measurements", "sub-01_T1w")
    path.parent.mkdir()
    older = to_table("measurements", [ROW])
    place = older.column_names.index("value")
    older = older.drop_columns(["qc", "presence"]).append_column("sharpness", pa.array([1.0]))
    older = older.set_column(place, "value", pa.array(["1"]))
    pq.write_table(older.replace_schema_metadata(MEASUREMENTS.metadata), path)
    with pytest.raises(InputError, match="has other columns") as caught:
        read_parts(tmp_path, "measurements")

    assert str(caught.value) == (
        f"{path} has other columns than this version of medprompt writes; missing: presence,"
        " qc; not known: sharpness; of another type: value."
    )


def test_columns_in_another_order_are_told(tmp_path):
    path = part_path(tmp_path, "measurements", "sub-01_T1w")
    path.parent.mkdir()
    table = to_table("measurements", [ROW])
    pq.write_table(table.select(table.column_names[::-1]), path)
    with pytest.raises(InputError, match="they are in another order"):
        read_parts(tmp_path, "measurements")


def test_tsv_says_what_is_missing_and_has_a_dictionary(tmp_path):
    path = tmp_path / "all.tsv"
    written = write_table(to_table("measurements", [ROW, ABSENT]), path)
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]

    assert written == [path, tmp_path / "all.json"]
    assert (rows[0]["region"], rows[0]["value"]) == ("a 'quoted' region", "0.1")
    assert (rows[1]["value"], rows[1]["session_id"]) == ("n/a", "n/a")
    told = json.loads((tmp_path / "all.json").read_text())
    assert list(told) == lines[0]
    assert told["presence"]["Units"] == "1"
    assert told["unit"]["Levels"] == UNITS
    assert set(told["quantity"]["Levels"]) > {"volume", "soft-volume", "surface-area"}


def test_csv_is_read_back_as_it_was(tmp_path):
    path = tmp_path / "all.csv"
    write_table(to_table("measurements", [ROW, ABSENT]), path)
    back = pd.read_csv(path)

    assert back["region"].tolist() == [ROW.region] * 2
    assert back["value"].isna().tolist() == [False, True]
    assert back["unit"].tolist() == ["mL"] * 2


@pytest.mark.parametrize("name", TABLES)
def test_what_a_csv_holds_r_takes_for_what_it_is(tmp_path, name):
    """Text is quoted, numbers have points, truths are words, and what is missing is nothing."""
    examples = {
        pa.string(): 'NA, or "n/a"; 1,5\nT',
        pa.float64(): -1.5e-7,
        pa.int32(): 3,
        pa.bool_(): True,
    }
    schema = TABLES[name]
    full = {field.name: examples[field.type] for field in schema}  # no lists, no dates
    empty = {n: None if schema.field(n).nullable else value for n, value in full.items()}
    write_table(pa.Table.from_pylist([full, empty], schema=schema), tmp_path / "all.csv")

    text = (tmp_path / "all.csv").read_bytes().decode("ascii")
    header, body = text.split("\n", 1)
    quoted = '"NA, or ""n/a""; 1,5\nT"'
    spelt = {pa.string(): quoted, pa.float64(): "-1.5e-7", pa.int32(): "3", pa.bool_(): "true"}
    rows = [
        ",".join("" if row[f.name] is None else spelt[f.type] for f in schema)
        for row in (full, empty)
    ]
    assert header == ",".join(f'"{field.name}"' for field in schema)
    assert body == "\n".join(rows) + "\n"


def test_parquet_describes_itself(tmp_path):
    path = tmp_path / "all.parquet"
    table = to_table("lesions", [replace(ROW, instance=3)])

    assert write_table(table, path) == [path]
    assert pq.read_table(path).schema.field("instance").metadata[b"description"]


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="names no kind of table") as caught:
        write_table(to_table("lesions", []), tmp_path / "all.xlsx")

    assert caught.value.remedy == "Let the name end in .parquet, .csv, .tsv."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("schema", [MEASUREMENTS, LESIONS], ids=["measurements", "lesions"])
def test_what_was_never_calibrated_says_so(schema):
    told = {name: str(about["Description"]) for name, about in data_dictionary(schema).items()}

    for end in ("lower", "upper"):
        assert "for lesions and unions it was not checked: no 95 % are claimed" in told[end]
        assert "one for volume and soft-volume" in told[end]
    assert "for structures, not for lesions" in told["expected_dice"]
    assert "--connectivity 6" in str(data_dictionary(schema)["quantity"]["Levels"])


def test_every_status_is_in_the_dictionary():
    told = data_dictionary(MEASUREMENTS)["status"]["Description"]

    assert all(status in str(told) for status in STATUSES)
