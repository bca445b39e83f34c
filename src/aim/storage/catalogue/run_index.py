"""
The runs of a table: their hashes, slots and rows, and their order by age.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aim.storage.catalogue.columns import Column
from aim.storage.catalogue.slots import SlotArray, Slots


class HashColumn:
    """The column of run hashes: all are distinct."""

    def __init__(self, hashes: list[str]) -> None:
        self.codes = np.arange(len(hashes), dtype=np.int32)
        self.values: Sequence[object] = hashes
        self.numbers: npt.NDArray[np.float64] | None = None
        self.is_number: npt.NDArray[np.bool_] | None = None


class RunIndex:
    """
    The runs by hash and in order.

    Args:
        hashes: of the base's runs, by slot.
    """

    def __init__(self, hashes: Sequence[str]) -> None:
        self.slots = Slots(len(hashes))
        self._hashes = list(hashes)  # by slot
        self._slot_of = {run_hash: slot for slot, run_hash in enumerate(hashes)}
        self._row_hashes: list[str] | None = None
        self._hash_column: HashColumn | None = None
        self._newest_first: SlotArray | None = None

    def copied(self) -> RunIndex:
        """Return a copy that changes by itself."""
        other = copy.copy(self)
        other.slots, other._slot_of, other._hashes = self.slots.copied(), dict(self._slot_of), list(self._hashes)
        return other

    def add(self, run_hash: str) -> int:
        """Add a run; return its slot."""
        slot = self.slots.add()
        self._hashes.append(run_hash)
        self._slot_of[run_hash] = slot
        self._row_hashes = self._hash_column = None
        return slot

    def remove(self, run_hash: str) -> int | None:
        """Remove a run; return the slot that it had, or None."""
        slot = self._slot_of.pop(run_hash, None)
        if slot is not None:
            self.slots.remove(slot)
            self._row_hashes = self._hash_column = None
            self.forget_order()
        return slot

    def slot_of(self, run_hash: object) -> int | None:
        """Return the slot of a run, or None."""
        return self._slot_of.get(run_hash)  # type: ignore[call-overload, no-any-return]

    def row_of(self, run_hash: str) -> int | None:
        """Return the row of a run, or None."""
        slot = self._slot_of.get(run_hash)
        return None if slot is None else int(self.slots.rows_of(np.array([slot]))[0])

    def hashes(self) -> list[str]:
        """Return the hash of each row; the same list until a run joins or leaves."""
        if self._row_hashes is None:
            hashes = self._hashes
            has_dead = self.slots.dead_count > 0
            self._row_hashes = [hashes[slot] for slot in self.slots.slots().tolist()] if has_dead else list(hashes)
        return self._row_hashes

    def hash_column(self) -> HashColumn:
        """Return the hashes as a column."""
        if self._hash_column is None:
            self._hash_column = HashColumn(self.hashes())
        return self._hash_column

    def forget_order(self) -> None:
        """Let the order be made anew: the time of a run has changed."""
        self._newest_first = None

    def newest_first(self, creation_times: Column) -> SlotArray:
        """Return all rows, the newest run first; of runs of one moment, by hash."""
        if self._newest_first is None:
            distinct = [value if isinstance(value, float) else 0.0 for value in creation_times.values]
            times = np.array([*distinct, 0.0])[creation_times.codes]
            order = np.argsort(-times, kind="stable")
            ordered = times[order]
            if (ordered[1:] == ordered[:-1]).any():
                order = np.lexsort((np.array(self.hashes()), -times))
            self._newest_first = order
        return self._newest_first
