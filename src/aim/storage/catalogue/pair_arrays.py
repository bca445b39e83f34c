"""
The summaries of one pair as arrays beside the slots of the runs that have it.

    slots        0      2      3     7              increasing
    last         0.41   0.39   nan   0.40           and likewise first, min, max ... : an array for each field
    stored_kind  0      0      1     0

As a column (columns.py), it is a base, each array of it read when it is first asked for, and changes by slot. Arrays
in memory are patched when a run's values change, and made again when a run joins or leaves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.summaries import Summary
from aim.storage.catalogue.catalogue_row import CatalogueSequence
from aim.storage.catalogue.slots import SlotArray, Slots
from aim.storage.catalogue.snapshot import smallest
from aim.storage.catalogue.summaries import DTYPES

SLOTS_NAME = "slots"
STORED_KIND = "stored_kind"
ARRAY_DTYPES: dict[str, npt.DTypeLike] = {**{field: DTYPES[field] for field in Summary._fields}, STORED_KIND: np.int64}
"""The arrays beside the slots, and the type of each."""

PACK_MIN = 64  # a pair of fewer runs takes less memory as it is than as an array for each field

LoadArray = Callable[[str], npt.NDArray[Any]]
"""Reads one array of the base: `slots`, or one of `ARRAY_DTYPES`."""


class PairArrays:
    """
    The arrays of one pair.

    Args:
        load: of the base, which has *base_count* runs.
    """

    def __init__(self, slots: Slots, load: LoadArray | None = None, base_count: int = 0) -> None:
        self._slots = slots
        self._load = load
        self.base_count = base_count if load else 0
        self._changed: dict[int, CatalogueSequence] = {}
        self._looked_up: dict[str, dict[int, float]] = {}  # what was unknown, by field and slot
        self._base_slots: SlotArray | None = None
        self._member_slots: SlotArray | None = None
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._is_shared = False  # the arrays are those of a copy too
        self.version = 0

    def copied(self, slots: Slots) -> PairArrays:
        """Return a copy over *slots*, a copy of this one's, that changes by itself. Cost: 2 us, and the changes."""
        self._is_shared = True
        other = copy.copy(self)
        other._slots, other._changed, other._arrays = slots, dict(self._changed), dict(self._arrays)
        other._looked_up = {field: dict(values) for field, values in self._looked_up.items()}
        return other

    def _unshare(self) -> None:
        if self._is_shared:
            self._is_shared = False
            self._arrays = {name: array.copy() for name, array in self._arrays.items()}

    # changes

    def set(self, slot: int, sequence: CatalogueSequence) -> None:
        """Set the sequence of the run in *slot*, whose base is stale or which has none."""
        if self._changed.get(slot) == sequence:
            return
        self._changed[slot] = sequence
        for values in self._looked_up.values():
            values.pop(slot, None)
        index = self._index(slot)
        if index < 0:
            self._forget()
            return
        self._unshare()
        for name, array in self._arrays.items():
            array[index] = sequence.stored_kind if name == STORED_KIND else getattr(sequence.summary, name)
        self.version += 1

    def clear(self, slot: int) -> None:
        """Remove the sequence of the run in *slot*, whose base is stale; free when it had none before."""
        was_changed = self._changed.pop(slot, None) is not None
        if was_changed or self._index(slot) >= 0:
            self._forget()

    def set_looked_up(self, field: str, slot: int, value: float) -> None:
        """Set a value that was unknown."""
        self._looked_up.setdefault(field, {})[slot] = value
        index = self._index(slot)
        if index >= 0 and field in self._arrays:
            self._unshare()
            self._arrays[field][index] = value
        self.version += 1

    def looked_up_slots(self, field: str) -> Collection[int]:
        """Return the slots whose value of *field* was looked up."""
        return self._looked_up.get(field, {}).keys()

    def _index(self, slot: int) -> int:
        """Return where *slot* stands in the arrays; -1: nowhere, or the arrays have to be made again."""
        if self._member_slots is None:
            return -1
        index = int(np.searchsorted(self._member_slots, slot))
        return index if index < len(self._member_slots) and self._member_slots[index] == slot else -1

    def _forget(self) -> None:
        self._member_slots = None
        self._arrays.clear()
        self.version += 1

    # what there is

    def slots(self) -> SlotArray:
        """Return the slots of the runs that have this sequence, deleted ones included, increasing."""
        if self._member_slots is None:
            members = self._base()
            if self._slots.stale_count:
                members = members[~self._slots.stale(members)]
            if self._changed:
                members = np.sort(np.append(members, np.fromiter(self._changed, np.int64, len(self._changed))))
            self._member_slots = members
        return self._member_slots

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return one array, in the order of `slots`."""
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = self._made(name)
        return array

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays by name, made at once and not kept."""
        changed = self._changed_columns()
        return {name: self._made(name, changed) for name in ARRAY_DTYPES}

    def changes_only(self) -> list[tuple[int, CatalogueSequence]] | None:
        """Return slot and sequence of each run, by slot, when there is nothing but changes; else None."""
        return sorted(self._changed.items()) if self._load is None and not self._looked_up else None

    def pack(self) -> None:
        """Make what is known now the base, in memory; what is little is left as it is."""
        if self._load is None and len(self._changed) < PACK_MIN:
            return  # only what never had a base: the base of another one would count again
        arrays = {SLOTS_NAME: self.slots(), **{name: smallest(array) for name, array in self.arrays().items()}}
        self._load = arrays.__getitem__
        self._base_slots = arrays[SLOTS_NAME]
        self.base_count = len(self._base_slots)
        self._changed.clear()
        self._looked_up.clear()
        self._forget()

    def _base(self) -> SlotArray:
        if self._base_slots is None:
            self._base_slots = np.empty(0, np.int64) if self._load is None else self._load(SLOTS_NAME).astype(np.int64)
        return self._base_slots

    def _changed_columns(self) -> dict[str, Sequence[Any]]:
        """Return what changed as a column for each array."""
        if not self._changed:
            return {}
        summaries, stored_kinds = zip(*self._changed.values(), strict=True)
        return {**dict(zip(Summary._fields, zip(*summaries, strict=True), strict=True)), STORED_KIND: stored_kinds}

    def _changed_column(self, name: str) -> list[Any]:
        if name == STORED_KIND:
            return [sequence.stored_kind for sequence in self._changed.values()]
        return [getattr(sequence.summary, name) for sequence in self._changed.values()]

    def _made(self, name: str, changed: Mapping[str, Sequence[Any]] | None = None) -> npt.NDArray[Any]:
        slots = self.slots()
        base = self._base()
        dtype = ARRAY_DTYPES[name]
        if self._load is not None and not self._changed and len(slots) == len(base):
            array = self._load(name).astype(dtype)
        else:
            array = np.empty(len(slots), dtype)
            if self._load is not None and len(base):
                is_current = ~self._slots.stale(base)
                array[np.searchsorted(slots, base[is_current])] = self._load(name)[is_current]
            if self._changed:
                column = changed[name] if changed else self._changed_column(name)
                array[np.searchsorted(slots, np.fromiter(self._changed, np.int64, len(self._changed)))] = column
        for slot, value in self._looked_up.get(name, {}).items():
            index = self._index(slot)
            if index >= 0:
                array[index] = value
        return array
