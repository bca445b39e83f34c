"""
A journal read from where the last reading stopped: what is returned once, and what again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim.storage.disk import layout
from aim.storage.forms import journal, records
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.journal_cursor import WHOLE_LOOKS, JournalCursor
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


def empty_page(writer: Writer, page: int) -> bytes:
    """Empty a page of the first segment, and return what it held."""
    path = layout.segment_file(writer.files.folder, writer.id, 0)
    with open(path, "r+b") as file:
        file.seek(page * journal.PAGE_BYTES)
        content = file.read(journal.PAGE_BYTES)
        file.seek(page * journal.PAGE_BYTES)
        file.write(bytes(journal.PAGE_BYTES))
    return content


def test_a_look_reads_what_was_recorded_and_not_the_room_for_more(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The first look reads the whole segment; the next ones two pages, though it has room for a megabyte.
    """
    sizes: list[int] = []
    read = records.read_live_tail

    def counted(path: str, offset: int) -> bytes:
        content = read(path, offset)
        sizes.append(len(content))
        return content

    monkeypatch.setattr(records, "read_live_tail", counted)
    track(writer, 20_000)
    cursor = JournalCursor(writer.files.folder, writer.id)
    found = len(cursor.advance()[0])
    for count in (1, 1, PAGE, 1):
        track(writer, count)
        full, behind = cursor.advance()
        found += len(full)
        assert found + len(behind) == 20_000 + sum((1, 1, PAGE, 1)[: len(sizes)])
    writer.close()

    assert 4 == len(sizes)
    assert max(sizes) <= 3 * journal.PAGE_BYTES


def test_records_behind_an_empty_page_are_found_and_stay(writer: Writer) -> None:
    """
    A page of which nothing reached the disk hides no later page: not at the first look, nor at any after it; and what
    comes behind a new hole is found some looks later, without a new record.
    """
    track(writer, 5 * PAGE // 2)
    lost = empty_page(writer, 2)
    cursor = JournalCursor(writer.files.folder, writer.id)
    looks = [len(np.concatenate(cursor.advance())) for _ in range(2 * WHOLE_LOOKS)]
    assert [3 * PAGE // 2] + [PAGE // 2] * (2 * WHOLE_LOOKS - 1) == looks
    path = layout.segment_file(writer.files.folder, writer.id, 0)
    with open(path, "r+b") as file:
        file.seek(2 * journal.PAGE_BYTES)
        file.write(lost)
    assert PAGE + PAGE // 2 == len(np.concatenate(cursor.advance()))
    writer.close()


def test_what_overtook_other_records_is_found_after_some_looks(writer: Writer) -> None:
    """
    Records that come behind an empty page while others look are found by the next look that reads everything.
    """
    track(writer, 3)
    cursor = JournalCursor(writer.files.folder, writer.id)
    assert 3 == len(cursor.advance()[1])
    path = layout.segment_file(writer.files.folder, writer.id, 0)
    with open(path, "r+b") as file:
        file.seek(3 * journal.PAGE_BYTES)
        file.write(journal.RECORD.pack(0.5, 900, 1.0, 0.0, 1))
    looks = [len(cursor.advance()[1]) for _ in range(2 * WHOLE_LOOKS)]
    writer.close()

    assert 4 in looks[:WHOLE_LOOKS]
    assert [4] * WHOLE_LOOKS == looks[WHOLE_LOOKS:]
