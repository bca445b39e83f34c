"""
A thread that works now and then.
"""

from __future__ import annotations

import threading

from aim.engine.background import BackgroundThread


class Work:
    """Work that goes on until it is stopped, or told to end."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.end = threading.Event()
        self.thread = BackgroundThread("aim-test", self._run)

    def _run(self) -> None:
        self.begun.release()
        while not self.end.is_set() and not self.thread.is_stopped(0.001):
            pass
        self.thread.ended()


def test_it_begins_again_after_it_was_stopped() -> None:
    """
    While it runs no other one can begin; `stop` waits for its end, after which another one can.
    """
    work = Work()
    for _ in range(2):
        assert work.thread.can_start()
        work.thread.start()
        work.begun.acquire()
        assert (True, False) == (work.thread.is_running, work.thread.can_start())
        work.thread.stop()
        assert not work.thread.is_running


def test_it_may_end_by_itself() -> None:
    """
    What it was begun for is done; to stop it then is nothing.
    """
    work = Work()
    work.end.set()
    work.thread.start()
    work.thread.stop()

    assert work.thread.can_start()
