"""
The files of a writer: what is synced in which order, how the folder is followed, and what the end event counts.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from aim.core.statuses import FINISHED
from aim.core.values import Stored
from aim.storage.disk import changes, layout
from aim.storage.forms import events
from aim.storage.forms.records import scan
from aim.storage.forms.run_log import RunLog
from aim.storage.recording import recording_files
from aim.storage.recording.lifecycle import WriterState
from aim.storage.recording.segment_chain import NO_SEGMENT
from tests.storage.disks import NotedDisk
from tests.storage.recording.parts import FIRST, Parts, Reading


def track_object(parts: Parts) -> None:
    """Record one object, so that there is a blob file."""
    parts.files.objects.put(2, "pictures", "test.picture", [Stored("test.picture", {}, b"1234", "raw")], (0,), math.nan)


def begins(folder: Path, writer: str) -> list[dict[str, object]]:
    """Return the `begin` lines of a writer."""
    read = events.read(layout.events_file(folder, writer)).events
    return [event["begin"] for event in read if "begin" in event]


def test_a_run_begins_with_one_line_and_a_stamp(parts: Parts, reading: Reading, disk: NotedDisk) -> None:
    """
    A new writer has an event file with one line, and no other file; readers see by a stamp that the run changed.
    """
    (begin,) = begins(parts.folder, parts.files.id)

    assert (["events.jsonl"], "run", parts.files.id) == (reading.names(), begin["run"], begin["writer"])
    stamps = [call for call in disk.calls if call.startswith("stamp")]
    assert [f"stamp {changes.stamp_name(changes.slot('run'))}", "stamp changes"] == stamps


def test_all_is_synced_before_what_refers_to_it(parts: Parts, disk: NotedDisk) -> None:
    """
    Event lines are synced first, then blobs, then segments, and the folder last: only if a name in it is new.
    """
    track_object(parts)
    for expected in (["sync_folder run"], []):
        disk.calls.clear()
        parts.files.sync()
        files = [f"sync {parts.files.id}.{name}" for name in ("events.jsonl", "blobs-0000.zip", "points-0000")]
        assert [*files, *expected] == disk.calls
    parts.put(FIRST)
    disk.calls.clear()
    parts.files.sync()

    assert "sync_folder run" == disk.calls[-1]


def test_a_sync_tries_everything_and_raises_the_first_refusal(parts: Parts, disk: NotedDisk) -> None:
    """
    A refused sync leaves no other file unsynced; the folder is synced when it was not refused.
    """
    track_object(parts)
    disk.refused.add("sync")
    disk.calls.clear()
    with pytest.raises(OSError, match="No space left"):
        parts.files.sync()
    assert 3 == len(disk.calls)
    disk.refused.clear()
    parts.files.sync()

    assert "sync_folder run" == disk.calls[-1]


def test_lines_that_the_disk_refused_come_with_the_sync(parts: Parts, reading: Reading, disk: NotedDisk) -> None:
    """
    A sync writes first what waits.
    """
    disk.refused.add("write_at")
    parts.files.lines.set_param(("a",), 1)
    disk.refused.clear()
    parts.files.sync()

    assert [{"set": ["a"], "value": 1}] == reading.lines(parts.files.id)


# the end


@pytest.mark.parametrize(("error", "state"), [(None, "finished"), ("ValueError", "failed")])
def test_the_end_counts_what_there_is(parts: Parts, reading: Reading, error: str | None, state: str) -> None:
    """
    The end event says how the run ended, and how many segments, slots and blob files there are.
    """
    parts.put(FIRST + 1)
    track_object(parts)
    assert parts.files.end(error, [5, 6]) is None

    end = {"state": state, "error": error, "segments": 2, "points": FIRST + 2, "blobs": 1, "next": [5, 6]}
    assert {"end": end} == reading.lines(parts.files.id)[-1]
    assert [] == scan(parts.folder, parts.files.id).damage


def test_the_end_needs_no_spare(parts: Parts, reading: Reading) -> None:
    """
    A segment that was made ahead of need is removed before the end, and not counted.
    """
    parts.put(FIRST)
    parts.files.segments.prepare()
    assert parts.files.end(None, []) is None

    assert ["points-0000"] == reading.names("*.points-*")
    assert 1 == reading.lines(parts.files.id)[-1]["end"]["segments"]


def test_an_end_without_room_for_the_directory_says_so(parts: Parts, reading: Reading, disk: NotedDisk) -> None:
    """
    Where the directory of a blob file finds no room, the end event says that it is missing.
    """
    track_object(parts)
    whole = disk.write_at

    def refuse_directory(descriptor: int, data: bytes, offset: int) -> None:
        disk.refused = {"write_at"} if data.startswith(b"PK\x01\x02") else set()
        whole(descriptor, data, offset)

    disk.write_at = refuse_directory  # type: ignore[method-assign]
    refusal = parts.files.end(None, [])

    assert "No space left on device" == (refusal and refusal.strerror)
    assert reading.lines(parts.files.id)[-1]["end"]["directory"] is False


def test_the_end_event_waits_for_nothing_that_is_refused(parts: Parts, disk: NotedDisk) -> None:
    """
    Whatever is refused at the end, all else is tried, the first refusal is returned, and the folder is synced.
    """
    parts.put(1)
    disk.refused.add("sync")
    disk.calls.clear()
    refusal = parts.files.end(None, [])

    assert "No space left on device" == (refusal and refusal.strerror)
    assert "sync_folder run" == disk.calls[-1]
    assert FINISHED == RunLog(parts.folder).refresh().status()[0]


# a new life


def test_beginning_again_hands_over_the_former_files(parts: Parts, reading: Reading) -> None:
    """
    New files have a new id and nothing in them; the former ones are still open, for who records them again.
    """
    parts.put(FIRST + 1)
    track_object(parts)
    writer = parts.files.id
    former = parts.files.begin_again()

    assert (writer, [0, 1]) == (former.writer, [segment.number for segment in former.segments])
    assert writer != parts.files.id
    assert (0, 0, 0) == (
        parts.files.segments.count,
        parts.files.segments.point_count,
        parts.files.objects.blobs.file_count,
    )
    assert [parts.files.id] == [begin["writer"] for begin in begins(parts.folder, parts.files.id)]
    assert os.fstat(former.log.descriptor).st_nlink == 1
    parts.put(1)
    track_object(parts)
    assert [2, 2, 3] == [len(reading.names(pattern)) for pattern in ("*.jsonl", "*.zip", "*.points-*")]
    former.log.close()
    former.blobs.close()
    for segment in former.segments:
        segment.close()


def test_a_new_life_that_is_refused_changes_nothing(parts: Parts, disk: NotedDisk) -> None:
    """
    Where the disk has no room for a new event file, everything is as before.
    """
    parts.put(1)
    writer, segment = parts.files.id, parts.segment
    disk.refused.add("create")
    with pytest.raises(OSError, match="No space left"):
        parts.files.begin_again()

    assert (writer, segment) == (parts.files.id, parts.segment)


def test_a_child_that_begins_is_open(parts: Parts) -> None:
    """
    Beginning again takes a forked writer to the state in which it records.
    """
    parts.lifecycle.state = WriterState.FORKED
    parts.files.begin_again()

    assert WriterState.OPEN is parts.lifecycle.state


def test_a_child_abandons_its_parents_files(parts: Parts, reading: Reading) -> None:
    """
    The descriptors are closed, nothing is written, and no slot of the parent's is taken.
    """
    parts.put(3)
    track_object(parts)
    segment, size = parts.segment, layout.events_file(parts.folder, parts.files.id).stat().st_size
    parts.files.abandon()

    assert (-1, -1) == (segment.descriptor, parts.files.lines.log.descriptor)
    assert (4, NO_SEGMENT) == (segment.taken(), parts.files.segments.segment)
    assert size == layout.events_file(parts.folder, parts.files.id).stat().st_size
    assert 4096 + 4 * 32 == next(segment.slots)


def test_closing_again_does_nothing(parts: Parts) -> None:
    """
    `close` releases everything, and may be called again.
    """
    parts.put(1)
    track_object(parts)
    segment = parts.segment
    parts.files.close()
    parts.files.close()

    assert (-1, -1, []) == (segment.descriptor, parts.files.lines.log.descriptor, list(segment.slots))


# the folder


def test_a_run_is_deleted_when_its_event_file_has_no_name(parts: Parts) -> None:
    """
    The link count of the open file counts, not the path: a folder that is away is no deleted run.
    """
    assert not parts.files.is_deleted()
    parts.folder.rename(parts.folder.with_name("away"))
    assert not parts.files.is_deleted()
    layout.events_file(parts.folder.with_name("away"), parts.files.id).unlink()

    assert parts.files.is_deleted()


def test_a_run_in_the_trash_is_deleted(parts: Parts) -> None:
    """
    A run that was moved into the trash is deleted, once its folder is followed there.
    """
    trash = parts.folder.parent.with_name(layout.TRASH_FOLDER)
    trash.mkdir()
    parts.folder.rename(trash / "run.12345678")
    assert not parts.files.is_deleted()
    assert parts.files.follow()

    assert parts.files.is_deleted()


def test_a_renamed_folder_gets_the_next_files(parts: Parts) -> None:
    """
    After a rename new segments and blob files are made where the folder is now, and the old ones have new paths.
    """
    parts.put(1)
    moved = parts.folder.with_name("moved")
    parts.folder.rename(moved)
    assert parts.files.follow()
    parts.put(FIRST)
    track_object(parts)

    assert (moved, moved) == (parts.files.folder, parts.segment.path.parent)
    assert layout.events_file(moved, parts.files.id) == parts.files.lines.log.path
    assert {"points-0000", "points-0001", "blobs-0000.zip", "events.jsonl"} == set(Reading(moved).names())
    assert not parts.folder.exists()


def test_a_folder_in_its_place_is_not_looked_for(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While the event file is at its path, the system is not asked for another one.
    """
    asked: list[int] = []
    monkeypatch.setattr(recording_files, "path_of", asked.append)

    assert (True, []) == (parts.files.follow(), asked)


@pytest.mark.parametrize("answer", [None, Path("/nowhere/0a1b2c3d.events.jsonl")], ids=["none", "another file"])
def test_a_folder_that_can_not_be_followed_keeps_its_path(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, answer: Path | None
) -> None:
    """
    Where the system tells no path, or a wrong one, the files wait until the folder is back.
    """
    monkeypatch.setattr(recording_files, "path_of", lambda descriptor: answer)
    moved = parts.folder.with_name("moved")
    parts.folder.rename(moved)
    assert not parts.files.follow()
    assert moved.with_name("run") == parts.files.folder
    moved.rename(parts.folder)

    assert parts.files.follow()


def test_a_sealed_writer_is_noticed_by_either_sign(parts: Parts) -> None:
    """
    A writer was sealed if its sealed file is there, or if a segment of it has no name any more.
    """
    parts.put(1)
    assert not parts.files.was_sealed()
    sealed = layout.sealed_file(parts.folder, parts.files.id)
    sealed.touch()
    assert parts.files.was_sealed()
    sealed.unlink()
    layout.segment_file(parts.folder, parts.files.id, 0).unlink()

    assert parts.files.was_sealed()
