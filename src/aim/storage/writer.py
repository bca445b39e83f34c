"""
One process recording into one run.

    Run.track -> SequenceWriter.track -> 32 bytes in the journal            about 1 us, no system call, no lock
                                      -> blob entries, then the 32 bytes    objects
                                      -> an event line                      integers beyond ±2^53

A *writer* owns files that carry its own random id (docs/formats/repository.md), so nothing here locks against another
process. Rare calls of several threads share one lock; the hot path has none (see journal.py).

The hot path is one class test: `floats` holds the types that a double stores as they are. It is empty until the sequence is
declared, after a fork, and after the end, so each of these states costs nothing and leads to the slow path.

A disk that refuses is reported once, loudly; the training goes on, points that found no room are counted, and recording
resumes when there is room again.
"""

from __future__ import annotations

import itertools
import logging
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim.__about__ import __version__
from aim.core import clock, contexts, params
from aim.core.errors import RunClosed, UntrackableValue
from aim.core.values import EXACT_INT_MAX, Storable, Stored, epoch_number, number, step_number
from aim.storage import background, layout
from aim.storage.blobs import BlobFile
from aim.storage.events import EventLog
from aim.storage.files import DISK, Disk
from aim.storage.journal import NAN, RECORD, VOID, Segment

FLOAT_TYPES: set[type] = {float}  # grows by numpy's, when first seen
NO_TYPES: frozenset[type] = frozenset()
RETRY_S = 1.0  # after a refusal the disk is asked again once a second
NUMBER_KINDS = frozenset({"int", "float"})

pack_into = RECORD.pack_into
now = time.time
log = logging.getLogger("aim")


@dataclass(frozen=True)
class Past:
    """What other writers of the run recorded of one sequence: its kinds, and the step after its last one."""

    kinds: frozenset[str]
    next_step: int


History = Callable[[], Mapping[tuple[str, str], Past]]


class _NoSegment:
    """Stands where there is no segment: it has no free slot."""

    map = bytearray()
    free = slots = iter(range(0))
    mapped = True


