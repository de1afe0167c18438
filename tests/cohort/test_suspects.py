"""A scan at which the process dies is one failed scan, and no run dies of it twice."""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from medprompt_cli.bids.atomic import process_name
from medprompt_cli.cohort import apart, case, progress
from medprompt_cli.cohort.status import status_of
from medprompt_cli.cohort.stop import STOP_SIGNALS
from medprompt_cli.errors import DeviceError

AGAIN = "it is tried again, apart from the others."
MORE_MEMORY = (
    f"Run the same command where there is more memory, or give a coarser image: {AGAIN}"
)
OTHER_FILE = (
    f"Export or copy the image again, or leave it out, and run the same command: {AGAIN}"
)
IN_HAND = "{} was in hand when an earlier run died: it is done last, in a process of its own."

# A segmenter that other processes can have, and images that kill whoever reads them.
DEADLY = """\
import importlib.util, os
from medprompt_cli.cohort import case

spec = importlib.util.spec_from_file_location("conftest", {conftest!r})
conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(conftest)


class Segmenter(conftest.ThresholdSegmenter):
    pass


def read(path, read=case.read_image, **options):
    word, _, number = path.read_bytes()[:16].partition(b" ")
    if word == b"deadly":
        os.kill(os.getpid(), int(number))
    return read(path, **options)


case.read_image = read
"""


@pytest.fixture
def deadly_images(tmp_path, repository, monkeypatch):
    """An image of the text `deadly 11` kills whoever reads it by signal 11; a segmenter."""
    conftest = str(repository / "tests" / "conftest.py")
    (tmp_path / "deadly.py").write_text(DEADLY.format(conftest=conftest))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(case, "read_image", case.read_image)  # put back in the end
    yield importlib.import_module("deadly").Segmenter()
    del sys.modules["deadly"]


@pytest.fixture
def ending(make_segmenter):
    """Makes segmenters that end a run at the first image."""

    class Ending(make_segmenter):
        def __init__(self, how):
            super().__init__()
            self.how = how

        def segment(self, volumes, targets):
            if self.how == "interrupt":
                raise KeyboardInterrupt
            if self.how == "error":
                raise DeviceError("The device has gone.", remedy="Plug it in.")
            os.kill(os.getpid(), signal.SIGTERM)

    return Ending


@pytest.fixture
def leave(out):
    """Leave what a run leaves that had a case in hand."""

    def of_process(name, process):
        (out / "logs" / "running").mkdir(parents=True, exist_ok=True)
        (out / "logs" / "running" / f"{name}.{process}.hand").touch()

    return of_process


def left(out):
    """What still tells of cases in hand and of suspects."""
    folders = (out / "logs" / "running", out / "logs" / "suspects")
    return sorted(path.name for folder in folders for path in folder.glob("*"))


def of_this_machine(number):
    """The name of a process by its number."""
    return f"{process_name().rpartition('.')[0]}.{number}"


