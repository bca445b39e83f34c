"""
The arrays of one pair: after sequences came, changed and went, against a dict by slot.
"""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import pytest

from aim.core.summaries import Summary
from aim.storage.catalogue.catalogue_row import CatalogueSequence
from aim.storage.catalogue.pair_arrays import ARRAY_DTYPES, PACK_MIN, SLOTS_NAME, STORED_KIND, PairArrays
from aim.storage.catalogue.slots import Slots
from tests.storage.catalogue.table_model import random_summary


class Expected:
    """The same as a dict: the sequence of each slot, and what was looked up since it was set."""

    def __init__(self) -> None:
        self.sequences: dict[int, CatalogueSequence] = {}

    def copied(self) -> Expected:
        """Return a copy."""
        other = Expected()
        other.sequences = dict(self.sequences)
        return other

    def look_up(self, slot: int, median: float) -> None:
        """Set the median of a sequence that is there."""
        sequence = self.sequences[slot]
        summary = sequence.summary._replace(median=median)
        self.sequences[slot] = CatalogueSequence(summary, sequence.stored_kind)


class Pair:
    """A pair and its oracle, changed alike."""

    def __init__(self, slots: Slots, arrays: PairArrays, expected: Expected) -> None:
        self.slots, self.arrays, self.expected = slots, arrays, expected

    def copied(self) -> Pair:
        """Return a copy that changes by itself."""
        slots = self.slots.copied()
        return Pair(slots, self.arrays.copied(slots), self.expected.copied())

    def change(self, chance: random.Random) -> None:
        """Do one thing of those that a catalogue does."""
        draw = chance.random()
        slot = chance.randrange(self.slots.count) if self.slots.count else self.slots.add()
        if draw < 0.15:
            self.slots.add()
        elif draw < 0.5:
            self.slots.make_stale(slot)
            sequence = CatalogueSequence(random_summary(chance, True), chance.randrange(4))
            self.arrays.set(slot, sequence)
            self.expected.sequences[slot] = sequence
        elif draw < 0.65:
            self.slots.make_stale(slot)
            self.arrays.clear(slot)
            self.expected.sequences.pop(slot, None)
        elif draw < 0.8 and slot in self.expected.sequences:
            value = chance.choice([0.25, -7.5])
            self.arrays.set_looked_up("median", slot, value)
            self.expected.look_up(slot, value)
        elif draw < 0.9:
            name = chance.choice(list(ARRAY_DTYPES))
            self.arrays.array(name)
        elif draw < 0.93:
            self.arrays.pack()
            if self.arrays.changes_only() is None:
                self.slots.rebase()

    def check(self) -> None:
        """Compare all arrays with the dict."""
        members = sorted(self.expected.sequences)
        assert members == self.arrays.slots().tolist()
        rows = [self.expected.sequences[slot] for slot in members]
        at_once = self.arrays.arrays()
        assert list(ARRAY_DTYPES) == list(at_once)
        for name, dtype in ARRAY_DTYPES.items():
            values = [row.stored_kind if name == STORED_KIND else getattr(row.summary, name) for row in rows]
            kept = self.arrays.array(name)
            assert (values, np.dtype(dtype)) == (kept.tolist(), kept.dtype)
            assert (values, np.dtype(dtype)) == (at_once[name].tolist(), at_once[name].dtype)


@pytest.mark.parametrize("seed", range(12))
def test_arrays_say_what_was_set(seed: int) -> None:
    """
    Whatever was asked before, each array has the value of every run that has the sequence, in the order of slots; a
    copy and its original change apart.
    """
    chance = random.Random(seed)
    slots = Slots()
    pairs = [Pair(slots, PairArrays(slots), Expected())]
    for number in range(120):
        for pair in pairs:
            pair.change(chance)
        if number in (30, 70):
            pairs.append(pairs[-1].copied())
        if chance.random() < 0.3:
            for pair in pairs:
                pair.check()
    for pair in pairs:
        pair.check()


def some_sequence(value: float = 0.5) -> CatalogueSequence:
    """Return a sequence whose last value is *value*."""
    summary = random_summary(random.Random(0), True)
    return CatalogueSequence(summary._replace(last=value), 1)


