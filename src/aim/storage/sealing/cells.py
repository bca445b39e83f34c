"""
The cells of a long sealed sequence: what a picture needs of each 256 points, so that it need not read them.

    points   ................................  256 a cell, the last one may have fewer
    cell     first, lowest, highest and last value; where lowest and highest are; NaN and infinite ones, and the first
             of each

They are about a hundredth of the points, and are stored between the pages and the index (docs/formats/sealed.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.storage.forms.records import FloatArray

CELL_POINTS = 256
ABSENT = CELL_POINTS  # in place of where the first NaN, inf or -inf of a cell is
FLOATS = 4
COLUMN_TYPES = ("<f8",) * FLOATS + ("u1",) * 2 + ("<u2",) * 5
CELL_BYTES = sum(np.dtype(name).itemsize for name in COLUMN_TYPES)


class Cells(NamedTuple):
    """
    The cells of a sequence, or of some of its points: arrays with an element for each.

    Attributes:
        first, last: the values of the first and the last point.
        low, high: the least and the greatest finite value; inf and -inf where there is none.
        low_at, high_at: where the first of these is in the cell; anything where there is none.
        nan_counts, inf_counts: how many values are NaN, and infinite.
        nan_at, plus_at, minus_at: where the first NaN, inf and -inf is in the cell; `ABSENT`: there is none.
    """

    first: FloatArray
    low: FloatArray
    high: FloatArray
    last: FloatArray
    low_at: npt.NDArray[np.uint8]
    high_at: npt.NDArray[np.uint8]
    nan_counts: npt.NDArray[np.uint16]
    inf_counts: npt.NDArray[np.uint16]
    nan_at: npt.NDArray[np.uint16]
    plus_at: npt.NDArray[np.uint16]
    minus_at: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, values: FloatArray) -> Cells:
        """
        Return the cells of *values*, one or more. Cost: about 2 ns a value.

        >>> cells = Cells.of(np.array([3.0, 1.0, np.nan, 5.0]))
        >>> cells.low.tolist(), cells.high_at.tolist(), cells.nan_at.tolist()
        ([1.0], [3], [2])
        """
        whole = len(values) // CELL_POINTS * CELL_POINTS
        parts = [values[:whole].reshape(-1, CELL_POINTS), values[np.newaxis, whole:]]
        return cls.joined([cls._of_rows(part) for part in parts if part.size])

    @classmethod
    def _of_rows(cls, rows: FloatArray) -> Cells:
        count = len(rows)
        finite = np.isfinite(rows)
        odd: list[npt.NDArray[Any]] = [np.zeros(count, np.uint16)] * 2 + [np.full(count, ABSENT, np.uint16)] * 3
        lows = highs = rows
        if not finite.all():
            lows, highs = np.where(finite, rows, np.inf), np.where(finite, rows, -np.inf)
            masks = (np.isnan(rows), rows == np.inf, rows == -np.inf)
            nan_counts = masks[0].sum(axis=1)
            odd = [nan_counts, rows.shape[1] - finite.sum(axis=1) - nan_counts]
            odd += [np.where(mask.any(axis=1), mask.argmax(axis=1), ABSENT) for mask in masks]
        low_at, high_at = lows.argmin(axis=1), highs.argmax(axis=1)
        each = np.arange(count)
        columns = (rows[:, 0], lows[each, low_at], highs[each, high_at], rows[:, -1], low_at, high_at, *odd)
        return cls(*(np.ascontiguousarray(column, kind) for column, kind in zip(columns, COLUMN_TYPES, strict=True)))

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """Return the cells of several parts, each but the last of whole cells, one behind the other."""
        return parts[0] if len(parts) == 1 else cls(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def columns(self) -> list[npt.NDArray[Any]]:
        """Return the arrays, in the order in which they are stored."""
        return list(self)

    def part(self, first: int, end: int) -> Cells:
        """Return the cells from *first* to before *end*."""
        return Cells(*(column[first:end] for column in self.columns()))

    def packed(self) -> bytes:
        """Return the stored form: column after column, floats byte by byte, compressed."""
        import pyarrow as pa

        columns = [
            column.view(np.uint8).reshape(len(column), -1).T.tobytes() if kind == "<f8" else column.tobytes()
            for column, kind in zip(self.columns(), COLUMN_TYPES, strict=True)
        ]
        return pa.compress(b"".join(columns), codec="zstd", asbytes=True)  # type: ignore[no-any-return]

    @classmethod
    def unpacked(cls, content: bytes, count: int, crc: int) -> Cells | None:
        """Return *count* cells from their stored form; None when it does not match its CRC, or is no such form."""
        import pyarrow as pa

        if zlib.crc32(content) != crc:
            return None
        try:
            plain = pa.decompress(content, count * CELL_BYTES, codec="zstd", asbytes=True)
        except (OSError, ValueError, MemoryError):
            return None
        columns, offset = [], 0
        for kind in COLUMN_TYPES:
            size = np.dtype(kind).itemsize * count
            stored = np.frombuffer(plain, np.uint8, size, offset)
            if kind == "<f8":
                stored = np.ascontiguousarray(stored.reshape(-1, count).T).ravel()
            columns.append(stored.view(kind))
            offset += size
        return cls(*columns)

    def is_equal(self, other: Cells) -> bool:
        """Return whether the cells are the same, bit for bit."""
        columns = zip(self.columns(), other.columns(), strict=True)
        return all(mine.tobytes() == theirs.tobytes() for mine, theirs in columns)


class GrowingCells:
    """The cells of points that come in parts of any length."""

    def __init__(self) -> None:
        self._parts: list[Cells] = []
        self._rest: FloatArray = np.empty(0)

    def add(self, values: FloatArray) -> None:
        """Take in the values that come next."""
        values = np.concatenate((self._rest, values)) if len(self._rest) else values
        end = len(values) // CELL_POINTS * CELL_POINTS
        if end:
            self._parts.append(Cells.of(values[:end]))
        self._rest = values[end:].copy()

    def cells(self) -> Cells:
        """Return the cells of all points, one or more."""
        return Cells.joined([*self._parts, *([Cells.of(self._rest)] if len(self._rest) else [])])


def cell_count(point_count: int) -> int:
    """Return how many cells a sequence has."""
    return -(-point_count // CELL_POINTS)
