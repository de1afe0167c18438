"""Stages that overlap: while one image is worked on, its neighbours are read and written.

Where the network fills all cores, one image is worked on at a time, the next is read ahead and
the last written behind. Before a GPU, which is done with an image much sooner than a core is
with reading, measuring and writing it, whole images are taken in several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

from medprompt_cli.cohort.memory import Demand

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
Worked = TypeVar("Worked")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Stages(Generic[Item, Loaded, Worked, Outcome]):
    """What is done with every item, one stage after the other.

    A stage that raises ends the run: what only concerns one item is passed on as a value.

    Attributes:
        read: In a thread, ahead of the work.
        work: In the calling thread, or in a thread where several items are taken at once.
        write: In a thread, behind the work.
        report: In the calling thread, with what `write` returned: in the order of items, or as
            they end where several are taken at once.
        demand: What an item takes; asked for once, before it is read.
        limit: Bytes that all items in memory may take together; None for no limit.
    """

    read: Callable[[Item], Loaded]
    work: Callable[[Item, Loaded], Worked]
    write: Callable[[Item, Worked], Outcome]
    report: Callable[[Outcome], None]
    demand: Callable[[Item], Demand] = lambda item: Demand(0, 0, 0)  # noqa: ARG005 - of any
    limit: int | None = None

    def fit(self, *demands: int) -> bool:
        """Whether so much may be in memory at a time."""
        return self.limit is None or sum(demands) <= self.limit


def run_overlapped(
    items: Sequence[Item], stages: Stages[Item, Loaded, Worked, Outcome], at_once: int = 1
) -> None:
    """Take every item through the stages, `at_once` of them at a time, begun in their order.

    Whatever stops the run, a write that has begun is finished and reported first.
    """
    if at_once == 1:
        _one_at_a_time(items, stages)
    else:
        _several(items, stages, at_once)


def _one_at_a_time(
    items: Sequence[Item], stages: Stages[Item, Loaded, Worked, Outcome]
) -> None:
    """Work in the calling thread; never more than two items are loaded at a time.

    Where an item, the next and the last take more together than may be in memory, the last is
    written first; where the two that are left do, the next is not read ahead.
    """
    with (
        ThreadPoolExecutor(1, thread_name_prefix="read") as reader,
        ThreadPoolExecutor(1, thread_name_prefix="write") as writer,
    ):
        reading: list[Future[Loaded]] = []
        writing: list[Future[Outcome]] = []

        def wait_for_write() -> None:
            while writing:
                stages.report(writing.pop().result())

        try:
            written = Demand(0, 0, 0)
            needs = [stages.demand(item) for item in items[:1]]
            for n, item in enumerate(items):
                need = needs.pop()
                needs = [stages.demand(later) for later in items[n + 1 : n + 2]]
                ahead = sum(later.read for later in needs)
                if not stages.fit(max(need.read, need.work), ahead, written.write):
                    wait_for_write()
                if not reading:
                    reading.append(reader.submit(stages.read, item))
                loaded = reading.pop().result()
                if stages.fit(need.work, ahead):
                    reading += [
                        reader.submit(stages.read, later) for later in items[n + 1 : n + 2]
                    ]
                worked = stages.work(item, loaded)
                del loaded  # before the image after the next is read
                wait_for_write()
                writing.append(writer.submit(stages.write, item, worked))
                written = need
                del worked
        finally:
            wait_for_write()


def _several(
    items: Sequence[Item], stages: Stages[Item, Loaded, Worked, Outcome], at_once: int
) -> None:
    """Take whole items in threads; one that does not fit beside the others waits for them."""
    ending = Event()

    def whole(item: Item) -> Outcome:
        loaded = stages.read(item)
        _unless(ending)
        worked = stages.work(item, loaded)
        del loaded
        _unless(ending)
        return stages.write(item, worked)

    taken: dict[Future[Outcome], int] = {}

    def report_one() -> None:
        first = next(iter(wait(taken, return_when=FIRST_COMPLETED).done))
        del taken[first]
        stages.report(first.result())

    with ThreadPoolExecutor(at_once, thread_name_prefix="case") as threads:
        try:
            for item in items:
                need = stages.demand(item).most
                while taken and not (
                    len(taken) < at_once and stages.fit(need, *taken.values())
                ):
                    report_one()
                taken[threads.submit(whole, item)] = need
            while taken:
                report_one()
        except BaseException:
            ending.set()
            while taken:
                with suppress(Exception):  # the one that ended the run is told
                    report_one()
            raise


def _unless(ending: Event) -> None:
    """Drop an item in the middle where the run ends."""
    if ending.is_set():
        raise CancelledError
