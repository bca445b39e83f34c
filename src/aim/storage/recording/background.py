"""
The thread beside the training, and the ends of processes.

One daemon thread a process syncs every open writer once a second (docs/formats/points.md says what, in which order),
so `track()` never waits for a disk. It also does the last sync of a closing writer, which lets `close()` stop waiting
after a deadline when a disk or network mount hangs.

How a process ends, and what happens:

    return, sys.exit, unhandled exception   atexit closes every open writer; process_end.py knows how it ended
    end of a multiprocessing child          the same, from multiprocessing's own exit list: such a child skips atexit
    fork                                    the child's writers begin anew at their next record; the parent's go on
    SIGKILL, power cut                      nothing runs; the files are safe by their format

At the end of the process all writers share one deadline, however many they are.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from aim.core.logs import log
from aim.core.shield import shielded
from aim.storage.recording import process_end

if TYPE_CHECKING:
    from aim.storage.recording.event_lines import EventLines

SYNC_INTERVAL_S = 1.0
CLOSE_DEADLINE_S = 5.0


class OpenWriter(Protocol):
    """A writer, as this module uses it."""

    def tick(self) -> None:
        """Do a second's work: sync, prepare, send a heartbeat. It reports its own disk errors."""

    def finish(self) -> None:
        """Do the last sync and write the end of the run."""

    def close(self, error: str | None, deadline_s: float, *, wait: bool) -> None:
        """End the run at the end of the process; without *wait*, let the thread do its last sync."""

    def forked(self) -> None:
        """Forget the parent's files; called in the child of a fork."""

    @property
    def lines(self) -> EventLines:
        """Its event lines."""


class Companion(Protocol):
    """What works beside the writers of this process, in a thread of its own."""

    def begin(self) -> None:
        """Begin: a writer of this process, or of this child of a fork, begins to record."""

    def end(self) -> None:
        """End: all writers have ended, and the process is about to."""


class _Background:
    def __init__(self) -> None:
        self.writers: set[OpenWriter] = set()
        self.closing: list[OpenWriter] = []  # writers whose end the thread has still to do
        self.pending: dict[OpenWriter, threading.Event] = {}  # set when the writer is finished
        self.wake = threading.Event()
        # reentrant: a garbage collection within a locked part may close a run
        self.lock = threading.RLock()
        self.thread: threading.Thread | None = None
        self.pid = 0
        self.faults: set[type] = set()
        self.is_ending = False

    def run(self) -> None:
        while True:
            self.wake.wait(SYNC_INTERVAL_S)
            self.wake.clear()
            self.finish_all()
            with self.lock:
                writers = list(self.writers)
            for writer in writers:
                if writer in self.writers:  # it may have been finished meanwhile
                    self._guarded(writer.tick)
                self.finish_all()  # a close does not wait for the other runs' disks

    def finish_all(self) -> None:
        while self.closing:
            self.finish_one(self.closing[0])

    def finish_one(self, writer: OpenWriter) -> None:
        with self.lock:
            if writer in self.closing:
                self.closing.remove(writer)
        self._guarded(writer.finish)
        with self.lock:
            done = self.pending.pop(writer, None)
        if done is not None:
            done.set()

    def _guarded(self, work: Callable[[], None]) -> None:
        shielded(work, self.report)  # no failure here may end the thread

    def report(self, error: Exception) -> None:
        """Log an error of a kind for the first time."""
        if type(error) not in self.faults:
            self.faults.add(type(error))
            log.error("Aim's background thread met an error; recording goes on.", exc_info=error)

    def works(self) -> bool:
        """Return whether the thread can be waited for."""
        thread = self.thread
        return (
            thread is not None
            and thread.is_alive()
            and thread is not threading.current_thread()
            and not sys.is_finalizing()  # daemon threads do not run any more
        )


_state = _Background()
_companions: list[Companion] = []