class SequenceWriter:
    """
    A handle on one sequence of a run: the fastest way to track it.

    >>> import tempfile
    >>> writer = Writer(Path(tempfile.mkdtemp()), "example")
    >>> loss = writer.sequence("loss", {"subset": "train"})
    >>> loss.track(0.5)
    >>> loss.track(0.4, step=10)
    >>> writer.close()
    """

    __slots__ = ("writer", "name", "context", "floats", "number", "int_number", "kinds", "counter", "last", "numbers")

    def __init__(self, writer: Writer, name: str, context: dict[str, Any], past: Past | None) -> None:
        self.writer = writer
        self.name = name
        self.context = context
        self.floats: set[type] | frozenset[type] = NO_TYPES
        self.number = 0
        self.int_number = 0
        self.kinds: set[str] = set(past.kinds) if past else set()
        self.numbers: dict[str, int] = {}  # kind -> number of this writer
        self.counter = itertools.count(past.next_step if past else 0)
        self.last = -1

    def track(self, value: object, step: object = None, epoch: object = None) -> None:
        """
        Record *value*, a number, an object or a list of objects.

        Args:
            step: an integer; without it the step after the largest so far.
            epoch: a number; kept to 7 digits.

        Raises:
            UntrackableValue: the value, step or epoch is none.
            RunClosed: the run has ended.

        Cost: about 0.5 us for a float.
        """
        if value.__class__ not in self.floats:
            return self._track_other(value, step, epoch)
        if step is None:
            step = next(self.counter)
            if step <= self.last:
                step = self._recount()
        else:
            if step.__class__ is not int:
                step = step_number(step)
            if step > self.last:  # type: ignore[operator]
                self.last = step  # type: ignore[assignment]
        segment = self.writer.segment
        for offset in segment.free:
            try:
                pack_into(segment.map, offset, value, step, now(), NAN if epoch is None else epoch, self.number)
            except (struct.error, OverflowError, TypeError, ValueError):
                self._refused(segment, offset, value, step, epoch)
            return None
        return self.writer.put(self.number, value, step, epoch)  # type: ignore[arg-type]

    def _recount(self) -> int:
        with self.writer.lock:
            step = next(self.counter)
            if step <= self.last:
                step = self.last + 1
                self.counter = itertools.count(step + 1)
            return step

    def _step(self, step: object) -> int:
        if step is None:
            counted = next(self.counter)
            return counted if counted > self.last else self._recount()
        given = step if step.__class__ is int else step_number(step)
        if given > self.last:  # type: ignore[operator]
            self.last = given  # type: ignore[assignment]
        return given  # type: ignore[return-value]

    def _refused(self, segment: Any, offset: int, value: object, step: Any, epoch: object) -> None:
        # the same slot again, with checked values; a slot that stays unused is made void, so that no hole is left
        try:
            pack_into(segment.map, offset, float(value), step, now(), epoch_number(epoch), self.number)  # type: ignore[arg-type]
        except (struct.error, OverflowError, TypeError, ValueError) as error:
            pack_into(segment.map, offset, 0.0, 0, now(), NAN, VOID)
            if isinstance(error, UntrackableValue):
                raise
            raise UntrackableValue(
                f"Can't track {value!r} at step {step!r}, epoch {epoch!r} of {self.name!r}: {error}."
            ) from None

    def _track_other(self, value: object, step: object, epoch: object) -> None:
        kind = value.__class__
        if kind is int and self.int_number and -EXACT_INT_MAX <= value <= EXACT_INT_MAX:  # type: ignore[operator]
            return self.writer.put(self.int_number, value, self._step(step), epoch)
        self.writer.check_open()
        if kind is float or _is_float_scalar(value):
            self.number = self._declare("float")
            FLOAT_TYPES.add(kind)
            self.floats = FLOAT_TYPES
            return self.track(value, step, epoch)
        if isinstance(value, Storable):
            return self._track_objects([value.stored()], None, step, epoch)
        if isinstance(value, (list, tuple)):
            return self._track_objects([_item(item) for item in value], "list", step, epoch)
        plain = number(value)
        if isinstance(plain, float):
            return self.writer.put(self._declare("float"), plain, self._step(step), epoch_number(epoch))
        sequence = self.int_number = self._declare("int")
        if -EXACT_INT_MAX <= plain <= EXACT_INT_MAX:
            return self.writer.put(sequence, plain, self._step(step), epoch_number(epoch))
        return self.writer.put_exact(sequence, plain, self._step(step), epoch_number(epoch))

    def _track_objects(self, items: Sequence[Stored], form: str | None, step: object, epoch: object) -> None:
        if form is None:
            kind = items[0].kind
        else:
            kind = f"list({items[0].kind})" if items else next((k for k in self.kinds if k.startswith("list")), "list")
        self._check_kind(kind, f"{len(items)} objects" if form else kind)
        place_step, place_epoch = self._step(step), epoch_number(epoch)
        sequence = self._declare(kind)
        self.writer.put_objects(sequence, self.name, kind, items, place_step, place_epoch)

    def _declare(self, kind: str) -> int:
        known = self.numbers.get(kind)
        if known is not None:
            return known
        self._check_kind(kind, kind)
        with self.writer.lock:
            if kind not in self.numbers:
                if self.kinds and kind not in self.kinds and kind in NUMBER_KINDS:
                    log.warning("Sequence %r %s now holds both ints and floats: its type is 'number'.", self.name, self.context)
                self.numbers[kind] = self.writer.declare(self, kind)
                self.kinds.add(kind)
            return self.numbers[kind]

    def _check_kind(self, kind: str, shown: str) -> None:
        for earlier in self.kinds:
            same_list = kind.startswith("list") and earlier.startswith("list") and "list" in (kind, earlier)
            if kind != earlier and not (kind in NUMBER_KINDS and earlier in NUMBER_KINDS) and not same_list:
                raise UntrackableValue(
                    f"Cannot log value '{shown}' on sequence '{self.name}'. Incompatible data types: it holds {earlier}. "
                    "Use another name or context."
                )

    def stop(self) -> None:
        """Send the next call to the slow path: the run has ended, or this is the child of a fork."""
        self.floats = NO_TYPES
        self.int_number = 0
        self.numbers = {}

    def next_step(self) -> int:
        """Give the step that a value without one would get."""
        upcoming: int = self.counter.__reduce__()[1][0]
        return max(upcoming, self.last + 1)


