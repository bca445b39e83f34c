"""
Kinds of smoothing of a curve, over all of its points.

    ema         debiased exponential mean in the order of the points; `amount` is the weight of the past, below 1
    time-ema    the same, with the weight to the power of the gap in x over the mean gap: what was logged seldom counts
                for the time that it stands for
    mean        running mean of `amount` points around each, fewer at the ends
    gaussian    mean weighted by a normal distribution around each point; `amount` is its standard deviation in points

Values that are not finite are skipped: the smooth value there is the one before, NaN before the first finite one. Only
`ema` leaves what was drawn as it is when points are added; the others change the end, or all of a curve.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from aim.engine.sampling import EMA_SCALE_MAX, smoothed

FloatArray = npt.NDArray[np.float64]

EMA, TIME_EMA, MEAN, GAUSSIAN = "ema", "time-ema", "mean", "gaussian"
KINDS = (EMA, TIME_EMA, MEAN, GAUSSIAN)
WEIGHTED = (EMA, TIME_EMA)
"""Kinds whose amount is a weight below 1; that of the others is a number of points."""
POINTS_MAX = 10_000
GAP_SHARE_MIN = 0.01  # a gap in x counts as this share of the mean gap at least, so points of equal x count too
REACH = 4.0  # standard deviations of the normal distribution that are summed
DIRECT_PRODUCTS_MAX = 5_000_000  # more are summed by a Fourier transform


def smooth_rows(x: npt.NDArray[np.generic], rows: FloatArray, kind: str, amount: float) -> FloatArray:
    """
    Smooth curves over the same x.

    Args:
        x: shape (n,).
        rows: shape (curves, n).
        kind: one of `KINDS`.

    >>> smooth_rows(np.arange(4), np.array([[1.0, 3.0, np.nan, 5.0]]), "mean", 3).tolist()
    [[2.0, 3.0, 3.0, 4.0]]
    """
    if kind == EMA:
        return smoothed(rows, amount)
    result = np.empty(rows.shape, np.float64)
    places = np.asarray(x, np.float64)
    for index, y in enumerate(rows):
        finite = np.isfinite(y)
        means = np.append(np.nan, _smooth_finite(places[finite], y[finite], kind, amount))
        result[index] = means[np.cumsum(finite)]
    return result


def _smooth_finite(x: FloatArray, y: FloatArray, kind: str, amount: float) -> FloatArray:
    if not len(y):
        return y
    if kind == TIME_EMA:
        return _time_mean(x, y, amount)
    return _running_mean(y, max(1, round(amount))) if kind == MEAN else _gaussian(y, amount)


def _time_mean(x: FloatArray, y: FloatArray, weight: float) -> FloatArray:
    gaps = np.abs(np.diff(x, prepend=x[0]))
    mean_gap = gaps[1:].mean() if len(x) > 1 else 0.0
    shares = np.maximum(gaps / mean_gap, GAP_SHARE_MIN) if mean_gap > 0 else np.ones(len(x))
    shares[0] = 1.0
    log_weights = shares * math.log(weight)
    both = np.stack([y, np.ones(len(y))])
    sums, weights = _recursion(both, log_weights)
    means: FloatArray = sums / weights
    return means


def _recursion(rows: FloatArray, log_weights: FloatArray) -> FloatArray:
    """Return m_k = w_k m + (1 - w_k) y_k of each row, by running sums over blocks in which the weights stay doubles."""
    result = np.empty(rows.shape, np.float64)
    carried = np.zeros(len(rows))
    added = rows * -np.expm1(log_weights)
    total = np.cumsum(log_weights)
    reach = math.log(EMA_SCALE_MAX)
    begin, before = 0, 0.0
    while begin < rows.shape[1]:
        end = max(begin + 1, int(np.searchsorted(-total, reach - before, "right")))
        decay = np.exp(np.maximum(total[begin:end] + before, -2 * reach))
        sums = np.cumsum(added[:, begin:end] / decay, axis=1)
        result[:, begin:end] = (sums + carried[:, np.newaxis]) * decay
        carried = result[:, end - 1]
        begin, before = end, -float(total[end - 1])
    return result


def _running_mean(y: FloatArray, count: int) -> FloatArray:
    middle = y.mean()  # differences of running sums lose fewer digits around it
    sums = np.concatenate(([0.0], np.cumsum(y - middle)))
    indices = np.arange(len(y))
    low = np.maximum(indices - (count - 1) // 2, 0)
    high = np.minimum(indices + count // 2 + 1, len(y))
    means: FloatArray = (sums[high] - sums[low]) / (high - low) + middle
    return means


def _gaussian(y: FloatArray, deviation: float) -> FloatArray:
    if deviation <= 0:
        return y
    reach = min(len(y) - 1, math.ceil(REACH * deviation))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    middle = y.mean()
    sums, weights = (_convolved(values, kernel, reach) for values in (y - middle, np.ones(len(y))))
    means: FloatArray = sums / weights + middle
    return means


def _convolved(values: FloatArray, kernel: FloatArray, reach: int) -> FloatArray:
    if len(values) * len(kernel) <= DIRECT_PRODUCTS_MAX:
        return np.convolve(values, kernel)[reach : reach + len(values)]
    size = 1 << (len(values) + len(kernel) - 1).bit_length()
    product = np.fft.rfft(values, size) * np.fft.rfft(kernel, size)
    return np.fft.irfft(product, size)[reach : reach + len(values)]
