"""
The journal read back: a writer's segments as one array of records. Specified in docs/formats/points.md.

Holes and void slots are left out. The records of a page that fails its CRC are kept, and the page is reported.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aim.core.clock import MICROSECONDS
from aim.storage.disk import layout
from aim.storage.forms import journal
from aim.storage.forms.state import Damage

WORDS = journal.RECORD_BYTES // 8
RECORD_DTYPE = np.dtype([("value", "<f8"), ("step", "<i8"), ("time", "<f8"), ("epoch", "<f4"), ("sequence", "<u4")])
EXACT_EPOCH_MAX = 2**24  # an f32 holds every whole number up to here
TAIL_BYTES, TAIL_BYTES_MAX = 2 * journal.PAGE_BYTES, 1 << 20  # of one call that reads a tail
EMPTY_PAGE = bytes(journal.PAGE_BYTES)
TIME_US_MAX = 2.0**62  # beyond it a time is damage; it is shown as 0

Records = NDArray[np.void]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
EpochArray = NDArray[np.float32]


@dataclass
class JournalScan:
    """
    A writer's journal.

    Attributes:
        records: shape (n,), of RECORD_DTYPE, in the order of recording.
        segments: the numbers of the segment files.
        damage: headers and pages that fail their CRC.
    """

    records: Records
    segments: list[int] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)


def segment_numbers(folder: Path | str, writer: str) -> list[int]:
    """List the numbers of a writer's segment files, ascending."""
    names = (layout.WRITER_FILE.fullmatch(name) for name in os.listdir(folder))
    return sorted(int(match[3]) for match in names if match and match[1] == writer and match[3])


def scan(folder: Path, writer: str, *, verify: bool = True) -> JournalScan:
    """
    Read the journal of *writer*.

    Raises:
        FileNotFoundError: a segment vanished between the listing and the reading: it was sealed meanwhile.

    Cost: reads 32 bytes a point; 1 million points in about 10 ms, CRCs included.
    """
    numbers = segment_numbers(folder, writer)
    result = JournalScan(np.empty(0, RECORD_DTYPE), numbers)
    parts: list[Records] = []
    for number in numbers:
        path = layout.segment_file(folder, writer, number)
        content = read_live_segment(path)
        part = slots_of(content)
        parts.append(filled(part))
        if verify:
            result.damage += check_segment(path.name, content)
    if parts:
        result.records = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return result


def read_live_segment(path: Path | str, offset: int = 0) -> bytes:
    """
    Read a segment from the page at *offset* on, without the records that are being stored at this moment.

    A record is stored field after field, its sequence number last. A reader of its 32 bytes may see some of the new
    fields and not others, on any machine. So everything is read twice, and a slot that has changed in between counts as
    empty: its `track()` has not returned.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        first = file.read()
        file.seek(offset)
        second = file.read()
    return _settled(first, second, has_header=not offset)


def read_live_tail(path: Path | str, offset: int) -> bytes:
    """
    Read a segment from the page at *offset* on as `read_live_segment` does, but only to the first empty page.

    Args:
        offset: of a page that is not the header.
    """
    with open(path, "rb", buffering=0) as file:
        first = _to_empty_page(file.fileno(), offset)
        second = os.pread(file.fileno(), len(first), offset)
    return _settled(first, second, has_header=False)


def has_hole(content: bytes) -> bool:
    """
    Return whether pages have records behind an empty page.

    >>> has_hole(bytes(8192)), has_hole(bytes(4096) + b"1")
    (False, True)
    """
    empty_at = _empty_page(content)
    return empty_at is not None and any(content[empty_at:].rstrip(b"\0"))


def _to_empty_page(descriptor: int, offset: int) -> bytes:
    parts: list[bytes] = []
    size_bytes = TAIL_BYTES
    while part := os.pread(descriptor, size_bytes, offset):
        empty_at = _empty_page(part)
        if empty_at is not None:
            parts.append(part[: empty_at + journal.PAGE_BYTES])
            break
        parts.append(part)
        offset += len(part)
        size_bytes = min(4 * size_bytes, TAIL_BYTES_MAX)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _empty_page(content: bytes) -> int | None:
    """Return the offset of the first page without a byte other than 0; None: there is none."""
    starts = range(0, len(content), journal.PAGE_BYTES)
    return next((start for start in starts if content.startswith(EMPTY_PAGE, start)), None)


def _settled(first: bytes, second: bytes, *, has_header: bool) -> bytes:
    """Return *first*, but empty slots where it differs from *second*, which was read after it."""
    if first == second:
        return first
    length = min(len(first), len(second)) // journal.RECORD_BYTES
    first_words = np.frombuffer(first, "<u8", length * WORDS).reshape(-1, WORDS)
    second_words = np.frombuffer(second, "<u8", length * WORDS).reshape(-1, WORDS)
    differ = (first_words != second_words).any(axis=1)
    if has_header:
        differ[: journal.PAGE_BYTES // journal.RECORD_BYTES] = False  # the header and its CRCs are no records
    return np.where(differ[:, None], np.uint64(0), first_words).tobytes() + first[length * journal.RECORD_BYTES :]


def read_ended_segment(path: Path | str, offset: int = 0) -> bytes:
    """Read a segment from the page at *offset* on; its writer has ended, so nothing changes meanwhile."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size_bytes = os.fstat(descriptor).st_size - offset
        return os.pread(descriptor, size_bytes, offset) if size_bytes > 0 else b""
    finally:
        os.close(descriptor)


