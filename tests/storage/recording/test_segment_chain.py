"""
Records go into one segment after another; a disk that refuses the next one costs points, and no exception.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from aim.core.errors import RunClosed, UntrackableValue
from aim.core.values import INT_MAX, INT_MIN
from aim.storage.forms.journal import VOID, holes, latest_at_s
from aim.storage.forms.records import scan
from aim.storage.recording.lifecycle import WriterState
from aim.storage.recording.segment_chain import NO_SEGMENT
from tests.storage.disks import NotedDisk
from tests.storage.recording.parts import FIRST, Parts, Reading

FUTURE_S = 1e11


# one record


@pytest.mark.parametrize(("epoch", "stored"), [(None, math.nan), (3, 3.0), (2.5, 2.5), (0, 0.0), (-1, -1.0)], ids=repr)
def test_a_record_holds_what_was_put(parts: Parts, epoch: object, stored: float) -> None:
    """
    Value, step, epoch and sequence stand in the first slot, with the time of the call.
    """
    before_s = time.time()
    parts.files.segments.put(7, 0.5, 12, epoch)
    value, step, at_s, epoch_read, sequence = parts.record(0)

    assert (0.5, 12, 7) == (value, step, sequence)
    assert str(stored) == str(epoch_read)
    assert before_s <= at_s <= time.time()


def test_a_time_that_is_given_is_kept(parts: Parts) -> None:
    """
    A point of an object that took long to encode has the time of its call, even when that is before a rewind.
    """
    parts.files.segments.earliest_at_s = FUTURE_S
    parts.files.segments.put(1, 0.5, 0, None, 1234.5)

    assert 1234.5 == parts.record(0)[2]


def test_no_time_is_before_the_earliest_one(parts: Parts) -> None:
    """
    While the clock is behind, points get the earliest time that is allowed; then they get the clock's again.
    """
    chain = parts.files.segments
    chain.earliest_at_s = FUTURE_S
    chain.put(1, 0.5, 0, None)
    chain.earliest_at_s = 1.0
    chain.put(1, 0.5, 1, None)

    assert FUTURE_S == parts.record(0)[2]
    assert time.time() - 3600 < parts.record(1)[2] <= time.time()


@pytest.mark.parametrize("step", [INT_MIN, -1, 0, INT_MAX])
def test_a_step_has_64_bits(parts: Parts, step: int) -> None:
    """
    The smallest and the largest integer of 64 bits are steps.
    """
    parts.files.segments.put(1, 0.5, step, None)

    assert step == parts.record(0)[1]


@pytest.mark.parametrize(
    ("value", "step", "error", "message"),
    [
        (0.5, INT_MAX + 1, OverflowError, "step 9,?223,?372,?036,?854,?775,?808 does not fit 64 bits"),
        (0.5, INT_MIN - 1, OverflowError, "does not fit 64 bits"),
        ("text", 3, UntrackableValue, "Can't track 'text' at step 3, epoch 2: "),
        (10**400, 3, UntrackableValue, "at step 3, epoch 2: "),
        (None, 3, UntrackableValue, "Can't track None"),
    ],
)
def test_a_value_that_is_refused_leaves_a_void_slot(
    parts: Parts, value: object, step: int, error: type[Exception], message: str
) -> None:
    """
    The slot of a refused value is marked as void, so that it is no hole, and the next value takes the next slot.
    """
    with pytest.raises(error, match=message):
        parts.files.segments.put(1, value, step, 2)
    parts.files.segments.put(1, 0.5, 4, None)

    assert (0.0, 0, VOID) == (*parts.record(0)[:2], parts.record(0)[4])
    assert (0.5, 4, 1) == (*parts.record(1)[:2], parts.record(1)[4])
    assert [] == holes(parts.segment)


# one segment after another


@pytest.mark.parametrize(
    ("count", "segments"), [(0, 0), (1, 1), (FIRST, 1), (FIRST + 1, 2), (FIRST + 1920, 2), (FIRST + 1921, 3)]
)
def test_a_full_segment_is_followed_by_the_next_one(parts: Parts, reading: Reading, count: int, segments: int) -> None:
    """
    The first segment is made for the first record, each other one for the record that finds no slot.
    """
    parts.put(count)
    chain = parts.files.segments

    assert (segments, count) == (chain.count, chain.point_count)
    assert [f"points-{number:04d}" for number in range(segments)] == reading.names("*.points-*")
    assert list(range(count)) == sorted(scan(parts.folder, parts.files.id).records["step"].tolist())


def test_the_next_segment_is_prepared_once_when_one_is_half_full(parts: Parts, reading: Reading) -> None:
    """
    From the half of a segment on there is one spare; the record that needs it makes no file.
    """
    chain = parts.files.segments
    parts.put(FIRST // 2 - 1)
    chain.prepare()
    assert ["points-0000"] == reading.names("*.points-*")
    parts.put(1)
    chain.prepare()
    chain.prepare()
    assert ["points-0000", "points-0001"] == reading.names("*.points-*")
    parts.put(FIRST // 2)
    parts.disk.calls.clear()
    parts.put(1)

    assert [] == parts.disk.calls
    assert (1, FIRST + 1) == (parts.segment.number, chain.point_count)


@pytest.mark.parametrize("state", [WriterState.GONE, WriterState.CLOSING, WriterState.FORKED])
def test_nothing_is_prepared_for_a_run_that_is_not_open(parts: Parts, reading: Reading, state: WriterState) -> None:
    """
    A run that ends, was deleted or is another process's needs no next segment.
    """
    parts.put(FIRST)
    parts.lifecycle.state = state
    parts.files.segments.prepare()

    assert ["points-0000"] == reading.names("*.points-*")


def test_full_segments_are_let_go_after_their_last_crc(parts: Parts) -> None:
    """
    A full segment is closed when it is safe, and never the one that takes records; what it held stays counted.
    """
    chain = parts.files.segments
    chain.put(1, 0.5, 0, None, FUTURE_S)
    parts.put(FIRST - 1)
    first = parts.segment
    assert [None, None, None] == [chain.sync(), chain.sync(), chain.sync()]
    assert first.descriptor >= 0  # it is full, and still the one that takes records
    parts.put(5)
    assert [None, None] == [chain.sync(), chain.sync()]

    assert -1 == first.descriptor
    assert (2, FIRST + 5, FUTURE_S) == (chain.count, chain.point_count, chain.latest_at_s())
    assert chain.has_names()
    assert [] == scan(parts.folder, parts.files.id).damage


def test_the_latest_time_is_that_of_any_segment(parts: Parts) -> None:
    """
    The latest time of a point is found in whichever segment it lies; without points it is 0.
    """
    chain = parts.files.segments
    assert 0.0 == chain.latest_at_s()
    for step in range(2 * FIRST):
        chain.put(1, 0.5, step, None, 1000.0 - step)
    assert 1000.0 == chain.latest_at_s()
    chain.put(1, 0.5, 0, None, 2000.0)

    assert (2000.0, 2000.0) == (chain.latest_at_s(), latest_at_s(parts.segment))


def test_a_segment_without_a_name_is_noticed(parts: Parts) -> None:
    """
    The names of all segments that are not retired are asked, not of the newest one only.
    """
    parts.put(FIRST + 1)
    assert parts.files.segments.has_names()
    (parts.folder / f"{parts.files.id}.points-0000").unlink()

    assert not parts.files.segments.has_names()


# refusals


def test_points_without_room_are_counted_and_the_disk_is_asked_once_a_second(
    parts: Parts, disk: NotedDisk, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A refused segment loses points, not the training; when there is room again recording goes on, and says so.
    """
    disk.refused.add("allocate")
    parts.put(10)
    assert (10, {"segment"}) == (parts.refusals.lost_count, parts.refusals.kinds)
    assert 1 == disk.calls.count("allocate")
    disk.refused.clear()
    parts.refusals.retry_at_s = 0.0
    parts.put(2)

    assert (0, set(), 2) == (parts.refusals.lost_count, parts.refusals.kinds, parts.files.segments.point_count)
    assert 0 == parts.segment.number
    assert ["Aim can't write run run", "Aim: recording of run run goes on"] == [
        record.getMessage().split(" in ")[0].split(". ")[0] for record in caplog.records
    ]
    assert "10 points found no room and are lost" in caplog.text


