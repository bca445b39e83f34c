"""
Objects: their bytes first, then the points that refer to them; also within a signal handler, and on a full disk.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import pytest

from aim.core.errors import RunClosed
from aim.core.values import Stored
from aim.storage.disk import layout
from aim.storage.forms import blobs
from aim.storage.recording import background
from aim.storage.recording.lifecycle import WriterState
from tests.storage.disks import NotedDisk
from tests.storage.recording.parts import Parts, Reading

NAN = math.nan


def picture(data: bytes = b"1234") -> Stored:
    """Return an object with bytes."""
    return Stored("test.picture", {"caption": "?"}, data, "raw")


def put(parts: Parts, *, steps: Sequence[int] = (3,), objects: Sequence[Stored] | None = None) -> None:
    """Record a picture at one step."""
    parts.files.objects.put(7, "pictures", "test.picture", objects or [picture()], steps, 1.5)


def stored(parts: Parts) -> list[tuple[int, bytes]]:
    """Return step and bytes of each point, in the order of the journal."""
    result = []
    for index in range(parts.files.segments.point_count):
        value, step, *_ = parts.record(index)
        number, offset = blobs.split_position(int(value))
        path = layout.blob_file(parts.folder, parts.files.id, number)
        (item,) = blobs.read_record(path, offset, step)["items"]
        result.append((step, blobs.read_data(path, item["data"])))
    return result


def test_a_point_refers_to_its_object(parts: Parts) -> None:
    """
    The point has sequence, step, epoch and time, and its value is where the object lies.
    """
    before_s = time.time()
    put(parts)
    _, step, at_s, epoch, sequence = parts.record(0)

    assert (3, 1.5, 7) == (step, epoch, sequence)
    assert before_s <= at_s <= time.time()
    assert [(3, b"1234")] == stored(parts)


def test_small_objects_of_many_steps_share_an_entry(parts: Parts) -> None:
    """
    Each step gets a point, and all of them refer to the same record.
    """
    texts = [Stored("aim.text", {"text": letter}) for letter in "abc"]
    parts.files.objects.put(7, "words", "aim.text", texts, (4, 5, 9), NAN, 12.5)
    records = [parts.record(index) for index in range(3)]
    path = layout.blob_file(parts.folder, parts.files.id, 0)

    assert [(4, 12.5), (5, 12.5), (9, 12.5)] == [(step, at_s) for _, step, at_s, *_ in records]
    assert 1 == len({value for value, *_ in records})
    assert [{"text": "c"}] == blobs.read_record(path, blobs.split_position(int(records[0][0]))[1], 9)["items"]


@pytest.mark.parametrize(("claimed", "count"), [(True, 1), (False, 0)])
def test_objects_that_another_call_has_claimed_are_not_written(parts: Parts, claimed: bool, count: int) -> None:
    """
    The claim is asked once; where another call has it, nothing is written and no point is recorded.
    """
    asked: list[bool] = []

    def claim() -> bool:
        asked.append(parts.files.objects._is_busy)
        return claimed

    parts.files.objects.put(7, "pictures", "test.picture", [picture()], (3,), NAN, None, claim)

    assert ([True], count) == (asked, parts.files.segments.point_count)
    assert count == parts.files.objects.blobs.file_count


def test_an_object_without_room_is_lost_and_the_next_one_is_not(
    parts: Parts, disk: NotedDisk, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A refusal costs the point and is reported; the first object that finds room ends it.
    """
    put(parts)
    disk.refused.add("write_at")
    put(parts, steps=(4,))
    assert (1, {"objects"}) == (parts.refusals.lost_count, parts.refusals.kinds)
    assert 1 == len(caplog.records)
    disk.refused.clear()
    put(parts, steps=(5,))

    assert set() == parts.refusals.kinds
    assert [3, 5] == [step for step, _ in stored(parts)]


