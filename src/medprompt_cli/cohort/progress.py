"""How far a run is, for somebody who watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


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
        disable=not sys.stderr.isatty() or total == 0,
        # Rich would send what others print to stdout through its own console, to stderr.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar:
        task = bar.add_task("images", total=total, failed=0)
        failures = 0

        def advance(failed: bool) -> None:  # noqa: FBT001 - one flag is all it takes
            nonlocal failures
            failures += failed
            bar.update(task, advance=1, failed=failures)

        yield advance
