"""
Judging every byte of a run: what `aim fsck` names. Changes nothing.

    file       judged by
    events     the CRC of each line; what stands after a writer's end; the length that the sealed file noted
    edits      the CRC of the line
    segments   header, CRC of each page, and, if the writer has ended, its counts, and that nothing else is in the file
    sealed     block, index, CRC of each page, and the footer against the columns
    blobs      CRCs of each entry, the directory against the entries, and every point's record against both

What a live writer has not finished is no damage, and neither is what a kill or a power cut leaves: a last line without
its newline, a blob entry cut short that no point speaks of, holes. Files that are not Aim's are not judged.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim.core.errors import DamagedFile
from aim.core.words import counted
from aim.storage.disk import layout, unreadable
from aim.storage.forms import blobs, events, journal, records
from aim.storage.forms.events import Event
from aim.storage.forms.state import Damage
from aim.storage.sealing.retrying import retrying
from aim.storage.sealing.sealed import Sealed, verify
from aim.storage.store import Store

Progress = Callable[[str], None]
"""Told the name of each file before it is judged."""

TORN_SLOTS_MAX = 64  # threads of a killed process that were in a store, at most
NUMBER_KINDS = ("int", "float")


@dataclass
class _Writer:
    """What one writer's files say, collected while they are judged."""

    id: str
    lines: list[Event] = field(default_factory=list)
    has_bad_lines: bool = False
    end: dict[str, Any] | None = None
    kinds: dict[int, str] = field(default_factory=dict)
    segments: list[int] = field(default_factory=list)
    blobs: list[int] = field(default_factory=list)
    has_events: bool = False
    has_sealed: bool = False

    def objects(self) -> list[int]:
        """Numbers of sequences of objects."""
        return [number for number, kind in self.kinds.items() if kind not in NUMBER_KINDS]


def check_store(store: Store, progress: Progress | None = None) -> Iterator[tuple[str, list[Damage]]]:
    """
    Judge a repository, run by run; the hash of the first result is empty: the repository's own file.
    """
    text = (store.path / "FORMAT").read_bytes()
    is_whole = text == layout.FORMAT_TEXT.encode()
    yield "", [] if is_whole else [Damage("FORMAT", "byte 0", f"is not {layout.FORMAT_TEXT!r}")]
    for run_hash in sorted(store.run_hashes()):
        unreadable: list[Damage] = []
        try:
            with _readable(run_hash, unreadable):
                found = check_run(store.runs / run_hash, progress)
        except FileNotFoundError:  # deleted meanwhile
            continue
        yield run_hash, unreadable or found


def check_run(folder: Path, progress: Progress | None = None) -> list[Damage]:
    """
    Name all damage of the run in *folder*, in the order of files.

    Raises:
        FileNotFoundError: the run is not there.

    Cost: reads the whole run.
    """
    return retrying(lambda: _check(folder, progress or _silent))


def _silent(_file: str) -> None:
    return None


def _check(folder: Path, progress: Progress) -> list[Damage]:
    damage: list[Damage] = []
    writers, edits = _listed(folder)
    for writer in writers.values():
        _check_writer(folder, writer, damage, progress)
    for name in edits:
        progress(name)
        with _readable(name, damage):
            lines = events.parse((folder / name).read_bytes())
            if len(lines.events) != 1 or lines.bad_spans or lines.end_offset != (folder / name).stat().st_size:
                damage.append(Damage(name, "byte 0", "not a whole edit"))
    return damage


@contextmanager
def _readable(file: str, damage: list[Damage]) -> Iterator[None]:
    # what the disk does not give, or may not be read, hides itself only: the rest is judged
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else file
        damage.append(Damage(name, "byte 0", unreadable.describe(error)))


def _content(path: Path, damage: list[Damage]) -> bytes | None:
    found: list[bytes] = []
    with _readable(path.name, damage):
        found.append(path.read_bytes())
    return found[0] if found else None


