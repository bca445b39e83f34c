"""
The journal: 32-byte records in memory-mapped segments. Specified in docs/formats/points.md.

    record := value f64 | step i64 | time f64 | epoch f32 | sequence u32         little-endian, 32 bytes

A segment hands out its slots from a `range` iterator: taking one is atomic under the GIL, and the iterator's end is
the only capacity check. The record is stored by one `struct.pack_into`, whose last store, the sequence number,
publishes it. No system call, no lock: see docs/decisions/journal.md for what these cost.

Rule 1: a page's CRC is taken only when no slot of the page is empty, after an fsync that covered it (or at the end).
Rule 2: a segment never changes its size.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from aim.core.hashing import blake2b
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.layout import segment_file

RECORD = struct.Struct("@dqdfI")
RECORD_BYTES = 32
PAGE_BYTES = 4096
PAGE_RECORDS = PAGE_BYTES // RECORD_BYTES
SEGMENT_BYTES = (16 << 10, 64 << 10, 256 << 10, 1 << 20, 2 << 20)  # the last one again and again
MAGIC = b"points\x00\x01"
HEADER = struct.Struct("<8sII8s16s20x")  # up to its CRC
HEADER_CRC_OFFSET = 60
CRC_TABLE_OFFSET = 64
VOID = 0xFFFFFFFF  # the sequence number in a slot whose value turned out to be refused
STORING_SLOTS_MAX = 1024  # threads that are storing a record at one moment, at most
NAN = math.nan
FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()

if RECORD.size != RECORD_BYTES or sys.byteorder != "little":
    raise ImportError("Aim's journal needs a little-endian machine with 8-byte longs.")


def segment_size(number: int) -> int:
    """
    Return the size in bytes of a writer's n-th segment.

    >>> [segment_size(number) // 1024 for number in range(6)]
    [16, 64, 256, 1024, 2048, 2048]
    """
    return SEGMENT_BYTES[min(number, len(SEGMENT_BYTES) - 1)]


def run_digest(run_hash: str) -> bytes:
    """Return the 16 bytes that stand for a run in a segment's header."""
    return blake2b(run_hash.encode(), digest_size=16).digest()


def header(size_bytes: int, number: int, writer: str, run_hash: str) -> bytes:
    """Return the first 64 bytes of a segment."""
    head = HEADER.pack(MAGIC, size_bytes, number, writer.encode("ascii"), run_digest(run_hash))
    return head + struct.pack("<I", zlib.crc32(head))


def page_crc(page: bytes | memoryview) -> int:
    """Return the CRC-32 of a page as the table holds it: never 0, which means "not yet taken"."""
    return zlib.crc32(page) or 1


def _mapped(descriptor: int, size_bytes: int, *, careful: bool) -> tuple[mmap.mmap | bytearray, bool]:
    try:
        if not careful:
            return mmap.mmap(descriptor, size_bytes), True
    except (OSError, ValueError):  # some FUSE and object-store mounts
        pass
    try:
        return bytearray(size_bytes), False
    except MemoryError:  # no room for the segment is a refusal, and must not end a training
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from None


def create_file(path: Path, disk: Disk) -> int:
    """Create the file of a segment; return its descriptor. Raises OSError."""
    try:
        return disk.create(path)
    except FileExistsError:  # the disk refused an earlier attempt half-way, and refused to undo it: the file is ours
        return disk.open_existing(path)


def begin_file(descriptor: int, size_bytes: int, head: bytes, disk: Disk) -> None:
    """Give the file of a segment its size and its header. Raises OSError."""
    disk.allocate(descriptor, size_bytes)
    disk.write_at(descriptor, head, 0)


def discard_file(path: Path, disk: Disk) -> None:
    """Remove the file of a segment that could not be made."""
    try:
        disk.unlink(path)
    except OSError:
        pass


class FormerMap:
    """
    The map that a segment had before `unmap`, and the slots that a thread may have been storing into at that moment.

    Such a thread stores into the former map or into the memory that took its place; each slot is settled when its
    record is in that memory.
    """

    def __init__(self, former: mmap.mmap, offsets: Iterable[int]) -> None:
        self._former = former
        self.offsets = list(offsets)

    def settle(self, offset: int, memory: mmap.mmap | bytearray) -> bool:
        """Bring the record at *offset* into *memory*; return whether there is one."""
        if self._holds(offset):
            memory[offset : offset + RECORD_BYTES] = self._former[offset : offset + RECORD_BYTES]
        return any(memory[offset + 28 : offset + RECORD_BYTES])

    def _holds(self, offset: int) -> bool:
        """Return whether a record was stored into the former map, and so is in the file."""
        return any(self._former[offset + 28 : offset + RECORD_BYTES])

    def take_settled(self, memory: mmap.mmap | bytearray) -> list[int]:
        """Return the offsets of the slots that are settled now and are not in the file, once each."""
        settled = [offset for offset in self.offsets if self.settle(offset, memory)]
        self.offsets = sorted(set(self.offsets) - set(settled))
        return [offset for offset in settled if not self._holds(offset)]


class Segment:
    """
    One journal file being written by this process.

    Attributes:
        map: the mapped file; a `bytearray` of its size where the file system can't map (see `mapped`).
        slots: an iterator of the byte offsets of the slots that are left.
        unwritten: the offsets of records that the disk has refused; there are none in a mapped file.
        free: the same iterator if storing a record is all that is to be done; an empty one if the file is not mapped,
            or if taking a slot needs a lock: then the slow path takes from `slots`.
    """

    __slots__ = (
        "map", "free", "slots", "mapped", "unwritten", "path", "number", "descriptor", "size_bytes",
        "_disk", "_page_next", "_taken", "_former",
    )  # fmt: skip

    def __init__(
        self,
        folder: Path,
        run_hash: str,
        writer: str,
        number: int,
        disk: Disk = DISK,
        *,
        may_move: bool = False,
        careful: bool = False,
    ) -> None:
        self._disk = disk
        self._former: FormerMap | None = None
        self.number = number
        self.size_bytes = segment_size(number)
        self.path = segment_file(folder, writer, number)
        self.descriptor = -1
        self.map: mmap.mmap | bytearray
        head = header(self.size_bytes, number, writer, run_hash)
        self.map, self.mapped = self._begin(head, may_move=may_move, careful=careful)
        self.slots: Iterator[int] = iter(range(PAGE_BYTES, self.size_bytes, RECORD_BYTES))
        self.free: Iterator[int] = self.slots if self.mapped and not FREE_THREADED else iter(range(0))
        self._page_next = 1
        self._taken: int | None = None
        self.unwritten: list[int] = []

    def _begin(self, head: bytes, *, may_move: bool, careful: bool) -> tuple[mmap.mmap | bytearray, bool]:
        """Make the file; return the memory that records are stored into, and whether it is the mapped file."""
        self.descriptor = create_file(self.path, self._disk)
        try:
            if may_move:
                self._disk.write_in_place(self.descriptor)
            begin_file(self.descriptor, self.size_bytes, head, self._disk)
            return _mapped(self.descriptor, self.size_bytes, careful=careful)
        except OSError:
            os.close(self.descriptor)
            discard_file(self.path, self._disk)
            raise

    def taken(self) -> int:
        """Return how many slots were handed out, filled or not."""
        if self._taken is not None:
            return self._taken
        left: int = self.slots.__length_hint__()  # type: ignore[attr-defined]
        return (self.size_bytes - PAGE_BYTES) // RECORD_BYTES - left

    def stop(self) -> None:
        """Hand out no more slots."""
        if self._taken is None:
            free_slots = list(self.slots)  # one call, so that no other thread takes a slot meanwhile
            self._taken = (self.size_bytes - PAGE_BYTES) // RECORD_BYTES - len(free_slots)

    def write_through(self, offset: int) -> None:
        """
        Write the record at *offset* to a file that can't be mapped.

        Raises:
            OSError: the disk refuses; `sync` will write the record.
        """
        if self._former is not None and offset in self._former.offsets and not self._former.settle(offset, self.map):
            return  # another thread is still storing it
        try:
            self._disk.write_at(self.descriptor, bytes(self.map[offset : offset + RECORD_BYTES]), offset)
        except OSError:
            self.unwritten.append(offset)
            raise

    def unmap(self) -> None:
        """
        Store by `write_through` from now on: a store into the map may need room that the disk has no more.

        Cost: copies the segment, 0.3 ms for the largest one.
        """
        former = self.map
        if isinstance(former, bytearray):
            return
        self.free = iter(range(0))
        memory = bytearray(former)
        latest = offsets(self)[-STORING_SLOTS_MAX:]
        self._former = FormerMap(former, latest)
        self.map, self.mapped = memory, False

    def sync(self) -> bool:
        """
        Put the records on the disk, then take the CRCs of the pages that were full; return whether all is done.
        """
        if self._former is not None:
            self.unwritten += self._former.take_settled(self.map)
        while self.unwritten:
            self.write_through(self.unwritten.pop())
        slots = self.taken()
        page_end = min(1 + slots // PAGE_RECORDS, self.size_bytes // PAGE_BYTES)
        full = [page for page in range(self._page_next, page_end) if _has_no_hole(self.map, page, PAGE_RECORDS)]
        self.sync_file()
        for page in full:
            self._store_crc(page)
        if full and full == list(range(self._page_next, full[-1] + 1)):
            self._page_next = full[-1] + 1
        return self._page_next * PAGE_BYTES >= self.size_bytes and not full

    def end(self) -> None:
        """
        Put everything on the disk, with the CRCs of all pages, the last and partly filled one included; nothing may be
        stored after this.
        """
        self.sync()
        slots = self.taken()
        for page in range(self._page_next, 1 + -(-slots // PAGE_RECORDS)):
            if _has_no_hole(self.map, page, min(PAGE_RECORDS, slots - (page - 1) * PAGE_RECORDS)):
                self._store_crc(page)
        self.sync_file()

    def sync_file(self) -> None:
        """Wait until the file is on the disk, whatever it holds. Raises OSError."""
        self._disk.sync(self.descriptor)

    def _store_crc(self, page: int) -> None:
        start = page * PAGE_BYTES
        with memoryview(self.map)[start : start + PAGE_BYTES] as content:
            crc = page_crc(content)
        entry = struct.pack("<I", crc)
        offset = CRC_TABLE_OFFSET + 4 * (page - 1)
        self.map[offset : offset + 4] = entry
        if not self.mapped:
            self._disk.write_at(self.descriptor, entry, offset)

    def close(self) -> None:
        """Close the descriptor. The map stays as long as another thread is storing into it."""
        self.stop()
        self.abandon()

    def abandon(self) -> None:
        """Close the descriptor, and leave the slots: they belong to the parent of this forked process."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def is_half_full(segment: Segment) -> bool:
    """Return whether it is time to prepare the next segment."""
    return segment.taken() * 2 * RECORD_BYTES >= segment.size_bytes - PAGE_BYTES


def _has_no_hole(content: mmap.mmap | bytearray, page: int, records: int) -> bool:
    start = page * PAGE_BYTES
    words = memoryview(content)[start : start + records * RECORD_BYTES].cast("I")
    return 0 not in words[7::8].tolist()


def offsets(segment: Segment) -> range:
    """Return the offsets of the slots of *segment* that were handed out."""
    return range(PAGE_BYTES, PAGE_BYTES + segment.taken() * RECORD_BYTES, RECORD_BYTES)


def holes(segment: Segment, slots: Iterable[int] | None = None) -> list[int]:
    """Return which of *slots*, by offset, or of all that were handed out, are still empty."""
    chosen = offsets(segment) if slots is None else slots
    return [offset for offset in chosen if not any(segment.map[offset + 28 : offset + RECORD_BYTES])]


def has_name(segment: Segment) -> bool:
    """Return whether the file of *segment* still has a name: a deleted run's files have none, a closed one has."""
    return segment.descriptor < 0 or os.fstat(segment.descriptor).st_nlink > 0


def record_at(segment: Segment, offset: int) -> tuple[float, int, float, float, int]:
    """Return the record at *offset*: value, step, time, epoch, sequence."""
    value, step, at_s, epoch, sequence = RECORD.unpack_from(segment.map, offset)
    return value, step, at_s, epoch, sequence


def latest_at_s(segment: Segment) -> float:
    """Return the latest time of a record of *segment*; 0.0: there is none. Cost: 15 ns a record."""
    with memoryview(segment.map)[PAGE_BYTES : PAGE_BYTES + segment.taken() * RECORD_BYTES] as content:
        return max(content.cast("d")[2::4].tolist(), default=0.0)
