"""
Slots that a server receives, in segments of its own making: the header is the same, and so is where each slot is.

    a slot that is empty here           is filled
    the same slot, filled and equal     stays: it was sent twice
    the same slot, filled otherwise     is refused: two machines with one writer id, or damage

The CRC of a page is taken here as by a writer: when no slot of it is empty, and after the page was synced; and of the
last page of a writer that has ended.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from aim.storage.disk import layout
from aim.storage.forms import journal
from aim.storage.forms.journal import CRC_TABLE_OFFSET, PAGE_BYTES, PAGE_RECORDS, RECORD_BYTES
from aim.storage.shipping.new_slots import segment_numbers
from aim.storage.shipping.received_files import ReceivedFile, ReceivedFiles


class OtherBytes(Exception):
    """Other bytes than those received are at this place already."""


def sequence_numbers(data: bytes) -> list[int]:
    """Return the sequence number of each slot in *data*; 0: the slot is empty."""
    return memoryview(data).cast("I")[7::8].tolist()


class ReceivedSegments:
    """Writes slots into the segments of runs."""

    def __init__(self, files: ReceivedFiles) -> None:
        self._files = files

    def put(self, folder: Path, writer: str, number: int, first: int, data: bytes, damaged: dict[int, int]) -> None:
        """
        Fill slots of a segment, which is made if it is not there.

        Args:
            first: the number of the first slot.
            damaged: of pages that do not match their CRC at the trainer that CRC, so that the page is named here too.

        Raises:
            OtherBytes: one of the slots is filled otherwise; none is changed.
            OSError: the disk refuses.
        """
        file = self._segment(folder, writer, number)
        offset = PAGE_BYTES + first * RECORD_BYTES
        present = os.pread(file.descriptor, len(data), offset)
        if present == data:
            return
        if present.count(0) < len(present):
            _check_equal(present, data)
        pages = range(offset // PAGE_BYTES, (offset + len(data) - 1) // PAGE_BYTES + 1)
        self._forget_crcs(file, pages)
        self._files.write(file, data, offset)
        file.pages.update(page for page in pages if page not in damaged)
        for page in pages:
            if page in damaged:
                self._store_crc(file, page, damaged[page])

    def _segment(self, folder: Path, writer: str, number: int) -> ReceivedFile:
        file = self._files.opened(layout.segment_file(folder, writer, number))
        if file.is_prepared:
            return file
        size_bytes = journal.segment_size(number)
        if file.size_bytes() < size_bytes:
            self._files.resize(file, size_bytes)
        head = journal.header(size_bytes, number, writer, folder.name)
        if os.pread(file.descriptor, len(head), 0) != head:
            self._files.write(file, head, 0)
        file.is_prepared = True
        return file

    def _forget_crcs(self, file: ReceivedFile, pages: range) -> None:
        # of the last page of a writer that has ended, in which a thread stored one record more
        at = CRC_TABLE_OFFSET + 4 * (pages.start - 1)
        entries = os.pread(file.descriptor, 4 * len(pages), at)
        if any(entries):
            self._files.write(file, bytes(len(entries)), at)

    def _store_crc(self, file: ReceivedFile, page: int, crc: int) -> None:
        self._files.write(file, struct.pack("<I", crc), CRC_TABLE_OFFSET + 4 * (page - 1))

    def full_pages(self, file: ReceivedFile) -> dict[int, bytes]:
        """Return the pages of a segment that were written to and have no hole now; to be asked before a sync."""
        contents: dict[int, bytes] = {}
        for page in sorted(file.pages):
            content = os.pread(file.descriptor, PAGE_BYTES, page * PAGE_BYTES)
            if len(content) == PAGE_BYTES and 0 not in sequence_numbers(content):
                contents[page] = content
        return contents

    def store_crcs(self, file: ReceivedFile, contents: dict[int, bytes]) -> None:
        """Store the CRCs of pages that were synced. Raises OSError."""
        for page, content in contents.items():
            self._store_crc(file, page, journal.page_crc(content))
            file.pages.discard(page)

    def end(self, folder: Path, writer: str) -> None:
        """Store the CRC of the last, partly filled page of each segment of a writer that has ended. Raises OSError."""
        for number in segment_numbers(folder, writer):
            file = self._files.existing(layout.segment_file(folder, writer, number))
            if file is None:
                continue
            filled = filled_slots(file.descriptor)
            page = 1 + len(filled) // PAGE_RECORDS
            if not len(filled) % PAGE_RECORDS or page * PAGE_BYTES >= file.size_bytes():
                continue
            at = CRC_TABLE_OFFSET + 4 * (page - 1)
            if 0 not in filled[(page - 1) * PAGE_RECORDS :] and not any(os.pread(file.descriptor, 4, at)):
                content = os.pread(file.descriptor, PAGE_BYTES, page * PAGE_BYTES)
                self._store_crc(file, page, journal.page_crc(content))


def _check_equal(present: bytes, data: bytes) -> None:
    for start in range(0, min(len(present), len(data)), RECORD_BYTES):
        slot = present[start : start + RECORD_BYTES]
        if any(slot[28:]) and slot != data[start : start + RECORD_BYTES]:
            raise OtherBytes


def filled_slots(descriptor: int) -> list[int]:
    """Return the sequence numbers of the slots of a segment up to the last filled one; 0: a hole."""
    size_bytes = os.fstat(descriptor).st_size - PAGE_BYTES
    numbers = sequence_numbers(os.pread(descriptor, max(0, size_bytes) // RECORD_BYTES * RECORD_BYTES, PAGE_BYTES))
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers


def filled_count(folder: Path, writer: str, number: int) -> int:
    """Return how many slots of a segment are filled; 0 when there is no such segment."""
    try:
        descriptor = os.open(layout.segment_file(folder, writer, number), os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        return sum(map(bool, filled_slots(descriptor)))
    finally:
        os.close(descriptor)
