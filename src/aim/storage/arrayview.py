"""
`ArrayView`: Aim 3's view of one column of a sequence. Its indices are the steps, ascending.

A view holds one column (`values`, `epochs` or `timestamps`) as it was when the view was made. The list methods return
Python numbers, the numpy methods arrays. A missing epoch is None in lists and NaN in arrays. An object is restored only
when it is accessed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Generic, SupportsIndex, TypeVar

import numpy as np
import numpy.typing as npt

from aim.core.errors import ReadOnly
from aim.core.words import counted

Value = TypeVar("Value")
Array = npt.NDArray[Any]


class ArrayView(Generic[Value]):
    """
    A column by step.

    Args:
        steps: shape (n,), int64, increasing.
        column: shape (n,), the values; of objects anything, because *restore* is used instead.
        restore: returns the object at a position (not a step); None: the column holds the values themselves.
        restore_each: the same, where several objects are asked for; None: `restore`. It may return what stands for one
            that can't be restored, where `restore` raises.
        dtype: Aim 3's name of the type, or None.
        nan_is_none: return NaN as None in lists.

    >>> view = ArrayView(np.array([0, 10]), np.array([0.5, 0.25]))
    >>> view[10], view.first(), len(view), view.tolist()
    (0.25, (0, 0.5), 2, [0.5, 0.25])
    """

    def __init__(
        self,
        steps: npt.NDArray[np.int64],
        column: Array,
        *,
        restore: Callable[[int], Value] | None = None,
        restore_each: Callable[[int], Value] | None = None,
        dtype: str | None = None,
        nan_is_none: bool = False,
    ) -> None:
        self._steps = steps
        self._column = column
        self._restore = restore
        self._restore_each = restore_each or restore
        self._nan_is_none = nan_is_none
        self.dtype = dtype

    def _at(self, position: int) -> Any:
        if self._restore is not None:
            return self._restore(position)
        value = self._column[position]
        value = value.item() if hasattr(value, "item") else value
        return None if self._nan_is_none and value != value else value

    def _list(self, start: int = 0, stop: int | None = None) -> list[Any]:
        if self._restore_each is not None:
            return [self._restore_each(position) for position in range(*slice(start, stop).indices(len(self._steps)))]
        values = self._column[start:stop].tolist()
        return [None if value != value else value for value in values] if self._nan_is_none else values

    def __len__(self) -> int:
        return len(self._steps)

    def __bool__(self) -> bool:
        return len(self._steps) > 0

    def __iter__(self) -> Iterator[Any]:
        if self._restore_each is not None:
            return map(self._restore_each, range(len(self._steps)))
        return iter(self._list())

    def __contains__(self, step: object) -> bool:
        return self._position(step) is not None

    def _position(self, step: object) -> int | None:
        if not hasattr(step, "__index__"):
            return None
        number = step.__index__()
        position = int(np.searchsorted(self._steps, number))
        return position if position < len(self._steps) and int(self._steps[position]) == number else None

    def __getitem__(self, step: Any) -> Any:
        """
        Return the value at a step, or for a slice `start:stop:stride` of steps the list of values with start <= step <
        stop.

        Raises:
            KeyError: nothing was tracked at that step.
        """
        if isinstance(step, slice):
            positions = self._positions(step)
            return list(map(self._restore_each or self._at, positions.tolist()))
        position = self._position(step)
        if position is None:
            raise KeyError(f"Nothing is tracked at step {step!r}.")
        return self._at(position)

    def _positions(self, steps: slice) -> Array:
        start = 0 if steps.start is None else int(np.searchsorted(self._steps, steps.start))
        stop = len(self._steps) if steps.stop is None else int(np.searchsorted(self._steps, steps.stop))
        positions = np.arange(start, max(start, stop))
        if steps.step is not None and steps.step != 1:
            if steps.step <= 0:
                raise ValueError("A slice of steps goes forward: its stride has to be 1 or more.")
            first = self._steps[start] if steps.start is None and len(positions) else steps.start
            positions = positions[(self._steps[positions] - (first or 0)) % steps.step == 0]
        return positions

    def __setitem__(self, step: object, value: object) -> None:
        raise ReadOnly("A sequence is read only; record points with run.track().")

    def keys(self) -> Iterator[int]:
        """Go through the steps."""
        return iter(self._steps.tolist())

    def indices(self) -> Iterator[int]:
        """Go through the steps."""
        return self.keys()

    def values(self) -> Iterator[Any]:
        """Go through the values in the order of steps."""
        return iter(self)

    def items(self) -> Iterator[tuple[int, Any]]:
        """Go through (step, value)."""
        return zip(self._steps.tolist(), self, strict=True)

    def sparse_list(self) -> tuple[list[int], list[Any]]:
        """Return (steps, values) as lists."""
        return self._steps.tolist(), self._list()

    def indices_list(self) -> list[int]:
        """Return the steps as a list."""
        steps: list[int] = self._steps.tolist()
        return steps

    def values_list(self) -> list[Any]:
        """Return the values as a list, in the order of steps."""
        return self._list()

    def tolist(self) -> list[Any]:
        """Return the values as a list, in the order of steps; gaps between steps are not padded."""
        return self._list()

    def sparse_numpy(self) -> tuple[Array, Array]:
        """Return (steps, values) as arrays of shape (n,)."""
        return self._steps.copy(), self.values_numpy()

    def tail(self, count: SupportsIndex) -> tuple[Array, Array]:
        """
        Return (steps, values) of the last *count* points as arrays, or of all where there are fewer.

        Raises:
            TypeError, ValueError: *count* is no whole number, or negative.

        >>> steps, values = ArrayView(np.array([0, 5, 7]), np.array([1.0, 0.5, 0.25])).tail(2)
        >>> steps.tolist(), values.tolist()
        ([5, 7], [0.5, 0.25])
        """
        first = max(0, len(self) - checked_count(count))
        return self._steps[first:].copy(), self.values_numpy()[first:]

    def indices_numpy(self) -> Array:
        """Return the steps as an array of shape (n,)."""
        return self._steps.copy()

    def values_numpy(self) -> Array:
        """Return the values as an array of shape (n,); objects as an array of objects."""
        if self._restore is None:
            return self._column.copy()
        restored = np.empty(len(self._steps), object)
        restored[:] = self._list()
        return restored

    def first(self) -> tuple[int, Any]:
        """Return the first (step, value). Raises IndexError when there is none."""
        return self.first_idx(), self.first_value()

    def first_idx(self) -> int:
        """Return the first step. Raises IndexError when there is none."""
        return int(self._steps[0])

    def first_value(self) -> Any:
        """Return the value at the first step. Raises IndexError when there is none."""
        return self._at(0)

    def last(self) -> tuple[int, Any]:
        """Return the last (step, value). Raises IndexError when there is none."""
        return self.last_idx(), self.last_value()

    def last_idx(self) -> int:
        """Return the last step. Raises IndexError when there is none."""
        return int(self._steps[-1])

    def last_value(self) -> Any:
        """Return the value at the last step. Raises IndexError when there is none."""
        return self._at(len(self._steps) - 1)

    def __repr__(self) -> str:
        head = "" if self._restore is not None else ", ".join(repr(value) for value in self._list(0, 3))
        more = ", ..." if head and len(self) > 3 else ""
        return f"<ArrayView of {counted(len(self), 'step')}{': ' if head else ''}{head}{more}>"


def checked_count(count: SupportsIndex) -> int:
    """Return a number of points. Raises TypeError, ValueError: it is no whole number, or negative."""
    number = operator.index(count)
    if number < 0:
        raise ValueError(f"tail({number}): the number of points can't be negative.")
    return number
