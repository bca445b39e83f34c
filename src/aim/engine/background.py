"""
A thread that works on something now and then, while others ask.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class BackgroundThread:
    """
    Runs *work* in a thread called *name*, which begins when it is wanted and ends by itself or by `stop`.

    `start`, `is_running` and `ended` are called under a lock of the caller; `stop` and `is_stopped` without it.
    """

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name = name
        self._work = work
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def is_running(self) -> bool:
        """Whether it has begun, and not said `ended`."""
        return self._thread is not None

    def can_start(self) -> bool:
        """Return whether `start` would begin a thread: there is none, and nobody stops it."""
        return self._thread is None and not self._stopping.is_set()

    def start(self) -> None:
        """Begin the thread. The work says `ended` before it returns."""
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    def ended(self) -> None:
        """The work calls this when it looks at nothing any more: from now on another thread can begin."""
        if self._thread is threading.current_thread():
            self._thread = None

    def is_stopped(self, within_s: float) -> bool:
        """The work waits here: return whether it is to end; False: *within_s* have passed."""
        return self._stopping.wait(within_s)

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join()
        self._stopping.clear()
