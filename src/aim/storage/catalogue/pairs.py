"""
The sequences of one name, context and kind, over all runs: the slots of the runs that have it, and summary arrays
beside them.

    slots    0      2      3     7              of the runs that have this sequence, increasing
    last     0.41   0.39   nan   0.40           and likewise first, min, max ... : one array for each summary value

As a column, a pair is a base, each array of it read when it is first asked for, and changes by slot. Arrays in
memory are patched when a run's values change, and made again when a run joins or leaves. Threads and copies: as
with columns.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import contexts
from aim.storage.catalogue.columns import SlotArray, Slots
from aim.storage.catalogue.snapshot import smallest
from aim.storage.catalogue.summaries import DTYPES, SUMMARY_NAMES, SequenceSummary

SLOTS_NAME = "slots"
PACK_MIN = 64  # a pair of fewer runs takes less memory as it is than as an array for each value

Load = Callable[[str], npt.NDArray[Any]]
"""Reads one array of the base: `slots`, or a summary value."""

_PLACES = {name: place for place, name in enumerate(SUMMARY_NAMES)}


class Pair:
    """
    A distinct (name, context, kind) of sequences; `aim.query.table.QueryPair` is what a query needs of it.

    Attributes:
        context_text: equal for equal contexts.
        kind: one of `aim.core.kinds.QUERY_SUBJECTS`, or the type of other objects.
    """

    def __init__(
        self,
        slots: Slots,
        name: str,
        context: Mapping[str, Any],
        context_text: str,
        kind: str,
        load: Load | None = None,
        base_count: int = 0,
    ) -> None:
        self.name = name
        self.context = context
        self.context_text = context_text
        self.kind = kind
        self.is_numeric = kind == "metric"
        self._all = slots
        self._load = load
        self._base_count = base_count if load else 0
        self._changed: dict[int, SequenceSummary] = {}
        self._lengths: dict[int, int] = {}  # of the longest list, where it was looked up since
        self._base_slots: SlotArray | None = None
        self._slots: SlotArray | None = None
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._dense: dict[str, npt.NDArray[Any]] = {}
        self._dense_version = -1
        self._is_shared = False  # the arrays are those of a copy too

    @cached_property
    def order(self) -> tuple[int, str, str]:
        """Sorts pairs as the sequences of a run are listed: by context, then name."""
        return contexts.identity(self.context), self.name, self.kind

    def copied(self, slots: Slots) -> Pair:
        """Return a copy over *slots*, a copy of this one's, that changes by itself. Cost: 2 us, and the changes."""
        with self._all.lock:
            self._is_shared = True
            other = copy.copy(self)
            other._all, other._changed, other._lengths = slots, dict(self._changed), dict(self._lengths)
            other._arrays, other._dense = dict(self._arrays), dict(self._dense)
            return other

    def _unshare(self) -> None:
        if self._is_shared:
            self._is_shared = False
            self._arrays = {name: array.copy() for name, array in self._arrays.items()}

    # changes

    def set(self, slot: int, summary: SequenceSummary) -> None:
        """Say what the sequence of the run in *slot*, whose base is stale or which has none, is in short."""
        known = self._changed.get(slot)
        if known == summary:
            return
        self._changed[slot] = summary
        self._lengths.pop(slot, None)
        place = self._place(slot)
        if place < 0:
            self._forget()
            return
        self._unshare()
        for name, array in self._arrays.items():
            array[place] = summary[_PLACES[name]]
        self._dense.clear()

    def clear(self, slot: int) -> None:
        """Say that the run in *slot*, whose base is stale, has no such sequence; free when it had none before."""
        had = self._changed.pop(slot, None) is not None
        if had or self._place(slot) >= 0:
            self._forget()

    def set_length(self, slot: int, length: int) -> None:
        """Say how long the longest list of objects is, which was unknown."""
        with self._all.lock:
            self._lengths[slot] = length
            place = self._place(slot)
            if place >= 0 and "record_max_length" in self._arrays:
                self._unshare()
                self._arrays["record_max_length"][place] = length
            self._dense.clear()

    def _place(self, slot: int) -> int:
        if self._slots is None:
            return -1
        place = int(np.searchsorted(self._slots, slot))
        return place if place < len(self._slots) and self._slots[place] == slot else -1

    def _forget(self) -> None:
        self._slots = None
        self._arrays.clear()
        self._dense.clear()

    # what a query asks

    def slots(self) -> SlotArray:
        """Return the slots of the runs that have this sequence, deleted ones included, increasing."""
        with self._all.lock:
            if self._slots is None:
                base = self._base()
                if self._all.stale_count:
                    base = base[~self._all.stale(base)]
                if self._changed:
                    base = np.sort(np.append(base, np.fromiter(self._changed, np.int64, len(self._changed))))
                self._slots = base
            return self._slots

    def rows(self) -> SlotArray:
        """Return the rows of the runs that have this sequence, increasing."""
        if not self._all.dead_count:
            return self.slots()
        return self._row_dense(SLOTS_NAME, lambda slots: self._all.rows_of(slots))

    def summary(self, name: str) -> npt.NDArray[Any] | None:
        """Return one summary value of each sequence, in the order of `rows`; None where this kind has no such value."""
        if not has_summary(name, self.is_numeric):
            return None
        return self._rowed(name)

    def stored_kinds(self) -> npt.NDArray[Any]:
        """Return the number of each sequence's stored kind, in the order of `rows`."""
        return self._rowed("stored_kind")

    def _rowed(self, name: str) -> npt.NDArray[Any]:
        with self._all.lock:
            array = self._array(name)
            return self._row_dense(name, lambda _: array) if self._all.dead_count else array

    def value(self, slot: int) -> SequenceSummary | None:
        """Return the summary of one run's sequence, None when it has none."""
        known = self._changed.get(slot)
        if known is not None:
            return known
        with self._all.lock:
            self.slots()
            place = self._place(slot)
            if place < 0:
                return None
            return SequenceSummary(*(self._array(name)[place].item() for name in SUMMARY_NAMES))

    def is_empty(self) -> bool:
        """Return whether no run has this sequence."""
        if self._base_count > self._all.stale_count + self._all.dead_count:
            return False
        return len(self.rows()) == 0

    def _row_dense(self, name: str, make: Callable[[SlotArray], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        # without the runs that were deleted
        with self._all.lock:
            if self._dense_version != self._all.version:
                self._dense.clear()
                self._dense_version = self._all.version
            known = self._dense.get(name)
            if known is None:
                slots = self.slots()
                alive = self._all.alive()[slots]
                source = make(slots[alive])
                known = self._dense[name] = source[alive] if len(source) == len(alive) else source
            return known

    def _base(self) -> SlotArray:
        if self._base_slots is None:
            self._base_slots = np.empty(0, np.int64) if self._load is None else self._load(SLOTS_NAME).astype(np.int64)
        return self._base_slots

    def _array(self, name: str) -> npt.NDArray[Any]:
        known = self._arrays.get(name)
        if known is None:
            known = self._arrays[name] = self._make(name)
        return known

    def _fresh(self) -> dict[str, tuple[Any, ...]]:
        """Return what changed as columns, for making all arrays at once."""
        return dict(zip(SUMMARY_NAMES, zip(*self._changed.values())))

    def _make(self, name: str, fresh: Mapping[str, Sequence[Any]] | None = None) -> npt.NDArray[Any]:
        slots = self.slots()
        base = self._base()
        dtype = DTYPES[name]
        if self._load is not None and not self._changed and len(slots) == len(base):
            return self._with_lengths(name, self._load(name).astype(dtype))
        array = np.empty(len(slots), dtype)
        if self._load is not None and len(base):
            keep = ~self._all.stale(base)
            array[np.searchsorted(slots, base[keep])] = self._load(name)[keep]
        if self._changed:
            count = len(self._changed)
            place = _PLACES[name]
            column = fresh[name] if fresh else [summary[place] for summary in self._changed.values()]
            array[np.searchsorted(slots, np.fromiter(self._changed, np.int64, count))] = column
        return self._with_lengths(name, array)

    def _with_lengths(self, name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if name == "record_max_length":
            for slot, length in self._lengths.items():
                place = self._place(slot)
                if place >= 0:
                    array[place] = length
        return array

    def pack(self) -> None:
        """Make what is known now the base, in memory; what is little is left as it is."""
        if self._load is None and len(self._changed) < PACK_MIN:
            return  # only what never had a base: of another one the base would speak again
        arrays: dict[str, npt.NDArray[Any]] = {SLOTS_NAME: self.slots()}
        fresh = self._fresh()
        for name in SUMMARY_NAMES:
            arrays[name] = smallest(self._make(name, fresh))
        self._load = arrays.__getitem__
        self._base_slots = arrays[SLOTS_NAME]
        self._base_count = len(self._base_slots)
        self._changed.clear()
        self._lengths.clear()
        self._forget()

    def compact(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays, by name, of the runs that are there: what a snapshot keeps."""
        found = {SLOTS_NAME: self.rows()}
        fresh = self._fresh()
        for name in SUMMARY_NAMES:
            array = self._make(name, fresh)
            found[name] = array[self._all.alive()[self.slots()]] if self._all.dead_count else array
        return found

    def items(self) -> list[tuple[int, Sequence[Any]]]:
        """Return row and summary of each run that is there, by row: `compact` for few of them."""
        if self._load is not None or self._lengths:
            arrays = [array.tolist() for array in self.compact().values()]
            return [(row, summary) for row, *summary in zip(*arrays, strict=True)]
        found = sorted(self._changed.items())
        if not self._all.dead_count:
            return list(found)
        alive = [(slot, summary) for slot, summary in found if not self._all.is_dead(slot)]
        rows = self._all.rows_of(np.array([slot for slot, _ in alive], np.int64)).tolist()
        return [(row, summary) for row, (_, summary) in zip(rows, alive, strict=True)]


def has_summary(name: str, is_numeric: bool) -> bool:
    """Return whether sequences of numbers, or of objects, have a summary value."""
    if is_numeric:
        return name in _PLACES and name not in ("record_max_length", "stored_kind")
    return name in ("count", "first_step", "last_step", "record_max_length")
