"""
Points of a writer that are read in several looks: what came late, twice, or as a sealed file.
"""

from __future__ import annotations

import numpy as np

from aim.storage.cluster.cluster_points import PointColumns, WriterColumns
from aim.storage.cluster.cluster_sealed import SEALED


def columns_of(slots: list[int]) -> PointColumns:
    """Return points whose steps and values follow from their slots."""
    column = np.array(slots, np.uint64)
    steps = (column % np.uint64(SEALED)).astype(np.int64)
    return PointColumns(steps, steps.astype(np.float64), column)


def test_slots_behind_a_gap_are_asked_for_again() -> None:
    """
    Of slots 0 to 5 the third comes late: the next look begins there, and nothing is doubled.
    """
    columns = WriterColumns()
    columns.take({1: columns_of([0, 2]), 2: columns_of([1, 4, 5])}, columns.first_slot(6))
    first = columns.first_slot(6)
    columns.take({1: columns_of([3]), 2: columns_of([4, 5])}, first)

    assert (3, 6) == (first, columns.next_slot)
    assert ([0, 2, 3], [1, 4, 5]) == tuple(columns.by_number[number].slots.tolist() for number in (1, 2))


def test_points_of_a_sealed_file_replace_those_of_the_journal() -> None:
    """
    While the head does not say that the file is whole, its rows are left out; then only they count.
    """
    columns = WriterColumns()
    columns.take({1: columns_of([0, 1, SEALED])}, columns.first_slot(2))
    before = columns.by_number[1].steps.tolist()
    first = columns.first_slot(SEALED + 3)
    columns.take({1: columns_of([SEALED, SEALED + 1]), 2: columns_of([SEALED + 2])}, first)

    assert ([0, 1], SEALED) == (before, first)
    assert ([0, 1], [2]) == tuple(columns.by_number[number].steps.tolist() for number in (1, 2))
    assert SEALED + 3 == columns.next_slot
