"""
The frames of an event file (TFRecord), each checked, and the gaps that damage leaves.

    frame := length (u64), masked CRC-32C of these 8 bytes (u32), data, masked CRC-32C of the data (u32)
    mask  := rotate right by 15, then + 0xA282EAD8

    bad CRC of a length     the next frame is looked for: where a length and its CRC agree; at most 64 MiB ahead
    bad CRC of the data     that record is skipped
    the file ends within    the last record is not whole yet: the reader stops before it, and can go on there
    zeros to the end        the end: the file was given its size in advance

A file is read once, from its start to its end, a few MiB at a time.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aim.convert.crc32c import crcs

HEAD_BYTES = 12
FRAME_BYTES = 16  # of a frame without data
CHUNK_BYTES = 4 << 20
RECORD_BYTES_MAX = 1 << 30  # of one record; TensorBoard itself can't load more than 2 GiB of one message
SCAN_BYTES_MAX = 64 << 20
SCAN_BATCH = 1 << 16
MASK_DELTA = np.uint32(0xA282EAD8)

_LENGTH = struct.Struct("<Q")


class FrameGap(NamedTuple):
    """Bytes that are no frame, or a frame whose data is damaged."""

    offset: int
    size_bytes: int
    reason: str


class FrameBatch(NamedTuple):
    """Frames one after the other: where each begins, and its data; and the gaps between them."""

    offsets: list[int]
    records: list[bytes]
    gaps: list[FrameGap]


class FrameReader:
    """
    Reads the frames of an open file from *offset* on.

    Attributes:
        offset: after the last whole frame; a frame may begin there that is not whole yet.
        tail_bytes: how many bytes are behind it, when all was read.
        has_frames: whether any frame was whole.
    """

    def __init__(self, file: io.BufferedIOBase, offset: int = 0) -> None:
        self.offset = offset
        self.tail_bytes = 0
        self.has_frames = offset > 0
        self._file = file
        self._gap_offset: int | None = None  # where the bytes begin in which a frame is looked for
        self._is_lost = False

    def batches(self) -> Iterator[FrameBatch]:
        """Go through the frames up to the end of the file; later again, for what was added since."""
        self._file.seek(self.offset)
        waiting = b""
        needed = FRAME_BYTES
        while not self._is_lost:
            chunk = self._file.read(max(CHUNK_BYTES, needed - len(waiting)))
            content = waiting + chunk if waiting else chunk
            batch = FrameBatch([], [], [])
            used, needed = self._take(batch, content, is_end=not chunk)
            if batch.records or batch.gaps:
                yield batch
            self.offset += used
            waiting = content[used:]
            if not chunk:
                self.tail_bytes = 0 if not waiting.strip(b"\0") else len(waiting)
                return

    def _take(self, batch: FrameBatch, content: bytes, *, is_end: bool) -> tuple[int, int]:
        """Add the whole frames of *content*; return how many bytes were used, and how many the next frame needs."""
        used, needed = 0, FRAME_BYTES
        while used < len(content):
            starts, sizes, needed = _walk(content, used)
            good = _good_lengths(content, starts)
            if good and self._gap_offset is not None:
                self._end_gap(batch, self.offset + used, "the checksum of a length is wrong")
            used = self._add(batch, content, starts[:good], sizes[:good], used)
            if good == len(starts):
                break  # the next frame is not whole, or there is none
            if not self.has_frames:
                batch.gaps.append(FrameGap(0, 0, "not an event file: the checksum of its first length is wrong"))
                self._is_lost = True
                break
            used = self._look_on(batch, content, used)
        if is_end and self._gap_offset is not None:
            self._end_gap(batch, self.offset + len(content), "no frame begins here, nor in what follows")
            used = len(content)
        return used, needed

    def _look_on(self, batch: FrameBatch, content: bytes, used: int) -> int:
        """Return where in *content* the next frame may begin, after bytes at *used* that are none."""
        if self._gap_offset is None:
            if not content[used:].strip(b"\0"):
                return len(content)  # nothing but zeros up to here
            self._gap_offset = self.offset + used
        resumed = _next_frame(content, used)
        if resumed is not None:
            return resumed
        if self.offset + len(content) - self._gap_offset > SCAN_BYTES_MAX:
            self._is_lost = True
            self._end_gap(batch, self.offset + len(content), "no frame begins in the 64 MiB from here")
        return max(used + 1, len(content) - HEAD_BYTES + 1)

    def _end_gap(self, batch: FrameBatch, offset: int, reason: str) -> None:
        begin, self._gap_offset = self._gap_offset, None
        if begin is not None:
            batch.gaps.append(FrameGap(begin, offset - begin, reason))

    def _add(
        self, batch: FrameBatch, content: bytes, starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], used: int
    ) -> int:
        if not len(starts):
            return used
        bodies = starts + HEAD_BYTES
        ends = bodies + sizes
        view = np.frombuffer(content, np.uint8)
        is_whole = masked(crcs(view, bodies, ends)) == _words(view, ends)
        for start, body, end, whole in zip(starts.tolist(), bodies.tolist(), ends.tolist(), is_whole.tolist()):
            if whole:
                batch.offsets.append(self.offset + start)
                batch.records.append(content[body:end])
                self.has_frames = True
            else:
                reason = "the checksum of a record is wrong"
                batch.gaps.append(FrameGap(self.offset + start, end + 4 - start, reason))
        return int(ends[-1]) + 4


def masked(crc: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """
    Return CRCs as an event file has them.

    >>> hex(masked(np.array([0xE3069283], np.uint32))[0])
    '0xc78ab0e5'
    """
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    return rotated + MASK_DELTA


def _walk(content: bytes, offset: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Follow the lengths from *offset* on; return the frames that are whole if the lengths are right, and what the
    next one needs."""
    starts: list[int] = []
    sizes: list[int] = []
    size = len(content)
    needed = FRAME_BYTES
    while offset + HEAD_BYTES <= size:
        length = _LENGTH.unpack_from(content, offset)[0]
        end = offset + FRAME_BYTES + length
        if length > RECORD_BYTES_MAX or end > size:
            if length > RECORD_BYTES_MAX or not _is_length(content, offset):
                starts.append(offset)  # it fails its check, and is looked into
                sizes.append(0)
            else:
                needed = FRAME_BYTES + length
            break
        starts.append(offset)
        sizes.append(length)
        offset = end
    return np.array(starts, np.int64), np.array(sizes, np.int64), needed


