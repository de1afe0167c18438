"""How far an output folder is: read from what lies there, nothing computed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.cohort.agenda import Agenda, current_agenda
from medprompt_cli.cohort.outcome import edited_failure
from medprompt_cli.cohort.records import (
    Basis,
    asked_otherwise,
    basis_of,
    edited_outputs,
    other_results,
    read_record,
    same_images,
    standing,
)
from medprompt_cli.errors import InputError

_Item = tuple[str, Sequence[str]]
"""Name and images of a case."""

Progress = Literal["done", "failed", "todo", "stale"]
PROGRESS: tuple[Progress, ...] = ("done", "failed", "todo", "stale")

SLICE = 100
READERS = 8
"""So many cases are looked at in turn; if that was mostly waiting, as on a network disk, so
many threads do the rest and wait together. Where there is no waiting, threads only get into
each other's way."""

WAITING = 0.5
"""Share of the time from which on it is mostly waiting."""

INCOMPLETE = 75
"""Exit code while something is to be done. Source: BSD sysexits, EX_TEMPFAIL."""


@dataclass(frozen=True)
class CaseStatus:
    """How far one case is.

    Attributes:
        name: Its name, or the path of an image that makes no case.
        progress: done; failed; todo: nothing is there, or not all of it; stale: its result
            is of other prompts or weights, or of an image that has changed since.
        why: Of what is stale or was begun: `prompts`, `weights`, `image`, `interrupted`
            or `removed`; '' otherwise.
        error: Of what failed: code, problem and remedy.
        edited: Its files that somebody changed.
    """

    name: str
    progress: Progress
    why: str = ""
    error: Mapping[str, str] | None = None
    edited: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """How far an output folder is.

    Attributes:
        prompts: What was asked for last.
        cases: One for every case, and every image that makes none.
        others: Results that lie there and are of no case of the last run, with why: of other
            `prompts` or `weights`, or of an image that is `gone`: it was not found, or makes
            no case.
    """

    prompts: tuple[str, ...]
    cases: tuple[CaseStatus, ...]
    others: tuple[CaseStatus, ...] = ()

    def having(self, progress: Progress) -> tuple[CaseStatus, ...]:
        """The cases that are so far."""
        return tuple(case for case in self.cases if case.progress == progress)

    @property
    def exit_code(self) -> int:
        """0 all done; 1 at least one failed; 75 none failed, and some are to be done."""
        reached = {case.progress for case in self.cases}
        if "failed" in reached:
            return 1
        return INCOMPLETE if reached - {"done"} else 0


def status_of(out: Path) -> Status:
    """Look how far a folder is that `segment` writes to; also while it does.

    What counts is what the last run was to do. Images that came later are not known until
    the next run; those that are gone do not count.

    Raises:
        InputError: If no run has begun there.
    """
    agenda = current_agenda(out)
    if agenda is None:
        raise InputError(
            f"{out} holds no run of medprompt segment.",
            remedy="Give the folder that medprompt segment writes to.",
            code="no-run",
        )
    look = _Look(out, agenda, str(out / LOGS))
    found = _looked_at(look, list(agenda.cases.items()))
    refused = [look.refused(refusal) for refusal in agenda.refused]
    cases = tuple(case for case in (*refused, *found) if case)
    return Status(agenda.prompts, cases, tuple(_others(out, agenda)))


def _others(out: Path, agenda: Agenda) -> Iterator[CaseStatus]:
    asked = Basis(-1, -1, agenda.plan, agenda.weights)
    for name, record in other_results(out, agenda.cases):
        why = asked_otherwise(record, asked) or "gone"
        yield CaseStatus(name, "stale", why)


def _looked_at(look: _Look, items: Sequence[_Item]) -> list[CaseStatus | None]:
    """How far the cases are, by threads where that is faster."""
    begin, busy = time.perf_counter(), time.thread_time()
    found = look.cases(items[:SLICE])
    took, busy = time.perf_counter() - begin, time.thread_time() - busy
    if busy > (1 - WAITING) * took:
        return found + look.cases(items[SLICE:])
    slices = [items[start : start + SLICE] for start in range(SLICE, len(items), SLICE)]
    with ThreadPoolExecutor(READERS) as readers:
        return found + [case for cases in readers.map(look.cases, slices) for case in cases]


@dataclass(frozen=True)
class _Look:
    """Looks at the cases of an agenda."""

    out: Path
    agenda: Agenda
    logs: str

    def cases(self, items: Iterable[_Item]) -> list[CaseStatus | None]:
        """How far some cases are."""
        return [self.case(item) for item in items]

    def case(self, item: _Item) -> CaseStatus | None:
        """How far a case is; None if its images are gone and nothing was made of them."""
        name, images = item
        paths = [os.path.join(self.agenda.root, image) for image in images]  # noqa: PTH118 - fast
        basis = basis_of(paths, self.agenda.plan, self.agenda.weights)
        record = read_record(f"{self.logs}/{name}.json")
        if record is None:
            return None if basis.bytes < 0 else CaseStatus(name, "todo")
        if record["status"] == "failed":
            return CaseStatus(name, "failed", error=record.get("error"))
        if record["status"] != "done":
            return CaseStatus(name, "todo", "interrupted")
        return self._made(name, record, basis, paths)

    def _made(
        self, name: str, record: dict[str, Any], basis: Basis, images: Sequence[str]
    ) -> CaseStatus:
        stands = standing(self.out, record, basis, images)
        changed = edited_outputs(self.out, record) if stands in {"edited", "blocked"} else []
        edited = tuple(map(str, changed))
        if stands in {"current", "edited"}:
            return CaseStatus(name, "done", edited=edited)
        if stands == "blocked":  # as the next run will say
            error = edited_failure(edited[0]).as_json()
            return CaseStatus(name, "failed", error=error, edited=edited)
        why = _difference(record, basis, images)
        progress: Progress = "stale" if why else "todo"
        return CaseStatus(name, progress, why or "removed")

    def refused(self, refusal: Mapping[str, str]) -> CaseStatus | None:
        """An image that makes no case; None if it is gone."""
        path = os.path.join(self.agenda.root, refusal["path"])  # noqa: PTH118 - as it was given
        if not os.path.lexists(path):
            return None
        error = {key: refusal[key] for key in ("code", "problem", "remedy")}
        return CaseStatus(refusal["path"], "failed", error=error)


def _difference(record: Mapping[str, Any], basis: Basis, images: Sequence[str]) -> str:
    """What a result depends on that is not what it was; '' if all is as it was."""
    if otherwise := asked_otherwise(record, basis):
        return otherwise
    return "" if same_images(record, basis, images) else "image"
