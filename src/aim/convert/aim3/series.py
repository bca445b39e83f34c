"""
The sequences of a run, one after the other, from the keys of its chunks.

    version 1   <ctx>/<name>/{val, epoch, time}/<step>              objects always; numbers of 3.0 to 3.10
    version 2   <ctx>/<name>/{val, step, epoch, time}/<hash>        numbers; joined on the hash

Keys come in order, so all of a sequence comes together: its columns fill, and it is passed on when the next begins.
Columns may differ in length after a kill: a point needs its value and its step.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.convert.aim3 import values
from aim.convert.aim3.chunks import Chunk3
from aim.convert.aim3.entry_batches import NumberRows
from aim.convert.aim3.values import INT_PART_BYTES, BadValue, Marker, StoredFields, int_part, path_of, text_part

COLUMNS = ("val", "step", "epoch", "time")


class NumberSeries(NamedTuple):
    """A sequence of numbers, ordered by step; *incomplete_count*: points without a step or a value."""

    context_id: int
    name: str
    steps: npt.NDArray[np.int64]
    numbers: npt.NDArray[Any]
    times_s: npt.NDArray[np.float64]
    epochs: npt.NDArray[np.float64]
    incomplete_count: int
    cut_count: int
    text_epoch_count: int


class ObjectPoint(NamedTuple):
    """The objects of one step of a sequence; *value*: `StoredFields`, or a list of them."""

    context_id: int
    name: str
    step: int
    value: Any
    time_s: float
    epoch: float


class BadEntry(NamedTuple):
    """A value that can't be read, and where."""

    path: str
    reason: str


@dataclass
class _Column:
    """One column of a sequence: by step, or by hash of a step."""

    keys: array[int] = field(default_factory=lambda: array("q"))
    numbers: list[Any] = field(default_factory=list)

    def take(self, rows: NumberRows) -> None:
        """Add numbers that follow."""
        self.keys.frombytes(rows.indexes)
        self.numbers += rows.numbers


class _Sequence:
    def __init__(self, context_id: int, name: str) -> None:
        self.context_id = context_id
        self.name = name
        self.columns = {column: _Column() for column in COLUMNS}
        self._by_step: dict[str, dict[int, Any]] = {}

    def number_series(self) -> NumberSeries | None:
        """Return the sequence of numbers; None when it has none."""
        value_column, step_column = self.columns["val"], self.columns["step"]
        if not value_column.numbers:
            return None
        steps: list[Any] = value_column.keys.tolist()
        if step_column.numbers:
            steps = _joined(step_column, value_column.keys)
        whole_steps, rows, cut_count = _whole_steps(steps)
        keys, numbers = value_column.keys, value_column.numbers
        if rows is not None:
            keys = array("q", (keys[row] for row in rows))
            numbers = [numbers[row] for row in rows]
        order = np.argsort(whole_steps, kind="stable")
        times_s, _ = _moments(_joined(self.columns["time"], keys))
        epochs, text_count = _moments(_joined(self.columns["epoch"], keys))
        return NumberSeries(
            self.context_id,
            self.name,
            whole_steps[order],
            _number_array(numbers)[order],
            times_s[order],
            epochs[order],
            len(steps) - len(whole_steps),
            cut_count,
            text_count,
        )

    def moment(self, column: str, step: int) -> float:
        """Return the value of a column at a step; NaN: there is none."""
        if column not in self._by_step:  # the column is whole: objects come after it
            self._by_step[column] = dict(zip(self.columns[column].keys, self.columns[column].numbers))
        return _float(self._by_step[column].get(step))


def _joined(column: _Column, keys: array[int]) -> list[Any]:
    """Return a column by the keys of another, None where it has none. Those of whole runs are the same keys."""
    if column.keys == keys:
        return column.numbers
    by_key = dict(zip(column.keys, column.numbers))
    return [by_key.get(key) for key in keys]


def _whole_steps(steps: list[Any]) -> tuple[npt.NDArray[np.int64], list[int] | None, int]:
    """
    Return the steps that are numbers as ints.

    Returns:
        the steps; which of *steps* they are, None: all of them; how many lost a fraction.
    """
    if set(map(type, steps)) == {int}:
        whole = np.array(steps, np.int64)
        if (whole > np.iinfo(np.int64).min).all():
            return whole, None, 0
    rows = [row for row, step in enumerate(steps) if isinstance(step, (int, float)) and abs(step) < 2**63]
    cut_count = sum(isinstance(steps[row], float) and not steps[row].is_integer() for row in rows)
    return np.array([int(steps[row]) for row in rows], np.int64), rows, cut_count


def _moments(numbers: list[Any]) -> tuple[npt.NDArray[np.float64], int]:
    """Return times or epochs, NaN where there is no number, and how many of them were texts."""
    types = set(map(type, numbers))
    if types == {float}:
        return np.array(numbers, np.float64), 0
    if types == {type(None)}:
        return np.full(len(numbers), math.nan), 0
    text_count = sum(isinstance(value, str) for value in numbers)
    return np.array([_float(value) for value in numbers], np.float64), text_count


