"""
Pairs: the distinct (name, context, kind) of sequences, and the summaries of the runs that have one, by row.

    rows     0      2      3     7              of the runs that have this sequence, increasing
    last     0.41   0.39   nan   0.40           and likewise first, min, max ...

pair_arrays.py keeps them by slot; here the deleted runs are left out. Threads and copies: as with columns.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, KeysView, Mapping, Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from aim.core import contexts, kinds
from aim.core.summaries import BY_NAME
from aim.storage.catalogue.catalogue_row import PairKey
from aim.storage.catalogue.pair_arrays import SLOTS_NAME, STORED_KIND, LoadArray, PairArrays
from aim.storage.catalogue.slots import SlotArray, Slots
from aim.storage.catalogue.summaries import unknown_values

RowSummary = tuple[Sequence[Any], int]
"""The values of a `Summary` and the number of the stored kind, as a `CatalogueSequence` has them."""


class Pair:
    """
    A distinct (name, context, kind) of sequences; `aim.query.table.QueryPair` is what a query needs of it.

    Attributes:
        context_text: equal for equal contexts.
        kind: a subject of queries, or the type of other objects.
        arrays: the summaries by slot.
    """

    def __init__(
        self, slots: Slots, key: PairKey, context: Mapping[str, Any], load: LoadArray | None = None, base_count: int = 0
    ) -> None:
        self.name, self.context_text, self.kind = key
        self.context = context
        self.is_numeric = self.kind == kinds.METRIC
        self.arrays = PairArrays(slots, load, base_count)
        self._slots = slots
        self._dense: dict[str, npt.NDArray[Any]] = {}
        self._dense_version = (-1, -1)

    @cached_property
    def order(self) -> tuple[int, str, str]:
        """Sorts pairs as the sequences of a run are listed: by context, then name."""
        return contexts.identity(self.context), self.name, self.kind

    def copied(self, slots: Slots) -> Pair:
        """Return a copy over *slots*, a copy of this one's, that changes by itself. Cost: 2 us, and the changes."""
        with self._slots.lock:
            other = copy.copy(self)
            other._slots, other.arrays, other._dense = slots, self.arrays.copied(slots), dict(self._dense)
            return other

    # what a query asks

    def rows(self) -> SlotArray:
        """Return the rows of the runs that have this sequence, increasing."""
        with self._slots.lock:
            if not self._slots.dead_count:
                return self.arrays.slots()
            return self._row_dense(SLOTS_NAME, lambda: self._slots.rows_of(self._alive_slots()))

    def summary(self, name: str) -> npt.NDArray[Any] | None:
        """Return one summary value of each sequence, in the order of `rows`; None where this kind has no such value."""
        value = BY_NAME.get(name)
        if value is None or not (value.of_metrics if self.is_numeric else value.of_objects):
            return None
        return self._rowed(value.field)

    def unknown_rows(self, name: str) -> SlotArray:
        """Return the rows of the runs whose value *name*, which this kind has, has to be looked up."""
        field = BY_NAME[name].field
        with self._slots.lock:
            rows = self.rows()[unknown_values(field, self._rowed)]
            looked_up = self.arrays.looked_up_slots(field)
            if not len(rows) or not looked_up:
                return rows
            slots = [self._slots.slot_of(row) for row in rows.tolist()]
            return rows[[slot not in looked_up for slot in slots]]

    def set_looked_up(self, name: str, row: int, value: float) -> None:
        """Set a value that was unknown."""
        with self._slots.lock:
            self.arrays.set_looked_up(BY_NAME[name].field, self._slots.slot_of(row), value)

    def stored_kinds(self) -> npt.NDArray[Any]:
        """Return the number of each sequence's stored kind, in the order of `rows`."""
        return self._rowed(STORED_KIND)

    def is_empty(self) -> bool:
        """Return whether no run has this sequence."""
        if self.arrays.base_count > self._slots.stale_count + self._slots.dead_count:
            return False
        return len(self.rows()) == 0

    def _rowed(self, name: str) -> npt.NDArray[Any]:
        with self._slots.lock:
            if not self._slots.dead_count:
                return self.arrays.array(name)
            return self._row_dense(name, lambda: self.arrays.array(name)[self._is_alive()])

    def _row_dense(self, name: str, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return an array without the runs that were deleted, made once while nothing changes."""
        version = (self._slots.version, self.arrays.version)
        if self._dense_version != version:
            self._dense.clear()
            self._dense_version = version
        array = self._dense.get(name)
        if array is None:
            array = self._dense[name] = make()
        return array

    def _is_alive(self) -> npt.NDArray[np.bool_]:
        return self._slots.alive()[self.arrays.slots()]

    def _alive_slots(self) -> SlotArray:
        return self.arrays.slots()[self._is_alive()]

    # what a snapshot keeps

    def compact(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays, by name, of the runs that are not deleted."""
        arrays = self.arrays.arrays()
        if self._slots.dead_count:
            is_alive = self._is_alive()
            arrays = {name: array[is_alive] for name, array in arrays.items()}
        return {SLOTS_NAME: self.rows(), **arrays}

    def compact_rows(self) -> tuple[list[int], list[RowSummary]]:
        """Return `compact` for few runs: the rows, increasing, and of each the values of the summary and the kind."""
        changes = self.arrays.changes_only()
        if changes is None:
            rows, *columns = (array.tolist() for array in self.compact().values())
            return rows, [(values[:-1], values[-1]) for values in zip(*columns, strict=True)]
        if self._slots.dead_count:
            changes = [(slot, sequence) for slot, sequence in changes if not self._slots.is_dead(slot)]
        slots = np.array([slot for slot, _ in changes], np.int64)
        return self._slots.rows_of(slots).tolist(), [sequence for _, sequence in changes]


class PairList(Sequence[Pair]):
    """All pairs of a table, by the number that queries use for them."""

    def __init__(self) -> None:
        self._pairs: list[Pair] = []
        self._indices: dict[PairKey, int] = {}
        self._ranks: SlotArray = np.empty(0, np.int64)

    def copied(self, slots: Slots) -> PairList:
        """Return a copy over *slots* that changes by itself."""
        other = PairList()
        other._pairs = [pair.copied(slots) for pair in self._pairs]
        other._indices, other._ranks = dict(self._indices), self._ranks
        return other

    def add(self, pair: Pair) -> Pair:
        """Add a pair at the end, and return it."""
        self._indices[(pair.name, pair.context_text, pair.kind)] = len(self._pairs)
        self._pairs.append(pair)
        return pair

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        return self._pairs[index]

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs)

    def index_of(self, key: PairKey) -> int | None:
        """Return the number of a pair, or None."""
        return self._indices.get(key)

    def keys(self) -> KeysView[PairKey]:
        """Return the keys of all pairs."""
        return self._indices.keys()

    def clear(self, key: PairKey, slot: int) -> None:
        """Remove a sequence of the run in *slot*."""
        self._pairs[self._indices[key]].arrays.clear(slot)

    def get(self, key: PairKey) -> Pair | None:
        """Return a pair, or None."""
        index = self._indices.get(key)
        return None if index is None else self._pairs[index]

    def ranks(self) -> SlotArray:
        """Return the rank of each pair in the order in which a run's sequences are listed: by context, then name."""
        if len(self._ranks) != len(self._pairs):
            order = sorted(range(len(self._pairs)), key=lambda index: self._pairs[index].order)
            ranks = np.empty(len(order), np.int64)
            ranks[order] = np.arange(len(order))
            self._ranks = ranks
        return self._ranks

    def stored_kind_numbers(self, pair_indices: npt.NDArray[Any], rows: npt.NDArray[Any]) -> list[int]:
        """Return the number of the stored kind of each sequence, given by its pair and the row of its run."""
        numbers = np.zeros(len(pair_indices), np.int64)
        order = np.argsort(pair_indices, kind="stable")
        distinct, starts = np.unique(pair_indices[order], return_index=True)
        for pair_index, indices in zip(distinct.tolist(), np.split(order, starts[1:])):
            pair = self._pairs[pair_index]
            numbers[indices] = pair.stored_kinds()[np.searchsorted(pair.rows(), rows[indices])]
        answer: list[int] = numbers.tolist()
        return answer
