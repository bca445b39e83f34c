"""
Bounds: sizes through all depths, steps, and the clock.
"""

from __future__ import annotations

import time

import pytest

from aim.query import limits
from aim.query.limits import Budget, Pile, TooMuch, bounded, piled, weigh


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 1),
        (7, 1),
        (0.5, 1),
        ("", 1),
        ("adam", 5),
        (b"ab", 3),
        ([], 1),
        ([1, 2], 3),
        (("ab", [1]), 6),
        ({"a": 1}, 4),
        ({1, 2}, 3),
        (range(10**12), 1),
    ],
)
def test_the_weight_of_a_value_counts_what_is_in_it(value: object, expected: int) -> None:
    """
    Characters and items count at every depth, and each value counts as one itself.
    """
    assert expected == weigh(value)


def test_a_list_that_stands_in_many_places_counts_in_each() -> None:
    """
    A list that occurs several times takes little memory but much work, so it counts each time.
    """
    inner = [0] * 400
    assert weigh([inner] * 200) > 80_000

    with pytest.raises(TooMuch):
        weigh([inner] * 300)


def test_nesting_that_doubles_is_stopped_early() -> None:
    """
    Forty lists that each hold the one before twice have a trillion items; counting ends at the bound.
    """
    value: list[object] = []
    for _ in range(40):
        value = [value, value]
    begin = time.thread_time()

    with pytest.raises(TooMuch):
        weigh(value)

    assert time.thread_time() - begin < 1.0


@pytest.mark.parametrize(
    "value",
    ["a" * (limits.SIZE_MAX + 1), [0] * (limits.SIZE_MAX + 1), 1 << limits.INT_BITS_MAX, [1 << limits.INT_BITS_MAX]],
)
def test_a_value_beyond_the_bounds_is_refused(value: object) -> None:
    """
    Too long a text, too many items, too large an integer, at the top or within.
    """
    with pytest.raises(TooMuch):
        bounded(value)


@pytest.mark.parametrize(
    "value",
    [
        "a" * limits.SIZE_MAX,
        [0] * (limits.SIZE_MAX - 1),
        ["a" * (limits.SIZE_MAX - 2)],
        dict.fromkeys(range(limits.SIZE_MAX // 2 - 1)),
        (1 << limits.INT_BITS_MAX) - 1,
        [-(1 << limits.INT_BITS_MAX) + 1],
    ],
)
def test_a_value_at_the_bounds_is_given_back(value: object) -> None:
    """
    The largest text, list, dict and integer are within.
    """
    assert value is bounded(value)


@pytest.mark.parametrize(
    "value",
    [["a" * (limits.SIZE_MAX - 1)], dict.fromkeys(range(limits.SIZE_MAX // 2)), [["a"] * (limits.SIZE_MAX // 2)]],
)
def test_a_value_just_beyond_the_bounds_is_refused(value: object) -> None:
    """
    Keys and values count, characters within lists too.
    """
    with pytest.raises(TooMuch):
        bounded(value)


def test_a_value_within_the_bounds_is_given_back() -> None:
    """
    `bounded` returns the same value, not a copy.
    """
    value = ["a"]

    assert value is bounded(value)


def test_a_pile_is_refused_while_it_grows() -> None:
    """
    Of a million long texts only as many are made as fit.
    """
    made = []

    def texts() -> object:
        for number in range(1_000_000):
            made.append(number)
            yield "a" * 1000

    with pytest.raises(TooMuch):
        piled(texts())  # type: ignore[arg-type]

    assert len(made) <= limits.SIZE_MAX // 1000


def test_a_pile_keeps_its_items() -> None:
    """
    The items of a pile are in the order in which they were added.
    """
    pile = Pile()
    pile.add("a")
    pile.add(1)

    assert ["a", 1] == pile.items
    assert 3 == pile.size


def test_a_budget_ends_with_its_steps() -> None:
    """
    Repetitions are counted even if they take no time.
    """
    budget = Budget(60.0)

    budget.spend(limits.STEPS_MAX // 2)

    with pytest.raises(TooMuch, match="more than 50,000,000 times"):
        budget.spend(limits.STEPS_MAX)


def test_a_budget_ends_with_its_time() -> None:
    """
    The clock is looked at every few repetitions.
    """
    budget = Budget(0.0)

    for _ in range(limits.CLOCK_EVERY_STEPS):
        budget.spend()

    with pytest.raises(TooMuch, match="takes longer than 0 s"):
        budget.spend()


def test_calls_are_counted_while_they_last() -> None:
    """
    Calls one after the other do not add up; calls within calls do.
    """
    budget = Budget()
    for _ in range(3 * limits.CALL_DEPTH_MAX):
        budget.enter()
        budget.leave()

    for _ in range(limits.CALL_DEPTH_MAX):
        budget.enter()
    with pytest.raises(TooMuch, match="20 deep"):
        budget.enter()
