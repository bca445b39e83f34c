"""
Segments of the journal: their bytes, their slots and their CRCs.
"""

from __future__ import annotations

import errno
import math
import os
import struct
import threading
import zlib
from pathlib import Path

import pytest

from aim.storage.disk.files import Disk
from aim.storage.forms import journal
from aim.storage.forms.journal import PAGE_BYTES, PAGE_RECORDS, RECORD_BYTES, Segment, has_name, record_at


@pytest.fixture(name="segment")
def _segment(tmp_path: Path) -> Segment:
    """
    The first segment of a writer.
    """
    return Segment(tmp_path, "run", "0a1b2c3d", 0)


def store(segment: Segment, offset: int, sequence: int = 1, value: float = 0.5) -> None:
    """Store a record."""
    journal.RECORD.pack_into(segment.map, offset, value, 7, 1.5, math.nan, sequence)


def fill(segment: Segment, count: int) -> None:
    """Take and store the next *count* slots."""
    for _ in range(count):
        store(segment, next(segment.slots))


def crcs(segment: Segment, pages: int) -> list[bool]:
    """Say of the first *pages* pages whether their CRC was taken; one that was is right."""
    content = segment.path.read_bytes()
    table = struct.unpack_from(f"<{pages}I", content, journal.CRC_TABLE_OFFSET)
    for page, crc in enumerate(table, start=1):
        data = content[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]
        assert crc in (0, zlib.crc32(data))
    return [crc != 0 for crc in table]


def test_a_new_segment_is_whole(segment: Segment) -> None:
    """
    A segment has its size and its blocks at once, a header with its own CRC, and zeros.
    """
    content = segment.path.read_bytes()
    magic, size, number, writer, digest = struct.unpack_from("<8sII8s16s", content)

    assert (b"points\x00\x01", 16384, 0, b"0a1b2c3d") == (magic, size, number, writer)
    assert journal.run_digest("run") == digest
    assert zlib.crc32(content[:60]) == struct.unpack_from("<I", content, 60)[0]
    assert bytes(16384 - 64) == content[64:]
    assert segment.path.stat().st_blocks * 512 >= 16384


def test_a_record_is_stored_field_by_field() -> None:
    """
    Only the native format stores each field by one store; the portable one goes byte by byte, and may tear the number.
    """
    assert ("@dqdfI", 32) == (journal.RECORD.format, journal.RECORD.size)
    assert struct.Struct("<dqdfI").pack(0.25, 7, 1.5, 2.0, 3) == journal.RECORD.pack(0.25, 7, 1.5, 2.0, 3)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 100])
def test_sizes_grow_to_2_mib_and_every_page_has_room_for_its_crc(number: int) -> None:
    """
    No segment has more pages than its header page has entries.
    """
    size = journal.segment_size(number)

    assert 0 == size % PAGE_BYTES
    assert size <= 2 << 20
    assert size // PAGE_BYTES - 1 <= (PAGE_BYTES - journal.CRC_TABLE_OFFSET) // 4


def test_slots_are_all_between_the_header_and_the_end(segment: Segment) -> None:
    """
    Each slot is handed out once, in order, none of them within the header page.
    """
    offsets = list(segment.slots)

    assert list(range(PAGE_BYTES, 16384, RECORD_BYTES)) == offsets
    assert 3 * PAGE_RECORDS == segment.taken()
    assert offsets == list(journal.offsets(segment))


def test_threads_share_the_slots_without_a_lock(segment: Segment) -> None:
    """
    16 threads that take slots at once get each one once.
    """
    taken: list[list[int]] = [[] for _ in range(16)]
    gate = threading.Barrier(16)

    def take(mine: list[int]) -> None:
        gate.wait()
        mine.extend(segment.slots)

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(range(PAGE_BYTES, 16384, RECORD_BYTES)) == sorted(offset for mine in taken for offset in mine)


def test_a_crc_is_taken_of_full_pages_without_a_hole(segment: Segment) -> None:
    """
    A page has its CRC after a sync if it was full and every slot was stored; the last, partly filled one at the end.
    """
    fill(segment, PAGE_RECORDS - 1)
    assert not segment.sync()
    assert [False, False, False] == crcs(segment, 3)
    hole = next(segment.slots)
    fill(segment, PAGE_RECORDS + 10)
    assert not segment.sync()
    assert [False, True, False] == crcs(segment, 3)
    assert [hole] == journal.holes(segment)
    segment.stop()
    segment.end()
    assert [False, True, True] == crcs(segment, 3)
    store(segment, hole)
    assert [] == journal.holes(segment)
    segment.end()

    assert [True, True, True] == crcs(segment, 3)
    segment.close()


