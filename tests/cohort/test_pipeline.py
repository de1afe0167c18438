"""Reading, working and writing overlap, in order, and within bounds."""

from __future__ import annotations

import threading
import time
import weakref

import pytest

from medprompt_cli.cohort.memory import Demand
from medprompt_cli.cohort.pipeline import Stages, run_overlapped

PATIENCE_S = 10
"""How long a test waits for another thread before it fails."""


class Image:
    """Something heavy: counts how many of its kind are in memory."""

    def __init__(self, alive):
        alive.add(self)


def keep(item, loaded):
    return loaded


def stages(read=lambda item: item, work=keep, write=keep, report=lambda outcome: None):
    return Stages(read, work, write, report)


def test_every_item_passes_every_stage_in_order():
    reported = []
    run_overlapped(
        range(5),
        stages(
            read=lambda item: item + 1,
            work=lambda item, loaded: (item, loaded * 10),
            write=lambda item, worked: (*worked, item),
            report=reported.append,
        ),
    )

    assert reported == [(n, (n + 1) * 10, n) for n in range(5)]


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_items_are_no_work(at_once):
    run_overlapped([], stages(), at_once)


def test_the_next_item_is_read_while_one_is_worked_on():
    reading_next = threading.Event()

    def read(item):
        if item == 1:
            reading_next.set()
        return item

    def work(item, loaded):
        assert reading_next.wait(PATIENCE_S)
        return loaded

    run_overlapped([0, 1], stages(read=read, work=work))


def test_an_item_is_written_while_the_next_is_worked_on():
    working_next = threading.Event()
    written = []

    def work(item, loaded):
        if item == 1:
            working_next.set()
        return loaded

    def write(item, worked):
        if item == 0:
            written.append(working_next.wait(PATIENCE_S))

    run_overlapped([0, 1], stages(work=work, write=write))

    assert written == [True]


def test_two_images_are_in_memory_at_most():
    alive = weakref.WeakSet()
    was_read = [threading.Event() for _ in range(8)]
    most = []

    def read(item):
        image = Image(alive)
        most.append(len(alive))
        was_read[item].set()
        return image

    def work(item, loaded):
        assert was_read[min(item + 1, 7)].wait(PATIENCE_S)
        most.append(len(alive))
        return item

    run_overlapped(range(8), stages(read=read, work=work))

    assert max(most) == 2
    assert len(alive) == 0


class Scale:
    """Weighs what is in memory: an item from its reading until it is written."""

    def __init__(self, demands):
        self.demands, self.now, self.most = demands, {}, 0
        self.changed = threading.Condition()

    def puts(self, item, size):
        with self.changed:
            self.now[item] = size
            self.most = max(self.most, sum(self.now.values()))
            self.changed.notify_all()

    def run(self, limit, read_ahead):
        """Take items through; those of `read_ahead` are waited for one item earlier."""

        def read(item):
            self.puts(item, self.demands[item].read)
            return item

        def work(item, loaded):
            self.puts(item, self.demands[item].work)
            early = item + 1 in read_ahead
            with self.changed:
                there = self.changed.wait_for(
                    lambda: item + 1 in self.now, PATIENCE_S if early else 0.05
                )
            assert there == early, item
            self.puts(item, self.demands[item].write)
            return loaded

        def write(item, worked):
            time.sleep(0.02)
            self.puts(item, 0)

        count = range(len(self.demands))
        weigh = self.demands.__getitem__
        run_overlapped(count, Stages(read, work, write, lambda _: None, weigh, limit))
        assert list(self.now) == list(count)
        return self.most


@pytest.mark.parametrize(
    ("limit", "ahead"),
    [(None, range(1, 5)), (140, range(1, 5)), (120, range(1, 5)), (119, ()), (100, ())],
    ids=["unlimited", "all", "without the last", "no room ahead", "alone"],
)
def test_what_is_in_memory_keeps_within_the_limit(limit, ahead):
    """Reading takes 20, working 100 and writing 20: alone 100, with the next 120."""
    assert 100 <= Scale([Demand(20, 100, 20)] * 5).run(limit, ahead) <= (limit or 140)


