"""
The summary of points that are all at hand, against numpy and statistics.
"""

from __future__ import annotations

import math
import statistics

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.sealing.point_summary import summarize

numbers = st.floats(-1e6, 1e6)
values = st.lists(st.one_of(numbers, st.just(math.nan)), min_size=1, max_size=30)


@given(values)
def test_values_are_those_of_python(points: list[float]) -> None:
    """
    NaN is left out of min, max, mean, std and median.
    """
    kept = [value for value in points if not math.isnan(value)]
    summary = summarize(np.arange(len(points)), np.array(points))
    expected = [math.nan] * 5
    if kept:
        expected = [min(kept), max(kept), statistics.fmean(kept), statistics.pstdev(kept), statistics.median(kept)]
    found = [summary.min, summary.max, summary.mean, summary.std, summary.median]

    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6)
    assert (len(points), len(kept) < len(points)) == (summary.point_count, summary.has_nan)


def test_of_several_points_at_one_step_the_latest_counts() -> None:
    """
    A value that was tracked again replaces the one before.
    """
    summary = summarize(np.array([0, 1, 1]), np.array([4.0, 100.0, 2.0]))

    assert (3.0, 1.0, 3.0, 2) == (summary.mean, summary.std, summary.median, summary.point_count)


def test_equal_values_have_no_deviation() -> None:
    """
    The deviation of equal values is 0, whatever their mean is rounded to.
    """
    assert 0.0 == summarize(np.arange(7), np.full(7, 0.1)).std


def test_infinite_values_have_no_deviation() -> None:
    """
    Where a value is infinite the deviation is NaN, and the median may be a number.
    """
    summary = summarize(np.arange(3), np.array([1.0, math.inf, 2.0]))

    assert math.isnan(summary.std)
    assert 2.0 == summary.median
