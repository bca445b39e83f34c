"""
One sequence of a run being recorded: which step a value gets, which type it has, and the fastest way into the journal.

    step given | largest so far | stored
    no         | none, or < 0   | 0
    no         | 7              | 8
    5          | 7              | 5        kept; readers sort
    2.7        |                | 2        cut, as readers of Aim 3 do

The hot path is one class test: `floats` holds the types that a double stores as they are. It is empty until the
sequence is declared, after a fork, after the end, and always on free-threaded builds; each leads to the slow path.

**Why no step is given twice.** Steps come from one `itertools.count`, atomic under the GIL, and a step counts only if
the counter is still in place after it was taken. Whoever moves the counter first puts `MOVING` in its place and then
takes from the old one: every step that counted is below that.
"""

from __future__ import annotations

import itertools
import logging
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from aim.core import params, words
from aim.core.errors import UntrackableValue, UsageError
from aim.core.kinds import NUMBERS
from aim.core.values import (
    EXACT_INT_MAX,
    INT_MAX,
    INT_MIN,
    Deferred,
    Storable,
    Stored,
    epoch_number,
    number,
    step_number,
    stored_or_deferred,
)
from aim.storage.forms.journal import FREE_THREADED, NAN, RECORD, VOID

FLOAT_TYPES: set[type] = {float}  # grows by numpy's, when first seen
NO_TYPES: frozenset[type] = frozenset()
PLAIN_LIST_KINDS = frozenset({"list(int)", "list(float)", "list(str)", "list(bool)"})
MOVING = itertools.repeat(INT_MIN)  # a counter whose steps count for nobody

pack_into = RECORD.pack_into
now = time.time
log = logging.getLogger("aim")


@dataclass(frozen=True)
class EarlierWriters:
    """What other writers of the run recorded of one sequence: its kinds, and the step after its last one."""

    kinds: frozenset[str]
    next_step: int


class Recorder(Protocol):
    """What a sequence asks of the writer that it belongs to."""

    segment: Any
    earliest_at_s: float

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Taken for what is rare."""

    def ready(self) -> bool:
        """Return whether recording is possible; raise `RunClosed` after the end."""

    def declare(self, sequence: SequenceWriter, kind: str) -> int:
        """Announce a sequence of a kind."""

    def put(self, sequence: int, value: object, step: int, epoch: object) -> None:
        """Store one record."""

    def put_exact(self, sequence: int, value: int, step: int, epoch: float) -> None:
        """Record an integer that a double can't hold."""

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
        """Write the objects of one step, or one for each of several."""

    def encode_later(self, held_bytes: int, work: Callable[[], object]) -> None:
        """Have objects made and written beside the caller."""


