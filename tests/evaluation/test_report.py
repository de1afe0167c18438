import pyarrow.parquet as pq
import pytest

from medprompt_cli.domain.anatomy import BASE_NAMES
from medprompt_cli.evaluation.report import SCORES, markdown, write_parquet
from medprompt_cli.evaluation.schemes import SCHEMES
from medprompt_cli.evaluation.scores import Score


def scan(name, group, dice, **special):
    values = dict.fromkeys([*BASE_NAMES, "brain"], dice) | special
    return [
        Score(name, group, region, "dice", value, "measured" if value is not None else "absent")
        for region, value in values.items()
    ]


@pytest.fixture
def scans():
    return [
        scan("a", "manual", 0.5, csf=None),
        scan("b", "manual", 0.7, csf=None, **{"left-caudate": None, "right-caudate": None}),
        scan("c", "bert", 0.9, **{"brain-mask": 0.8}),
    ]


@pytest.fixture
def schemes():
    manual = SCHEMES["neuromorphometrics"]
    return {"a": manual, "b": manual, "c": SCHEMES["medprompt"]}


def cells(table, row):
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {row} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_column_is_a_group_and_a_cell_its_mean(scans, schemes):
    table = markdown(scans, schemes)

    assert table.splitlines()[0] == "| Dice | manual (n = 2) | bert |"
    assert cells(table, "thalamus") == ["0.600", "0.900"]
    assert cells(table, "caudate") == ["0.500, n = 1", "0.900"]
    assert cells(table, "**brain**") == ["0.600 (0.500 to 0.700)", "0.900"]
    assert cells(table, "**brain-mask**") == ["-", "0.800"]


def test_a_column_can_be_a_scan(scans, schemes):
    table = markdown(scans, schemes, by="scan")

    assert table.splitlines()[0] == "| Dice | a | b | c |"
    assert cells(table, "putamen") == ["0.500", "0.700", "0.900"]


def test_what_has_to_be_read_with_care_is_marked_and_explained(scans, schemes):
    table = markdown(scans, schemes)

    assert cells(table, "ventral-diencephalon") == ["0.600 [4]", "0.900"]
    assert (
        "- [4] ventral-diencephalon (neuromorphometrics): drawn by another rule than "
        "FreeSurfer's." in table.splitlines()
    )
    assert cells(table, "csf") == ["- [5]", "0.900"]


def test_a_line_that_nobody_measured_is_shown_as_such(scans, schemes):
    table = markdown(scans[:2], schemes)

    assert cells(table, "csf") == ["- [5]"]
    assert "brain-mask" not in table


def test_the_long_table_is_read_back(tmp_path, scans):
    write_parquet([score for scores in scans for score in scores], tmp_path / "s.parquet")

    table = pq.read_table(tmp_path / "s.parquet")

    assert table.schema.equals(SCORES, check_metadata=True)
    rows = table.to_pylist()
    assert len(rows) == sum(map(len, scans))
    (row,) = [r for r in rows if r["scan"] == "a" and r["region"] == "csf"]
    assert row == {
        "scan": "a",
        "group": "manual",
        "region": "csf",
        "quantity": "dice",
        "value": None,
        "unit": "1",
        "status": "absent",
        "low": None,
        "high": None,
        "n": 1,
    }


def test_other_quantities_can_be_added_as_lines(scans, schemes):
    scans[2] += [
        Score("c", "bert", f"{side}-thalamus", "hd95_mm", value, "measured")
        for side, value in (("left", 2.0), ("right", 4.0))
    ]

    table = markdown(scans, schemes, also=["hd95_mm"])

    assert cells(table, "95 % Hausdorff distance (mm), mean of 17") == ["-", "3.0"]


def test_scans_without_base_structures_have_no_column(schemes):
    lesion = [Score("d", "ms", "ms-lesion", "dice", 0.5, "measured")]

    assert markdown([lesion, []], schemes) == ""
