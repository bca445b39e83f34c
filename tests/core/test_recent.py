"""
The cache with a bound: what stays, what is dropped, and when a value is made anew.
"""

from __future__ import annotations

import gc
import threading

import pytest

from aim.core.recent import MemoryBound, Recent


def test_the_value_that_was_not_used_for_the_longest_time_is_dropped() -> None:
    """
    Looking a value up counts as a use.
    """
    recent: Recent[str, int] = Recent(2)
    for key in "ab":
        recent.put(key, None, ord(key))

    recent.lookup("a")
    recent.put("c", None, ord("c"))

    assert [("a", 97), ("c", 99)] == recent.items()


def test_sizes_count_where_they_are_said() -> None:
    """
    With `size_of` the bound is one of bytes, and a value that replaces another one counts once.
    """
    recent: Recent[str, bytes] = Recent(10, len)
    recent.put("a", None, bytes(6))
    recent.put("a", None, bytes(4))
    recent.put("b", None, bytes(6))

    assert ["a", "b"] == [key for key, _ in recent.items()]


def test_the_newest_value_stays_even_when_it_is_too_large() -> None:
    """
    A value that is larger than the bound drops all others, and is itself cached.
    """
    recent: Recent[str, bytes] = Recent(10, len)
    recent.put("a", None, bytes(6))
    recent.put("b", None, bytes(60))

    assert [("b", bytes(60))] == recent.items()


def test_a_size_is_that_of_the_moment_when_the_value_was_put() -> None:
    """
    A value that grows after it was put counts as it was; put again, it counts as it is.
    """
    recent: Recent[str, list[int]] = Recent(4, len)
    grown = recent.put("a", None, [1])
    grown += [2, 3]
    recent.put("b", None, [1])
    recent.put("a", None, grown)

    assert 2 == len(recent)
    recent.put("c", None, [1])
    assert ["a", "c"] == [key for key, _ in recent.items()]


@pytest.mark.parametrize(("stamp", "expected"), [(1, "old"), (2, "new")])
def test_a_value_with_another_stamp_is_made_anew(stamp: int, expected: str) -> None:
    """
    A cached value is returned only for the stamp with which it was put.
    """
    recent: Recent[str, str] = Recent(2)
    recent.put("a", 1, "old")

    assert expected == recent.get("a", stamp, lambda: "new")


def test_what_is_dropped_is_handed_over_and_what_is_popped_is_not() -> None:
    """
    `on_drop` gets the values that the bound drops, and no others.
    """
    dropped: list[str] = []
    recent: Recent[str, str] = Recent(1, on_drop=dropped.append)
    recent.put("a", None, "A")
    recent.put("b", None, "B")
    popped = recent.pop("b")

    assert ("B", ["A"]) == (popped, dropped)
    assert recent.pop("b") is None


def test_the_bound_holds_while_many_threads_put() -> None:
    """
    Threads that put values at once leave as many as the bound allows.
    """
    recent: Recent[int, int] = Recent(8)

    def work(first: int) -> None:
        for key in range(first, first + 500):
            recent.get(key % 40, None, lambda: 1)

    threads = [threading.Thread(target=work, args=(number * 7,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 8 == len(recent)


def test_caches_with_one_bound_give_up_what_they_used_least() -> None:
    """
    The largest cache drops its oldest values first; the newest value of each stays, however large it is.
    """
    bound = MemoryBound(100)
    small, large = Recent[str, int](1_000, int, bound=bound), Recent[str, int](1_000, int, bound=bound)
    dropped: list[int] = []
    other = Recent[str, int](1_000, int, dropped.append, bound=bound)

    small.put("a", None, 10)
    small.put("b", None, 10)
    for number in range(5):
        large.put(str(number), None, 20 + number)

    assert ([("a", 10), ("b", 10)], [("2", 22), ("3", 23), ("4", 24)]) == (small.items(), large.items())
    assert 89 == bound.size_bytes
    other.put("c", None, 60)
    other.put("d", None, 500)
    assert ([60], [("b", 10)], [("4", 24)]) == (dropped, small.items(), large.items())
    assert not other.drop_oldest()


def test_a_bound_that_is_not_set_drops_nothing_and_holds_no_cache() -> None:
    """
    Without a number each cache has its own bound only; a cache that nobody holds does not count.
    """
    bound = MemoryBound()
    recent = Recent[str, int](1_000, int, bound=bound)
    recent.put("a", None, 900)
    recent.put("b", None, 90)
    assert 990 == bound.size_bytes

    del recent
    gc.collect()

    assert 0 == bound.size_bytes