class SequenceWriter:
    """
    A handle on one sequence of a run: the fastest way to track it.

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

    __slots__ = ("writer", "name", "context", "floats", "number", "int_number", "kinds", "counter", "last", "numbers")

    def __init__(self, writer: Recorder, name: str, context: dict[str, Any], past: EarlierWriters | None) -> None:
        self.writer = writer
        self.name = name
        self.context = context
        self.floats: set[type] | frozenset[type] = NO_TYPES
        self.number = 0
        self.int_number = 0
        self.kinds: set[str] = set(past.kinds) if past else set()
        self.numbers: dict[str, int] = {}  # kind -> number of this writer
        self.counter: Iterator[int] = itertools.count(past.next_step if past else 0)
        self.last = -1  # the largest step that was given, not counted

    def __repr__(self) -> str:
        return f"<SequenceWriter of {self.name!r} {self.context}>"

    def track(self, value: object, step: object = None, epoch: object = None, sync: bool = False) -> None:
        """
        Record *value*, a number, an object or a list of objects.

        Args:
            step: an integer; without it the step after the largest so far.
            epoch: a number; kept to 7 digits.
            sync: make the bytes of objects before this returns, not in the background (encoding.py).

        Raises:
            UntrackableValue: the value, step or epoch is none.
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
        segment = self.writer.segment
        for offset in segment.free:
            try:
                pack_into(segment.map, offset, value, step, now(), NAN if epoch is None else epoch, self.number)
            except (struct.error, OverflowError, TypeError, ValueError):
                self._refused(segment, offset, value, step, epoch)
            return None
        return self._put(value, step, epoch)

    def _put(self, value: object, step: Any, epoch: object) -> None:
        try:
            self.writer.put(self.number, value, step, epoch)
        except UsageError:
            self._give_back(step)
            raise

    def _recount(self) -> int:
        with self.writer.lock:
            counter, self.counter = self.counter, MOVING
            step = max(next(counter), self.last + 1)
            self.counter = itertools.count(step + 1)
            return step

    def _give_back(self, step: int) -> None:
        # a value was refused: the next one gets its step, if no other thread has counted on
        with self.writer.lock:
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
        given = step if isinstance(step, int) and step.__class__ is int else step_number(step)
        if not INT_MIN <= given <= INT_MAX:
            raise OverflowError(f"step {words.integer(given)} of {self.name!r} does not fit 64 bits.")
        if given > self.last:
            with self.writer.lock:
                self.last = max(self.last, given)
        return given

    def _refused(self, segment: Any, offset: int, value: object, step: Any, epoch: object) -> None:
        # the same slot again, with checked values; a slot that stays unused is made void, so that no hole is left
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
        kind = value.__class__
        if kind is int and self.int_number and -EXACT_INT_MAX <= value <= EXACT_INT_MAX:  # type: ignore[operator]
            checked = NAN if epoch is None else epoch_number(epoch)
            return self.writer.put(self.int_number, value, self._step(step), checked)
        if not self.writer.ready():
            return None
        # everything is checked before a step is counted
        checked = epoch_number(epoch)
        if kind is float or _is_float_scalar(value):
            self.number = self._declare("float")
            if not FREE_THREADED:
                FLOAT_TYPES.add(kind)
                # while the clock is behind a rewind, `put` gives the times
                self.floats = FLOAT_TYPES if now() >= self.writer.earliest_at_s else NO_TYPES
            return self.writer.put(self.number, value, self._step(step), checked)
        if isinstance(value, Storable):
            return self._track_objects([stored_or_deferred(value, sync=sync)], None, step, checked)
        if isinstance(value, (list, tuple)):
            return self._track_objects([_item(item, sync) for item in value], "list", step, checked)
        plain = number(value)
        if isinstance(plain, float):
            return self.writer.put(self._declare("float"), plain, self._step(step), checked)
        sequence = self.int_number = self._declare("int")
        if -EXACT_INT_MAX <= plain <= EXACT_INT_MAX:
            return self.writer.put(sequence, plain, self._step(step), checked)
        return self.writer.put_exact(sequence, plain, self._step(step), checked)

    def _track_objects(self, items: Sequence[Stored | Deferred], form: str | None, step: object, epoch: float) -> None:
        if form is None:
            kind = items[0].kind
        else:
            kind = f"list({items[0].kind})" if items else next((k for k in self.kinds if k.startswith("list")), "list")
        sequence = self._declare(kind)
        steps = (self._step(step),)
        held_bytes = sum(item.held_bytes for item in items if isinstance(item, Deferred))
        if not held_bytes:
            return self.writer.put_objects(sequence, self.name, kind, _made(items), steps, epoch)
        writer, name, at_s = self.writer, self.name, max(now(), self.writer.earliest_at_s)
        return writer.encode_later(
            held_bytes, lambda: writer.put_objects(sequence, name, kind, _made(items), steps, epoch, at_s)
        )

    def track_shared(self, items: Sequence[Stored], steps: Sequence[int]) -> None:
        """
        Record one small object at each of *steps*, all of one kind, in one entry of the blob file
        (docs/formats/blobs.md).

        Cost: 32 bytes of the journal and the JSON of its fields for each.
        """
        if items and self.writer.ready():
            kind = items[0].kind
            number = self._declare(kind)
            for step in steps:
                self._step(step)
            self.writer.put_objects(number, self.name, kind, items, steps, NAN)

    def _declare(self, kind: str) -> int:
        known = self.numbers.get(kind)
        if known is not None:
            return known
        with self.writer.lock:
            self._check_kind(kind)
            if kind not in self.numbers:
                if self.kinds and kind not in self.kinds and kind in NUMBERS:
                    log.warning(
                        "Sequence %r %s now holds both ints and floats: its type is 'number'.", self.name, self.context
                    )
                if kind in PLAIN_LIST_KINDS:
                    log.warning(
                        "Sequence %r %s holds lists of plain values, which no query and no page shows. "
                        "Track each value by itself, or a Distribution of them.",
                        self.name,
                        self.context,
                    )
                self.numbers[kind] = self.writer.declare(self, kind)
                self.kinds.add(kind)
            return self.numbers[kind]

    def _check_kind(self, kind: str) -> None:
        for earlier in self.kinds:
            same_list = kind.startswith("list") and earlier.startswith("list") and "list" in (kind, earlier)
            if kind != earlier and not (kind in NUMBERS and earlier in NUMBERS) and not same_list:
                raise UntrackableValue(
                    f"Cannot log value '{kind}' on sequence '{self.name}'. Incompatible data types: "
                    f"it holds {earlier}. Use another name or context."
                )

    def stop(self) -> None:
        """Send the next call to the slow path: the run has ended, or this is the child of a fork."""
        self.floats = NO_TYPES
        self.int_number = 0
        self.numbers = {}

    def rewind(self, step: int) -> None:
        """
        Have the next value without a step get the one after *step*, if its step would be a later one.
        """
        with self.writer.lock:
            counter, self.counter = self.counter, MOVING
            upcoming = max(next(counter), self.last + 1, 0)
            self.last = min(self.last, step)
            self.counter = itertools.count(min(upcoming, max(0, step + 1)))

    def recheck_clock(self) -> None:
        """Send the next call to the slow path once, which sees whether the clock is behind."""
        self.floats = NO_TYPES

    def next_step(self) -> int:
        """Return the step that a value without one would get."""
        shown = repr(self.counter)  # `count(5)`: a count tells its next value in no other way
        return max(int(shown[6:-1]), self.last + 1) if shown.startswith("count(") else self.last + 1


def _is_float_scalar(value: object) -> bool:
    kind = type(value)
    if kind.__module__ != "numpy" or kind.__name__ == "ndarray":
        return False
    dtype = getattr(value, "dtype", None)
    return dtype is not None and dtype.kind == "f" and dtype.itemsize <= 8


def _made(items: Sequence[Stored | Deferred]) -> list[Stored]:
    return [item.make() if isinstance(item, Deferred) else item for item in items]


def _item(value: object, sync: bool) -> Stored | Deferred:
    if isinstance(value, Storable):
        return stored_or_deferred(value, sync=sync)
    if isinstance(value, str):
        return Stored("str", {"value": value})
    plain = number(value)
    return Stored(type(plain).__name__, {"value": params.encode(plain)})
