"""Killed at any write or rename, a run leaves no torn file, and a rerun completes it.

A child process runs the cohort and dies without any clean-up, `os._exit`, at the n-th
moment at which something on disk changes; n goes through all of them.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
from pathlib import Path
from unittest import mock

import pytest

from medprompt_cli.bids import atomic

KILLED, SURVIVED, FAILED = 9, 0, 1

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.usefixtures("no_processes"),  # a hundred would take minutes
]


class Killer:
    """Counts what changes the disk, and ends the process at one of them.

    A file that is synced dies torn in half before it; a rename and a removal die both
    before and after they are done.
    """

    def __init__(self, at):
        self.left = at
        self.sync, self.replace, self.unlink = os.fsync, Path.replace, Path.unlink

    def moment(self):
        self.left -= 1
        return self.left < 0

    def install(self):
        mock.patch.object(os, "fsync", self.torn_sync).start()
        mock.patch.object(Path, "replace", self.around(self.replace)).start()
        mock.patch.object(Path, "unlink", self.around(self.unlink)).start()

    def torn_sync(self, descriptor):
        if self.moment():
            if os.fstat(descriptor).st_size:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            os._exit(KILLED)
        self.sync(descriptor)

    def around(self, change):
        def changed(path, *arguments, **options):
            if self.moment():
                os._exit(KILLED)
            result = change(path, *arguments, **options)
            if self.moment():
                os._exit(KILLED)
            return result

        return changed


def in_child(work):
    """Do `work` in a process of its own; return how it ended."""
    child = os.fork()
    if child == 0:
        ending = FAILED
        try:
            work()
            ending = SURVIVED
        finally:
            os._exit(ending)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check_nothing_torn(out, allowed):
    """Every file with a final name is whole: as it was before, or as it is after."""
    for path in (path for path in out.rglob("*") if path.is_file()):
        if path.name.endswith(".part"):
            continue
        content = path.read_bytes()
        if path.name.endswith(".nii.gz"):
            assert gzip.decompress(content)
        if path.suffix == ".json":
            assert json.loads(content)
        if "logs" not in path.relative_to(out).parts:
            assert content in allowed[path.relative_to(out).as_posix()], path


@pytest.fixture
def one_subject(bids):
    """Leave one scan, so that every moment of its writing can be tried."""
    for name in ("sub-02", "sub-03"):
        shutil.rmtree(bids / name)


@pytest.fixture
def kill_everywhere(run, out, contents):
    """Kill a run at its n-th moment for every n; each time look, run again and compare."""

    def kill(killed, *, earlier=None, again=None):
        again = again or killed
        after, afterwards = result_of(killed), result_of(again)
        moments, ending = 0, KILLED
        while ending == KILLED:
            before = result_of(earlier)
            ending = in_child(lambda at=moments: (Killer(at).install(), run(*killed)))
            names = {*before, *after}
            check_nothing_torn(out, {n: {before.get(n), after.get(n)} for n in names})
            assert run(*again).exit_code == 0
            assert contents() == afterwards, moments
            assert not list(out.glob("logs/suspects/*")), moments
            assert run(*again).having("kept"), moments
            moments += 1
        assert ending == SURVIVED
        return moments

    def result_of(prompts):
        shutil.rmtree(out, ignore_errors=True)
        if prompts:
            run(*prompts)
        return contents()

    return kill


@pytest.mark.usefixtures("one_subject")
def test_killed_at_any_moment_of_a_first_run(kill_everywhere):
    # Three files of the dataset, the probe, a mask, its sidecar and two records: each has a
    # sync, the probe a removal, the others a rename with before and after and one more sync.
    assert kill_everywhere(["ventricles"]) >= 7 * 4 + 3


@pytest.mark.usefixtures("one_subject")
@pytest.mark.parametrize(
    "again", [["left hippocampus"], ["ventricles, hippocampus"]], ids=["same", "earlier"]
)
def test_killed_at_any_moment_of_replacing_an_earlier_prompt(kill_everywhere, again):
    earlier = ["ventricles, hippocampus"]
    moments = kill_everywhere(["left hippocampus"], earlier=earlier, again=again)

    # The probe, a label map, its sidecar, two records, and the removal of two old files.
    assert moments >= 4 * 4 + 3 + 2 * 2


@pytest.mark.usefixtures("one_subject")
def test_a_limit_on_file_size_is_met_like_a_full_disk_of_one_file(
    run, out, contents, statuses, tmp_path
):
    said = tmp_path / "said.json"

    def work():
        resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
        try:
            run("left hippocampus")
        except atomic.OutputError as error:
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
            said.write_text(json.dumps([str(error), error.remedy]))

    assert in_child(work) == SURVIVED
    assert json.loads(said.read_text()) == [
        f"{out / 'dataset_description.json'} could not be written: File too large.",
        "Raise the limit on file size (ulimit -f), then run the same command again.",
    ]
    assert contents() == {}
    assert statuses(run("left hippocampus")) == {"sub-01_T1w": "done"}
