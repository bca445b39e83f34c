"""
Encoding of objects: their bytes are made beside the training.

    track(image)  ->  step, time and a snapshot are taken; the caller goes on
                      one thread a process: PNG, WAV ... is made, written to the blob file, then the point is recorded

A point appears when its object is written, so the journal never refers to bytes that do not exist. A process that is
killed while objects wait loses these points and nothing else; with `sync=True` the point is recorded before `track()`
returns. `flush()`, `close()` and each reading by the recording process wait for the objects that wait.

The number of waiting objects and the memory that they hold are bounded. Beyond the bound the caller makes the bytes
itself: it is slowed to the speed of the encoding, and memory does not grow. Only what a signal handler tracks meanwhile
waits beyond it.

A signal handler that closes a run may have interrupted the thread that makes an object, or one that holds a lock which
the encoding thread needs. Then nobody goes on before the handler returns, so it makes and writes all that waits itself
(core/reentry.py). What the encoding thread has begun is then recorded a second time, at the same step and time, which
no reader shows twice.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from aim.core import forks
from aim.core.errors import RunClosed
from aim.core.logs import log
from aim.core.reentry import is_within_own_call
from aim.core.shield import shielded
from aim.core.values import Stored

WAITING_MAX = 256  # objects, or lists of them, of one run
ALIVE_CHECK_S = 1.0  # between two checks that the thread is still alive
HELD_BYTES_MAX = 256 << 20  # of pixels, samples ... that wait, of one run


Make = Callable[[], list[Stored]]
Store = Callable[[list[Stored], Callable[[], bool]], object]
Point = tuple[int, int]
"""The number of a sequence, and a step."""


class _Job:
    def __init__(
        self,
        owner: EncodingQueue,
        held_bytes: int,
        make: Make,
        store: Store,
        number: int = 0,
        point: Point | None = None,
    ) -> None:
        self.owner = owner
        self.held_bytes = held_bytes
        self.make = make
        self.store = store
        self.number = number  # of its owner
        self.point = point
        self.is_claimed = False

    def work(self) -> None:
        if not self.is_claimed:
            self.store(self.make(), self.claim)

    def claim(self) -> bool:
        is_first, self.is_claimed = not self.is_claimed, True
        return is_first


class _Worker:
    """The thread of this process; it begins with the first job."""

    def __init__(self) -> None:
        # an event in the queue only marks how far the thread has come
        self.jobs: queue.SimpleQueue[_Job | threading.Event] = queue.SimpleQueue()
        self.thread: threading.Thread | None = None
        self.lock = threading.RLock()  # reentrant: a signal handler may track within
        self.taken_count = self.done_count = 0  # of jobs; each is written by one thread at a time

    def take(self, job: _Job) -> bool:
        with self.lock:
            if self.thread is None or not self.thread.is_alive():
                thread = threading.Thread(target=self.run, name="aim-encode", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is ending
                    return False
                self.thread = thread
            self.taken_count += 1
        self.jobs.put(job)
        return True

    def run(self) -> None:
        while True:
            job = self.jobs.get()
            with forks.whole():
                if isinstance(job, threading.Event):
                    job.set()
                else:
                    job.owner.do(job)
                    self.done_count += 1
            del job  # its pixels must not stay in memory until the next job

    def wait_until_done(self) -> None:
        thread = self.thread
        if self.taken_count == self.done_count or thread is None or thread is threading.current_thread():
            return
        if not thread.is_alive():  # this is the child of a fork, or the interpreter is ending
            return
        reached = threading.Event()
        self.jobs.put(reached)
        while not reached.wait(ALIVE_CHECK_S) and thread.is_alive():
            if is_within_own_call():  # the thread may need a lock that the interrupted call holds
                return


_worker = _Worker()


def wait_until_encoded() -> None:
    """
    Wait until every object that this process has tracked so far, in any run, is written.

    Cost: under 1 us when nothing waits.
    """
    _worker.wait_until_done()


class EncodingQueue:
    """
    The objects of one run that wait to be made and written. It is a `services.Service`.

    >>> waiting = EncodingQueue("my run")
    >>> written = []
    >>> waiting.add(1000, lambda: ["png"], lambda made, claim: written.extend(made))
    >>> waiting.record_pending(wait=True)
    >>> written
    ['png']
    """

    def __init__(self, run_hash: str) -> None:
        self._run_hash = run_hash
        self._faults: set[type] = set()
        self._forget()

    def _forget(self) -> None:
        # reentrant: a garbage collection within may close another run, and this one
        self._changed = threading.Condition(threading.RLock())
        self._taken_count = self._held_bytes = self._done_count = 0
        self._waiting: dict[int, _Job] = {}  # by their numbers, the oldest first
        self._is_ending = False

    @property
    def count(self) -> int:
        """How many objects, or lists of objects, wait."""
        return len(self._waiting)

    def add(self, held_bytes: int, make: Make, store: Store, point: Point | None = None) -> None:
        """
        Let the thread make objects and store them; do it at once, in the caller, when too much waits already or the run
        is ending.

        Args:
            held_bytes: the memory that is held until they are stored.
            make: returns the objects.
            store: is called with them and with what claims them: `ObjectRecords.put`.
            point: what they are recorded as; see `wait_for`.
        """
        if self._is_ending:  # the caller learns at once whether the run still takes it
            _Job(self, 0, make, store).work()
            return
        with self._changed:
            is_full = self.count and (self.count >= WAITING_MAX or self._held_bytes + held_bytes > HELD_BYTES_MAX)
            self._taken_count += 1
            job = _Job(self, held_bytes, make, store, self._taken_count, point)
            self._waiting[job.number] = job
            self._held_bytes += held_bytes
        # within an interrupted call it waits in any case: the call may be importing what makes the object, and an
        # import within one of the same module raises KeyError in the outer one (before Python 3.12)
        if (is_full and not is_within_own_call()) or not _worker.take(job):
            self.do(job)

    def do(self, job: _Job) -> None:
        """Do one piece of work; an exception of it is reported."""
        try:
            shielded(job.work, self._report)
        finally:
            with self._changed:
                if self._waiting.pop(job.number, None) is not None:
                    self._held_bytes -= job.held_bytes
                    self._done_count += 1
                    self._changed.notify_all()

    def _report(self, error: Exception) -> None:
        if isinstance(error, RunClosed) and self._is_ending:  # it was written by the call that closed the run
            return
        if type(error) not in self._faults:
            self._faults.add(type(error))
            log.error(
                "Aim: an object of run %s can't be stored; its point is not recorded.", self._run_hash, exc_info=error
            )

    def wait_for(self, point: Point) -> None:
        """Wait until the objects of *point* are written, so that those tracked there now come after them."""
        if any(job.point == point for job in list(self._waiting.values())):
            self.wait_until_done()

    def record_pending(self, *, wait: bool) -> None:
        """With *wait*, wait until everything that was handed in so far is written."""
        if wait:
            self.wait_until_done()

    def wait_until_done(self, patience_s: float | None = None) -> bool:
        """
        Wait until everything that was handed in so far is written; return False when no piece of work was finished for
        *patience_s*. Work that other threads hand in meanwhile is not waited for: that might never end.
        """
        if threading.current_thread() is _worker.thread:  # a garbage collection in the encoding thread closed the run
            return self.count == 0
        if is_within_own_call():
            for job in list(self._waiting.values()):
                job.is_claimed = False  # who claimed it may wait for this thread; what is recorded twice is shown once
                self.do(job)
            return True
        with self._changed:
            seen, since_s, last = self._done_count, time.monotonic(), self._taken_count
            while next(iter(self._waiting), last + 1) <= last:
                left_s = None if patience_s is None else since_s + patience_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    return False
                self._changed.wait(left_s)
                if self._done_count != seen:
                    seen, since_s = self._done_count, time.monotonic()
        return True

    def stop(self, deadline_s: float) -> None:
        """Wait until all is written, but no longer when nothing was written for *deadline_s*."""
        self._is_ending = True
        if not self.wait_until_done(deadline_s):
            log.error(
                "Aim: %d objects of run %s could not be written in time; they are lost.", self.count, self._run_hash
            )

    def forked(self) -> None:
        """In the child of a fork: forget what waits, and the thread; both are the parent's."""
        global _worker
        if _worker.thread is not None and _worker.thread is not threading.current_thread():
            _worker = _Worker()
        self._forget()
