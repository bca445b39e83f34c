"""
One property of every run as a column: after values came, changed and went, against a dict by slot.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from aim.storage.catalogue.columns import LOOK_UP_MAX, Column, ColumnBase
from aim.storage.catalogue.distinct_values import MISSING
from aim.storage.catalogue.slots import Slots

FLOATS: list[Any] = [0.5, -0.0, 0.0, float("inf"), 5e-324]
INTS: list[Any] = [0, 7, 2**53 + 1, -(2**63), 2**63 - 1]
MIXED: list[Any] = [1, 1.0, True, None, "adam", [1, 2.5], {}, 2**70, float("nan"), ""]


class Pair:
    """A column and its oracle, a dict by slot, changed alike."""

    def __init__(self, slots: Slots, column: Column, values: dict[int, object], dead: set[int]) -> None:
        self.slots, self.column, self.values, self.dead = slots, column, values, dead

    def copied(self) -> Pair:
        """Return a copy that changes by itself."""
        slots = self.slots.copied()
        return Pair(slots, self.column.copied(slots), dict(self.values), set(self.dead))

    def change(self, chance: random.Random, choices: list[Any]) -> None:
        """Do one thing of those that a catalogue does."""
        draw = chance.random()
        slot = chance.randrange(self.slots.count) if self.slots.count else self.slots.add()
        if draw < 0.2:
            self.slots.add()
        elif draw < 0.6 and slot not in self.dead:
            self.slots.make_stale(slot)
            self.values[slot] = chance.choice(choices)
            self.column.set(slot, self.values[slot])
        elif draw < 0.75:
            self.slots.make_stale(slot)
            self.values.pop(slot, None)
            self.column.clear(slot)
        elif draw < 0.8:
            self.slots.remove(slot)
            self.dead.add(slot)
            self.column.clear(slot)
            self.values.pop(slot, None)

    def check(self) -> None:
        """Compare all that a query asks with the dict."""
        rows = [slot for slot in range(self.slots.count) if slot not in self.dead]
        expected = [self.values.get(slot, MISSING) for slot in rows]
        assert [repr(self.values.get(slot, MISSING)) for slot in range(self.slots.count)] == [
            repr(self.column.value(slot)) for slot in range(self.slots.count)
        ]
        codes, values = self.column.codes.tolist(), self.column.values
        assert list(map(repr, expected)) == [repr(values[code] if code >= 0 else MISSING) for code in codes]
        assert (not self.values) == self.column.is_empty()
        numbers, is_number = self.column.numbers, self.column.is_number
        assert (numbers is None) == (is_number is None)
        if numbers is not None and is_number is not None:
            assert [type(value) in (int, float, bool) for value in expected] == is_number.tolist()
            assert repr([float(value) for value in expected if isinstance(value, (int, float))]) == repr(
                numbers[is_number].tolist()
            )
            assert np.isnan(numbers[~is_number]).all()


def based_on(values: list[Any]) -> ColumnBase:
    """Return a base whose first slots have *values*."""
    return np.arange(len(values), dtype=np.int32), list(values)


@pytest.mark.parametrize("choices", [FLOATS, INTS, MIXED], ids=["floats", "ints", "mixed"])
@pytest.mark.parametrize("seed", range(5))
def test_a_column_says_what_was_set(choices: list[Any], seed: int) -> None:
    """
    Whatever was asked before, each run has the value that was set last, or none; copies change apart.
    """
    chance = random.Random(seed)
    base_count = seed % 3
    slots = Slots(base_count)
    start = dict(enumerate(choices[:base_count]))
    column = Column(slots, lambda: based_on(choices[:base_count]), base_count) if base_count else Column(slots)
    pairs = [Pair(slots, column, dict(start), set())]
    for number in range(150):
        for pair in pairs:
            pair.change(chance, choices)
        if number in (40, 90):
            pairs.append(pairs[-1].copied())
        if chance.random() < 0.2:
            for pair in pairs:
                pair.check()
    for pair in pairs:
        pair.check()


def test_the_base_is_read_when_it_is_first_asked_for_and_once() -> None:
    """A change reads nothing; many questions read the base once."""
    reads: list[int] = []

    def load() -> ColumnBase:
        reads.append(1)
        return based_on(["a", "b"])

    slots = Slots(2)
    column = Column(slots, load, 2)
    column.set(slots.add(), "c")
    assert (False, "c", []) == (column.is_empty(), column.value(2), reads)
    assert (["a", "b", "c"], "a") == ([column.values[code] for code in column.codes], column.value(0))
    assert [1] == reads


@pytest.mark.parametrize("filled", [1, 2])
def test_a_column_whose_values_all_went_is_empty(filled: int) -> None:
    """Whether one is left is known without the base only where more had values than were read again or deleted."""
    slots = Slots(2)
    column = Column(slots, lambda: based_on(["a", "b"][:filled]), filled)
    for slot in range(filled):
        assert not column.is_empty()
        slots.make_stale(slot)
        column.clear(slot)
    assert column.is_empty()


@pytest.mark.parametrize("count", [1, LOOK_UP_MAX, LOOK_UP_MAX + 1, 500])
def test_a_value_that_comes_again_is_not_kept_twice(count: int) -> None:
    """However many values come at once, equal ones of one type have one code."""
    slots = Slots()
    column = Column(slots)
    for _ in range(2):
        for index in range(count):
            column.set(slots.add(), f"v{index}")
        column.apply_changes()
    assert ([f"v{index}" for index in range(count)], list(range(count)) * 2) == (
        list(column.values),
        column.codes.tolist(),
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2.5, 0.5, 2.5], np.array([2.5, 0.5])),
        ([7, -1, 7], np.array([7, -1], np.int64)),
        ([2**63 - 1, -(2**63)], np.array([2**63 - 1, -(2**63)], np.int64)),
        ([2**63, 1], [2**63, 1]),
        ([1, 1.0], [1, 1.0]),
        ([True, False], [True, False]),
        (["a", "b", "a"], ["a", "b"]),
    ],
)
def test_a_compact_column_has_the_values_in_use_in_their_order(values: list[Any], expected: Any) -> None:
    """Values of deleted runs are left out; floats, and ints of 64 bits, are an array."""
    slots = Slots()
    column = Column(slots)
    for value in ["gone", *values]:
        column.set(slots.add(), value)
    column.apply_changes()
    slots.remove(0)
    codes, distinct = column.compact()
    assert type(expected) is type(distinct)
    assert list(map(repr, expected)) == list(map(repr, distinct))
    assert getattr(expected, "dtype", None) == getattr(distinct, "dtype", None)
    assert list(map(repr, values)) == [repr(distinct[code]) for code in codes.tolist()] or isinstance(
        distinct, np.ndarray
    )
    assert values == [distinct[code] for code in codes.tolist()]
