"""
Points that another machine holds, asked for when they are needed, and no more of them than that.

    len, first, last, first_step, last_step     the ends, one question for all of them
    `tail_of`                                   the last points
    everything else                             all points; from then on nothing is asked

They are those of the first question: what is tracked after it is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy.typing as npt

from aim.storage.forms.records import IntArray
from aim.storage.reading.points import ColumnsReader, Points, part_of


class LastPoints(NamedTuple):
    """
    The last points of a sequence.

    Attributes:
        points: the last ones, or all.
        point_count: how many points there are.
        first: the first step and its value.
    """

    points: Points
    point_count: int
    first: tuple[int, Any]


class AskedPoints:
    """
    Points of which as many are asked for as are needed. Its members are those of `Points` of these names.

    >>> import numpy as np
    >>> def points(*steps: int) -> Points:
    ...     return Points(np.array(steps), np.array(steps) / 2, lambda: (np.empty(0), np.empty(0)), (), kind="float")
    >>> asked = AskedPoints(lambda: points(0, 10, 20), lambda count: LastPoints(points(20), 3, (0, 0.0)))
    >>> asked.last(), len(asked), asked.is_read
    ((20, 10.0), 3, False)
    >>> asked.values.tolist(), asked.is_read
    ([0.0, 5.0, 10.0], True)

    Args:
        read_all: returns all points.
        read_last: returns so many last points, or all of them.
    """

    # no `cached_property`: before Python 3.12 all instances share its lock, which would be held while a server is asked

    def __init__(self, read_all: Callable[[], Points], read_last: Callable[[int], LastPoints]) -> None:
        self._read_all = read_all
        self._read_last = read_last
        self._reader = ColumnsReader(lambda: (self.steps, self.values), self._span)
        self._all: Points | None = None
        self._end: LastPoints | None = None

    def _whole(self) -> Points:
        if self._all is None:
            self._all = _as_long_as(self._end, self._read_all())
        return self._all

    def _ends(self) -> LastPoints:
        if self._end is None:
            self._end = self._read_last(1)
            if len(self._end.points) == self._end.point_count:  # one point, or a server that sends all
                self._all = self._end.points
        return self._end

    @property
    def is_read(self) -> bool:
        """Whether all points are in memory."""
        return self._all is not None

    @property
    def steps(self) -> IntArray:
        """The steps: shape (n,), int64, increasing."""
        return self._whole().steps

    @property
    def values(self) -> npt.NDArray[Any]:
        """The values, shape (n,)."""
        return self._whole().values

    def __len__(self) -> int:
        return self._ends().point_count if self._all is None else len(self._all)

    def first(self) -> tuple[int, Any]:
        """Return the first step and its value, as a Python number. Raises IndexError when there is none."""
        count = len(self)
        return self._whole().first() if not count or self._end is None else self._end.first

    def last(self) -> tuple[int, Any]:
        """Return the last step and its value, as a Python number. Raises IndexError when there is none."""
        return self._ends().points.last() if self._all is None else self._all.last()

    def first_step(self) -> int:
        """Return the first step. Raises IndexError when there is none."""
        return self.first()[0]

    def last_step(self) -> int:
        """Return the last step. Raises IndexError when there is none."""
        return self.last()[0]

    def _span(self, start: int, stop: int) -> tuple[IntArray, npt.NDArray[Any]] | None:
        count = len(self)
        if stop < count or start == 0 or stop <= start:
            return None
        last = self._read_last(stop - start)
        return (last.points.steps, last.points.values) if last.point_count == count else None  # else more was tracked


def _as_long_as(end: LastPoints | None, points: Points) -> Points:
    """Return the points that there were when the ends were asked for, if no others came in between."""
    if end is None or not 0 < end.point_count < len(points):
        return points
    earlier = part_of(points, 0, end.point_count)
    return earlier if earlier.last_step() == end.points.last_step() else points
