"""
The thread beside the training: what it does, what it survives, and how runs end with their process.

The ends of real processes are in tests/crash/test_exits.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from aim.storage.recording import background
from aim.storage.recording.event_lines import EventLines

DEADLINE_S = 60


class Worker:
    """A writer to look after: it counts what it is asked for, and does what the test says."""

    lines: EventLines  # none: only the end of a process asks for them

    def __init__(self) -> None:
        self.ticked = threading.Event()
        self.calls: list[str] = []
        self.on_tick: Callable[[], None] = lambda: None
        self.on_finish: Callable[[], None] = lambda: None

    def tick(self) -> None:
        """A second's work."""
        self.calls.append("tick")
        self.ticked.set()
        self.on_tick()

    def finish(self) -> None:
        """The last sync."""
        self.calls.append("finish")
        self.on_finish()

    def close(self, error: str | None, deadline_s: float, *, wait: bool) -> None:
        """The end of the process."""
        self.calls.append(f"close {error}")
        background.finish(self, deadline_s, wait=wait)

    def forked(self) -> None:
        """A fork."""
        self.calls.append("forked")


@pytest.fixture(name="state")
def _state(monkeypatch: pytest.MonkeyPatch) -> Iterator[background._Background]:
    """
    A thread of this test's own, that ticks as often as it can.
    """
    state = background._Background()
    monkeypatch.setattr(background, "_state", state)
    monkeypatch.setattr(background, "SYNC_INTERVAL_S", 0.0)
    yield state
    state.writers.clear()
    monkeypatch.setattr(background, "SYNC_INTERVAL_S", 3600.0)  # the thread stays, as daemons do, and sleeps


@pytest.mark.usefixtures("state")
def test_a_registered_writer_is_ticked_until_it_is_unregistered() -> None:
    """
    The thread does the second's work of each writer that it knows.
    """
    worker, other = Worker(), Worker()
    background.register(worker)
    background.register(other)
    assert worker.ticked.wait(DEADLINE_S)
    assert other.ticked.wait(DEADLINE_S)
    background.unregister(worker)
    background.unregister(worker)
    other.ticked.clear()
    assert other.ticked.wait(DEADLINE_S)
    other.ticked.clear()
    assert other.ticked.wait(DEADLINE_S)
    count = len(worker.calls)
    other.ticked.clear()
    assert other.ticked.wait(DEADLINE_S)

    assert count == len(worker.calls)
    background.unregister(other)


def test_an_error_is_said_once_and_ends_nothing(
    state: background._Background, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Whatever a writer raises, the thread goes on with it and with the others, and says it once.
    """
    bad, good = Worker(), Worker()

    def fail() -> None:
        raise ZeroDivisionError("of the test")

    bad.on_tick = fail
    background.register(bad)
    background.register(good)
    for _ in range(5):
        for worker in (bad, good):
            worker.ticked.clear()
            assert worker.ticked.wait(DEADLINE_S)

    assert ["recording goes on" in record.getMessage() for record in caplog.records] == [True]
    assert caplog.records[0].exc_info is not None
    assert {logging.ERROR} == {record.levelno for record in caplog.records}
    assert state.thread is not None
    assert state.thread.is_alive()


@pytest.mark.usefixtures("state")
def test_a_finished_writer_is_finished_once_by_the_thread() -> None:
    """
    The last sync is done beside the caller, who waits for it, and no second's work comes after it.
    """
    worker = Worker()
    threads: list[threading.Thread] = []
    worker.on_finish = lambda: threads.append(threading.current_thread())
    background.register(worker)
    assert background.finish(worker, DEADLINE_S)

    assert ["aim-sync"] == [thread.name for thread in threads]
    assert 1 == worker.calls.count("finish")
    assert "finish" == worker.calls[-1]
    assert background.wait_for(worker, 0.0)


def test_without_a_thread_the_caller_finishes(state: background._Background) -> None:
    """
    Where no thread works, or the caller is that thread, the last sync is done at once.
    """
    worker, inner = Worker(), Worker()
    state.writers.add(worker)
    assert background.finish(worker, 0.0)
    assert ["finish"] == worker.calls
    worker.on_tick = lambda: None if inner.calls else inner.calls.append(str(background.finish(inner, 0.0)))
    worker.calls.clear()
    background.register(worker)
    assert worker.ticked.wait(DEADLINE_S)
    until_s = time.monotonic() + DEADLINE_S
    while len(inner.calls) < 2 and time.monotonic() < until_s:
        pass

    assert ["finish", "True"] == inner.calls[:2]


def test_a_writer_that_hangs_is_waited_for_until_the_deadline(
    state: background._Background, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Beyond the deadline the caller goes on, with one message; the work goes on too.
    """
    answer = threading.Event()
    worker = Worker()
    worker.on_finish = lambda: assert_waited(answer)
    background.register(worker)
    begun_s = time.monotonic()
    assert not background.finish(worker, 0.1)
    assert not background.wait_for(worker, 0.0)
    took_s = time.monotonic() - begun_s
    answer.set()

    assert background.wait_for(worker, DEADLINE_S)
    assert took_s >= 0.1
    assert 2 == len([record for record in caplog.records if "the disk has not taken the end" in record.getMessage()])
    assert {} == state.pending


def assert_waited(event: threading.Event) -> None:
    """Wait for *event*."""
    assert event.wait(DEADLINE_S)


def test_the_end_of_a_process_closes_every_writer(state: background._Background) -> None:
    """
    All writers are closed with the reason of the end, and the end waits for their last syncs.
    """
    workers = [Worker() for _ in range(5)]
    for worker in workers:
        background.register(worker)
    background.close_all("ValueError")

    for worker in workers:
        assert "close ValueError" in worker.calls
        assert "finish" == worker.calls[-1]
    assert set() == state.writers
    background.close_all()


@pytest.mark.usefixtures("state")
def test_the_end_of_a_process_waits_for_closes_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A run that another thread is closing is not cut off by the end of the process.
    """
    answer, asked = threading.Event(), threading.Event()
    worker = Worker()

    def hang() -> None:
        asked.set()
        assert_waited(answer)

    worker.on_finish = hang
    background.register(worker)
    background.finish(worker, 0.0, wait=False)
    assert asked.wait(DEADLINE_S)
    ended: list[float] = []
    end = threading.Thread(target=lambda: ended.append(background.close_all() or 1.0))  # type: ignore[func-returns-value]
    monkeypatch.setattr(background, "CLOSE_DEADLINE_S", float(DEADLINE_S))
    end.start()
    end.join(0.05)
    assert [] == ended
    answer.set()
    end.join(DEADLINE_S)

    assert [1.0] == ended


def test_a_fork_leaves_the_child_nothing_to_do(state: background._Background) -> None:
    """
    In the child no writer is looked after and no thread is there; each writer is told.
    """
    worker = Worker()
    background.register(worker)
    background._after_fork_in_child()

    assert "forked" in worker.calls
    in_child = background._state
    assert (set(), {}, None) == (in_child.writers, in_child.pending, in_child.thread)
