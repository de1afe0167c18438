"""The turn of each case: whether it is still to be done, and whether there is room for it.

Several runs may work on one output folder at once. They share the work: each looks, when a
case's turn comes, whether another run has done it since, and those that begin while another is
at work begin at other places. A case that two do at the same time comes out once, whole: both
write the same bytes, and a file gets its name when it is complete.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medprompt_cli.bids.atomic import is_of_a_running_process, process_name, write_file
from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.cohort.case import CaseRunner, Loaded, Worked
from medprompt_cli.cohort.memory import Allowance, check_fits
from medprompt_cli.cohort.outcome import Outcome
from medprompt_cli.cohort.units import Unit, make_unit
from medprompt_cli.errors import InputError, UsageError, one_line

RUNNING = "running"
"""Folder below the records where every run has a file while it lasts."""


@dataclass(frozen=True)
class Turns:
    """The stages of a case, for `run_overlapped`, where it is to be done at all.

    Attributes:
        runner: Does it.
        limit: What all images in memory may take.
        force: Whether it is done again though it is done.
        thorough: Whether images' contents say that it is done, not their size and time alone.
        kept: The outcome of a case that is done.
    """

    runner: CaseRunner
    limit: Allowance
    force: bool
    thorough: bool
    kept: Callable[[Unit], Outcome]

    def read(self, unit: Unit) -> Loaded | Outcome:
        """Load the images, unless another run has done the case, or there is no room for it."""
        known = self.known(unit)
        return self.runner.read(unit) if known is None else known

    def known(self, unit: Unit) -> Loaded | Outcome | None:
        """What can be said of a case before it is read; None if it is to be read."""
        now = make_unit(
            self.runner.out,
            unit.sources,
            unit.basis.plan,
            unit.basis.weights,
            thorough=self.thorough,
        )
        if not self.force and now.standing in {"current", "edited"}:
            return self.kept(now)
        try:
            check_fits(unit.sources, self.limit)
        except InputError as error:
            return Loaded(error, 0.0)
        return None

    def work(self, unit: Unit, loaded: Loaded | Outcome) -> Worked | Outcome:
        """Run the network."""
        return loaded if isinstance(loaded, Outcome) else self.runner.work(unit, loaded)

    def write(self, unit: Unit, worked: Worked | Outcome) -> Outcome:
        """Measure and write the result."""
        return worked if isinstance(worked, Outcome) else self.runner.write(unit, worked)


@dataclass(frozen=True)
class Announced:
    """What a run is at work on.

    Attributes:
        share: Its part of the cohort, in words; `None` for all.
        basis: Hash of what it asks for and with which weights.
        prompts: The person's words.
    """

    share: str
    basis: str
    prompts: str

    def text(self, began: int) -> str:
        """What the file of a run says that began then, in nanoseconds."""
        return "\n".join([f"{began} {self.share}", self.basis, one_line(self.prompts)])


@contextmanager
def announced(out: Path, mine: Announced) -> Iterator[int]:
    """Say that a run is at work, as long as it is; yield how many began before on its share.

    Of those only the order of work follows: whatever a killed run leaves there does no harm.

    Raises:
        UsageError: If a run that began before asks for something else: both would write the
            same files, and the folder would hold some answers of each.
    """
    folder = out / LOGS / RUNNING
    path = folder / f"{process_name()}.run"
    began = time.time_ns()
    write_file(path, mine.text(began).encode())
    try:
        earlier = [run for run in _runs(folder) if run[:2] < (began, path.name)]
        for _, name, other in earlier:
            if other.basis != mine.basis:
                raise UsageError(
                    f"Another run is at work in {out}, with other prompts or weights:"
                    f" {other.prompts}.",
                    remedy="Wait until it ends, or give another output folder. If it is no"
                    f" more, remove {folder / name}.",
                )
        yield sum(other.share == mine.share for _, _, other in earlier)
    finally:
        path.unlink(missing_ok=True)


def _runs(folder: Path) -> Iterator[tuple[int, str, Announced]]:
    """When each run began, in nanoseconds, the name of its file, and what it is at work on."""
    for path in folder.glob("*.run"):
        try:
            first, *rest = path.read_text().split("\n")
        except (OSError, UnicodeDecodeError):
            continue
        began, _, share = first.partition(" ")
        if not is_of_a_running_process(path, path.stem):
            path.unlink(missing_ok=True)
        elif began.isdigit() and len(rest) == len(("basis", "prompts")):
            yield int(began), path.name, Announced(share, *rest)


def in_turn(units: Sequence[Unit], others: int) -> list[Unit]:
    """The order of a run that `others` have begun before: as it is, from the end, by chance."""
    if others == 0:
        return list(units)
    if others == 1:
        return list(units)[::-1]
    mixed = list(units)
    random.Random(os.getpid()).shuffle(mixed)
    return mixed