def ended():
    """The name of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return of_this_machine(process.pid)


def how_ends(work):
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        try:
            work()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_run_dies_of_a_scan_once(run, out, bids, statuses, contents, deadly_images):
    scan = bids / "sub-01/anat/sub-01_T1w.nii.gz"
    good = scan.read_bytes()
    scan.write_bytes(b"deadly %d" % signal.SIGSEGV)

    assert how_ends(lambda: run(segmenter=deadly_images)) == -signal.SIGSEGV
    hand = [name.partition(".")[0] for name in left(out) if name.endswith(".hand")]
    assert hand == ["sub-01_T1w"]

    for others in ("done", "kept"):
        summary = run(segmenter=deadly_images)
        assert statuses(summary) == {
            "sub-02_T1w": others,
            "sub-02_run-2_T1w": others,
            "sub-03_FLAIR": others,
            "sub-01_T1w": "failed",
        }
        assert summary.exit_code == 1
        (failed,) = status_of(out).having("failed")
        assert failed.error == {
            "code": "killed-process",
            "problem": f"{scan}: the process that did only this case was killed by"
            " SIGSEGV, a crash in a library that reads or computes.",
            "remedy": OTHER_FILE,
        }
        assert left(out) == ["sub-01_T1w"]

    scan.write_bytes(good)
    assert run(segmenter=deadly_images).exit_code == 0
    assert left(out) == []
    apart_from_others = contents()
    run(segmenter=deadly_images, force=True)
    assert contents() == apart_from_others


def test_suspects_are_done_last_and_are_none_when_they_are_done(
    run, out, leave, no_processes, threshold_segmenter, caplog
):
    leave("sub-01_T1w", ended())
    leave("sub-02_T1w", "another-machine.1")
    leave("sub-02_run-2_T1w", process_name())  # an earlier one of the same number
    leave("sub-03_FLAIR", of_this_machine(1))  # is there
    leave("sub-77_T1w", ended())  # of another share

    assert run().exit_code == 0
    assert no_processes == ["sub-01_T1w", "sub-02_T1w", "sub-02_run-2_T1w"]
    assert caplog.messages == [IN_HAND.format(name) for name in no_processes]
    assert threshold_segmenter.seen[0] == "sub-03_FLAIR.nii.gz"
    assert [name.partition(".")[0] for name in left(out)] == ["sub-03_FLAIR", "sub-77_T1w"]


def test_what_was_done_before_its_run_died_is_no_suspect(run, out, leave, no_processes):
    run()
    for name in ("sub-01_T1w", "sub-02_T1w"):
        leave(name, ended())
        path = next(out.glob(f"logs/running/{name}.*"))
        os.utime(path, ns=(0, 0))  # long before it was done
    (out / "sub-02/anat/sub-02_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz").unlink()

    assert [outcome.name for outcome in run().having("done")] == ["sub-02_T1w"]
    assert no_processes == []
    assert left(out) == []


def test_where_a_run_dies_with_a_suspect_the_next_one_gets_further(
    run, out, leave, no_processes, monkeypatch
):
    def die(runner, unit):
        no_processes.append(unit.name)
        raise SystemExit

    for name in ("sub-01_T1w", "sub-02_T1w", "sub-03_FLAIR"):
        leave(name, ended())
        time.sleep(0.02)  # beyond the clock of the file system
    with monkeypatch.context() as patch:
        patch.setattr(apart, "in_a_process", die)
        for _ in range(4):
            with pytest.raises(SystemExit):
                run()

    assert no_processes == ["sub-01_T1w", "sub-02_T1w", "sub-03_FLAIR", "sub-01_T1w"]


def test_who_watches_the_bar_is_told(monkeypatch, capsys):
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    with progress.case_progress(1):
        progress.log_apart("sub-01_T1w")

    assert capsys.readouterr().err.count(IN_HAND.format("sub-01_T1w") + "\n") == 1


def test_suspects_are_known_until_their_turn(run, out, leave, ending, no_processes):
    leave("sub-01_T1w", ended())
    for _ in range(2):
        assert isinstance(run(segmenter=ending("error")).stopped, DeviceError)
        assert left(out) == ["sub-01_T1w"]
        assert no_processes == []


@pytest.mark.parametrize("how", ["signal", "interrupt", "error"])
def test_a_run_that_ends_as_it_is_told_to_leaves_no_suspects(run, out, ending, how):
    assert run(segmenter=ending(how)).stopped is not None
    assert left(out) == []


# What does not take the seconds that a process needs to load everything.


@pytest.fixture
def dying(run, leave, monkeypatch, threshold_segmenter):
    """Run one suspect, whose process does as a line of Python says."""

    def run_one(line):
        words = (sys.executable, "-S", "-c", f"import os, sys, time\n{line}")
        monkeypatch.setattr(apart, "COMMAND", words)
        threshold_segmenter.seen.append("x" * 2**20)  # a task that no pipe holds
        leave("sub-01_T1w", ended())
        return run()

    return run_one


@pytest.mark.parametrize(
    ("line", "how", "remedy"),
    [
        (
            "os.kill(os.getpid(), 9)",
            "was killed by SIGKILL, as the system does where memory runs out",
            MORE_MEMORY,
        ),
        ("os.kill(os.getpid(), 40)", "was killed by signal 40", OTHER_FILE),
        ("os._exit(3)", "ended with exit code 3 and said nothing", OTHER_FILE),
        ("os.write(1, b'torn')", "ended with exit code 0 and said nothing", OTHER_FILE),
    ],
    ids=["killed", "unnamed", "exit", "torn"],
)
def test_how_a_process_died(dying, bids, out, line, how, remedy):
    (failed,) = dying(line).having("failed")

    scan = bids / "sub-01/anat/sub-01_T1w.nii.gz"
    assert failed.failure.as_json() == {
        "code": "killed-process",
        "problem": f"{scan}: the process that did only this case {how}.",
        "remedy": remedy,
    }
    record = json.loads((out / "logs/sub-01_T1w.json").read_bytes())
    assert (record["status"], record["error"]) == ("failed", failed.failure.as_json())
    assert left(out) == ["sub-01_T1w"]


@pytest.mark.parametrize("name", STOP_SIGNALS)
def test_a_stopped_run_stops_the_process_of_a_case(dying, out, tmp_path, name):
    if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        pytest.skip(f"{name} is ignored here, as under nohup")
    started = tmp_path / "pid"

    def stop():
        end = time.monotonic() + 60
        while not (started.exists() and started.read_text()) and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(os.getpid(), getattr(signal, name))

    thread = threading.Thread(target=stop)
    thread.start()
    line = f"open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    summary = dying(line)
    thread.join()

    assert str(summary.stopped) == f"{name} stopped the run before its end."
    assert left(out) == ["sub-01_T1w"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_process_that_alone_is_stopped_stops_the_run(dying, out, number):
    stopped = dying(f"os.kill(os.getpid(), {number})").stopped

    assert str(stopped) == f"{number.name} stopped the run before its end."
    assert left(out) == ["sub-01_T1w"]


def test_a_process_without_its_device_ends_the_run(dying, out):
    said = "medprompt_cli.errors import DeviceError as E; import pickle"
    error = "E('The device has gone.', remedy='Plug it in.')"
    stopped = dying(f"from {said}; os.write(1, pickle.dumps(('error', {error})))").stopped

    assert isinstance(stopped, DeviceError)
    assert (str(stopped), stopped.remedy) == ("The device has gone.", "Plug it in.")
    assert left(out) == ["sub-01_T1w"]
