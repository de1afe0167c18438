"""A case in a process of its own, with nothing else in hand: should it die, the run goes on."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from medprompt_cli.bids.atomic import remove_leftovers
from medprompt_cli.cohort.case import CaseRunner, Worked
from medprompt_cli.cohort.outcome import Outcome
from medprompt_cli.cohort.progress import log_apart
from medprompt_cli.cohort.stop import STOP_SIGNALS, StopRequested, stoppable
from medprompt_cli.cohort.suspects import acquit, put_last
from medprompt_cli.cohort.turns import Turns
from medprompt_cli.cohort.units import Unit
from medprompt_cli.errors import KilledProcessError, MedpromptError

COMMAND = (sys.executable, "-P", "-c", f"from {__name__} import answer; answer()")
"""Begins anew, as a fork of a process with the threads of a network must not."""

GRACE_S = 10.0
"""So long may a process take to end that is told to stop. Own choice."""

MEANINGS = {
    "SIGKILL": ", as the system does where memory runs out",
    "SIGSEGV": ", a crash in a library that reads or computes",
    "SIGBUS": ", as where a file is cut short while it is read, or a disk fails",
    "SIGABRT": ": a library gave up",
    "SIGILL": ": a library was built for another processor",
    "SIGFPE": ", a crash in a library that reads or computes",
}
"""What a signal usually means, by its name. Source: Linux, signal(7)."""

_MORE_MEMORY = "Run the same command where there is more memory, or give a coarser image"
_OTHER_FILE = "Export or copy the image again, or leave it out, and run the same command"

Reply = tuple[Literal["outcome", "stopped", "error"], object]
"""What a process says of a case: its outcome, the signal that stopped it, or why no further
case could be done either."""


def do_apart(units: Sequence[Unit], turns: Turns, report: Callable[[Outcome], None]) -> None:
    """Do suspects one after another, each in a process of its own.

    One whose process dies has failed and stays a suspect; the rest are none any more.

    Raises:
        StopRequested: If this process or that of a case was told to stop.
        MedpromptError: If the device or the weights cannot be had.
    """
    for unit in units:
        known = turns.known(unit)
        if known is not None:
            outcome = turns.write(unit, turns.work(unit, known))
            settled = outcome.status == "kept"
        else:
            log_apart(unit.name)
            put_last(turns.runner.out, unit.name)
            done = in_a_process(turns.runner, unit)
            settled = isinstance(done, Outcome)
            outcome = done if isinstance(done, Outcome) else _dead(turns.runner, unit, done)
        if settled:
            acquit(turns.runner.out, unit.name)
        report(outcome)


def whole(runner: CaseRunner, unit: Unit) -> Outcome:
    """All stages of a case."""
    return runner.write(unit, runner.work(unit, runner.read(unit)))


def in_a_process(runner: CaseRunner, unit: Unit) -> Outcome | int:
    """Do a case in a new process; its outcome, or how the process ended without one.

    The process sees the same environment and modules. It has a group of its own, so that
    Ctrl-C on a terminal is for this one alone; it is told to stop if this one is, and ends if
    this one dies.

    Raises:
        StopRequested, MedpromptError: As `do_apart`.
    """
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    with subprocess.Popen(
        COMMAND,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        process_group=0,
    ) as process:
        try:
            told = _told(process, pickle.dumps((runner, unit)))
            ending = process.wait()
        except BaseException:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
            process.kill()
            raise
    match told:
        case ("outcome", Outcome() as outcome):
            return outcome
        case ("stopped", str(name)):
            raise StopRequested(name)
        case ("error", MedpromptError() as error):
            raise error
    if ending < 0 and _name(-ending) in STOP_SIGNALS:  # before it could say so
        raise StopRequested(_name(-ending))
    return ending


def _told(process: subprocess.Popen[bytes], task: bytes) -> Reply | None:
    """What a process replies to a task; None if it ends before it has said all."""
    if process.stdin is None or process.stdout is None:  # both are pipes
        return None
    left = memoryview(task)
    with suppress(BrokenPipeError):
        while left:
            left = left[process.stdin.write(left) :]
    # stdin stays open: that it is closed tells the process that this one is gone
    try:
        return pickle.loads(process.stdout.read())
    except (EOFError, pickle.UnpicklingError):
        return None


def _dead(runner: CaseRunner, unit: Unit, ending: int) -> Outcome:
    """Write down that a case's process died, and remove what it left."""
    remove_leftovers(runner.out)
    error = _death_of(unit.entry.path, ending)
    return runner.write(unit, Worked(error, {}))


def _death_of(path: Path, ending: int) -> KilledProcessError:
    """Why a case has no result.

    Args:
        path: Of its image.
        ending: Exit code of its process, or less than 0 the signal that killed it.
    """
    name = _name(-ending)
    how = f"ended with exit code {ending} and said nothing"
    if ending < 0:
        how = f"was killed by {name}{MEANINGS.get(name, '')}"
    remedy = _MORE_MEMORY if name == "SIGKILL" else _OTHER_FILE
    return KilledProcessError(
        f"{path}: the process that did only this case {how}.",
        remedy=f"{remedy}: it is tried again, apart from the others.",
    )


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def answer() -> None:
    """Do the case that comes in on stdin, and reply on stdout: what the new process does."""
    reply = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no reply
    _be_killed_first()
    try:
        with stoppable():
            said = _answer()
    except StopRequested as request:
        said = "stopped", request.signal_name
    except MedpromptError as error:
        said = "error", error
    reply.write(pickle.dumps(said))
    reply.close()
    os._exit(0)  # what libraries do as they are unloaded can change nothing any more


def _answer() -> Reply:
    runner, unit = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    return "outcome", whole(runner, unit)


def _end_with_the_other() -> None:
    """Wait until the process that began this one closes the pipe, or dies, and end."""
    os.read(0, 1)
    os._exit(1)


def _be_killed_first() -> None:
    """Where memory runs out, have the system kill this process rather than the run."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
