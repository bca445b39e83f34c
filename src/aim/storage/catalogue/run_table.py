"""
The catalogue in memory: runs, their fields and params as columns, and their sequences by pair.

`RunTable` answers what `aim.query.table.QueryTable` asks. Any number of threads may read one table within
`RunTable.reading`: meanwhile `TableFiller` changes a copy.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import params
from aim.core.params import Key
from aim.core.params import Path as ParamPath
from aim.core.summaries import BY_NAME
from aim.storage.catalogue.catalogue_row import FIELD_NAMES, KindNumbers, PairKey
from aim.storage.catalogue.columns import Column
from aim.storage.catalogue.distinct_values import MISSING
from aim.storage.catalogue.pairs import PairList
from aim.storage.catalogue.point_lookups import OpenReader, PointLookups
from aim.storage.catalogue.run_index import HashColumn, RunIndex
from aim.storage.catalogue.slots import SlotArray


class RunTable:
    """
    Runs and their sequences as columns.

    Attributes:
        version: grows with every change.
        kinds: the stored kinds of sequences, by number.
        runs: by hash, slot and row.
        fields, params: the columns, by `FIELD_NAMES` without the hash, and by path.
        pairs: the distinct (name, context, kind) of all sequences.

    Args:
        open_reader: opens the reader of a run, for what columns do not have.
        hashes: of the base's runs, by slot.
    """

    def __init__(self, open_reader: OpenReader, hashes: Sequence[str] = (), kinds: KindNumbers | None = None) -> None:
        self.version = 0
        self.kinds = kinds or KindNumbers()
        self.runs = RunIndex(hashes)
        self.fields: dict[str, Column] = {name: Column(self.runs.slots) for name in FIELD_NAMES if name != "hash"}
        self.params: dict[ParamPath, Column] = {}
        self.pairs = PairList()
        self._lookups = PointLookups(open_reader)
        self._readers = _ReaderCount()

    def copied(self) -> RunTable:
        """
        Return a copy to change while this one is read.

        Cost: some 2 us a column and pair, and 20 ns a run; arrays are copied when they change.
        """
        other = copy.copy(self)
        other._readers = _ReaderCount()
        with self.runs.slots.lock:
            other.runs = self.runs.copied()
            slots = other.runs.slots
            other.fields = {name: column.copied(slots) for name, column in self.fields.items()}
            other.params = {path: column.copied(slots) for path, column in self.params.items()}
            other.pairs = self.pairs.copied(slots)
        return other

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the table as it is within the context: the catalogue changes a copy meanwhile."""
        self._readers.add(1)
        try:
            yield
        finally:
            self._readers.add(-1)

    @property
    def is_read(self) -> bool:
        """Whether anybody is within `reading`."""
        return self._readers.count > 0

    # runs by hash and in order

    def hashes(self) -> list[str]:
        """Return the hash of each row."""
        return self.runs.hashes()

    def row_of(self, run_hash: str) -> int | None:
        """Return the row of a run, or None."""
        return self.runs.row_of(run_hash)

    def newest_first(self) -> SlotArray:
        """Return all rows, the newest run first; of runs of one moment, by hash."""
        return self.runs.newest_first(self.fields["creation_time"])

    # what a query asks: aim.query.table.QueryTable

    @property
    def run_count(self) -> int:
        """The number of runs."""
        return self.runs.slots.row_count

    def pair_index(self, key: PairKey) -> int | None:
        """Return the number of a pair in `pairs`, or None."""
        return self.pairs.index_of(key)

    def stored_kinds(self, pair_indices: npt.NDArray[Any], rows: npt.NDArray[Any]) -> list[str]:
        """Return the stored kind of each sequence, such as `int` or `list(aim.image)`."""
        names = self.kinds.names
        return [names[number] for number in self.pairs.stored_kind_numbers(pair_indices, rows)]

    def field(self, name: str) -> Column | HashColumn:
        """Return the column of a field; KeyError when there is no such field."""
        return self.runs.hash_column() if name == "hash" else self.fields[name]

    def param(self, path: ParamPath) -> Column | None:
        """Return the column of the leaves at *path*; None when no run has a leaf there."""
        column = self.params.get(path)
        return None if column is None or column.is_empty() else column

    def leaf_paths(self, path: ParamPath) -> Sequence[ParamPath]:
        """Return the full paths of all leaves below *path*."""
        depth = len(path)
        return [
            leaf_path
            for leaf_path, column in self.params.items()
            if len(leaf_path) > depth and leaf_path[:depth] == path and not column.is_empty()
        ]

    def document(self, row: int) -> Mapping[Key, object]:
        """Return all params of one run, nested, keys in order. Cost: reads all columns the first time."""
        slot = self.runs.slots.slot_of(row)
        tree: dict[Key, Any] = {}
        for path, column in self.params.items():
            value = column.value(slot)
            if value is not MISSING:
                branch = tree
                for key in path[:-1]:
                    branch = branch.setdefault(key, {})
                branch[path[-1]] = value
        return _ordered(tree)

    def rows(self, pair_index: int) -> SlotArray:
        """Return the rows of the runs that have this sequence, increasing."""
        return self.pairs[pair_index].rows()

    def summary(
        self, pair_index: int, name: str, rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> npt.NDArray[Any] | None:
        """
        Return one summary value for each of `rows(pair_index)`; None where this kind has no such value.

        Args:
            rows: the only ones that matter: the values of others may be unknown. All by default.

        Cost: a column, except for values that have to be looked up: these read the points of each run once.
        """
        pair = self.pairs[pair_index]
        values = pair.summary(name)
        if values is None or not BY_NAME[name].is_looked_up:
            return values
        unknown_rows = pair.unknown_rows(name)
        if rows is not None:
            unknown_rows = np.intersect1d(unknown_rows, rows)
        if not len(unknown_rows):
            return values
        hashes = self.hashes()
        for row in unknown_rows.tolist():
            value = self._lookups.summary_value(hashes[row], (pair.name, pair.context_text), name)
            pair.set_looked_up(name, row, value)
        return pair.summary(name)

    def points(self, pair_index: int, row: int, name: str) -> Sequence[float | int | None] | None:
        """Return the values, steps, epochs or timestamps of one sequence, by step; of objects there are no values."""
        pair = self.pairs[pair_index]
        if name == "values" and not pair.is_numeric:
            return None
        return self._lookups.points(self.hashes()[row], (pair.name, pair.context_text), name)


class _ReaderCount:
    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self, change: int) -> None:
        with self._lock:
            self.count += change


def _ordered(tree: dict[Key, Any]) -> dict[Key, Any]:
    return params.ordered({key: _ordered(value) if isinstance(value, dict) else value for key, value in tree.items()})