def _is_float_scalar(value: object) -> bool:
    kind = type(value)
    if kind.__module__ != "numpy" or kind.__name__ == "ndarray":
        return False
    dtype = getattr(value, "dtype", None)
    return dtype is not None and dtype.kind == "f" and dtype.itemsize <= 8


def _item(value: object) -> Stored:
    if isinstance(value, Storable):
        return value.stored()
    if isinstance(value, str):
        return Stored("str", {"value": value})
    plain = number(value)
    return Stored(type(plain).__name__, {"value": params.encode(plain)})


class Writer:
    """
    Records into the run folder *folder*, which must exist.

    Attributes:
        run_hash, id: of the run, and of this writer.
        segment: where the next record goes.

    Args:
        history: gives what other writers recorded, when a run is resumed; asked for once, at the first new sequence.
    """

    def __init__(self, folder: Path, run_hash: str, *, disk: Disk = DISK, history: History | None = None) -> None:
        self.folder = folder
        self.run_hash = run_hash
        self.disk = disk
        self.lock = threading.RLock()
        self.closed = False
        self._error: str | None = None
        self._history = history
        self._past: Mapping[tuple[str, str], Past] | None = None
        self._sequences: dict[tuple[str, str], SequenceWriter] = {}
        self._reported = False
        self._begin()

    def _begin(self) -> None:
        self.id = layout.new_writer_id()
        self.segment: Any = _NoSegment
        self._spare: Segment | None = None
        self._segments: list[Segment] = []  # those that are not yet wholly synced and checked
        self._segment_count = self._point_count = self._lost_count = 0
        self._retry_at_s = 0.0
        self._declared: list[SequenceWriter] = []
        self._gone = False
        self._forked = False
        self._ticked_at_s = now()
        self.events = EventLog(layout.events_file(self.folder, self.id), self.disk)
        self.blobs = BlobFile(self.folder, self.id, self.disk)
        process = clock.this_process()
        self._append(
            {
                "begin": {
                    "format": layout.FORMAT_NUMBER,
                    "run": self.run_hash,
                    "writer": self.id,
                    "host": process.host,
                    "pid": process.pid,
                    "boot": process.boot,
                    "process": process.start,
                    "python": sys.version.split()[0],
                    "aim": __version__,
                    "command": [str(part)[:4096] for part in sys.argv[:256]],
                }
            }
        )
        background.register(self)

    def check_open(self) -> None:
        """Raise `RunClosed` after the end; in the child of a fork, begin this process's own files."""
        if self.closed:
            raise RunClosed(
                f"Run {self.run_hash} was closed: nothing can be recorded after close(). "
                f"Resume it with Run({self.run_hash!r})."
            )
        if self._forked:
            with self.lock:
                if self._forked:
                    self._begin()

    def sequence(self, name: str, context: object = None) -> SequenceWriter:
        """Give the handle of a sequence; the same one for equal contexts."""
        if not isinstance(name, str) or not name:
            raise UntrackableValue(f"A sequence's name has to be a string that is not empty, not {name!r}.")
        key = (name, contexts.text(context))
        with self.lock:
            handle = self._sequences.get(key)
            if handle is None:
                self.check_open()
                if self._past is None:
                    self._past = self._history() if self._history else {}
                handle = SequenceWriter(self, name, contexts.plain(context), self._past.get(key))
                self._sequences[key] = handle
            return handle

    # what SequenceWriter calls

    def declare(self, sequence: SequenceWriter, kind: str) -> int:
        """Announce a sequence of a kind, before its first point; give its number."""
        with self.lock:
            self.check_open()
            self._declared.append(sequence)
            sequence_number = len(self._declared)
            self._append(
                {
                    "sequence": sequence_number,
                    "name": sequence.name,
                    "context": params.encode(sequence.context),
                    "kind": kind,
                }
            )
            return sequence_number

    def put(self, sequence: int, value: object, step: int, epoch: object) -> None:
        """Store one record, in the next segment if this one is full."""
        checked_epoch = NAN if epoch is None else epoch_number(epoch)
        while True:
            segment = self.segment
            offset = next(segment.free, None) or self._take(segment)
            if offset is not None:
                try:
                    pack_into(segment.map, offset, value, step, now(), checked_epoch, sequence)
                except (struct.error, OverflowError, TypeError) as error:
                    pack_into(segment.map, offset, 0.0, 0, now(), NAN, VOID)
                    raise UntrackableValue(f"Can't track {value!r} at step {step!r}, epoch {epoch!r}: {error}.") from None
                if not segment.mapped:
                    self._write_through(segment, offset)
                return
            if not self._extend(segment):
                return

    def _take(self, segment: Any) -> int | None:
        with self.lock:
            return next(segment.slots, None)

    def _write_through(self, segment: Segment, offset: int) -> None:
        try:
            segment.write_through(offset)
        except OSError as error:
            self._lost_count += 1
            self._report(error)

    def put_exact(self, sequence: int, value: int, step: int, epoch: float) -> None:
        """Record an integer that a double can't hold, as an event line."""
        self._append(
            {"point": sequence, "step": step, "epoch": None if epoch != epoch else epoch, "value": value}
        )

    def put_objects(self, sequence: int, name: str, kind: str, items: Sequence[Stored], step: int, epoch: float) -> None:
        """Write the objects of one step, then the record that refers to them."""
        try:
            where = self.blobs.append(name, step, items, kind)
        except OSError as error:
            self._lost_count += 1
            self._report(error)
            return
        self.put(sequence, where, step, epoch)

    def _extend(self, full: Any) -> bool:
        # True: try again; False: there is no room, and the point is counted as lost
        with self.lock:
            if self.segment is not full:
                return True
            self.check_open()
            if self._gone or now() < self._retry_at_s:
                self._lost_count += 1
                return False
            try:
                self.segment = self._spare or self._new_segment()
            except OSError as error:
                self._retry_at_s = now() + RETRY_S
                self._lost_count += 1
                self._report(error)
                return False
            self._spare = None
            if self._reported and self._lost_count:
                log.error(
                    "Aim: recording of run %s goes on; %d points found no room and are lost.", self.run_hash, self._lost_count
                )
                self._reported, self._lost_count = False, 0
            return True

    def _new_segment(self) -> Segment:
        segment = Segment(self.folder, self.run_hash, self.id, self._segment_count, self.disk)
        self._segment_count += 1
        self._segments.append(segment)
        self.disk.sync_folder(self.folder)
        return segment

    # params and properties

    def set_param(self, path: params.Path, value: object, *, strict: bool = True) -> None:
        """Put a param at *path*, in place of what is there."""
        self.check_open()
        where = params.dotted(path) or "params"
        self._append({"set": list(path), "value": params.encode(value, where, strict=strict)})

    def delete_param(self, path: params.Path) -> None:
        """Take away a param and all below it."""
        self.check_open()
        self._append({"del": list(path)})

    def set_property(self, **properties: object) -> None:
        """Set name, description, experiment, archived ..."""
        self.check_open()
        self._append({"property": properties})

    def change_tags(self, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Add and remove tags, by name."""
        self.check_open()
        self._append({"tags": {"add": list(add), "remove": list(remove)}})

    def _append(self, event: Mapping[str, Any]) -> None:
        try:
            self.events.append(event)
        except OSError as error:
            self._report(error)

    def _report(self, error: OSError) -> None:
        if not self._reported:
            self._reported = True
            log.error(
                "Aim can't write run %s in %s: %s. The training goes on; what was recorded before stays readable, and recording "
                "resumes when the disk takes it again.",
                self.run_hash,
                self.folder,
                error.strerror or error,
            )

    # the background thread and the ends

    def flush(self) -> None:
        """Wait until everything recorded is on the disk."""
        if not self.closed and not self._forked:
            self._sync()

    def tick(self) -> None:
        """Do a second's work (docs/formats/points.md); called by the background thread."""
        if self.closed or self._gone:
            return
        try:
            if self._lost_name():
                return
            self._sync()
            segment = self.segment
            with self.lock:
                if not self.closed and self._spare is None and isinstance(segment, Segment) and segment.is_half_full():
                    self._spare = self._new_segment()
            self.events.touch()
            self._ticked_at_s = now()
        except OSError as error:
            self._report(error)

    def _sync(self) -> None:
        self.events.retry()
        self.events.sync()
        self.blobs.sync()
        for segment in tuple(self._segments):
            if segment.sync() and segment is not self.segment and segment is not self._spare:
                # once more, so that its CRCs are on the disk too
                self.disk.sync(segment.descriptor)
                self._retire(segment)

    def _retire(self, segment: Segment) -> None:
        with self.lock:
            self._point_count += segment.taken()
            self._segments.remove(segment)
        segment.close()

    def _lost_name(self) -> bool:
        # a deleted run: stop. A writer that was taken for dead and sealed meanwhile: go on as a new one
        if not layout.events_file(self.folder, self.id).exists():
            self._gone = True
            log.error("Aim: run %s was deleted while it was recording. The training goes on without being recorded.", self.run_hash)
            self.segment = _NoSegment
            return True
        orphans = [segment for segment in self._segments if not segment.has_name()]
        if orphans:
            self._begin_again(orphans)
        return False

    def _begin_again(self, orphans: Sequence[Segment]) -> None:
        with self.lock:
            since_s = self._ticked_at_s - 2 * background.SYNC_INTERVAL_S
            for segment in orphans:
                segment.stop()
            handles = list(self._declared)
            kinds = {n: kind for handle in set(handles) for kind, n in handle.numbers.items()}
            background.unregister(self)
            self.events.close()
            self._begin()
            for handle in set(handles):
                handle.stop()
            renumbered = {n: handle._declare(kinds[n]) for n, handle in enumerate(handles, start=1) if n in kinds}
            for segment in orphans:
                for value, step, at_s, epoch, number_before in RECORD.iter_unpack(bytes(segment.map)[4096:]):
                    if number_before in renumbered and at_s >= since_s:
                        self.put(renumbered[number_before], value, step, epoch)

    def forked(self) -> None:
        """In the child of a fork: drop the parent's files; this process's own begin at its first record."""
        self.lock = threading.RLock()
        self._forked = True
        self.segment = _NoSegment
        self._segments = []
        self._spare = None
        self.events.close()
        self.blobs.abandon()
        for sequence in self._sequences.values():
            sequence.stop()

    def close(self, error: str | None = None, deadline_s: float = background.CLOSE_DEADLINE_S) -> None:
        """
        End the run for this process; again: nothing happens.

        Args:
            error: the class of the exception that ended it; None: it finished.
            deadline_s: how long to wait for the disk; the rest is then done in the background.
        """
        with self.lock:
            if self.closed:
                return
            self.closed = True
            self._error = error or background.failure()
            for sequence in self._sequences.values():
                sequence.floats = NO_TYPES
                sequence.int_number = 0
            for segment in self._segments:
                segment.stop()
        if self._forked:
            return
        background.finish(self, deadline_s)

    def finish(self) -> None:
        """Do the last sync and write the end; called by `close`, in the background thread where there is one."""
        if self._gone:
            return
        try:
            self._finish()
        except OSError as error:
            self._report(error)

    def _finish(self) -> None:
        self.events.retry()
        for segment in self._segments:
            segment.sync()
            segment.finish()
        self.blobs.close()
        self.events.append(
            {
                "end": {
                    "state": "failed" if self._error else "finished",
                    "error": self._error,
                    "segments": self._segment_count,
                    "points": self._point_count + sum(segment.taken() for segment in self._segments),
                    "blobs": self.blobs.count,
                    "next": [sequence.next_step() for sequence in self._declared],
                }
            }
        )
        self.events.sync()
        for segment in self._segments:
            self.disk.sync(segment.descriptor)
            segment.close()
        self._segments = []
        self.disk.sync_folder(self.folder)
        self.events.close()
