"""
The segments of one writer, made in order: 0, 1, 2 ..., one of them ahead of need.

A number is left out by no refusal of the disk: the next segment takes it. Its segments are counted in the writer's end
event, so a number that is missing would be damage.
"""

from __future__ import annotations

from pathlib import Path

from aim.storage.disk.files import Disk
from aim.storage.disk.reserved_room import ReservedRoom
from aim.storage.disk.spare_descriptors import NONE_LEFT
from aim.storage.forms.journal import Segment, segment_size
from aim.storage.recording.buffered_segment import BUFFER_BYTES_MAX, BufferedSegment


class SegmentSupply:
    """
    Makes the segments of a writer.

    Attributes:
        segments: those that are not retired; the chain removes one when it is full and safe.
        count: of all segments, those included that the disk refused so far.
        spare: the one that was made ahead of need.
        room: what the file system promises about stores into a map.
    """

    def __init__(self, folder: Path, run_hash: str, writer: str, disk: Disk) -> None:
        self._folder = folder
        self._run_hash = run_hash
        self._writer = writer
        self._disk = disk
        self.room = ReservedRoom(folder)
        self._refused_numbers: list[int] = []
        self.segments: list[Segment] = []
        self.count = 0
        self.spare: Segment | None = None

    def make(self) -> Segment:
        """Make the next segment. Raises OSError: the disk refuses."""
        if self._refused_numbers:
            number = self._refused_numbers.pop()
        else:  # no call between the two lines: a signal handler within one would make a segment of the same number
            number = self.count
            self.count = number + 1
        segment: Segment | None = None
        try:
            segment = self._made(number)
        finally:
            if segment is None:
                self._refused_numbers.append(number)
        self.segments.append(segment)
        return segment

    def _made(self, number: int) -> Segment:
        names = self._folder, self._run_hash, self._writer, number, self._disk
        try:
            return Segment(*names, may_move=self.room.may_move, careful=self.room.is_careful)
        except OSError as error:
            buffered_bytes = sum(
                segment.size_bytes for segment in self.segments if isinstance(segment, BufferedSegment)
            )
            if error.errno not in NONE_LEFT or buffered_bytes + segment_size(number) > BUFFER_BYTES_MAX:
                raise
        return BufferedSegment(*names)

    def give_up_unmade(self) -> None:
        """Leave out the last segments, as far as their files could not be made."""
        while self.segments:
            last = self.segments[-1]
            if not isinstance(last, BufferedSegment) or last.has_file or last.number != self.count - 1:
                break
            self.segments.remove(last)
            self.count -= 1

    def move(self, folder: Path) -> None:
        """Make the next segments in *folder*, where those that are made are now."""
        self._folder = self.room.folder = folder
        for segment in self.segments:
            segment.path = folder / segment.path.name

    def look_at_room(self) -> None:
        """Store through no map any more if there is little room left, and through maps of later segments again."""
        if self.room.look():
            for segment in tuple(self.segments):
                segment.unmap()

    def give_back_spare(self) -> None:
        """
        Remove the spare, which no record needs: on a full disk its blocks make room for the end of the run.

        Numbers that the disk refused are given up if they are the last ones; else their segments are made after all.

        Raises:
            OSError: the disk refuses.
        """
        spare = self.spare
        if spare is not None and spare.number == self.count - 1:
            self.segments.remove(spare)
            self.count -= 1
            spare.close()
            self._disk.unlink(spare.path)
        while self.count - 1 in self._refused_numbers:
            self.count -= 1
            self._refused_numbers.remove(self.count)
        while self._refused_numbers:
            self.make()
