"""
A journal read from where the last reading stopped: what is returned once, and what again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim.storage.disk import layout
from aim.storage.forms import journal
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.journal_cursor import JournalCursor
from aim.storage.recording.writer import Writer
from aim.storage.sealing.seal import seal_writer

PAGE = journal.PAGE_RECORDS


def steps(records: Records) -> list[int]:
    """The steps of *records*."""
    return [int(step) for step in records["step"]]


def track(writer: Writer, count: int) -> None:
    """Record *count* points, each at the next step."""
    for _ in range(count):
        writer.sequence("loss").track(0.5)


@pytest.fixture(name="writer")
def _writer(tmp_path: Path) -> Writer:
    """Return a writer of a run."""
    return Writer(tmp_path, "example")


def test_full_pages_are_returned_once_and_the_others_each_time(writer: Writer) -> None:
    """
    The records of a page that is full are not returned again; those of the page behind are.
    """
    cursor = JournalCursor(writer.files.folder, writer.id)
    track(writer, PAGE + 3)
    first = [steps(part) for part in cursor.advance()]
    track(writer, 1)
    second = [steps(part) for part in cursor.advance()]
    writer.close()

    assert [list(range(PAGE)), [PAGE, PAGE + 1, PAGE + 2]] == first
    assert [[], [PAGE, PAGE + 1, PAGE + 2, PAGE + 3]] == second


def test_of_a_writer_that_stores_nothing_any_more_all_pages_are_full(writer: Writer) -> None:
    """
    With *is_still* no record is returned a second time.
    """
    cursor = JournalCursor(writer.files.folder, writer.id)
    track(writer, 3)
    writer.close()
    full, behind = cursor.advance(is_still=True)

    assert ([0, 1, 2], []) == (steps(full), steps(behind))
    assert [0, 0] == [len(part) for part in cursor.advance(is_still=True)]


def test_the_position_stays_when_the_reading_fails(writer: Writer) -> None:
    """
    A sealer that comes between raises an error; the records are in the sealed file, and none was handed over.
    """
    cursor = JournalCursor(writer.files.folder, writer.id)
    track(writer, PAGE + 1)
    writer.close()
    path = layout.segment_file(writer.files.folder, writer.id, 0)
    content = path.read_bytes()
    seal_writer(writer.files.folder, writer.id, RunLog(writer.files.folder).refresh())
    with pytest.raises(FileNotFoundError):
        cursor.advance(is_still=True)
    layout.sealed_file(writer.files.folder, writer.id).unlink()
    path.write_bytes(content)

    assert PAGE + 1 == len(cursor.advance(is_still=True)[0])


def test_a_missing_segment_hides_only_itself(writer: Writer) -> None:
    """
    When a segment is gone and later ones are there, the later ones are read.
    """
    track(writer, 3)
    writer.close()
    path = layout.segment_file(writer.files.folder, writer.id, 0)
    path.rename(layout.segment_file(writer.files.folder, writer.id, 2))
    cursor = JournalCursor(writer.files.folder, writer.id)

    assert [0, 1, 2] == steps(np.concatenate(cursor.advance()))


@pytest.mark.parametrize("segment_count", [0, 1])
def test_no_more_segments_are_read_than_the_writer_has(writer: Writer, segment_count: int) -> None:
    """
    Segments beyond the count that the writer has said are not looked for.
    """
    track(writer, 3)
    writer.close()
    cursor = JournalCursor(writer.files.folder, writer.id)
    full, _ = cursor.advance(is_still=True, segment_count=segment_count)

    assert 3 * segment_count == len(full)


def test_a_segment_without_bytes_is_read_when_it_has_some(writer: Writer) -> None:
    """
    A file that was created this moment keeps the position where it is.
    """
    track(writer, 3)
    path = layout.segment_file(writer.files.folder, writer.id, 0)
    content = path.read_bytes()
    writer.close()
    path.write_bytes(b"")
    cursor = JournalCursor(writer.files.folder, writer.id)
    assert [0, 0] == [len(part) for part in cursor.advance()]
    path.write_bytes(content)

    assert [0, 1, 2] == steps(cursor.advance()[1])


def test_a_segment_that_cannot_be_read_leaves_a_gap(writer: Writer) -> None:
    """
    `has_gap` says that records are missing.
    """
    track(writer, 3)
    writer.close()
    path = layout.segment_file(writer.files.folder, writer.id, 0)
    path.unlink()
    path.mkdir()
    cursor = JournalCursor(writer.files.folder, writer.id)

    assert [0, 0] == [len(part) for part in cursor.advance()]
    assert cursor.has_gap
