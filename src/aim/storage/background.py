"""
The thread beside the training, and the ends of processes.

One daemon thread a process syncs every open writer once a second (docs/formats/points.md says what, in which order), so
`track()` never waits for a disk. It also does the last sync of a closing writer, which lets `close()` stop waiting after a
deadline when a disk or network mount hangs.

How a process ends, and what happens:

    return, sys.exit, unhandled exception   atexit closes every open writer; the exception's name is recorded
    end of a multiprocessing child          the same, from multiprocessing's own exit list: such a child skips atexit
    fork                                    the child's writers begin anew at their next record; the parent's go on
    SIGKILL, power cut                      nothing runs; the files are safe by their format
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from types import TracebackType
from typing import Protocol

SYNC_INTERVAL_S = 1.0
CLOSE_DEADLINE_S = 5.0

log = logging.getLogger("aim")


class Open(Protocol):
    """What the thread asks of a writer."""

    def tick(self) -> None:
        """Do a second's work: sync, prepare, give a sign of life. Reports its own disk errors."""

    def finish(self) -> None:
        """Do the last sync and say that the run has ended."""

    def close(self) -> None:
        """End the run; called at the end of the process."""

    def forked(self) -> None:
        """Forget the parent's files; called in the child of a fork."""


class _Background:
    def __init__(self) -> None:
        self.writers: set[Open] = set()
        self.closing: list[tuple[Open, threading.Event]] = []
        self.wake = threading.Event()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.pid = 0
        self.failure: str | None = None

    def run(self) -> None:
        while True:
            self.wake.wait(SYNC_INTERVAL_S)
            self.wake.clear()
            while self.closing:
                writer, done = self.closing.pop(0)
                self._guarded(writer.finish)
                done.set()
            for writer in tuple(self.writers):
                self._guarded(writer.tick)

    def _guarded(self, work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except Exception:  # the one place that may not end: whatever fails here must not end the thread
            log.exception("Aim's background thread met an error; recording goes on.")


_state = _Background()


def register(writer: Open) -> None:
    """Take care of *writer* until `unregister`."""
    with _state.lock:
        _state.writers.add(writer)
        if _state.pid != os.getpid():
            _state.pid = os.getpid()
            _hook_multiprocessing()
        if _state.thread is None or not _state.thread.is_alive():
            _state.thread = threading.Thread(target=_state.run, name="aim-sync", daemon=True)
            try:
                _state.thread.start()
            except RuntimeError:  # the interpreter is ending; `finish` then does the work itself
                _state.thread = None


def unregister(writer: Open) -> None:
    """Take no more care of *writer*."""
    _state.writers.discard(writer)


def finish(writer: Open, deadline_s: float = CLOSE_DEADLINE_S) -> bool:
    """
    Do a writer's last sync; False when the disk has not answered within *deadline_s*: it then goes on in the background.
    """
    unregister(writer)
    thread = _state.thread
    if thread is None or not thread.is_alive() or thread is threading.current_thread():
        writer.finish()
        return True
    done = threading.Event()
    _state.closing.append((writer, done))
    _state.wake.set()
    if done.wait(deadline_s):
        return True
    log.error(
        "Aim: the disk has not taken the end of the run within %.0f s. What was tracked is in the files; "
        "if this process ends now, the run is shown as lost instead of finished.",
        deadline_s,
    )
    return False


def failure() -> str | None:
    """Give the class name of the unhandled exception that is ending this process, if one is."""
    return _state.failure


def close_all() -> None:
    """End every open run of this process."""
    for writer in tuple(_state.writers):
        writer.close()


def _hook_multiprocessing() -> None:
    # a multiprocessing child ends by os._exit after its own list of finalizers, and clears that list when it
    # starts: so this registers when the child first records
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, close_all, exitpriority=100)


def _excepthook(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    _state.failure = kind.__name__
    _previous_hook(kind, value, trace)


def _after_fork_in_child() -> None:
    writers = tuple(_state.writers)
    _state.__init__()  # type: ignore[misc]
    for writer in writers:
        writer.forked()


_previous_hook = sys.excepthook
sys.excepthook = _excepthook
atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
