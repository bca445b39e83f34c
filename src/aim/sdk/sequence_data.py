"""
`SequenceData`: the columns of a sequence, value, epoch and time, by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aim.core.errors import UsageError
from aim.core.words import counted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aim.storage.reading.points import Points

    Array = npt.NDArray[Any]

COLUMNS = ("val", "epoch", "time")


class UnknownColumn(UsageError, ValueError):
    """A column that a sequence's data does not have."""


class EmptySample(UsageError, ValueError):
    """A sample of less than one point."""


class SequenceData:
    """
    The columns of a sequence: `val`, `epoch` and `time`, by step. It does not change when more is tracked.

    Args:
        points: all points of the sequence.
        read_objects: returns the object, or the list of objects, of one point.
        columns: the columns that this view has.
        positions: the rows of *points* that it has; None: all.
    """

    def __init__(
        self,
        points: Points,
        read_objects: Callable[[Points, int], Any],
        columns: Sequence[str] = COLUMNS,
        positions: npt.NDArray[np.int64] | None = None,
    ) -> None:
        import numpy as np

        self._points = points
        self._read_objects = read_objects
        self._columns = tuple(columns)
        self._positions = np.arange(len(points)) if positions is None else positions

    def __len__(self) -> int:
        return len(self._positions)

    def __repr__(self) -> str:
        return f"<SequenceData of {counted(len(self), 'point')}: {', '.join(self._columns)}>"

    def _array(self, column: str) -> Array:
        if column == "epoch":
            return self._points.epochs[self._positions]
        if column == "time":
            return self._points.times_s[self._positions]
        if self._points.is_numeric:
            return self._points.values[self._positions]
        import numpy as np

        objects = np.empty(len(self), object)
        objects[:] = self._objects()
        return objects

    def _objects(self) -> list[Any]:
        return [self._read_objects(self._points, int(position)) for position in self._positions]

    def _list(self, column: str) -> list[Any]:
        if column == "val" and not self._points.is_numeric:
            return self._objects()
        values = self._array(column).tolist()
        return [None if value != value else value for value in values] if column == "epoch" else values

    def indices_list(self) -> list[int]:
        """Return the steps."""
        steps: list[int] = self.indices_numpy().tolist()
        return steps

    def indices(self) -> Iterator[int]:
        """Go through the steps."""
        return iter(self.indices_list())

    def indices_numpy(self) -> Array:
        """Return the steps as an array of shape (n,)."""
        return self._points.steps[self._positions]

    def values_list(self) -> list[list[Any]]:
        """Return the columns, each a list in the order of steps."""
        return [self._list(column) for column in self._columns]

    def values(self) -> Iterator[tuple[Any, ...]]:
        """Go through the rows without their steps."""
        return zip(*self.values_list(), strict=True)

    def items_list(self) -> tuple[list[int], list[list[Any]]]:
        """Return (steps, columns)."""
        return self.indices_list(), self.values_list()

    def items(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Go through (step, (value, epoch, time))."""
        return zip(self.indices_list(), self.values(), strict=True)

    def __iter__(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        return self.items()

    def numpy(self) -> tuple[Array, list[Array]]:
        """Return (steps, columns) as arrays of shape (n,); a missing epoch is NaN."""
        return self.indices_numpy(), [self._array(column) for column in self._columns]

    def view(self, columns: str | Sequence[str]) -> SequenceData:
        """
        Return the same points with only some of the columns `val`, `epoch`, `time`.

        Raises:
            UnknownColumn: (a ValueError) there is no such column.
        """
        names = (columns,) if isinstance(columns, str) else tuple(columns)
        if not names:
            raise UnknownColumn(f"A view has one column or more of: {', '.join(COLUMNS)}.")
        for name in names:
            if name not in COLUMNS:
                raise UnknownColumn(f"{name!r} is no column of a sequence. The columns are: {', '.join(COLUMNS)}.")
        return SequenceData(self._points, self._read_objects, names, self._positions)

    def range(self, start: int | None = None, stop: int | None = None) -> SequenceData:
        """Return the points with start <= step < stop."""
        import numpy as np

        steps = self.indices_numpy()
        low = 0 if start is None else int(np.searchsorted(steps, start))
        high = len(steps) if stop is None else int(np.searchsorted(steps, stop))
        return self._at(self._positions[low : max(low, high)])

    def sample(self, k: int) -> SequenceData:
        """
        Return at most *k* points, evenly spread, the first and the last among them (the last, if *k* is 1).

        Raises:
            EmptySample: (a ValueError) *k* is less than 1.
        """
        import numpy as np

        if k < 1:
            raise EmptySample(f"A sample has 1 point or more, not {k}.")
        if k >= len(self):
            return self
        rows = np.linspace(0, len(self) - 1, k).round().astype(np.int64) if k > 1 else np.array([len(self) - 1])
        return self._at(self._positions[rows])

    def _at(self, positions: npt.NDArray[np.int64]) -> SequenceData:
        return SequenceData(self._points, self._read_objects, self._columns, positions)
