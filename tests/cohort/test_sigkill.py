"""SIGKILL at every write, rename and removal of a small cohort run and its tables.

A child process does the run and kills itself at the n-th of these moments; n goes through
all of them. A rename and a removal die both before and after; the writing of a file dies at
several places, in the middle of its first, second, fourth, eighth ... piece.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from unittest import mock

import pytest

from medprompt_cli.cohort.tables import gather

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.usefixtures("no_processes"),  # a hundred would take minutes
]


class Moments:
    """Counts what changes the disk, and kills the process at one of them."""

    def __init__(self, at):
        self.left = at
        self.open, self.sync = Path.open, os.fsync

    def is_now(self):
        self.left -= 1
        return self.left == -1

    def install(self):
        mock.patch.object(Path, "open", self.opened()).start()
        mock.patch.object(os, "fsync", self.synced).start()
        for name in ("replace", "unlink"):
            change = getattr(Path, name)
            mock.patch.object(Path, name, self.around(change)).start()

    def opened(self):
        def open_torn(path, mode="r", *arguments, **options):
            stream = self.open(path, mode, *arguments, **options)
            return TornStream(stream, self) if mode == "wb" else stream

        return open_torn

    def synced(self, descriptor):
        if self.is_now():
            die()
        self.sync(descriptor)

    def around(self, change):
        def changed(path, *arguments, **options):
            if self.is_now():
                die()
            result = change(path, *arguments, **options)
            if self.is_now():
                die()
            return result

        return changed


class TornStream:
    """A file that may die in the middle of a write."""

    def __init__(self, stream, moments):
        self.stream, self.moments, self.pieces = stream, moments, 0

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.stream.__exit__(*error)

    def write(self, content):
        self.pieces += 1
        if self.pieces.bit_count() == 1 and self.moments.is_now():
            self.stream.write(bytes(content)[: len(content) // 2])
            self.stream.flush()
            die()
        return self.stream.write(content)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def ending_of(work):
    """Do `work` in a process of its own; return how it ended: 0, or minus a signal."""
    child = os.fork()
    if child == 0:
        ending = 1
        try:
            work()
            ending = 0
        finally:
            os._exit(ending)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def two_subjects(bids):
    """Two scans, so that one is read, worked on or written while the other is."""
    shutil.rmtree(bids / "sub-02")


@pytest.mark.usefixtures("two_subjects")
def test_killed_at_any_moment(run, out, contents):
    def whole():
        run("left hippocampus")
        gather(out, "measurements")

    whole()
    after = contents()
    moments, ending = 0, -signal.SIGKILL
    while ending == -signal.SIGKILL:
        shutil.rmtree(out)
        ending = ending_of(lambda at=moments: (Moments(at).install(), whole()))
        for name, content in contents().items():
            assert name.endswith(".part") or content == after[name], (moments, name)
        for record in out.glob("logs/**/*.json"):
            assert record.name[0] == "." or json.loads(record.read_bytes()), moments
        whole()
        assert contents() == after, moments
        assert not list(out.glob("logs/suspects/*")), moments
        moments += 1

    assert ending == 0
    # Of 2 cases: a label map, its sidecar, a part of the table and two records; the two files
    # of the collected table: each is written, synced, renamed (twice) and its folder synced.
    assert moments > (2 * 5 + 2) * 5
