"""
Checking the files of one writer: event lines, then points, then the blob files that the points refer to.

What was read first tells what is expected next: the end line counts segments, points and blob files, and the
declarations tell which points are positions of objects.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aim.core import kinds
from aim.core.errors import DamagedFile
from aim.core.values import EXACT_INT_MAX
from aim.core.words import counted
from aim.storage.disk import layout, unreadable
from aim.storage.forms import blobs, events, journal, records, torn_tail
from aim.storage.forms.events import Event, ParsedLines
from aim.storage.forms.gaps import Gap, sentence
from aim.storage.forms.records import Records
from aim.storage.forms.state import Damage
from aim.storage.sealing.footer import JournalOrigin
from aim.storage.sealing.sealed import Sealed
from aim.storage.sealing.verify import verify

Progress = Callable[[str], None]
"""Is called with the name of each file before it is checked."""

TORN_SLOTS_MAX = 64  # threads of a killed process that were storing a point, at most
DIRECTORY_ENTRY_MAGIC = b"PK\x01\x02"
DIRECTORY_END_MAGIC = b"PK\x05\x06"


@contextmanager
def readable(file_name: str, damage: list[Damage]) -> Iterator[None]:
    """
    Note a file that the disk refuses to read, and go on: the other files are checked all the same.

    Raises:
        FileNotFoundError: the file is gone.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else file_name
        damage.append(Damage(name, "byte 0", unreadable.describe(error)))


@dataclass
class WriterFiles:
    """Which files of a writer are in the folder."""

    writer_id: str
    segment_numbers: list[int] = field(default_factory=list)
    blob_numbers: list[int] = field(default_factory=list)
    has_events: bool = False
    has_sealed: bool = False


class _CheckedPoints(NamedTuple):
    """What a writer has recorded: of each point the number of its sequence, its value and its time."""

    numbers: NDArray[Any]
    values: NDArray[Any]
    times_us: NDArray[Any]


