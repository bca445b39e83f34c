"""
One process recording into one run.

    Run.track -> SequenceWriter.track -> 32 bytes in the journal            about 0.3 us, no system call, no lock
                                      -> blob entries, then the 32 bytes    objects
                                      -> an event line                      integers beyond ±2^53

A *writer* owns files that carry its own random id (docs/formats/repository.md), so nothing here locks against another
process. Rare calls of several threads share one lock; the hot path has none (see sequence_writer.py and journal.py).

    lock       what is rare: declaring, a new segment, event lines, closing. Reentrant: a signal handler may track
    _syncing   one thread at a time syncs, retires segments, or ends the run; taken before `lock`, never within it

A disk that refuses is reported once, loudly; the training goes on, points that found no room are counted, and recording
resumes when there is room again. Only the construction raises OSError: a run that can't begin is better known at once.
"""

from __future__ import annotations

import logging
import math
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from aim.core import contexts, kinds, params, words
from aim.core.errors import AimError, RunClosed, UntrackableValue
from aim.core.values import INT_MAX, INT_MIN, Stored, epoch_number
from aim.storage.disk import changes, layout
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.refusals import Refusals
from aim.storage.forms import blobs
from aim.storage.forms.blobs import BlobFile
from aim.storage.forms.events import EventLog
from aim.storage.forms.journal import NAN, RECORD, VOID, Segment
from aim.storage.recording import background
from aim.storage.recording.encoding import EncodingQueue
from aim.storage.recording.sequence_writer import EarlierWriters as EarlierWriters
from aim.storage.recording.sequence_writer import SequenceWriter as SequenceWriter
from aim.storage.recording.services import Services
from aim.storage.recording.writer_events import WriterEvents, about_this_process

RETRY_S = 1.0  # after a refusal the disk is asked again once a second

pack_into = RECORD.pack_into
now = time.time
log = logging.getLogger("aim")

ReadEarlier = Callable[[], Mapping[tuple[str, str], EarlierWriters]]


class _NoSegment:
    """Stands where there is no segment: it has no free slot."""

    map = bytearray()
    free = slots = iter(range(0))
    mapped = True