def test_a_deleted_run_takes_no_segment(parts: Parts, reading: Reading) -> None:
    """
    Points of a deleted run are counted as lost; no file appears.
    """
    parts.lifecycle.state = WriterState.GONE
    parts.put(3)

    assert (3, [], NO_SEGMENT) == (
        parts.refusals.lost_count,
        reading.names("*.points-*"),
        parts.files.segments.segment,
    )


def test_a_closed_run_says_so(parts: Parts) -> None:
    """
    A point that needs a segment after the close is an error, as any other one.
    """
    parts.lifecycle.state = WriterState.CLOSED
    with pytest.raises(RunClosed):
        parts.put(1)


def test_detached_segments_take_no_record(parts: Parts) -> None:
    """
    Between two lives of a writer points are lost and counted, and the former segments are handed over.
    """
    parts.put(FIRST + 1)
    chain = parts.files.segments
    former = chain.detach()
    parts.put(2)

    assert [0, 1] == [segment.number for segment in former]
    assert (0, 0, 2) == (chain.count, chain.point_count, parts.refusals.lost_count)
    for segment in former:
        segment.close()


def test_each_segment_is_synced_whatever_the_others_say(parts: Parts, disk: NotedDisk) -> None:
    """
    A refused sync is returned, after all segments were tried; none of them is retired.
    """
    parts.put(FIRST + 1)
    disk.refused.add("sync")
    disk.calls.clear()
    refusal = parts.files.segments.sync()

    assert "No space left on device" == (refusal and refusal.strerror)
    assert [f"sync {parts.files.id}.points-{number:04d}" for number in (0, 1)] == disk.calls
    disk.refused.clear()
    assert [None, None] == [parts.files.segments.sync(), parts.files.segments.sync()]
    assert (2, FIRST + 1) == (parts.files.segments.count, parts.files.segments.point_count)


