"""
A journal before it is sealed: whether it is whole, and what it holds, read one segment after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aim.storage.disk import layout
from aim.storage.forms import records
from aim.storage.forms.records import IntArray


class JournalCount(NamedTuple):
    """
    What a journal holds.

    Attributes:
        is_whole: no segment and no page is damaged.
        slot_count: slots up to the last one that was filled in each segment.
        counts: the points of each sequence.
        first_us: the earliest time of each sequence, in Unix microseconds.
        last_us: the latest time of all; 0 where there are no points.
    """

    is_whole: bool
    slot_count: int
    counts: dict[int, int]
    first_us: dict[int, int]
    last_us: int

    def times(self) -> tuple[IntArray, IntArray]:
        """Return numbers of sequences and times that say of each when it begins, and of all when they end."""
        numbers = [*self.first_us, *list(self.first_us)[:1]]
        return np.array(numbers, np.int64), np.array([*self.first_us.values(), self.last_us][: len(numbers)], np.int64)


def counted_journal(folder: Path, writer: str, segments: Sequence[int]) -> JournalCount:
    """
    Read all segments once.

    Raises:
        FileNotFoundError: a segment vanished: it was sealed meanwhile.

    Cost: 20 ns a point, and the memory of one segment.
    """
    is_whole, slot_count, last_us = True, 0, 0
    counts: Counter[int] = Counter()
    first_us: dict[int, int] = {}
    for number in segments:
        path = layout.segment_file(folder, writer, number)
        content = records.read_live_segment(path)
        is_whole = is_whole and not records.check_segment(path.name, content)
        slots = records.slots_of(content)
        slot_count += records.used_count(slots)
        recorded = records.filled(slots)
        if not len(recorded):
            continue
        order = np.argsort(recorded["sequence"], kind="stable")
        sequences, starts, lengths = np.unique(recorded["sequence"][order], return_index=True, return_counts=True)
        times_us = records.time_us(recorded)[order]
        counts.update(dict(zip(sequences.tolist(), lengths.tolist())))
        for sequence, begun_us in zip(sequences.tolist(), np.minimum.reduceat(times_us, starts).tolist()):
            first_us[sequence] = min(begun_us, first_us.get(sequence, begun_us))
        last_us = max(last_us, int(times_us.max())) if last_us else int(times_us.max())
    return JournalCount(is_whole, slot_count, dict(counts), first_us, last_us)
