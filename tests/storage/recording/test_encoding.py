"""
The queue of objects whose bytes are still to be made, and the services of a writer.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from aim.core.errors import RunClosed
from aim.storage.recording import encoding
from aim.storage.recording.encoding import EncodingQueue
from aim.storage.recording.services import Services

WAIT_S = 180.0


def hand_in(waiting: encoding.EncodingQueue, held_bytes: int, work: Callable[[], object]) -> None:
    """Hand in objects whose storing does *work*."""
    waiting.add(held_bytes, list, lambda made, claim: work())


def test_work_is_done_by_another_thread_in_the_order_given() -> None:
    """
    The caller goes on at once; what it gave is done one after the other.
    """
    waiting = EncodingQueue("run")
    may_begin = threading.Event()
    done: list[object] = []

    def first() -> None:
        may_begin.wait(WAIT_S)
        done.append(threading.current_thread().name)

    hand_in(waiting, 1, first)
    for number in range(5):
        hand_in(waiting, 1, functools.partial(done.append, number))
    assert ([], 6) == (done, waiting.count)
    may_begin.set()

    assert waiting.wait_until_done()
    assert (["aim-encode", 0, 1, 2, 3, 4], 0) == (done, waiting.count)


@pytest.mark.parametrize(("held_bytes", "count"), [(1, encoding.WAITING_MAX), (encoding.HELD_BYTES_MAX // 4, 4)])
def test_when_too_much_waits_the_caller_does_the_work(held_bytes: int, count: int) -> None:
    """
    Beyond the bound of count or memory the caller's own thread makes the bytes, and nothing more waits.
    """
    waiting = EncodingQueue("run")
    may_end, threads = threading.Event(), []
    for _ in range(count):
        hand_in(waiting, held_bytes, lambda: may_end.wait(WAIT_S))
    hand_in(waiting, held_bytes, lambda: threads.append(threading.current_thread()))

    assert ([threading.current_thread()], count) == (threads, waiting.count)
    may_end.set()
    assert waiting.wait_until_done()


def test_what_is_given_while_somebody_waits_is_not_waited_for() -> None:
    """
    The end of a run waits for what was given until then, though other threads go on tracking objects without end.
    """
    waiting = EncodingQueue("run")
    has_ended = threading.Event()
    done: list[str] = []

    def again() -> None:
        if not has_ended.is_set():
            hand_in(waiting, 1, again)

    again()
    hand_in(waiting, 1, lambda: done.append("given before"))
    waiter = threading.Thread(target=waiting.stop, args=(WAIT_S,), daemon=True)
    waiter.start()
    waiter.join(WAIT_S / 3)
    is_over = not waiter.is_alive()
    has_ended.set()
    waiter.join()

    assert (["given before"], True) == (done, is_over)


def test_after_the_end_the_caller_does_the_work_and_hears_what_is_wrong() -> None:
    """
    An object that is tracked while its run ends is recorded at once, or refused to the one who tracks it.
    """

    def refuse() -> NoReturn:
        raise RunClosed("the run was closed")

    waiting = EncodingQueue("run")
    waiting.stop(WAIT_S)
    done: list[str] = []
    hand_in(waiting, 1, lambda: done.append("at once"))

    assert ["at once"] == done
    with pytest.raises(RunClosed, match="the run was closed"):
        hand_in(waiting, 1, refuse)


def test_one_object_of_any_size_may_wait() -> None:
    """
    An object that alone is beyond the bound waits like any other: only what is added to it would be too much.
    """
    waiting = EncodingQueue("run")
    threads: list[str] = []
    hand_in(waiting, encoding.HELD_BYTES_MAX * 2, lambda: threads.append(threading.current_thread().name))

    assert waiting.wait_until_done()
    assert ["aim-encode"] == threads


def test_a_failure_is_reported_once_and_the_rest_is_done(caplog: pytest.LogCaptureFixture) -> None:
    """
    What can't be made is said once for each kind of error; what comes after it is made.
    """
    waiting = EncodingQueue("3df703c")
    done: list[int] = []
    for _ in range(3):
        hand_in(waiting, 1, lambda: 1 // 0)
    hand_in(waiting, 1, lambda: done.append(1))

    assert waiting.wait_until_done()
    assert ([1], 1) == (done, caplog.text.count("an object of run 3df703c can't be stored"))


def test_the_end_waits_as_long_as_there_is_progress(caplog: pytest.LogCaptureFixture) -> None:
    """
    `stop` gives up only when nothing was finished for its deadline, and says how much is lost.
    """
    waiting = EncodingQueue("3df703c")
    may_end = threading.Event()
    hand_in(waiting, 1, lambda: may_end.wait(WAIT_S))
    hand_in(waiting, 1, lambda: None)
    waiting.stop(0.05)

    assert "2 objects of run 3df703c could not be written in time" in caplog.text
    may_end.set()
    assert waiting.wait_until_done()


def test_the_thread_itself_never_waits_for_itself() -> None:
    """
    A run that a garbage collection in the encoding thread closes does not make the thread wait for ever.
    """
    waiting = EncodingQueue("run")
    answers: list[bool] = []
    hand_in(waiting, 1, lambda: answers.append(waiting.wait_until_done()))

    assert waiting.wait_until_done(WAIT_S)
    assert [False] == answers


class Member:
    """A service that writes down what it is asked."""

    def __init__(self, name: str, calls: list[Any], fails: bool = False) -> None:
        self.name = name
        self.calls = calls
        self.fails = fails

    def _do(self, what: str) -> None:
        self.calls.append(f"{self.name} {what}")
        if self.fails:
            raise RuntimeError(self.name)

    def record_pending(self, *, wait: bool) -> None:
        """Write it down."""
        self._do(f"feed {wait}")

    def stop(self, deadline_s: float) -> None:
        """Write it down."""
        self._do("stop")

    def forked(self) -> None:
        """Write it down."""
        self._do("forked")


def test_services_are_stopped_the_other_way_round() -> None:
    """
    What was added first is fed first and stopped last, once.
    """
    calls: list[str] = []
    services = Services()
    services.add(Member("a", calls))
    services.add(Member("b", calls))
    services.record_pending()
    services.record_pending(wait=True)
    services.stop(1.0)
    services.stop(1.0)
    services.record_pending()

    assert ["a feed False", "b feed False", "a feed True", "b feed True", "b stop", "a stop"] == calls


def test_a_failing_service_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """
    What one raises is logged once for each kind of error; the others go on.
    """
    calls: list[str] = []
    services = Services()
    services.add(Member("a", calls, fails=True))
    services.add(Member("b", calls))
    services.record_pending()
    services.record_pending()
    services.stop(1.0)

    assert ["a feed False", "b feed False"] * 2 + ["b stop", "a stop"] == calls
    assert 1 == len([record for record in caplog.records if record.levelno == logging.ERROR])


def test_after_a_fork_there_are_no_services() -> None:
    """
    In the child each is told, and then forgotten.
    """
    calls: list[str] = []
    services = Services()
    services.add(Member("a", calls))
    services.forked()
    services.record_pending()

    assert ["a forked"] == calls
