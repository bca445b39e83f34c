"""
The inputs of a query as columns: what each run, pair or sequence has.

    CodedColumn     a code for each row, and the distinct values         fields, params, names and contexts
    RawColumn       one numpy value for each row                         times, durations, summaries
    ListedColumn    one Python value for each row, made when it is read  whole params, points

`RunColumns` makes them from a `QueryTable`. In some runs the param at ("hparams", "lr") is a leaf, in others a dict
with leaves below it, or part of a leaf above it, such as an item of a list. The three are merged into one column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from aim.core import contexts
from aim.core.kinds import METRIC
from aim.core.statuses import RUNNING
from aim.query import names, tree
from aim.query.arrays import BoolArray, FloatArray, IntArray, NumberArray
from aim.query.functions import Clock
from aim.query.operators import MISSING, subscript
from aim.query.table import Path, QueryColumn, QueryTable
from aim.query.times import TimeColumn
from aim.query.vector import EXACT_MAX, Numbers, is_exact
from aim.query.words import runs_with


class InputColumn(Protocol):
    """The values of one input in some rows."""

    def at(self, index: IntArray) -> InputColumn:
        """Return the values in the rows of *index*."""

    def objects(self) -> list[Any]:
        """Return the value in each row."""

    def numbers(self) -> Numbers | None:
        """Return the values as numbers; None if this kind of column never holds numbers."""


class CodedColumn:
    """
    Distinct values, and a code for each row.

    The code -1 means *absent*: `MISSING`, or None for a field of the run. *ready* is the same column as numbers: the
    number in each row, and which rows have one.
    """

    def __init__(
        self,
        codes: IntArray,
        values: Sequence[Any],
        absent: object = MISSING,
        ready: tuple[FloatArray, BoolArray] | None = None,
    ) -> None:
        self.codes = codes
        self.values = values
        self.absent = absent
        self.ready = ready

    def at(self, index: IntArray) -> CodedColumn:
        """Return the values in the rows of *index*."""
        ready = None if self.ready is None else (self.ready[0][index], self.ready[1][index])
        return CodedColumn(self.codes[index], self.values, self.absent, ready)

    def objects(self) -> list[Any]:
        """Return the value in each row."""
        values, absent = self.values, self.absent
        return [values[code] if code >= 0 else absent for code in self.codes.tolist()]

    def numbers(self) -> Numbers | None:
        """Return the values as numbers."""
        is_absent = self.codes < 0
        if self.ready is not None:
            return Numbers(*self.ready, is_absent)
        table = np.zeros(len(self.values) + 1)
        is_number = np.zeros(len(self.values) + 1, dtype=bool)
        for code, value in enumerate(self.values):
            if is_exact(value):
                table[code] = value
                is_number[code] = True
        return Numbers(table[self.codes], is_number[self.codes], is_absent)


class RawColumn:
    """One numpy value for each row; *present* says which rows have one, and None means that all have."""

    def __init__(
        self,
        raw: NumberArray,
        present: BoolArray | None = None,
        absent: object = MISSING,
        decode: Callable[[Any], object] | None = None,
    ) -> None:
        self.raw = raw
        self.present = present
        self.absent = absent
        self.decode = decode

    def at(self, index: IntArray) -> RawColumn:
        """Return the values in the rows of *index*."""
        present = None if self.present is None else self.present[index]
        return RawColumn(self.raw[index], present, self.absent, self.decode)

    def objects(self) -> list[Any]:
        """Return the value in each row."""
        values = self.raw.tolist()
        if self.present is not None:
            is_present = self.present.tolist()
            decode = self.decode or (lambda value: value)
            return [decode(value) if present else self.absent for value, present in zip(values, is_present)]
        return values if self.decode is None else [self.decode(value) for value in values]

    def numbers(self) -> Numbers | None:
        """Return the values as numbers."""
        values = self.raw.astype(np.float64, copy=False)
        is_number = self.present
        if self.raw.dtype.kind in "iu" and len(values) and np.abs(values).max() > EXACT_MAX:
            exact = np.abs(values) <= EXACT_MAX
            is_number = exact if is_number is None else is_number & exact
        return Numbers(values, is_number, None if self.present is None else ~self.present)


class ListedColumn:
    """Values that are made when they are read, row by row."""

    def __init__(self, keys: IntArray, make: Callable[[int], object]) -> None:
        self.keys = keys
        self.make = make

    def at(self, index: IntArray) -> ListedColumn:
        """Return the values in the rows of *index*."""
        return ListedColumn(self.keys[index], self.make)

    def objects(self) -> list[Any]:
        """Return the value in each row."""
        return [self.make(key) for key in self.keys.tolist()]

    def numbers(self) -> Numbers | None:
        """Return None: whole params and points are not numbers."""
        return None


class RunColumns:
    """The inputs that need only the run, for all runs of a table; each column is made once."""

    def __init__(self, table: QueryTable, clock: Clock) -> None:
        self.table = table
        self.clock = clock
        self.size = table.run_count
        self._made: dict[tree.Source, InputColumn] = {}
        self._metrics: dict[tuple[str, str], int] | None = None

    def column(self, source: tree.Source) -> InputColumn:
        """Return the column of an input for all runs."""
        made = self._made.get(source)
        if made is None:
            if isinstance(source, tree.RunField):
                made = self._field(source.name)
            elif isinstance(source, tree.RunParam):
                made = self._param(source.path)
            elif isinstance(source, tree.RunSearch):
                made = RawColumn(runs_with(self.table, source.text))
            else:
                assert isinstance(source, tree.RunMetric), source
                made = self._metric(source)
            self._made[source] = made
        return made

    # Fields of the run

    def _field(self, name: str) -> InputColumn:
        if name in ("created_at", "updated_at", "finalized_at"):
            stored = {"created_at": "creation_time", "updated_at": "update_time", "finalized_at": "end_time"}[name]
            seconds, present = self._seconds(stored)
            return TimeColumn(seconds, present, self.clock.zone)
        if name == "duration":
            begin, begun = self._seconds("creation_time")
            end, ended = self._seconds("end_time")
            return RawColumn(np.where(ended, end, self.clock.now_s) - begin, begun, None)
        if name == "remaining":
            done, is_present = self._seconds("done_at")
            return RawColumn(np.maximum(done - self.clock.now_s, 0.0), is_present, None)
        if name == "active":
            status = _coded(self.table.field("status"), None)
            running = np.array([value == RUNNING for value in status.values] + [False])
            return RawColumn(running[status.codes])
        return _coded(self.table.field(name), None)

    def _seconds(self, name: str) -> tuple[FloatArray, BoolArray]:
        numbers = _coded(self.table.field(name), None).numbers()
        assert numbers is not None
        assert numbers.is_number is not None
        is_time = numbers.is_number & np.isfinite(numbers.values)
        return np.where(is_time, numbers.values, 0.0), is_time

    # Params

    def _param(self, path: Path) -> InputColumn:
        if not path:
            return ListedColumn(np.arange(self.size), lambda row: self.table.document(row))
        here = self.table.param(path)
        below = self.table.leaf_paths(path)
        layers = [_coded(here, MISSING)] if here is not None else []
        for length in range(len(path) - 1, 0, -1):
            above = self.table.param(path[:length])
            if above is not None:
                layers.append(_within(_coded(above, MISSING), path[length:]))
        layers = [layer for layer in layers if layer.values]
        if below:
            layers.append(self._dicts(path, below))
        if not layers:
            return CodedColumn(np.full(self.size, -1, dtype=np.int32), [])
        return layers[0] if len(layers) == 1 else _merged(layers)

    def _dicts(self, path: Path, below: Sequence[Path]) -> CodedColumn:
        """Return the dicts at *path*; each distinct one is made once, from the leaves below it."""
        columns = [(leaf[len(path) :], column) for leaf in below if (column := self.table.param(leaf)) is not None]
        codes = np.ascontiguousarray(np.stack([column.codes for _, column in columns], axis=1), dtype=np.int32)
        has = np.flatnonzero((codes >= 0).any(axis=1))
        as_bytes = codes[has].view(np.dtype((np.void, codes.shape[1] * 4))).ravel()
        _, first, inverse = np.unique(as_bytes, return_index=True, return_inverse=True)
        values = []
        for row in has[first].tolist():
            made: dict[Any, Any] = {}
            for (relative, column), code in zip(columns, codes[row].tolist()):
                if code >= 0:
                    into = made
                    for key in relative[:-1]:
                        into = into.setdefault(key, {})
                    into[relative[-1]] = column.values[code]
            values.append(made)
        result = np.full(self.size, -1, dtype=np.int32)
        result[has] = inverse.ravel()
        return CodedColumn(result, values)

    # Metrics of the run

    def _metric(self, source: tree.RunMetric) -> InputColumn:
        if self._metrics is None:
            self._metrics = {
                (pair.name, contexts.text(pair.context)): pair_index
                for pair_index, pair in enumerate(self.table.pairs)
                if pair.kind == METRIC
            }
        present = np.zeros(self.size, dtype=bool)
        pair_index = self._metrics.get((source.name, source.context))
        if pair_index is None:
            return RawColumn(present.copy(), present)
        rows = self.table.rows(pair_index)
        if not source.summary:
            present[rows] = True
            return RawColumn(np.ones(self.size, dtype=bool), present)
        if source.summary == names.DTYPE:
            codes = np.full(self.size, -1, dtype=np.int32)
            kinds = kinds_column(self.table, np.full(len(rows), pair_index), rows)
            codes[rows] = kinds.codes
            return CodedColumn(codes, kinds.values)
        summaries = self.table.summary(pair_index, source.summary)
        if summaries is None:
            return RawColumn(present.copy(), present)
        present[rows] = True
        values = np.zeros(self.size, dtype=summaries.dtype)
        values[rows] = summaries
        return RawColumn(values, present)


class PairColumns:
    """The inputs that need only the (name, context, kind), for all pairs of a table."""

    def __init__(self, table: QueryTable) -> None:
        self.table = table
        self.size = len(table.pairs)

    def column(self, source: tree.Source) -> CodedColumn:
        """Return the column of an input for all pairs."""
        assert isinstance(source, tree.PairField), source
        pairs = self.table.pairs
        if source.name == "context":
            return CodedColumn(np.arange(self.size, dtype=np.int32), [dict(pair.context) for pair in pairs])
        values: list[object]
        if source.name == "name":
            values = [pair.name for pair in pairs]
        else:
            values = [names.NUMBERS_VERSION if pair.kind == METRIC else names.OBJECTS_VERSION for pair in pairs]
        distinct = {value: code for code, value in enumerate(dict.fromkeys(values))}
        return CodedColumn(np.array([distinct[value] for value in values], dtype=np.int32), list(distinct))


def kinds_column(table: QueryTable, pair_indices: IntArray, rows: IntArray) -> CodedColumn:
    """Return the stored kind of each sequence."""
    kinds = table.stored_kinds(pair_indices, rows)
    code_of = {kind: code for code, kind in enumerate(dict.fromkeys(kinds))}
    return CodedColumn(np.array([code_of[kind] for kind in kinds], dtype=np.int32), list(code_of))


def _coded(column: QueryColumn, absent: object) -> CodedColumn:
    ready = None
    if column.numbers is not None and column.is_number is not None:
        ready = (column.numbers, column.is_number)
    return CodedColumn(column.codes, column.values, absent, ready)


def within(value: Any, path: Path) -> object:
    """
    Return what lies at *path* in a value; `MISSING` if nothing does.

    >>> within({"a": [1, 2]}, ("a", -1)), within("adam", ("a",))
    (2, MISSING)
    """
    for key in path:
        if isinstance(value, dict):
            value = value.get(key, MISSING)
        elif isinstance(key, int):
            try:
                value = subscript(value, key)
            except IndexError:
                return MISSING
        else:
            return MISSING
    return value


def _within(column: CodedColumn, path: Path) -> CodedColumn:
    """Return the column of what lies at *path* in each value; -1 where nothing does."""
    parts = [within(value, path) for value in column.values]
    codes_with_part = [code for code, value in enumerate(parts) if value is not MISSING]
    new_codes = np.full(len(parts) + 1, -1, dtype=np.int32)
    new_codes[codes_with_part] = np.arange(len(codes_with_part))
    return CodedColumn(new_codes[column.codes], [parts[code] for code in codes_with_part])


def _merged(layers: Sequence[CodedColumn]) -> CodedColumn:
    """Merge columns of which no two have a value in the same row."""
    codes = np.full(len(layers[0].codes), -1, dtype=np.int32)
    values: list[object] = []
    for layer in layers:
        here = layer.codes >= 0
        codes[here] = layer.codes[here] + len(values)
        values.extend(layer.values)
    return CodedColumn(codes, values)