class Writer(WriterEvents):
    """
    Records into the run folder *folder*, which must exist.

    Attributes:
        run_hash, id: of the run, and of this writer.
        segment: where the next record goes.
        services: what records through this writer by itself.
        encoding: the objects whose bytes are still to be made.

    Args:
        history: gives what other writers recorded, when a run is resumed; asked for once, at the first new sequence.

    Raises:
        OSError: the disk refuses the event file.
    """

    def __init__(self, folder: Path, run_hash: str, *, disk: Disk = DISK, history: ReadEarlier | None = None) -> None:
        self.folder = folder
        self.run_hash = run_hash
        self.disk = disk
        self.closed = self._said_end = False
        self._error: str | None = None
        self._history = history
        self._past: Mapping[tuple[str, str], EarlierWriters] | None = None
        self._sequences: dict[tuple[str, str], SequenceWriter] = {}
        self.services = Services()
        self.encoding = EncodingQueue(run_hash)
        self.services.add(self.encoding)
        self._new_locks()
        self._begin()

    def _new_locks(self) -> None:
        self.lock = threading.RLock()
        self._syncing = threading.RLock()
        self._stopping = threading.RLock()  # around the end of the services
        self._gone = self._forked = self._finished = False
        self.refusals = Refusals(self.run_hash, self.folder)
        self._retry_at_s = 0.0

    def _begin(self) -> None:
        writer = layout.new_writer_id()
        events = EventLog(layout.events_file(self.folder, writer), self.disk)
        self.id = writer
        self.events = events
        self.blobs = BlobFile(self.folder, writer, self.disk)
        self.segment: Any = _NoSegment
        self._spare: Segment | None = None
        self._segments: list[Segment] = []  # those that are not yet wholly synced and checked
        self._stragglers: list[tuple[Segment, str, list[int]]] = []
        self._segment_count = self._point_count = 0
        self._unmade: list[int] = []  # numbers of segments that the disk refused
        self._names_synced = 0
        self._declared: list[tuple[SequenceWriter, str]] = []  # sequence number n stands at n - 1
        self._forked = False
        self._append_begin()
        background.register(self)

    def _append_begin(self) -> None:
        self._append({"begin": about_this_process(self.run_hash, self.id)})
        changes.touch(self.folder, self.disk)

    def check_open(self) -> None:
        """Raise `RunClosed` after the end; in the child of a fork, begin this process's own files."""
        if not self.ready() and self.closed:
            self._refuse()

    def ready(self) -> bool:
        """
        Return whether recording is possible: in the child of a fork this process's own files must be begun first, and
        after the end of the process nothing is recorded any more.

        Raises:
            RunClosed: the run has ended, and the process goes on.
        """
        if self.closed:
            if self._ends_with_the_process():
                return False
            self._refuse()
        return not self._forked or self._begin_in_child()

    def _refuse(self) -> NoReturn:
        raise RunClosed(
            f"Run {self.run_hash} was closed: nothing can be recorded after close(). "
            f"Resume it with Run({self.run_hash!r})."
        )

    def _ends_with_the_process(self) -> bool:
        # Takes no lock, nor does what leads here: a thread that was stopped for ever may hold it
        if not background.is_ending():
            return False
        if not self._said_end and not sys.is_finalizing():
            self._said_end = True
            log.warning(
                "Aim: run %s has ended with the process; what threads and __del__ record now is left out.",
                self.run_hash,
            )
        return True

    def _begin_in_child(self) -> bool:
        with self.lock:
            if self._forked:
                if time.monotonic() < self._retry_at_s:
                    return self.refusals.lose()
                try:
                    self._begin()
                except OSError as error:
                    self._retry_at_s = time.monotonic() + RETRY_S
                    self.refusals.report(error)
                    return self.refusals.lose()
            return True

    def sequence(self, name: str, context: object = None) -> SequenceWriter:
        """Return the handle of a sequence; the same one for equal contexts."""
        if not isinstance(name, str) or not name:
            raise UntrackableValue(f"A sequence's name has to be a string that is not empty, not {name!r}.")
        key = (name, contexts.text(context))
        if self.closed and self._ends_with_the_process():
            return SequenceWriter(self, name, contexts.plain(context), None)
        with self.lock:
            handle = self._sequences.get(key)
            if handle is None:
                self.ready()
                if self._past is None:
                    self._past = self._history() if self._history else {}
                handle = SequenceWriter(self, name, contexts.plain(context), self._past.get(key))
                self._sequences[key] = handle
            return handle

    # what SequenceWriter calls

    def declare(self, sequence: SequenceWriter, kind: str) -> int:
        """Announce a sequence of a kind, before its first point; give its number."""
        with self.lock:
            if not self.ready() and self.closed:
                return 0
            self._declared.append((sequence, kind))
            self._append_declaration(len(self._declared))
            return len(self._declared)

    def _append_declaration(self, number: int) -> None:
        sequence, kind = self._declared[number - 1]
        context = params.encode(sequence.context)
        self._append({"sequence": number, "name": sequence.name, "context": context, "kind": kind})

    def put(self, sequence: int, value: object, step: int, epoch: object, at_s: float | None = None) -> None:
        """Store one record, in the next segment if this one is full; without *at_s* its time is now."""
        checked_epoch = NAN if epoch is None else epoch_number(epoch)
        while True:
            segment = self.segment
            offset = next(segment.free, None) or self._take(segment)
            if offset is not None:
                moment_s = at_s or now()
                if moment_s < self.earliest_at_s and not at_s:  # the clock is behind: see `set_earliest_time`
                    moment_s = self.earliest_at_s
                try:
                    pack_into(segment.map, offset, value, step, moment_s, checked_epoch, sequence)
                except (struct.error, OverflowError, TypeError) as error:
                    pack_into(segment.map, offset, 0.0, 0, now(), NAN, VOID)
                    if not INT_MIN <= step <= INT_MAX:
                        raise OverflowError(f"step {words.integer(step)} does not fit 64 bits.") from None
                    raise UntrackableValue(f"Can't track {value!r} at step {step}, epoch {epoch!r}: {error}.") from None
                if not segment.mapped:
                    self._write_through(segment, offset)
                return
            if not self._extend(segment):
                self.refusals.lose()
                return

    def _take(self, segment: Any) -> int | None:
        with self.lock:
            return next(segment.slots, None)

    def _write_through(self, segment: Segment, offset: int) -> None:
        try:
            segment.write_through(offset)
        except OSError as error:
            self.refusals.report(error)

    def put_exact(self, sequence: int, value: int, step: int, epoch: float) -> None:
        """Record an integer that a double can't hold, as an event line."""
        shown = epoch if math.isfinite(epoch) else None
        self._append({"point": sequence, "step": step, "epoch": shown, "value": value})

    def encode_later(self, held_bytes: int, work: Callable[[], object]) -> None:
        """Have objects made and written beside the caller."""
        self.encoding.add(held_bytes, work)

    def put_objects(
        self,
        sequence: int,
        name: str,
        kind: str,
        items: Sequence[Stored],
        steps: Sequence[int],
        epoch: float,
        at_s: float | None = None,
    ) -> None:
        """Write the objects of one step, or one for each of several *steps*, then the records that refer to them."""
        try:
            where = self.blobs.append(name, steps, items, kind)
        except RunClosed:
            if not self._ends_with_the_process():
                raise
            return
        except OSError as error:
            self.refusals.kinds.add("objects")
            self.refusals.lose()
            self.refusals.report(error)
            return
        self.refusals.kinds.discard("objects")
        for step in steps:
            self.put(sequence, where, step, epoch, at_s)

    def _extend(self, full: Any) -> bool:
        # True: try again; False: there is no room
        with self.lock:
            if self.segment is not full:
                return True
            if not self.ready() or self._gone or time.monotonic() < self._retry_at_s:
                return False
            try:
                fresh = self._spare or self._new_segment()
            except OSError as error:
                self._retry_at_s = time.monotonic() + RETRY_S
                self.refusals.kinds.add("segment")
                self.refusals.report(error)
                return False
            # a signal handler within this call may have found another one: then this one is for later
            self._spare = None if self.segment is full or fresh is self.segment else fresh
            if self.segment is full:
                self.segment = fresh
            self.refusals.kinds.discard("segment")
            self.refusals.resumed()
            return True

    def _new_segment(self) -> Segment:
        number = self._unmade.pop() if self._unmade else self._segment_count
        self._segment_count = max(self._segment_count, number + 1)
        segment: Segment | None = None
        try:
            segment = Segment(self.folder, self.run_hash, self.id, number, self.disk)
        finally:
            if segment is None:
                self._unmade.append(number)  # the next one takes it: no number is left out
        self._segments.append(segment)
        return segment

    # event lines

    def _append(self, event: Mapping[str, Any]) -> None:
        if self.closed and self._ends_with_the_process():
            return
        with self.lock:  # so that nothing comes after the end
            if self.ready():
                try:
                    self.events.append(event)
                except OSError as error:
                    self.refusals.report(error)

    # the background thread and the ends

    def flush(self) -> None:
        """
        Wait until everything recorded is on the disk.

        Raises:
            OSError: the disk refuses; the background thread goes on trying.
        """
        if not self.closed:
            self.services.record_pending(wait=True)
        with self._syncing:
            if not self.closed and not self._forked and not self._lost_name():
                self._sync()

    def tick(self) -> None:
        """Do a second's work (docs/formats/points.md); called by the background thread."""
        self.services.record_pending()
        with self._syncing:
            if self.closed or self._gone or self._forked:
                return
            try:
                if self._lost_name():
                    return
                self._inherit_stragglers()
                self._sync()
                self._prepare()
                self.events.touch()
                if "objects" in self.refusals.kinds:
                    self.blobs.probe()
                    self.refusals.kinds.discard("objects")
            except OSError as error:
                self.refusals.report(error)
            else:
                self.refusals.resumed()

    def _prepare(self) -> None:
        segment = self.segment
        if isinstance(segment, Segment) and segment.is_half_full():
            with self.lock:
                if not self.closed and self._spare is None and self.segment is segment:
                    self._spare = self._new_segment()

    def _sync(self) -> None:
        names = 1 + self._segment_count + self.blobs.file_count
        failed = self._try((self.events.retry, self.events.sync, self.blobs.sync))
        for segment in tuple(self._segments):
            try:
                if segment.sync() and segment is not self.segment and segment is not self._spare:
                    # once more, so that its CRCs are on the disk too
                    self.disk.sync(segment.descriptor)
                    self._retire(segment)
            except OSError as error:
                failed = failed or error
        if failed is not None:
            raise failed
        if names != self._names_synced:
            self.disk.sync_folder(self.folder)
            self._names_synced = names

    def _try(self, works: Iterable[Callable[[], object]]) -> OSError | None:
        # each of *works* has its chance; gives the first error
        first = None
        for work in works:
            try:
                work()
            except OSError as error:
                first = first or error
        return first

    def _retire(self, segment: Segment) -> None:
        latest_at_s = segment.latest_at_s()
        with self.lock:
            self._retired_at_s = max(self._retired_at_s, latest_at_s)
            self._point_count += segment.taken()
            self._segments.remove(segment)
        segment.close()

    def _lost_name(self) -> bool:
        # a deleted run: stop. A writer that was taken for dead and sealed meanwhile: go on as a new one
        if not layout.events_file(self.folder, self.id).exists():
            with self.lock:
                self._gone = True
                self.segment = _NoSegment
            log.error(
                "Aim: run %s was deleted while it was recording. The training goes on without being recorded.",
                self.run_hash,
            )
            return True
        sealed = layout.sealed_file(self.folder, self.id).exists()
        if sealed or not all(segment.has_name() for segment in self._segments):
            self._begin_again()
        return False

    def _begin_again(self) -> None:
        # The sequences keep their numbers, so that a thread on the hot path mixes up nothing. What the sealer has seen
        # is recorded twice, the same at the same step and time: nobody sees it; what came after it is saved
        with self.lock:
            if self.closed:
                return
            segments, lines, files, writer = self._segments, self.events, self.blobs, self.id
            declared = self._declared
            self._begin()
            lines.close()
            for segment in segments:
                segment.stop()
            self._declared = declared
            for number in range(1, len(declared) + 1):
                self._append_declaration(number)
            for segment in segments:
                # a thread that has taken a slot may not have stored yet
                holes = segment.holes()
                self._inherit(segment, writer, segment.offsets())
                if holes:
                    self._stragglers.append((segment, writer, holes))
                segment.abandon()
            files.close()

    def _inherit_stragglers(self) -> None:
        waiting = []
        for segment, writer, holes in self._stragglers:
            left = segment.holes(holes)
            self._inherit(segment, writer, sorted(set(holes) - set(left)))
            if left:
                waiting.append((segment, writer, left))
        self._stragglers = waiting

    def _inherit(self, segment: Segment, writer: str, offsets: Iterable[int]) -> None:
        for offset in offsets:
            value, step, at_s, epoch, number = segment.record(offset)
            if 0 < number <= len(self._declared):
                sequence, kind = self._declared[number - 1]
                if kinds.is_number(kind):
                    self.put(number, value, step, epoch, at_s)
                else:
                    self._inherit_objects(writer, int(value), number, sequence.name, step, epoch, at_s)

    def _inherit_objects(
        self, writer: str, where: int, number: int, name: str, step: int, epoch: float, at_s: float
    ) -> None:
        file, offset = blobs.split_position(where)
        path = layout.blob_file(self.folder, writer, file)
        try:
            record = blobs.read_record(path, offset, step)
            items = [blobs.read_item(path, record["kind"], item) for item in record["items"]]
        except (OSError, AimError):
            self.refusals.lose()
            return
        self.put_objects(number, name, record["kind"], items, (step,), epoch, at_s)

    def forked(self) -> None:
        """In the child of a fork: drop the parent's files; this process's own begin at its first record."""
        segments = self._segments
        self.services.forked()
        self.services.add(self.encoding)
        self._new_locks()
        self._forked = True
        self.segment = _NoSegment
        self._segments = []
        self._spare = None
        self.events.close()
        self.blobs.abandon()
        for segment in segments:
            segment.abandon()
        for sequence in self._sequences.values():
            sequence.stop()

    def close(
        self, error: str | None = None, deadline_s: float = background.CLOSE_DEADLINE_S, *, wait: bool = True
    ) -> None:
        """
        End the run for this process; again: waits until it has ended.

        Args:
            error: the class of the exception that ended it; None: it finished.
            deadline_s: how long to wait for the disk; the rest is then done in the background.
            wait: without it the end is only asked for; the end of the process waits for it.
        """
        until_s = time.monotonic() + deadline_s
        # whoever comes second waits here, or it would end the run under what is still being recorded
        is_first = self._stopping.acquire(timeout=max(0.0, deadline_s))
        try:
            self.services.stop(max(0.0, until_s - time.monotonic()))
        finally:
            if is_first:
                self._stopping.release()
        if self._stop(error, until_s - time.monotonic()):
            if not self._forked:
                background.finish(self, until_s - time.monotonic(), wait=wait)
        elif wait:
            background.wait_for(self, until_s - time.monotonic())

    def _stop(self, error: str | None, deadline_s: float) -> bool:
        # a thread that hangs in the disk holds the lock: the end does not wait for it
        has_lock = self.lock.acquire(timeout=max(0.0, deadline_s))
        try:
            if self.closed:
                return False
            self._error = error
            self.closed = True
            for sequence in tuple(self._sequences.values()):
                sequence.stop()
            for segment in tuple(self._segments):
                segment.stop()
            return True
        finally:
            if has_lock:
                self.lock.release()

    def finish(self) -> None:
        """Do the last sync and write the end; called by `close`, in the background thread where there is one."""
        with self._syncing:
            if not self._finished:
                self._finished = True
                if not self._gone:
                    self._finish()
                for segment in self._segments:
                    segment.close()
                self._segments = []
                self.events.close()

    def _finish(self) -> None:
        self._inherit_stragglers()
        failed = self._try((self._drop_spare, self.events.retry))
        failed = self._try(segment.end for segment in self._segments) or failed
        failed = self._try((self.blobs.close, self._append_end, self.events.sync)) or failed
        self.disk.sync_folder(self.folder)
        if failed is not None:
            self.refusals.report(failed)

    def _drop_spare(self) -> None:
        # prepared and not needed: its blocks go back, which on a full disk makes room for the end
        spare = self._spare
        if spare is not None and spare.number == self._segment_count - 1:
            self._segments.remove(spare)
            self._segment_count -= 1
            spare.close()
            self.disk.unlink(spare.path)
        while self._segment_count - 1 in self._unmade:
            self._segment_count -= 1
            self._unmade.remove(self._segment_count)
        while self._unmade:
            self._new_segment()

    def _append_end(self) -> None:
        end = {
            "state": "failed" if self._error else "finished",
            "error": self._error,
            "segments": self._segment_count,
            "points": self._point_count + sum(segment.taken() for segment in self._segments),
            "blobs": self.blobs.file_count,
            "next": [sequence.next_step() for sequence, _ in self._declared],
        }
        if not self.blobs.is_whole:
            end["directory"] = False
        self.events.append({"end": end})
