"""Signals of a scheduler stop a run once."""

from __future__ import annotations

import os
import signal
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


@pytest.mark.parametrize("name", STOP_SIGNALS)
def test_a_signal_stops_and_the_next_is_ignored(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with pytest.raises(StopRequested, match=name):
        stop_twice(number)

    assert signal.getsignal(number) is before


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
