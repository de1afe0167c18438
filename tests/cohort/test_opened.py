"""An output folder in a notebook: tables with types, masks by region, images by case."""

from __future__ import annotations

import pandas as pd
import pytest

from medprompt_cli import api
from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.errors import InputError, UsageError

PROMPTS = ["hippocampus", "ventricles", "brainstem"]
"""Of the right hippocampus and the brainstem there is no voxel in the scans."""


@pytest.fixture
def opened(bids, out, all_seeing):
    """What `segment` wrote of four scans of three subjects."""
    api.segment(bids, out, PROMPTS)
    return api.open_cohort(out)


def test_cases_images_and_status(opened, bids):
    assert opened.cases == (*("sub-01_T1w", "sub-02_T1w", "sub-02_run-2_T1w", "sub-03_FLAIR"),)
    assert opened.image("sub-02_T1w") == bids / "sub-02/anat/sub-02_T1w.nii.gz"
    assert len(opened.status.having("done")) == 4
    with pytest.raises(UsageError, match="no case 'sub-04_T1w'") as caught:
        opened.image("sub-04_T1w")
    assert caught.value.remedy == "Use one of its 4 cases, such as 'sub-01_T1w'."


def test_status_is_that_of_now(opened, bids):
    (bids / "sub-03/anat/sub-03_FLAIR.nii.gz").unlink()
    (opened.out / "logs" / "sub-01_T1w.json").unlink()

    assert [case.progress for case in opened.status.cases] == ["todo", "done", "done", "stale"]


def test_scans_that_were_read_together(tmp_path, save_scan, all_seeing):
    folder = tmp_path / "in" / "sub-01" / "anat"
    scans = [
        save_scan(folder / f"sub-01_{kind}.nii.gz", "left-hippocampus")
        for kind in ("FLAIR", "T1w")
    ]
    options = api.SegmentOptions(together=("FLAIR", "T1w"))
    api.segment(tmp_path / "in", tmp_path / "out", ["brain"], options)
    opened = api.open_cohort(tmp_path / "out")

    assert [list(opened.images(case)) for case in opened.cases] == [scans]


def test_tables_have_the_types_of_their_columns(opened):
    table = opened.tables.measurements
    kinds = {"string": "string", "double": "Float64", "int32": "Int32", "bool": "boolean"}

    assert list(opened.tables) == list(TABLES)
    for name, schema in TABLES.items():
        found = {column: str(kind) for column, kind in opened.tables[name].dtypes.items()}
        assert found == {field.name: kinds[str(field.type)] for field in schema}
    assert opened.tables.measurements is table
    assert opened.tables.changes.empty
    assert opened.tables.ledger.empty
    assert "nothing" not in opened.tables


def test_a_table_is_that_of_medprompt_tables(opened):
    ours = opened.tables.measurements.set_index(["case", "region", "quantity"])
    file, _ = api.tables(opened.out, file=opened.out.parent / "all.tsv")
    told = pd.read_csv(file, sep="\t").set_index(["case", "region", "quantity"])

    assert ours.index.equals(told.index)
    volume = ours.loc[("sub-01_T1w", "left-hippocampus", "volume")]
    assert volume["value"] == pytest.approx(20 * 10 / 1000)  # 20 voxels of 2 x 2 x 2.5 mm
    assert volume["value"] == told.loc[volume.name, "value"]
    missing = ours["value"].isna()
    assert missing.any()
    assert missing.equals(told["value"].isna())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"region": "left hippocampus", "subject": "01"}, ["sub-01 medprompt"]),
        ({"region": "hippocampi", "case": "sub-03_FLAIR"}, ["sub-03 medprompt"]),
        ({"region": "ventricles", "subject": "sub-01"}, ["sub-01 Ventricles"]),
        ({"region": "right-hippocampus"}, []),
        ({"region": "amygdala"}, []),
        ({"subject": "01"}, ["sub-01 medprompt", "sub-01 Ventricles"]),
        ({"session": "01"}, []),
        ({"subject": "0"}, []),
    ],
)
def test_masks(opened, asked, expected):
    found = opened.masks(**asked)

    assert all(path.is_file() for path in found)
    names = [path.name.split("_") for path in found]
    assert [f"{sub} {what.partition('-')[2]}" for sub, _, what, *_ in names] == expected


def test_all_masks(opened):
    assert len(opened.masks()) == 8
    assert len(opened.masks(subject="02")) == 4
    with pytest.raises(UsageError, match="Unknown target 'hipocampus'"):
        opened.masks(region="hipocampus")


def test_what_measure_wrote_has_tables_and_no_images(opened, tmp_path):
    api.measure(opened.out, tmp_path / "measured")
    found = api.open_cohort(tmp_path / "measured")

    assert found.cases == opened.cases
    assert set(found.tables.measurements["method"]) == {"medprompt measure"}
    assert found.masks() == ()
    with pytest.raises(InputError, match="does not say which images"):
        found.image("sub-01_T1w")
    with pytest.raises(InputError, match="holds no run"):
        _ = found.status


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_results(tmp_path, made):
    if made:
        (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="holds no results of medprompt") as caught:
        api.open_cohort(tmp_path / "out")

    assert caught.value.exit_code == 65


def test_reports_of_a_folder(opened):
    done = api.report(opened.out, api.ReportOptions(participants=("01",), pages=False))

    assert [one.subject for one in done.subjects] == ["sub-01"]
    assert {path.name for path in done.subjects[0].files} == {
        *("sub-01_report.json", "sub-01_report.md"),
    }
