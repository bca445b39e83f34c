"""
One sequence of a run being recorded: which step a value gets, which type it has, and the fastest way into the journal.

    step given | largest so far | stored
    no         | none, or < 0   | 0
    no         | 7              | 8
    5          | 7              | 5        kept; readers sort
    7.0        | 7              | 7        a fraction such as 2.7 is refused

The hot path is one class test: `floats` holds the types that a double stores as they are. It is empty until the
sequence is declared, after a fork, after the end, and always on free-threaded builds; each leads to the slow path.

**Why no step is given twice.** Steps come from one `itertools.count`, which is atomic under the GIL, and a step counts
only if the counter is still in place after the step was taken. A thread that moves the counter first puts `MOVING` in
its place and then takes a step from the old one: every step that counted is below this one.
"""

from __future__ import annotations

import itertools
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from aim.core import words
from aim.core.errors import UntrackableValue, UsageError
from aim.core.tuples import NamedTuple
from aim.core.values import (
    EXACT_INT_MAX,
    INT_MAX,
    INT_MIN,
    Deferred,
    Stored,
    epoch_number,
    step_number,
)
from aim.storage.forms.journal import FREE_THREADED, NAN, RECORD, VOID
from aim.storage.recording.checked_values import FLOAT, CheckedValue, checked_value
from aim.storage.recording.encoding import EncodingQueue
from aim.storage.recording.event_lines import EventLines
from aim.storage.recording.lifecycle import Lifecycle
from aim.storage.recording.object_records import ObjectRecords
from aim.storage.recording.segment_chain import RecordSlots, SegmentChain
from aim.storage.recording.sequence_kinds import SequenceKinds

FLOAT_TYPES: set[type] = {float}  # grows by numpy's, when first seen
NO_TYPES: frozenset[type] = frozenset()
MOVING = itertools.repeat(INT_MIN)  # a counter whose steps do not count

pack_into = RECORD.pack_into
now = time.time


class EarlierWriters(NamedTuple):
    """What earlier writers of the run recorded of one sequence: its kinds, and the step after its last one."""

    kinds: frozenset[str]
    next_step: int


class Recorder(Protocol):
    """What a sequence needs of the writer that it belongs to; `Sequences` is one."""

    lifecycle: Lifecycle
    lines: EventLines
    segments: SegmentChain
    objects: ObjectRecords
    encoding: EncodingQueue

    def declare(self, undeclared: Sequence[tuple[SequenceWriter, str]]) -> list[int]:
        """Announce sequences, each of a kind, in one write; return their numbers."""


