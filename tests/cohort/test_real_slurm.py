"""A cohort in an array of a real SLURM, with jobs that die and jobs that are told to stop."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medprompt_cli.cohort.slurm import Resources, slurm_script, submit

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "srun", "scontrol", "squeue")
PATIENCE_S = 180

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

# In place of a network; slow enough to be hit between two images.
SLOW = """\
import importlib.util, os, time

spec = importlib.util.spec_from_file_location("conftest", {conftest!r})
conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(conftest)


class Slow(conftest.ThresholdSegmenter):
    def segment(self, volumes, targets):
        time.sleep(float(os.environ.get("PAUSE_S", "0")))
        return super().segment(volumes, targets)
"""

MEDPROMPT = """\
import os, sys
from pathlib import Path

sys.path.insert(0, {folder!r})
from slow import Slow

from medprompt_cli import api
from medprompt_cli.cli.app import main

if "SLURM_ARRAY_TASK_ID" in os.environ:
    pids = Path({pids!r})
    pids.mkdir(exist_ok=True)
    (pids / os.environ["SLURM_ARRAY_TASK_ID"]).write_text(str(os.getpid()))
api._open_segmenter = lambda options: Slow()
main()
"""


@pytest.fixture(scope="module")
def cluster(repository, tmp_path_factory):
    """A cluster of one node; SLURM's commands find it by SLURM_CONF."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [name for name in (*DAEMONS, *COMMANDS) if shutil.which(name, path=path) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge")
    folder = tmp_path_factory.mktemp("slurm")
    script = repository / ".ci" / "slurm"
    # To a file: the daemons would hold a pipe open for as long as they live.
    with (folder / "said.txt").open("w+") as said:
        started = subprocess.run(
            [script, "start", folder], stdout=said, stderr=said, check=False
        )
    assert started.returncode == 0, (folder / "said.txt").read_text()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        yield folder
        subprocess.run([script, "stop", folder], check=False)


@pytest.fixture
def bids(tmp_path, save_scan):
    """Six subjects, every other with two visits."""
    for n in range(1, 7):
        for session in "ab"[: 1 + n % 2]:
            stem = f"sub-{n:02}/ses-{session}/anat/sub-{n:02}_ses-{session}_T1w"
            regions = ("left-hippocampus", "left-lateral-ventricle")[: 1 + n % 3]
            save_scan(tmp_path / "bids" / f"{stem}.nii.gz", *regions)
    (tmp_path / "bids" / "dataset_description.json").write_text(
        '{"Name": "x", "BIDSVersion": "1.11.0"}'
    )
    return tmp_path / "bids"


@pytest.fixture
def medprompt(tmp_path, repository):
    """The command to run in jobs."""
    path = tmp_path / "medprompt.py"
    conftest = str(repository / "tests" / "conftest.py")
    # A module, as the process of a case that a run died with has to find it too.
    (tmp_path / "slow.py").write_text(SLOW.format(conftest=conftest))
    path.write_text(MEDPROMPT.format(folder=str(tmp_path), pids=str(tmp_path / "pids")))
    return [sys.executable, str(path)]


