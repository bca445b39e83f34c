"""
Slots and rows, while runs come and go.
"""

from __future__ import annotations

import random

import pytest

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