def test_after_a_stop_no_slot_is_left(parts: Parts) -> None:
    """
    `stop` takes what is free of all segments, and the count of points stays what it was.
    """
    parts.put(FIRST + 1)
    parts.files.segments.stop()

    assert [] == list(parts.segment.slots)
    assert FIRST + 1 == parts.files.segments.point_count


def test_the_end_gives_each_page_its_crc(parts: Parts) -> None:
    """
    After the end each page has its CRC, also the one that is partly filled: a changed byte of it is noticed.
    """
    parts.put(FIRST + 1)
    chain = parts.files.segments
    chain.stop()
    assert chain.end() is None
    path = parts.folder / f"{parts.files.id}.points-0001"
    assert [] == scan(parts.folder, parts.files.id).damage
    content = bytearray(path.read_bytes())
    content[4096 + 3] ^= 1
    path.write_bytes(content)

    assert 1 == len(scan(parts.folder, parts.files.id).damage)


# a segment that can't be mapped


@pytest.fixture(name="careful")
def _careful(parts: Parts) -> Parts:
    """
    Parts whose first segment is stored by `pwrite`.
    """
    parts.put(1)
    parts.segment.unmap()
    return parts


def test_a_record_of_an_unmapped_segment_is_written_at_once(careful: Parts) -> None:
    """
    Where a store into a map may fail, each record is in the file after its call.
    """
    careful.put(3)

    assert 4 == len(scan(careful.folder, careful.files.id).records)


def test_records_that_an_unmapped_segment_could_not_write_come_with_the_next_sync(
    careful: Parts, disk: NotedDisk
) -> None:
    """
    A refused record stays in memory; nothing is lost when the disk takes it at the next sync.
    """
    disk.refused.add("write_at")
    careful.put(3)
    assert 1 == len(scan(careful.folder, careful.files.id).records)
    assert "No space left" in str(careful.files.segments.sync())
    disk.refused.clear()
    assert careful.files.segments.sync() is None

    assert (4, 0) == (len(scan(careful.folder, careful.files.id).records), careful.refusals.lost_count)


def test_records_that_no_sync_could_write_are_lost_at_the_end(careful: Parts, disk: NotedDisk) -> None:
    """
    What is still unwritten at the end is counted as lost, each record once.
    """
    disk.refused.add("write_at")
    careful.put(3)
    refusal = careful.files.segments.end()

    assert (3, "No space left on device") == (careful.refusals.lost_count, refusal and refusal.strerror)


def test_nothing_is_stored_where_there_is_no_segment(folder: Path) -> None:
    """
    The stand-in for a missing segment has no slot, and says so when it is stored into all the same.
    """
    assert ([], []) == (list(NO_SEGMENT.free), list(NO_SEGMENT.slots))
    with pytest.raises(AssertionError, match="no slot"):
        NO_SEGMENT.write_through(0)
