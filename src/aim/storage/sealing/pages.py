"""
The pages of a sealed file, decoded with numpy, in whole files and in damaged ones.

    page := header (Thrift, compact) body (zstd)         a dictionary page comes before the data pages of its column
    name, context, sequence    RLE_DICTIONARY, no levels: every column is required
    step, time                 DELTA_BINARY_PACKED
    value, epoch               BYTE_STREAM_SPLIT

Why not Parquet's own reader: it takes 0.4 ms a file before it returns the first point, refuses a whole column chunk for
one bad page, and can't read without a footer. docs/decisions/sealed-form.md has the figures.

After the specification of Parquet (apache/parquet-format: README.md, Encodings.md, parquet.thrift).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("name", "context", "sequence", "step", "time", "value", "epoch")
NAME, CONTEXT, SEQUENCE, STEP, TIME, VALUE, EPOCH = range(7)
DATA, DICTIONARY = 0, 2  # Parquet's numbers of page types
RLE_DICTIONARY, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT = 8, 5, 9  # and of encodings
HEADER_BYTES_MAX = 4096
DICTIONARY_BYTES_MAX = 1 << 28
BLOCK_VALUES_MAX = 1 << 16  # of a block of deltas; writers take 128
ROW_BYTES_MAX = {RLE_DICTIONARY: 6, DELTA_BINARY_PACKED: 12, BYTE_STREAM_SPLIT: 8}

INDEX = struct.Struct("<QIIIIIBB2x")  # an entry of a sealed file's index: the fields of `Page`

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


class BadPage(Exception):
    """A page's body is not what its header says; caught where pages are read, it becomes a Damage."""


class Page(NamedTuple):
    """One page: where its body begins, and what it holds."""

    offset: int
    packed_bytes: int
    plain_bytes: int
    crc: int
    rows: int
    group: int
    column: int
    kind: int

    @property
    def end(self) -> int:
        """The offset after the page."""
        return self.offset + self.packed_bytes


@dataclass(frozen=True)
class PageHeader:
    """A page's header, as Parquet writes it."""

    kind: int
    plain_bytes: int
    packed_bytes: int
    crc: int
    rows: int
    encoding: int
    size_bytes: int


# Thrift's compact protocol: only what page headers use

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _BINARY, _STRUCT = 1, 2, 3, 4, 5, 6, 8, 12


