import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.evaluation.reports.pairs import ReportPair, read_folders, read_table

REMEDY = "Give a .jsonl, .csv or .parquet table with the columns id, reference, candidate."
ROWS = [
    {"id": "a", "reference": "No shift.", "candidate": "Shift,\nno edema."},
    {"id": "b", "reference": "출혈 없음.", "candidate": ""},
]
PAIRS = [ReportPair(*row.values()) for row in ROWS]


def write_jsonl(path, rows):
    path.write_text("\n\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")


def write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        table = csv.DictWriter(stream, rows[0])
        table.writeheader()
        table.writerows(rows)


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.fixture
def folders(tmp_path):
    for side in ("candidates", "references"):
        (tmp_path / side / "more").mkdir(parents=True)
        (tmp_path / side / "more" / "b.txt").write_text(f"{side} b", encoding="utf-8")
    (tmp_path / "candidates" / "a.md").write_text("candidate a", encoding="utf-8")
    (tmp_path / "references" / "a.txt").write_bytes(b"\xef\xbb\xbfreference a")
    (tmp_path / "references" / "notes.pdf").write_bytes(b"%PDF")
    return tmp_path / "candidates", tmp_path / "references"


def test_headings_of_markdown_claim_nothing(folders):
    text = "# sub-1\n\n## Midline shift\n\n- No midline shift.\n- #2 is new.\n"
    (folders[0] / "a.md").write_text(text, encoding="utf-8")

    [told] = [one for one in read_folders(*folders) if one.name == "a"]
    assert told.candidate == "\n\n- No midline shift.\n- #2 is new.\n"


@pytest.mark.parametrize(
    ("name", "write"),
    [("t.jsonl", write_jsonl), ("t.csv", write_csv), ("t.PARQUET", write_parquet)],
)
def test_a_table_is_read(tmp_path, name, write):
    write(tmp_path / name, [row | {"site": "x"} for row in ROWS])

    assert read_table(tmp_path / name) == PAIRS


def test_a_number_can_name_a_report(tmp_path):
    write_jsonl(tmp_path / "t.jsonl", [ROWS[0] | {"id": 7}])

    assert read_table(tmp_path / "t.jsonl")[0].name == "7"


def test_folders_are_paired_by_name(folders):
    assert read_folders(*folders) == [
        ReportPair("a", "reference a", "candidate a"),
        ReportPair("more/b", "references b", "candidates b"),
    ]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([{"id": "a", "reference": "x"}], "Line 1 has no 'candidate'."),
        ([ROWS[0], ROWS[0]], "Line 3 names 'a' again."),
        ([ROWS[0] | {"candidate": None}], "Line 1 has None for 'candidate', which is no text."),
        ([ROWS[0] | {"reference": " "}], "Line 1 has an empty 'reference'."),
        ([ROWS[0] | {"id": ""}], "Line 1 has an empty 'id'."),
        ([["a"]], "Line 1 is no JSON object."),
        ([], "It names no report."),
    ],
)
def test_a_table_that_lacks_something_is_refused(tmp_path, rows, what):
    path = tmp_path / "t.jsonl"
    write_jsonl(path, rows)

    with pytest.raises(InputError, match="is no table of reports") as caught:
        read_table(path)

    assert str(caught.value) == f"{path} is no table of reports. {what}"
    assert caught.value.remedy == REMEDY
    assert caught.value.code == "bad-table"


def test_a_line_that_is_not_json_is_named(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"id": 1', encoding="utf-8")

    with pytest.raises(InputError, match="Line 1 is not JSON: Expecting ',' delimiter"):
        read_table(tmp_path / "t.jsonl")


@pytest.mark.parametrize(
    ("name", "write"), [("t.csv", write_csv), ("t.parquet", write_parquet)]
)
def test_a_column_that_is_missing_is_named(tmp_path, name, write):
    write(tmp_path / name, [{"id": "a", "reference": "x"}])

    with pytest.raises(InputError, match="It has no column 'candidate'") as caught:
        read_table(tmp_path / name)

    assert str(tmp_path / name) in str(caught.value)


def test_a_short_line_of_csv_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("id,reference,candidate\na,b\n", encoding="utf-8")

    with pytest.raises(InputError, match="Line 2 has None for 'candidate'"):
        read_table(tmp_path / "t.csv")


def test_a_damaged_parquet_file_is_named(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"no parquet at all")

    with pytest.raises(InputError, match="It is damaged, or no Parquet file"):
        read_table(tmp_path / "t.parquet")


def test_a_table_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is no table") as caught:
        read_table(tmp_path / "t.xlsx")

    assert str(caught.value) == (
        f"{tmp_path / 't.xlsx'} is no table: it ends in none of .jsonl, .csv, .parquet."
    )
    assert caught.value.remedy == "Give such a table, or two folders of .txt or .md files."


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="Cannot be read: No such file or directory") as caught:
        read_table(tmp_path / "t.csv")

    assert str(caught.value).startswith(f"{tmp_path / 't.csv'}: ")


@pytest.mark.parametrize(("side", "other"), [(0, 1), (1, 0)])
def test_a_file_without_a_partner_is_named(folders, side, other):
    (folders[side] / "c.txt").write_text("alone", encoding="utf-8")
    missing = ("candidate", "reference")[other]

    with pytest.raises(InputError, match=f"has no {missing}") as caught:
        read_folders(*folders)

    assert str(caught.value) == (
        f"{folders[side] / 'c.txt'} has no {missing}: there is no "
        f"{folders[other] / 'c'}.txt or .md."
    )
    assert caught.value.remedy == "Add the missing file, or remove the other."


def test_two_files_of_one_name_are_refused(folders):
    (folders[0] / "a.txt").write_text("again", encoding="utf-8")

    with pytest.raises(InputError, match="have one name, 'a'") as caught:
        read_folders(*folders)

    assert str(caught.value) == (
        f"{folders[0] / 'a.md'} and {folders[0] / 'a.txt'} have one name, 'a'."
    )


def test_an_empty_reference_is_refused_and_an_empty_candidate_is_not(folders):
    (folders[0] / "a.md").write_text("", encoding="utf-8")
    assert read_folders(*folders)[0].candidate == ""

    (folders[1] / "a.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="is empty: there is nothing to judge by"):
        read_folders(*folders)


def test_text_that_is_not_utf_8_is_named(folders):
    (folders[1] / "a.txt").write_bytes("né".encode("latin-1"))

    with pytest.raises(InputError, match=r"a\.txt is not UTF-8 text: byte 1 is not"):
        read_folders(*folders)


def test_a_folder_has_to_be_one_and_hold_text(tmp_path, folders):
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputError, match=r"empty holds no \.txt or \.md file"):
        read_folders(folders[0], tmp_path / "empty")
    with pytest.raises(InputError, match="nowhere is no folder"):
        read_folders(tmp_path / "nowhere", folders[1])
