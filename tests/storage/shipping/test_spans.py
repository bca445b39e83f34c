"""
Sets of whole numbers as ranges.
"""

from __future__ import annotations

import random

import pytest

from aim.storage.shipping.spans import Spans


@pytest.mark.parametrize("seed", range(20))
def test_ranges_are_what_a_set_of_numbers_is(seed: int) -> None:
    """
    After any additions and removals the ranges hold the numbers that a set holds, and do not touch.
    """
    chance = random.Random(seed)
    spans, numbers = Spans(), set[int]()
    for _ in range(100):
        start = chance.randrange(60)
        stop = start + chance.randrange(12)
        if chance.random() < 0.6:
            spans.add(start, stop)
            numbers |= set(range(start, stop))
        else:
            spans.remove(start, stop)
            numbers -= set(range(start, stop))

    assert numbers == {number for start, stop in spans for number in range(start, stop)}
    assert numbers == {number for number in range(80) if number in spans}
    assert set(range(80)) - numbers == {number for start, stop in spans.gaps(0, 80) for number in range(start, stop)}
    assert (len(numbers), max(numbers, default=-1) + 1) == (spans.count, spans.end)
    stops = [stop for _, stop in spans]
    assert all(stop < start for stop, (start, _) in zip(stops, list(spans)[1:]))


def test_the_prefix_ends_at_the_first_gap() -> None:
    """
    The prefix counts the numbers from 0 on without a gap.
    """
    assert [0, 4, 0] == [spans.prefix for spans in (Spans(), Spans([(0, 4), (5, 9)]), Spans([(1, 9)]))]
