"""Jobs that write to one output folder at the same time do not step on each other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

# `medprompt` without a network. It waits for the others, so that all begin at once.
MEDPROMPT = """\
import importlib.util, os, sys, time
from pathlib import Path

spec = importlib.util.spec_from_file_location("conftest", {conftest!r})
conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(conftest)

from medprompt_cli import api
from medprompt_cli.cli.app import main


class Waiting(conftest.ThresholdSegmenter):
    def segment(self, volumes, targets):
        time.sleep(float(os.environ.get("PAUSE_S", "0")))
        return super().segment(volumes, targets)


api._open_segmenter = lambda options: Waiting()
start = Path({start!r})
Path(f"{{start}}.{{os.getpid()}}").touch()
while not start.exists():
    time.sleep(0.001)
main()
"""


@pytest.fixture
def begin(tmp_path, repository):
    """Start `medprompt` with arguments; it waits until `start` is there."""
    script = tmp_path / "medprompt.py"
    conftest = str(repository / "tests" / "conftest.py")
    start = tmp_path / "start"
    script.write_text(MEDPROMPT.format(conftest=conftest, start=str(start)))

    def run(*arguments, **environment):
        return subprocess.Popen(
            [sys.executable, script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture
def all_ready(tmp_path):
    """Wait until so many processes are ready, then let them go."""

    def wait(count):
        end = time.monotonic() + 60
        while len(list(tmp_path.glob("start.*"))) < count:
            assert time.monotonic() < end
            time.sleep(0.01)
        (tmp_path / "start").touch()

    return wait


@pytest.fixture
def many(bids, save_scan):
    """Nine subjects."""
    for n in range(4, 10):
        save_scan(bids / f"sub-{n:02}" / "anat" / f"sub-{n:02}_T1w.nii.gz", "left-hippocampus")
    return bids


def test_shards_that_run_at_once_write_what_one_process_writes(
    begin, all_ready, many, out, run, contents
):
    shards = [
        begin("segment", many, out, "-p", "left hippocampus", f"--shard={n}/4", "--json")
        for n in range(1, 5)
    ]
    all_ready(4)
    seen = 0
    while any(shard.poll() is None for shard in shards):
        for name in ("dataset_description.json", "plan.json"):
            if (out / name).exists():
                json.loads((out / name).read_bytes())  # whole, whoever writes it just now
                seen += 1
    told = [json.loads(shard.communicate()[0]) for shard in shards]

    assert [shard.returncode for shard in shards] == [0] * 4
    assert seen > 0
    names = [image["name"] for one in told for image in one["images"]]
    assert len(names) == len(set(names)) == 10
    assert [one["share"].partition(" (")[0] for one in told] == [
        f"shard {n}/4" for n in range(1, 5)
    ]
    assert len(list((out / "logs" / "agenda").glob("*.json"))) == 1
    together = contents()
    assert not [name for name in together if name.endswith(".part")]
    del together["plan.json"]  # the run below has no plan to write down

    for path in sorted(out.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    run("left hippocampus")

    assert together == contents()


def test_two_runs_of_the_same_share_the_work(begin, all_ready, many, out, run, contents):
    asked = ("segment", many, out, "-p", "left hippocampus", "--json")
    runs = [begin(*asked, PAUSE_S="0.2") for _ in range(2)]
    all_ready(2)
    told, said = zip(*(one.communicate() for one in runs), strict=True)
    done = [
        {image["name"] for image in json.loads(text)["images"] if image["status"] == "done"}
        for text in told
    ]
    both = contents()

    assert [one.returncode for one in runs] == [0, 0]
    shared = f"Another run is at work in {out}: the work is shared.\n"
    assert sorted(text.count(shared) for text in said) == [0, 1]
    assert len(done[0] | done[1]) == 10
    assert min(map(len, done)) > 0
    assert len(done[0] & done[1]) <= 3  # where they meet, one is read and one worked on
    assert not list(out.glob("logs/running/*"))

    del both["plan.json"]
    for path in sorted(out.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    run("left hippocampus")
    assert both == contents()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGUSR2"])
def test_a_job_that_is_told_to_stop_exits_75_and_goes_on_later(
    begin, all_ready, bids, out, name
):
    asked = ("segment", bids, out, "-p", "left hippocampus")
    job = begin(*asked, PAUSE_S="0.5")
    all_ready(1)
    end = time.monotonic() + 60
    while not list(out.glob("logs/sub-*.json")):
        assert time.monotonic() < end
        time.sleep(0.01)
    job.send_signal(getattr(signal, name))
    _, said = job.communicate()

    assert job.returncode == 75
    assert f"Error: {name} stopped the run before its end.\n" in said
    assert not list(out.rglob("*.part"))

    again = begin(*asked)
    _, said = again.communicate()

    assert again.returncode == 0
    assert "0 failed" in said
    assert "0 already there" not in said
