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


class PairChanges:
    """
    What changed in a pair since its base.

    Attributes:
        sequences: by slot.
        looked_up: values that were unknown, by field and slot.
    """

    def __init__(self) -> None:
        self.sequences: dict[int, CatalogueSequence] = {}
        self.looked_up: dict[str, dict[int, float]] = {}

    def copied(self) -> PairChanges:
        """Return a copy that changes by itself."""
        other = PairChanges()
        other.sequences = dict(self.sequences)
        other.looked_up = {field: dict(values) for field, values in self.looked_up.items()}
        return other

    def set(self, slot: int, sequence: CatalogueSequence) -> None:
        """Set the sequence of a run; what was looked up for the run before counts no longer."""
        self.sequences[slot] = sequence
        for values in self.looked_up.values():
            values.pop(slot, None)

    def slots(self) -> SlotArray:
        """Return the slots that have a new sequence, in the order of `columns`."""
        return np.fromiter(self.sequences, np.int64, len(self.sequences))

    def columns(self) -> dict[str, Sequence[Any]]:
        """Return the new sequences as a column for each array."""
        if not self.sequences:
            return {}
        summaries, stored_kinds = zip(*self.sequences.values(), strict=True)
        return {**dict(zip(Summary._fields, zip(*summaries, strict=True), strict=True)), STORED_KIND: stored_kinds}

    def column(self, name: str) -> list[Any]:
        """Return one of `columns`."""
        if name == STORED_KIND:
            return [sequence.stored_kind for sequence in self.sequences.values()]
        return [getattr(sequence.summary, name) for sequence in self.sequences.values()]

    def only(self) -> list[tuple[int, CatalogueSequence]] | None:
        """Return slot and sequence of each run, by slot; None when values were looked up."""
        return None if self.looked_up else sorted(self.sequences.items())


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
        self._changes = PairChanges()
        self._base_slots: SlotArray | None = None
        self._member_slots: SlotArray | None = None
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._is_shared = False  # the arrays are those of a copy too
        self.version = 0

    def copied(self, slots: Slots) -> PairArrays:
        """Return a copy over *slots*, a copy of this one's, that changes by itself. Cost: 2 us, and the changes."""
        self._is_shared = True
        other = copy.copy(self)
        other._slots, other._changes, other._arrays = slots, self._changes.copied(), dict(self._arrays)
        return other

    def _unshare(self) -> None:
        if self._is_shared:
            self._is_shared = False
            self._arrays = {name: array.copy() for name, array in self._arrays.items()}

    # changes

    def set(self, slot: int, sequence: CatalogueSequence) -> None:
        """Set the sequence of the run in *slot*, whose base is stale or which has none."""
        if self._changes.sequences.get(slot) == sequence:
            return
        self._changes.set(slot, sequence)
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
        was_changed = self._changes.sequences.pop(slot, None) is not None
        if was_changed or self._index(slot) >= 0:
            self._forget()

    def set_looked_up(self, field: str, slot: int, value: float) -> None:
        """Set a value that was unknown."""
        self._changes.looked_up.setdefault(field, {})[slot] = value
        index = self._index(slot)
        if index >= 0 and field in self._arrays:
            self._unshare()
            self._arrays[field][index] = value
        self.version += 1

    def looked_up_slots(self, field: str) -> Collection[int]:
        """Return the slots whose value of *field* was looked up."""
        return self._changes.looked_up.get(field, {}).keys()

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
            if self._changes.sequences:
                members = np.sort(np.append(members, self._changes.slots()))
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
        columns = self._changes.columns()
        return {name: self._made(name, columns.get(name)) for name in ARRAY_DTYPES}

    def changes_only(self) -> list[tuple[int, CatalogueSequence]] | None:
        """Return slot and sequence of each run, by slot, when there is nothing but changes; else None."""
        return self._changes.only() if self._load is None else None

    def pack(self) -> None:
        """Make what is known now the base, in memory; what is little is left as it is."""
        if self._load is None and len(self._changes.sequences) < PACK_MIN:
            return  # only what never had a base: the base of another one would count again
        arrays = {SLOTS_NAME: self.slots(), **{name: smallest(array) for name, array in self.arrays().items()}}
        self._load = arrays.__getitem__
        self._base_slots = arrays[SLOTS_NAME]
        self.base_count = len(self._base_slots)
        self._changes = PairChanges()
        self._forget()

    def _base(self) -> SlotArray:
        if self._base_slots is None:
            self._base_slots = np.empty(0, np.int64) if self._load is None else self._load(SLOTS_NAME).astype(np.int64)
        return self._base_slots

    def _made(self, name: str, column: Sequence[Any] | None = None) -> npt.NDArray[Any]:
        slots = self.slots()
        base = self._base()
        dtype = ARRAY_DTYPES[name]
        if self._load is not None and not self._changes.sequences and len(slots) == len(base):
            array = self._load(name).astype(dtype)
        else:
            array = np.empty(len(slots), dtype)
            if self._load is not None and len(base):
                is_current = ~self._slots.stale(base)
                array[np.searchsorted(slots, base[is_current])] = self._load(name)[is_current]
            if self._changes.sequences:
                column = self._changes.column(name) if column is None else column
                array[np.searchsorted(slots, self._changes.slots())] = column
        for slot, value in self._changes.looked_up.get(name, {}).items():
            index = self._index(slot)
            if index >= 0:
                array[index] = value
        return array


def base_and_changes(arrays: PairArrays) -> tuple[LoadArray | None, Mapping[int, CatalogueSequence]]:
    """Return what reads the base of a pair, None when there is none, and the sequences that changed, by slot."""
    return arrays._load, arrays._changes.sequences
