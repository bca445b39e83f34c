"""
The records of a file in blocks, as W&B and SwanLab write it: the log format of LevelDB, with another checksum.

    file    := 7 bytes of header, then blocks of 32,768 bytes, counted from the file's start
    frame   := CRC-32 (u32), length (u16), type (u8), data          type: 1 whole, 2 first, 3 middle, 4 last part
    CRC     of type and data, the polynomial of zlib
    fewer than 7 bytes left in a block, or type 0: nothing more in it

After a bad checksum the reader goes on at the next position of the block where a frame stays inside the block and its
CRC is right, at the latest at the next block: so only the records that were touched are lost.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

BLOCK_BYTES = 32_768
HEADER_BYTES = 7
FRAME_HEAD = struct.Struct("<IHB")
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4
RECORD_BYTES_MAX = 1 << 30
SCANNED_BYTES_MAX = 64 << 20  # of damage; beyond it the reader goes on at the next block at once


class BlockRecord(NamedTuple):
    """A whole record, and where it begins."""

    offset: int
    data: bytes


class BlockGap(NamedTuple):
    """Bytes from *offset* to *end* that are no whole record."""

    offset: int
    end: int
    reason: str


class BlockReader:
    """
    Reads the records of an open file.

    Args:
        magic: the seven bytes at the file's start.
    """

    def __init__(self, file: IO[bytes], magic: bytes) -> None:
        self._file = file
        self._magic = magic
        self._parts: list[bytes] = []
        self._begin = 0  # of the record whose parts are gathered
        self._position = 0  # of the next frame
        self._scanned_bytes = 0
        self._is_growing = False

    @property
    def offset(self) -> int:
        """How far the file was read."""
        return self._position

    def resume(self, file: IO[bytes]) -> None:
        """Go on in *file*, which is the same one opened again."""
        self._file = file

    def records(self, *, is_growing: bool = False) -> Iterator[BlockRecord | BlockGap]:
        """
        Go through the records of the file, and what is damaged between them.

        Args:
            is_growing: what is not whole at the end of the file is left for the next call.
        """
        self._is_growing = is_growing
        start = self._position // BLOCK_BYTES * BLOCK_BYTES
        offset = self._position - start
        self._file.seek(start)
        while (block := self._file.read(BLOCK_BYTES)) and len(block) > offset:
            if start == 0 and offset == 0:
                if is_growing and len(block) < HEADER_BYTES:
                    return
                if block[:HEADER_BYTES] != self._magic[: len(block)]:
                    yield BlockGap(0, HEADER_BYTES, "the file does not begin with its header")
                offset = HEADER_BYTES
            yield from self._block(block, start, offset)
            if len(block) < BLOCK_BYTES:
                break
            start, offset = start + BLOCK_BYTES, 0
            self._position = start
        if self._parts and not is_growing:
            yield BlockGap(self._begin, self._position, "cut inside a record; everything before it is here")

    def _block(self, block: bytes, start: int, offset: int) -> Iterator[BlockRecord | BlockGap]:
        size = len(block)
        may_grow = self._is_growing and size < BLOCK_BYTES
        while size - offset >= FRAME_HEAD.size:
            crc, length, kind = FRAME_HEAD.unpack_from(block, offset)
            if kind == 0 and not crc and not length:
                self._position = start + (offset if may_grow else size)
                return
            end = offset + FRAME_HEAD.size + length
            if _is_frame(block, offset, end):
                yield from self._part(kind, block[offset + FRAME_HEAD.size : end], start + offset)
                offset = end
            elif may_grow and end > size:
                break
            else:
                resumed = self._next_frame(block, offset)
                yield from self._gap(start + offset, start + resumed, is_cut=end > size and size < BLOCK_BYTES)
                offset = resumed
            self._position = start + offset
        yield from self._end_of_block(block, start, offset, may_grow=may_grow)

    def _end_of_block(
        self, block: bytes, start: int, offset: int, *, may_grow: bool
    ) -> Iterator[BlockRecord | BlockGap]:
        if may_grow:
            return
        size = len(block)
        if size < BLOCK_BYTES and block[offset:].strip(b"\0"):
            yield from self._gap(start + offset, start + size, is_cut=True)
        self._position = start + size

    def _gap(self, begin: int, end: int, *, is_cut: bool) -> Iterator[BlockGap]:
        if self._parts:  # the record whose parts came before is lost with it
            begin, self._parts = self._begin, []
        if is_cut and end:
            yield BlockGap(begin, end, "cut inside a record; everything before it is here")
        else:
            yield BlockGap(begin, end, "the checksum of a record is wrong")

    def _part(self, kind: int, data: bytes, offset: int) -> Iterator[BlockRecord | BlockGap]:
        if kind in (WHOLE, FIRST) and self._parts:
            yield BlockGap(self._begin, offset, "a record without its last part")
            self._parts = []
        if kind == WHOLE:
            yield BlockRecord(offset, data)
        elif kind == FIRST:
            self._parts, self._begin = [data], offset
        elif not self._parts:
            yield BlockGap(offset, offset + FRAME_HEAD.size + len(data), "a part of a record without its first part")
        elif sum(map(len, self._parts)) + len(data) > RECORD_BYTES_MAX:
            yield BlockGap(self._begin, offset, "a record of more than 1 GiB")
            self._parts = []
        else:
            self._parts.append(data)
            if kind == LAST:
                whole, self._parts = b"".join(self._parts), []
                yield BlockRecord(self._begin, whole)

    def _next_frame(self, block: bytes, offset: int) -> int:
        """Return where the next frame of a block begins, after one at *offset* that is damaged; its end, if nowhere."""
        size = len(block)
        view = memoryview(block)
        for position in range(offset + 1, size - FRAME_HEAD.size + 1):
            kind = block[position + 6]
            if not WHOLE <= kind <= LAST or self._scanned_bytes > SCANNED_BYTES_MAX:
                continue
            crc, length, _ = FRAME_HEAD.unpack_from(block, position)
            end = position + FRAME_HEAD.size + length
            if end <= size:
                self._scanned_bytes += length
                if zlib.crc32(view[position + 6 : end]) == crc:
                    return position
        return size


def _is_frame(block: bytes, offset: int, end: int) -> bool:
    crc, _, kind = FRAME_HEAD.unpack_from(block, offset)
    return end <= len(block) and WHOLE <= kind <= LAST and zlib.crc32(memoryview(block)[offset + 6 : end]) == crc