def _is_length(content: bytes, offset: int) -> bool:
    return _good_lengths(content, np.array([offset], np.int64)) == 1


def _good_lengths(content: bytes, starts: npt.NDArray[np.int64]) -> int:
    """Return how many lengths match their CRC, before the first that does not, or that is beyond all records."""
    if not len(starts):
        return 0
    view = np.frombuffer(content, np.uint8)
    is_good = masked(crcs(view, starts, starts + 8)) == _words(view, starts + 8)
    last = int(starts[-1])
    is_good[-1] &= _LENGTH.unpack_from(content, last)[0] <= RECORD_BYTES_MAX
    return len(starts) if bool(is_good.all()) else int(np.argmin(is_good))


def _words(view: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    words: npt.NDArray[np.uint32] = view[offsets[:, None] + np.arange(4)].view("<u4").ravel()
    return words


def _next_frame(content: bytes, offset: int) -> int | None:
    """Return where the next frame begins after the one at *offset*, which is none."""
    count = len(content) - HEAD_BYTES - offset
    if count <= 0:
        return None
    view = np.frombuffer(content, np.uint8)
    low = np.ndarray((count,), "<u4", content, offset + 1, (1,))
    high = np.ndarray((count,), "<u4", content, offset + 5, (1,))
    # a length below 2^32, and not 0: so zeros are passed over quickly
    candidates = np.flatnonzero((high == 0) & (low != 0)) + offset + 1
    for begin in range(0, len(candidates), SCAN_BATCH):
        positions = candidates[begin : begin + SCAN_BATCH]
        matches = positions[masked(crcs(view, positions, positions + 8)) == _words(view, positions + 8)]
        for position in matches.tolist():
            if _LENGTH.unpack_from(content, position)[0] <= RECORD_BYTES_MAX:
                return int(position)
    return None


def is_event_file(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins with a frame, or is empty: what an event file does before its first record."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    return len(head) < HEAD_BYTES or _is_length(head, 0)
