"""
Forks and the threads of Aim: a fork waits while one of these threads holds a lock that the child would need.

The child of a fork has only the thread that forked. A lock that another thread held stays locked in the child for ever.
Importing a module takes such a lock: a worker of a data loader that imports Pillow would hang if a thread of Aim was
importing it during the fork. So these threads take such locks only within `whole()`, and a fork waits until no thread
is within: some milliseconds, `WAIT_S` at most.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from weakref import WeakSet

WAIT_S = 5.0  # a section that takes longer hangs in a disk or a driver; the fork then goes on


class _Gate:
    """Sections may overlap, and a fork waits for all of them but those of its own thread."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.depths: dict[int, int] = {}  # of each thread that is within a section
        self.is_closed = False

    def enter(self) -> None:
        me = threading.get_ident()
        with self.changed:
            while self.is_closed and me not in self.depths:
                self.changed.wait()
            self.depths[me] = self.depths.get(me, 0) + 1

    def leave(self) -> None:
        me = threading.get_ident()
        with self.changed:
            left = self.depths.pop(me, 1) - 1
            if left:
                self.depths[me] = left
            self.changed.notify_all()

    def close(self) -> None:
        me = threading.get_ident()
        self.changed.acquire()
        self.is_closed = True
        self.changed.wait_for(lambda: not set(self.depths) - {me}, timeout=WAIT_S)

    def open(self) -> None:
        self.is_closed = False
        self.changed.notify_all()
        self.changed.release()


_gate = _Gate()


@contextlib.contextmanager
def whole() -> Iterator[None]:
    """
    Keep forks out of a section. Several threads may be in sections at once.

    >>> with whole():
    ...     import json
    """
    _gate.enter()
    try:
        yield
    finally:
        _gate.leave()


class ForkedLock:
    """
    A reentrant lock that is usable in the child of a fork, even when another thread of the parent held it.

    >>> lock = ForkedLock()
    >>> with lock, lock:
    ...     pass
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _forked_locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Become free in the child of a fork, unless the thread that forked holds the lock."""
        if self._lock.acquire(blocking=False):
            self._lock.release()
        else:
            self._lock = threading.RLock()


_forked_locks: WeakSet[ForkedLock] = WeakSet()


def _in_child() -> None:
    _gate.renew()
    for lock in list(_forked_locks):
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_gate.close, after_in_parent=_gate.open, after_in_child=_in_child)
