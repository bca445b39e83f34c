"""
Steps of sources that can't be kept: all alike, missing, or with a fraction. The points are numbered 0, 1, 2 ...

    all at step 0      several points of a metric that was logged without a step: by time, then in their order
    missing            in their order
    with a fraction    by step, then in their order; the original step becomes the epoch
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
WITHOUT_STEP = "points logged without a step: numbered by time"
WITH_FRACTION = "points at steps with a fraction: numbered, the step is kept as the epoch"


class StepOrder(NamedTuple):
    """
    Steps for points.

    Attributes:
        order: which point is which: the indices of the points in their new order.
        steps, epochs: of the points in that order; NaN: no epoch.
        reason: why they were numbered; None: they were not.
    """

    order: IntArray
    steps: IntArray
    epochs: FloatArray
    reason: str | None


def are_all_zero(steps: IntArray) -> bool:
    """
    Return whether several points are all at step 0.

    >>> are_all_zero(np.array([0, 0])), are_all_zero(np.array([0])), are_all_zero(np.array([0, 1]))
    (True, False, False)
    """
    return len(steps) > 1 and not steps.any()


def numbered_by_time(times: npt.NDArray[np.generic]) -> StepOrder:
    """Return points in the order of their times, numbered from 0."""
    order = np.argsort(times, kind="stable")
    count = len(order)
    return StepOrder(order, np.arange(count), np.full(count, np.nan), WITHOUT_STEP)


def whole_array(steps: FloatArray) -> StepOrder:
    """
    Return whole steps for steps that may have a fraction or be missing (NaN).

    >>> whole_array(np.array([2.0, 1.0])).steps.tolist(), whole_array(np.array([1.0, 0.5])).steps.tolist()
    ([2, 1], [0, 1])
    >>> whole_array(np.array([1.0, 0.5])).order.tolist(), whole_array(np.array([1.0, 0.5])).epochs.tolist()
    ([1, 0], [0.5, 1.0])
    >>> whole_array(np.array([np.nan, np.nan])).reason
    'points logged without a step: numbered by time'
    """
    count = len(steps)
    if bool(np.isnan(steps).any()):
        return StepOrder(np.arange(count), np.arange(count), np.full(count, np.nan), WITHOUT_STEP)
    if bool((steps == np.floor(steps)).all()):
        return StepOrder(np.arange(count), steps.astype(np.int64), np.full(count, np.nan), None)
    order = np.argsort(steps, kind="stable")
    return StepOrder(order, np.arange(count), steps[order], WITH_FRACTION)
