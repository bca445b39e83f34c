"""
Pyramids of long curves: beside the reduction of all points, in random curves and windows.
"""

from __future__ import annotations

import numpy as np
import pytest

from aim.engine.pyramid import Pyramid
from aim.engine.sampling import (
    FloatArray,
    Reduced,
    Window,
    XArray,
    bucket_starts,
    inside,
    is_of_cells,
    long_bucket_starts,
    reduce_buckets,
    reduce_curves,
)


def _same(expected: Reduced, actual: Reduced) -> None:
    np.testing.assert_array_equal(expected.point_indices, actual.point_indices)
    assert (expected.point_count, expected.nan_count, expected.inf_count) == (
        actual.point_count,
        actual.nan_count,
        actual.inf_count,
    )


def _values(chance: np.random.Generator, count: int) -> FloatArray:
    values = chance.normal(size=count) if chance.random() < 0.7 else chance.integers(0, 3, count).astype(np.float64)
    for odd in (np.nan, np.inf, -np.inf):
        if chance.random() < 0.4:
            values[chance.random(count) < chance.choice((0.0001, 0.01, 0.7))] = odd
    return values


def chosen_of_all(x: XArray, values: FloatArray, buckets: int, window: Window | None) -> Reduced:
    """Reduce a long curve by looking at all points in the window."""
    start, stop = inside(x, window)
    if not is_of_cells(stop - start, buckets):
        return reduce_curves(x, values[np.newaxis], buckets, window)[0]
    starts = long_bucket_starts(x, buckets, window, start, stop) - start
    outer = [index for index in (start - 1, stop) if 0 <= index < len(x)]
    return reduce_buckets(values[np.newaxis, start:stop], starts, start, outer)[0]


def test_buckets_of_many_points_begin_at_the_nearest_cell() -> None:
    """
    They are moved by 128 points at most, whether the steps are an array or a range; smaller ones are not moved.
    """
    steps, window = range(7, 900_007, 3), (1_000.5, 880_000.5)
    x = np.array(steps)
    start, stop = inside(x, window)
    exact = bucket_starts(x[start:stop], 100, window) + start

    moved = long_bucket_starts(x, 100, window, start, stop)

    assert (start, stop) == inside(steps, window)
    assert (moved % 256 == 0)[1:].all()
    assert int(np.abs(moved - exact).max()) <= 128
    assert moved.tolist() == long_bucket_starts(steps, 100, window, start, stop).tolist()
    exact = bucket_starts(x[start:stop], 1_000, window) + start
    assert exact.tolist() == long_bucket_starts(steps, 1_000, window, start, stop).tolist()


@pytest.mark.parametrize("seed", range(60))
def test_a_pyramid_chooses_the_points_that_are_chosen_of_all(seed: int) -> None:
    """
    For any curve, that grows in any parts, any window and any number of buckets.
    """
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 60_000))
    values = _values(chance, count)
    steps = np.cumsum(chance.integers(1, 5, count)).astype(np.int64)
    x = steps if chance.random() < 0.6 else steps * 0.37
    pyramid = Pyramid()
    for end in sorted({*chance.integers(0, count + 1, int(chance.integers(0, 6))).tolist(), count}):
        pyramid.grow(values[:end])

    for _ in range(6):
        low, high = sorted(chance.uniform(float(x[0]) - 9, float(x[-1]) + 9, 2).tolist())
        window: Window | None = None if chance.random() < 0.2 else (low, high)
        buckets = int(chance.integers(1, 60)) if chance.random() < 0.5 else int(chance.integers(1, 5))
        _same(chosen_of_all(x, values, buckets, window), pyramid.reduce(x, buckets, window))


def test_a_picture_of_a_long_curve_touches_what_it_shows() -> None:
    """
    Of a million points, a picture of 300 buckets looks at some ten thousands, and at as many of four million.
    """
    touched = []
    for count in (1_000_000, 4_000_000):
        pyramid = Pyramid()
        pyramid.grow(np.sin(np.arange(count) / 999.0))
        before = pyramid.touched_count
        pyramid.reduce(np.arange(count), 300, (1_234.5, count - 999.5))
        touched.append(pyramid.touched_count - before)

    assert all(count < 300 * 200 for count in touched)


def test_a_pyramid_that_grows_touches_the_new_points() -> None:
    """
    Ten points more cost ten points.
    """
    values = np.arange(100_000.0)
    pyramid = Pyramid()
    pyramid.grow(values[:99_990])
    before = pyramid.touched_count

    pyramid.grow(values)

    assert 10 == pyramid.touched_count - before
