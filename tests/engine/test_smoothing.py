"""
Kinds of smoothing, compared with the plainest way to compute each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from aim.engine.smoothing import EMA, GAUSSIAN, KINDS, MEAN, TIME_EMA, smooth_rows

FloatArray = npt.NDArray[np.float64]


def _mean(x: FloatArray, y: FloatArray, amount: float) -> list[float]:
    before, after = int(amount - 1) // 2, int(amount) // 2
    return [float(np.mean(y[max(i - before, 0) : i + after + 1])) for i in range(len(y))]


def _gaussian(x: FloatArray, y: FloatArray, amount: float) -> list[float]:
    indices = np.arange(len(y))
    weights = np.exp(-0.5 * ((indices[:, np.newaxis] - indices) / amount) ** 2)
    weights[np.abs(indices[:, np.newaxis] - indices) > np.ceil(4 * amount)] = 0
    return [float(np.average(y, weights=row)) for row in weights]


def _time_ema(x: FloatArray, y: FloatArray, amount: float) -> list[float]:
    mean_gap = np.diff(x).mean()
    mean = total = 0.0
    result = []
    for index, value in enumerate(y):
        weight = amount ** max((x[index] - x[index - 1]) / mean_gap, 0.01) if index else amount
        mean, total = weight * mean + (1 - weight) * value, weight * total + (1 - weight)
        result.append(mean / total)
    return result


def _ema(x: FloatArray, y: FloatArray, amount: float) -> list[float]:
    return _time_ema(np.arange(len(y), dtype=np.float64), y, amount)


PLAIN: dict[str, Callable[[FloatArray, FloatArray, float], list[float]]] = {
    EMA: _ema,
    TIME_EMA: _time_ema,
    MEAN: _mean,
    GAUSSIAN: _gaussian,
}


@pytest.mark.parametrize(
    ("kind", "amount"),
    [(EMA, 0.9), (TIME_EMA, 0.5), (TIME_EMA, 0.999), (TIME_EMA, 1e-9), (MEAN, 1), (MEAN, 8), (MEAN, 21), (MEAN, 9999)]
    + [(GAUSSIAN, 0.4), (GAUSSIAN, 3), (GAUSSIAN, 500)],
)
def test_each_kind_is_what_it_says(kind: str, amount: float) -> None:
    """
    Over x with large and small gaps, and some points at equal x.
    """
    random = np.random.default_rng(4)
    x = np.sort(np.round(random.exponential(50, 700)))
    y = random.normal(1000, 5, 700)

    assert smooth_rows(x, y[np.newaxis], kind, amount)[0].tolist() == pytest.approx(PLAIN[kind](x, y, amount), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_are_not_finite_are_skipped(kind: str) -> None:
    """
    The smooth value stays where there is none, and the others are as if it were not there.
    """
    amount = 0.5 if kind in (EMA, TIME_EMA) else 2
    y = np.array([np.nan, 1.0, np.inf, 4.0, 2.0, np.nan])
    x = np.array([0.0, 1.0, 2.0, 2.5, 3.0, 9.0])
    first, second, third = PLAIN[kind](x[[1, 3, 4]], y[[1, 3, 4]], amount)
    row = smooth_rows(x, y[np.newaxis], kind, amount)[0]

    assert np.isnan(row[0])
    assert [first, first, second, third, third] == pytest.approx(row[1:].tolist())


def test_a_long_curve_is_smoothed_by_a_transform() -> None:
    """
    100,000 points under a wide distribution: a straight line stays a straight line, but near its ends.
    """
    y = np.arange(100_000, dtype=np.float64)
    row = smooth_rows(y, y[np.newaxis], GAUSSIAN, 1000)[0]

    assert y[10_000:-10_000:5000].tolist() == pytest.approx(row[10_000:-10_000:5000].tolist(), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_no_point_and_one_point_are_curves_too(kind: str) -> None:
    """
    Nothing stays nothing, and a point is its own mean.
    """
    amount = 0.5 if kind in (EMA, TIME_EMA) else 5

    assert (1, 0) == smooth_rows(np.empty(0), np.empty((1, 0)), kind, amount).shape
    assert [[3.0]] == smooth_rows(np.array([7.0]), np.array([[3.0]]), kind, amount).tolist()
