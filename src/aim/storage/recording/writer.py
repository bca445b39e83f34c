"""
One process recording into one run.

    Run.track -> SequenceWriter.track -> 32 bytes in the journal            about 0.3 us, no system call, no lock
                                      -> blob entries, then the 32 bytes    objects
                                      -> an event line                      integers beyond ±2^53

A *writer* owns files that carry its own random id (docs/formats/repository.md), so nothing here locks against another
process. `Writer` puts its parts together, and takes them through its states (lifecycle.py has the table of them):

    lifecycle      the state, and the lock for rare work
    files          what the writer owns on the disk: event lines, segments, blob files (recording_files.py)
    sequences      handles, numbers, rewinds (sequences.py)
    takeover       what is recorded again after this writer was sealed as dead (takeover.py)

`_syncing` is held by the one thread that syncs, retires segments, or ends the run. It is taken before the lock of the
lifecycle, never within it.

A disk that refuses is reported once, loudly; the training goes on, points that find no room are counted, and recording
resumes when there is room again. Only the construction raises OSError: it is better to learn at once that a run can't
begin.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from aim.core.logs import log
from aim.core.reentry import is_within_own_call
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.refusals import Refusals
from aim.storage.recording import background
from aim.storage.recording.encoding import EncodingQueue
from aim.storage.recording.lifecycle import Lifecycle, Turn, WriterState
from aim.storage.recording.recording_files import RecordingFiles
from aim.storage.recording.segment_chain import NO_SEGMENT
from aim.storage.recording.sequence_writer import SequenceWriter
from aim.storage.recording.sequences import ReadEarlier, Sequences
from aim.storage.recording.services import Services
from aim.storage.recording.takeover import Takeover

INTERRUPTED_WAIT_S = 1.0  # for a tick of the background thread; one that waits for this very thread never ends

DELETED = "Aim: run %s was deleted while it was recording. The training goes on without being recorded."


class Writer:
    """
    Records into the run folder *folder*, which must exist.

    Attributes:
        lines: the event lines: params, properties, tags ...
        sequences: the handles for tracking, and rewinds.
        services: what records through this writer by itself.
        encoding: the objects whose bytes are still to be made.

    Args:
        read_earlier: returns what other writers recorded, when a run is resumed; called once, for the first sequence.

    Raises:
        OSError: the disk refuses the event file.
    """

    def __init__(
        self, folder: Path, run_hash: str, *, disk: Disk = DISK, read_earlier: ReadEarlier | None = None
    ) -> None:
        self.run_hash = run_hash
        self.refusals = Refusals(run_hash, folder)
        self.lifecycle = Lifecycle(run_hash, self._begin_in_child)
        self.files = RecordingFiles(folder, run_hash, self.lifecycle, self.refusals, disk)
        self.lines = self.files.lines
        self.services = Services()
        self.encoding = EncodingQueue(run_hash)
        self.services.add(self.encoding)
        self.sequences = Sequences(self.files, self.lifecycle, self.encoding, read_earlier)
        self._takeover = Takeover(self.files, self.sequences, self.refusals)
        self._error: str | None = None
        self._make_locks()
        background.register(self)

    def _make_locks(self) -> None:
        self._syncing = threading.RLock()
        self._stopping = threading.RLock()  # around the end of the services

    @property
    def closed(self) -> bool:
        """Whether `close()` was called."""
        return self.lifecycle.is_closed

    @property
    def id(self) -> str:
        """The id of this writer; a new one after it was sealed as dead, and in the child of a fork."""
        return self.files.id

    def sequence(self, name: str, context: object = None) -> SequenceWriter:
        """Return the handle of a sequence; the same one for equal contexts. Raises UntrackableValue, RunClosed."""
        return self.sequences.handle(name, context)

    # the background thread

    def flush(self) -> None:
        """
        Wait until everything recorded is on the disk.

        Raises:
            OSError: the disk refuses; the background thread goes on trying.
        """
        if not self.lifecycle.is_closed:
            self.services.record_pending(wait=True)
        with self._syncing:
            if self.lifecycle.state is WriterState.OPEN and self._still_recording():
                self.files.sync()

    def tick(self) -> None:
        """Do a second's work (docs/formats/points.md); called by the background thread."""
        self.services.record_pending()
        with self._syncing:
            if self.lifecycle.state is not WriterState.OPEN:
                return
            try:
                if not self._still_recording():
                    return
                self._takeover.take_stragglers()
                self.files.sync()
                self.files.segments.prepare()
                self.lines.log.touch()
                self.files.objects.probe()
            except OSError as error:
                self.refusals.report(error)
                self.files.gaps.write()
            else:
                if self.refusals.kinds:
                    self.files.gaps.write()
                else:
                    self.files.gaps.resume()
                self.refusals.resumed()

    def _still_recording(self) -> bool:
        # a deleted run: stop. A folder that is away: record into the files that are open. A writer that was taken for
        # dead and sealed meanwhile: go on as a new one
        has_path = self.files.follow()
        if self.files.is_deleted():
            abandon_run(self)
            return False
        if has_path and self.files.was_sealed():
            with self.lifecycle.lock:
                if self.lifecycle.state is WriterState.OPEN:
                    self._takeover.take(self.files.begin_again())
        return True

    # forks

    def forked(self) -> None:
        """In the child of a fork: drop the parent's files; this process's own begin at its first record."""
        self.services.forked()
        self.services.add(self.encoding)
        self.lifecycle.fork()
        self._make_locks()
        self.refusals.forked()
        self.files.abandon()
        self._takeover.forget()
        self.sequences.forked()

    def _begin_in_child(self) -> bool:
        if not self.refusals.may_retry():
            return self.refusals.count_lost()
        try:
            self.files.begin_again()
        except OSError as error:
            self.refusals.retry_later()
            self.refusals.report(error)
            return self.refusals.count_lost()
        background.register(self)
        return True

    # the end

    def close(
        self, error: str | None = None, deadline_s: float = background.CLOSE_DEADLINE_S, *, wait: bool = True
    ) -> None:
        """
        End the run for this process; again: waits until it has ended.

        Args:
            error: the class of the exception that ended it; None: it finished.
            deadline_s: how long to wait for the disk; what is left is then done in the background.
            wait: without it the end is only asked for; the end of the process waits for it.
        """
        until_s = time.monotonic() + deadline_s
        is_reentry = is_within_own_call()
        if is_reentry:
            self.files.seize()
        # a second close() waits for the first: else it would end the run under what is still being recorded
        is_first = self._stopping.acquire(timeout=max(0.0, deadline_s))
        try:
            self.services.stop(max(0.0, until_s - time.monotonic()))
        finally:
            if is_first:
                self._stopping.release()
        state = self._stop(error, until_s - time.monotonic())
        if is_reentry:
            # here, since this thread holds locks, by the call that it interrupted, which the background would wait for
            if state is not None and state is not WriterState.FORKED:
                background.unregister(self)
                self.finish(INTERRUPTED_WAIT_S)
        elif state is not WriterState.FORKED and (state is not None or self.lifecycle.state is WriterState.CLOSING):
            # a second close() too: the first, in another thread, may not have asked for the last sync yet
            background.finish(self, until_s - time.monotonic(), wait=wait)

    def _stop(self, error: str | None, deadline_s: float) -> WriterState | None:
        # returns the state that was left; None: the run was closed before
        lock = self.lifecycle.lock
        has_lock = lock.acquire(timeout=max(0.0, deadline_s))
        try:
            state = self.lifecycle.state
            if self.lifecycle.is_closed:
                return None
            self._error = error
            self.lifecycle.take(Turn.CLOSE)
            self.sequences.stop()
            self.files.segments.stop()
            return state
        finally:
            if has_lock:
                lock.release()

    def finish(self, patience_s: float = -1.0) -> None:
        """
        Do the last sync and write the end; called by `close`, in the background thread where there is one.

        Args:
            patience_s: how long to wait for a tick; by default until it ends.
        """
        has_turn = self._syncing.acquire(timeout=patience_s)
        try:
            if self.lifecycle.state is WriterState.CLOSING:
                with self.lifecycle.admitting_late():
                    self._takeover.take_stragglers()
                self.files.segments.stop()  # it may have made a segment for them
                refusal = self.files.end(self._error, self.sequences.next_steps())
                if refusal is not None:
                    self.refusals.report(refusal)
            self.files.close()
            self.lifecycle.take(Turn.FINISH)
        finally:
            if has_turn:
                self._syncing.release()


def abandon_run(writer: Writer) -> None:
    """Record no more: the run was deleted, here or at its server. It is said once, and the training goes on."""
    with writer.lifecycle.lock:
        if writer.lifecycle.take(Turn.DELETE):
            writer.files.segments.segment = NO_SEGMENT
            log.error(DELETED, writer.run_hash)
