"""
One property of every run, as a column: a code for each run and the distinct values.

    slot     0       1      2      3       see slots.py
    codes    0       1     -1      0       int32; -1: this run has none
    values  "adam"  "sgd"                  see distinct_values.py

The *base* of a column is read when the column is first asked for; *changes* lie beside it by slot, and cost no more
than the change, whatever has been read.

Many threads may read at once while nobody changes anything: what is made when it is first asked for is made under
the lock of `Slots`. `copied` gives a second column to change while the first is read: arrays are shared until then.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from aim.storage.catalogue.distinct_values import MISSING, DistinctValues, FloatArray, ValueArray
from aim.storage.catalogue.slots import BoolArray, Slots

CodeArray = npt.NDArray[np.int32]

LOOK_UP_MAX = 32  # so many values are looked for one by one; more make a dict of the distinct values worth its price

ColumnBase = tuple[CodeArray, "list[object] | ValueArray"]
"""Codes by slot, and the distinct values: a list, or an array when they are all floats or all ints."""

INT64 = np.iinfo(np.int64)


class Column:
    """
    One property of every run; `aim.query.table.QueryColumn` is what a query needs of it.

    Args:
        load: reads the base; called at most once.
        base_filled: how many of the base's slots have a value.
    """

    def __init__(self, slots: Slots, load: Callable[[], ColumnBase] | None = None, base_filled: int = 0) -> None:
        self._slots = slots
        self._load = load
        self._base_filled = base_filled
        self._pending: dict[int, object] = {}
        self._is_loaded = False
        self._codes: CodeArray = np.empty(0, np.int32)
        self._distinct = DistinctValues([])
        self._numbers: tuple[tuple[int, int], tuple[FloatArray, BoolArray] | None] | None = None
        self._dense: tuple[tuple[int, int], CodeArray] | None = None
        self._is_shared = False  # arrays and lists are those of a copy too

    def copied(self, slots: Slots) -> Column:
        """Return a copy over *slots*, a copy of this one's, that changes by itself. Cost: 1 us, and the changes."""
        with self._slots.lock:
            self._is_shared = True
            other = copy.copy(self)
            other._slots, other._pending = slots, dict(self._pending)
            return other

    # changes

    def set(self, slot: int, value: object) -> None:
        """Set the value of the run in *slot*, whose base is stale or which has none."""
        self._pending[slot] = value

    def clear(self, slot: int) -> None:
        """Remove the value of the run in *slot*, whose base is stale; free when it had none before."""
        self._pending.pop(slot, None)
        if self._is_loaded and slot < len(self._codes) and self._codes[slot] >= 0:
            self._pending[slot] = MISSING

    def is_empty(self) -> bool:
        """Return whether no run has a value. Cost: often the base need not be read to know."""
        if not self._is_loaded and self._base_filled > self._slots.stale_count + self._slots.dead_count:
            return False
        return not bool((self.codes >= 0).any())

    # what a query asks

    @property
    def codes(self) -> CodeArray:
        """A code for each row; -1: none."""
        with self._slots.lock:
            self.apply_changes()
            if not self._slots.dead_count:
                return self._codes[: self._slots.count]
            if self._dense is None or self._dense[0] != self._slots.shape:
                self._dense = (self._slots.shape, self._codes[: self._slots.count][self._slots.alive()])
            return self._dense[1]

    @property
    def values(self) -> Sequence[object]:
        """The distinct values; some may be of no run any more."""
        with self._slots.lock:
            self.apply_changes()
            return self._distinct.as_list()

    @property
    def numbers(self) -> FloatArray | None:
        """The number in each row, NaN for none; None when there are few distinct values, or one is no double."""
        numbers = self._row_numbers()
        return None if numbers is None else numbers[0]

    @property
    def is_number(self) -> BoolArray | None:
        """Which rows hold a number."""
        numbers = self._row_numbers()
        return None if numbers is None else numbers[1]

    def value(self, slot: int) -> object:
        """Return the value of one slot, or MISSING."""
        with self._slots.lock:
            if slot in self._pending:
                return self._pending[slot]
            self.apply_changes()
            code = int(self._codes[slot]) if slot < len(self._codes) else -1
            return self._distinct.as_list()[code] if code >= 0 else MISSING

    # inside

    def apply_changes(self) -> None:
        """Read the base if that was not done, and put the changes into the codes and values."""
        with self._slots.lock:
            if not self._is_loaded:
                self._read_base()
            count = self._slots.count
            if len(self._codes) < count:
                grown = np.full(count + max(64, count // 4), -1, np.int32)
                grown[: len(self._codes)] = self._codes
                self._codes, self._dense = grown, None
            if self._pending:
                pending, self._pending = self._pending, {}
                if self._is_shared:
                    self._is_shared = False
                    self._codes, self._distinct = self._codes.copy(), self._distinct.copied()
                codes = self._distinct.codes(pending.values(), is_many=len(pending) > LOOK_UP_MAX)
                self._codes[np.fromiter(pending, np.int64, len(pending))] = codes
                self._numbers = self._dense = None

    def _read_base(self) -> None:
        if self._load is not None:
            codes, values = self._load()
            self._codes, self._distinct = codes, DistinctValues(values)
            if self._slots.stale_count:
                self._codes[self._slots.stale()[: len(codes)]] = -1
        self._load = None
        self._is_loaded = True

    def _row_numbers(self) -> tuple[FloatArray, BoolArray] | None:
        with self._slots.lock:
            codes = self.codes
            if self._numbers is None or self._numbers[0] != self._slots.shape:
                self._numbers = (self._slots.shape, self._computed_numbers(codes))
            return self._numbers[1]

    def _computed_numbers(self, codes: CodeArray) -> tuple[FloatArray, BoolArray] | None:
        distinct = self._distinct.numbers()
        if distinct is None:
            return None
        # the code -1, none, takes the last entry
        is_number = np.append(distinct[1], False)[codes]
        return np.where(is_number, np.append(distinct[0], np.nan)[codes], np.nan), is_number

    def compact(self) -> ColumnBase:
        """Return codes by row, and the distinct values that some run has, in the order of their first use."""
        codes = self.codes
        values = self.values
        used, first = np.unique(codes[codes >= 0], return_index=True)
        used = used[np.argsort(first, kind="stable")]
        new_codes = np.full(len(values) + 1, -1, np.int32)
        new_codes[used] = np.arange(len(used), dtype=np.int32)
        used_values = [values[code] for code in used.tolist()]
        kinds = set(map(type, used_values))
        if kinds == {float}:
            return new_codes[codes], np.array(used_values, np.float64)
        if kinds == {int} and INT64.min <= min(used_values) and max(used_values) <= INT64.max:
            return new_codes[codes], np.array(used_values, np.int64)
        return new_codes[codes], used_values
