"""
A mended copy of a run: all that is whole, in new files in which `check_run` finds nothing. The original is only read.

    events     good lines, written anew; the end event gets the new counts
    points     all that can be read, as one sealed file a writer
    blobs      whole entries one after another; records and points get their new places
    edits      whole ones, as they are                       files/ and what is not Aim's: as it is

What a damaged page of a journal holds is kept, since only one of its points need be wrong; the report counts them as
suspect.
A point of a number that nobody declared is dropped when its page is damaged, else kept as `(unknown <number>)`.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aim.core import params
from aim.core.clock import MICROSECONDS
from aim.core.errors import DamagedFile, RunExists
from aim.storage.care.check import NUMBER_KINDS
from aim.storage.disk import layout, unreadable
from aim.storage.disk.files import DISK, Disk
from aim.storage.forms import blobs, events, journal, records
from aim.storage.forms.events import Event
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.sealing import seal
from aim.storage.sealing.sealed import Sealed, verify


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
class _Points:
    """A writer's records, and which of them come from a damaged page."""

    table: Records
    suspect: NDArray[np.bool_]
    lost: int


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
        raise RunExists(f"{target_folder} exists; a repair writes a new copy. Give another place, or delete it.")
    names = sorted(path.name for path in folder.iterdir())
    scratch = target_folder.with_name(f".{target_folder.name}.{secrets.token_hex(4)}")
    disk.make_folder(scratch)
    try:
        report = RepairReport()
        writers = sorted({match[1] for name in names if (match := layout.WRITER_FILE.fullmatch(name))})
        for writer in writers:
            _Repair(folder, scratch, target_folder.name, writer, report, disk).run()
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
    # what the disk does not give, or may not be read, is left out, and said
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        report.notes.append(f"{path.name} is left out: it {unreadable.describe(error)}")


def _copy(path: Path, target: Path, report: RepairReport) -> None:
    """Copy what is not Aim's, each file that can be read."""
    with _left_out(path, report):
        if not path.is_dir():
            shutil.copy2(path, target)
            return
        names = sorted(one.name for one in path.iterdir())
        target.mkdir()
        for name in names:
            _copy(path / name, target / name, report)


def _copy_edit(path: Path, scratch: Path, report: RepairReport, disk: Disk) -> None:
    lines = events.ParsedLines()
    with _left_out(path, report):
        lines = events.parse(path.read_bytes())
    if len(lines.events) == 1:
        _write(scratch / path.name, events.encode(lines.events[0]), disk)
    else:
        report.lines_lost += 1


def _write(path: Path, content: bytes, disk: Disk) -> None:
    descriptor = disk.create(path)
    try:
        disk.write(descriptor, content)
        disk.sync(descriptor)
    finally:
        os.close(descriptor)


