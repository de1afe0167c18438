"""Being told to stop by the scheduler, or by a terminal that closes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

STOP_SIGNALS = ("SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP")
"""What SLURM and other schedulers send before they kill a job, and what comes when the
connection to a terminal closes."""


class StopRequested(BaseException):
    """A stop signal arrived. Not an Exception, so that nothing on the way swallows it."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first stop signal into StopRequested, and ignore those that follow it.

    The image being worked on is dropped: half a minute may be all that is left. Outside
    the main thread, where Python allows no handlers, signals keep their meaning; so does
    SIGHUP where it is ignored already, as under nohup.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    known = [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]
    numbers = [number for number in known if not _kept_ignored(number)]

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's form
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        _leave_closed_terminal()
        raise StopRequested(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_closed_terminal() -> None:
    """From now on write into nothing what would go to a terminal that has closed."""
    for stream in (1, 2):
        try:
            os.write(stream, b"")
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def _kept_ignored(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN
