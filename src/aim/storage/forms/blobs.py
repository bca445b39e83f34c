"""
Blob files: a ZIP of stored entries, one writer each. Specified in docs/formats/blobs.md.

    entry  := local header (30 bytes, name, extra field with the header's own CRC) data
    file   := entry* [central directory]        the directory comes at the writer's end; until then entries are walked

All entries of a point are written by one write, and the point is tracked after it: a visible point always has its blob.
The format is ZIP (APPNOTE 6.3, sections 4.3.7 to 4.3.16) with method 0, so that any unzip program opens it.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from aim.core import params
from aim.core.errors import DamagedFile, RunClosed, UntrackableValue
from aim.core.patterns import pattern
from aim.core.tuples import NamedTuple
from aim.core.values import Stored
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.layout import blob_file
from aim.storage.disk.spare_descriptors import SPARE

LOCAL = struct.Struct("<4sHHHHHIIIHH")
CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
END = struct.Struct("<4sHHHHIIH")
EXTRA = struct.Struct("<HHI")
EXTRA_ID = 0x6D61
VERSION = 20
UTF8_NAMES = 1 << 11
ROLL_BYTES = 1 << 30
ROLL_ENTRIES = 60_000  # the directory of a plain ZIP counts to 65,535
POINT_BYTES_MAX = 2 << 30  # so that no offset in a file reaches 4 GiB, the limit of a plain ZIP
PROBE_BYTES = 1 << 16
JOINED_BYTES_MAX = 1 << 20
POSITION_SHIFT = 40  # position of a record = file number << 40 | offset
WALK_CHUNK_BYTES = 1 << 20
UNSAFE = pattern(r"[^A-Za-z0-9._-]+")


def pack_position(number: int, offset: int) -> int:
    """
    Return the position of a record entry, as the value of its point holds it.

    >>> split_position(pack_position(3, 4096))
    (3, 4096)
    """
    return number << POSITION_SHIFT | offset


def split_position(where: int) -> tuple[int, int]:
    """Return the number of the blob file and the offset in it."""
    return where >> POSITION_SHIFT, where & ((1 << POSITION_SHIFT) - 1)


def local_header(name: bytes, size_bytes: int, crc: int, dos_time: tuple[int, int]) -> bytes:
    """Return the local header of an entry, its own CRC in the extra field."""
    sizes = (crc, size_bytes, size_bytes, len(name), EXTRA.size)
    fixed = LOCAL.pack(b"PK\x03\x04", VERSION, UTF8_NAMES, 0, *dos_time, *sizes)
    blank = fixed + name + EXTRA.pack(EXTRA_ID, 4, 0)
    return fixed + name + EXTRA.pack(EXTRA_ID, 4, zlib.crc32(blank))


def _dos_time(moment_s: float) -> tuple[int, int]:
    year, month, day, hour, minute, second = time.gmtime(moment_s)[:6]
    year = min(max(year, 1980), 2107)  # what ZIP can say, however wrong the clock is
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def check_size(sequence: str, step: object, items: Sequence[Stored]) -> None:
    """Raise UntrackableValue when the objects of one step are larger than 2 GiB together."""
    if sum(len(item.data or b"") for item in items) > POINT_BYTES_MAX:
        at = "" if step is None else f" at step {step}"
        raise UntrackableValue(f"The objects of {sequence!r}{at} are over 2 GiB. Keep them as files.")


class BlobEntry(NamedTuple):
    """One whole entry of a blob file, whose header matches its CRC."""

    name: str
    offset: int
    data_offset: int
    size_bytes: int
    header: bytes
    is_data_intact: bool

    @property
    def end(self) -> int:
        """The offset after the entry."""
        return self.data_offset + self.size_bytes


class BlobFile:
    """
    The blob file of this process. It appends the entries of one point after another, and begins a new file at 1 GiB.

    Attributes:
        count: of files.
        is_whole: False after a `close` for which the disk refused the directory.
    """

    def __init__(self, folder: Path, writer: str, disk: Disk = DISK) -> None:
        self._folder = folder
        self._writer = writer
        self._disk = disk
        self._lock = threading.RLock()
        self._is_busy = False
        self._is_closed = False
        self._descriptor = -1
        self._size_bytes = 0
        self._entries: list[BlobEntry] = []
        self.file_count = 0
        self.is_whole = True

    def append(self, sequence: str, steps: Sequence[int], items: Sequence[Stored], kind: str) -> int:
        """
        Write the objects of one step, or one object without data for each of several *steps*; return the position of
        their record.

        Raises:
            OSError: the disk refuses; nothing of the point is left in the file.
            UntrackableValue: the objects are larger than 2 GiB together.
            RunClosed: after `close`.
        """
        check_size(sequence, steps[0], items)
        with self._lock:
            if self._is_closed:
                raise RunClosed("The run was closed while an object was being tracked; the object is not recorded.")
            if self._is_busy:  # a signal handler within an append: its entries can't go between those of another
                raise OSError(errno.EBUSY, "an object was being written when a signal came")
            self._is_busy = True
            try:
                return self._append(sequence, steps, items, kind)
            finally:
                self._is_busy = False

    def _append(self, sequence: str, steps: Sequence[int], items: Sequence[Stored], kind: str) -> int:
        if self._descriptor < 0 or self._size_bytes > ROLL_BYTES or len(self._entries) + len(items) > ROLL_ENTRIES:
            self._roll()
        fresh: list[BlobEntry] = []
        chunks: list[bytes] = []
        offset = self._size_bytes
        stem = f"{UNSAFE.sub('_', sequence)[:80] or '_'}/{steps[0]}"
        dos_time = _dos_time(time.time())
        offsets: list[int | None] = []
        for item in items:
            offsets.append(None if item.data is None else offset)
            if item.data is not None:
                name = f"{stem}-{len(self._entries) + len(fresh)}.{item.extension}"
                offset += _add(fresh, chunks, name, offset, item.data, dos_time)
        record: dict[str, Any] = {"kind": kind, "items": []}
        if len(steps) > 1:
            record |= {"steps": list(steps), "items": [item.fields for item in items]}
        elif items:
            record["items"] = params.object_record(*items, offsets=offsets)["items"]
        text = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
        where = pack_position(self.file_count - 1, offset)
        name = f"{stem}-{len(self._entries) + len(fresh)}.json"
        offset += _add(fresh, chunks, name, offset, text, dos_time)
        # the next write overwrites what a refused or interrupted one leaves; the end cuts it off
        self._write(chunks)
        self._size_bytes = offset
        self._entries += fresh
        return where

    def _write(self, chunks: Sequence[bytes]) -> None:
        if sum(map(len, chunks)) <= JOINED_BYTES_MAX:
            chunks = [b"".join(chunks)]  # one call; what is large is not copied
        offset = self._size_bytes
        for chunk in chunks:
            self._disk.write_at(self._descriptor, chunk, offset)
            offset += len(chunk)

    def _roll(self) -> None:
        self._end_file()
        path = blob_file(self._folder, self._writer, self.file_count)
        try:
            descriptor = SPARE.open(lambda: self._disk.create(path))
        except FileExistsError:  # a signal ended an earlier attempt right after this call: the file is ours, and empty
            descriptor = self._disk.open_existing(path)
        self._size_bytes = 0
        self._entries = []
        self.file_count += 1
        self._descriptor = descriptor

    def _end_file(self) -> None:
        if self._descriptor >= 0:
            tail = directory(self._entries, self._size_bytes)
            try:
                self._disk.write_at(self._descriptor, tail, self._size_bytes)
            except OSError:
                self._disk.truncate(self._descriptor, self._size_bytes)  # no half of a directory
                raise
            self._disk.truncate(self._descriptor, self._size_bytes + len(tail))
            self._disk.sync(self._descriptor)
            self.abandon()

    def move(self, folder: Path) -> None:
        """Make the next files in *folder*, where those that are made are now."""
        self._folder = folder

    def probe(self) -> None:
        """Try whether a disk that has refused has room again. Raises OSError: it has none."""
        with self._lock:
            if self._descriptor >= 0:
                self._disk.write_at(self._descriptor, bytes(PROBE_BYTES), self._size_bytes)
                self._disk.truncate(self._descriptor, self._size_bytes)

    def seize(self) -> None:
        """Give up an append that was interrupted and is not continued: the next one overwrites what it has written."""
        self._is_busy = False

    def sync(self) -> None:
        """Wait until the entries are on the disk."""
        if self._descriptor >= 0:
            self._disk.sync(self._descriptor)

    def close(self) -> None:
        """
        Write the directory and close; nothing can be appended any more.

        Raises:
            OSError: the disk has no room for the directory, which `aim storage seal` then writes; `is_whole` is False.
        """
        with self._lock:
            self._is_closed = True
            self.is_whole = False
            try:
                self._end_file()
                self.is_whole = True
            finally:
                self.abandon()

    def abandon(self) -> None:
        """Close without writing: all is written, or the file belongs to the parent of this forked process."""
        descriptor, self._descriptor = self._descriptor, -1  # first, since a signal may come right after the close
        if descriptor >= 0:
            os.close(descriptor)


def _add(
    entries: list[BlobEntry], chunks: list[bytes], name: str, offset: int, data: bytes, dos_time: tuple[int, int]
) -> int:
    header = local_header(name.encode(), len(data), zlib.crc32(data), dos_time)
    chunks += (header, data)
    entries.append(BlobEntry(name, offset, offset + len(header), len(data), header, True))
    return len(header) + len(data)


def walk(path: Path) -> tuple[list[BlobEntry], int]:
    """
    Find the entries of a blob file, from its start; return them and the offset where they end.

    An entry whose header does not match its CRC is skipped, up to the next header that does: damage hides only itself.
    Data is checked too. Cost: the whole file is read.
    """
    if path.stat().st_size == 0:
        return [], 0
    entries: list[BlobEntry] = []
    offset = end = 0
    with open(path, "rb", buffering=0) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while file.read(WALK_CHUNK_BYTES):  # a disk that fails raises OSError here; in the map it would end the process
            pass
        while 0 <= offset < len(content):
            entry = _entry(content, offset)
            if entry is None:
                if content[offset : offset + 4] == b"PK\x01\x02":
                    break
                offset = content.find(b"PK\x03\x04", offset + 1)
                continue
            entries.append(entry)
            offset = end = entry.end
    return entries, end


def _entry(content: mmap.mmap, offset: int) -> BlobEntry | None:
    if len(content) < offset + LOCAL.size:
        return None
    fields = LOCAL.unpack_from(content, offset)
    name_bytes, extra_bytes = fields[9], fields[10]
    data_offset = offset + LOCAL.size + name_bytes + extra_bytes
    header = content[offset:data_offset]
    if not _header_checks(header, name_bytes):
        return None
    size_bytes = fields[8]
    data = content[data_offset : data_offset + size_bytes]
    if len(data) < size_bytes:
        return None
    name = header[LOCAL.size : LOCAL.size + name_bytes].decode("utf-8", "replace")
    return BlobEntry(name, offset, data_offset, size_bytes, header, zlib.crc32(data) == fields[6])


def _header_checks(header: bytes, name_bytes: int) -> bool:
    fields = LOCAL.unpack_from(header)
    if fields[0] != b"PK\x03\x04" or fields[10] != EXTRA.size or len(header) != LOCAL.size + name_bytes + EXTRA.size:
        return False
    extra_id, extra_size, crc = EXTRA.unpack_from(header, LOCAL.size + name_bytes)
    blank = header[:-4] + b"\0\0\0\0"
    return bool(extra_id == EXTRA_ID and extra_size == 4 and crc == zlib.crc32(blank))


def directory(entries: Sequence[BlobEntry], offset: int) -> bytes:
    """Return the central directory of *entries*, for a file in which it begins at *offset*."""
    records = []
    for entry in entries:
        fields = LOCAL.unpack_from(entry.header)
        tail = entry.header[LOCAL.size :]
        records.append(CENTRAL.pack(b"PK\x01\x02", VERSION, *fields[1:11], 0, 0, 0, 0, entry.offset) + tail)
    body = b"".join(records)
    count = min(len(entries), 0xFFFF)
    return body + END.pack(b"PK\x05\x06", 0, 0, count, count, len(body), offset, 0)


def append_directory(path: Path, disk: Disk = DISK) -> None:
    """Write the central directory after the last whole entry; writing it again changes nothing."""
    entries, end = walk(path)
    tail = directory(entries, end)
    descriptor = disk.open_existing(path)
    try:
        disk.write_at(descriptor, tail, end)
        disk.truncate(descriptor, end + len(tail))
        disk.sync(descriptor)
    finally:
        os.close(descriptor)


def entry_end(path: Path, offset: int) -> int:
    """Return the offset after the entry at *offset*; *offset* itself when no header is there. Raises OSError."""
    with open(path, "rb") as file:
        try:
            size_bytes, _ = _read_header(file, str(path), offset)
        except DamagedFile:
            return offset
        return file.tell() + size_bytes


def read_data(path: Path, offset: int) -> bytes:
    """
    Return the data of the entry at *offset*.

    Raises:
        DamagedFile: the header or the data does not match its CRC.
    """
    with open(path, "rb") as file:
        return data_in(file, str(path), offset)


def data_in(file: IO[bytes], name: str, offset: int) -> bytes:
    """Return the data of the entry at *offset* of an open blob file; see `read_data`. *name* is for messages."""
    size_bytes, crc = _read_header(file, name, offset)
    data = file.read(size_bytes)
    if len(data) < size_bytes or zlib.crc32(data) != crc:
        raise _damaged_data(name, offset)
    return data


def read_data_part(path: Path, offset: int, start: int, stop: int) -> bytes:
    """
    Return the bytes *start* to before *stop* of the data of the entry at *offset*.

    Raises:
        DamagedFile: the header does not match its CRC, or the file ends within the entry. The data is not checked.

    Cost: reads these bytes and the header, whatever the entry holds.
    """
    with open(path, "rb", buffering=0) as file:
        return data_part_in(file, str(path), offset, start, stop)


def data_part_in(file: IO[bytes], name: str, offset: int, start: int, stop: int) -> bytes:
    """Return a part of the data of the entry at *offset* of an open blob file; see `read_data_part`."""
    size_bytes, _ = _read_header(file, name, offset)
    file.seek(start, os.SEEK_CUR)
    return _read_exactly(file, max(0, min(stop, size_bytes) - start), name, offset)


def data_chunks(path: Path, offset: int, chunk_bytes: int) -> Iterator[bytes]:
    """
    Go through the data of the entry at *offset* in chunks.

    Raises:
        DamagedFile: before the last chunk, the data does not match its CRC.

    Cost: memory for one chunk.
    """
    with open(path, "rb", buffering=0) as file:
        yield from chunks_in(file, str(path), offset, chunk_bytes)


def chunks_in(file: IO[bytes], name: str, offset: int, chunk_bytes: int) -> Iterator[bytes]:
    """Go through the data of the entry at *offset* of an open blob file; see `data_chunks`."""
    left, crc = _read_header(file, name, offset)
    seen_crc = 0
    while left:
        chunk = _read_exactly(file, min(chunk_bytes, left), name, offset)
        left -= len(chunk)
        seen_crc = zlib.crc32(chunk, seen_crc)
        if not left and seen_crc != crc:
            raise _damaged_data(name, offset)
        yield chunk


def _read_header(file: IO[bytes], name: str, offset: int) -> tuple[int, int]:
    """Return the size and the CRC of the data of an entry, and leave the file at its data."""
    file.seek(offset)
    fixed = file.read(LOCAL.size)
    if len(fixed) < LOCAL.size:
        raise DamagedFile(name, f"byte {offset:,}", "the file ends there")
    fields = LOCAL.unpack(fixed)
    header = fixed + file.read(fields[9] + fields[10])
    if not _header_checks(header, fields[9]):
        raise DamagedFile(name, f"byte {offset:,}", "the header of an entry does not check")
    return fields[8], fields[6]


def _read_exactly(file: IO[bytes], count: int, name: str, offset: int) -> bytes:
    pieces: list[bytes] = []
    while count:
        piece = file.read(count)
        if not piece:
            raise _damaged_data(name, offset)
        pieces.append(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _damaged_data(name: str, offset: int) -> DamagedFile:
    return DamagedFile(name, f"byte {offset:,}", "the data of an entry does not match its CRC")


def read_record(path: Path, offset: int, step: int | None = None) -> dict[str, Any]:
    """
    Return the record of one point's objects: `kind` and `items`.

    Args:
        step: of the point; of a record that several points share only the item of this step is returned. None: return
            the whole record.
    """
    with open(path, "rb") as file:
        record = record_in(file, str(path), offset)
    if step is None:
        return record
    try:
        return record_of_step(record, step)
    except (ValueError, KeyError, TypeError):
        raise DamagedFile(str(path), f"byte {offset:,}", "not the record of an object") from None


def record_in(file: IO[bytes], name: str, offset: int) -> dict[str, Any]:
    """Return the record at *offset* of an open blob file; see `read_record`."""
    data = data_in(file, name, offset)
    try:
        record = json.loads(data)
        if isinstance(record["items"], list) and isinstance(record["kind"], str):
            return dict(record)
    except (ValueError, KeyError, TypeError):
        pass
    raise DamagedFile(name, f"byte {offset:,}", "not the record of an object")


def record_of_step(record: Mapping[str, Any], step: int) -> dict[str, Any]:
    """
    Return the part of a record that belongs to *step*: all of it, unless several points share it.

    >>> record_of_step({"kind": "aim.text", "steps": [7, 8], "items": [{"text": "a"}, {"text": "b"}]}, 8)
    {'kind': 'aim.text', 'items': [{'text': 'b'}]}

    Raises:
        ValueError: the record has no such step.
    """
    if "steps" not in record:
        return dict(record)
    return {"kind": record["kind"], "items": [record["items"][record["steps"].index(step)]]}


def read_item(path: Path, kind: str, item: Mapping[str, Any]) -> Stored:
    """
    Return one item of a record as it was before it was stored.

    Raises:
        DamagedFile: its data does not match its CRC.
    """
    fields = {key: value for key, value in item.items() if key not in ("data", "size", "extension", params.OWN_KIND)}
    data = None if item.get("data") is None else read_data(path, item["data"])
    return Stored(kind_of_item(kind, item), fields, data, item.get("extension", "bin"))


def kind_of_item(kind: str, item: Mapping[str, Any]) -> str:
    """
    Return the kind of one item of a record of *kind*. It is the record's, unless the item names its own.

    >>> kind_of_item("list(aim.image)", {}), kind_of_item("list(aim.image)", {"$kind": "aim.text", "text": "cat"})
    ('aim.image', 'aim.text')
    """
    element = kind[5:-1] if kind.startswith("list(") else kind
    return str(item.get(params.OWN_KIND, element))


def entry_names(path: Path) -> Iterator[str]:
    """Return the names of the whole entries of a blob file, one by one."""
    for entry in walk(path)[0]:
        yield entry.name
