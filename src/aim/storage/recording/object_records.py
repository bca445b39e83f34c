"""
The objects of a writer: their bytes go into its blob file, then the records that refer to them into the journal.

A signal handler may track an object while another one is being written in the same thread. Its entries can't go between
those of the other, so it waits for the end of that call, or of the run if the call is never continued.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from aim.core.errors import RunClosed
from aim.core.values import Stored
from aim.storage.disk.refusals import Refusals
from aim.storage.forms.blobs import BlobFile
from aim.storage.recording.lifecycle import Lifecycle
from aim.storage.recording.segment_chain import SegmentChain


class ObjectRecords:
    """
    Records objects.

    Attributes:
        blobs: the blob file of this process.
    """

    def __init__(self, lifecycle: Lifecycle, refusals: Refusals, segments: SegmentChain, blobs: BlobFile) -> None:
        self._lifecycle = lifecycle
        self._refusals = refusals
        self._segments = segments
        self.blobs = blobs
        self._interrupting: deque[Callable[[], None]] = deque()
        self._is_busy = False
        self._lock = threading.RLock()

    def put(
        self,
        sequence: int,
        name: str,
        kind: str,
        objects: Sequence[Stored],
        steps: Sequence[int],
        epoch: float,
        at_s: float | None = None,
        claim: Callable[[], bool] | None = None,
    ) -> None:
        """
        Write the objects of one step, or one for each of several *steps*, then the records that refer to them.

        Args:
            claim: returns whether this call is the one that writes them; asked under the lock.

        Raises:
            RunClosed: the run was closed, and the process goes on.
        """
        with self._lock:
            if self._is_busy:
                moment_s = at_s or time.time()
                self._interrupting.append(
                    lambda: self.put(sequence, name, kind, objects, steps, epoch, moment_s, claim)
                )
                return
            self._is_busy = True
            try:
                position = self._append(name, kind, objects, steps) if claim is None or claim() else None
            finally:
                self._is_busy = False
        # not under the lock: a signal handler may hold the one that the next segment needs, and wait for this one
        if position is not None:
            for step in steps:
                self._segments.put(sequence, position, step, epoch, at_s)
        self._put_interrupting()

    def _append(self, name: str, kind: str, objects: Sequence[Stored], steps: Sequence[int]) -> int | None:
        """Write the entries of one point; return the position of its record, or None where the disk refuses."""
        try:
            position = self.blobs.append(name, steps, objects, kind)
        except RunClosed:
            if not self._lifecycle.is_left_out():
                raise
            return None
        except OSError as error:
            self._refusals.kinds.add("objects")
            self._refusals.count_lost()
            self._refusals.report(error)
            return None
        self._refusals.kinds.discard("objects")
        return position

    def _put_interrupting(self) -> None:
        while True:
            try:
                put = self._interrupting.popleft()
            except IndexError:  # none is left, or another thread has just taken the last one
                return
            put()

    def seize(self) -> None:
        """Write what waits for a call that was interrupted, and is not continued before the run ends."""
        self._is_busy = False
        self.blobs.seize()
        self._put_interrupting()

    def abandon(self) -> None:
        """In the child of a fork: drop what the parent's threads were writing."""
        self._lock = threading.RLock()
        self._is_busy = False
        self._interrupting.clear()
        self.blobs.abandon()

    def probe(self) -> None:
        """Try whether a disk that has refused objects has room again. Raises OSError: it has none."""
        if "objects" in self._refusals.kinds:
            self.blobs.probe()
            self._refusals.kinds.discard("objects")
