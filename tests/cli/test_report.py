"""`medprompt report` prints what it wrote."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.cli.app import app


@pytest.fixture
def out(tmp_path):
    row = {
        **{"participant_id": "sub-01", "case": "sub-01_T1w", "region": "brain"},
        **{"quantity": "volume", "value": 1200.0, "unit": "mL", "status": "measured"},
        **{"method": "medprompt segment", "version": "0.1.0"},
    }
    (tmp_path / "measurements").mkdir()
    table = pa.Table.from_pylist([row], TABLES["measurements"])
    pq.write_table(table, tmp_path / "measurements" / "sub-01_T1w.parquet")
    return tmp_path


def test_the_files_are_printed(out):
    result = CliRunner().invoke(app, ["report", str(out), "-l", "ko", "--no-pages"])

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        str(out / "sub-01_lang-ko_report.json"),
        str(out / "sub-01_lang-ko_report.md"),
    ]
    assert "- 뇌: 1200 mL." in (out / "sub-01_lang-ko_report.md").read_text(encoding="utf-8")


def test_what_is_not_known_is_said(out):
    arguments = ["report", str(out), "--mode", "region", "--region", "insula", "--no-pages"]
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0
    assert result.stderr == (
        "sub-01: Nothing is known of insula: it was not asked for, and no lesion is placed in"
        " it.\n"
    )


def test_a_failure_is_named_and_the_exit_code_is_1(out):
    arguments = ["report", str(out), "--visit", "ses-09", "--no-pages"]
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 1
    assert "failed [report-failed]: sub-01 has no visit 'ses-09'." in result.stderr
