"""Every example runs as its first lines say."""

from __future__ import annotations

import os
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
    assert printed.endswith("no scan failed\n")


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


def test_tables_of_a_cohort_of_twenty(tmp_path, repository):
    cohort = tmp_path / "bids"
    options = ("--small", "--subjects", "20", "--sessions", "1")
    run("medprompt", "demo", cohort, *options)
    truth, out = cohort / "derivatives" / "truth", tmp_path / "out"
    printed = run(sys.executable, repository / "examples" / "tables.py", truth, out)

    told: Any = pd.read_csv(truth / "volumes.tsv", sep="\t")
    expected = told.groupby("region")["volume_ml"].mean()["left-hippocampus"]
    rows = [line.split() for line in printed.splitlines()[2:35]]
    found = {region: (int(count), float(mean)) for region, count, mean, _ in rows}
    count, mean = found["left-hippocampus"]
    assert (count, found["lesion"][0]) == (40, 40)  # T1w and FLAIR
    assert mean == pytest.approx(expected, abs=0.01)
    table: Any = pd.read_csv(out / "measurements.csv")
    assert table["participant_id"].nunique() == 20
    assert table["value"].dtype == float


def test_every_example_has_a_test(repository):
    scripts = (repository / "examples").glob("*.*")

    assert {path.name for path in scripts} == {"segment_folder.sh", "tables.py", "volumes.py"}