def accompany(companion: Companion) -> None:
    """Begin and end *companion* with the writers of this process, and of children of a fork."""
    _companions.append(companion)


def register(writer: OpenWriter) -> None:
    """Tick *writer* once a second until `unregister`, and end it with the process."""
    with _state.lock:
        _state.writers.add(writer)
        if _state.pid != os.getpid():
            _state.pid = os.getpid()
            process_end.watch()
            _hook_multiprocessing()
        if _state.thread is None or not _state.thread.is_alive():
            _state.thread = threading.Thread(target=_state.run, name="aim-sync", daemon=True)
            try:
                _state.thread.start()
            except RuntimeError:  # the interpreter is ending: `finish` then does the work itself
                _state.thread = None
    for companion in _companions:
        shielded(companion.begin, _state.report)


def unregister(writer: OpenWriter) -> None:
    """Tick *writer* no more."""
    with _state.lock:
        _state.writers.discard(writer)


def finish(writer: OpenWriter, deadline_s: float = CLOSE_DEADLINE_S, *, wait: bool = True) -> bool:
    """
    Do a writer's last sync, once however many threads ask. Return False when the disk has not answered within
    *deadline_s*: the sync then goes on in the background.
    """
    with _state.lock:
        _state.writers.discard(writer)
        if writer not in _state.pending:
            _state.pending[writer] = threading.Event()
            _state.closing.append(writer)
    if not _state.works():
        _state.finish_one(writer)
        return True
    _state.wake.set()
    return wait_for(writer, deadline_s) if wait else True


def wait_for(writer: OpenWriter, deadline_s: float) -> bool:
    """Wait for the last sync of *writer*, which `finish` began; return whether it was done within *deadline_s*."""
    with _state.lock:
        done = _state.pending.get(writer)
    if done is None or not _state.works() or done.wait(max(0.0, deadline_s)):
        return True
    log.error(
        "Aim: the disk has not taken the end of the run within %.0f s. What was tracked is in the files; "
        "if this process ends now, the run is shown as lost instead of finished.",
        CLOSE_DEADLINE_S,
    )
    return False


def is_ending() -> bool:
    """
    Return whether this process is at its end: its runs have been ended, or are just now.

    Threads that do not notice, and `__del__` of what is left, may record still; it is too late for that, and no fault
    of theirs.
    """
    return _state.is_ending or sys.is_finalizing()


def close_all(error: str | None = None) -> None:
    """End every open run of this process, and wait for all whose end is under way, `CLOSE_DEADLINE_S` together."""
    until_s = time.monotonic() + CLOSE_DEADLINE_S
    with _state.lock:
        writers = list(_state.writers)
    for writer in writers:
        writer.close(error, until_s - time.monotonic(), wait=False)
    with _state.lock:
        writers = list(_state.pending)
    for writer in writers:
        if not wait_for(writer, until_s - time.monotonic()):
            break
    for companion in _companions:
        shielded(companion.end, _state.report)


def _hook_multiprocessing() -> None:
    # a multiprocessing child ends by os._exit after its own list of finalizers, and clears that list when it
    # starts: so this registers when the child first records
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, _end_of_child, exitpriority=100)


def _end_of_child() -> None:
    _state.is_ending = True
    # multiprocessing calls this while the child's exception is on its way out; from Python 3.13 on it hides it
    close_all(process_end.outcome(sys.exc_info()[1]))


def _end_of_process() -> None:
    _state.is_ending = True
    with _state.lock:
        writers = list(_state.writers)
    close_all(process_end.outcome())
    if writers and process_end.is_code_unknown():
        from aim.storage.recording import exit_status  # only here: it reads, which no start of a training pays for

        exit_status.tell([writer.lines.log.path for writer in writers])


def _after_fork_in_child() -> None:
    global _state
    writers = tuple(_state.writers)
    _state = _Background()
    process_end.forked()
    for writer in writers:
        writer.forked()


atexit.register(_end_of_process)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
