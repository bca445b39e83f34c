"""
A sealed file read: points of an ended writer as arrays. file_end.py has the layout of the file.

Rule: a damaged page hides its own rows and nothing else; nothing here raises for damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aim.core.summaries import Summary
from aim.storage.disk import unreadable
from aim.storage.forms.records import EpochArray, FloatArray, IntArray
from aim.storage.forms.state import Damage
from aim.storage.sealing import pages
from aim.storage.sealing.file_end import FileEnd, read_end, salvaged_end
from aim.storage.sealing.footer import JournalOrigin, SealedSequence, SequenceRows, SequenceTable
from aim.storage.sealing.pages import BadPage, Page

SHARED_ROWS_MAX = 4096  # a column of a sequence with so many rows is not cached for its neighbours in the row group
SMALL_BYTES = 1 << 14  # a file up to here stays in memory: opening it again would cost more than its points
LOADED_BYTES_MAX = 8 << 20  # a file up to here is read at once for many sequences
TAIL_BYTES = 1 << 16  # read at once by `open`: footer, index and block of up to some hundred sequences


class Columns(NamedTuple):
    """
    Points as arrays of one length, in the order of steps, and of recording where steps are equal.

    Attributes:
        times_us: Unix microseconds; 0 where the page with the time is damaged.
        epochs: NaN: none.
    """

    steps: IntArray
    values: FloatArray
    times_us: IntArray
    epochs: EpochArray


EMPTY = Columns(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.float32))

ColumnPart = tuple[NDArray[Any], NDArray[np.bool_] | None]
"""A column of a row group, and which of its rows are whole; None: all."""

COLUMN_ORDER = (pages.STEP, pages.VALUE, pages.TIME, pages.EPOCH)
DTYPES: dict[int, np.dtype[Any]] = {
    pages.STEP: np.dtype("<i8"),
    pages.TIME: np.dtype("<i8"),
    pages.VALUE: np.dtype("<f8"),
    pages.EPOCH: np.dtype("<f4"),
}
LOST_VALUES = {pages.VALUE: np.nan, pages.EPOCH: np.nan}


class Sealed:
    """
    A sealed file, open for reading; it holds no descriptor. Any number of threads may use it.

    Attributes:
        damage: what is known to be damaged; reading adds to it.
        table: the sequences of the file.
        origin: the journal that the file replaced; None when the footer is damaged.
        end: what the end of the file says.
    """

    def __init__(self, path: Path, end: FileEnd, content: bytes | None = None) -> None:
        self.path = path
        self.damage = end.damage
        self.end = end
        self._content = content
        self._cached_group: tuple[int, Mapping[int, ColumnPart]] = (-1, {})

    @classmethod
    def open(cls, path: Path) -> Sealed:
        """
        Open a sealed file, damaged or not.

        Raises:
            FileNotFoundError: there is none.

        Cost: reads the last 64 KiB, 1 MiB or 16 MiB, as its index needs, or the whole file when its end is damaged.
        """
        descriptor = os.open(path, os.O_RDONLY)
        try:
            size_bytes = os.fstat(descriptor).st_size
            for tail_bytes in (TAIL_BYTES, TAIL_BYTES << 4, TAIL_BYTES << 8, size_bytes):
                tail = os.pread(descriptor, tail_bytes, max(0, size_bytes - tail_bytes))
                end = read_end(tail)
                if end is not None or len(tail) == size_bytes:
                    break
        finally:
            os.close(descriptor)
        if end is None:
            return cls(path, salvaged_end(path.name, tail))
        return cls(path, end, tail if size_bytes <= SMALL_BYTES else None)

    @classmethod
    def of(cls, path: Path, content: bytes) -> Sealed:
        """Open *content*, a whole sealed file in memory; *path* is for messages."""
        return cls(path, read_end(content) or salvaged_end(path.name, content), content)

    def loaded(self) -> Sealed:
        """
        Return the same file with all its bytes in memory, for a reader of many of its sequences; a large file as it is.

        Raises:
            FileNotFoundError: it is gone.
        """
        if self._content is not None:
            return self
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            size_bytes = os.fstat(descriptor).st_size
            content = os.pread(descriptor, size_bytes, 0) if size_bytes <= LOADED_BYTES_MAX else None
        finally:
            os.close(descriptor)
        return self if content is None else Sealed(self.path, self.end, content)

    @property
    def table(self) -> SequenceTable:
        """What the footer says of the sequences."""
        return self.end.table

    @property
    def origin(self) -> JournalOrigin | None:
        """What the footer says of the journal."""
        return self.end.origin

    @property
    def sequences(self) -> list[SealedSequence]:
        """The sequences, in the order of their numbers."""
        return self.end.table.sequences

    @property
    def index(self) -> list[Page]:
        """The pages, in the order of the file."""
        return self.end.pages()

    def sequence(self, number: int) -> SealedSequence:
        """Return one sequence. Raises LookupError."""
        sequence = self.end.table.find(number)
        if sequence is None:
            raise LookupError(number)
        return sequence

    def summaries(self) -> dict[int, Summary | None]:
        """Return the summary of each sequence by number; None for objects."""
        return self.end.table.summaries()

    # points

    def columns(self, number: int) -> Columns:
        """
        Return the points of sequence *number*; none if there is no such sequence.

        A point whose value or step lies in a damaged page is left out; `damage` then names the page.
        """
        rows = self.end.table.rows(number)
        return EMPTY if rows is None else self._columns(rows, COLUMN_ORDER)

    def steps_values(self, number: int) -> tuple[IntArray, FloatArray]:
        """Return steps and values only, for a third of the cost of `columns`."""
        rows = self.end.table.rows(number)
        if rows is None:
            return EMPTY.steps, EMPTY.values
        columns = self._columns(rows, (pages.STEP, pages.VALUE))
        return columns.steps, columns.values

    def all(self) -> tuple[NDArray[np.int32], Columns]:
        """Return the sequence numbers of all points, and the points, in the order of the file."""
        by_sequence = [self.columns(sequence.number) for sequence in self.sequences]
        if not by_sequence:
            return np.empty(0, np.int32), EMPTY
        lengths = [len(columns.steps) for columns in by_sequence]
        numbers = np.repeat(np.array([sequence.number for sequence in self.sequences], np.int32), lengths)
        return numbers, Columns(*(np.concatenate(arrays) for arrays in zip(*by_sequence)))

    def _columns(self, rows: SequenceRows, columns: Sequence[int]) -> Columns:
        start = rows.first_row - self.end.table.group_rows[rows.group]
        stop = start + rows.row_count
        stored = [column for column in columns if column != pages.STEP or rows.stride is None]
        parts = self._column_parts(rows, stored)
        arrays: dict[int, NDArray[Any]] = {}
        is_whole: NDArray[np.bool_] | None = None
        for column in stored:
            array, mask = _with_rows(parts[column], stop, column)
            arrays[column] = array[start:stop]
            if mask is not None and column in (pages.STEP, pages.VALUE):
                is_whole = mask[start:stop] if is_whole is None else is_whole & mask[start:stop]
        if len(stored) < len(columns):
            arrays[pages.STEP] = regular_steps(rows)
        if is_whole is not None:
            arrays = {column: array[is_whole] for column, array in arrays.items()}
        return Columns(*(arrays.get(column, EMPTY[index]) for index, column in enumerate(COLUMN_ORDER)))

    # row groups

    def _column_parts(self, rows: SequenceRows, columns: Sequence[int]) -> Mapping[int, ColumnPart]:
        if rows.row_count >= SHARED_ROWS_MAX:
            return self._read(rows.group, columns)
        # neighbours in one row group are asked for one after another
        group, cached = self._cached_group
        parts = cached if group == rows.group else {}
        missing = [column for column in columns if column not in parts]
        if missing:
            parts = {**parts, **self._read(rows.group, missing)}
        self._cached_group = (rows.group, parts)
        return parts

    def _read(self, group: int, columns: Sequence[int]) -> dict[int, ColumnPart]:
        if self._content is not None or not columns:
            return {column: self._read_column(None, group, column) for column in columns}
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError as error:  # it could be read when it was opened
            unreadable.note(self.path, error)
            return {column: self._read_column(None, group, column) for column in columns}
        try:
            return {column: self._read_column(descriptor, group, column) for column in columns}
        finally:
            os.close(descriptor)

    def _read_column(self, descriptor: int | None, group: int, column: int) -> ColumnPart:
        parts = [
            self._read_group(descriptor, of_sequence, column) for of_sequence in self.end.groups_from(group, column)
        ]
        if len(parts) == 1:
            return parts[0]
        array = np.concatenate([of_group for of_group, _ in parts])
        if all(mask is None for _, mask in parts):
            return array, None
        return array, np.concatenate(
            [np.ones(len(of_group), bool) if mask is None else mask for of_group, mask in parts]
        )

    def group(self, group: int) -> Columns:
        """Return all columns of one row group as they are stored."""
        descriptor = os.open(self.path, os.O_RDONLY) if self._content is None else None
        try:
            return Columns(*(self._read_group(descriptor, group, column)[0] for column in COLUMN_ORDER))
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _read_group(self, descriptor: int | None, group: int, column: int) -> ColumnPart:
        column_pages = self.end.pages_of(group, column)
        if not column_pages:
            return np.empty(0, DTYPES[column]), None
        start, stop = column_pages[0].offset, column_pages[-1].end
        content = (
            (self._content or b"")[start:stop] if descriptor is None else _pread(self.path, descriptor, start, stop)
        )
        span = memoryview(content)
        arrays = []
        damaged_rows = []
        row = 0
        for page in column_pages:
            try:
                arrays.append(decoded(span[page.offset - start : page.end - start], page))
            except BadPage as error:
                arrays.append(np.full(page.rows, LOST_VALUES.get(column, 0), DTYPES[column]))
                damaged_rows.append(slice(row, row + page.rows))
                self._note(page_damage(self.path.name, page, str(error)))
            row += page.rows
        array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        return array, _mask(row, damaged_rows) if damaged_rows else None

    def _note(self, damage: Damage) -> None:
        if damage not in self.damage:
            self.damage.append(damage)


def _pread(path: Path, descriptor: int, start: int, stop: int) -> bytes:
    try:
        return os.pread(descriptor, stop - start, start)
    except OSError as error:  # these pages are damaged then
        unreadable.note(path, error)
        return b""


def regular_steps(rows: SequenceRows) -> IntArray:
    """Return the steps of a sequence whose steps are evenly spaced."""
    stride = rows.stride or 1
    stop = rows.first_step + rows.row_count * stride
    return np.arange(rows.first_step, stop, stride, dtype=np.int64)


def _mask(row_count: int, damaged_rows: Iterable[slice]) -> NDArray[np.bool_]:
    mask = np.ones(row_count, bool)
    for rows in damaged_rows:
        mask[rows] = False
    return mask


def _with_rows(part: ColumnPart, row_count: int, column: int) -> ColumnPart:
    """Return a column with *row_count* rows or more; of one that was cut off, the missing rows are lost."""
    array, mask = part
    length = len(array)
    if length >= row_count:
        return part
    longer = np.full(row_count, LOST_VALUES.get(column, 0), DTYPES[column])
    longer[:length] = array
    is_whole = np.zeros(row_count, bool)
    is_whole[:length] = True if mask is None else mask
    return longer, is_whole


def decoded(body: memoryview, page: Page) -> NDArray[Any]:
    """Return the rows of a page of steps, values, times or epochs. Raises BadPage."""
    plain = pages.unpack(body, page)
    if page.column in (pages.STEP, pages.TIME):
        return pages.deltas(plain, page.rows)
    return pages.split_bytes(plain, page.rows, DTYPES[page.column])


def page_damage(file_name: str, page: Page, problem: str) -> Damage:
    """Return the damage of a page, which *problem* says in words such as "does not match its CRC"."""
    subject = "dictionary" if page.kind == pages.DICTIONARY else f"page of {page.rows:,} rows"
    return Damage(file_name, f"byte {page.offset:,}", f"a {subject} of column {pages.COLUMNS[page.column]} {problem}")