def varint(content: Any, offset: int) -> tuple[int, int]:
    """Return the number at *offset*, seven bits a byte, lowest first, and the offset after it."""
    value = shift = 0
    while True:
        byte = content[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7
        if shift > 63:
            raise BadPage("a number of more than 64 bits")


def _struct(content: Any, offset: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    fields: dict[int, Any] = {}
    number = 0
    while True:
        byte = content[offset]
        offset += 1
        if byte == 0:
            return fields, offset
        kind = byte & 15
        if byte >> 4:
            number += byte >> 4
        else:
            raw, offset = varint(content, offset)
            number = (raw >> 1) ^ -(raw & 1)
        if kind in (_TRUE, _FALSE):
            fields[number] = kind == _TRUE
        elif kind == _BYTE:
            offset += 1
        elif kind in (_I16, _I32, _I64):
            raw, offset = varint(content, offset)
            fields[number] = (raw >> 1) ^ -(raw & 1)
        elif kind == _BINARY:
            length, offset = varint(content, offset)
            offset += length
        elif kind == _STRUCT and depth < 3:
            fields[number], offset = _struct(content, offset, depth + 1)
        else:
            raise BadPage(f"a field of type {kind}")


def parse_header(content: Any, offset: int) -> PageHeader:
    """
    Parse the page header at *offset* of *content*.

    Raises:
        BadPage: there is no header of a page that a sealed file may have.
    """
    try:
        fields, end = _struct(content, offset)
        kind, plain_bytes, packed_bytes, crc = fields[1], fields[2], fields[3], fields[4] & 0xFFFFFFFF
        detail = fields[5] if kind == DATA else fields[7]
        rows, encoding = detail[1], detail[2]
    except (KeyError, IndexError, TypeError) as error:
        raise BadPage("not a page header") from error
    numbers = (kind, plain_bytes, packed_bytes, rows, encoding)
    if not all(type(number) is int and number >= 0 for number in numbers) or kind not in (DATA, DICTIONARY):
        raise BadPage("not a page header")
    limit = DICTIONARY_BYTES_MAX if kind == DICTIONARY else ROW_BYTES_MAX.get(encoding, 0) * rows + 4096
    if plain_bytes > limit or end + packed_bytes > len(content) or end - offset > HEADER_BYTES_MAX:
        raise BadPage("not a page header")
    return PageHeader(kind, plain_bytes, packed_bytes, crc, rows, encoding, end - offset)


# bodies


def unpack(body: bytes | memoryview, page: Page) -> Bytes:
    """
    Return the plain bytes of a page's *body*.

    Raises:
        BadPage: the body does not match its CRC.
    """
    import pyarrow as pa

    if len(body) < page.packed_bytes or zlib.crc32(body) != page.crc:
        raise BadPage("does not match its CRC")
    try:
        plain = pa.decompress(body, page.plain_bytes, codec="zstd") if page.plain_bytes else b""
    except (OSError, ValueError, MemoryError) as error:
        raise BadPage("can't be decompressed") from error
    if len(plain) != page.plain_bytes:
        raise BadPage("is shorter than its header says")
    return np.frombuffer(plain, np.uint8)


def split_bytes(plain: Bytes, rows: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """
    Decode BYTE_STREAM_SPLIT: all first bytes, all second bytes ...

    >>> split_bytes(np.array([1, 2, 0, 0, 0, 0, 0, 0], np.uint8), 2, np.dtype("<u4")).tolist()
    [1, 2]
    """
    if len(plain) != rows * dtype.itemsize:
        raise BadPage(f"has {len(plain)} bytes for {rows} rows")
    out = np.empty((rows, dtype.itemsize), np.uint8)
    planes = plain.reshape(dtype.itemsize, rows)
    for byte_index in range(dtype.itemsize):
        out[:, byte_index] = planes[byte_index]
    return out.view(dtype).ravel()


def deltas(plain: Bytes, rows: int) -> Ints:
    """
    Decode DELTA_BINARY_PACKED: blocks of a least delta and, bit-packed, how much each delta is above it.

    >>> deltas(np.array([128, 1, 4, 3, 14, 2, 0, 0, 0, 0], np.uint8), 3).tolist()
    [7, 8, 9]
    """
    content = plain.tobytes()
    try:
        least, widths, starts, first, count, per_mini = _delta_blocks(content)
    except IndexError as error:
        raise BadPage("ends within a block of deltas") from error
    if count != rows:
        raise BadPage(f"has {count} steps or times for {rows} rows")
    steps = np.empty(rows, np.uint64)
    if rows:
        steps[0] = first & 0xFFFFFFFFFFFFFFFF
    if rows > 1:
        width = np.repeat(np.array(widths, np.uint64), per_mini)[: rows - 1]
        field_index = np.arange(per_mini * len(widths), dtype=np.uint64)[: rows - 1] % np.uint64(per_mini)
        bits = np.repeat(np.array(starts, np.uint64), per_mini)[: rows - 1] * np.uint64(8) + field_index * width
        above = _bit_fields(content, bits, width, max(widths))
        steps[1:] = above + np.repeat(np.array(least, np.uint64), per_mini)[: rows - 1]
    return np.cumsum(steps, dtype=np.uint64).view(np.int64)


def _delta_blocks(content: bytes) -> tuple[list[int], list[int], list[int], int, int, int]:
    per_block, offset = varint(content, 0)
    minis, offset = varint(content, offset)
    count, offset = varint(content, offset)
    raw, offset = varint(content, offset)
    first = (raw >> 1) ^ -(raw & 1)
    if not 0 < per_block <= BLOCK_VALUES_MAX or not minis or per_block % minis or per_block // minis % 8:
        raise BadPage("has blocks of an impossible size")
    per_mini = per_block // minis
    least, widths, starts = [], [], []
    left = count - 1
    while left > 0:
        raw, offset = varint(content, offset)
        delta = ((raw >> 1) ^ -(raw & 1)) & 0xFFFFFFFFFFFFFFFF
        table = content[offset : offset + minis]
        offset += minis
        for width in table[: -(-left // per_mini)]:
            least.append(delta)
            widths.append(width)
            starts.append(offset)
            offset += per_mini * width // 8
        left -= per_block
    if offset > len(content) or max(widths, default=0) > 64:
        raise BadPage("ends within a block of deltas")
    return least, widths, starts, first, count, per_mini


def _bit_fields(content: bytes, bits: Words, width: Words, width_max: int) -> Words:
    """Take from *content* the numbers that begin at *bits* and are *width* bits wide."""
    padded = content + bytes(17)  # a number of no bits may begin at the end, and its ninth byte be looked at
    windows = np.ndarray((len(padded) - 8,), "<u8", padded, strides=(1,))
    at, shift = (bits >> np.uint64(3)).astype(np.int64), bits & np.uint64(7)
    fields = windows[at] >> shift
    if width_max > 56:  # such a number may reach into a ninth byte
        high = windows[at + 8] << (np.uint64(63) - shift) << np.uint64(1)
        fields = fields | high
    full = np.uint64(0xFFFFFFFFFFFFFFFF)
    mask = np.where(width == 0, np.uint64(0), full >> (np.uint64(64) - np.maximum(width, np.uint64(1))))
    masked: Words = fields & mask
    return masked


def dictionary_codes(plain: Bytes, rows: int) -> Ints:
    """
    Decode RLE_DICTIONARY: runs of one code, or of bit-packed codes.

    >>> dictionary_codes(np.array([1, 10, 1], np.uint8), 5).tolist()
    [1, 1, 1, 1, 1]
    """
    content = plain.tobytes()
    parts: list[Ints] = []
    try:
        width, offset, left = content[0], 1, rows
        if width > 32:
            raise BadPage("has codes of more than 32 bits")
        while left > 0:
            run, offset = varint(content, offset)
            if run & 1:
                count = (run >> 1) * 8
                size = (run >> 1) * width
                if size > len(content) - offset or not count:
                    raise BadPage("ends within a run")
                at = np.arange(min(count, left), dtype=np.uint64) * np.uint64(width)
                wide = np.full(len(at), width, np.uint64)
                parts.append(_bit_fields(content[offset : offset + size], at, wide, width).view(np.int64))
            else:
                count, size = run >> 1, (width + 7) // 8
                code = int.from_bytes(content[offset : offset + size], "little")
                if not count:
                    raise BadPage("has an empty run")
                parts.append(np.full(min(count, left), code, np.int64))
            offset += size
            left -= count
    except IndexError as error:
        raise BadPage("ends within a run") from error
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def strings(plain: Bytes, count: int) -> list[str]:
    """Decode a dictionary page of strings: each a 32-bit length and its UTF-8 bytes."""
    content = plain.tobytes()
    texts, offset = [], 0
    for _ in range(count):
        length = int.from_bytes(content[offset : offset + 4], "little")
        offset += 4
        if offset + length > len(content):
            raise BadPage("ends within a string")
        texts.append(content[offset : offset + length].decode("utf-8", "replace"))
        offset += length
    return texts


def numbers(plain: Bytes, count: int) -> Ints:
    """Decode a dictionary page of 32-bit integers."""
    if len(plain) != 4 * count:
        raise BadPage(f"has {len(plain)} bytes for {count} numbers")
    return plain.view("<i4").astype(np.int64)


# finding pages


def walk(content: bytes | memoryview) -> tuple[list[Page], list[int]]:
    """
    Return the pages of a file, found from its start without footer or index.

    Returns:
        The pages whose header is whole, with group and column, and the offsets of damaged headers between them.

    After a damaged header the rest of its row group is lost: the walk continues at the next row group, whose first
    pages are found by their CRC.
    """
    walked_pages: list[Page] = []
    broken: list[int] = []
    group, offset = 0, 4
    rows = [0] * len(COLUMNS)
    column = -1
    while offset < len(content):
        try:
            head = parse_header(content, offset)
            column = _next_column(column, head, rows)
        except BadPage:
            resumed = _next_group(content, offset)
            if resumed is None:
                break
            broken.append(offset)
            group, column, offset = group + 1, EPOCH, resumed
            continue
        if column == NAME and head.kind == DICTIONARY:
            group += bool(walked_pages) and walked_pages[-1].group == group
            rows = [0] * len(COLUMNS)
        if head.kind == DATA:
            rows[column] += head.rows
        body = offset + head.size_bytes
        walked_pages.append(
            Page(body, head.packed_bytes, head.plain_bytes, head.crc, head.rows, group, column, head.kind)
        )
        offset = body + head.packed_bytes
    return walked_pages, broken


def _next_column(column: int, head: PageHeader, rows: list[int]) -> int:
    """Return the column of a page from the column of the page before it; raise BadPage when it fits none."""
    if head.kind == DICTIONARY:
        after = {-1: NAME, NAME: CONTEXT, CONTEXT: SEQUENCE, EPOCH: NAME}
        if column in after:
            return after[column]
    elif head.encoding == RLE_DICTIONARY and NAME <= column <= SEQUENCE:
        return column
    elif head.encoding == DELTA_BINARY_PACKED and column in (SEQUENCE, STEP, TIME):
        # steps and times look alike: the steps end when there is one for each row
        return STEP if rows[STEP] < rows[SEQUENCE] else TIME
    elif head.encoding == BYTE_STREAM_SPLIT and column in (TIME, VALUE, EPOCH):
        width = {8 * head.rows: VALUE, 4 * head.rows: EPOCH}
        if head.plain_bytes in width:
            return width[head.plain_bytes]
    raise BadPage("a page out of its order")


def _candidates(content: bytes | memoryview, offset: int) -> Iterator[tuple[int, PageHeader]]:
    """Go through the pages from *offset* on whose CRC is right."""
    text = bytes(content)
    while (offset := text.find(b"\x15", offset + 1)) >= 0:
        if text[offset + 1 : offset + 3] not in (b"\x00\x15", b"\x04\x15"):
            continue
        try:
            head = parse_header(text, offset)
        except BadPage:
            continue
        body = offset + head.size_bytes
        if zlib.crc32(text[body : body + head.packed_bytes]) == head.crc:
            yield offset, head


def _next_group(content: bytes | memoryview, offset: int) -> int | None:
    """Return where the next row group begins: at a dictionary page after a page of epochs."""
    previous: PageHeader | None = None
    for page_offset, head in _candidates(content, offset):
        if previous is not None and previous.encoding == BYTE_STREAM_SPLIT and head.kind == DICTIONARY:
            return page_offset
        previous = head
    return None
