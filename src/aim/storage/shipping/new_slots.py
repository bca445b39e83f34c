"""
What is new in a journal: runs of filled slots, each read twice, since its `track()` may be storing it at this moment.

An empty slot is never sent, so no late or repeated request can empty one that was filled meanwhile.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from aim.storage.disk import layout
from aim.storage.forms import journal
from aim.storage.forms.journal import CRC_TABLE_OFFSET, PAGE_BYTES, PAGE_RECORDS, RECORD_BYTES
from aim.storage.shipping.frames import SLOTS
from aim.storage.shipping.progress import FilePart, WriterProgress

READ_SLOTS = 2048
VALUE = struct.Struct("<d20xI")  # of a slot: its value, and the number of its sequence


def capacity(number: int) -> int:
    """Return how many slots a segment has."""
    return (journal.segment_size(number) - PAGE_BYTES) // RECORD_BYTES


def segment_numbers(folder: Path, writer: str) -> list[int]:
    """Return the numbers of the segments of a writer, ascending. Raises FileNotFoundError."""
    names = (layout.WRITER_FILE.fullmatch(name) for name in os.listdir(folder))
    return sorted(int(name[3]) for name in names if name and name[1] == writer and name[3])


class NewSlots:
    """
    The segments of *writer* in *folder*.

    Attributes:
        damaged: pages that fail their CRC here: segment, page, CRC.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self._folder = folder
        self._writer = writer
        self.damaged: dict[tuple[int, int], int] = {}

    def read(self, progress: WriterProgress) -> Iterator[FilePart]:
        """Go through the filled slots that were not sent. Raises FileNotFoundError: the run is gone; OSError."""
        for number in segment_numbers(self._folder, self._writer):
            key = (SLOTS, str(number))
            file = progress.file(key)
            if file.sent.prefix >= capacity(number):
                continue
            try:
                descriptor = os.open(layout.segment_file(self._folder, self._writer, number), os.O_RDONLY)
            except FileNotFoundError:  # sealed meanwhile
                continue
            try:
                for first, data in self._filled(descriptor, number, file.sent.prefix, file.sent.end):
                    for start, stop in file.sent.gaps(first, first + len(data) // RECORD_BYTES):
                        part = data[(start - first) * RECORD_BYTES : (stop - first) * RECORD_BYTES]
                        yield FilePart(key, start, stop, part)
            finally:
                os.close(descriptor)

    def empty(self, progress: WriterProgress, pieces: Sequence[FilePart]) -> list[FilePart]:
        """
        Return, as parts without slots, the segments of which nothing was sent and nothing is in *pieces*: of a writer
        that has ended they count. While it records, one that was made ahead of need may yet go. Raises OSError.
        """
        numbers = segment_numbers(self._folder, self._writer)
        keys = {(SLOTS, str(number)) for number in numbers} - {piece.key for piece in pieces}
        files = ((key, progress.file(key)) for key in sorted(keys))
        return [FilePart(key, 0, 0, b"") for key, file in files if not file.is_made and not file.sent.count]

    def _filled(self, descriptor: int, number: int, prefix: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Go through the runs of filled slots from the page of slot *prefix* on: the first slot, and the bytes."""
        start = prefix // PAGE_RECORDS * PAGE_RECORDS
        crcs = os.pread(descriptor, PAGE_BYTES - CRC_TABLE_OFFSET, CRC_TABLE_OFFSET)
        while start < capacity(number):
            data = settled(descriptor, start, min(READ_SLOTS, capacity(number) - start))
            ranges = filled_ranges(data)
            if not ranges and start >= end:  # slots are taken in order
                return
            self._check_pages(number, start, data, crcs)
            for low, high in ranges:
                yield start + low, data[low * RECORD_BYTES : high * RECORD_BYTES]
            start += READ_SLOTS

    def _check_pages(self, number: int, start: int, data: bytes, crcs: bytes) -> None:
        for offset in range(0, len(data) - PAGE_BYTES + 1, PAGE_BYTES):
            page = 1 + start // PAGE_RECORDS + offset // PAGE_BYTES
            entry = crcs[4 * (page - 1) : 4 * page]
            crc = int.from_bytes(entry, "little")
            if crc and journal.page_crc(data[offset : offset + PAGE_BYTES]) != crc:
                self.damaged[number, page] = crc


def settled(descriptor: int, first: int, count: int) -> bytes:
    """Read slots, without those that are being stored at this moment: they have changed at a second look."""
    offset = PAGE_BYTES + first * RECORD_BYTES
    data = os.pread(descriptor, count * RECORD_BYTES, offset)
    again = os.pread(descriptor, count * RECORD_BYTES, offset)
    if data == again:
        return data
    calm = bytearray(data)
    for start in range(0, len(calm), RECORD_BYTES):
        if data[start : start + RECORD_BYTES] != again[start : start + RECORD_BYTES]:
            calm[start : start + RECORD_BYTES] = bytes(RECORD_BYTES)
    return bytes(calm)


def filled_ranges(data: bytes) -> list[tuple[int, int]]:
    """Return the runs of filled slots in *data*: the first one, and the one after the last."""
    numbers: list[int] = memoryview(data).cast("I")[7::8].tolist()
    if 0 not in numbers:
        return [(0, len(numbers))] if numbers else []
    return ranges_of(numbers)


def ranges_of(flags: Sequence[object]) -> list[tuple[int, int]]:
    """
    Return the runs of true elements.

    >>> ranges_of([1, 1, 0, 1])
    [(0, 2), (3, 4)]
    """
    ranges: list[tuple[int, int]] = []
    start = None
    for index, flag in enumerate(flags):
        if flag and start is None:
            start = index
        elif not flag and start is not None:
            ranges.append((start, index))
            start = None
    if start is not None:
        ranges.append((start, len(flags)))
    return ranges
