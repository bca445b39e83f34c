"""
Slots and rows, while runs come and go.
"""

from __future__ import annotations

import random

import pytest

from aim.storage.catalogue.columns import Column
from aim.storage.catalogue.run_index import RunIndex


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_the_runs_that_are_left(seed: int) -> None:
    """
    After any adding and removing the rows are the runs that are left, in the order in which they came.
    """
    chance = random.Random(seed)
    index = RunIndex(["first", "second"])
    expected = ["first", "second"]
    for number in range(200):
        if expected and chance.random() < 0.4:
            run_hash = chance.choice(expected)
            index.remove(run_hash)
            expected.remove(run_hash)
        else:
            index.add(f"{number}")
            expected.append(f"{number}")
        rows = [index.row_of(run_hash) for run_hash in expected]

        assert expected == index.hashes()
        assert list(range(len(expected))) == rows
        assert len(expected) == index.slots.row_count
        assert expected == [index.hashes()[row] for row in rows if row is not None]


def test_a_removed_run_has_no_row() -> None:
    """
    A run that was removed is unknown, and removing it again does nothing.
    """
    index = RunIndex(["first", "second"])

    assert 0 == index.remove("first")
    assert index.remove("first") is None
    assert (None, 0) == (index.row_of("first"), index.row_of("second"))


def test_a_copy_changes_by_itself() -> None:
    """
    What happens to a copy leaves the original as it is.
    """
    index = RunIndex(["first"])
    copied = index.copied()
    copied.add("second")
    copied.remove("first")

    assert (["first"], ["second"]) == (index.hashes(), copied.hashes())


def test_the_hashes_are_a_column_of_distinct_values() -> None:
    """
    Each row has its own code; the column and the list of hashes are made again only when a run joins or leaves.
    """
    index = RunIndex(["a", "b"])
    column, hashes = index.hash_column(), index.hashes()
    assert ([0, 1], ["a", "b"], None, None) == (
        column.codes.tolist(), column.values, column.numbers, column.is_number,
    )  # fmt: skip
    assert column is index.hash_column()
    assert hashes is index.hashes()
    index.add("c")
    assert ["a", "b", "c"] == index.hash_column().values == index.hashes()
    index.remove("a")

    assert ["b", "c"] == index.hash_column().values == index.hashes()
    assert [0, 1] == index.hash_column().codes.tolist()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([1.0, 3.0, 2.0], ["b", "c", "a"]),
        ([2.0, 2.0, 2.0], ["a", "b", "c"]),
        ([1.0, 2.0, 2.0], ["b", "c", "a"]),
        ([None, -1.0, "text"], ["a", "c", "b"]),
        ([0.0, None, 5.0], ["c", "a", "b"]),
    ],
)
def test_the_newest_run_comes_first(times: list[object], expected: list[str]) -> None:
    """
    Runs of one moment come by their hash; what is no time counts as 0.
    """
    index = RunIndex(["a", "b", "c"])
    column = Column(index.slots)
    for slot, moment in enumerate(times):
        if moment is not None:
            column.set(slot, moment)

    assert expected == [index.hashes()[row] for row in index.newest_first(column)]


def test_the_order_is_made_anew_when_a_time_changes() -> None:
    """
    It is kept until it is forgotten, or a run leaves.
    """
    index = RunIndex(["a", "b", "c"])
    column = Column(index.slots)
    for slot in range(3):
        column.set(slot, float(slot))
    assert [2, 1, 0] == index.newest_first(column).tolist()
    column.set(0, 9.0)
    assert [2, 1, 0] == index.newest_first(column).tolist()
    index.forget_order()
    assert [0, 2, 1] == index.newest_first(column).tolist()
    index.remove("c")

    assert [0, 1] == index.newest_first(column).tolist()


@pytest.mark.parametrize("run_hash", ["gone", None, 5])
def test_what_is_no_run_has_no_slot(run_hash: object) -> None:
    """
    An unknown hash, and what can't be one.
    """
    index = RunIndex(["a"])

    assert (None, 0) == (index.slot_of(run_hash), index.slot_of("a"))
