"""
A picture of a curve that is too long to be read: reduced where it is stored, to the points that `sampling` would keep.

    bounds of the curve  ->  the steps where the picture's buckets begin  ->  one row a bucket from the store
    rows                 ->  first, lowest, highest, last point, first NaN and infinities of each, in order
    a window with few points is read as it is

The edges of the buckets are those of `sampling.edges`, rounded up to steps, so each point is in the bucket in which
reading all of them would put it, and what is kept is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aim.engine.sampling import POINTS_A_BUCKET, FloatArray, IntArray, Window, edges
from aim.storage.reading.stored_sequence import StoredSequence

STEP_MIN, STEP_MAX = -(2**63), 2**63 - 1
DOUBLE_STEP_MIN, DOUBLE_STEP_MAX = -(2.0**63), 2.0**63 - 1024  # the doubles within int64


@dataclass(frozen=True)
class StoredCurve:
    """
    What a picture shows of a curve that was not read.

    Attributes:
        steps, values: shape (k,), the points that are kept, the nearest ones outside the window included.
        point_count, nan_count, inf_count: how many points the window has, and how many are NaN and infinite.
    """

    steps: IntArray
    values: FloatArray
    point_count: int
    nan_count: int
    inf_count: int


def reduce_stored(sequence: StoredSequence, buckets: int, window: Window | None) -> StoredCurve | None:
    """
    Return what `sampling.reduce_curves` keeps of all points of *sequence* over their steps; None when it has none.

    Cost: four statements, and about 0.5 us of the store's processors a point of the window.
    """
    bounds = sequence.bounds()
    if bounds is None:
        return None
    first, last = bounds if window is None else _steps_in(window, bounds)
    outer = [] if window is None else [sequence.before(first), sequence.after(last)]
    starts = _starts(window or (float(first), float(last)), buckets, first, last)
    rows = sequence.buckets(starts, last) if first <= last else None
    count = 0 if rows is None else int(rows["count"].sum())
    if rows is None or count <= POINTS_A_BUCKET * buckets:
        steps, values = sequence.points(first, last)
        nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    else:
        steps, values = _kept(rows)
        nan, infinite = int(rows["nans"].sum()), int(rows["highs"].sum() + rows["lows"].sum())
    before, after = outer or (_NONE, _NONE)
    return StoredCurve(
        np.concatenate((before[0], steps, after[0])),
        np.concatenate((before[1], values, after[1])),
        count,
        nan,
        infinite,
    )


_NONE: tuple[IntArray, FloatArray] = (np.empty(0, np.int64), np.empty(0, np.float64))


def _steps_in(window: Window, bounds: tuple[int, int]) -> tuple[int, int]:
    """Return the least and the largest step in a window; the second is smaller when there can be none."""
    low, high = _step_not_below(window[0]), _step_not_below(float(np.nextafter(window[1], np.inf))) - 1
    return max(low, bounds[0]), min(high, bounds[1])


def _step_not_below(bound: float) -> int:
    if bound > DOUBLE_STEP_MAX:
        return STEP_MAX
    return int(np.ceil(max(bound, DOUBLE_STEP_MIN)))


def _starts(window: Window, buckets: int, first: int, last: int) -> IntArray:
    """Return the least step of each bucket that may have a point."""
    bounds = edges(window[0], window[1], buckets)
    steps = [first, *(_step_not_below(bound) for bound in bounds.tolist())]
    starts: IntArray = np.unique(np.array([step for step in steps if first <= step <= last] or [first], np.int64))
    return starts


def _kept(rows: npt.NDArray[np.void]) -> tuple[IntArray, FloatArray]:
    """Return the points that a picture keeps of buckets, each once, in order."""
    odd = ((np.nan, "nan_step", "nans"), (np.inf, "high_step", "highs"), (-np.inf, "low_step", "lows"))
    finite = rows["count"] > rows["nans"] + rows["highs"] + rows["lows"]
    steps = [rows["first_step"], rows["last_step"], rows["least_step"][finite], rows["most_step"][finite]]
    values = [rows["first"], rows["last"], rows["least"][finite], rows["most"][finite]]
    for value, step, count in odd:
        chosen = rows[step][rows[count] > 0]
        steps.append(chosen)
        values.append(np.full(len(chosen), value))
    all_steps, indices = np.unique(np.concatenate(steps), return_index=True)
    return all_steps, np.concatenate(values)[indices]
