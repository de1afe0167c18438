"""Which cases were in hand when a run died: one of them may be what it died of.

From before a case is read until it is told what became of it, a run has a file for it,
`OUT/logs/running/CASE.PROCESS.hand`. A run takes its files away however it is made to end; one
that is killed leaves them. Whoever finds such a file makes its case a suspect, a file in
`OUT/logs/suspects`, which lies there until the case is done, or fails without a death. Nothing
is written into these files, so none is ever torn, and no two runs write to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from medprompt_cli.bids.atomic import is_of_a_running_process, process_name
from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.cohort.outcome import Outcome
from medprompt_cli.cohort.records import read_record, record_path
from medprompt_cli.cohort.turns import RUNNING
from medprompt_cli.cohort.units import Unit

SUSPECTS = "suspects"
"""Folder below the records where each suspect has a file of its name."""

HAND = ".hand"

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Hand:
    """The cases that a run has in hand, for others to see should it die.

    A file that cannot be made or removed is done without: it only spares a later run.

    Attributes:
        out: The output folder.
    """

    out: Path

    def taking(self, read: Callable[[Unit], Loaded]) -> Callable[[Unit], Loaded]:
        """`read`, with the case in hand from before it begins."""

        def taken(unit: Unit) -> Loaded:
            with suppress(OSError):
                self._file(unit.name).touch()
            return read(unit)

        return taken

    def laying_down(self, report: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
        """`report`, with the case out of hand."""

        def laid_down(outcome: Outcome) -> None:
            with suppress(OSError):
                self._file(outcome.name).unlink(missing_ok=True)
            report(outcome)

        return laid_down

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Have nothing in hand in the end, whatever ends the run."""
        try:
            yield
        finally:
            for path in self._file("").parent.glob(f"*.{process_name()}{HAND}"):
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.out / LOGS / RUNNING / f"{name}.{process_name()}{HAND}"


def find_suspects(out: Path, units: Sequence[Unit]) -> tuple[list[Unit], list[Unit]]:
    """Tell the cases that no run has died with, in their order, from the suspects.

    Suspects come in the order of when each was last in hand or had its turn: where a run dies
    with the process of a case, as in a control group that is killed as a whole, the next gets
    further.

    Of the same machine, files of processes that are there do not count. Of another nothing
    is known, and all count: a job that was requeued elsewhere learns of its own death, and a
    case that is wrongly suspected is only done later.
    """
    folder = out / LOGS / SUSPECTS
    names = {unit.name for unit in units}
    found: dict[str, int] = {}
    for path in (out / LOGS / RUNNING).glob(f"*{HAND}"):
        rest, _, number = path.name.removesuffix(HAND).rpartition(".")
        left, _, host = rest.rpartition(".")
        if _is_at_work(path, f"{host}.{number}") or _is_done_since(out, left, path):
            continue
        if left in names:  # others are for the shares they are in
            found[left] = 0
            with suppress(OSError):  # another run may be as quick
                folder.mkdir(exist_ok=True)
                path.replace(folder / left)
    for path in folder.glob("*"):
        if not _is_done_since(out, path.name, path):
            with suppress(OSError):
                found[path.name] = path.stat().st_mtime_ns
    suspects = [unit for unit in units if unit.name in found]
    usual = [unit for unit in units if unit.name not in found]
    return usual, sorted(suspects, key=lambda unit: found[unit.name])


def put_last(out: Path, name: str) -> None:
    """The turn of a suspect has come."""
    with suppress(OSError):
        (out / LOGS / SUSPECTS / name).touch()


def acquit(out: Path, name: str) -> None:
    """A case is no suspect any more."""
    with suppress(OSError):
        (out / LOGS / SUSPECTS / name).unlink(missing_ok=True)


def _is_at_work(path: Path, process: str) -> bool:
    mine = process_name()
    same_machine = process.rpartition(".")[0] == mine.rpartition(".")[0]
    # one of my own name was of another process: containers give all theirs the same number
    return same_machine and process != mine and is_of_a_running_process(path, process)


def _is_done_since(out: Path, name: str, path: Path) -> bool:
    """Whether a case was done after a run took it in hand; if so, its file goes."""
    record = record_path(out, name)
    try:
        later = record.stat().st_mtime_ns >= path.stat().st_mtime_ns
    except OSError:
        return False
    done = later and (read_record(record) or {}).get("status") == "done"
    if done:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return done
