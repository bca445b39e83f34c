"""
One fact about every run, as a column: a code for each run and the distinct values.

    slot     0       1      2      3       the catalogue's own numbers of runs; a deleted run's slot stays, unused
    codes    0       1     -1      0       int32; -1: this run has none
    values  "adam"  "sgd"                  each once; 1, 1.0 and True are three values, at every depth

A column has a *base*, what the snapshot on disk says, which is read when the column is first asked for; and
*changes*, what was learned since, by slot. A slot whose run was read again is *stale*: the base says nothing of it
any more. So a change costs no more than the change, whatever has been read.

    column  =  base, where not stale  +  changes

Outside, runs are *rows*: the slots of runs that are there, in order. While nothing was deleted they are the same.

Many threads may read at once while nobody changes anything: what is made when it is first asked for is made under
the lock of `Slots`. `copied` gives a second column to change while the first is read: arrays are shared until then.
"""

from __future__ import annotations

import copy
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

CodeArray = npt.NDArray[np.int32]
SlotArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
ValueArray = npt.NDArray[Any]

EXACT_INT_MAX = 2**53
NUMBERS_DISTINCT_MIN = 32  # from here on numbers are also handed out as an array
LOOK_UP_MAX = 32  # so many values are looked for one by one; more make a dict of the distinct values worth its price
MISSING = object()

Base = tuple[CodeArray, "list[object] | ValueArray"]
"""Codes by slot, and the distinct values: a list, or an array when they are all floats or all ints."""


def identity(value: object) -> object:
    """
    Return what two values share exactly when they are equal and of one type at every depth.

    >>> identity(1) == identity(1.0), identity([1, {"a": True}]) == identity([1, {"a": True}])
    (False, True)
    """
    kind = type(value)
    if kind is str:
        return value
    if kind is float:
        return struct.pack("<d", value)
    if kind is list:
        return (list, *map(identity, value))  # type: ignore[call-overload]
    if kind is dict:
        return (dict, *((key, type(key), identity(item)) for key, item in value.items()))  # type: ignore[attr-defined]
    return (kind, value)


