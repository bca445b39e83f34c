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
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.disk.files import Disk
from aim.storage.forms import journal
from aim.storage.forms.journal import PAGE_BYTES, PAGE_RECORDS, RECORD_BYTES, Segment, has_name, holes, record_at
from tests.storage.disks import NotedDisk


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

    assert expected == journal.is_half_full(segment)


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


# a map that is taken away


@pytest.fixture(name="disk")
def _disk() -> NotedDisk:
    return NotedDisk()


@pytest.fixture(name="unmapped")
def _unmapped(tmp_path: Path, disk: NotedDisk) -> Iterator[Segment]:
    """
    A segment whose map was taken away after two records and a slot that a thread has taken and not stored into.
    """
    segment = Segment(tmp_path, "run", "0a1b2c3d", 0, disk)
    former = segment.map
    fill(segment, 2)
    next(segment.slots)
    segment.unmap()
    segment.unmap()  # again: nothing happens
    assert former is not segment.map
    disk.calls.clear()
    yield segment
    segment.close()


def stored(segment: Segment) -> list[bool]:
    """Return for each of the first four slots whether the file has a record there."""
    content = segment.path.read_bytes()
    return [any(content[PAGE_BYTES + n * 32 + 28 : PAGE_BYTES + n * 32 + 32]) for n in range(4)]


def test_what_a_map_held_is_in_the_file(unmapped: Segment, disk: NotedDisk) -> None:
    """
    Records of the former map are in memory and in the file; the sync writes none of them again.
    """
    assert ([True, True, False, False], 3) == (stored(unmapped), unmapped.taken())
    assert (0.5, 7, 1.5, 1) == (*record_at(unmapped, PAGE_BYTES + 32)[:3], record_at(unmapped, PAGE_BYTES + 32)[4])
    assert (False, [], []) == (unmapped.mapped, list(unmapped.free), unmapped.unwritten)
    unmapped.sync()

    assert ["sync 0a1b2c3d.points-0000"] == disk.calls


def test_the_slow_path_writes_each_record(unmapped: Segment) -> None:
    """
    A record of a slot that was taken after the map went is in the file after `write_through`.
    """
    offset = next(unmapped.slots)
    store(unmapped, offset)
    assert [True, True, False, False] == stored(unmapped)
    unmapped.write_through(offset)

    assert [True, True, False, True] == stored(unmapped)


def test_a_thread_that_stores_late_into_the_former_map_is_not_forgotten(tmp_path: Path) -> None:
    """
    A record that a thread stores into the former map after it was taken away is in memory after the next sync.
    """
    segment = Segment(tmp_path, "run", "0a1b2c3d", 0)
    former, offset = segment.map, next(segment.slots)
    segment.unmap()
    segment.sync()
    assert [offset] == holes(segment)
    journal.RECORD.pack_into(former, offset, 0.5, 7, 1.5, math.nan, 1)
    segment.sync()

    assert [] == holes(segment)
    assert [True, False, False, False] == stored(segment)
    segment.close()


def test_a_thread_that_stores_late_into_the_memory_is_written_by_the_sync(unmapped: Segment) -> None:
    """
    A record that a thread stores into the memory in place of the map is written by the next sync, or by
    `write_through` where the thread comes so far; before it is stored neither of them writes anything.
    """
    offset = PAGE_BYTES + 2 * 32
    unmapped.write_through(offset)
    unmapped.sync()
    assert [True, True, False, False] == stored(unmapped)
    store(unmapped, offset)
    unmapped.sync()

    assert [True, True, True, False] == stored(unmapped)


def test_a_record_that_is_refused_is_kept_for_the_sync(unmapped: Segment, disk: NotedDisk) -> None:
    """
    `write_through` raises what the disk says, and so does each sync, until the disk takes the record.
    """
    disk.refused.add("write_at")
    offset = next(unmapped.slots)
    store(unmapped, offset)
    with pytest.raises(OSError, match="No space left"):
        unmapped.write_through(offset)
    with pytest.raises(OSError, match="No space left"):
        unmapped.sync()
    assert [offset] == unmapped.unwritten
    disk.refused.clear()
    unmapped.sync()

    assert ([], [True, True, False, True]) == (unmapped.unwritten, stored(unmapped))


def test_the_crcs_of_memory_are_written_too(unmapped: Segment) -> None:
    """
    A full page of a segment without a map has its CRC in the file after the sync.
    """
    store(unmapped, PAGE_BYTES + 2 * 32)
    for offset in range(PAGE_BYTES + 3 * 32, 2 * PAGE_BYTES, 32):
        assert offset == next(unmapped.slots)
        store(unmapped, offset)
        unmapped.write_through(offset)
    assert not unmapped.sync()
    content = unmapped.path.read_bytes()

    expected = [journal.page_crc(content[PAGE_BYTES : 2 * PAGE_BYTES]), 0, 0]
    assert expected == list(struct.unpack_from("<3I", content, journal.CRC_TABLE_OFFSET))


def test_a_careful_segment_has_no_map(tmp_path: Path) -> None:
    """
    Where a store into a map may end the process, the segment is memory and all goes by `write_through`.
    """
    segment = Segment(tmp_path, "run", "0a1b2c3d", 0, careful=True)
    assert (bytearray, False, []) == (type(segment.map), segment.mapped, list(segment.free))
    assert 3 * PAGE_RECORDS == len(list(segment.slots))
    segment.close()

    assert journal.header(16384, 0, "0a1b2c3d", "run") == segment.path.read_bytes()[:64]


def test_the_latest_time_of_a_segment_is_found_among_its_taken_slots(segment: Segment) -> None:
    """
    The latest time is the largest of those that were stored, wherever it stands; 0 without any.
    """
    assert 0.0 == journal.latest_at_s(segment)
    for moment_s in (3.0, 9.0, 5.0):
        journal.RECORD.pack_into(segment.map, next(segment.slots), 100.0, 200, moment_s, 300.0, 1)

    assert 9.0 == journal.latest_at_s(segment)


def test_holes_are_asked_of_all_slots_or_of_some(segment: Segment) -> None:
    """
    Slots that were handed out and not stored into are holes; of slots that are given only those are looked at.
    """
    first, second, third = (next(segment.slots) for _ in range(3))
    store(segment, second)

    assert [first, third] == holes(segment)
    assert ([third], []) == (holes(segment, [second, third]), holes(segment, []))


def test_closing_and_abandoning_release_the_descriptor_once(segment: Segment) -> None:
    """
    `close` hands out no slot any more, `abandon` leaves the slots; each closes the descriptor, and again does nothing.
    """
    descriptor = segment.descriptor
    segment.abandon()
    assert (-1, 0) == (segment.descriptor, segment.taken())
    assert PAGE_BYTES == next(segment.slots)
    segment.close()

    assert (-1, [], 1) == (segment.descriptor, list(segment.slots), segment.taken())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