class WriterCheck:
    """
    Checks the files of one writer of the run in *run_folder*.

    Args:
        damage: gets what is damaged.
        progress: is called with the name of each file before it is checked.
    """

    def __init__(self, run_folder: Path, files: WriterFiles, damage: list[Damage], progress: Progress) -> None:
        self._folder = run_folder
        self._files = files
        self._writer_id = files.writer_id
        self._damage = damage
        self._progress = progress
        self._has_bad_lines = True  # until all lines were read
        self._end: Event | None = None
        self._kinds: dict[int, str] = {}  # by sequence number

    def run(self) -> None:
        """
        Check all files.

        Raises:
            FileNotFoundError: a file is gone that was there: the writer was sealed meanwhile.
        """
        events_path = layout.events_file(self._folder, self._writer_id)
        with readable(events_path.name, self._damage):
            self._check_events(events_path)
        points = _CheckedPoints(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
        sealed_path = layout.sealed_file(self._folder, self._writer_id)
        with readable(sealed_path.name, self._damage):
            points = self._check_sealed(sealed_path) if self._files.has_sealed else self._check_segments()
        self._check_declarations(events_path, points)
        self._check_blobs(points)

    def _note(self, path: Path, location: str, problem: str) -> None:
        self._damage.append(Damage(path.name, location, problem))

    # events

    def _check_events(self, path: Path) -> None:
        if not self._files.has_events:
            self._note(path, "byte 0", "the file is missing; its writer has other files here")
            return
        self._progress(path.name)
        content = path.read_bytes()
        lines = events.parse(content)
        self._has_bad_lines = bool(lines.bad_spans)
        for offset, length in lines.bad_spans:
            self._note(path, f"byte {offset:,}", f"{counted(length, 'byte is', 'bytes are')} no event line")
        for event in lines.events:
            if isinstance(event.get("end"), dict):
                self._end = event["end"]
            if type(event.get("sequence")) is int and isinstance(event.get("kind"), str):
                self._kinds[event["sequence"]] = event["kind"]
        self._check_begin(path, lines)
        self._damage += _gaps(path.name, lines)
        tail = content[lines.end_offset :]
        if events.decode(tail[:-1]) is not None:  # not cut short: its newline is there and is another byte
            self._note(path, f"byte {len(content) - 1:,}", "is not the newline that ends the last line")
        if self._end is not None and (tail or "end" not in lines.events[-1]):
            self._note(path, f"byte {lines.end_offset:,}", "there is something after the writer's end")

    def _check_begin(self, path: Path, lines: ParsedLines) -> None:
        if not lines.events:
            return
        begin = lines.events[0].get("begin")
        if not isinstance(begin, dict):
            if not lines.bad_spans:
                self._note(path, "byte 0", "the first line is not a begin")
        elif (begin.get("run"), begin.get("writer")) != (self._folder.name, self._writer_id):
            self._note(path, "byte 0", "the lines are those of another writer")

    def _check_declarations(self, path: Path, points: _CheckedPoints) -> None:
        undeclared = set(np.unique(points.numbers).tolist()) - set(self._kinds)
        if not undeclared or self._has_bad_lines:
            return
        if self._end is None:  # a live writer may have declared them since
            undeclared -= {event.get("sequence") for event in events.read(path).events}
            undeclared -= torn_tail.lost_declarations(
                self._folder, self._writer_id, points.numbers, points.times_us, self._kinds
            )
        if undeclared:
            self._note(path, "its end", f"no line declares the sequences {sorted(undeclared)}, which have points")

    # points

    def _check_segments(self) -> _CheckedPoints:
        slot_counts: dict[int, int] = {}
        parts = [np.empty(0, records.RECORD_DTYPE)]
        numbers = self._files.segment_numbers
        said_count = len(numbers) if self._end is None else self._end.get("segments", 0)
        for number in range(max([said_count, *(number + 1 for number in numbers)])):
            slots = self._check_segment(number)
            if slots is not None:
                parts.append(slots[(slots["sequence"] != 0) & (slots["sequence"] != journal.VOID)])
                slot_counts[number] = records.used_count(slots)
        slots_used = sum(slot_counts.values())
        for number in emptied_segments(slot_counts) if self._end is None else ():
            path = layout.segment_file(self._folder, self._writer_id, number)
            self._note(path, "byte 0", "the file holds no point, and later ones do: its points are lost")
        if self._end is not None and self._end.get("points") != slots_used and not self._damage:
            path = layout.segment_file(self._folder, self._writer_id, max(numbers, default=0))
            said = f"{self._end.get('points'):,}"
            self._note(path, "its end", f"{slots_used:,} slots are filled, where the end event says {said}")
        table = np.concatenate(parts)
        return _CheckedPoints(table["sequence"], table["value"], records.time_us(table))

    def _check_segment(self, number: int) -> Records | None:
        path = layout.segment_file(self._folder, self._writer_id, number)
        self._progress(path.name)
        if number not in self._files.segment_numbers:
            self._note(path, "byte 0", "the file is missing")
            return None
        contents: list[bytes] = []
        with readable(path.name, self._damage):
            contents.append(path.read_bytes())
        return self._check_slots(path, contents[0], number) if contents else None

    def _check_slots(self, path: Path, content: bytes, number: int) -> Records:
        self._damage += records.check_segment(path.name, content)
        has_ended = self._end is not None
        if not content and has_ended:  # without an end, it was killed between creating and filling it
            self._note(path, "byte 0", "the file is empty")
        if any(content) or has_ended:
            self._check_header(path, content, number)
        slots = records.slots_of(content)
        if len(content) >= journal.PAGE_BYTES:
            self._check_empty_slots(path, slots)
            self._check_page_crcs(path, content, slots)
        return slots

    def _check_header(self, path: Path, content: bytes, number: int) -> None:
        # a whole header of another run, writer or number: the file was renamed or copied
        head = content[: journal.CRC_TABLE_OFFSET]
        is_noted = any(damage.file == path.name and damage.location == "byte 0" for damage in self._damage)
        if len(head) < journal.CRC_TABLE_OFFSET or is_noted:
            return
        size_bytes = struct.unpack_from("<I", head, 8)[0]
        if head != journal.header(size_bytes, number, self._writer_id, self._folder.name):
            self._note(path, "byte 0", "the header is that of another segment")

    def _check_empty_slots(self, path: Path, slots: Records) -> None:
        # no CRC covers what follows the last record
        first = records.used_count(slots) + (TORN_SLOTS_MAX if self._end is None else 0)
        empty = slots.view("V32")[first:]
        odd = np.flatnonzero(empty != np.zeros(1, "V32")) if len(empty) else empty
        if len(odd):
            offset = journal.PAGE_BYTES + journal.RECORD_BYTES * (first + int(odd[0]))
            self._note(path, f"byte {offset:,}", "an empty slot is not empty")

    def _check_page_crcs(self, path: Path, content: bytes, slots: Records) -> None:
        # no CRC covers the table of CRCs itself
        table = np.frombuffer(content, "<u4", journal.PAGE_BYTES // 4)[journal.CRC_TABLE_OFFSET // 4 :]
        slot_count = records.used_count(slots)
        page_count = -(-slot_count // journal.PAGE_RECORDS)
        if bool(table[page_count:].any()):
            offset = journal.CRC_TABLE_OFFSET + 4 * page_count
            self._note(path, f"byte {offset:,}", "a CRC is noted for a page without points")
        for page in range(page_count if self._end is not None else 0):
            start = page * journal.PAGE_RECORDS
            numbers = slots["sequence"][start : min(start + journal.PAGE_RECORDS, slot_count)]
            if not table[page] and bool((numbers != 0).all()):
                offset = journal.PAGE_BYTES * (page + 1)
                self._note(path, f"byte {offset:,}", f"page {page + 1} is full and its CRC is missing")

    def _check_sealed(self, path: Path) -> _CheckedPoints:
        self._progress(path.name)
        damage = verify(path)
        self._damage += damage
        file = Sealed.open(path)
        if not damage and file.origin is not None:
            self._check_footer(path, file.origin)
        numbers, columns = file.all()
        return _CheckedPoints(numbers, columns.values, columns.times_us)

    def _check_footer(self, path: Path, origin: JournalOrigin) -> None:
        if (origin.run_hash, origin.writer_id) != (self._folder.name, self._writer_id):
            self._note(path, "the footer", "it is the file of another run or writer")
        said = None if self._end is None else (self._end.get("segments"), self._end.get("points"))
        if said and (origin.segment_count, origin.slot_count) != said:
            self._note(path, "the footer", "its counts are not those of the end event")
        if self._files.has_events:
            events_path = layout.events_file(self._folder, self._writer_id)
            size_bytes = events_path.stat().st_size
            if size_bytes < origin.events_bytes:
                text = f"had {counted(origin.events_bytes, 'byte')} when its points were sealed"
                self._note(events_path, f"byte {size_bytes:,}", text)

    # blobs

    def _check_blobs(self, points: _CheckedPoints) -> None:
        object_numbers = [number for number, kind in self._kinds.items() if not kinds.is_number(kind)]
        is_object = np.isin(points.numbers, object_numbers)
        positions = points.values[is_object]
        if self._end is None:
            times_us = points.times_us[is_object]
            positions = positions[torn_tail.stored_objects(self._folder, self._writer_id, positions, times_us)]
        offsets = self._record_offsets(positions)
        said_numbers = range(self._end.get("blobs", 0)) if self._end is not None else ()
        has_directory = self._end is not None and bool(self._end.get("directory", True))
        for number in sorted({*self._files.blob_numbers, *offsets, *said_numbers}):
            path = layout.blob_file(self._folder, self._writer_id, number)
            self._progress(path.name)
            if number not in self._files.blob_numbers:
                self._note(path, "byte 0", "the file is missing")
                continue
            with readable(path.name, self._damage):
                BlobFileCheck(path, self._damage).run(sorted(offsets.get(number, ())), has_directory)

    def _record_offsets(self, positions: NDArray[Any]) -> dict[int, set[int]]:
        """Return, by blob file, the offsets of the records that points refer to."""
        offsets: dict[int, set[int]] = {}
        for position in positions.tolist():
            if not 0 <= position < EXACT_INT_MAX or position != int(position):
                path = layout.segment_file(self._folder, self._writer_id, 0)
                if self._files.has_sealed:
                    path = layout.sealed_file(self._folder, self._writer_id)
                self._note(path, "a point", f"{position} is no position in a blob file")
                continue
            number, offset = blobs.split_position(int(position))
            offsets.setdefault(number, set()).add(offset)
        return offsets


def emptied_segments(slot_counts: Mapping[int, int]) -> list[int]:
    """
    Return the segments without a point before the last one with points: each is full before the next one is begun.

    >>> emptied_segments({0: 12, 1: 0, 2: 7, 3: 0})
    [1]
    """
    last = max((number for number, count in slot_counts.items() if count), default=-1)
    return [number for number, count in slot_counts.items() if not count and number < last]


class BlobFileCheck:
    """Checks one blob file; *damage* gets what is damaged."""

    def __init__(self, path: Path, damage: list[Damage]) -> None:
        self._path = path
        self._damage = damage

    def run(self, record_offsets: Sequence[int], has_directory: bool) -> None:
        """
        Check entries, records and directory.

        Args:
            record_offsets: of the records that points refer to.
            has_directory: the file was closed, so its directory has to be whole.
        """
        entries, end = blobs.walk(self._path)
        damage_count = len(self._damage)
        self._check_entries(entries)
        by_offset = {entry.offset: entry for entry in entries}
        for offset in record_offsets:
            if offset not in by_offset:
                self._note(offset, "a point's record is not there")
            elif by_offset[offset].is_data_intact:
                self._check_record(offset, by_offset)
        with open(self._path, "rb") as file:
            file.seek(end)
            tail = file.read()
        begins, ends = tail.startswith(DIRECTORY_ENTRY_MAGIC), tail[-blobs.END.size :].startswith(DIRECTORY_END_MAGIC)
        is_closed = has_directory or begins or ends
        if is_closed and len(self._damage) == damage_count and tail != blobs.directory(entries, end):
            self._note(end, "the directory is not that of the entries")

    def _note(self, offset: int, problem: str) -> None:
        self._damage.append(Damage(self._path.name, f"byte {offset:,}", problem))

    def _check_entries(self, entries: Sequence[blobs.BlobEntry]) -> None:
        offset = 0
        for entry in entries:
            if entry.offset != offset:
                self._note(offset, f"{counted(entry.offset - offset, 'byte is', 'bytes are')} no entry")
            if not entry.is_data_intact:
                self._note(entry.data_offset, f"the data of {entry.name} does not match its CRC")
            offset = entry.end

    def _check_record(self, offset: int, by_offset: dict[int, blobs.BlobEntry]) -> None:
        try:
            record = blobs.read_record(self._path, offset)
        except DamagedFile as error:
            self._damage.append(Damage(self._path.name, error.position, error.defect))
            return
        for item in record["items"]:
            data_offset = item.get("data")
            entry = by_offset.get(data_offset)
            if data_offset is not None and (entry is None or entry.size_bytes != item.get("size")):
                self._note(data_offset, "the data of a point's record is not there")


def _gaps(file_name: str, lines: ParsedLines) -> list[Damage]:
    # not damage of the file: what its writer says that it could not record
    damage: list[Damage] = []
    for event in lines.events:
        if "gap" in event:
            try:
                problem = sentence([Gap.from_event(event["gap"])]).rstrip(".")
            except (LookupError, TypeError, ValueError):
                problem = "can't be understood: it is no gap"
            damage.append(Damage(file_name, f"the event of {events.seconds(event.get('at')):.6f}", problem))
    return damage