def _float(value: object) -> float:
    if not isinstance(value, (int, float)):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _number_array(numbers: list[Any]) -> npt.NDArray[Any]:
    kinds = set(map(type, numbers))
    plain = numbers
    if bool in kinds:
        plain = [int(value) if isinstance(value, bool) else value for value in numbers]
        kinds = set(map(type, plain))
    if kinds == {int}:
        return np.array(plain, np.int64)
    if kinds == {float}:
        return np.array(plain, np.float64)
    mixed = np.empty(len(plain), object)
    mixed[:] = plain
    return mixed


class SeriesReader:
    """
    Reads the sequences of one run.

    Args:
        run_hash: of the run.
        version: 1 or 2.
    """

    def __init__(self, chunk: Chunk3, run_hash: str, version: int) -> None:
        self._chunk = chunk
        stem = b"seqs\xfe" + (b"" if version == 1 else b"v2\xfe")
        self._prefix = stem + b"chunks\xfe" + text_part(run_hash)
        self._depth = len(path_of(self._prefix))
        self._columns: dict[bytes, tuple[_Sequence, str]] = {}
        self._sequence: _Sequence | None = None
        self._object: list[tuple[values.Path, Any]] = []
        self._object_step = 0
        self._bad: list[BadEntry] = []

    def read(self) -> Iterator[NumberSeries | ObjectPoint | BadEntry]:
        """Go through the sequences. Raises UnreadableChunk."""
        for batch in self._chunk.batches(self._prefix):
            number = 0
            while number < batch.count:
                key, content = batch.entry(number)
                column = self._columns.get(key[:-INT_PART_BYTES]) if len(key) > INT_PART_BYTES else None
                if column is None or key[-INT_PART_BYTES] != values.END:
                    yield from self._other(key, content)
                    number += 1
                    continue
                rows = batch.number_rows(number, key[:-INT_PART_BYTES])
                if rows is None or (column[1] == "val" and rows.numbers[0] is None):
                    yield from self._point(column[0], column[1], key, content)
                    number += 1
                    continue
                if self._object:
                    yield from self._object_ended()
                column[0].columns[column[1]].take(rows)
                number += rows.row_count
        yield from self._ended()

    def _point(
        self, sequence: _Sequence, column: str, key: bytes, content: bytes
    ) -> Iterator[NumberSeries | ObjectPoint | BadEntry]:
        if self._object:
            yield from self._object_ended()
        index = int.from_bytes(key[-9:-1], "big", signed=True)
        try:
            value = values.value_of(content)
        except BadValue as error:
            yield BadEntry("/".join(map(str, path_of(key))), str(error))
            return
        if isinstance(value, Marker) or (column == "val" and not isinstance(value, (int, float))):
            self._object_step = index
            self._object = [((), value)]
        else:
            sequence.columns[column].keys.append(index)
            sequence.columns[column].numbers.append(value)

    def _other(self, key: bytes, content: bytes) -> Iterator[NumberSeries | ObjectPoint | BadEntry]:
        """Take a key that is no point: the beginning of a column, or a field of an object."""
        path = path_of(key)[self._depth :]
        if len(path) > 3 and self._object:
            try:
                self._object.append((path[4:], values.value_of(content)))
            except BadValue as error:
                yield BadEntry("/".join(map(str, path)), str(error))
        elif len(path) >= 3 and isinstance(path[0], int) and path[2] in COLUMNS:
            stem = yield from self._column_begun(path[0], str(path[1]), str(path[2]))
            if len(path) > 3:
                sequence, column = self._columns[stem]
                yield from self._point(sequence, column, key, content)

    def _column_begun(
        self, context_id: int, name: str, column: str
    ) -> Generator[NumberSeries | ObjectPoint | BadEntry, None, bytes]:
        """Take the beginning of a column, and return what the keys of its points begin with."""
        if self._sequence is None or (self._sequence.context_id, self._sequence.name) != (context_id, name):
            yield from self._ended()
            self._sequence = _Sequence(context_id, name)
        elif self._object:
            yield from self._object_ended()
        stem = self._prefix + int_part(context_id) + text_part(name) + text_part(column)
        self._columns[stem] = (self._sequence, column)
        return stem

    def _object_ended(self) -> Iterator[ObjectPoint]:
        entries, self._object = self._object, []
        sequence = self._sequence
        if sequence is not None:
            step = self._object_step
            value = values.fold(entries)
            yield ObjectPoint(
                sequence.context_id,
                sequence.name,
                step,
                value,
                sequence.moment("time", step),
                sequence.moment("epoch", step),
            )

    def _ended(self) -> Iterator[NumberSeries | ObjectPoint]:
        if self._object:
            yield from self._object_ended()
        sequence, self._sequence = self._sequence, None
        self._columns.clear()
        series = None if sequence is None else sequence.number_series()
        if series is not None:
            yield series


def is_object(value: Any) -> bool:
    """Return whether a folded value is an object, or a list of objects."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, StoredFields) for item in value)
    return isinstance(value, StoredFields)
