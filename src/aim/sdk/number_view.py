"""
`NumberView`: the values of a metric by step, whose ends and length are told without reading the points.

    len, first, last, first_idx ...     from the footer of a sealed file, or the end of what is in memory
    tail                                from the pages that hold the last points
    everything else                     `ArrayView`, over the points, which are read then
"""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from aim.storage.arrayview import ArrayView, checked_count
from aim.storage.reading.asked_points import AskedPoints
from aim.storage.reading.points import Points, tail_of


class NumberView(ArrayView[Any]):
    """
    The values of *points*, by step.

    >>> steps, values = np.array([0, 10]), np.array([0.5, 0.25])
    >>> view = NumberView(Points(steps, values, lambda: (steps, values.astype(np.float32)), (), kind="float"))
    >>> view.last(), len(view), view[0]
    ((10, 0.25), 2, 0.5)
    """

    def __init__(self, points: Points | AskedPoints) -> None:
        self._points = points
        self._restore = self._restore_each = None
        self._nan_is_none = False
        self.dtype = None

    @property
    def _steps(self) -> npt.NDArray[np.int64]:  # type: ignore[override]  # of an ArrayView it is an attribute
        return self._points.steps

    @property
    def _column(self) -> npt.NDArray[Any]:  # type: ignore[override]  # as above
        return self._points.values

    def __len__(self) -> int:
        return len(self._points)

    def __bool__(self) -> bool:
        return len(self._points) > 0

    def first(self) -> tuple[int, Any]:
        """Return the first (step, value). Raises IndexError when there is none."""
        return self._points.first()

    def first_idx(self) -> int:
        """Return the first step. Raises IndexError when there is none."""
        return self._points.first_step()

    def first_value(self) -> Any:
        """Return the value at the first step. Raises IndexError when there is none."""
        return self._points.first()[1]

    def last(self) -> tuple[int, Any]:
        """Return the last (step, value). Raises IndexError when there is none."""
        return self._points.last()

    def last_idx(self) -> int:
        """Return the last step. Raises IndexError when there is none."""
        return self._points.last_step()

    def last_value(self) -> Any:
        """Return the value at the last step. Raises IndexError when there is none."""
        return self._points.last()[1]

    def tail(self, count: SupportsIndex) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Do as `ArrayView.tail`; of a run that has ended, what is before these points is not read."""
        steps, values = tail_of(self._points, checked_count(count))
        return steps.copy(), values.copy()
