"""
The life of a writer: its states, what leads from one to the next, and the lock for rare work.

    state      a record            fork, in the child   the run was deleted   close()             the last sync
    OPEN       is stored           FORKED               GONE                  CLOSING
    FORKED     begins files: OPEN  FORKED                                     CLOSED
    GONE       counts as lost      FORKED                                     CLOSED
    CLOSING    raises RunClosed    CLOSED                                                         CLOSED
    CLOSED     raises RunClosed    CLOSED

At the end of the process a record raises nothing in CLOSING and CLOSED: what threads and `__del__` record then is left
out, with one warning.

Rule 1: the state changes under `lock`, except for `close()`: a thread that hangs in the disk may hold the lock, and the
end does not wait for it.
"""

from __future__ import annotations

import contextlib
import enum
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

from aim.core.errors import RunClosed
from aim.core.logs import log
from aim.storage.recording import background

TURN_WAIT_S = 1.0  # a change of state takes microseconds; a thread that was stopped for ever within one is not awaited


class WriterState(enum.Enum):
    """The state of a writer; see above."""

    OPEN = enum.auto()
    FORKED = enum.auto()
    GONE = enum.auto()
    CLOSING = enum.auto()
    CLOSED = enum.auto()


class Turn(enum.Enum):
    """What leads from one state to another."""

    BEGIN = enum.auto()
    FORK = enum.auto()
    DELETE = enum.auto()
    CLOSE = enum.auto()
    FINISH = enum.auto()


NEXT = {
    (WriterState.OPEN, Turn.FORK): WriterState.FORKED,
    (WriterState.OPEN, Turn.DELETE): WriterState.GONE,
    (WriterState.OPEN, Turn.CLOSE): WriterState.CLOSING,
    (WriterState.FORKED, Turn.BEGIN): WriterState.OPEN,
    (WriterState.FORKED, Turn.FORK): WriterState.FORKED,
    (WriterState.FORKED, Turn.CLOSE): WriterState.CLOSED,
    (WriterState.GONE, Turn.FORK): WriterState.FORKED,
    (WriterState.GONE, Turn.CLOSE): WriterState.CLOSED,
    (WriterState.CLOSING, Turn.FORK): WriterState.CLOSED,
    (WriterState.CLOSING, Turn.FINISH): WriterState.CLOSED,
    (WriterState.CLOSED, Turn.FORK): WriterState.CLOSED,
}


class Lifecycle:
    """
    The state of one writer.

    Attributes:
        lock: held for what is rare, such as declaring, a new segment, event lines and closing. It is reentrant, since a
            signal handler may track.

    Args:
        begin_again: begins the files of this process in the child of a fork; returns whether it could.
    """

    def __init__(self, run_hash: str, begin_again: Callable[[], bool]) -> None:
        self._run_hash = run_hash
        self._begin_again = begin_again
        self._has_warned = False
        self._late_thread = 0
        self.state = WriterState.OPEN
        self._make_locks()

    def _make_locks(self) -> None:
        self.lock = threading.RLock()
        self._turning = threading.RLock()

    @property
    def is_closed(self) -> bool:
        """Whether `close()` was called."""
        return self.state is WriterState.CLOSING or self.state is WriterState.CLOSED

    def take(self, turn: Turn) -> bool:
        """Go on to the next state; return False, and stay, where *turn* leads nowhere."""
        has_turn = self._turning.acquire(timeout=TURN_WAIT_S)
        try:
            state = NEXT.get((self.state, turn))
            if state is None:
                return False
            self.state = state
            return True
        finally:
            if has_turn:
                self._turning.release()

    def fork(self) -> None:
        """In the child of a fork: a thread of the parent may have held a lock, so make new ones."""
        self._make_locks()
        self.take(Turn.FORK)

    def admits(self) -> bool:
        """
        Return whether something may be recorded now; in the child of a fork begin its files first.

        Raises:
            RunClosed: the run was closed, and the process goes on.
        """
        if self.state is WriterState.OPEN or self.state is WriterState.GONE:
            return True
        if self.state is WriterState.FORKED:
            with self.lock:
                return self.state is not WriterState.FORKED or self._begin_again()
        if self._late_thread == threading.get_ident():
            return True
        return not self.is_left_out() and self._refuse()

    @contextlib.contextmanager
    def admitting_late(self) -> Iterator[None]:
        """Admit, within the context and to this thread, records though the run has ended: see takeover.py."""
        self._late_thread = threading.get_ident()
        try:
            yield
        finally:
            self._late_thread = 0

    def check_open(self) -> None:
        """Raise `RunClosed` after `close()`; in the child of a fork begin its files."""
        if not self.admits() and self.is_closed:
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise RunClosed(
            f"Run {self._run_hash} was closed: nothing can be recorded after close(). "
            f"Resume it with Run({self._run_hash!r})."
        )

    def is_left_out(self) -> bool:
        """
        Return whether what comes now is left out: the run is closed and the process is ending.

        It takes no lock, which a thread that was stopped for ever may hold.
        """
        if not self.is_closed or not background.is_ending():
            return False
        if not self._has_warned and not sys.is_finalizing():
            self._has_warned = True
            log.warning(
                "Aim: run %s has ended with the process; what threads and __del__ record now is left out.",
                self._run_hash,
            )
        return True
