"""
The bounds of a query.

Every value that a query makes is bounded in *size* (characters, bytes and items, counted through all depths), every
integer in bits. Every repetition is counted in a `Budget`, which also has a time limit. So the work of one operation is
bounded by the size of its operands, and no list of operations can run for long.

An operation that passes a bound raises `TooMuch`, which becomes `InvalidQuery` with the span of the operation.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

TEXT_CHARS_MAX = 65_536  # a query that names 2,000 runs by hash is 56,000 characters
NODES_MAX = 20_000  # parts of a query: names, constants, operators
DEPTH_MAX = 50  # operations within operations; each costs some five frames of Python's stack of 1,000
SIZE_MAX = 100_000  # characters and items of a value made by a query
HASHED_MAX = 10_000  # members of a set or dict made by a query: hashes that collide cost n * n
INT_BITS_MAX = 4_096
FORMAT_WIDTH_MAX = 1_000  # `'%5d' % x`, f'{x:>5}', x.ljust(5)
CALL_DEPTH_MAX = 20  # a lambda that calls itself
STEPS_MAX = 50_000_000  # repetitions and calls of lambdas, in one evaluation of the whole query
TIME_S_MAX = 10.0  # of one evaluation of the whole query
CLOCK_EVERY_STEPS = 256  # a look at the clock costs 70 ns
CALL_STEPS = 16  # the steps of one call of a function, which may process SIZE_MAX items


class TooMuch(Exception):
    """An operation would pass a bound, which the text names."""


class Budget:
    """
    The time and the repetitions that one evaluation has left.

    >>> Budget(time_s=1.0).spend(3)
    """

    __slots__ = ("calls", "deadline_s", "steps", "time_s", "until_clock")

    def __init__(self, time_s: float = TIME_S_MAX) -> None:
        self.time_s = time_s
        self.deadline_s = time.monotonic() + time_s
        self.steps = STEPS_MAX
        self.until_clock = CLOCK_EVERY_STEPS
        self.calls = 0

    def spend(self, steps: int = 1) -> None:
        """Count *steps* repetitions. Raises `TooMuch` when no steps or no time are left."""
        self.until_clock -= steps
        if self.until_clock < 0:
            self.steps -= CLOCK_EVERY_STEPS - self.until_clock
            self.until_clock = CLOCK_EVERY_STEPS
            if self.steps < 0:
                raise TooMuch(f"the query repeats something more than {STEPS_MAX:,} times")
            self.look()

    def look(self) -> None:
        """Look at the clock. Raises `TooMuch` when no time is left."""
        if time.monotonic() > self.deadline_s:
            raise TooMuch(
                f"the query takes longer than {self.time_s:g} s; "
                "add a clause that leaves few runs, such as a tag or an experiment"
            )

    def enter(self) -> None:
        """Begin a call of a lambda; `leave` ends it."""
        self.spend()
        self.calls += 1
        if self.calls > CALL_DEPTH_MAX:
            raise TooMuch(f"lambdas call each other more than {CALL_DEPTH_MAX} deep")

    def leave(self) -> None:
        """End a call of a lambda."""
        self.calls -= 1


def weigh(value: object) -> int:
    """
    Return the size of *value*: its characters, bytes and items through all depths, plus one.

    A list that occurs several times counts each time, since operations process each occurrence.

    Raises:
        TooMuch: the size is more than `SIZE_MAX`.

    Cost: O(size), and never more than O(SIZE_MAX).

    >>> weigh("adam"), weigh(7), weigh([1, "ab"])
    (5, 1, 5)
    """
    if isinstance(value, (str, bytes)):
        check_size(len(value))
        return len(value) + 1
    if isinstance(value, int):
        check_bits(value.bit_length())
        return 1
    if not isinstance(value, (list, tuple, dict, set, frozenset)):
        return 1
    size = 0
    waiting: list[object] = [value]
    while waiting:
        item = waiting.pop()
        size += 1
        if isinstance(item, (str, bytes)):
            size += len(item)
        elif isinstance(item, dict):
            check_size(size + 2 * len(item))
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            check_size(size + len(item))
            waiting.extend(item)
        elif isinstance(item, int):
            check_bits(item.bit_length())
    check_size(size)
    return size


def bounded(value: object) -> object:
    """Return *value* if its size is within bounds. Raises `TooMuch` if it is not."""
    weigh(value)
    return value


class Pile:
    """A list that is weighed while it grows, so that it never passes the bounds."""

    __slots__ = ("items", "size")

    def __init__(self) -> None:
        self.items: list[object] = []
        self.size = 0

    def add(self, item: object) -> None:
        """Append *item*. Raises `TooMuch` when all of them together are too large."""
        self.size += weigh(item)
        check_size(self.size)
        self.items.append(item)


def piled(items: Iterable[object]) -> list[object]:
    """Return *items* as a list that is weighed while it grows."""
    pile = Pile()
    for item in items:
        pile.add(item)
    return pile.items


def check_size(size: int) -> None:
    """Raise `TooMuch` if a value of *size* characters or items is too large."""
    if size > SIZE_MAX:
        raise TooMuch(f"this makes a value of more than {SIZE_MAX:,} characters or items")


def check_bits(bits: int) -> None:
    """Raise `TooMuch` if an integer of *bits* bits is too large."""
    if bits > INT_BITS_MAX:
        raise TooMuch(f"this makes an integer of more than {INT_BITS_MAX:,} bits")


def check_hashed(members: int) -> None:
    """Raise `TooMuch` if a set or dict of *members* members is too large."""
    if members > HASHED_MAX:
        raise TooMuch(f"this makes a set or dict of more than {HASHED_MAX:,} members")


def check_width(width: int) -> None:
    """Raise `TooMuch` if a format of *width* characters is too wide."""
    if abs(width) > FORMAT_WIDTH_MAX:
        raise TooMuch(f"this pads a text to more than {FORMAT_WIDTH_MAX:,} characters")
