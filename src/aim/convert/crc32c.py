"""
CRC-32C (Castagnoli, RFC 3720 appendix B.4), many records at once, without a package for it.

A CRC is linear: zeros in front of a message do not change what it is with a start of 0, and the usual start of
0xFFFFFFFF only adds a term that depends on the length. So records of different lengths stand right-aligned in one
matrix, and numpy takes all of them one column after the other. A long record is cut into rows, whose CRCs are joined by
`zeros_after`, the CRC that a value has after so many zero bytes.

Cost: some 0.5 us for a record of 50 bytes, and 10 ns a byte of a long one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

POLYNOMIAL = 0x82F63B78  # reflected
ROW_BYTES = 256
SHORT_BYTES_MAX = 512
MATRIX_BYTES_MAX = 1 << 22

Bytes = npt.NDArray[np.uint8]
PlainText = npt.NDArray[np.uint32]


def _table() -> PlainText:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(POLYNOMIAL), values >> 1).astype(np.uint32)
    return values


TABLE = _table()
_STEPS = TABLE.tolist()


def crc32c(data: bytes) -> int:
    """
    Return the CRC-32C of *data*.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(data) <= ROW_BYTES:
        return _plain(data, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(crcs(np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]))[0])


def _plain(data: bytes, crc: int) -> int:
    for byte in data:
        crc = _STEPS[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def crcs(content: Bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> PlainText:
    """
    Return the CRC-32C of each part of *content*: bytes starts[i] to ends[i].

    >>> [hex(crc) for crc in crcs(np.frombuffer(b"123456789a", np.uint8), np.array([0, 9]), np.array([9, 10])).tolist()]
    ['0xe3069283', '0xc1d04330']
    """
    lengths = ends - starts
    result = np.zeros(len(starts), np.uint32)
    is_short = lengths <= SHORT_BYTES_MAX
    short_rows = np.flatnonzero(is_short)
    if len(short_rows):
        width = max(1, int(lengths[short_rows].max()))
        for begin in range(0, len(short_rows), max(1, MATRIX_BYTES_MAX // width)):
            rows = short_rows[begin : begin + max(1, MATRIX_BYTES_MAX // width)]
            result[rows] = _of_matrix(_right_aligned(content, starts[rows], ends[rows], width))
    for row in np.flatnonzero(~is_short).tolist():
        result[row] = _of_long(content[int(starts[row]) : int(ends[row])])
    distinct, length_indices = np.unique(lengths, return_inverse=True)
    start_terms = np.array([zeros_after(0xFFFFFFFF, int(length)) for length in distinct], np.uint32)
    crc: PlainText = result ^ start_terms[length_indices] ^ np.uint32(0xFFFFFFFF)
    return crc


def _right_aligned(
    content: Bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], width: int
) -> npt.NDArray[np.uint8]:
    positions = ends[:, None] + np.arange(-width, 0)
    matrix: npt.NDArray[np.uint8] = content[np.maximum(positions, 0)]
    matrix[positions < starts[:, None]] = 0
    return matrix


def _of_matrix(matrix: npt.NDArray[np.uint8]) -> PlainText:
    """Return the CRC of each row, with a start of 0 and nothing added at the end."""
    crc = np.zeros(len(matrix), np.uint32)
    for column in np.ascontiguousarray(matrix.T):
        crc = TABLE[(crc ^ column) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    return crc


def _of_long(content: Bytes) -> int:
    padding = -len(content) % ROW_BYTES
    matrix = np.concatenate([np.zeros(padding, np.uint8), content]).reshape(-1, ROW_BYTES)
    tables = _shift_tables(ROW_BYTES)
    crc = 0
    for row_crc in _of_matrix(matrix).tolist():
        shifted = (
            tables[0][crc & 0xFF] ^ tables[1][crc >> 8 & 0xFF] ^ tables[2][crc >> 16 & 0xFF] ^ tables[3][crc >> 24]
        )
        crc = shifted ^ row_crc
    return crc


@lru_cache(64)
def _shift_tables(zero_bytes: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return what each byte of a CRC becomes after so many zero bytes, for the four bytes of it."""
    bits = [_plain(bytes(zero_bytes), 1 << bit) for bit in range(32)]
    tables = []
    for byte in range(4):
        table = [0] * 256
        for value in range(256):
            for bit in range(8):
                if value >> bit & 1:
                    table[value] ^= bits[8 * byte + bit]
        tables.append(table)
    return tables[0], tables[1], tables[2], tables[3]


@lru_cache(4096)
def zeros_after(crc: int, count: int) -> int:
    """
    Return the value of *crc* after *count* zero bytes.

    >>> zeros_after(1, 3) == zeros_after(zeros_after(1, 1), 2)
    True
    """
    power = 1 << 16
    while count:
        while power > count:
            power >>= 1
        if power < ROW_BYTES:
            return _plain(bytes(count), crc)
        tables = _shift_tables(power) if power <= ROW_BYTES else _squared(power)
        crc = tables[0][crc & 0xFF] ^ tables[1][crc >> 8 & 0xFF] ^ tables[2][crc >> 16 & 0xFF] ^ tables[3][crc >> 24]
        count -= power
    return crc


@lru_cache(64)
def _squared(zero_bytes: int) -> tuple[list[int], list[int], list[int], list[int]]:
    half = _shift_tables(zero_bytes // 2) if zero_bytes // 2 <= ROW_BYTES else _squared(zero_bytes // 2)

    def twice(value: int) -> int:
        for _ in range(2):
            value = half[0][value & 255] ^ half[1][value >> 8 & 255] ^ half[2][value >> 16 & 255] ^ half[3][value >> 24]
        return value

    tables = [[twice(value << 8 * byte) for value in range(256)] for byte in range(4)]
    return tables[0], tables[1], tables[2], tables[3]