def test_a_large_image_holds_back_its_neighbours_only():
    small, large = Demand(10, 20, 10), Demand(10, 100, 10)

    assert Scale([small, small, large, small, small]).run(100, {1, 2, 4}) == 100


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("no device")])
def test_a_write_that_has_begun_is_finished_and_reported(error):
    go_on = threading.Event()
    reported = []

    def work(item, loaded):
        if item == 1:
            go_on.set()
            raise error
        return loaded

    def write(item, worked):
        assert go_on.wait(PATIENCE_S)
        return f"{item} written"

    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        run_overlapped([0, 1, 2], stages(work=work, write=write, report=reported.append))

    assert reported == ["0 written"]


def test_an_error_of_writing_ends_the_run():
    worked = []

    def work(item, loaded):
        worked.append(item)
        return loaded

    def write(item, result):
        raise OSError("disk full")

    with pytest.raises(OSError, match=r"^disk full$"):
        run_overlapped(range(9), stages(work=work, write=write))

    assert len(worked) <= 2


def test_several_items_are_taken_at_once_and_no_more():
    together = threading.Barrier(3)
    lock, inside, most, reported = threading.Lock(), set(), [], []

    def read(item):
        with lock:
            inside.add(item)
            most.append(len(inside))
        return item

    def work(item, loaded):
        together.wait(PATIENCE_S)  # passed by three at a time only
        return loaded * 10

    def write(item, worked):
        with lock:
            inside.remove(item)
        return item, worked

    run_overlapped(range(9), stages(read, work, write, reported.append), at_once=3)

    assert max(most) == 3
    assert sorted(reported) == [(n, n * 10) for n in range(9)]


def test_an_item_that_takes_long_holds_back_no_other():
    others = threading.Event()
    reported = []

    def report(outcome):
        reported.append(outcome)
        if len(reported) == 4:
            others.set()

    def work(item, loaded):
        assert item > 0 or others.wait(PATIENCE_S)
        return loaded

    run_overlapped(range(5), stages(work=work, report=report), at_once=2)

    assert reported[-1] == 0


@pytest.mark.parametrize(("limit", "most"), [(None, 4), (250, 2), (199, 1), (50, 1)])
def test_as_many_items_are_taken_at_once_as_fit(limit, most):
    """Each takes 100 at most, in its network; there are four threads."""
    lock, inside, seen = threading.Lock(), set(), []
    full = threading.Event()

    def read(item):
        with lock:
            inside.add(item)
            seen.append(len(inside))
            if len(inside) == most:
                full.set()
        return item

    def work(item, loaded):
        assert full.wait(PATIENCE_S)
        time.sleep(0.01)  # for one more, if one more would be let in
        return loaded

    def write(item, worked):
        with lock:
            inside.remove(item)

    weigh = [Demand(20, 100, 30)] * 8
    run_overlapped(
        range(8), Stages(read, work, write, lambda _: None, weigh.__getitem__, limit), at_once=4
    )

    assert max(seen) == most


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("no device")])
def test_of_several_items_those_being_written_are_finished_where_the_run_ends(error):
    writing, raised = threading.Event(), threading.Event()
    begun, reported = set(), []

    def read(item):
        begun.add(item)
        if item:
            assert writing.wait(PATIENCE_S)
        return item

    def work(item, loaded):
        if item == 1:
            raised.set()
            raise error
        return loaded

    def write(item, worked):
        writing.set()
        assert raised.wait(PATIENCE_S)
        return item

    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        run_overlapped(range(99), stages(read, work, write, reported.append), at_once=2)

    assert 0 in reported
    assert set(reported) <= begun - {1}
    assert len(begun) < 99
