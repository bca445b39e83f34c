"""
The lowest and the highest point of each 16, 256, 4,096 ... points of a curve, so that a picture of a long curve costs
what the picture shows.

    points     ................................................................    a bucket begins and ends anywhere
    level 0      [  16 ][  16 ][  16 ] ...                                         cells of 16 points
    level 1                 [      16 cells of level 0      ]

    bucket     raw points, cells, larger cells, cells, raw points    ->  some 100 candidates instead of all its points
    candidates ->  `sampling` chooses of them, as it would of all points

Buckets of many cells are moved to the borders of cells (`sampling.long_bucket_starts`), so that a picture is the same
when it is made of the cells that are stored with sealed points (`stored_pictures`).

A cell holds the indices of its first lowest and first highest finite point, so what is chosen is the same as without
a pyramid: the first extreme of a bucket is the first extreme of the cell that it is in. Points that are NaN or infinite
are listed beside. A curve that grows costs its new points.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from aim.engine import sampling
from aim.engine.sampling import FloatArray, IntArray, Reduced, Window, XArray
from aim.storage.reading.growing import GrowingArray, is_growing

CELL = 16
LEVELS = 5
BUCKET_POINTS_MIN = 512  # smaller buckets are reduced as quickly without a pyramid


class Pyramid:
    """
    The extremes of the cells of one curve.

    Attributes:
        touched_count: values that `grow` and `reduce` have looked at.
    """

    def __init__(self) -> None:
        self.touched_count = 0
        self._values: FloatArray = np.empty(0)
        self._count = 0
        self._lows = [GrowingArray(np.int64) for _ in range(LEVELS)]
        self._highs = [GrowingArray(np.int64) for _ in range(LEVELS)]
        self._odd = [GrowingArray(np.int64) for _ in range(3)]  # NaN, +inf, -inf

    @property
    def size_bytes(self) -> int:
        """About the memory that the cells take, and the values."""
        arrays = (*self._lows, *self._highs, *self._odd)
        return 8 * (self._count + sum(len(array) for array in arrays)) + 4096

    def is_beginning_of(self, values: FloatArray) -> bool:
        """Return whether *values* are those that the pyramid has, or the same memory with more at its end."""
        mine = self._values
        if values is mine:
            return True
        is_same_memory = is_growing(values) and is_growing(mine) and values.base is mine.base
        return is_same_memory and len(values) >= self._count

    def grow(self, values: FloatArray) -> None:
        """Take in the points of *values*, of which the first ones are those that it has."""
        added = values[self._count :]
        finite = np.isfinite(added)
        self.touched_count += len(added)
        if not finite.all():
            for odd, mask in zip(self._odd, (np.isnan(added), added == np.inf, added == -np.inf), strict=True):
                odd.extend(np.flatnonzero(mask) + self._count)
        self._values, self._count = values, len(values)
        for extremes, worst in ((self._lows, np.inf), (self._highs, -np.inf)):
            self._grow_level(extremes[0], None, worst)
            for members, cells in pairwise(extremes):
                self._grow_level(cells, members, worst)

    def _grow_level(self, cells: GrowingArray, members: GrowingArray | None, worst: float) -> None:
        """Add the cells that have become full; *members* are the cells of the level below, or None: the points."""
        first, member_count = len(cells) * CELL, self._count if members is None else len(members)
        end = member_count // CELL * CELL
        if first >= end:
            return
        indices = None if members is None else members.view()[first:end]
        values = (self._values[first:end] if indices is None else self._values[indices]).reshape(-1, CELL)
        finite = np.isfinite(values)
        if not finite.all():
            values = np.where(finite, values, worst)
        chosen = values.argmin(axis=1) if worst > 0 else values.argmax(axis=1)
        chosen += np.arange(0, end - first, CELL)
        cells.extend(chosen + first if indices is None else indices[chosen])

    def odd_counts(self, start: int, stop: int) -> tuple[int, int]:
        """Return how many of the points from *start* to *stop* are NaN, and how many infinite."""
        nan, high, low = (
            int(np.searchsorted(odd.view(), stop) - np.searchsorted(odd.view(), start)) for odd in self._odd
        )
        return nan, high + low

    def reduce(self, x: XArray, buckets: int, window: Window | None = None) -> Reduced:
        """
        Return what `sampling.reduce_curves` returns for the curve over *x*.

        Cost: about 100 values a bucket, whatever the length of the curve.
        """
        start, stop = sampling.inside(x, window)
        if stop - start <= buckets * BUCKET_POINTS_MIN:
            return self._reduced_plainly(x, buckets, window, start, stop)
        starts = sampling.long_bucket_starts(x, buckets, window, start, stop)
        candidates = self._candidates(starts, stop)
        self.touched_count += len(candidates)
        row = self._values[candidates][np.newaxis]
        chosen = sampling.reduce_buckets(row, np.searchsorted(candidates, starts))[0].point_indices
        outer = [np.array([index], np.int64) for index in (start - 1, stop) if 0 <= index < len(x)]
        point_indices = np.sort(np.concatenate((candidates[chosen], *outer)))
        return Reduced(point_indices, stop - start, *self.odd_counts(start, stop))

    def _reduced_plainly(self, x: XArray, buckets: int, window: Window | None, start: int, stop: int) -> Reduced:
        first, end = max(start - 1, 0), min(stop + 1, len(x))
        self.touched_count += end - first
        reduced = sampling.reduce_curves(x[first:end], self._values[np.newaxis, first:end], buckets, window)[0]
        return Reduced(reduced.point_indices + first, reduced.point_count, reduced.nan_count, reduced.inf_count)

    def _candidates(self, starts: IntArray, stop: int) -> IntArray:
        begins, ends = starts, np.append(starts[1:], stop)
        candidates = [begins, ends - 1]
        for odd in self._odd:
            indices = odd.view()
            firsts = np.searchsorted(indices, begins)
            has_one = firsts < len(indices)
            candidates.append(indices[firsts[has_one]])
        members: list[npt.NDArray[np.int64]] | None = None
        for lows, highs in zip((None, *self._lows), (None, *self._highs), strict=True):
            members = None if lows is None or highs is None else [lows.view(), highs.view()]
            inner_begins, inner_ends = -(-begins // CELL), ends // CELL
            is_large = inner_begins < inner_ends
            if lows is self._lows[-1]:
                is_large[:] = False
            borders = (
                _ranges(begins[~is_large], ends[~is_large]),
                _ranges(begins[is_large], inner_begins[is_large] * CELL),
                _ranges(inner_ends[is_large] * CELL, ends[is_large]),
            )
            for indices in borders:
                candidates += [indices] if members is None else [indices_of[indices] for indices_of in members]
            begins, ends = inner_begins[is_large], inner_ends[is_large]
            if not len(begins):
                break
        # each part is in order, so a merging sort takes a tenth of the time of others
        ordered = np.sort(np.concatenate(candidates), kind="stable")
        sorted_candidates: IntArray = ordered[np.append(True, ordered[1:] != ordered[:-1])]
        # the first NaN after a bucket may lie behind the window
        return sorted_candidates[: np.searchsorted(sorted_candidates, stop)]


def _ranges(begins: IntArray, ends: IntArray) -> IntArray:
    """Return all integers of the ranges, one range after the other."""
    lengths = ends - begins
    offsets = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)
    return offsets + np.arange(len(offsets), dtype=np.int64)
