"""
The sequences of a writer: their handles, their numbers, and what concerns all of them, such as a rewind.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from aim.core import contexts
from aim.core.errors import UntrackableValue
from aim.core.kinds import LOG_KINDS
from aim.storage.forms import history
from aim.storage.forms.history import Rewind
from aim.storage.recording.encoding import EncodingQueue
from aim.storage.recording.event_lines import EventLines
from aim.storage.recording.lifecycle import Lifecycle
from aim.storage.recording.object_records import ObjectRecords
from aim.storage.recording.recording_files import RecordingFiles
from aim.storage.recording.segment_chain import SegmentChain
from aim.storage.recording.sequence_writer import NO_TYPES, EarlierWriters, SequenceWriter

SequenceKey = tuple[str, str]
ReadEarlier = Callable[[], Mapping[SequenceKey, EarlierWriters]]


class Sequences:
    """
    The sequences of a writer. For a `SequenceWriter` it is the `Recorder`.

    Args:
        read_earlier: returns what other writers recorded, when a run is resumed; called once, for the first sequence.
    """

    def __init__(
        self,
        files: RecordingFiles,
        lifecycle: Lifecycle,
        encoding: EncodingQueue,
        read_earlier: ReadEarlier | None,
    ) -> None:
        self.lifecycle = lifecycle
        self.lines: EventLines = files.lines
        self.segments: SegmentChain = files.segments
        self.objects: ObjectRecords = files.objects
        self.encoding = encoding
        self._read_earlier = read_earlier
        self._earlier: Mapping[SequenceKey, EarlierWriters] | None = None
        self._handles: dict[SequenceKey, SequenceWriter] = {}
        self._forget_numbers()

    def _forget_numbers(self) -> None:
        self._numbers = itertools.count(1)
        self._declared: dict[int, tuple[SequenceWriter, str]] = {}

    def handle(self, name: str, context: object = None) -> SequenceWriter:
        """
        Return the handle of a sequence; the same one for equal contexts.

        Raises:
            UntrackableValue: the name or the context can't be one.
            RunClosed: the run was closed, and the process goes on.
        """
        if not isinstance(name, str) or not name:
            raise UntrackableValue(f"A sequence's name has to be a string that is not empty, not {name!r}.")
        key = (name, contexts.text(context))
        if self.lifecycle.is_left_out():
            return SequenceWriter(self, name, contexts.plain(context), None)
        with self.lifecycle.lock:
            handle = self._handles.get(key)
            if handle is None:
                self.lifecycle.admits()
                if self._earlier is None:
                    self._earlier = self._read_earlier() if self._read_earlier else {}
                fresh = SequenceWriter(self, name, contexts.plain(context), self._earlier.get(key))
                handle = self._handles.setdefault(key, fresh)  # a signal handler may have made it meanwhile
            return handle

    def declare(self, undeclared: Sequence[tuple[SequenceWriter, str]]) -> list[int]:
        """Announce sequences, each of a kind, in one write and before their first points; return their numbers."""
        with self.lifecycle.lock:
            if not self.lifecycle.admits() and self.lifecycle.is_closed:
                return [0] * len(undeclared)
            # each number is taken by one call: a signal handler within this one may declare, too
            numbers = [next(self._numbers) for _ in undeclared]
            self._declared.update(zip(numbers, undeclared))
            self._announce(numbers)
            return numbers

    def declare_again(self) -> None:
        """Announce all sequences in a new event file, under their numbers."""
        self._announce(sorted(self._declared))

    def _announce(self, numbers: Iterable[int]) -> None:
        sequences = [(number, *self._declared[number]) for number in numbers]
        self.lines.declare([(number, it.name, it.context, kind) for number, it, kind in sequences])

    def declared(self, number: int) -> tuple[SequenceWriter, str] | None:
        """Return the sequence of a number, and its kind."""
        return self._declared.get(number)

    def next_steps(self) -> list[int]:
        """Return, in the order of the numbers, the step that a value without one would get."""
        return [sequence.next_step() for _, (sequence, _) in sorted(self._declared.items())]

    def stop(self) -> None:
        """Send the next call of each sequence to the slow path: the run has ended."""
        for sequence in tuple(self._handles.values()):
            sequence.stop()

    def forked(self) -> None:
        """In the child of a fork: stop, and forget the numbers, which are the parent's."""
        self._forget_numbers()
        for sequence in self._handles.values():
            sequence.stop()

    # time

    def rewind(self, step: int, seen_at_s: float = 0.0) -> Rewind:
        """
        Hide what was recorded until now at later steps than *step*; values without a step go on after it.

        Args:
            seen_at_s: the newest time that is known of the run; the rewind is later, however wrong the clocks are.

        Raises:
            RunClosed: the run has ended.

        Cost: waits for objects that are being encoded; else some 20 us, and 1 ms for 50,000 points of this process.
        """
        self.encoding.wait_until_done()  # they carry the time of their `track`
        with self.lifecycle.lock:
            self.lifecycle.check_open()
            rewind = self.lines.rewind(step, max(seen_at_s, self.segments.latest_at_s()))
            self.set_earliest_time(rewind.time_s)
            for sequence in tuple(self._handles.values()):
                if history.is_rewound(sequence.name) and not sequence.kinds.names & LOG_KINDS:
                    sequence.rewind(step)
            for key, earlier in (self._earlier or {}).items():
                if history.is_rewound(key[0]) and not earlier.kinds & LOG_KINDS:
                    next_step = history.next_step(earlier.next_step, [rewind])
                    self._earlier = {**(self._earlier or {}), key: earlier._replace(next_step=next_step)}
            return rewind

    def advance_clock(self, seen_at_s: float) -> None:
        """
        Give nothing that is recorded from now on an earlier time than *seen_at_s*, the newest time in the run: the
        latest record counts, also when the clock of this host is behind those of others.
        """
        with self.lifecycle.lock:
            if self.lines.advance_clock(seen_at_s):
                self.set_earliest_time(seen_at_s)

    def set_earliest_time(self, moment_s: float) -> None:
        """
        Give no point from now on a time before *moment_s*: while the clock is behind, points have that time.

        After points up to a moment were hidden: what this process records next must not be hidden too because the clock
        was set back, or stands still for a moment.
        """
        with self.lifecycle.lock:
            self.segments.earliest_at_s = max(self.segments.earliest_at_s, moment_s)
            for sequence in tuple(self._handles.values()):
                sequence.floats = NO_TYPES  # the slow path, once: it sees whether the clock is behind
