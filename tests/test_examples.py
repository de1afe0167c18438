"""Every example runs as its first lines say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = [pytest.mark.weights, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "bids"
    run("medprompt", "demo", folder, "--small", "--subjects", "1", "--sessions", "1")
    return folder


def run(*words: object) -> str:
    """Run a command with this environment's `medprompt` first on the path."""
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in words], env=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_segment_folder(demo, tmp_path, repository):
    script = repository / "examples" / "segment_folder.sh"
    printed = run("bash", script, demo, tmp_path / "out", "brainstem", "brain")

    written = [line for line in printed.splitlines() if line.startswith("written: ")]
    assert len(written) == 4
    assert "\n2 cases: 2 done, 0 failed, 0 to do, 0 stale." in printed


def test_volumes(demo, tmp_path, repository):
    script = repository / "examples" / "volumes.py"
    printed = run(sys.executable, script, demo, tmp_path / "out", "brainstem", "brain")

    lines = printed.splitlines()
    assert lines[0].split() == ["target", "brain", "brainstem"]
    assert [line.split()[0] for line in lines[2:]] == [
        "sub-01_ses-01_FLAIR",
        "sub-01_ses-01_T1w",
    ]
    assert all(500 < float(line.split()[1]) < 2500 for line in lines[2:])


@pytest.fixture(scope="module")
def measured(tmp_path_factory, repository) -> tuple[str, Path, Path]:
    """What the example prints of a cohort of twenty, where the truth is, and the tables."""
    folder = tmp_path_factory.mktemp("cohort")
    options = ("--small", "--subjects", "20", "--sessions", "1")
    run("medprompt", "demo", folder / "bids", *options)
    truth, out = folder / "bids" / "derivatives" / "truth", folder / "out"
    return run(sys.executable, repository / "examples" / "tables.py", truth, out), truth, out


def by_region(lines: list[str]) -> dict[str, tuple[int, float, float]]:
    """Region, cases, mean and standard deviation of every line that has them."""
    rows = [line.split() for line in lines if len(line.split()) == 4]
    return {r: (int(n), float(mean), float(std)) for r, n, mean, std in rows if n.isdigit()}


def agree(one, other) -> bool:
    """Whether the same regions have the same numbers, up to how the last digit is rounded."""
    return one.keys() == other.keys() and all(
        one[region] == pytest.approx(other[region], abs=0.011) for region in one
    )


def test_pandas_and_duckdb_read_the_tables_of_a_cohort_of_twenty(measured):
    printed, truth, out = measured
    told: Any = pd.read_csv(truth / "volumes.tsv", sep="\t")
    expected = told.groupby("region")["volume_ml"].mean()["left-hippocampus"]
    lines = printed.splitlines()
    second = next(n for n, line in enumerate(lines) if line.split()[:2] == ["region", "cases"])
    pandas, duckdb = by_region(lines[:second]), by_region(lines[second:])

    assert pandas["lesion"][0] == pandas["left-hippocampus"][0] == 40  # T1w and FLAIR
    assert pandas["left-hippocampus"][1] == pytest.approx(expected, abs=0.01)
    assert len(pandas) == 33
    assert agree(pandas, duckdb)
    table: Any = pd.read_csv(out / "measurements.csv")
    assert table["participant_id"].nunique() == 20
    assert table["value"].dtype == float


def test_r_reads_the_table_of_a_cohort_of_twenty(measured, repository):
    if shutil.which("Rscript") is None:
        pytest.skip("no Rscript here: apt-get install r-base-core")
    printed, _, out = measured
    found = run("Rscript", repository / "examples" / "tables.R", out / "measurements.csv")

    pandas = by_region(printed[: printed.index("cases")].splitlines())
    assert len(pandas) == 33
    assert agree(by_region(found.splitlines()), pandas)


def test_every_example_has_a_test(repository):
    # The others: tests/examples/test_opened.py, tests/cohort/test_real_slurm.py.
    scripts = (repository / "examples").glob("*.*")

    elsewhere = {"groups.py", "notebook.py", "slurm_array.sh", "slurm_submit.sh"}
    assert {path.name for path in scripts} == {
        *("segment_folder.sh", "tables.R", "tables.py", "volumes.py"),
        *elsewhere,
    }
