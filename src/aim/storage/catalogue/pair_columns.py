"""
The sequences of all small pairs of a table at once, as columns.

    the base of pairs that share a block of the file   ->  `BaseSequences`, one for each block
    what changed of small pairs since                  ->  `ChangedSequences`
    pairs of many runs                                 ->  `others`, to be asked one by one

A run with 100,000 metrics has 100,000 pairs of one run. Asking each for its rows and ten values costs 50 us a pair and
keeps a dozen small arrays for each; a column of a block costs some ns a pair, and is in memory once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from aim.storage.catalogue.catalogue_row import CatalogueSequence
from aim.storage.catalogue.pair_arrays import ARRAY_DTYPES, SLOTS_NAME, STORED_KIND, base_and_changes
from aim.storage.catalogue.pair_blocks import SHARED_ROWS_MAX, BlockPart, PairBlock
from aim.storage.catalogue.pairs import Pair
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.slots import SlotArray, Slots


class SequenceColumns(Protocol):
    """
    Sequences of several pairs and runs.

    Attributes:
        pair_indices: of each sequence, not decreasing.
        slots: of each sequence's run.
    """

    pair_indices: SlotArray
    slots: SlotArray

    def column(self, name: str, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return one of `pair_arrays.ARRAY_DTYPES` for the sequences at *positions*, indices or a mask."""


class BaseSequences:
    """The sequences of one block for which the base counts; `SequenceColumns`."""

    def __init__(self, block: PairBlock, parts: Sequence[tuple[int, int, int]], slots: Slots) -> None:
        starts, stops, indices = np.array(parts, np.int64).T
        counts = stops - starts
        rows = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        run_slots = block.array(SLOTS_NAME)[rows].astype(np.int64)
        counts_still = slots.alive()[run_slots] & ~slots.stale(run_slots)
        self.pair_indices: SlotArray = np.repeat(indices, counts)[counts_still]
        self.slots: SlotArray = run_slots[counts_still]
        self._block = block
        self._rows = rows[counts_still]

    def column(self, name: str, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return one array for the sequences at *positions*. Cost: that of the block, the first time."""
        values: npt.NDArray[Any] = self._block.array(name)[self._rows[positions]]
        return values.astype(ARRAY_DTYPES[name])


class ChangedSequences:
    """Sequences that were read again since the base was written; `SequenceColumns`."""

    def __init__(self, changes: Sequence[tuple[int, int, CatalogueSequence]], slots: Slots) -> None:
        alive = slots.alive()
        self._sequences = [change for change in changes if alive[change[1]]]
        self.pair_indices: SlotArray = np.array([change[0] for change in self._sequences], np.int64)
        self.slots: SlotArray = np.array([change[1] for change in self._sequences], np.int64)

    def column(self, name: str, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return one array for the sequences at *positions*."""
        chosen = np.arange(len(self._sequences))[positions].tolist()
        sequences = (self._sequences[index][2] for index in chosen)
        if name == STORED_KIND:
            return np.array([sequence.stored_kind for sequence in sequences], ARRAY_DTYPES[name])
        return np.array([getattr(sequence.summary, name) for sequence in sequences], ARRAY_DTYPES[name])


class SmallPairs:
    """
    The pairs of few runs of a table, as it is when this is made.

    Attributes:
        parts: their sequences; a sequence is in one of the parts only, a pair may be in several.
        others: the indices of the other pairs, increasing.
    """

    def __init__(self, pairs: Sequence[Pair], slots: Slots) -> None:
        self.others: list[int] = []
        blocks: dict[PairBlock, list[tuple[int, int, int]]] = {}
        changes: list[tuple[int, int, CatalogueSequence]] = []
        for index, pair in enumerate(pairs):
            base, changed = base_and_changes(pair.arrays)
            is_small = base is None or (isinstance(base, BlockPart) and base.is_shared)
            if not is_small or len(changed) > SHARED_ROWS_MAX:
                self.others.append(index)
                continue
            if isinstance(base, BlockPart):
                blocks.setdefault(base.block, []).append((base.start, base.stop, index))
            changes += [(index, slot, sequence) for slot, sequence in changed.items()]
        self.parts: list[SequenceColumns] = [BaseSequences(block, parts, slots) for block, parts in blocks.items()]
        if changes:
            self.parts.append(ChangedSequences(changes, slots))


_latest: WeakKeyDictionary[RunTable, tuple[object, SmallPairs]] = WeakKeyDictionary()


def small_pairs(table: RunTable) -> SmallPairs:
    """Return the small pairs of a table; the same object while nothing changes. Cost: 0.5 us a pair."""
    slots = table.runs.slots
    with slots.lock:
        stamp = (table.version, len(table.pairs), slots.shape, slots.stale_count)
        latest = _latest.get(table)
        if latest is None or latest[0] != stamp:
            latest = _latest[table] = (stamp, SmallPairs(table.pairs, slots))
        return latest[1]