class SequenceWriter:
    """
    A handle on one sequence of a run, the fastest way to track it.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from aim.storage.recording.writer import Writer
    >>> writer = Writer(Path(tempfile.mkdtemp()), "example")
    >>> loss = writer.sequence("loss", {"subset": "train"})
    >>> loss.track(0.5)
    >>> loss.track(0.4, step=10)
    >>> loss.next_step()
    11
    >>> writer.close()
    """

    __slots__ = (
        "recorder", "segments", "name", "context", "floats", "number", "int_number", "kinds", "counter", "last",
    )  # fmt: skip

    def __init__(self, recorder: Recorder, name: str, context: dict[str, Any], earlier: EarlierWriters | None) -> None:
        self.recorder = recorder
        self.segments = recorder.segments
        self.name = name
        self.context = context
        self.floats: set[type] | frozenset[type] = NO_TYPES
        self.number = 0
        self.int_number = 0
        self.kinds = SequenceKinds(earlier.kinds if earlier else ())
        self.counter: Iterator[int] = itertools.count(earlier.next_step if earlier else 0)
        self.last = -1  # the largest step that the caller named

    def __repr__(self) -> str:
        return f"<SequenceWriter of {self.name!r} {self.context}>"

    def track(self, value: object, step: object = None, epoch: object = None, sync: bool = False) -> None:
        """
        Record *value*, a number, an object or a list of objects.

        Args:
            step: a whole number; without it the step after the largest so far.
            epoch: a number; kept to 7 digits.
            sync: make the bytes of objects before this returns, not in the background (encoding.py).

        Raises:
            UntrackableValue: the value, step or epoch can't be one.
            OverflowError: the value or step is an integer beyond 64 bits.
            RunClosed: the run has ended.

        Cost: about 0.3 us for a float.
        """
        if value.__class__ not in self.floats:
            return self._track_other(value, step, epoch, sync)
        if step is None:
            counter = self.counter
            step = next(counter)
            if step <= self.last or counter is not self.counter:
                step = self._recount()
        else:
            if step.__class__ is not int:
                step = step_number(step)
            if self.last < step <= INT_MAX:
                self.last = step
        segment = self.segments.segment
        for offset in segment.free:
            try:
                pack_into(segment.map, offset, value, step, now(), NAN if epoch is None else epoch, self.number)
            except (struct.error, OverflowError, TypeError, ValueError):
                self._refused(segment, offset, value, step, epoch)
            return None
        try:
            return self.segments.put(self.number, value, step, epoch)
        except UsageError:
            self._give_back(step)
            raise

    def _recount(self) -> int:
        with self.recorder.lifecycle.lock:
            counter, self.counter = self.counter, MOVING
            step = max(next(counter), self.last + 1)
            self.counter = itertools.count(step + 1)
            return step

    def _give_back(self, step: int) -> None:
        # a value was refused: the next one gets its step, if no other thread has taken one meanwhile
        with self.recorder.lifecycle.lock:
            if self.last < step <= INT_MAX:
                counter, self.counter = self.counter, MOVING
                upcoming = next(counter)
                self.counter = itertools.count(step if upcoming == step + 1 else upcoming)

    def _step(self, step: object) -> int:
        if step is None:
            if FREE_THREADED:  # no GIL makes taking a step atomic
                return self._recount()
            counter = self.counter
            counted = next(counter)
            return counted if counted > self.last and counter is self.counter else self._recount()
        checked = step if isinstance(step, int) and step.__class__ is int else step_number(step)
        if not INT_MIN <= checked <= INT_MAX:
            raise OverflowError(f"step {words.integer(checked)} of {self.name!r} does not fit 64 bits.")
        if checked > self.last:
            with self.recorder.lifecycle.lock:
                self.last = max(self.last, checked)
        return checked

    def _refused(self, segment: RecordSlots, offset: int, value: object, step: Any, epoch: object) -> None:
        # store checked values into the same slot; a slot that stays unused is made void, so that no hole is left
        try:
            if not INT_MIN <= step <= INT_MAX:
                raise OverflowError(f"step {words.integer(step)} of {self.name!r} does not fit 64 bits.")
            plain = float(value)  # type: ignore[arg-type]
            pack_into(segment.map, offset, plain, step, now(), epoch_number(epoch), self.number)
        except (struct.error, OverflowError, TypeError, ValueError) as error:
            pack_into(segment.map, offset, 0.0, 0, now(), NAN, VOID)
            self._give_back(step)
            if isinstance(error, (UntrackableValue, OverflowError)):
                raise
            raise UntrackableValue(
                f"Can't track {value!r} at step {step!r}, epoch {epoch!r} of {self.name!r}: {error}."
            ) from None

    def _track_other(self, value: object, step: object, epoch: object, sync: bool) -> None:
        if value.__class__ is int and self.int_number and -EXACT_INT_MAX <= value <= EXACT_INT_MAX:
            checked_epoch = NAN if epoch is None else epoch_number(epoch)
            return self.segments.put(self.int_number, value, self._step(step), checked_epoch)
        if self.recorder.lifecycle.admits():
            self.put(self.check(value, step, epoch, sync))
        return None

    def check(self, value: object, step: object = None, epoch: object = None, sync: bool = False) -> CheckedValue:
        """Return *value* as `put` takes it, or raise what `track` would; nothing is recorded or declared."""
        return checked_value(value, step, epoch, sync, self.name, self.kinds)

    def put(self, checked: CheckedValue, at_s: float | None = None) -> None:
        """Record a value of this sequence that was checked; *at_s*: its time, by default now."""
        if not self.recorder.lifecycle.admits():
            return
        sequence = self._declare(checked)
        step = self._step(checked.step)
        if not checked.is_number:
            _put_objects(self, sequence, checked, step, at_s)
        elif checked.kind == "int" and not -EXACT_INT_MAX <= checked.value <= EXACT_INT_MAX:
            self.recorder.lines.add_exact_point(sequence, checked.value, step, checked.epoch, at_s)
        else:
            self.segments.put(sequence, checked.value, step, checked.epoch, at_s)

    def track_shared(self, objects: Sequence[Stored], steps: Sequence[int]) -> None:
        """
        Record one small object at each of *steps*, all of one kind, in one entry of the blob file
        (docs/formats/blobs.md).

        Cost: 32 bytes of the journal and the JSON of its fields for each.
        """
        if objects and self.recorder.lifecycle.admits():
            kind = objects[0].kind
            sequence = self._declare(CheckedValue(kind, objects, None, NAN))
            for step in steps:
                self._step(step)
            self.recorder.objects.put(sequence, self.name, kind, objects, steps, NAN)

    def _declare(self, checked: CheckedValue) -> int:
        kind, number_of = checked.kind, self.kinds.numbers
        if kind not in number_of:
            with self.recorder.lifecycle.lock:
                if kind not in self.kinds.numbers:
                    self.kinds.check(kind, self.name, checked.value)
                    self.kinds.add(kind, self.recorder.declare([(self, kind)])[0], self.name)
                number_of = self.kinds.numbers  # another one since a `stop` in another thread
        sequence = number_of[kind]
        if kind == "int":
            self.int_number = sequence
        elif kind == FLOAT:
            self.number = sequence
            if not FREE_THREADED:
                FLOAT_TYPES.add(checked.value.__class__)
                # while the clock is behind a rewind, `put` gives the times
                self.floats = FLOAT_TYPES if now() >= self.segments.earliest_at_s else NO_TYPES
        return sequence

    def stop(self) -> None:
        """Send the next call to the slow path: the run has ended, or this is the child of a fork."""
        self.floats = NO_TYPES
        self.int_number = 0
        self.kinds.numbers = {}

    def rewind(self, step: int) -> None:
        """
        Have the next value without a step get the one after *step*, if its step would be a later one.
        """
        with self.recorder.lifecycle.lock:
            counter, self.counter = self.counter, MOVING
            upcoming = max(next(counter), self.last + 1, 0)
            self.last = min(self.last, step)
            self.counter = itertools.count(min(upcoming, max(0, step + 1)))

    def next_step(self) -> int:
        """Return the step that a value without one would get."""
        text = repr(self.counter)  # `count(5)`: a count tells its next value in no other way
        return max(int(text[6:-1]), self.last + 1) if text.startswith("count(") else self.last + 1