def _check_writer(folder: Path, writer: _Writer, damage: list[Damage], progress: Progress) -> None:
    with _readable(layout.events_file(folder, writer.id).name, damage):
        _check_events(folder, writer, damage, progress)
    numbers, values = np.empty(0, np.int64), np.empty(0)
    with _readable(layout.sealed_file(folder, writer.id).name, damage):
        if writer.has_sealed:
            numbers, values = _check_sealed(folder, writer, damage, progress)
        else:
            numbers, values = _check_segments(folder, writer, damage, progress)
    unknown = set(np.unique(numbers).tolist()) - set(writer.kinds)
    if unknown and not writer.has_bad_lines:
        path = layout.events_file(folder, writer.id)
        later = () if writer.end is not None else events.read(path).events  # a live writer may have gone on since
        unknown -= {event.get("sequence") for event in later}
        if unknown:
            text = f"no line declares the sequences {sorted(unknown)}, which have points"
            damage.append(Damage(path.name, "its end", text))
    _check_blobs(folder, writer, numbers, values, damage, progress)


def _listed(folder: Path) -> tuple[dict[str, _Writer], list[str]]:
    writers: dict[str, _Writer] = {}
    edits = []
    for name in sorted(path.name for path in folder.iterdir()):
        match = layout.WRITER_FILE.fullmatch(name)
        if match:
            writer = writers.setdefault(match[1], _Writer(match[1]))
            if match[3]:
                writer.segments.append(int(match[3]))
            elif match[4]:
                writer.blobs.append(int(match[4]))
            elif match[2] == "events.jsonl":
                writer.has_events = True
            else:
                writer.has_sealed = True
        elif layout.EDIT_FILE.fullmatch(name):
            edits.append(name)
    return writers, edits


# events


def _check_events(folder: Path, writer: _Writer, damage: list[Damage], progress: Progress) -> None:
    path = layout.events_file(folder, writer.id)
    if not writer.has_events:
        writer.has_bad_lines = True
        damage.append(Damage(path.name, "byte 0", "the file is missing; its writer has other files here"))
        return
    progress(path.name)
    writer.has_bad_lines = True  # unless it is read
    content = path.read_bytes()
    lines = events.parse(content)
    writer.lines = lines.events
    writer.has_bad_lines = bool(lines.bad_spans)
    for offset, length in lines.bad_spans:
        damage.append(Damage(path.name, f"byte {offset:,}", f"{counted(length, 'byte is', 'bytes are')} no event line"))
    for event in lines.events:
        if isinstance(event.get("end"), dict):
            writer.end = event["end"]
        if type(event.get("sequence")) is int and isinstance(event.get("kind"), str):
            writer.kinds[event["sequence"]] = event["kind"]
    tail = content[lines.end_offset :]
    if events.decode(tail[:-1]) is not None:  # not cut short: its newline is there and is another byte
        damage.append(Damage(path.name, f"byte {len(content) - 1:,}", "is not the newline that ends the last line"))
    begin = lines.events[0].get("begin") if lines.events else None
    if lines.events and not isinstance(begin, dict) and not lines.bad_spans:
        damage.append(Damage(path.name, "byte 0", "the first line is not a begin"))
    if isinstance(begin, dict) and (begin.get("run"), begin.get("writer")) != (folder.name, writer.id):
        damage.append(Damage(path.name, "byte 0", "the lines are those of another writer"))
    if writer.end is not None and (lines.end_offset != len(content) or "end" not in lines.events[-1]):
        damage.append(Damage(path.name, f"byte {lines.end_offset:,}", "there is something after the writer's end"))


# points


