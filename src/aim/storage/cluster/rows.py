"""
What a request ships, as rows of the tables: in the form RowBinary, and under the identity that it has in a folder.

    rid     BLAKE2b-128 of project and hash of a run: of one width for any name
    writer  the id of a writer, 8 hex digits, as a number
    slot    counted over all segments of its writer
    start   the offset of a line, or of bytes, in its file
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from aim.core.clock import MICROSECONDS
from aim.core.query_leaves import KINDS, QueryLeaf
from aim.storage.forms import journal, records
from aim.storage.forms.records import RECORD_DTYPE

EDITS = 1 << 32
"""Stands for the writer of edits; no writer has this number. Their `start` is their time in microseconds, and their
`nonce` the random digits of their name."""
WITHDRAWN = 2
"""The `complete` of a writer that readers leave out: an import has replaced it."""
WRITER_MARK = "max(lines_end) + max(slots) + max(complete) + length(groupUniqArrayArray(edits))"
"""Of the rows of one writer in `heads`. Their sum is the mark of a run,"""
MARKS = 1 << 64
"""by this modulus."""
POINT_COLUMNS = ("rid", "writer", "number", "step", "slot", "time", "value", "epoch")
POINT_ROW = np.dtype(
    [
        ("rid", "V16"), ("writer", "<u4"), ("number", "<u4"), ("step", "<i8"), ("slot", "<u8"), ("time", "<i8"),
        ("value", "<f8"), ("epoch", "<f4"),
    ]
)  # fmt: skip
LINE_COLUMNS = ("project", "rid", "writer", "start", "nonce", "line", "seen")
HEAD_COLUMNS = ("project", "rid", "run", "writer", "lines_end", "slots", "complete", "edits", "alive", "seen")
PART_COLUMNS = ("rid", "writer", "file", "start", "bytes", "key")
MARK_COLUMNS = ("project", "rid", "run", "deleted_at", "state")


def rid_of(project: str, run_hash: str) -> bytes:
    """Return the 16 bytes that stand for a run of a project."""
    return hashlib.blake2b(f"{project}\0{run_hash}".encode(), digest_size=16).digest()


def writer_number(writer: str) -> int:
    """
    Return the id of a writer as a number.

    >>> writer_number("0a1b2c3d"), writer_id(writer_number("0a1b2c3d"))
    (169552957, '0a1b2c3d')
    """
    return int(writer, 16)


def writer_id(number: int) -> str:
    """Return the id of a writer from its number."""
    return f"{number:08x}"


def slots_before(segment: int) -> int:
    """
    Return how many slots the segments before *segment* have.

    >>> slots_before(0), slots_before(1), slots_before(2)
    (0, 384, 2304)
    """
    sizes = (journal.segment_size(number) for number in range(min(segment, len(journal.SEGMENT_BYTES))))
    slots = sum((size - journal.PAGE_BYTES) // journal.RECORD_BYTES for size in sizes)
    further = max(0, segment - len(journal.SEGMENT_BYTES))
    return slots + further * ((journal.SEGMENT_BYTES[-1] - journal.PAGE_BYTES) // journal.RECORD_BYTES)


def point_rows(rid: bytes, writer: int, first_slot: int, slots: bytes) -> npt.NDArray[np.void]:
    """Return rows of `points` for *slots*, the 32-byte records of a journal from the slot *first_slot* on."""
    recorded = np.frombuffer(slots, RECORD_DTYPE)
    rows = np.empty(len(recorded), POINT_ROW)
    rows["rid"] = np.frombuffer(rid, "V16")
    rows["writer"] = writer
    rows["number"] = recorded["sequence"]
    rows["step"] = recorded["step"]
    rows["slot"] = np.arange(first_slot, first_slot + len(recorded), dtype=np.uint64)
    rows["time"] = records.time_us(recorded)
    rows["value"] = recorded["value"]
    rows["epoch"] = recorded["epoch"]
    return rows


def lines_of(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """
    Go through the lines of a part of an event file, each with its offset; the last may be the beginning of one.

    >>> list(lines_of(b"ab\\nc", 10))
    [(10, b'ab\\n'), (13, b'c')]
    """
    for line in data.splitlines(keepends=True):
        yield offset, line
        offset += len(line)


def contiguous(lines: Iterable[tuple[int, bytes]]) -> bytes:
    """
    Put lines together to the beginning of their file, up to the first gap. They may overlap: a long line that was cut
    twice, in different ways.

    >>> contiguous([(0, b"ab\\n"), (3, b"c"), (3, b"cd\\n"), (9, b"e\\n")])
    b'ab\\ncd\\n'
    """
    content = bytearray()
    for start, line in sorted(lines):
        if start > len(content):
            break
        content += line[len(content) - start :]
    return bytes(content)


# RowBinary


def text(content: bytes) -> bytes:
    """Return a `String`: its length and its bytes."""
    return length(len(content)) + content


def length(count: int) -> bytes:
    """
    Return a length in groups of 7 bits.

    >>> length(300).hex()
    'ac02'
    """
    groups = bytearray()
    while count > 0x7F:
        groups.append(count & 0x7F | 0x80)
        count >>= 7
    groups.append(count)
    return bytes(groups)


def number(value: int, size_bytes: int) -> bytes:
    """Return an unsigned integer, or the ticks of a time."""
    return value.to_bytes(size_bytes, "little")


def line_row(project: str, rid: bytes, writer: int, start: int, nonce: int, line: bytes, seen_us: int) -> bytes:
    """Return a row of `lines`."""
    identity = rid + number(writer, 8) + number(start, 8) + number(nonce, 4)
    return text(project.encode()) + identity + text(line) + number(seen_us, 8)


def head_row(
    project: str,
    run_hash: str,
    writer: int,
    counts: tuple[int, int],
    *,
    is_complete: bool = False,
    completeness: int | None = None,
    edits: Sequence[tuple[int, int]] = (),
    alive_s: float = 0.0,
    seen_us: int,
) -> bytes:
    """
    Return a row of `heads`.

    Args:
        counts: the end of the lines in bytes, and of the slots.
        completeness: `WITHDRAWN`, or None: by *is_complete*.
        edits: microseconds and random digits of each.
    """
    rid, lines_end, slot_end = rid_of(project, run_hash), *counts
    counted = number(lines_end, 8) + number(slot_end, 8)
    counted += number(is_complete if completeness is None else completeness, 1)
    counted += length(len(edits)) + b"".join(number((at_us << 12 ^ nonce) % (1 << 64), 8) for at_us, nonce in edits)
    times = number(round(alive_s * 1000), 8) + number(seen_us, 8)
    return text(project.encode()) + rid + text(run_hash.encode()) + number(writer, 8) + counted + times


def part_row(rid: bytes, writer: int, file: int, start: int, size_bytes: int, key: str) -> bytes:
    """Return a row of `parts`."""
    return rid + number(writer, 4) + number(file, 4) + number(start, 8) + number(size_bytes, 4) + text(key.encode())


def mark_row(project: str, run_hash: str, moment_s: float, state: int) -> bytes:
    """Return a row of `marks`."""
    moment_us = round(moment_s * MICROSECONDS)
    rid = rid_of(project, run_hash)
    return text(project.encode()) + rid + text(run_hash.encode()) + number(moment_us, 8) + number(state, 1)


def leaf_value(leaf: QueryLeaf) -> bytes:
    """Return the kind, the number and the text of a row of `leaves`."""
    return number(KINDS.index(leaf.kind), 1) + struct.pack("<d", leaf.number) + text(leaf.text)


def cover(parts: Iterable[tuple[int, int, str]], start: int, stop: int) -> list[tuple[str, int, int]]:
    """
    Return which bytes of which objects make the bytes *start* to before *stop* of a file; empty: some are missing.

    Args:
        parts: offset, size and key of each object of the file; they may overlap, with equal bytes.

    >>> cover([(0, 10, "a"), (5, 10, "b"), (15, 5, "c")], 3, 18)
    [('a', 3, 10), ('b', 5, 10), ('c', 0, 3)]
    >>> cover([(0, 10, "a"), (0, 20, "all"), (10, 10, "b")], 0, 20)
    [('all', 0, 20)]
    """
    chosen: list[tuple[str, int, int]] = []
    position = start
    for offset, size_bytes, key in sorted(parts, key=lambda part: (part[0], -part[1])):  # the larger one first
        if offset <= position < offset + size_bytes and position < stop:
            end = min(stop, offset + size_bytes)
            chosen.append((key, position - offset, end - offset))
            position = end
    return chosen if position >= stop else []
