"""
A mended copy of a run: all that is whole, in new files in which `check_run` finds no damage. The original is only read.

    events     good lines, written anew; the end event gets the new counts
    points     all that can be read, as one sealed file for each writer
    blobs      whole entries one after another; records and points get the new positions
    edits      whole ones, as they are                       files/ and what is not Aim's: as it is

The points of a damaged page of a journal are copied, because perhaps only one of them is wrong; the report counts them
as suspect. A point whose sequence was never declared is dropped when its page is damaged; else it is copied, and its
sequence gets the name `(unknown <number>)`.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import zlib
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aim.core import kinds, params
from aim.core.clock import MICROSECONDS
from aim.core.errors import DamagedFile, RunExists
from aim.core.values import EXACT_INT_MAX
from aim.storage.disk import layout, unreadable
from aim.storage.disk.files import DISK, Disk
from aim.storage.forms import blobs, events, journal, records
from aim.storage.forms.events import Event
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.sealing import seal
from aim.storage.sealing.declarations import SequenceDeclaration, declarations, undeclared
from aim.storage.sealing.footer import JournalOrigin
from aim.storage.sealing.sealed import Sealed
from aim.storage.sealing.verify import verify


@dataclass
class RepairReport:
    """
    What a repair kept and lost.

    Attributes:
        points_kept, points_lost: records of the journal or the sealed file; lost ones as far as they can be counted.
        points_suspect: of the kept ones, how many come from a page that fails its CRC.
        lines_lost: event lines and edits.
        blobs_lost: data and records of objects.
        notes: what was done besides, one sentence each.
    """

    points_kept: int = 0
    points_lost: int = 0
    points_suspect: int = 0
    lines_lost: int = 0
    blobs_lost: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class _WriterRecords:
    """
    A writer's records.

    Attributes:
        is_suspect: of each record, whether it comes from a damaged page.
        lost_count: how many could not be read.
    """

    table: Records
    is_suspect: NDArray[np.bool_]
    lost_count: int


def repair_run(folder: Path, target_folder: Path, *, disk: Disk = DISK) -> RepairReport:
    """
    Write a mended copy of the run in *folder* to *target_folder*, whose name is that of the run.

    Of a run that is still recording the copy has what is there now.

    Raises:
        RunExists: *target_folder* exists.
        FileNotFoundError: the run is not there.

    Cost: reads the run, and writes what is whole.
    """
    if target_folder.exists():
        raise RunExists(f"{target_folder} exists; a repair writes a new copy. Name another folder, or delete it.")
    names = sorted(path.name for path in folder.iterdir())
    scratch = target_folder.with_name(f".{target_folder.name}.{secrets.token_hex(4)}")
    disk.make_folder(scratch)
    try:
        report = RepairReport()
        writers = sorted({match[1] for name in names if (match := layout.WRITER_FILE.fullmatch(name))})
        for writer in writers:
            _WriterRepair(folder, scratch, target_folder.name, writer, report, disk).run()
        for name in names:
            if layout.EDIT_FILE.fullmatch(name):
                _copy_edit(folder / name, scratch, report, disk)
            elif not layout.WRITER_FILE.fullmatch(name) and not name.startswith("."):
                _copy(folder / name, scratch / name, report)
        disk.rename(scratch, target_folder)
        disk.sync_folder(target_folder.parent)
    finally:
        disk.remove_folder(scratch)
    return report


@contextmanager
def _left_out(path: Path, report: RepairReport) -> Iterator[None]:
    # what the disk refuses to read is left out, and the report says so
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        report.notes.append(f"{path.name} is left out: it {unreadable.describe(error)}")


def _copy(path: Path, target: Path, report: RepairReport) -> None:
    """Copy a file or folder that is not Aim's, as far as it can be read."""
    with _left_out(path, report):
        if not path.is_dir():
            shutil.copy2(path, target)
            return
        names = sorted(child.name for child in path.iterdir())
        target.mkdir()
        for name in names:
            _copy(path / name, target / name, report)


