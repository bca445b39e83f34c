"""
From all points of a curve to what a picture can show, losing no spike and no NaN.

The window is cut in equal parts in x, one a pixel column or finer. Each part keeps its first, lowest, highest and last
point, and its first NaN, +inf and -inf. So in each part the drawn lowest and highest value are the true ones, and no
line from one part to the next crosses more of it than the whole curve does (M4: Jugel et al., PVLDB 7(10), 2014).
Every point kept is a recorded one.

    part          |     a        |         b        |
    recorded      . : ' .  ! .   . NaN . ' : . NaN .
    kept          . :   !  .   . . NaN   ' . NaN .      first, lowest, highest, last, first NaN

Many curves over the same x are done at once: rows of one matrix. Smoothing is done before, over all points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.storage.sealing.cells import CELL_POINTS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
XArray = npt.NDArray[Any]
"""int64 or float64."""
OrderedX = XArray | range
"""x that do not decrease; a range: evenly spaced integers, of which none is in memory."""
Window = tuple[float, float]

POINTS_A_BUCKET = 2  # a line of no more than this many points a bucket is kept whole
CELLS_A_BUCKET_MIN = 8
BLOCK_VALUES = 1 << 15  # values of one matrix that are worked on at once: what fits the cache is 4 times faster
INTEGER_MIN, INTEGER_MAX = -(2.0**63), 2.0**63 - 1024  # the doubles within int64
EMA_SCALE_MAX = 1e60  # how far weights are scaled within one block of the exponential mean


@dataclass(frozen=True)
class Reduced:
    """
    What is kept of one curve.

    Attributes:
        kept: shape (k,), increasing places in the curve, the nearest point outside the window on each side included.
        points, nan, inf: how many points the window has; how many of these are NaN, and infinite.
    """

    point_indices: IntArray
    point_count: int
    nan_count: int
    inf_count: int


def reduce_curves(x: XArray, rows: FloatArray, buckets: int, window: Window | None = None) -> list[Reduced]:
    """
    Reduce curves over the same x to at most seven points a bucket, and one more on each side.

    Args:
        x: shape (n,), not decreasing.
        rows: shape (curves, n).
        buckets: into how many equal parts the window is cut, 1 or more.
        window: lowest and highest x that is shown; None: all.

    Returns:
        One `Reduced` a curve; a window with at most 2 * buckets points is kept whole.

    Cost: O(curves * n); some 10 ns a value.

    >>> reduce_curves(np.arange(6), np.array([[0.0, 9.0, 1.0, np.nan, -7.0, 3.0]]), buckets=1)[0].point_indices
    array([0, 1, 3, 4, 5])
    """
    start, stop = inside(x, window)
    outer = [index for index in (start - 1, stop) if 0 <= index < len(x)]
    count = stop - start
    if count <= POINTS_A_BUCKET * buckets:
        point_indices = np.arange(max(start - 1, 0), min(stop + 1, len(x)), dtype=np.int64)
        return [_counted(point_indices, row[start:stop]) for row in rows]
    starts = bucket_starts(x[start:stop], buckets, window)
    block = max(1, BLOCK_VALUES // count)
    reduced: list[Reduced] = []
    for first in range(0, len(rows), block):
        reduced += reduce_buckets(rows[first : first + block, start:stop], starts, start, outer)
    return reduced


def reduce_path(x: FloatArray, y: FloatArray, buckets: int) -> Reduced:
    """
    Reduce a curve whose x goes back and forth; the points kept stay in their order.

    >>> reduce_path(np.array([0.0, 2.0, 1.0]), np.array([5.0, 6.0, 7.0]), buckets=1).point_indices
    array([0, 1, 2])
    """
    order = np.argsort(x, kind="stable")
    reduced = reduce_curves(x[order], y[order][np.newaxis], buckets)[0]
    ends = [0, len(x) - 1] if len(x) else []
    point_indices = np.union1d(order[reduced.point_indices], np.array(ends, np.int64))
    return Reduced(point_indices.astype(np.int64), reduced.point_count, reduced.nan_count, reduced.inf_count)


def inside(x: OrderedX, window: Window | None) -> tuple[int, int]:
    """Return the first index in a window, and the one behind the last. Cost: that of two binary searches."""
    if window is None:
        return 0, len(x)
    start, before = _positions(x, np.array([window[0]])), _positions(x, np.nextafter([window[1]], np.inf))
    if window[1] == np.inf:
        before = np.array([len(x)])
    return int(start[0]), int(before[0])


def _positions(x: OrderedX, bounds: FloatArray) -> IntArray:
    """Return for each bound the index of the first x that is not below it."""
    if isinstance(x, range):
        last = x.start + (len(x) - 1) * x.step
        beyond = np.clip(np.ceil(bounds), float(x.start), INTEGER_MAX).astype(np.int64)
        steps = -((x.start - np.minimum(np.maximum(beyond, x.start), last)) // x.step)
        return np.where((bounds > last) | (beyond > last), len(x), steps)
    if x.dtype.kind == "i":  # else numpy makes floats of the whole of x
        whole = np.clip(np.ceil(bounds), INTEGER_MIN, INTEGER_MAX).astype(np.int64)
        positions: IntArray = np.searchsorted(x, whole, "left")
        return np.where(bounds > INTEGER_MAX, len(x), positions)
    return np.searchsorted(x, bounds, "left").astype(np.int64)


def _counted(point_indices: IntArray, inside: FloatArray) -> Reduced:
    nan = int(np.isnan(inside).sum())
    return Reduced(point_indices, len(inside), nan, int(np.isinf(inside).sum()))


def edges(low: float, high: float, buckets: int) -> FloatArray:
    """
    Return where each bucket but the first begins, shape (buckets - 1,).

    >>> edges(0.0, 10.0, 4)
    array([2.5, 5. , 7.5])
    """
    return low + (high - low) * (np.arange(1, buckets) / buckets)


def bucket_starts(x: OrderedX, buckets: int, window: Window | None) -> IntArray:
    """Return the index of the first point of each bucket that has one, of all x in the window."""
    low, high = window or (float(x[0]), float(x[-1]))
    starts = np.unique(np.append(_positions(x, edges(low, high, buckets)), 0))
    return starts[starts < len(x)].astype(np.int64)


def is_of_cells(count: int, buckets: int) -> bool:
    """Return whether a window of *count* points of a long curve has so many a bucket that buckets are whole cells."""
    return count >= buckets * CELLS_A_BUCKET_MIN * CELL_POINTS


def long_bucket_starts(x: OrderedX, buckets: int, window: Window | None, start: int, stop: int) -> IntArray:
    """
    Return the index of the first point of each bucket of a long curve, whose window has the points from *start* on.

    Where `is_of_cells` says so, each but the first begins at the nearest multiple of 256 points: such a bucket is shown
    in one column of pixels or less, and is moved by a sixteenth of it at most.
    """
    starts = bucket_starts(x[start:stop], buckets, window) + start
    if not is_of_cells(stop - start, buckets):
        return starts
    moved = np.unique((starts[1:] + CELL_POINTS // 2) // CELL_POINTS * CELL_POINTS)
    return np.append(start, moved[(moved > start) & (moved < stop)]).astype(np.int64)


def reduce_buckets(inside: FloatArray, starts: IntArray, shift: int = 0, outer: Sequence[int] = ()) -> list[Reduced]:
    """
    Reduce curves, of which all points are in buckets that begin at *starts*.

    Args:
        inside: shape (curves, n).
        shift: is added to the indices.
        outer: indices of points outside that are kept too.
    """
    curves, count = inside.shape
    # One long row: numpy reduces the parts of one axis several times faster than those of two.
    flat = np.ascontiguousarray(inside).ravel()
    column = np.arange(curves, dtype=np.int64) * count
    begins = (column[:, np.newaxis] + starts).ravel()
    lengths = np.diff(np.append(begins, len(flat)))
    bucket_of = np.repeat(np.arange(len(begins), dtype=np.int32), lengths)
    finite = np.isfinite(flat)
    is_finite = bool(finite.all())
    is_kept = np.zeros(len(flat), np.bool_)
    is_kept[begins] = is_kept[begins + lengths - 1] = True
    for extreme, worst in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        values = flat if is_finite else np.where(finite, flat, worst)
        best = np.repeat(extreme.reduceat(values, begins), lengths)
        hit = values == best
        is_kept[first_hits(hit if is_finite else hit & finite, bucket_of)] = True
    nan = infinite = np.zeros(curves, np.int64)
    if not is_finite:
        is_nan = np.isnan(flat)
        nan = is_nan.reshape(curves, count).sum(axis=1)
        infinite = count - finite.reshape(curves, count).sum(axis=1) - nan
        for odd in (is_nan, flat == np.inf, flat == -np.inf):
            is_kept[first_hits(odd, bucket_of)] = True
    kept_indices = np.flatnonzero(is_kept)
    bounds = np.searchsorted(kept_indices, np.append(column, len(flat)))
    before = np.array([index for index in outer if index < shift], np.int64)
    after = np.array([index for index in outer if index >= shift], np.int64)
    reduced = []
    for row in range(curves):
        point_indices = kept_indices[bounds[row] : bounds[row + 1]] + (shift - row * count)
        point_indices = np.concatenate((before, point_indices, after)) if outer else point_indices
        reduced.append(Reduced(point_indices, count, int(nan[row]), int(infinite[row])))
    return reduced


def first_hits(hit: npt.NDArray[np.bool_], bucket_of: npt.NDArray[np.int32]) -> IntArray:
    """Return the place of the first hit of each bucket that has one."""
    hit_indices = np.flatnonzero(hit)
    buckets = bucket_of[hit_indices]
    firsts: IntArray = hit_indices[np.append(True, buckets[1:] != buckets[:-1])[: len(hit_indices)]]
    return firsts


def smoothed(y: FloatArray, weight: float) -> FloatArray:
    """
    Return the debiased exponential mean of *y* in its order; values that are not finite are skipped.

        m <- weight * m + (1 - weight) * y,   m / (1 - weight ** k) after k finite values

    Args:
        y: shape (n,) or (curves, n).
        weight: of the past, 0 <= weight < 1.

    Returns:
        The mean at each point; where *y* is not finite the mean so far, NaN before the first finite value.

    >>> smoothed(np.array([1.0, np.nan, 3.0]), 0.5)
    array([1.        , 1.        , 2.33333333])
    """
    if y.ndim == 1:
        only: FloatArray = smoothed(y[np.newaxis], weight)[0]
        return only
    finite = np.isfinite(y)
    if bool(finite.all()):
        return _mean(y, weight)
    result = np.empty(y.shape, np.float64)
    for row in range(len(y)):
        means = np.append(np.nan, _mean(y[row][finite[row]][np.newaxis], weight)[0])
        result[row] = means[np.cumsum(finite[row])]
    return result


def _mean(rows: FloatArray, weight: float) -> FloatArray:
    curves, count = rows.shape
    if weight == 0.0 or count == 0:
        return rows.astype(np.float64)
    # Within a block m_k = w^k (m_0 + (1 - w) sum w^-i y_i): one running sum. A block ends before w^-i is too large.
    block = max(1, min(count, int(math.log(EMA_SCALE_MAX) / -math.log(weight))))
    powers = weight ** np.arange(1, block + 1, dtype=np.float64)
    result = np.empty((curves, count), np.float64)
    carried = np.zeros(curves, np.float64)
    for first in range(0, count, block):
        part = rows[:, first : first + block]
        scale = powers[: part.shape[1]]
        sums = np.cumsum(part / scale, axis=1) * (1.0 - weight)
        result[:, first : first + block] = (sums + carried[:, np.newaxis]) * scale
        carried = result[:, min(first + block, count) - 1]
    corrections = -np.expm1(np.arange(1, count + 1) * math.log(weight))
    return result / corrections
