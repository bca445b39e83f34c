"""
The summary of points that are all at hand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aim.core.summaries import NAN, Summary


def summarize(steps: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> Summary:
    """
    Sum up the points of a sequence of numbers, one or more, ordered by step.

    >>> summary = summarize(np.array([1, 2, 2, 4]), np.array([0.5, 9.0, 0.25, 3.0]))
    >>> summary.point_count, summary.mean, round(summary.std, 6), summary.median, summary.argmin
    (3, 1.25, 1.241639, 0.5, 2)
    """
    if len(steps) > 1 and not bool((steps[1:] > steps[:-1]).all()):
        is_latest = np.append(steps[1:] != steps[:-1], True)
        steps, values = steps[is_latest], values[is_latest]
    is_nan = np.isnan(values)
    has_nan = bool(is_nan.any())
    number_steps, numbers = (steps[~is_nan], values[~is_nan]) if has_nan else (steps, values)
    low = high = mean = std = median = NAN
    argmin = argmax = int(steps[0])
    if len(numbers):
        low_index, high_index = int(numbers.argmin()), int(numbers.argmax())
        low, high = float(numbers[low_index]), float(numbers[high_index])
        argmin, argmax = int(number_steps[low_index]), int(number_steps[high_index])
        with np.errstate(all="ignore"):
            mean, median = float(numbers.mean()), float(np.median(numbers))
            std = float(numbers.std())
        if low == high and np.isfinite(low):
            std = 0.0  # equal values may differ from their mean by rounding
    return Summary(
        first=float(values[0]),
        last=float(values[-1]),
        min=low,
        max=high,
        mean=mean,
        std=std,
        median=median,
        point_count=len(steps),
        first_step=int(steps[0]),
        last_step=int(steps[-1]),
        argmin=argmin,
        argmax=argmax,
        has_nan=has_nan,
        record_max_length=0,
    )