def test_a_probe_finds_the_room_that_there_is_again(parts: Parts, disk: NotedDisk) -> None:
    """
    A probe writes only after a refusal; it raises while there is no room, and leaves nothing in the file.
    """
    put(parts)
    size = layout.blob_file(parts.folder, parts.files.id, 0).stat().st_size
    disk.calls.clear()
    parts.files.objects.probe()
    assert [] == disk.calls
    disk.refused.add("write_at")
    put(parts)
    with pytest.raises(OSError, match="No space left"):
        parts.files.objects.probe()
    assert {"objects"} == parts.refusals.kinds
    disk.refused.clear()
    parts.files.objects.probe()

    assert (set(), size) == (
        parts.refusals.kinds,
        layout.blob_file(parts.folder, parts.files.id, 0).stat().st_size,
    )


def test_an_object_after_the_close_is_an_error_until_the_process_ends(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A closed blob file refuses an object: a mistake of the caller, or what a thread does at the end of the process.
    """
    put(parts)
    parts.files.objects.blobs.close()
    parts.lifecycle.state = WriterState.CLOSED
    with pytest.raises(RunClosed):
        put(parts)
    monkeypatch.setattr(background, "is_ending", lambda: True)
    put(parts)

    assert (1, 0) == (parts.files.segments.point_count, parts.refusals.lost_count)


# a signal handler within a call


def interrupted_by(parts: Parts, disk: NotedDisk, *steps: int) -> None:
    """Record an object at step 1, and in the middle of it others at *steps*, as a signal handler does."""
    whole = disk.write_at

    def interrupt(descriptor: int, data: bytes, offset: int) -> None:
        disk.write_at = whole  # type: ignore[method-assign]
        for step in steps:
            put(parts, steps=(step,), objects=[picture(b"%d" % step)])
        assert 0 == parts.files.segments.point_count
        whole(descriptor, data, offset)

    disk.write_at = interrupt  # type: ignore[method-assign]
    put(parts, steps=(1,), objects=[picture(b"1")])


def test_objects_within_a_call_are_recorded_after_it(parts: Parts, disk: NotedDisk) -> None:
    """
    What a signal handler tracks waits for the object that it interrupts, and follows in its order.
    """
    interrupted_by(parts, disk, 2, 3)

    assert [(1, b"1"), (2, b"2"), (3, b"3")] == stored(parts)


def test_an_object_that_waited_has_the_time_of_its_call(parts: Parts, disk: NotedDisk) -> None:
    """
    An object that waits for another one is recorded with the moment at which it was tracked.
    """
    before_s = time.time()
    interrupted_by(parts, disk, 2)

    assert before_s <= parts.record(1)[2] <= parts.record(0)[2]


def test_what_waits_is_recorded_when_the_run_ends_within_the_call(parts: Parts, disk: NotedDisk) -> None:
    """
    A run that ends in the middle of a call records what waits for it, over what the call has written.
    """
    whole = disk.write_at

    def interrupt(descriptor: int, data: bytes, offset: int) -> None:
        disk.write_at = whole  # type: ignore[method-assign]
        put(parts, steps=(2,), objects=[picture(b"2")])
        parts.files.objects.seize()
        raise KeyboardInterrupt

    disk.write_at = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        put(parts)

    assert [(2, b"2")] == stored(parts)


def test_a_child_of_a_fork_drops_what_its_parent_was_writing(parts: Parts, disk: NotedDisk, reading: Reading) -> None:
    """
    `abandon` forgets what waits, and closes the file without its directory.
    """
    put(parts)
    whole = disk.write_at
    path = layout.blob_file(parts.folder, parts.files.id, 0)
    size = path.stat().st_size

    def interrupt(descriptor: int, data: bytes, offset: int) -> None:
        disk.write_at = whole  # type: ignore[method-assign]
        put(parts, steps=(2,))
        parts.files.objects.abandon()
        raise KeyboardInterrupt

    disk.write_at = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        put(parts)

    assert ([3], size) == ([step for step, _ in stored(parts)], path.stat().st_size)
