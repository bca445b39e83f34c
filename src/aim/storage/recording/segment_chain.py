"""
Where the records of a process go: one segment after another, each synced, and let go when it is full and safe.

    segment     the one that takes records. `SequenceWriter.track` stores into it directly; `put` goes on to the next
                one when it is full. It is `NO_SEGMENT` before the first record, in the child of a fork, and when the
                run was deleted
    supply      makes them, and one ahead of need; it holds those of which something is still to be synced or checked
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from mmap import mmap
from typing import Protocol

from aim.core import words
from aim.core.errors import UntrackableValue
from aim.core.values import INT_MAX, INT_MIN, epoch_number
from aim.storage.disk.refusals import Refusals, first_refusal
from aim.storage.forms.journal import NAN, RECORD, VOID, Segment, has_name, is_half_full, latest_at_s
from aim.storage.recording.lifecycle import Lifecycle, WriterState
from aim.storage.recording.segment_supply import SegmentSupply

pack_into = RECORD.pack_into
now = time.time


class RecordSlots(Protocol):
    """What a record is stored into; see `Segment`."""

    map: mmap | bytearray
    free: Iterator[int]
    slots: Iterator[int]
    mapped: bool

    def write_through(self, offset: int) -> None:
        """Write the record at *offset* to a file that can't be mapped."""


class NoSegment:
    """Stands where there is no segment: it has no slot."""

    def __init__(self) -> None:
        self.map: mmap | bytearray = bytearray()
        self.free: Iterator[int] = iter(())
        self.slots: Iterator[int] = iter(())
        self.mapped = True

    def write_through(self, offset: int) -> None:
        """Never called: there is no offset."""
        raise AssertionError("nothing is stored where there is no slot")


NO_SEGMENT = NoSegment()


class SegmentChain:
    """
    The segments of a writer.

    Attributes:
        segment: where the next record goes.
        earliest_at_s: no point that is stored from now on has an earlier time.
    """

    def __init__(self, lifecycle: Lifecycle, refusals: Refusals) -> None:
        self._lifecycle = lifecycle
        self._refusals = refusals
        self.earliest_at_s = 0.0
        self._retired_at_s = 0.0  # the latest time of a point in a retired segment
        self._retired_point_count = 0
        self._supply: SegmentSupply | None = None
        self.segment: RecordSlots = NO_SEGMENT

    def begin(self, supply: SegmentSupply) -> None:
        """Take the segments of *supply* from now on."""
        self._retired_point_count = 0
        self._supply = supply

    def detach(self) -> list[Segment]:
        """Take no more records until `begin`; return the segments that are not retired."""
        segments = self.unsynced
        self.segment = NO_SEGMENT
        self._supply = None
        return segments

    @property
    def unsynced(self) -> list[Segment]:
        """The segments that are not retired: they are still written to, or synced."""
        return self._supply.segments if self._supply else []

    @property
    def count(self) -> int:
        """How many segments there are, retired ones included."""
        return self._supply.count if self._supply else 0

    @property
    def point_count(self) -> int:
        """How many slots were taken."""
        return self._retired_point_count + sum(segment.taken() for segment in self.unsynced)

    def latest_at_s(self) -> float:
        """Return the latest time of a point of this process; 0.0: there is none. Cost: 15 ns a point not retired."""
        return max(self._retired_at_s, *(latest_at_s(segment) for segment in self.unsynced), 0.0)

    # storing

    def put(self, sequence: int, value: object, step: int, epoch: object, at_s: float | None = None) -> None:
        """Store one record, in the next segment if this one is full; without *at_s* its time is now."""
        checked_epoch = NAN if epoch is None else epoch_number(epoch)
        while True:
            segment = self.segment
            offset = next(segment.free, None) or self._take(segment)
            if offset is not None:
                moment_s = at_s or now()
                if moment_s < self.earliest_at_s and not at_s:  # the clock is behind
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
                self._refusals.count_lost()
                return

    def _take(self, segment: RecordSlots) -> int | None:
        with self._lifecycle.lock:
            return next(segment.slots, None)

    def _write_through(self, segment: RecordSlots, offset: int) -> None:
        try:
            segment.write_through(offset)
        except OSError as error:
            self._refusals.report(error)

    def _extend(self, full: RecordSlots) -> bool:
        # returns whether to try again: there is another segment
        with self._lifecycle.lock:
            if self.segment is not full:
                return True
            if (
                not self._lifecycle.admits()
                or self._lifecycle.state is WriterState.GONE
                or not self._refusals.may_retry()
            ):
                return False
            supply = self._supply
            if supply is None:
                return False
            try:
                fresh = supply.spare or supply.make()
            except OSError as error:
                self._refusals.retry_later("segment")
                self._refusals.report(error)
                return False
            # a signal handler within this call may have taken another one: then this one is for later
            supply.spare = None if self.segment is full or fresh is self.segment else fresh
            if self.segment is full:
                self.segment = fresh
            self._refusals.kinds.discard("segment")
            self._refusals.resumed()
            return True

    # the background thread

    def prepare(self) -> None:
        """Make the next segment when this one is half full, so that `put` need not. Raises OSError."""
        segment, supply = self.segment, self._supply
        if supply is not None and isinstance(segment, Segment) and is_half_full(segment):
            with self._lifecycle.lock:
                is_open = self._lifecycle.state is WriterState.OPEN
                if is_open and supply.spare is None and self.segment is segment:
                    supply.spare = supply.make()

    def sync(self) -> OSError | None:
        """Sync all segments and let go of those that are full and safe; return the first refusal."""
        refusal = None
        if self._supply is not None:
            self._supply.look_at_room()
        for segment in tuple(self.unsynced):
            try:
                if segment.sync() and segment is not self.segment:
                    segment.sync_file()  # once more, so that its CRCs are on the disk too
                    self._retire(segment)
            except OSError as error:
                refusal = refusal or error
        return refusal

    def _retire(self, segment: Segment) -> None:
        segment_latest_at_s = latest_at_s(segment)
        with self._lifecycle.lock:
            self._retired_at_s = max(self._retired_at_s, segment_latest_at_s)
            self._retired_point_count += segment.taken()
            self.unsynced.remove(segment)
        segment.close()

    def has_names(self) -> bool:
        """Return whether the files of all segments that are not retired have their names."""
        return all(has_name(segment) for segment in self.unsynced)

    # the end

    def stop(self) -> None:
        """Hand out no more slots."""
        for segment in tuple(self.unsynced):
            segment.stop()

    def give_back_spare(self) -> None:
        """Remove the segment that was prepared and is not needed. Raises OSError."""
        if self._supply is not None:
            self._supply.give_back_spare()

    def end(self) -> OSError | None:
        """Put everything on the disk, with all CRCs; return the first refusal."""
        refusal = first_refusal(segment.end for segment in self.unsynced)
        for segment in self.unsynced:
            for _ in segment.unwritten:
                self._refusals.count_lost()
        if self._supply is not None:
            self._supply.give_up_unmade()
        return refusal
