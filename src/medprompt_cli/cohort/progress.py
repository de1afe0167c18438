"""How far a run is, for somebody who watches."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from medprompt_cli.cohort.outcome import Outcome
from medprompt_cli.cohort.shards import Share
from medprompt_cli.errors import one_line

_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())  # from Python nothing is printed


def is_watched() -> bool:
    """Whether stderr is a terminal: somebody watches, and no log is written."""
    return sys.stderr.isatty()


@contextmanager
def lines_in_a_log() -> Iterator[None]:
    """Print what `log_case` says on stderr, unless that is a terminal, which has a bar."""
    if is_watched():
        yield
        return
    handler = logging.StreamHandler(sys.stderr)
    level = _LOG.level
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOG.setLevel(level)
        _LOG.removeHandler(handler)


def log_share(share: Share, to_do: int) -> None:
    """Log which part of the cohort is done here, before the first image."""
    _LOG.info("%s; %d to do", share, to_do)


def log_others(others: int, out: Path) -> None:
    """Log that other runs work on the same folder, if any do."""
    if others:
        runs = "Another run is" if others == 1 else f"{others} other runs are"
        _LOG.info("%s at work in %s: the work is shared.", runs, out)


def log_apart(name: str) -> None:
    """Log that a case is done alone, and why; also to somebody who watches the bar."""
    _LOG.warning(
        "%s was in hand when an earlier run died: it is done last, in a process of its own.",
        one_line(name),
    )


def log_case(outcome: Outcome, number: int, total: int) -> None:
    """Log what became of an image, the `number`th of `total` that a run works on."""
    if outcome.failure:
        said = f"failed [{outcome.failure.code}]: {one_line(outcome.failure.problem)}"
    else:
        said = f"{outcome.status} {outcome.seconds:.1f} s"
    _LOG.info("[%d/%d] %s %s", number, total, outcome.name, said)


@contextmanager
def case_progress(total: int) -> Iterator[Callable[[bool], None]]:
    """Yield a function to call after each image, saying whether it failed.

    Draws on stderr, and only if that is a terminal: a log file gets no bar.
    """
    bar = Progress(
        TextColumn("images"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not is_watched() or total == 0,
        # Rich would send what others print to stdout through its own console, to stderr.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar, _warnings_above(bar):
        task = bar.add_task("images", total=total, failed=0)
        failures = 0

        def advance(failed: bool) -> None:  # noqa: FBT001 - one flag is all it takes
            nonlocal failures
            failures += failed
            bar.update(task, advance=1, failed=failures)

        yield advance


@contextmanager
def _warnings_above(bar: Progress) -> Iterator[None]:
    """Print warnings above a bar, if it is drawn."""
    if bar.disable:
        yield
        return
    handler = _AboveBar(bar)
    _LOG.addHandler(handler)
    try:
        yield
    finally:
        _LOG.removeHandler(handler)


class _AboveBar(logging.Handler):
    def __init__(self, bar: Progress) -> None:
        super().__init__(logging.WARNING)
        self._console = bar.console

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