def ready_values(
    handles: Mapping[str, SequenceWriter], values: Mapping[str, Any]
) -> list[tuple[SequenceWriter, Any]] | None:
    """Return each of *values* with its sequence of *handles*, by name, if all are numbers as tracked before."""
    ready = []
    try:
        for name, value in values.items():
            sequence = handles[name]
            kind = value.__class__
            if kind not in sequence.floats and not (
                kind is int and sequence.int_number and -EXACT_INT_MAX <= value <= EXACT_INT_MAX
            ):
                return None
            ready.append((sequence, value))
    except (KeyError, TypeError):
        return None
    return ready


def put_all(checked: Sequence[tuple[SequenceWriter, CheckedValue]]) -> None:
    """
    Record values of several sequences of one writer; those sequences that are new are declared in one write.

    Cost: 8 us for each new sequence, 4 us for each other one.
    """
    fresh = [(sequence, value) for sequence, value in checked if value.kind not in sequence.kinds.numbers]
    if len(fresh) > 1 and fresh[0][0].recorder.lifecycle.admits():
        _declare_all(fresh)
    for sequence, value in checked:
        sequence.put(value)


def _declare_all(fresh: Sequence[tuple[SequenceWriter, CheckedValue]]) -> None:
    recorder = fresh[0][0].recorder
    with recorder.lifecycle.lock:
        undeclared = []
        for sequence, value in fresh:
            if value.kind not in sequence.kinds.numbers:
                sequence.kinds.check(value.kind, sequence.name, value.value)
                undeclared.append((sequence, value.kind))
        for (sequence, kind), number in zip(undeclared, recorder.declare(undeclared)):
            sequence.kinds.add(kind, number, sequence.name)


def track_at(sequence: SequenceWriter, value: object, step: object, at_s: float, epoch: object = None) -> None:
    """
    Record *value* with the time *at_s* that another program gave it, in Unix seconds; as `SequenceWriter.track`.
    """
    if sequence.recorder.lifecycle.admits():
        sequence.put(sequence.check(value, step, epoch, True), at_s)


def _put_objects(
    writer: SequenceWriter, sequence: int, checked: CheckedValue, step: int, at_s: float | None = None
) -> None:
    objects: Sequence[Stored | Deferred] = checked.value
    held_bytes = sum(waiting.held_bytes for waiting in objects if isinstance(waiting, Deferred))
    records, name, kind, epoch = writer.recorder.objects, writer.name, checked.kind, checked.epoch
    writer.recorder.encoding.wait_for((sequence, step))
    if not held_bytes:
        return records.put(sequence, name, kind, _made(objects), (step,), epoch, at_s)
    moment_s = at_s or max(now(), writer.segments.earliest_at_s)
    return writer.recorder.encoding.add(
        held_bytes,
        lambda: _made(objects),
        lambda made, claim: records.put(sequence, name, kind, made, (step,), epoch, moment_s, claim),
        (sequence, step),
    )


def _made(objects: Sequence[Stored | Deferred]) -> list[Stored]:
    return [waiting.make() if isinstance(waiting, Deferred) else waiting for waiting in objects]
