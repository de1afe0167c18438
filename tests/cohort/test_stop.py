"""Signals of a scheduler stop a run once."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from medprompt_cli.cohort.stop import STOP_SIGNALS, StopRequested, stoppable


def stop_twice(number):
    with stoppable():
        try:
            os.kill(os.getpid(), number)
        except StopRequested:
            os.kill(os.getpid(), number)
            raise


def stop_inside_what_catches_exceptions():
    with stoppable():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except Exception:  # noqa: BLE001 - as a library would
            return "swallowed"
    return "ignored"


@pytest.fixture
def hung_up():
    """What SIGHUP does is up to the test, also where tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hung_up")
@pytest.mark.parametrize("name", STOP_SIGNALS)
def test_a_signal_stops_and_the_next_is_ignored(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with pytest.raises(StopRequested, match=name):
        stop_twice(number)

    assert signal.getsignal(number) is before


@pytest.mark.usefixtures("hung_up")
def test_a_run_under_nohup_goes_on_as_its_terminal_closes():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stoppable():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        with pytest.raises(StopRequested, match="SIGTERM"):
            os.kill(os.getpid(), signal.SIGTERM)


RUN = """\
import fcntl, os, signal, termios, time
from medprompt_cli.cohort.stop import StopRequested, stoppable

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
try:
    with stoppable():
        print("ready", flush=True)
        time.sleep(60)
except StopRequested as request:
    print(request, flush=True)
    os._exit(75)
"""


def test_a_terminal_that_closes_stops_what_then_prints():
    terminal, end = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-c", RUN], stdin=end, stdout=end, stderr=end, start_new_session=True
    )
    os.close(end)
    assert b"ready" in os.read(terminal, 100)
    os.close(terminal)

    assert run.wait(60) == 75


def test_a_stop_is_not_swallowed_by_what_catches_exceptions():
    with pytest.raises(StopRequested):
        stop_inside_what_catches_exceptions()


def test_other_threads_leave_signals_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def run():
        with stoppable():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [before]
