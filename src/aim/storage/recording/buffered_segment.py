"""
A segment whose file is not open: for a process that has no descriptors left.

    track() -> memory          no descriptor
    each second, and the end   the file is opened by a spare descriptor, written, synced, and closed again

So a training that has as many files open as it may goes on being recorded. What `track()` was given in the last second
is lost when the process is killed then, as in a power cut, and other processes see it a second later. The memory of
these segments is bounded; points that find no room in it are counted as lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path

from aim.storage.disk.files import Disk
from aim.storage.disk.spare_descriptors import SPARE
from aim.storage.forms.journal import PAGE_BYTES, RECORD_BYTES, Segment, begin_file, create_file, discard_file, offsets

BUFFER_BYTES_MAX = 16 << 20  # of one writer: half a million points


class BufferedSegment(Segment):
    """
    A segment in memory; see `Segment`.

    Attributes:
        has_file: whether its file was made.
    """

    __slots__ = ("has_file", "_head")

    def __init__(self, folder: Path, run_hash: str, writer: str, number: int, disk: Disk) -> None:
        self.has_file = False
        super().__init__(folder, run_hash, writer, number, disk)

    def _begin(self, head: bytes, *, may_move: bool, careful: bool) -> tuple[mmap | bytearray, bool]:
        self._head = head
        return bytearray(self.size_bytes), False

    @contextmanager
    def _opened(self) -> Iterator[None]:
        if self.descriptor >= 0:  # within another call of this segment
            yield
            return
        descriptor = SPARE.open(self._open_file)
        self.descriptor = descriptor
        try:
            if not self.has_file:
                self._begin_file()
            yield
        finally:
            self.descriptor = -1
            SPARE.close(descriptor)

    def _begin_file(self) -> None:
        try:
            begin_file(self.descriptor, self.size_bytes, self._head, self._disk)
        except OSError:
            discard_file(self.path, self._disk)
            raise
        self.has_file = True

    def _open_file(self) -> int:
        return self._disk.open_existing(self.path) if self.has_file else create_file(self.path, self._disk)

    def write_through(self, offset: int) -> None:
        """Do nothing: `sync` writes the record."""

    def sync(self) -> bool:
        """Do as `Segment.sync`, with the file open meanwhile. Raises OSError."""
        with self._opened():
            return super().sync()

    def sync_file(self) -> None:
        """Write the pages that had no CRC yet, and wait until the file is on the disk. Raises OSError."""
        with self._opened():
            start, end = self._page_next * PAGE_BYTES, PAGE_BYTES + self.taken() * RECORD_BYTES
            self._disk.write_at(self.descriptor, bytes(self.map[start:end]), start)
            super().sync_file()

    def end(self) -> None:
        """Write everything, with the CRCs of all pages. Raises OSError: `unwritten` has what may not be written."""
        self.unwritten = [offset for offset in offsets(self) if offset >= self._page_next * PAGE_BYTES]
        with self._opened():
            super().end()
