"""
Sampling loses no spike and no NaN; smoothing equals its definition.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.engine.sampling import FloatArray, IntArray, edges, reduce_curves, reduce_path, smoothed

POINTS = 1_000_000
COLUMNS = 600
ODD = (math.nan, math.inf, -math.inf)

numbers = st.floats(-1e9, 1e9, width=32)
values = st.one_of(numbers, st.sampled_from(ODD))


def columns_of(x: IntArray, low: float, high: float, count: int) -> IntArray:
    """Return the pixel column of each x within the window."""
    return np.searchsorted(edges(low, high, count), x, "right")


@pytest.fixture(scope="module", name="long")
def _long() -> FloatArray:
    """
    A million noisy values with planted spikes, NaN and infinities.
    """
    random = np.random.default_rng(5)
    y = np.cumsum(random.normal(size=POINTS)) / 100
    y[random.integers(0, POINTS, 200)] = random.choice([1e6, -1e6], 200)
    y[random.integers(0, POINTS, 500)] = np.nan
    y[random.integers(0, POINTS, 50)] = np.inf
    y[random.integers(0, POINTS, 50)] = -np.inf
    y[400_000:430_000] = np.nan
    return y


@pytest.mark.parametrize("window", [None, (250_000, 500_000), (420_000, 431_500), (777_000, 777_900)])
def test_each_pixel_column_shows_the_true_extremes_of_a_million_points(
    long: FloatArray, window: tuple[float, float] | None
) -> None:
    """
    At every zoom the drawn lowest and highest value of each column are the true ones; NaN and infinities are seen.
    """
    x = np.arange(POINTS)
    low, high = window or (0, POINTS - 1)
    reduced = reduce_curves(x, long[np.newaxis], COLUMNS, window)[0]
    inside = (x >= low) & (x <= high)
    kept_indices = reduced.point_indices[inside[reduced.point_indices]]

    assert len(kept_indices) <= COLUMNS * 7
    assert (int(inside.sum()), int(np.isnan(long[inside]).sum())) == (reduced.point_count, reduced.nan_count)
    for chosen in (np.flatnonzero(inside), kept_indices):
        assert (np.diff(chosen) > 0).all()
    _assert_same_columns(x, long, np.flatnonzero(inside), kept_indices, columns_of(x, low, high, COLUMNS))


def _assert_same_columns(x: IntArray, y: FloatArray, whole: IntArray, kept_indices: IntArray, column: IntArray) -> None:
    def seen(columns: IntArray) -> list[tuple[float, float, bool, bool, bool]]:
        parts = []
        bounds = np.searchsorted(column[columns], np.arange(COLUMNS + 1))
        for first, stop in pairwise(bounds.tolist()):
            part = y[columns[first:stop]]
            finite = part[np.isfinite(part)]
            extremes = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
            odd = (bool(np.isnan(part).any()), bool((part == np.inf).any()), bool((part == -np.inf).any()))
            parts.append((*extremes, *odd))
        return parts

    assert seen(whole) == seen(kept_indices)


@given(st.lists(values, min_size=1, max_size=80), st.integers(1, 12), st.data())
def test_any_curve_keeps_what_each_bucket_shows(curve: list[float], buckets: int, data: st.DataObject) -> None:
    """
    For any values and x, ends, extremes and the first NaN, +inf and -inf of each bucket stay, and the neighbours.
    """
    steps = data.draw(st.lists(st.integers(-50, 50), min_size=len(curve), max_size=len(curve)).map(sorted))
    bounds = data.draw(st.none() | st.tuples(st.integers(-60, 60), st.integers(-60, 60)).map(sorted))
    window = None if bounds is None else (float(bounds[0]), float(bounds[1]))
    x, y = np.array(steps, np.int64), np.array(curve)
    reduced = reduce_curves(x, np.stack([y, y]), buckets, window)[1]
    kept_indices = set(reduced.point_indices.tolist())
    low, high = window or (float(x[0]), float(x[-1]))
    inside = [index for index in range(len(x)) if low <= x[index] <= high]

    assert sorted(kept_indices) == reduced.point_indices.tolist()
    assert len(inside) == reduced.point_count
    before = [index for index in range(len(x)) if x[index] < low]
    after = [index for index in range(len(x)) if x[index] > high]
    assert set(before[-1:] + after[:1] + inside[:1] + inside[-1:]) <= kept_indices
    assert kept_indices <= set(before[-1:] + after[:1] + inside)
    if len(inside) <= 2 * buckets:
        assert set(inside) <= kept_indices
        return
    column = columns_of(x, low, high, buckets)
    for bucket in range(buckets):
        bucket_indices = [index for index in inside if column[index] == bucket]
        finite = [index for index in bucket_indices if math.isfinite(y[index])]
        assert set(bucket_indices[:1] + bucket_indices[-1:]) <= kept_indices
        if finite:
            assert {y[finite].min(), y[finite].max()} <= {float(y[index]) for index in finite if index in kept_indices}
        for odd in ODD:
            those = [index for index in bucket_indices if repr(float(y[index])) == repr(odd)]
            assert set(those[:1]) <= kept_indices


def test_curves_of_one_length_do_not_mix() -> None:
    """
    Curves that are reduced together keep the points that each keeps alone.
    """
    random = np.random.default_rng(1)
    rows = random.normal(size=(50, 999))
    rows[3, 17], rows[7, :] = np.nan, 1.0
    x = np.arange(999)

    together = [reduced.point_indices.tolist() for reduced in reduce_curves(x, rows, 33)]
    assert [reduce_curves(x, row[np.newaxis], 33)[0].point_indices.tolist() for row in rows] == together


def test_a_curve_that_is_empty_or_stands_still_is_no_error() -> None:
    """
    No points, one point, and many points at one x give what there is.
    """
    assert [] == reduce_curves(np.arange(0), np.empty((1, 0)), 5)[0].point_indices.tolist()
    assert [0] == reduce_curves(np.arange(1), np.array([[2.0]]), 5, (-9, 9))[0].point_indices.tolist()
    same_x = reduce_curves(np.zeros(100), np.arange(100.0)[np.newaxis], 5)[0]
    assert [0, 99] == same_x.point_indices.tolist()


@given(st.lists(st.tuples(numbers, values), min_size=1, max_size=60), st.integers(1, 5))
def test_a_path_keeps_its_order_and_its_extremes(points: list[tuple[float, float]], buckets: int) -> None:
    """
    A curve over another metric may go back in x; its points stay in their order and lose no extreme.
    """
    x, y = (np.array(column, np.float64) for column in zip(*points, strict=True))
    reduced = reduce_path(x, y, buckets)
    finite = y[np.isfinite(y)]

    assert sorted(set(reduced.point_indices.tolist())) == reduced.point_indices.tolist()
    if len(finite):
        assert {finite.min(), finite.max()} <= set(y[reduced.point_indices].tolist())


def plain_mean(y: list[float], weight: float) -> list[float]:
    """Return the debiased exponential mean by its definition."""
    mean, count, means = 0.0, 0, []
    for value in y:
        if math.isfinite(value):
            mean = weight * mean + (1 - weight) * value
            count += 1
        means.append(mean / (1 - weight**count) if count else math.nan)
    return means


@given(st.lists(values, max_size=60), st.sampled_from([0.0, 1e-6, 0.1, 0.6, 0.9, 0.99, 0.999]))
def test_smoothing_equals_its_definition(y: list[float], weight: float) -> None:
    """
    The mean is that of the definition, point by point, whatever is not finite.
    """
    scale = max((abs(value) for value in y if math.isfinite(value)), default=1.0)

    expected = pytest.approx(plain_mean(y, weight), rel=1e-9, abs=scale * 1e-9, nan_ok=True)
    assert expected == smoothed(np.array(y, np.float64), weight).tolist()


@pytest.mark.parametrize("weight", [0.05, 0.5, 0.97])
def test_long_curves_are_smoothed_block_by_block_without_a_seam(weight: float) -> None:
    """
    Over many blocks of the running sum the mean stays that of the definition.
    """
    y = np.random.default_rng(3).normal(size=20_000) + 100

    assert pytest.approx(plain_mean(y.tolist(), weight), rel=1e-12) == smoothed(y, weight).tolist()
