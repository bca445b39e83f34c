"""
The runs of a catalogue by number: *slots*, which stay, and *rows*, which leave out the deleted runs.

    slot   0   1   2   3        a deleted run's slot stays and is not used again
    row    0   -   1   2        run 1 was deleted; while none was, rows and slots are the same

A column or pair has a *base*, what the snapshot on disk says, and *changes* by slot. The slot of a run that was read
again is *stale*: the base no longer counts for it.

    value  =  base, where not stale  +  changes
"""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

SlotArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Slots:
    """
    Which slots are in use, and for which of them the base counts.

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
        """The number of runs that are not deleted."""
        return self.count - self.dead_count

    @property
    def shape(self) -> tuple[int, int]:
        """What stays the same while the rows stand for the same runs."""
        return self.version, self.count

    def add(self) -> int:
        """Return the slot of a new run."""
        if self.count == len(self._alive):
            extra = max(64, self.count // 4)
            self._alive = np.append(self._alive, np.ones(extra, bool))
        self.count += 1
        self._rows = None
        return self.count - 1

    def remove(self, slot: int) -> None:
        """Mark the run of *slot* as deleted."""
        if self._alive[slot]:
            self._alive[slot] = False
            self.dead_count += 1
            self.version += 1
            self._rows = None

    def rebase(self) -> None:
        """Let the base count for all slots: it was made again from all that is known now."""
        self.base_count = self.count
        self.stale_count = 0
        self._stale = np.zeros(self.count, bool)

    def make_stale(self, slot: int) -> None:
        """Let the base no longer count for *slot*."""
        if slot < self.base_count and not self._stale[slot]:
            self._stale[slot] = True
            self.stale_count += 1

    def stale(self, slots: npt.NDArray[Any] | None = None) -> BoolArray:
        """Return for which of the base's slots, all by default, the base no longer counts."""
        return self._stale if slots is None else self._stale[slots]

    def is_dead(self, slot: int) -> bool:
        """Return whether the run of *slot* was deleted."""
        return not self._alive[slot]

    def alive(self) -> BoolArray:
        """Return for each slot whether its run is not deleted."""
        return self._alive[: self.count]

    def slots(self) -> SlotArray:
        """Return the slot of each row."""
        return np.flatnonzero(self.alive()) if self.dead_count else np.arange(self.count)

    def slot_of(self, row: int) -> int:
        """Return the slot of a row."""
        return int(self.slots()[row]) if self.dead_count else row

    def rows_of(self, slots: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the rows of *slots*, of which none is deleted."""
        if not self.dead_count:
            return slots
        if self._rows is None:
            self._rows = np.cumsum(self.alive()) - 1
        rows: SlotArray = self._rows[slots]
        return rows