def slots_of(content: bytes) -> Records:
    """Return the slots of a whole segment, filled or not."""
    count = max(0, len(content) - journal.PAGE_BYTES) // journal.RECORD_BYTES
    return np.frombuffer(content, RECORD_DTYPE, count, journal.PAGE_BYTES) if count else np.empty(0, RECORD_DTYPE)


def filled(slots: Records) -> Records:
    """Return the records of *slots*: those that are neither holes nor void."""
    sequences = slots["sequence"]
    recorded: Records = slots[(sequences != 0) & (sequences != journal.VOID)]
    return recorded


def joined(parts: Sequence[Records]) -> Records:
    """
    Return records one after the other. Cost: a third of `numpy.concatenate`, which copies them field by field.

    >>> len(joined([np.zeros(2, RECORD_DTYPE), np.zeros(3, RECORD_DTYPE)]))
    5
    """
    whole = np.dtype((np.void, RECORD_DTYPE.itemsize))
    return np.concatenate([np.ascontiguousarray(part).view(whole) for part in parts]).view(RECORD_DTYPE)


def used_count(slots: Records) -> int:
    """Return how many of *slots* there are up to the last filled one."""
    filled = np.flatnonzero(slots["sequence"])
    return int(filled[-1]) + 1 if len(filled) else 0


def slots_used(folder: Path, writer: str, numbers: Sequence[int]) -> int:
    """
    Count the slots of the segments *numbers* up to the last one that was filled in each.

    Raises:
        FileNotFoundError: a segment vanished.
    """
    paths = (layout.segment_file(folder, writer, number) for number in numbers)
    return sum(used_count(slots_of(path.read_bytes())) for path in paths)


def check_segment(name: str, content: bytes) -> list[Damage]:
    """
    Return the damage of a segment that its CRCs show: of the header, the size, and the pages whose CRC was taken.

    Pages without a CRC can't be checked: a live writer's last pages have none yet. A file of zeros is a segment whose
    writer ended before it wrote the header: nothing was recorded in it.
    """
    damage: list[Damage] = []
    if not any(content[: journal.HEADER.size]) and not content.strip(b"\0"):
        return damage
    if len(content) < journal.PAGE_BYTES:
        return [Damage(name, f"byte {len(content):,}", "the file ends within its header page")]
    head = content[: journal.HEADER_CRC_OFFSET]
    (crc,) = struct.unpack_from("<I", content, journal.HEADER_CRC_OFFSET)
    if zlib.crc32(head) != crc:
        damage.append(Damage(name, "byte 0", "the header does not match its CRC"))
    else:
        size_bytes = struct.unpack_from("<I", content, 8)[0]
        if size_bytes != len(content):
            problem = f"the file has {len(content):,} of {size_bytes:,} bytes"
            damage.append(Damage(name, f"byte {len(content):,}", problem))
    pages = len(content) // journal.PAGE_BYTES
    table = _crc_table(content)
    for page in range(1, pages):
        expected = int(table[page - 1])
        start = page * journal.PAGE_BYTES
        if expected and journal.page_crc(content[start : start + journal.PAGE_BYTES]) != expected:
            problem = f"page {page} does not match its CRC; one of its points may be wrong"
            damage.append(Damage(name, f"byte {start:,}", problem))
    return damage


def checked_numbers(folder: Path, writer: str) -> set[int]:
    """
    Return the numbers of the sequences that have a record in a page whose CRC was taken.

    Cost: reads the journal of *writer*.
    """
    numbers: set[int] = set()
    for segment_number in segment_numbers(folder, writer):
        try:
            content = read_live_segment(layout.segment_file(folder, writer, segment_number))
        except OSError:  # sealed meanwhile, or unreadable, which others tell
            continue
        slots = slots_of(content)
        has_crc = _crc_table(content)[: -(-len(slots) // journal.PAGE_RECORDS)] != 0
        numbers |= set(np.unique(slots["sequence"][np.repeat(has_crc, journal.PAGE_RECORDS)[: len(slots)]]).tolist())
    return numbers


def _crc_table(content: bytes) -> NDArray[np.uint32]:
    entries = (journal.PAGE_BYTES - journal.CRC_TABLE_OFFSET) // 4
    is_there = len(content) >= journal.PAGE_BYTES
    return np.frombuffer(content, "<u4", entries if is_there else 0, journal.CRC_TABLE_OFFSET if is_there else 0)


def time_us(records: Records) -> IntArray:
    """Return the times of *records* in whole microseconds, as both forms keep them."""
    with np.errstate(over="ignore", invalid="ignore"):
        times = np.rint(records["time"] * MICROSECONDS)
        return np.where(np.abs(times) < TIME_US_MAX, times, 0).astype(np.int64)


def shortest_epochs(epochs: EpochArray) -> FloatArray:
    """
    Return f32 epochs as the shortest decimals that round to them: 0.1, not 0.10000000149.

    >>> shortest_epochs(np.array([0.1, 2, np.nan], np.float32)).tolist()
    [0.1, 2.0, nan]
    """
    usual = np.isnan(epochs) | ((epochs == np.rint(epochs)) & (np.abs(epochs) <= EXACT_EPOCH_MAX))
    if bool(usual.all()):
        return epochs.astype(np.float64)  # whole numbers and gaps are what they say
    distinct, distinct_indices = np.unique(epochs, return_inverse=True)
    decimals = np.array([float(str(epoch)) for epoch in distinct], np.float64)
    return decimals[distinct_indices].reshape(epochs.shape)