def _check_segments(
    folder: Path, writer: _Writer, damage: list[Damage], progress: Progress
) -> tuple[NDArray[Any], NDArray[Any]]:
    used = 0
    parts = [np.empty(0, records.RECORD_DTYPE)]
    counted = len(writer.segments) if writer.end is None else writer.end.get("segments", 0)
    for number in range(max([counted - 1, *writer.segments]) + 1 if writer.segments or counted else 0):
        path = layout.segment_file(folder, writer.id, number)
        progress(path.name)
        if number not in writer.segments:
            damage.append(Damage(path.name, "byte 0", "the file is missing"))
            continue
        content = _content(path, damage)
        if content is None:
            continue
        damage += records.check_segment(path.name, content)
        if not content and writer.end is not None:  # without an end, it was killed between creating and filling it
            damage.append(Damage(path.name, "byte 0", "the file is empty"))
        if any(content) or writer.end is not None:
            _check_identity(path.name, content, folder.name, writer.id, number, damage)
        count = max(0, len(content) - journal.PAGE_BYTES) // journal.RECORD_BYTES
        slots = np.frombuffer(content, records.RECORD_DTYPE, count, journal.PAGE_BYTES) if count else parts[0]
        filled = slots["sequence"] != 0
        in_use = int(np.flatnonzero(filled)[-1]) + 1 if bool(filled.any()) else 0
        used += in_use
        _check_rest(path.name, content, slots, in_use, writer.end is not None, damage)
        parts.append(slots[filled & (slots["sequence"] != journal.VOID)])
    if writer.end is not None and writer.end.get("points") != used and not damage:
        name = layout.segment_file(folder, writer.id, max(writer.segments, default=0)).name
        found = f"{used:,} slots are filled, where the end event says {writer.end.get('points'):,}"
        damage.append(Damage(name, "its end", found))
    table = np.concatenate(parts)
    return table["sequence"], table["value"]


def _check_identity(name: str, content: bytes, run_hash: str, writer: str, number: int, damage: list[Damage]) -> None:
    """A whole header of another run, writer or number: the file was renamed or copied."""
    head = content[: journal.CRC_TABLE_OFFSET]
    if len(head) < journal.CRC_TABLE_OFFSET or any(item.file == name and item.location == "byte 0" for item in damage):
        return
    size_bytes = struct.unpack_from("<I", head, 8)[0]
    if head != journal.header(size_bytes, number, writer, run_hash):
        damage.append(Damage(name, "byte 0", "the header is that of another segment"))


