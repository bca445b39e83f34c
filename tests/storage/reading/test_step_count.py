"""
How many steps a sequence has: the size of the union of its parts, however they overlap, in bounded memory.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.forms.records import IntArray
from aim.storage.reading.step_count import distinct_count


class Part:
    """Steps that count how often they are read."""

    def __init__(self, steps: list[int]) -> None:
        self.steps: IntArray = np.array(steps, np.int64)
        self.read_count = 0

    def __call__(self) -> IntArray:
        """Read them."""
        self.read_count += 1
        return self.steps


STEPS = st.integers(-20, 20) | st.sampled_from([-(2**63), 2**63 - 1, 2**62])


@given(st.lists(st.lists(STEPS, max_size=12), max_size=6), st.integers(1, 8))
def test_it_is_the_size_of_the_union(parts: list[list[int]], joined_max: int) -> None:
    """
    Parts in any order, with gaps, with repeated steps, at the ends of 64 bits, and cut into pieces of any size.
    """
    expected = len({step for part in parts for step in part})

    assert expected == distinct_count([Part(part) for part in parts], joined_max=joined_max)


def test_parts_that_follow_each_other_are_read_once() -> None:
    """
    What one writer after the other recorded is added up; nothing is joined.
    """
    parts = [Part(list(range(start, start + 100))) for start in range(0, 1000, 100)]

    assert 1000 == distinct_count(parts, joined_max=10)
    assert [1] * 10 == [part.read_count for part in parts]


@pytest.mark.parametrize("joined_max", [50, 10_000])
def test_many_overlapping_steps_are_counted_in_pieces(joined_max: int) -> None:
    """
    Ten parts that reach over the whole range, with every step twice.
    """
    parts = [Part(list(range(start % 5, 1000, 5))) for start in range(10)]

    assert 1000 == distinct_count(parts, joined_max=joined_max)