def test_a_full_segment_says_when_nothing_is_left_to_do(segment: Segment) -> None:
    """
    After the sync that took the last CRC one more says that all is done.
    """
    fill(segment, 3 * PAGE_RECORDS)

    assert [False, True] == [segment.sync(), segment.sync()]
    assert [True, True, True] == crcs(segment, 3)
    segment.close()


def test_a_crc_of_zero_is_written_as_one() -> None:
    """
    Zero says "not taken", so a page whose CRC is 0 has a 1 in its place.
    """
    page = bytearray(PAGE_BYTES)
    crc = zlib.crc32(page)
    page[-4:] = _bytes_that_make_zero(bytes(page[:-4]))

    assert 0 == zlib.crc32(page)
    assert 1 == journal.page_crc(bytes(page))
    assert crc == journal.page_crc(bytes(PAGE_BYTES))


def _bytes_that_make_zero(head: bytes) -> bytes:
    # CRC-32 is linear: the four bytes whose CRC, after *head*, is 0 follow from the table walked backwards
    table = [zlib.crc32(bytes([byte])) ^ zlib.crc32(b"\0") for byte in range(256)]
    low = {entry >> 24: index for index, entry in enumerate(table)}
    crc, indices = 0xFFFFFFFF, []
    for _ in range(4):
        index = low[crc >> 24]
        indices.append(index)
        crc = ((crc ^ table[index]) << 8) & 0xFFFFFFFF
    state = zlib.crc32(head) ^ 0xFFFFFFFF
    suffix = bytearray()
    for index in reversed(indices):
        suffix.append((state ^ index) & 0xFF)
        state = (state >> 8) ^ table[index]
    return bytes(suffix)


def test_a_stopped_segment_hands_out_nothing(segment: Segment) -> None:
    """
    After `stop` no slot is left, and the count is of those that were taken.
    """
    fill(segment, 5)
    segment.stop()
    segment.stop()

    assert [] == list(segment.slots)
    assert 5 == segment.taken()
    segment.close()
    segment.close()


def test_a_segment_knows_when_its_file_has_no_name(segment: Segment) -> None:
    """
    A deleted file is noticed through the open descriptor, and can still be stored to.
    """
    assert has_name(segment)
    segment.path.unlink()

    assert not has_name(segment)
    fill(segment, 1)
    assert (0.5, 7, 1.5, 1) == (*record_at(segment, PAGE_BYTES)[:3], record_at(segment, PAGE_BYTES)[4])
    segment.close()


@pytest.mark.parametrize(("filled", "expected"), [(191, False), (192, True), (384, True)])
def test_half_full_is_the_time_for_the_next(segment: Segment, filled: int, expected: bool) -> None:
    """
    From half its slots on, the next segment is due.
    """
    fill(segment, filled)

    assert expected == segment.is_half_full()


@pytest.mark.parametrize("method", ["allocate", "write_at"])
@pytest.mark.parametrize("unlinks", [True, False])
def test_a_segment_that_could_not_be_made_is_made_again(tmp_path: Path, method: str, unlinks: bool) -> None:
    """
    When the disk refuses half-way, nothing stays; and if even that is refused, the next try takes the file over.
    """

    class Refusing(Disk):
        refuses = True

        def __getattribute__(self, name: str) -> object:
            refuses = super().__getattribute__("refuses")
            if refuses and (name == method or (name == "unlink" and not unlinks)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().__getattribute__(name)

    disk = Refusing()
    with pytest.raises(OSError, match="No space left"):
        Segment(tmp_path, "run", "0a1b2c3d", 0, disk)
    assert unlinks == (not list(tmp_path.iterdir()))
    disk.refuses = False
    segment = Segment(tmp_path, "run", "0a1b2c3d", 0, disk)

    assert 16384 == segment.path.stat().st_size
    assert journal.header(16384, 0, "0a1b2c3d", "run") == segment.path.read_bytes()[:64]
    segment.close()