class Base:
    """A base of runs 0, 2 and 5 that counts what is read of it."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, name: str) -> npt.NDArray[np.float64] | npt.NDArray[np.int8]:
        """Return an array of the base."""
        self.read.append(name)
        return np.array([0, 2, 5], np.int8) if name == SLOTS_NAME else np.array([1.0, 2.0, 3.0])


def test_each_array_of_the_base_is_read_when_it_is_asked_for_and_once() -> None:
    """A question for `last` reads the slots and `last`; asked again it reads nothing."""
    base = Base()
    arrays = PairArrays(Slots(6), base, 3)
    assert [] == base.read
    assert ([0, 2, 5], [1.0, 2.0, 3.0]) == (arrays.slots().tolist(), arrays.array("last").tolist())
    assert [1.0, 2.0, 3.0] == arrays.array("last").tolist()
    assert [SLOTS_NAME, "last"] == base.read


def test_the_base_does_not_count_for_a_stale_run() -> None:
    """A run that was read again has its new value, or none; the others keep those of the base."""
    slots = Slots(6)
    arrays = PairArrays(slots, Base(), 3)
    for slot in (2, 5):
        slots.make_stale(slot)
    arrays.set(2, some_sequence(9.0))
    arrays.clear(5)
    assert ([0, 2], [1.0, 9.0]) == (arrays.slots().tolist(), arrays.array("last").tolist())


def test_the_version_grows_with_each_change_and_with_nothing_else() -> None:
    """Setting the same again and clearing what is not there change nothing, so that what was made of it stays."""
    slots = Slots()
    slot, other = slots.add(), slots.add()
    arrays = PairArrays(slots)
    versions = [arrays.version]
    for change in (
        lambda: arrays.set(slot, some_sequence()),
        lambda: arrays.slots(),
        lambda: arrays.set(slot, some_sequence(0.25)),
        lambda: arrays.set_looked_up("median", slot, 3.0),
        lambda: arrays.clear(slot),
    ):
        change()
        versions.append(arrays.version)
    assert [0, 1, 1, 2, 3, 4] == versions
    arrays.clear(other)
    arrays.set(slot, some_sequence())
    arrays.set(slot, some_sequence())
    assert 5 == arrays.version


def test_what_was_looked_up_counts_until_the_run_has_a_new_sequence() -> None:
    """A median that was found for earlier points says nothing of later ones."""
    slots = Slots()
    slot = slots.add()
    arrays = PairArrays(slots)
    arrays.set(slot, some_sequence())
    arrays.set_looked_up("median", slot, 3.0)
    assert ([3.0], [slot]) == (arrays.array("median").tolist(), list(arrays.looked_up_slots("median")))
    arrays.set(slot, some_sequence(0.75))
    assert ([some_sequence().summary.median], []) == (
        arrays.array("median").tolist(),
        list(arrays.looked_up_slots("median")),
    )


def test_few_runs_stay_as_they_are_and_many_are_packed() -> None:
    """
    A pair of few runs says its sequences one by one; with PACK_MIN runs it says arrays only.
    """
    slots = Slots()
    arrays = PairArrays(slots)
    sequences: list[tuple[int, CatalogueSequence]] = []
    for index in range(PACK_MIN):
        arrays.pack()
        assert sequences == arrays.changes_only()
        sequences.append((slots.add(), some_sequence(float(index))))
        arrays.set(*sequences[-1])
    assert 0 == arrays.base_count
    arrays.pack()
    assert (None, PACK_MIN) == (arrays.changes_only(), arrays.base_count)
    assert [sequence.summary.last for _, sequence in sequences] == arrays.array("last").tolist()
    assert Summary._fields == tuple(name for name in arrays.arrays() if name != STORED_KIND)


@pytest.mark.parametrize("change", ["set", "look up"])
def test_a_change_of_one_copy_leaves_the_arrays_of_the_other(change: str) -> None:
    """The copies hold the same arrays until one of them changes."""
    slots = Slots()
    slot = slots.add()
    arrays = PairArrays(slots)
    arrays.set(slot, some_sequence())
    before = arrays.array("median").tolist()
    other = arrays.copied(slots.copied())
    if change == "set":
        arrays.set(slot, CatalogueSequence(some_sequence().summary._replace(median=9.0), 1))
    else:
        arrays.set_looked_up("median", slot, 9.0)
    assert ([9.0], before) == (arrays.array("median").tolist(), other.array("median").tolist())
