"""
Pictures of a long sealed curve of which not all points are in memory.

    many points a pixel     the cells that are stored with the points, and the points at the ends of the window
    fewer                   the points in the window; the pages of others are not read

Both give the points that are chosen when all are in memory: buckets of many points begin where cells begin
(`sampling.long_bucket_starts`). A curve whose windows have read as many points as it has is read whole, when it fits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.core.values import EXACT_INT_MAX
from aim.engine import sampling
from aim.engine.points import Curve
from aim.engine.sampling import FloatArray, IntArray, Reduced, Window
from aim.storage.sealing.cells import ABSENT, CELL_POINTS, Cells

WHOLE_POINTS_MAX = 1 << 24  # of a curve that is held in memory for being zoomed often
STEP_MAX = 1 << 62


class StoredPicture(NamedTuple):
    """
    The points of a curve that a picture may need, in their order.

    Attributes:
        x, y, point_indices: of equal length; the steps, the values, and where they are in the curve.
        reduced: which of these points the picture shows, and what it tells of all points in the window.
    """

    x: IntArray
    y: FloatArray
    point_indices: IntArray
    reduced: Reduced


def stored_picture(curve: Curve, buckets: int, window: Window | None) -> StoredPicture | None:
    """
    Return the picture of a curve over its steps; None: all of its points are in memory, or have to be.

    Cost: with many points a bucket, 1 ms for 10,000,000 points, and the first time reading their cells; else what
    reading the points in the window costs.
    """
    cells = curve.cells
    if cells is None or _has_long_integers(curve, cells):
        return None
    first, last, count = curve.first_step, curve.last_step, len(curve)
    if max(-first, last) >= STEP_MAX:
        return None
    steps = range(first, last + 1, (last - first) // (count - 1))
    start, stop = sampling.inside(steps, window)
    if not sampling.is_of_cells(stop - start, buckets):
        return _of_points(curve, buckets, window, start, stop)
    starts = sampling.long_bucket_starts(steps, buckets, window, start, stop)
    return _Choice(curve, cells, steps, start, stop).of_cells(starts)


def _has_long_integers(curve: Curve, cells: Cells) -> bool:
    # an integer that no double may hold is told digit by digit
    return not curve.is_of_floats and bool(max(cells.high.max(), -cells.low.min()) >= EXACT_INT_MAX)


def _of_points(curve: Curve, buckets: int, window: Window | None, start: int, stop: int) -> StoredPicture | None:
    first, end = max(start - 1, 0), min(stop + 1, len(curve))
    curve.read_count += end - first
    if curve.read_count > len(curve) and len(curve) <= WHOLE_POINTS_MAX:
        return None
    x, y = curve.span(first, end)
    reduced = sampling.reduce_curves(x, y[np.newaxis], buckets, window)[0]
    return StoredPicture(x, y, np.arange(first, end, dtype=np.int64), reduced)


class _Choice:
    """Points of a curve that a picture of its points from *start* to before *stop* may need."""

    def __init__(self, curve: Curve, cells: Cells, steps: range, start: int, stop: int) -> None:
        self._curve = curve
        self._cells = cells
        self._steps = steps
        self._start, self._stop = start, stop
        self._indices: list[IntArray] = []
        self._values: list[FloatArray] = []

    def of_cells(self, starts: IntArray) -> StoredPicture:
        """Return the picture whose buckets begin at *starts*."""
        begin = -(-self._start // CELL_POINTS)
        end = len(self._cells.first) if self._stop == len(self._curve) else self._stop // CELL_POINTS
        cell_starts = np.unique(-(-starts // CELL_POINTS))
        cell_starts = cell_starts[cell_starts < end]
        nan = infinite = 0
        if len(cell_starts):
            self._add_cells(self._cells.part(begin, end), cell_starts, end)
            nan = int(self._cells.nan_counts[begin:end].sum(dtype=np.int64))
            infinite = int(self._cells.inf_counts[begin:end].sum(dtype=np.int64))
        for first, last in ((self._start, begin * CELL_POINTS), (end * CELL_POINTS, self._stop)):
            values = self._add_points(first, last)
            nan += int(np.isnan(values).sum())
            infinite += int(np.isinf(values).sum())
        candidates, values = self._in_order()
        chosen = sampling.reduce_buckets(values[np.newaxis], np.searchsorted(candidates, starts))[0].point_indices
        self._indices, self._values = [candidates[chosen]], [values[chosen]]
        for outer in (self._start - 1, self._stop):
            if 0 <= outer < len(self._curve):
                self._add_points(outer, outer + 1)
        shown, values = self._in_order()
        x = np.int64(self._steps.start) + shown * np.int64(self._steps.step)
        reduced = Reduced(np.arange(len(shown)), self._stop - self._start, nan, infinite)
        return StoredPicture(x, values, shown, reduced)

    def _add(self, indices: IntArray, values: FloatArray) -> None:
        self._indices.append(indices.astype(np.int64, copy=False))
        self._values.append(values)

    def _add_points(self, first: int, last: int) -> FloatArray:
        """Add the points from *first* to before *last*, which are read; return their values."""
        if first >= last:
            return np.empty(0)
        values = self._curve.span(first, last)[1]
        self._add(np.arange(first, last), values)
        return values

    def _add_cells(self, cells: Cells, starts: IntArray, end: int) -> None:
        """Add what may be shown of cells, from the first of *starts* to before *end*, of the parts that begin there."""
        ends = np.append(starts[1:], end)
        first = int(starts[0])
        self._add(starts * CELL_POINTS, cells.first[starts - first])
        self._add(np.minimum(ends * CELL_POINTS, len(self._curve)) - 1, cells.last[ends - 1 - first])
        lengths = ends - starts
        part_of = np.repeat(np.arange(len(starts), dtype=np.int32), lengths)
        for extreme, values, extreme_at in (
            (np.minimum, cells.low, cells.low_at),
            (np.maximum, cells.high, cells.high_at),
        ):
            hit = (values == np.repeat(extreme.reduceat(values, starts - first), lengths)) & np.isfinite(values)
            self._add_first(hit, part_of, extreme_at, values, first)
        for odd_at, value in ((cells.nan_at, np.nan), (cells.plus_at, np.inf), (cells.minus_at, -np.inf)):
            hit = odd_at < ABSENT
            if hit.any():
                self._add_first(hit, part_of, odd_at, np.full(len(hit), value), first)

    def _add_first(
        self,
        hit: npt.NDArray[np.bool_],
        part_of: npt.NDArray[np.int32],
        positions: npt.NDArray[np.unsignedinteger[Any]],
        values: FloatArray,
        first: int,
    ) -> None:
        chosen = sampling.first_hits(hit, part_of)
        self._add((chosen + first) * CELL_POINTS + positions[chosen], values[chosen])

    def _in_order(self) -> tuple[IntArray, FloatArray]:
        indices, positions = np.unique(np.concatenate(self._indices), return_index=True)
        return indices, np.concatenate(self._values)[positions]
