"""
A writer that was taken for dead, and sealed while it recorded, goes on under a new id. Records that the sealer may not
have seen are recorded again.

What the sealer has seen is then recorded twice, the same value at the same step and time, which no reader shows twice;
what came after it is saved. The sequences keep their numbers, so that a thread in the middle of `track()` mixes up
nothing. Such a thread may have taken a slot and not stored into it yet: that is a *straggler*, and its slot is read
again at each tick.
"""

from __future__ import annotations

from collections.abc import Iterable

from aim.core import kinds
from aim.core.errors import AimError
from aim.storage.disk import layout
from aim.storage.disk.refusals import Refusals
from aim.storage.forms import blobs
from aim.storage.forms.journal import Segment, holes, offsets, record_at
from aim.storage.recording.recording_files import FormerFiles, RecordingFiles
from aim.storage.recording.sequences import Sequences


class Takeover:
    """Records again, into *files*, what former files of this process hold."""

    def __init__(self, files: RecordingFiles, sequences: Sequences, refusals: Refusals) -> None:
        self._files = files
        self._sequences = sequences
        self._refusals = refusals
        self._stragglers: list[tuple[Segment, str, list[int]]] = []

    def take(self, former: FormerFiles) -> None:
        """Take the records of *former*, and close it."""
        former.log.close()
        for segment in former.segments:
            segment.stop()
        self._sequences.declare_again()
        for segment in former.segments:
            empty_slots = holes(segment)
            self._record_again(segment, former.writer, offsets(segment))
            if empty_slots:
                self._stragglers.append((segment, former.writer, empty_slots))
            segment.abandon()
        former.blobs.close()

    def take_stragglers(self) -> None:
        """Take the records that were stored into slots which were empty the last time."""
        waiting = []
        for segment, writer, empty_slots in self._stragglers:
            still_empty = holes(segment, empty_slots)
            self._record_again(segment, writer, sorted(set(empty_slots) - set(still_empty)))
            if still_empty:
                waiting.append((segment, writer, still_empty))
        self._stragglers = waiting

    def forget(self) -> None:
        """In the child of a fork: stragglers are the parent's."""
        self._stragglers = []

    def _record_again(self, segment: Segment, writer: str, slots: Iterable[int]) -> None:
        for offset in slots:
            value, step, at_s, epoch, number = record_at(segment, offset)
            declared = self._sequences.declared(number)
            if declared is None:
                continue
            sequence, kind = declared
            if kinds.is_number(kind):
                self._files.segments.put(number, value, step, epoch, at_s)
            else:
                self._record_objects_again(writer, int(value), (number, sequence.name, step, epoch, at_s))

    def _record_objects_again(self, writer: str, position: int, point: tuple[int, str, int, float, float]) -> None:
        number, name, step, epoch, at_s = point
        file_number, offset = blobs.split_position(position)
        path = layout.blob_file(self._files.folder, writer, file_number)
        try:
            record = blobs.read_record(path, offset, step)
            objects = [blobs.read_item(path, record["kind"], item) for item in record["items"]]
        except (OSError, AimError):
            self._refusals.count_lost()
            return
        self._files.objects.put(number, name, record["kind"], objects, (step,), epoch, at_s)