def _check_rest(
    name: str, content: bytes, slots: NDArray[Any], in_use: int, has_ended: bool, damage: list[Damage]
) -> None:
    """What no CRC covers: the CRC table itself, and what follows the last record."""
    if len(content) < journal.PAGE_BYTES:
        return
    table = np.frombuffer(content, "<u4", journal.PAGE_BYTES // 4)
    first = journal.CRC_TABLE_OFFSET // 4
    pages_used = -(-in_use // journal.PAGE_RECORDS)
    if bool(table[first + pages_used :].any()):
        place = journal.CRC_TABLE_OFFSET + 4 * pages_used
        damage.append(Damage(name, f"byte {place:,}", "a CRC is noted for a page without points"))
    empty = slots.view("V32")[in_use if has_ended else in_use + TORN_SLOTS_MAX :]
    odd = np.flatnonzero(empty != np.zeros(1, "V32")) if len(empty) else empty
    if len(odd):
        at = journal.PAGE_BYTES + journal.RECORD_BYTES * (len(slots) - len(empty) + int(odd[0]))
        damage.append(Damage(name, f"byte {at:,}", "an empty slot is not empty"))
    if not has_ended:
        return
    for page in range(pages_used):
        start = page * journal.PAGE_RECORDS
        held = slots["sequence"][start : min(start + journal.PAGE_RECORDS, in_use)]
        if not table[first + page] and bool((held != 0).all()):
            place = journal.PAGE_BYTES * (page + 1)
            damage.append(Damage(name, f"byte {place:,}", f"page {page + 1} is full and its CRC is missing"))


def _check_sealed(
    folder: Path, writer: _Writer, damage: list[Damage], progress: Progress
) -> tuple[NDArray[Any], NDArray[Any]]:
    path = layout.sealed_file(folder, writer.id)
    progress(path.name)
    found = verify(path)
    damage += found
    sealed = Sealed.open(path)
    if not found:
        facts = sealed.facts
        if (facts.get("run"), facts.get("writer")) != (folder.name, writer.id):
            damage.append(Damage(path.name, "the footer", "it is the file of another run or writer"))
        expected = writer.end and (writer.end.get("segments"), writer.end.get("points"))
        if expected and (facts.get("segments"), facts.get("slots")) != expected:
            damage.append(Damage(path.name, "the footer", "its counts are not those of the end event"))
        file = layout.events_file(folder, writer.id)
        size = file.stat().st_size if writer.has_events else 0
        if writer.has_events and size < facts.get("events_bytes", 0):
            text = f"had {counted(facts['events_bytes'], 'byte')} when its points were sealed"
            damage.append(Damage(file.name, f"byte {size:,}", text))
    numbers, columns = sealed.all()
    return numbers, columns.values


# blobs


def _check_blobs(
    folder: Path,
    writer: _Writer,
    numbers: NDArray[Any],
    values: NDArray[Any],
    damage: list[Damage],
    progress: Progress,
) -> None:
    spoken: dict[int, list[int]] = {}
    for value in values[np.isin(numbers, writer.objects())].tolist():
        if not 0 <= value < 2**53 or value != int(value):
            path = layout.segment_file(folder, writer.id, 0)
            if writer.has_sealed:
                path = layout.sealed_file(folder, writer.id)
            damage.append(Damage(path.name, "a point", f"{value} is no place in a blob file"))
            continue
        number, offset = blobs.split_position(int(value))
        spoken.setdefault(number, []).append(offset)
    counted = range(writer.end.get("blobs", 0)) if writer.end is not None else ()
    for number in sorted({*writer.blobs, *spoken, *counted}):
        path = layout.blob_file(folder, writer.id, number)
        progress(path.name)
        if number in writer.blobs:
            is_ended = writer.end is not None and writer.end.get("directory", True)
            with _readable(path.name, damage):
                _check_blob_file(path, sorted(set(spoken.get(number, ()))), is_ended, damage)
        else:
            damage.append(Damage(path.name, "byte 0", "the file is missing"))


def _check_blob_file(path: Path, places: Sequence[int], has_ended: bool, damage: list[Damage]) -> None:
    entries, end = blobs.walk(path)
    before = len(damage)
    offset = 0
    for entry in entries:
        if entry.offset != offset:
            damage.append(
                Damage(
                    path.name, f"byte {offset:,}", f"{counted(entry.offset - offset, 'byte is', 'bytes are')} no entry"
                )
            )
        if not entry.is_data_intact:
            text = f"the data of {entry.name} does not match its CRC"
            damage.append(Damage(path.name, f"byte {entry.data_offset:,}", text))
        offset = entry.end
    by_offset = {entry.offset: entry for entry in entries}
    for place in places:
        if place not in by_offset:
            damage.append(Damage(path.name, f"byte {place:,}", "a point's record is not there"))
        elif by_offset[place].is_data_intact:
            _check_record(path, place, by_offset, damage)
    with open(path, "rb") as file:
        file.seek(end)
        tail = file.read()
    is_closed = has_ended or tail.startswith(b"PK\x01\x02") or tail[-blobs.END.size :].startswith(b"PK\x05\x06")
    if is_closed and len(damage) == before and tail != blobs.directory(entries, end):
        damage.append(Damage(path.name, f"byte {end:,}", "the directory is not that of the entries"))


def _check_record(path: Path, place: int, by_offset: dict[int, blobs.BlobEntry], damage: list[Damage]) -> None:
    try:
        record = blobs.read_record(path, place)
    except DamagedFile as error:
        damage.append(Damage(path.name, error.position, error.defect))
        return
    for item in record["items"]:
        data = item.get("data")
        if data is not None and (data not in by_offset or by_offset[data].size_bytes != item.get("size")):
            damage.append(Damage(path.name, f"byte {data:,}", "the data of a point's record is not there"))
