"""
Slots and rows: after runs came and went, against a list of who is there.
"""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from aim.storage.catalogue.slots import Slots


class Expected:
    """The same as lists: of each slot whether its run is there, and whether its base is stale."""

    def __init__(self, base_count: int) -> None:
        self.is_alive = [True] * base_count
        self.is_stale = [False] * base_count

    def rows(self) -> list[int]:
        """Return the slot of each row."""
        return [slot for slot, is_alive in enumerate(self.is_alive) if is_alive]

    def copied(self) -> Expected:
        """Return a copy."""
        other = Expected(0)
        other.is_alive, other.is_stale = list(self.is_alive), list(self.is_stale)
        return other


def check(slots: Slots, expected: Expected) -> None:
    """Compare all that is asked of slots."""
    rows = expected.rows()
    count = len(expected.is_alive)
    assert (count, len(rows), count - len(rows)) == (slots.count, slots.row_count, slots.dead_count)
    assert (expected.is_alive, rows) == (slots.alive().tolist(), slots.slots().tolist())
    assert rows == [slots.slot_of(row) for row in range(len(rows))]
    assert list(range(len(rows))) == slots.rows_of(np.array(rows, np.int64)).tolist()
    assert [not is_alive for is_alive in expected.is_alive] == [slots.is_dead(slot) for slot in range(count)]
    base = expected.is_stale[: slots.base_count]
    assert (base, sum(base)) == (slots.stale().tolist(), slots.stale_count)
    assert base[::-1] == slots.stale(np.arange(slots.base_count)[::-1]).tolist()


@pytest.mark.parametrize("base_count", [0, 1, 5])
@pytest.mark.parametrize("seed", range(4))
def test_rows_leave_out_the_deleted_runs(base_count: int, seed: int) -> None:
    """
    A slot stays when its run is deleted, and is not used again; rows count the others, in the order of the slots.
    """
    chance = random.Random(seed)
    slots, expected = Slots(base_count), Expected(base_count)
    for _ in range(150):
        draw, count = chance.random(), len(expected.is_alive)
        if draw < 0.5 or not count:
            assert count == slots.add()
            expected.is_alive.append(True)
            expected.is_stale.append(False)
        elif draw < 0.75:
            slot = chance.randrange(count)
            slots.remove(slot)
            expected.is_alive[slot] = False
        elif draw < 0.97:
            slot = chance.randrange(count)
            slots.make_stale(slot)
            if slot < slots.base_count:
                expected.is_stale[slot] = True
        else:
            slots.rebase()
            expected.is_stale = [False] * count
        if chance.random() < 0.3:
            check(slots, expected)
    check(slots, expected)


def test_a_copy_changes_by_itself() -> None:
    """
    What happens to a copy leaves the original, and the other way round.
    """
    slots, expected = Slots(3), Expected(3)
    slots.remove(1)
    expected.is_alive[1] = False
    check(slots, expected)
    copied, expected_copied = slots.copied(), expected.copied()
    copied.remove(0)
    copied.make_stale(2)
    copied.add()
    expected_copied.is_alive[0], expected_copied.is_stale[2] = False, True
    expected_copied.is_alive.append(True)
    slots.make_stale(0)
    expected.is_stale[0] = True

    check(copied, expected_copied)
    check(slots, expected)
    assert slots.lock is copied.lock


def test_the_shape_changes_when_rows_stand_for_other_runs() -> None:
    """
    Adding and removing runs change it; a second removal, and what concerns the base only, do not.
    """
    slots = Slots(2)
    shapes = [slots.shape]
    same = (lambda: slots.remove(0), lambda: slots.make_stale(1), slots.rebase)
    for change in (slots.add, lambda: slots.remove(0), *same, slots.add):
        change()
        shapes.append(slots.shape)

    assert [True, True, False, False, False, True] == [before != after for before, after in itertools.pairwise(shapes)]
    assert 1 == slots.version


def test_a_slot_of_no_base_is_never_stale() -> None:
    """
    Only the base can be out of date: what came later has none.
    """
    slots = Slots(1)
    slots.add()
    slots.make_stale(1)
    slots.make_stale(0)
    slots.make_stale(0)

    assert (1, [True]) == (slots.stale_count, slots.stale().tolist())
    slots.rebase()
    assert (0, 2, [False, False]) == (slots.stale_count, slots.base_count, slots.stale().tolist())
