import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from medprompt_cli.cli.app import ReportingGroup
from medprompt_cli.cli.evaluate import group

RUNNER = CliRunner()
app = typer.Typer(cls=ReportingGroup)
app.callback()(lambda: None)
app.add_typer(group, name="evaluate")


@pytest.fixture
def folders(tmp_path):
    texts = {
        "references": {
            "a": "Mild edema of the pons. No midline shift.",
            "b": "Lateral low density.",
        },
        "candidates": {
            "a": "Slight edema of the pons. Midline shift.",
            "b": "Lateral density.",
        },
    }
    for side, reports in texts.items():
        (tmp_path / side).mkdir()
        for name, text in reports.items():
            (tmp_path / side / f"{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path / "candidates", tmp_path / "references"


def run(*arguments):
    return RUNNER.invoke(app, ["evaluate", "reports", *map(str, arguments)])


def test_two_folders_are_compared(folders):
    shown = run(*folders)

    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("| Terms | Reference | Candidate |")
    assert lines[3].startswith("| landmark | 3 | 3 | 1.000")
    assert lines[-1].startswith("2 reports; lexicon medprompt, ")
    assert lines[-1].endswith(" terms; 95 % bootstrap intervals over reports.")
    assert not shown.stderr


def test_a_table_is_compared(tmp_path):
    row = {"id": "a", "reference": "No shift.", "candidate": "No shift."}
    (tmp_path / "t.jsonl").write_text(json.dumps(row), encoding="utf-8")

    shown = run(tmp_path / "t.jsonl")

    assert "| feature | 1 | 1 | 1.000 | 1.000 | 1.000 | 1.000 |" in shown.stdout.splitlines()
    assert shown.stdout.splitlines()[-1].startswith("1 report; ")


def test_the_script_is_followed_on_request(folders):
    shown = run(*folders, "--published")

    lines = shown.stdout.splitlines()
    assert any(line.startswith("| Published, whole words | ") for line in lines)
    assert "| Category | Term | Found by | In | Sentences |" in lines


def test_all_can_be_had_for_machines(folders, tmp_path):
    files = tmp_path / "s.parquet", tmp_path / "k.parquet"

    shown = run(
        *folders, "--json", "--published", "--parquet", files[0], "--keywords", files[1]
    )

    content = json.loads(shown.stdout)
    assert pq.read_table(files[0]).to_pylist() == content["scores"]
    assert pq.read_table(files[1]).to_pylist() == content["keywords"]
    assert {row["measure"] for row in content["keywords"]} == {"forte", "published"}
    assert content["differences"]


def test_terms_can_be_had_for_people(folders, tmp_path):
    run(*folders, "--keywords", tmp_path / "k.md")

    text = (tmp_path / "k.md").read_text(encoding="utf-8")
    assert text.startswith("| Report | Side | Sentence | Category |")
    assert "| contradicted, 2 |" in text


def test_a_lexicon_of_ones_own_is_used(folders, tmp_path):
    terms = {"degree": [], "landmark": [], "feature": [["density"]], "impression": []}
    (tmp_path / "mine.json").write_text(json.dumps(terms), encoding="utf-8")

    shown = run(*folders, "--lexicon", tmp_path / "mine.json")

    lines = shown.stdout.splitlines()
    assert "| landmark | 0 | 0 | - | - | - | - |" in lines
    assert lines[-1].startswith(f"2 reports; lexicon {tmp_path / 'mine.json'}, 1 terms;")


def test_a_missing_partner_exits_with_65(folders):
    (folders[1] / "b.txt").unlink()

    shown = run(*folders)

    assert shown.exit_code == 65
    assert shown.stderr == (
        f"Error: {folders[0] / 'b.txt'} has no reference: there is no "
        f"{folders[1] / 'b'}.txt or .md.\nTry: Add the missing file, or remove the other.\n"
    )


def test_a_folder_alone_exits_with_2(folders):
    shown = run(folders[0])

    assert shown.exit_code == 2
    assert "is no table" in shown.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys, medprompt_cli.cli.evaluate;"
        "print(*{'numpy', 'scipy', 'torch', 'pyarrow', 'sacrebleu'} & {*sys.modules})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert shown.stdout.strip() == ""