def _identities(values: list[object]) -> Iterable[object]:
    """Return `identity` of each, in a third of the time where all are of one type."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if kinds == {float}:
        packed = struct.pack(f"<{len(values)}d", *values)
        return (packed[start : start + 8] for start in range(0, len(packed), 8))
    if kinds <= {int, bool, type(None)}:
        return zip(map(type, values), values, strict=True)
    return map(identity, values)


class Slots:
    """
    The runs of a catalogue by slot: which are there, and of which the base still speaks.

    Attributes:
        count: slots in use, those of deleted runs included.
        version: grows when rows change their numbers.
        lock: held while something is made that is kept; shared by all copies.
    """

    def __init__(self, base_count: int = 0) -> None:
        self.lock = threading.RLock()
        self.count = base_count
        self.base_count = base_count
        self.dead_count = 0
        self.stale_count = 0
        self.version = 0
        self._alive = np.ones(base_count, bool)
        self._stale = np.zeros(base_count, bool)
        self._rows: SlotArray | None = None

    def copied(self) -> Slots:
        """Return a copy that changes by itself."""
        other = copy.copy(self)
        other._alive, other._stale = self._alive.copy(), self._stale.copy()
        return other

    @property
    def row_count(self) -> int:
        """The number of runs that are there."""
        return self.count - self.dead_count

    @property
    def shape(self) -> tuple[int, int]:
        """What stays the same while the rows stand for the same runs."""
        return self.version, self.count

    def add(self) -> int:
        """Return a new run its slot."""
        if self.count == len(self._alive):
            extra = max(64, self.count // 4)
            self._alive = np.append(self._alive, np.ones(extra, bool))
        self.count += 1
        self._rows = None
        return self.count - 1

    def remove(self, slot: int) -> None:
        """Take a run away."""
        if self._alive[slot]:
            self._alive[slot] = False
            self.dead_count += 1
            self.version += 1
            self._rows = None

    def rebase(self) -> None:
        """Say that the base is what is known now, of all runs."""
        self.base_count = self.count
        self.stale_count = 0
        self._stale = np.zeros(self.count, bool)

    def make_stale(self, slot: int) -> None:
        """Say that what the base says of *slot* holds no more."""
        if slot < self.base_count and not self._stale[slot]:
            self._stale[slot] = True
            self.stale_count += 1

    def stale(self, slots: npt.NDArray[Any] | None = None) -> BoolArray:
        """Say of which of the base's slots, all by default, the base speaks no more."""
        return self._stale if slots is None else self._stale[slots]

    def is_dead(self, slot: int) -> bool:
        """Return whether the run of *slot* was deleted."""
        return not self._alive[slot]

    def alive(self) -> BoolArray:
        """Say for each slot whether its run is there."""
        return self._alive[: self.count]

    def slots(self) -> SlotArray:
        """Return the slot of each row."""
        return np.flatnonzero(self.alive()) if self.dead_count else np.arange(self.count)

    def slot_of(self, row: int) -> int:
        """Return the slot of a row."""
        return int(self.slots()[row]) if self.dead_count else row

    def rows_of(self, slots: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the rows of *slots*, which are there."""
        if not self.dead_count:
            return slots
        if self._rows is None:
            self._rows = np.cumsum(self.alive()) - 1
        rows: SlotArray = self._rows[slots]
        return rows


class Column:
    """
    One fact about every run; `aim.query.table.QueryColumn` is what a query needs of it.

    Args:
        load: reads the base; asked at most once.
        base_filled: how many of the base's slots have a value.
    """

    def __init__(self, slots: Slots, load: Callable[[], Base] | None = None, base_filled: int = 0) -> None:
        self._slots = slots
        self._load = load
        self._base_filled = base_filled
        self._pending: dict[int, object] = {}
        self._loaded = False
        self._codes: CodeArray = np.empty(0, np.int32)
        self._list: list[object] | None = []
        self._array: ValueArray | None = None
        self._array_count = 0
        self._index: dict[object, int] | None = None
        self._numbers: tuple[FloatArray, BoolArray] | None = None
        self._numbers_shape: tuple[int, int] | None = None
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
        """Say what holds of the run in *slot*, whose base is stale or which has none."""
        self._pending[slot] = value

    def clear(self, slot: int) -> None:
        """Say that the run in *slot*, whose base is stale, has none; free when it had none before."""
        self._pending.pop(slot, None)
        if self._loaded and slot < len(self._codes) and self._codes[slot] >= 0:
            self._pending[slot] = MISSING

    def may_be_empty(self) -> bool:
        """Return whether it is possible that no run has a value; when not, the base need not be read to know."""
        return self._loaded or self._base_filled <= self._slots.stale_count + self._slots.dead_count

    def is_empty(self) -> bool:
        """Return whether no run has a value."""
        return self.may_be_empty() and not bool((self.codes >= 0).any())

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
            if self._list is None:
                assert self._array is not None
                self._list = self._array[: self._array_count].tolist()
            return self._list

    @property
    def numbers(self) -> FloatArray | None:
        """The number in each row, NaN for none; None when there are few distinct values, or one is no double."""
        known = self._all_numbers()
        return None if known is None else known[0]

    @property
    def is_number(self) -> BoolArray | None:
        """Which rows hold a number."""
        known = self._all_numbers()
        return None if known is None else known[1]

    def value(self, slot: int) -> object:
        """Return the value of one slot, or MISSING."""
        with self._slots.lock:
            if slot in self._pending:
                return self._pending[slot]
            self.apply_changes()
            code = int(self._codes[slot]) if slot < len(self._codes) else -1
            return self.values[code] if code >= 0 else MISSING

    def value_or_none(self, slot: int) -> object:
        """Return the value of one slot, None where there is none."""
        found = self.value(slot)
        return None if found is MISSING else found

    def has(self, slot: int) -> bool:
        """Return whether the run in *slot* has a value."""
        return self.value(slot) is not MISSING

    # inside

    def apply_changes(self) -> None:
        """Take in what was said since."""
        with self._slots.lock:
            if not self._loaded:
                self._read_base()
            count = self._slots.count
            if len(self._codes) < count:
                grown = np.full(count + max(64, count // 4), -1, np.int32)
                grown[: len(self._codes)] = self._codes
                self._codes, self._dense = grown, None
            if self._pending:
                pending, self._pending = self._pending, {}
                self._unshare()
                self._take(pending)
                self._numbers_shape = self._dense = None

    def _unshare(self) -> None:
        if self._is_shared:
            self._is_shared = False
            self._codes = self._codes.copy()
            self._list = None if self._list is None else list(self._list)
            self._array = None if self._array is None else self._array.copy()
            self._index = None if self._index is None else dict(self._index)

    def _read_base(self) -> None:
        if self._load is not None:
            codes, values = self._load()
            self._codes = codes
            if isinstance(values, list):
                self._list = values
            else:
                self._array, self._array_count, self._list = values, len(values), None
            if self._slots.stale_count:
                self._codes[self._slots.stale()[: len(codes)]] = -1
        self._load = None
        self._loaded = True

    def _take(self, pending: dict[int, object]) -> None:
        if len(pending) > LOOK_UP_MAX:
            if self._index is None:
                self._make_index()
            if self._array is None:
                self._take_many(pending)
                return
        codes = self._codes
        for slot, value in pending.items():
            codes[slot] = -1 if value is MISSING else self._code(value)

    def _take_many(self, pending: dict[int, object]) -> None:
        assert self._index is not None
        assert self._list is not None
        index, distinct = self._index, self._list
        codes: list[int] = []
        for key, value in zip(_identities(list(pending.values())), pending.values(), strict=True):
            known = -1 if value is MISSING else index.get(key)
            if known is None:
                known = index[key] = len(distinct)
                distinct.append(value)
            codes.append(known)
        self._codes[np.fromiter(pending, np.int64, len(pending))] = codes

    def _code(self, value: object) -> int:
        if self._array is not None:
            code = self._code_in_array(value)
            if code is not None:
                return code
            self._to_list()
        if self._index is None:
            self._make_index()
        assert self._index is not None
        assert self._list is not None
        key = identity(value)
        known = self._index.get(key)
        if known is None:
            known = self._index[key] = len(self._list)
            self._list.append(value)
        return known

    def _code_in_array(self, value: object) -> int | None:
        # all floats, or all ints: found by numpy, so that one change does not make a dict of 100,000 values
        array = self._array
        assert array is not None
        if type(value) is not (float if array.dtype.kind == "f" else int):
            return None
        if self._index is not None:
            known = self._index.get(identity(value))
        else:
            wanted = np.array([value], array.dtype).view(np.int64)[0]
            found = np.flatnonzero(array[: self._array_count].view(np.int64) == wanted)
            known = int(found[0]) if len(found) else None
        if known is not None:
            return known
        if self._array_count == len(array):
            self._array = array = np.append(array, np.zeros(max(64, len(array) // 4), array.dtype))
        known = self._array_count
        array[known] = value
        self._array_count += 1
        if self._index is not None:
            self._index[identity(value)] = known
        if self._list is not None:
            self._list.append(value)
        return known

    def _to_list(self) -> None:
        if self._list is None:
            assert self._array is not None
            self._list = self._array[: self._array_count].tolist()
        self._array = None

    def _make_index(self) -> None:
        if self._list is None:
            assert self._array is not None
            self._list = self._array[: self._array_count].tolist()
        self._index = {identity(value): code for code, value in enumerate(self._list)}

    def _all_numbers(self) -> tuple[FloatArray, BoolArray] | None:
        with self._slots.lock:
            codes = self.codes
            if self._numbers_shape != self._slots.shape:
                self._numbers = self._count_numbers(codes)
                self._numbers_shape = self._slots.shape
            return self._numbers

    def _count_numbers(self, codes: CodeArray) -> tuple[FloatArray, BoolArray] | None:
        if self._array is not None:
            distinct = self._array[: self._array_count]
            if self._array_count < NUMBERS_DISTINCT_MIN or not _are_doubles(distinct):
                return None
            plain, number = distinct.astype(np.float64), np.ones(len(distinct), bool)
        else:
            values = self.values
            if len(values) < NUMBERS_DISTINCT_MIN:
                return None
            known = as_numbers(values)
            if known is None:
                return None
            plain, number = known
        # -1, none, takes the last entry
        number = np.append(number, False)[codes]
        return np.where(number, np.append(plain, np.nan)[codes], np.nan), number

    def compact(self) -> Base:
        """Return codes by row, and the distinct values that some run has, in the order of their first use."""
        codes = self.codes
        values: Any = self.values
        used, first = np.unique(codes[codes >= 0], return_index=True)
        used = used[np.argsort(first, kind="stable")]
        place = np.full(len(values) + 1, -1, np.int32)
        place[used] = np.arange(len(used), dtype=np.int32)
        kept = [values[code] for code in used.tolist()]
        kinds = set(map(type, kept))
        if kinds == {float} or kinds == {int}:
            return place[codes], np.array(kept, np.float64 if kinds == {float} else np.int64)
        return place[codes], kept


def as_numbers(values: Iterable[object]) -> tuple[FloatArray, BoolArray] | None:
    """Return *values* as doubles, NaN for others, and which are numbers; None if one fits no double or none is one."""
    plain: list[float] = []
    number: list[bool] = []
    for value in values:
        if isinstance(value, (int, float)):
            if type(value) is int and not -EXACT_INT_MAX <= value <= EXACT_INT_MAX:
                return None
            plain.append(float(value))
            number.append(True)
        else:
            plain.append(float("nan"))
            number.append(False)
    return (np.array(plain), np.array(number)) if any(number) else None


def _are_doubles(distinct: ValueArray) -> bool:
    if distinct.dtype.kind == "f":
        return True
    return bool((distinct <= EXACT_INT_MAX).all() and (distinct >= -EXACT_INT_MAX).all())