def slurm(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_for(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, slurm("squeue")
        time.sleep(0.2)


def results(out):
    """Bytes of every result; the collected table as its sorted lines."""
    found = {}
    for path in out.rglob("*"):
        name = path.relative_to(out).as_posix()
        if path.is_file() and not name.startswith("logs/"):
            content = path.read_bytes()
            lines = name == "measurements.tsv"
            found[name] = sorted(content.splitlines()) if lines else content
    return found


def test_an_array_with_a_killed_and_a_stopped_task_gives_what_one_process_gives(
    cluster, bids, medprompt, tmp_path, monkeypatch
):
    prompts = ("-p", "left hippocampus", "-p", "ventricles")
    one, many = tmp_path / "one", tmp_path / "many"
    subprocess.run(
        [*medprompt, "segment", bids, one, *prompts], check=True, capture_output=True
    )
    subprocess.run([*medprompt, "tables", one], check=True, capture_output=True)

    monkeypatch.setenv("PAUSE_S", "1.5")
    segment = [str(bids), str(many), *prompts]
    said = submit(slurm_script(many, segment, medprompt, Resources(tasks=3, gres="gpu:1")))
    array = said.split()[1].rstrip(",")

    def log(task):
        path = many / "logs" / "slurm" / f"{array}_{task}.txt"
        return path.read_text() if path.exists() else ""

    # The first dies between two images, and somebody has it run again.
    wait_for(lambda: "[1/3]" in log(1))
    os.kill(int((tmp_path / "pids" / "1").read_text()), signal.SIGKILL)
    wait_for(lambda: f"{array}_1 " not in slurm("squeue", "--array", "--format=%i ", "-tR,CG"))
    slurm("scontrol", "requeue", f"{array}_1")
    # The second is told that its time is up, and has itself run again.
    wait_for(lambda: "[1/3]" in log(2))
    slurm("scancel", "--signal=USR1", f"{array}_2")
    wait_for(lambda: not slurm("squeue", "--noheader").strip())

    assert "was in hand when an earlier run died: it is done last" in log(1)
    assert "Error: SIGUSR1 stopped the run before its end." in log(2)
    assert "was in hand" not in log(2)
    for task, subjects in ((1, "task 1 of the"), (2, "task 2 of the")):
        assert log(task).count(f"shard {task}/3 ({subjects} SLURM array 1-3)") >= 3
        assert re.search(r"[12] already there, 0 failed\.", log(task))
    assert "0 already there, 0 failed." in log(3)
    status = subprocess.run(
        [*medprompt, "status", many], capture_output=True, text=True, check=False
    )
    assert status.stdout == (f"9 cases: 9 done, 0 failed, 0 to do, 0 stale. Results: {many}\n")
    assert status.returncode == 0
    assert results(many) == results(one)
    assert "measurements.tsv" in results(many)


@pytest.fixture
def on_path(medprompt, tmp_path, monkeypatch):
    """`medprompt` by its name, here and in jobs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    python, script = medprompt
    # A job calls the command that lies beside the interpreter of the one that submitted it.
    lines = (
        f"#!{python}",
        f"import sys; sys.executable = {str(folder / 'python')!r}",
        "from medprompt_cli.cli.app import main",
        'if sys.argv[1] != "segment": main()',
        Path(script).read_text(),
    )
    (folder / "medprompt").write_text("\n".join(lines))
    (folder / "medprompt").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_examples_do_a_cohort(cluster, bids, on_path, tmp_path, repository):
    examples, prompts = repository / "examples", ("left hippocampus", "ventricles")
    one, two = tmp_path / "one", tmp_path / "two"
    for number in range(3, 7):
        shutil.rmtree(bids / f"sub-{number:02}")
    array = ("sbatch", "--quiet", "--array=4-5", f"--output={tmp_path}/%a.txt")
    slurm(*array, str(examples / "slurm_array.sh"), str(bids), str(one), *prompts)
    said = slurm(str(examples / "slurm_submit.sh"), str(bids), str(two), "1", *prompts)
    wait_for(lambda: not slurm("squeue", "--noheader").strip())

    jobs, status = said.splitlines()
    assert re.fullmatch(r"array \d+, tables \d+", jobs)
    assert status == f"3 cases: 3 done, 0 failed, 0 to do, 0 stale. Results: {two}"
    for task in (4, 5):
        log = (tmp_path / f"{task}.txt").read_text()
        assert f"shard {task - 3}/2 (task {task} of the SLURM array 4-5)" in log
        assert "0 failed." in log
    of_two = results(two)
    assert of_two.pop("measurements.tsv")
    assert of_two.pop("measurements.json")
    assert results(one) == of_two
