"""
Many entries of a chunk at once: the numbers of a sequence as arrays, everything else one by one.

    key    <stem> FE <index, 8 bytes> FE      value  <type> <8 bytes>      all of one size, as long as a column lasts

A column of a sequence holds one number a point, under keys that differ only in their index. So thousands of entries lie
in the batch as the rows of a table, and are taken apart by column.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aim.convert.aim3.chunk_reading import Entry, edges_of
from aim.convert.aim3.values import END, FLOAT, INT, INT_PART_BYTES, NONE

ROWS_MIN = 16  # fewer are faster one by one
NUMBER_BYTES = 9
NUMBER_TYPES = {INT: "<i8", FLOAT: "<f8"}


class NumberRows(NamedTuple):
    """Numbers of one column that follow each other: *indexes* as the bytes of int64; *numbers*: None where none is."""

    row_count: int
    indexes: bytes
    numbers: list[Any]


class EntryBatch:
    """A batch that was packed by `chunk_reading.packed`; *count*: of its entries."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._bytes = np.frombuffer(content, np.uint8)
        self._edges = edges_of(content)
        self.count = len(self._edges) // 2
        sizes = np.diff(np.array(self._edges)).reshape(-1, 2)
        changes = np.flatnonzero((sizes[1:] != sizes[:-1]).any(axis=1)) + 1
        ends = np.append(changes, self.count)
        self._alike_ends = ends[np.searchsorted(changes, np.arange(self.count), side="right")].tolist()

    def entry(self, number: int) -> Entry:
        """Return a key and its value."""
        first, middle, last = self._edges[2 * number : 2 * number + 3]
        return self._content[first:middle], self._content[middle:last]

    def number_rows(self, number: int, stem: bytes) -> NumberRows | None:
        """
        Return the numbers from an entry on whose keys are *stem* and an index, and that have one type.

        Returns:
            None: there are few, or they are no numbers.
        """
        row_count = self._alike_ends[number] - number
        if row_count < ROWS_MIN:
            return None
        first, middle, last = self._edges[2 * number : 2 * number + 3]
        key_bytes, value_bytes = middle - first, last - middle
        kind = self._content[middle] if value_bytes else -1
        if (kind, value_bytes) not in ((NONE, 1), (INT, NUMBER_BYTES), (FLOAT, NUMBER_BYTES)):
            return None
        size = key_bytes + value_bytes
        rows = self._bytes[first : first + row_count * size].reshape(row_count, size)
        index_begin = key_bytes - INT_PART_BYTES
        alike = (rows[:, :index_begin] == np.frombuffer(stem, np.uint8)).all(axis=1) & (rows[:, key_bytes] == kind)
        alike &= (rows[:, index_begin] == END) & (rows[:, key_bytes - 1] == END)
        count = row_count if alike.all() else int(alike.argmin())
        if count == 0:
            return None
        indexes = np.ascontiguousarray(rows[:count, index_begin + 1 : key_bytes - 1]).view(">i8").astype(np.int64)
        numbers: list[Any] = [None] * count
        if kind != NONE:
            content = np.ascontiguousarray(rows[:count, key_bytes + 1 :])
            numbers = content.view(NUMBER_TYPES[kind]).ravel().tolist()
        return NumberRows(count, indexes.tobytes(), numbers)
