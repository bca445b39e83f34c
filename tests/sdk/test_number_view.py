"""
The values of a metric whose ends and length are told without reading its points.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from aim.sdk.number_view import NumberView
from aim.storage.arrayview import ArrayView
from aim.storage.reading.points import Points


def view_of(steps: list[int], values: Any) -> NumberView:
    """Return the view over points."""
    array = np.asarray(values)
    times_us, epochs = np.zeros(len(array), np.int64), np.zeros(len(array), np.float32)
    return NumberView(Points(np.array(steps, np.int64), array, lambda: (times_us, epochs), (), kind="float"))


@pytest.mark.parametrize("values", [[0.5], [0.5, -1.0, 3.0], [1, 2, 3]])
def test_the_ends_are_those_of_the_points(values: list[Any]) -> None:
    """Each has its step, its value and both; the whole view reads the same."""
    steps = [10 * index for index in range(len(values))]
    view = view_of(steps, values)
    first, last = (steps[0], values[0]), (steps[-1], values[-1])
    assert (first, *first) == (view.first(), view.first_idx(), view.first_value())
    assert (last, *last) == (view.last(), view.last_idx(), view.last_value())
    assert (len(values), True) == (len(view), bool(view))
    assert (steps, values) == (list(view.keys()), list(view.values()))
    assert list(zip(steps, values, strict=True)) == list(view.items())
    assert isinstance(view, ArrayView)


@pytest.mark.parametrize("ask", ["first", "first_idx", "first_value", "last", "last_idx", "last_value"])
def test_a_view_without_points_has_no_ends(ask: str) -> None:
    """It is false, has no length, and raises IndexError for an end, as an empty list does."""
    view = view_of([], np.empty(0))
    assert (0, False, []) == (len(view), bool(view), list(view))
    with pytest.raises(IndexError):
        getattr(view, ask)()


def test_a_value_that_is_no_number_is_nan_at_the_ends_too() -> None:
    """The last value of a diverged training is NaN, not the last finite one."""
    view = view_of([0, 1], [0.5, float("nan")])
    assert math.isnan(view.last_value())
    assert (0.5, 1) == (view.first_value(), view.last_idx())
