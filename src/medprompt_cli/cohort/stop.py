"""Being told to stop by the scheduler."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = ("SIGTERM", "SIGUSR1", "SIGUSR2")
"""What SLURM and other schedulers send before they kill a job."""


class StopRequested(BaseException):
    """A stop signal arrived. Not an Exception, so that nothing on the way swallows it."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first stop signal into StopRequested, and ignore those that follow it.

    The image being worked on is dropped: half a minute may be all that is left. Outside
    the main thread, where Python allows no handlers, signals keep their meaning.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's form
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise StopRequested(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
