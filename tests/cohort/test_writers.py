"""Results are measured and written by other processes, and here where that is not to be."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from medprompt_cli.cohort.case import CaseRunner, Worked
from medprompt_cli.cohort.outcome import Outcome
from medprompt_cli.cohort.writers import written_by

UNIT: Any = "unit"
RESULT: Any = "result"


class Deadly:
    """Kills the process that unpickles it."""

    def __reduce__(self):
        return signal.raise_signal, (signal.SIGKILL,)


@pytest.fixture
def turns(out, bids, threshold_segmenter):
    """Writes nothing, and says where it was asked to."""
    runner = CaseRunner(out, bids, "raw", (), (), threshold_segmenter)
    return SimpleNamespace(runner=runner, write=lambda unit, worked: os.getpid())


def test_failures_and_what_is_known_are_written_here(turns, tmp_path):
    with written_by(2, turns) as write:
        assert write(UNIT, Worked(ValueError("damaged"), {})) == os.getpid()
        assert write(UNIT, Outcome("a", tmp_path, "kept")) == os.getpid()


def test_one_process_is_this_one(turns):
    with written_by(1, turns) as write:
        assert write is turns.write


def test_where_another_process_dies_everything_is_written_here(turns):
    deadly: Any = Deadly()
    with written_by(2, turns) as write:
        assert write(UNIT, Worked(RESULT, {}, values=(deadly,))) == os.getpid()
        assert write(UNIT, Worked(RESULT, {})) == os.getpid()
