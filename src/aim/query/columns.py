"""
The inputs of a query as columns: what each run, pair or sequence has.

    CodedColumn     a code for each row and the distinct values       fields, params, names and contexts
    RawColumn       one numpy value for each row                      times, durations, summaries
    ListedColumn    one Python value for each row, made when asked    whole params, points

`RunColumns` makes them from a `QueryTable`. In some runs the param at ("hparams", "lr") is a leaf, in others a dict
with leaves below it, or part of a leaf above it, such as an item of a list. The three are merged into one column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

import numpy as np

from aim.core import contexts
from aim.core.statuses import RUNNING
from aim.query import names, tree
from aim.query.functions import EPOCH, Clock
from aim.query.operators import MISSING, subscript
from aim.query.table import BoolArray, FloatArray, IntArray, NumberArray, Path, QueryColumn, QueryTable
from aim.query.vector import EXACT_MAX, Numbers

MINUTE_US = 60e6


class InputColumn(Protocol):
    """One input, for a number of rows."""

    def at(self, index: IntArray) -> InputColumn:
        """Return the facts of some of the rows."""

    def objects(self) -> list[Any]:
        """Return the value in each row."""

    def numbers(self) -> Numbers | None:
        """Return the rows as numbers; None if they are no numbers by nature."""


class CodedColumn:
    """Distinct values, and a code for each row; -1 is *absent*: `MISSING`, or None for a fact of the run."""

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
        """Return the facts of some of the rows."""
        ready = None if self.ready is None else (self.ready[0][index], self.ready[1][index])
        return CodedColumn(self.codes[index], self.values, self.absent, ready)

    def objects(self) -> list[Any]:
        """Return the value in each row."""
        values, absent = self.values, self.absent
        return [values[code] if code >= 0 else absent for code in self.codes.tolist()]

    def numbers(self) -> Numbers | None:
        """Return the rows as numbers."""
        is_absent = self.codes < 0
        if self.ready is not None:
            return Numbers(*self.ready, is_absent, self.absent is None)
        table = np.zeros(len(self.values) + 1)
        is_number = np.zeros(len(self.values) + 1, dtype=bool)
        for place, value in enumerate(self.values):
            if isinstance(value, float) or (isinstance(value, int) and abs(value) <= EXACT_MAX):
                table[place] = value
                is_number[place] = True
        return Numbers(table[self.codes], is_number[self.codes], is_absent, self.absent is None)


class RawColumn:
    """One numpy value for each row; *present* says which rows have one, None that all do."""

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
        """Return the facts of some of the rows."""
        present = None if self.present is None else self.present[index]
        return RawColumn(self.raw[index], present, self.absent, self.decode)

    def objects(self) -> list[Any]:
        """Return the value in each row."""
        values = self.raw.tolist()
        if self.present is not None:
            there = self.present.tolist()
            decode = self.decode or (lambda value: value)
            return [decode(value) if here else self.absent for value, here in zip(values, there)]
        return values if self.decode is None else [self.decode(value) for value in values]

    def numbers(self) -> Numbers | None:
        """Return the rows as numbers."""
        values = self.raw.astype(np.float64, copy=False)
        is_number = self.present
        if self.raw.dtype.kind in "iu" and len(values) and np.abs(values).max() > EXACT_MAX:
            exact = np.abs(values) <= EXACT_MAX
            is_number = exact if is_number is None else is_number & exact
        return Numbers(values, is_number, None if self.present is None else ~self.present, self.absent is None)


class ListedColumn:
    """Values that are made when they are asked for, row by row."""

    def __init__(self, keys: IntArray, make: Callable[[int], object]) -> None:
        self.keys = keys
        self.make = make

    def at(self, index: IntArray) -> ListedColumn:
        """Return the facts of some of the rows."""
        return ListedColumn(self.keys[index], self.make)

    def objects(self) -> list[Any]:
        """Return the value in each row."""
        return [self.make(key) for key in self.keys.tolist()]

    def numbers(self) -> Numbers | None:
        """There are none."""
        return None


class RunColumns:
    """The inputs that need only the run, for all runs of a table; each is made once."""

    def __init__(self, table: QueryTable, clock: Clock) -> None:
        self.table = table
        self.clock = clock
        self.size = table.run_count
        self._made: dict[tree.Source, InputColumn] = {}
        self._series: dict[tuple[str, str], int] | None = None

    def facts(self, source: tree.Source) -> InputColumn:
        """Return the facts of an input, for all runs."""
        made = self._made.get(source)
        if made is None:
            if isinstance(source, tree.RunField):
                made = self._field(source.name)
            elif isinstance(source, tree.RunParam):
                made = self._param(source.path)
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
            micros = np.rint(seconds * 1e6) - self.clock.offset_minutes * MINUTE_US
            return RawColumn(micros, present, None, lambda value: EPOCH + timedelta(microseconds=int(value)))
        if name == "duration":
            begin, begun = self._seconds("creation_time")
            end, ended = self._seconds("end_time")
            return RawColumn(np.where(ended, end, self.clock.now_s) - begin, begun, None)
        if name == "active":
            status = _coded(self.table.field("status"), None)
            running = np.array([value == RUNNING for value in status.values] + [False])
            return RawColumn(running[status.codes])
        return _coded(self.table.field(name), None)

    def _seconds(self, name: str) -> tuple[FloatArray, BoolArray]:
        numbers = _coded(self.table.field(name), None).numbers()
        assert numbers is not None
        assert numbers.is_number is not None
        return np.where(numbers.is_number, numbers.values, 0.0), numbers.is_number

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
        return layers[0] if len(layers) == 1 else _laid_over(layers)

    def _dicts(self, path: Path, below: Sequence[Path]) -> CodedColumn:
        """The dicts at *path*, each made once from the leaves below it."""
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
        if self._series is None:
            self._series = {
                (pair.name, contexts.text(pair.context)): place
                for place, pair in enumerate(self.table.pairs)
                if pair.kind == "metric"
            }
        present = np.zeros(self.size, dtype=bool)
        place = self._series.get((source.name, source.context))
        if place is None:
            return RawColumn(present.copy(), present)
        rows = self.table.rows(place)
        if not source.summary:
            present[rows] = True
            return RawColumn(np.ones(self.size, dtype=bool), present)
        found = self.table.summary(place, source.summary)
        if found is None:
            return RawColumn(present.copy(), present)
        present[rows] = True
        values = np.zeros(self.size, dtype=found.dtype)
        values[rows] = found
        return RawColumn(values, present)


class PairColumns:
    """The inputs that need only the (name, context, kind), for all pairs of a table."""

    def __init__(self, table: QueryTable) -> None:
        self.table = table
        self.size = len(table.pairs)

    def facts(self, source: tree.Source) -> CodedColumn:
        """Return the facts of an input, for all pairs."""
        assert isinstance(source, tree.PairField), source
        pairs = self.table.pairs
        if source.name == "context":
            return CodedColumn(np.arange(self.size, dtype=np.int32), [dict(pair.context) for pair in pairs])
        given: list[object] = [names.VERSION] * self.size
        if source.name == "name":
            given = [pair.name for pair in pairs]
        elif source.name == "dtype":
            given = [names.DTYPES.get(pair.kind) for pair in pairs]
        distinct = {value: code for code, value in enumerate(dict.fromkeys(given))}
        return CodedColumn(np.array([distinct[value] for value in given], dtype=np.int32), list(distinct))


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
    """The column of what lies at *path* in each of the values; of those that have nothing there, -1."""
    found = [within(value, path) for value in column.values]
    kept = [place for place, value in enumerate(found) if value is not MISSING]
    new_codes = np.full(len(found) + 1, -1, dtype=np.int32)
    new_codes[kept] = np.arange(len(kept))
    return CodedColumn(new_codes[column.codes], [found[place] for place in kept])


def _laid_over(layers: Sequence[CodedColumn]) -> CodedColumn:
    """One column of several that never have a value in the same row."""
    codes = np.full(len(layers[0].codes), -1, dtype=np.int32)
    values: list[object] = []
    for layer in layers:
        here = layer.codes >= 0
        codes[here] = layer.codes[here] + len(values)
        values.extend(layer.values)
    return CodedColumn(codes, values)
