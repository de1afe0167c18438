"""Stages that overlap: while one image is worked on, its neighbours are read and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
Worked = TypeVar("Worked")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Stages(Generic[Item, Loaded, Worked, Outcome]):
    """What is done with every item, one stage after the other.

    A stage that raises ends the run: what only concerns one item is passed on as a value.

    Attributes:
        read: In a thread, one item ahead of the work.
        work: In the calling thread.
        write: In a thread, one item behind the work.
        report: In the calling thread, with what `write` returned, in the order of items.
    """

    read: Callable[[Item], Loaded]
    work: Callable[[Item, Loaded], Worked]
    write: Callable[[Item, Worked], Outcome]
    report: Callable[[Outcome], None]


def run_overlapped(
    items: Sequence[Item], stages: Stages[Item, Loaded, Worked, Outcome]
) -> None:
    """Take every item through the stages; never more than two are loaded at a time.

    Whatever stops the run, a write that has begun is finished and reported first.
    """
    with (
        ThreadPoolExecutor(1, thread_name_prefix="read") as reader,
        ThreadPoolExecutor(1, thread_name_prefix="write") as writer,
    ):
        reading = [reader.submit(stages.read, item) for item in items[:1]]
        writing: list[Future[Outcome]] = []
        try:
            for n, item in enumerate(items):
                loaded = reading.pop().result()
                reading += [reader.submit(stages.read, item) for item in items[n + 1 : n + 2]]
                worked = stages.work(item, loaded)
                del loaded  # before the image after the next is read
                while writing:
                    stages.report(writing.pop().result())
                writing.append(writer.submit(stages.write, item, worked))
                del worked
        finally:
            while writing:
                stages.report(writing.pop().result())
