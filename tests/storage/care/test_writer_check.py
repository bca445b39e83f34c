"""
The files of one writer checked: what is named, where, and in which words, for each thing that can be wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aim.storage.care.check import check_run
from aim.storage.care.writer_check import emptied_segments
from aim.storage.disk import layout
from aim.storage.forms import blobs, events, journal
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from aim.storage.sealing.sealed import Sealed
from tests.storage.sealing.sealed_files import forged
from tests.storage.writing import Picture

FILLED = "403 slots are filled, where the end event says {}"
GAP = {"points": 2, "lines": 0, "from": 1, "until": 2, "why": "full"}


class Files:
    """The files of an ended writer, to be changed by hand."""

    def __init__(self, writer: Writer) -> None:
        self.id = writer.id
        self.folder = writer.files.folder
        self.events = layout.events_file(self.folder, self.id)
        self.segments = [layout.segment_file(self.folder, self.id, number) for number in range(2)]
        self.blobs = layout.blob_file(self.folder, self.id, 0)
        self.sealed = layout.sealed_file(self.folder, self.id)

    def damage(self) -> list[tuple[str, str, str]]:
        """Return all damage: the name of the file without the writer's id, place and problem."""
        return [(item.file[9:], item.location, item.problem) for item in check_run(self.folder)]

    def edit(self, path: Path, offset: int, data: bytes) -> None:
        """Overwrite bytes of a file."""
        content = bytearray(path.read_bytes())
        content[offset : offset + len(data)] = data
        path.write_bytes(content)

    def rewrite(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        """Write other event lines, each with its right CRC."""
        path = self.events
        path.write_bytes(b"".join(map(events.encode, change(events.read(path).events))))

    def seal(self) -> None:
        """Seal the writer."""
        assert seal.seal_writer(self.folder, self.id, RunLog(self.folder).refresh())


@pytest.fixture(name="files")
def _files(writer: Writer) -> Files:
    """
    A run of 400 numbers in two segments, and three objects.
    """
    for step in range(400):
        writer.sequence("loss").track(step / 2, step)
    for step in range(3):
        writer.sequence("pictures").track(Picture(b"%d" % step), step)
    writer.close()
    files = Files(writer)
    assert [] == files.damage()
    return files


def with_end(**changed: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return what changes the end line."""
    return lambda lines: [*lines[:-1], {**lines[-1], "end": {**lines[-1]["end"], **changed}}]


# event lines


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (with_end(points=5), [("points-0001", "its end", FILLED.format("5"))]),
        (with_end(points=1234567), [("points-0001", "its end", FILLED.format("1,234,567"))]),
        (with_end(segments=3), [("points-0002", "byte 0", "the file is missing")]),
        (with_end(blobs=2), [("blobs-0001.zip", "byte 0", "the file is missing")]),
        (lambda lines: lines[1:], [("events.jsonl", "byte 0", "the first line is not a begin")]),
        (lambda lines: [{**lines[0], "begin": {**lines[0]["begin"], "writer": "ffffffff"}}, *lines[1:]],
         [("events.jsonl", "byte 0", "the lines are those of another writer")]),
        (lambda lines: [{**lines[0], "begin": {**lines[0]["begin"], "run": "x"}}, *lines[1:]],
         [("events.jsonl", "byte 0", "the lines are those of another writer")]),
        (lambda lines: [line for line in lines if line.get("name") != "loss"],
         [("events.jsonl", "its end", "no line declares the sequences [1], which have points")]),
        (lambda lines: [*lines[:-1], {"at": 1.5, "gap": GAP}, lines[-1]],
         "2 points are lost: full"),
        (lambda lines: [*lines[:-1], {"at": 1.5, "gap": {"points": "x"}}, lines[-1]],
         "can't be understood: it is no gap"),
    ],
)  # fmt: skip
def test_what_the_lines_say_has_to_be_so(
    files: Files,
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    expected: list[tuple[str, str, str]] | str,
) -> None:
    """
    Counts, the beginning, declarations and gaps are compared with the files, and named with both sides.
    """
    files.rewrite(change)
    damage = files.damage()

    if isinstance(expected, str):
        assert [("events.jsonl", expected)] == [(name, problem) for name, _, problem in damage]
        assert "the event of 1.500000" == damage[0][1]
    else:
        assert expected == damage


def test_bad_bytes_of_lines_are_counted(files: Files) -> None:
    """
    The place and the length of what is no line; what lines would declare is not asked for then.
    """
    content = files.events.read_bytes()
    first = content.index(b"\n") + 1
    files.events.write_bytes(content[:first] + b"x" * 7 + b"\n" + content[first:])

    assert [("events.jsonl", f"byte {first:,}", "7 bytes are no event line")] == files.damage()


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (b"x", "there is something after the writer's end"),
        (events.encode({"at": 9e9, "tags": {"add": ["x"]}}), "there is something after the writer's end"),
    ],
)
def test_nothing_follows_the_end(files: Files, tail: bytes, expected: str) -> None:
    """
    A line or a part of one behind the end is named with where it begins.
    """
    size = files.events.stat().st_size
    files.events.write_bytes(files.events.read_bytes() + tail)
    ((name, location, problem),) = files.damage()

    assert ("events.jsonl", expected) == (name, problem)
    assert location in (f"byte {size:,}", f"byte {size + len(tail):,}")


def test_a_last_line_whose_newline_is_another_byte_is_named(files: Files) -> None:
    """
    It is not taken for one that was cut short.
    """
    size = files.events.stat().st_size
    files.edit(files.events, size - 1, b" ")

    assert ("events.jsonl", f"byte {size - 1:,}", "is not the newline that ends the last line") in files.damage()


# segments


TABLE = journal.CRC_TABLE_OFFSET
HEADER = "the header does not match its CRC"
PAGE = "page 3 does not match its CRC; one of its points may be wrong"
NO_POINTS = "a CRC is noted for a page without points"


@pytest.mark.parametrize(
    ("number", "offset", "data", "location", "problem"),
    [
        (0, 9, b"\1", "byte 0", HEADER),
        (0, 3 * 4096 + 5, b"\xff", "byte 12,288", PAGE),
        (1, TABLE + 4, b"\1", f"byte {TABLE + 4}", NO_POINTS),
        (1, 4096 + 32 * 30 + 3, b"\1", "byte 5,056", "an empty slot is not empty"),
        (0, TABLE, bytes(4), "byte 4,096", "page 1 is full and its CRC is missing"),
        (0, TABLE + 8, bytes(4), "byte 12,288", "page 3 is full and its CRC is missing"),
        (1, TABLE, bytes(4), "byte 4,096", "page 1 is full and its CRC is missing"),
    ],
)
def test_a_changed_byte_of_a_segment_is_named_with_what_it_belongs_to(
    files: Files, number: int, offset: int, data: bytes, location: str, problem: str
) -> None:
    """
    Header, pages, table of CRCs and empty slots: each has its own words, and no other file is named.
    """
    files.edit(files.segments[number], offset, data)
    damage = files.damage()

    assert (f"points-{number:04d}", location, problem) in damage
    assert {f"points-{number:04d}"} == {name for name, *_ in damage}


def test_a_segment_of_another_place_is_named(files: Files) -> None:
    """
    A whole header with another number is that of another segment.
    """
    second = files.segments[1].read_bytes()
    files.edit(files.segments[1], 0, journal.header(len(second), 0, files.id, "run"))

    assert [("points-0001", "byte 0", "the header is that of another segment")] == files.damage()


def test_a_segment_without_content_is_named(files: Files) -> None:
    """
    An ended writer has no empty segment.
    """
    files.segments[1].write_bytes(b"")

    assert ("points-0001", "byte 0", "the file is empty") in files.damage()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [({}, []), ({0: 0}, []), ({0: 5, 1: 0}, []), ({0: 0, 1: 5}, [0]), ({0: 5, 1: 0, 2: 0, 3: 1, 4: 0}, [1, 2])],
)
def test_a_segment_is_full_before_the_next_one_is_begun(counts: dict[int, int], expected: list[int]) -> None:
    """
    One without a point before one with points has lost them.
    """
    assert expected == emptied_segments(counts)


# sealed files


def test_a_sealed_writer_is_checked_by_its_footer(files: Files) -> None:
    """
    A whole sealed file is no damage; one of another writer, or with other counts than the end event, is named.
    """
    files.seal()
    assert [] == files.damage()
    whole = files.sealed.read_bytes()
    for changed, problem in (
        ({"run": "x"}, "it is the file of another run or writer"),
        ({"writer": "f"}, "it is the file of another run or writer"),
        ({"segments": 1}, "its counts are not those of the end event"),
        ({"slots": 5}, "its counts are not those of the end event"),
    ):
        files.sealed.write_bytes(forged(whole, lambda footer, changed=changed: footer.update(changed)))  # type: ignore[misc]
        assert [("points.parquet", "the footer", problem)] == files.damage()


def test_lines_that_were_cut_off_after_sealing_are_named(files: Files) -> None:
    """
    The sealed file knows how long the event file was.
    """
    files.seal()
    size = files.events.stat().st_size
    origin = Sealed.open(files.sealed).origin
    assert origin is not None
    assert size == origin.events_bytes
    lines = files.events.read_bytes().splitlines(keepends=True)
    files.events.write_bytes(b"".join(lines[:-1]))

    location = f"byte {files.events.stat().st_size:,}"
    assert ("events.jsonl", location, f"had {size:,} bytes when its points were sealed") in files.damage()


# blob files


def test_damaged_objects_are_named_by_their_entry(files: Files) -> None:
    """
    The data of an entry, bytes between entries, and records without their data.
    """
    entries, _ = blobs.walk(files.blobs)
    whole = files.blobs.read_bytes()
    files.edit(files.blobs, entries[0].data_offset, b"x")
    assert [
        ("blobs-0000.zip", f"byte {entries[0].data_offset:,}", f"the data of {entries[0].name} does not match its CRC")
    ] == files.damage()
    files.blobs.write_bytes(whole)
    files.edit(files.blobs, entries[2].offset, b"xxxx")
    length = entries[3].offset - entries[2].offset
    assert [
        ("blobs-0000.zip", f"byte {entries[2].offset:,}", f"{length} bytes are no entry"),
        ("blobs-0000.zip", f"byte {entries[2].offset:,}", "the data of a point's record is not there"),
    ] == files.damage()


def test_a_record_that_is_not_there_is_named(files: Files) -> None:
    """
    A point has to refer to the record of an object.
    """
    entries, _ = blobs.walk(files.blobs)
    files.edit(files.blobs, entries[1].offset, b"xxxx")
    problems = [(location, problem) for _, location, problem in files.damage()]

    assert (f"byte {entries[1].offset:,}", "a point's record is not there") in problems


@pytest.mark.parametrize("change", ["cut", "changed"])
def test_the_directory_has_to_follow_the_entries(files: Files, change: str) -> None:
    """
    A closed blob file ends with the directory of its entries, byte by byte.
    """
    _, end = blobs.walk(files.blobs)
    whole = files.blobs.read_bytes()
    files.blobs.write_bytes(whole[:end] if change == "cut" else whole[:-3] + b"\1" + whole[-2:])

    assert [("blobs-0000.zip", f"byte {end:,}", "the directory is not that of the entries")] == files.damage()


def test_without_a_directory_by_its_end_a_blob_file_is_whole(files: Files) -> None:
    """
    A writer that found no room for the directory says so.
    """
    _, end = blobs.walk(files.blobs)
    files.blobs.write_bytes(files.blobs.read_bytes()[:end])
    files.rewrite(with_end(directory=False))

    assert [] == files.damage()


@pytest.mark.parametrize("value", [-1.0, 0.5, float("nan"), 2.0**60])
def test_a_value_that_is_no_position_is_named(files: Files, value: float) -> None:
    """
    The points of objects are positions: whole numbers in the range of files and offsets.
    """
    path, page = files.segments[1], journal.PAGE_BYTES
    slot = page + 32 * (400 - 384)
    files.edit(path, slot, struct.pack("<d", value))
    content = path.read_bytes()
    files.edit(path, journal.CRC_TABLE_OFFSET, struct.pack("<I", journal.page_crc(content[page : 2 * page])))

    assert ("points-0000", "a point", f"{value} is no position in a blob file") in files.damage()
