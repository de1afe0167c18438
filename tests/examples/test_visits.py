import subprocess
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids.dataset import open_dataset


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("visits")


def test_one_person_is_scanned_anew_at_every_visit(script, tmp_path):
    script.write_person(tmp_path / "bids", 3, "T1w", small=True)

    dataset = open_dataset(tmp_path / "bids")
    opened: list[Any] = [nib.load(image.path) for image in dataset.images]
    scans = [np.asarray(image.dataobj) for image in opened]
    assert dataset.problems == ()
    assert [image.session for image in dataset.images] == ["ses-01", "ses-02", "ses-03"]
    dates: list[Any] = [image.acquired for image in dataset.images]
    assert dates == sorted(dates)
    assert len(set(dates)) == 3
    assert not np.array_equal(scans[0], scans[1])  # another position, other noise
    bright = [np.count_nonzero(scan > 20) for scan in scans]
    assert max(bright) / min(bright) == pytest.approx(1, abs=0.1)  # but the same head


def test_a_run_that_fails_is_no_time(script, tmp_path, monkeypatch):
    def fail(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "it went wrong")

    monkeypatch.setattr(script.subprocess, "run", fail)

    with pytest.raises(SystemExit, match="it went wrong"):
        script.seconds_of(tmp_path, tmp_path / "out", "T1w", "all")


def test_the_whole_command_is_timed(script, tmp_path, monkeypatch):
    seen = []

    def run(command, **_):
        seen.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(script.subprocess, "run", run)
    seconds, computed = script.seconds_of(tmp_path, tmp_path / "o", "T1w", "all", "--force")

    assert 0 <= seconds < 5
    assert computed >= 0
    assert seen[0][1:4] == ["-m", "medprompt_cli", "longitudinal"]
    assert seen[0][-1] == "--force"
