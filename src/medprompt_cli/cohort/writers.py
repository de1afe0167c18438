"""Results measured and written in processes of their own, where threads would not keep up.

Much of measuring is Python, which runs in one thread of a process at a time. On the processor
that goes unnoticed behind the network. Before a GPU, measuring takes longer than the network,
and one process would let it wait.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

from medprompt_cli.cohort.case import CaseRunner, Worked
from medprompt_cli.cohort.outcome import Outcome
from medprompt_cli.cohort.stop import STOP_SIGNALS
from medprompt_cli.cohort.turns import Turns
from medprompt_cli.cohort.units import Unit
from medprompt_cli.execution.segment import Segments

IDLE_S = 60
"""A process without work ends after so long: as those of a run that was killed do."""

Write = Callable[[Unit, Worked | Outcome], Outcome]


@dataclass(frozen=True)
class _Names:
    """What writing needs of a segmenter, whose network stays where it is."""

    weights_name: str
    weights_version: str
    weights_sha256: str
    device_name: str


@contextmanager
def written_by(processes: int, turns: Turns) -> Iterator[Write]:
    """How to measure and write a result: in one of so many processes, or with one in this.

    Failures are written by this process, which has their tracebacks; so is everything once a
    process of the others has died, as of too little memory.
    """
    if processes == 1:
        yield turns.write
        return
    light = _without_network(turns.runner)
    pool = ProcessPoolExecutor(
        processes, timeout=IDLE_S, initializer=_leave_signals, env={"OMP_NUM_THREADS": "1"}
    )

    def write(unit: Unit, worked: Worked | Outcome) -> Outcome:
        if isinstance(worked, Outcome) or isinstance(worked.result, Exception):
            return turns.write(unit, worked)
        try:
            return pool.submit(light.write, unit, worked).result()
        except BrokenProcessPool:
            return turns.write(unit, worked)

    try:
        yield write
    finally:
        pool.shutdown()


def _without_network(runner: CaseRunner) -> CaseRunner:
    own = runner.segmenter
    names = _Names(own.weights_name, own.weights_version, own.weights_sha256, own.device_name)
    return replace(runner, segmenter=cast("Segments", names))


def _leave_signals() -> None:
    """Finish what has begun: the run that is told to stop waits for it."""
    for name in (*STOP_SIGNALS, "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