class _Repair:
    """One writer's files, mended."""

    def __init__(
        self, folder: Path, scratch: Path, run_hash: str, writer: str, report: RepairReport, disk: Disk
    ) -> None:
        self.folder = folder
        self.scratch = scratch
        self.run_hash = run_hash
        self.writer = writer
        self.report = report
        self.disk = disk
        self.lines: list[Event] = []
        self.has_bad_lines = False
        self.declared: dict[int, seal.Declared] = {}

    def run(self) -> None:
        """Write the copy."""
        heard_at_s = self._read_lines()
        points = self._points()
        self._declare_unknown(points)
        blob_count = self._mend_blobs(points)
        kept = len(points.table)
        self.report.points_kept += kept
        self.report.points_lost += points.lost
        self.report.points_suspect += int(points.suspect.sum())
        path = layout.events_file(self.scratch, self.writer)
        content = b"".join(events.encode(self._mended(line, kept, blob_count)) for line in self.lines)
        _write(path, content, self.disk)
        if kept:
            about = {
                "run": self.run_hash,
                "writer": self.writer,
                "segments": 0,
                "slots": kept,
                "events_bytes": len(content),
            }
            sealed = seal.encode(points.table, self.declared, about)
            _write(layout.sealed_file(self.scratch, self.writer), sealed, self.disk)
        os.utime(path, (heard_at_s, heard_at_s))  # the file's time is the writer's last sign of life

    def _read_lines(self) -> float:
        path = layout.events_file(self.folder, self.writer)
        heard_at_s = 0.0
        content: bytes | None = None
        if path.exists():
            heard_at_s = path.stat().st_mtime
            with _left_out(path, self.report):
                content = path.read_bytes()
        if content is not None:
            lines = events.parse(content)
            tail = content[lines.end_offset :]
            last = events.decode(tail[:-1]) or events.decode(tail)  # whole, but for its newline
            self.lines = lines.events if last is None else [*lines.events, last]
            self.has_bad_lines = bool(lines.bad_spans)
            self.report.lines_lost += len(lines.bad_spans) + bool(tail and last is None)
        else:
            self.has_bad_lines = True
            if not path.exists():
                self.report.notes.append(f"the event file of writer {self.writer} is missing")
        self.declared = seal.declarations(RunLog(self.folder).refresh(), self.writer)
        if not self.lines or "begin" not in self.lines[0]:
            at_s = self.lines[0].get("at", heard_at_s) - 1e-6 if self.lines else heard_at_s
            about = {"format": layout.FORMAT_NUMBER, "run": self.run_hash, "writer": self.writer, "host": "", "pid": 0}
            self.lines.insert(0, {"at": round(at_s, 6), "begin": {**about, "boot": None, "process": None}})
            self.report.notes.append(f"the first line of writer {self.writer} was made anew, without its host")
        place = next((place for place, line in enumerate(self.lines) if "end" in line), None)
        if place is not None:
            self.lines.append(self.lines.pop(place))
        return heard_at_s

    def _mended(self, line: Event, slots: int, blob_count: int) -> Event:
        if not isinstance(line.get("end"), dict):
            return line
        return {**line, "end": {**line["end"], "segments": 0, "points": slots, "blobs": blob_count}}

    # points

    def _points(self) -> _Points:
        path = layout.sealed_file(self.folder, self.writer)
        numbers = records.segment_numbers(self.folder, self.writer)
        with _left_out(path, self.report):
            if path.exists() and not (numbers and verify(path)):
                return self._from_sealed(path)
        return self._from_journal(numbers)

    def _from_sealed(self, path: Path) -> _Points:
        sealed = Sealed.open(path)
        numbers, columns = sealed.all()
        table = np.zeros(len(numbers), records.RECORD_DTYPE)
        table["sequence"] = numbers
        table["step"], table["value"], table["epoch"] = columns.steps, columns.values, columns.epochs
        table["time"] = columns.times_us / MICROSECONDS
        for sequence in sealed.sequences:  # the event line that declared it may be damaged
            self._declare(sequence.number, seal.Declared(sequence.name, sequence.context, sequence.kind))
        expected = self._ended().get("points", 0)
        if sealed.facts:
            expected = sum(sequence.rows for sequence in sealed.sequences)
        return _Points(table, np.zeros(len(table), bool), max(0, int(expected) - len(table)))

    def _ended(self) -> Event:
        return next((dict(line["end"]) for line in self.lines if isinstance(line.get("end"), dict)), {})

    def _from_journal(self, numbers: Sequence[int]) -> _Points:
        parts = [np.empty(0, records.RECORD_DTYPE)]
        marks = [np.empty(0, bool)]
        used = 0
        for number in numbers:
            path, content = layout.segment_file(self.folder, self.writer, number), b""
            with _left_out(path, self.report):
                content = path.read_bytes()
            count = max(0, len(content) - journal.PAGE_BYTES) // journal.RECORD_BYTES
            slots = np.frombuffer(content, records.RECORD_DTYPE, count, journal.PAGE_BYTES) if count else parts[0]
            is_bad = np.zeros(len(slots), bool)
            for damage in records.check_segment("", content) if content else ():
                page = int(damage.location.removeprefix("byte ").replace(",", "")) // journal.PAGE_BYTES
                if page and "page" in damage.problem:
                    start = (page - 1) * journal.PAGE_RECORDS
                    is_bad[start : start + journal.PAGE_RECORDS] = True
            keep = (slots["sequence"] != 0) & (slots["sequence"] != journal.VOID)
            used += int(np.flatnonzero(slots["sequence"])[-1]) + 1 if bool((slots["sequence"] != 0).any()) else 0
            parts.append(slots[keep])
            marks.append(is_bad[keep])
        table, suspect = np.concatenate(parts), np.concatenate(marks)
        lost = max(0, int(self._ended().get("points", used)) - used)
        wrong = table["sequence"] > seal.SEQUENCE_MAX
        if not self.has_bad_lines:  # then all that was declared is known
            wrong |= suspect & ~np.isin(table["sequence"], list(self.declared))
        return _Points(table[~wrong], suspect[~wrong], lost + int(wrong.sum()))

    def _declare_unknown(self, points: _Points) -> None:
        for number in np.unique(points.table["sequence"]).tolist():
            self._declare(number, seal.Declared(f"(unknown {number})", {}, "float"))
        for line in list(self.lines):  # integers that a double can't hold are recorded as lines
            if type(line.get("point")) is int:
                self._declare(line["point"], seal.Declared(f"(unknown {line['point']})", {}, "int"))

    def _declare(self, number: int, known: seal.Declared) -> None:
        if number in self.declared:
            return
        self.declared[number] = known
        # right after the begin: before any line that speaks of the number
        line: Event = {"at": self.lines[0]["at"], "sequence": number, "name": known.name}
        self.lines.insert(1, {**line, "context": params.encode(known.context), "kind": known.kind})
        self.report.notes.append(f"sequence {number} of writer {self.writer} was declared anew as {known.name!r}")

    # blobs

    def _mend_blobs(self, points: _Points) -> int:
        """Copy whole entries; give points their new places, drop those without a whole record. Gives the file count."""
        objects = [number for number, known in self.declared.items() if known.kind not in NUMBER_KINDS]
        rows = np.flatnonzero(np.isin(points.table["sequence"], objects))
        lists = {number for number in objects if self.declared[number].kind.startswith("list")}
        files = sorted(self.folder.glob(f"{self.writer}.blobs-*.zip"))
        numbers = [int(path.name.split("-")[1].removesuffix(".zip")) for path in files]
        values = points.table["value"][rows]
        spoken = {int(value) for value in values.tolist() if 0 <= value < 2**53}
        places: dict[int, tuple[int, bool]] = {}
        for new, (number, path) in enumerate(zip(numbers, files)):
            self._mend_blob_file(path, number, new, spoken, places)
        good = np.ones(len(points.table), bool)
        table = points.table.copy()
        for row in rows.tolist():
            value = float(table["value"][row])
            place = places.get(int(value)) if 0 <= value < 2**53 else None
            if place is None or (not place[1] and int(table["sequence"][row]) not in lists):
                good[row] = False
            else:
                table["value"][row] = place[0]
        points.table, points.suspect = table[good], points.suspect[good]
        points.lost += int((~good).sum())
        return len(files)

    def _mend_blob_file(
        self, path: Path, number: int, new: int, spoken: set[int], places: dict[int, tuple[int, bool]]
    ) -> None:
        """Add to *places* of each whole record of *spoken*: its new place, and whether all its data is whole."""
        entries: list[blobs.BlobEntry] = []
        with _left_out(path, self.report):
            entries, _ = blobs.walk(path)
        good = [entry for entry in entries if entry.is_data_intact]
        self.report.blobs_lost += len(entries) - len(good)
        offsets: dict[int, int] = {}
        copied: list[blobs.BlobEntry] = []
        end = 0
        descriptor = self.disk.create(layout.blob_file(self.scratch, self.writer, new))
        try:
            for entry in good:
                data = blobs.read_data(path, entry.offset)
                place = blobs.pack_position(number, entry.offset)
                if place in spoken:
                    data, is_whole = self._record(path, entry, offsets, data)
                    places[place] = (blobs.pack_position(new, end), is_whole)
                header = _header(entry, data)
                self.disk.write(descriptor, header + data)
                offsets[entry.offset] = end
                copied.append(blobs.BlobEntry(entry.name, end, end + len(header), len(data), header, True))
                end = copied[-1].end
            self.disk.write(descriptor, blobs.directory(copied, end))
            self.disk.sync(descriptor)
        finally:
            os.close(descriptor)

    def _record(
        self, path: Path, entry: blobs.BlobEntry, offsets: Mapping[int, int], data: bytes
    ) -> tuple[bytes, bool]:
        try:
            record = blobs.read_record(path, entry.offset)
        except DamagedFile:
            return data, False
        items = []
        for item in record["items"]:
            if item.get("data") is None:
                items.append(item)
            elif item["data"] in offsets:
                items.append({**item, "data": offsets[item["data"]]})
        is_whole = len(items) == len(record["items"])
        if not is_whole:
            self.report.notes.append(f"{entry.name}: kept {len(items)} of {len(record['items'])} objects")
        text = json.dumps({**record, "items": items}, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass"), is_whole


def _header(entry: blobs.BlobEntry, data: bytes) -> bytes:
    """Return the header of an entry with new *data*, under its old name and time."""
    fields = blobs.LOCAL.unpack_from(entry.header)
    name = entry.header[blobs.LOCAL.size : blobs.LOCAL.size + fields[9]]
    return blobs.local_header(name, len(data), zlib.crc32(data), (fields[4], fields[5]))
