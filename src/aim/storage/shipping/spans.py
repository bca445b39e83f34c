"""
Which of the numbers 0, 1, 2 ... have been dealt with: bytes of a file, slots of a segment, requests of a shipper.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator


class Spans:
    """
    A set of whole numbers, as ranges that do not touch: `start` included, `stop` excluded.

    >>> spans = Spans([(0, 4)])
    >>> spans.add(6, 9); spans.add(4, 5)
    >>> list(spans), list(spans.gaps(0, 12)), 6 in spans
    ([(0, 5), (6, 9)], [(5, 6), (9, 12)], True)
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for start, stop in ranges:
            self.add(start, stop)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._starts, self._stops)))

    def __contains__(self, number: int) -> bool:
        index = bisect.bisect_right(self._starts, number) - 1
        return index >= 0 and number < self._stops[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and (self._starts, self._stops) == (other._starts, other._stops)

    __hash__ = None  # type: ignore[assignment]

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return sum(self._stops) - sum(self._starts)

    @property
    def end(self) -> int:
        """The number after the largest one; 0: there is none."""
        return self._stops[-1] if self._stops else 0

    @property
    def prefix(self) -> int:
        """How many of the numbers from 0 on there are without a gap."""
        return self._stops[0] if self._starts and self._starts[0] == 0 else 0

    def copy(self) -> Spans:
        """Return a set of the same numbers."""
        copied = Spans()
        copied._starts, copied._stops = self._starts[:], self._stops[:]
        return copied

    def add(self, start: int, stop: int) -> None:
        """Add the numbers from *start* to before *stop*."""
        if start >= stop:
            return
        first = bisect.bisect_left(self._stops, start)
        last = bisect.bisect_right(self._starts, stop)
        if first < last:
            start, stop = min(start, self._starts[first]), max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]

    def remove(self, start: int, stop: int) -> None:
        """Remove the numbers from *start* to before *stop*."""
        if start >= stop:
            return
        remaining = [(low, min(high, start)) for low, high in self] + [(max(low, stop), high) for low, high in self]
        ranges = sorted((low, high) for low, high in remaining if low < high)
        self._starts, self._stops = [low for low, _ in ranges], [high for _, high in ranges]

    def gaps(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Go through the ranges between *start* and *stop* that are not in the set."""
        at = start
        for low, high in self:
            if high <= at:
                continue
            if low >= stop:
                break
            if at < low:
                yield at, low
            at = high
        if at < stop:
            yield at, stop
