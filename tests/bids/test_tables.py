"""Tables: their dialects, their dates, and every way a line can be wrong."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from medprompt_cli.bids.problems import Problem
from medprompt_cli.bids.tables import date_or_problem, parse_date, read_keyed, read_table

SAVE_AGAIN = "Save the table as UTF-8 text with tabs between columns."


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "participants.tsv"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        b"participant_id\tage\nsub-01\t40\nsub-02\tn/a\n",
        b"\xef\xbb\xbfparticipant_id\tage\r\nsub-01\t40\r\nsub-02\t\r\n\r\n",
    ],
    ids=["plain", "byte-order-mark-and-windows-lines"],
)
def test_dialects_read_the_same(table, content):
    problems = []

    assert read_keyed(table(content), "participant_id", problems) == {
        "sub-01": {"participant_id": "sub-01", "age": "40"},
        "sub-02": {"participant_id": "sub-02", "age": None},
    }
    assert problems == []


def test_cells_in_quotes_may_hold_tabs_and_line_breaks(table):
    read = read_table(table(b'a\tb\n"x\ty"\t"1\n2"\nlast\t3\n'), [])

    assert read is not None
    assert read.rows == ((3, {"a": "x\ty", "b": "1\n2"}), (4, {"a": "last", "b": "3"}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Line 1 names no column, or one twice: ()."),
        (b"a\ta\n", "Line 1 names no column, or one twice: ('a', 'a')."),
        (b"a\tb\n1\n", "Line 2 has 1 cells for 2 columns."),
        (b"a\n\xff\n", "Is not UTF-8 text: byte 2 is not."),
        ("a\tb\n".encode("utf-16-le"), "Is not UTF-8 text: it holds null characters."),
        (b'a\tb\n"1\t2\n3\t4\n', "Cannot be read: unexpected end of data."),
    ],
    ids=["empty", "column-twice", "short-line", "latin-1", "utf-16", "open-quote"],
)
def test_what_is_no_table_is_a_problem(table, content, message):
    problems = []
    path = table(content)
    read_table(path, problems)

    assert problems == [Problem(path, "bad-table", message, SAVE_AGAIN)]


def test_a_table_without_its_key_says_which_columns_it_has(table):
    problems = []
    path = table(b"participant_id,age\nsub-01,40\n")

    assert read_keyed(path, "participant_id", problems) == {}
    assert [problem.message for problem in problems] == [
        "Has no column 'participant_id': only ('participant_id,age',)."
    ]


def test_a_key_given_twice_keeps_its_first_row(table):
    problems = []
    rows = read_keyed(table(b"id\tx\na\t1\na\t2\nn/a\t3\n"), "id", problems)

    assert rows == {"a": {"id": "a", "x": "1"}}
    assert [(p.code, p.message) for p in problems] == [
        ("duplicate-row", "Line 3 names 'a' again; the first row is kept."),
        ("bad-table", "Line 4 has no id."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-31", date(2024, 3, 31)),
        ("1867-06-15T13:45:30", datetime(1867, 6, 15, 13, 45, 30)),
        ("2024-03-31T14:05", datetime(2024, 3, 31, 14, 5)),
        ("2024-03-31T14:05:06.5", datetime(2024, 3, 31, 14, 5, 6, 500000)),
        ("2024-03-31T14:05:06Z", datetime(2024, 3, 31, 14, 5, 6)),
        ("2024-03-31T01:00:00+02:00", datetime(2024, 3, 30, 23, 0)),
        (" 2024-03-31 ", date(2024, 3, 31)),
    ],
)
def test_dates_are_iso_8601(text, expected):
    parsed = parse_date(text)

    assert parsed == expected
    assert type(parsed) is type(expected)


@pytest.mark.parametrize(
    "text",
    ["31.03.2024", "20240331", "2024-02-30", "2024-03-31 14:05:00", "0001-01-01T00:00+01:00"],
)
def test_a_malformed_date_is_unknown_and_said(tmp_path, text):
    problems = []
    path = tmp_path / "scans.tsv"

    assert date_or_problem(path, text, problems) is None
    assert problems == [
        Problem(
            path,
            "bad-date",
            f"Holds the date {text!r}, which is not ISO 8601.",
            "Write dates as 2024-03-31 or 2024-03-31T14:05:00.",
        )
    ]