def _copy_edit(path: Path, scratch: Path, report: RepairReport, disk: Disk) -> None:
    lines = events.ParsedLines()
    with _left_out(path, report):
        lines = events.parse(path.read_bytes())
    if len(lines.events) == 1:
        disk.write_new(scratch / path.name, events.encode(lines.events[0]))
    else:
        report.lines_lost += 1


class _WriterRepair:
    """One writer's files, mended."""

    def __init__(
        self, folder: Path, scratch: Path, run_hash: str, writer: str, report: RepairReport, disk: Disk
    ) -> None:
        self._folder = folder
        self._scratch = scratch
        self._run_hash = run_hash
        self._writer = writer
        self._report = report
        self._disk = disk
        self._lines: list[Event] = []
        self._has_bad_lines = False
        self._declared: dict[int, SequenceDeclaration] = {}

    def run(self) -> None:
        """Write the copy."""
        path = layout.events_file(self._folder, self._writer)
        heard_at_s = path.stat().st_mtime if path.exists() else 0.0
        self._read_lines(path)
        self._declared = declarations(RunLog(self._folder).refresh(), self._writer)
        self._complete_begin(heard_at_s)
        recorded = self._read_records()
        self._declare_unknown(recorded)
        blob_count = self._mend_blobs(recorded)
        self._report.points_kept += len(recorded.table)
        self._report.points_lost += recorded.lost_count
        self._report.points_suspect += int(recorded.is_suspect.sum())
        self._write_copies(recorded.table, blob_count, heard_at_s)

    def _write_copies(self, table: Records, blob_count: int, heard_at_s: float) -> None:
        path = layout.events_file(self._scratch, self._writer)
        content = b"".join(events.encode(_with_counts(line, len(table), blob_count)) for line in self._lines)
        self._disk.write_new(path, content)
        if len(table):
            origin = JournalOrigin(self._run_hash, self._writer, 0, len(table), len(content))
            sealed_path = layout.sealed_file(self._scratch, self._writer)
            self._disk.write_new(sealed_path, seal.encode(table, self._declared, origin))
        os.utime(path, (heard_at_s, heard_at_s))  # the file's time is the writer's last sign of life

    # lines

    def _read_lines(self, path: Path) -> None:
        if not path.exists():
            self._report.notes.append(f"the event file of writer {self._writer} is missing")
        self._has_bad_lines = True  # until they were read
        content = b""
        with _left_out(path, self._report):
            content = path.read_bytes() if path.exists() else b""
            self._has_bad_lines = not path.exists()
        lines = events.parse(content)
        tail = content[lines.end_offset :]
        last = events.decode(tail[:-1]) or events.decode(tail)  # whole, but for its newline
        self._lines = lines.events if last is None else [*lines.events, last]
        self._has_bad_lines |= bool(lines.bad_spans)
        self._report.lines_lost += len(lines.bad_spans) + bool(tail and last is None)

    def _complete_begin(self, heard_at_s: float) -> None:
        if not self._lines or "begin" not in self._lines[0]:
            at_s = self._lines[0].get("at", heard_at_s) - 1e-6 if self._lines else heard_at_s
            begin = {"format": layout.FORMAT_NUMBER, "run": self._run_hash, "writer": self._writer}
            begin |= {"host": "", "pid": 0, "boot": None, "process": None}
            self._lines.insert(0, {"at": round(at_s, 6), "begin": begin})
            self._report.notes.append(f"the first line of writer {self._writer} was made anew, without its host")
        ends = [index for index, line in enumerate(self._lines) if "end" in line]
        if ends:
            self._lines.append(self._lines.pop(ends[0]))

    # points

    def _read_records(self) -> _WriterRecords:
        path = layout.sealed_file(self._folder, self._writer)
        numbers = records.segment_numbers(self._folder, self._writer)
        with _left_out(path, self._report):
            if path.exists() and not (numbers and verify(path)):
                return self._from_sealed(path)
        return self._from_journal(numbers)

    def _from_sealed(self, path: Path) -> _WriterRecords:
        file = Sealed.open(path)
        numbers, columns = file.all()
        table = np.zeros(len(numbers), records.RECORD_DTYPE)
        table["sequence"] = numbers
        table["step"], table["value"], table["epoch"] = columns.steps, columns.values, columns.epochs
        table["time"] = columns.times_us / MICROSECONDS
        for sequence in file.sequences:  # the event line that declared it may be damaged
            self._declare(sequence.number, SequenceDeclaration(sequence.name, sequence.context, sequence.kind))
        expected_count = self._end().get("points", 0)
        if file.origin is not None:
            expected_count = sum(sequence.row_count for sequence in file.sequences)
        return _WriterRecords(table, np.zeros(len(table), bool), max(0, int(expected_count) - len(table)))

    def _end(self) -> Event:
        return next((dict(line["end"]) for line in self._lines if isinstance(line.get("end"), dict)), {})

    def _from_journal(self, numbers: Sequence[int]) -> _WriterRecords:
        parts = [np.empty(0, records.RECORD_DTYPE)]
        suspects = [np.empty(0, bool)]
        slots_used = 0
        for number in numbers:
            path, content = layout.segment_file(self._folder, self._writer, number), b""
            with _left_out(path, self._report):
                content = path.read_bytes()
            slots = records.slots_of(content)
            is_point = (slots["sequence"] != 0) & (slots["sequence"] != journal.VOID)
            slots_used += records.used_count(slots)
            parts.append(slots[is_point])
            suspects.append(_suspect_slots(content, len(slots))[is_point])
        table, is_suspect = np.concatenate(parts), np.concatenate(suspects)
        lost_count = max(0, int(self._end().get("points", slots_used)) - slots_used)
        is_wrong = table["sequence"] > seal.SEQUENCE_MAX
        if not self._has_bad_lines:  # then every declaration was read
            is_wrong |= is_suspect & ~np.isin(table["sequence"], list(self._declared))
        return _WriterRecords(table[~is_wrong], is_suspect[~is_wrong], lost_count + int(is_wrong.sum()))

    def _declare_unknown(self, recorded: _WriterRecords) -> None:
        for number in np.unique(recorded.table["sequence"]).tolist():
            self._declare(number, undeclared(number))
        for line in list(self._lines):  # integers that a double can't hold are recorded as lines
            if type(line.get("point")) is int:
                self._declare(line["point"], undeclared(line["point"], "int"))

    def _declare(self, number: int, declaration: SequenceDeclaration) -> None:
        if number in self._declared:
            return
        self._declared[number] = declaration
        # right after the begin: before any line that refers to the number
        line: Event = {"at": self._lines[0]["at"], "sequence": number, "name": declaration.name}
        self._lines.insert(1, {**line, "context": params.encode(declaration.context), "kind": declaration.kind})
        text = f"sequence {number} of writer {self._writer} was declared anew as {declaration.name!r}"
        self._report.notes.append(text)

    # blobs

    def _mend_blobs(self, recorded: _WriterRecords) -> int:
        """
        Copy whole entries, give points the new positions of their records, and drop points without a whole record.

        Returns:
            How many blob files there are.
        """
        object_numbers = [number for number, sequence in self._declared.items() if not kinds.is_number(sequence.kind)]
        list_numbers = {number for number in object_numbers if self._declared[number].kind.startswith("list")}
        rows = np.flatnonzero(np.isin(recorded.table["sequence"], object_numbers)).tolist()
        old_positions = {row: _position(recorded.table["value"][row]) for row in rows}
        files = layout.blob_files(self._folder, self._writer)
        copies: dict[int, _RecordCopy] = {}
        for new_number, (number, path) in enumerate(files):
            copies |= self._mend_blob_file(path, number, new_number, set(old_positions.values()))
        is_whole = np.ones(len(recorded.table), bool)
        table = recorded.table.copy()
        for row, old_position in old_positions.items():
            copy = copies.get(old_position)
            if copy is None or not (copy.is_whole or int(table["sequence"][row]) in list_numbers):
                is_whole[row] = False
            else:
                table["value"][row] = copy.position
        recorded.table, recorded.is_suspect = table[is_whole], recorded.is_suspect[is_whole]
        recorded.lost_count += int((~is_whole).sum())
        return len(files)

    def _mend_blob_file(
        self, path: Path, number: int, new_number: int, positions: Container[int]
    ) -> dict[int, _RecordCopy]:
        """Copy the whole entries of a file; return, by old position, the copies of records at *positions*."""
        entries: list[blobs.BlobEntry] = []
        with _left_out(path, self._report):
            entries, _ = blobs.walk(path)
        intact = [entry for entry in entries if entry.is_data_intact]
        self._report.blobs_lost += len(entries) - len(intact)
        copies: dict[int, _RecordCopy] = {}
        new_offsets: dict[int, int] = {}
        copied: list[blobs.BlobEntry] = []
        end = 0
        descriptor = self._disk.create(layout.blob_file(self._scratch, self._writer, new_number))
        try:
            for entry in intact:
                data = blobs.read_data(path, entry.offset)
                position = blobs.pack_position(number, entry.offset)
                if position in positions:
                    data, is_whole = self._mend_record(path, entry, new_offsets, data)
                    copies[position] = _RecordCopy(blobs.pack_position(new_number, end), is_whole)
                header = _header(entry, data)
                self._disk.write(descriptor, header + data)
                new_offsets[entry.offset] = end
                copied.append(blobs.BlobEntry(entry.name, end, end + len(header), len(data), header, True))
                end = copied[-1].end
            self._disk.write(descriptor, blobs.directory(copied, end))
            self._disk.sync(descriptor)
        finally:
            os.close(descriptor)
        return copies

    def _mend_record(
        self, path: Path, entry: blobs.BlobEntry, new_offsets: Mapping[int, int], data: bytes
    ) -> tuple[bytes, bool]:
        """Return a record with the new offsets of its data, without lost objects, and whether none was lost."""
        try:
            record = blobs.read_record(path, entry.offset)
        except DamagedFile:
            return data, False
        items = []
        for item in record["items"]:
            if item.get("data") is None:
                items.append(item)
            elif item["data"] in new_offsets:
                items.append({**item, "data": new_offsets[item["data"]]})
        is_whole = len(items) == len(record["items"])
        if not is_whole:
            self._report.notes.append(f"{entry.name}: kept {len(items)} of {len(record['items'])} objects")
        text = json.dumps({**record, "items": items}, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass"), is_whole


class _RecordCopy(NamedTuple):
    """Where the copy of a record is, and whether all its objects are whole."""

    position: int
    is_whole: bool


def _with_counts(line: Event, slot_count: int, blob_count: int) -> Event:
    if not isinstance(line.get("end"), dict):
        return line
    return {**line, "end": {**line["end"], "segments": 0, "points": slot_count, "blobs": blob_count}}


def _suspect_slots(content: bytes, slot_count: int) -> NDArray[np.bool_]:
    """Return of each slot of a segment whether its page is damaged."""
    is_suspect = np.zeros(slot_count, bool)
    for damage in records.check_segment("", content) if content else ():
        page = int(damage.location.removeprefix("byte ").replace(",", "")) // journal.PAGE_BYTES
        if page and "page" in damage.problem:
            start = (page - 1) * journal.PAGE_RECORDS
            is_suspect[start : start + journal.PAGE_RECORDS] = True
    return is_suspect


def _position(value: float) -> int:
    """Return the position of a record that a point's value is; -1 when it is none."""
    return int(value) if 0 <= value < EXACT_INT_MAX else -1


def _header(entry: blobs.BlobEntry, data: bytes) -> bytes:
    """Return the header of an entry with new *data*, under its old name and time."""
    fields = blobs.LOCAL.unpack_from(entry.header)
    name = entry.header[blobs.LOCAL.size : blobs.LOCAL.size + fields[9]]
    return blobs.local_header(name, len(data), zlib.crc32(data), (fields[4], fields[5]))
