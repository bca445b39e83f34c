"""
Several curves as one: the middle of a group, and a band around it.

    few distinct x   ->  these are the line's x; each member counts where it has a point
    many             ->  the window is cut in equal parts; each member counts with the mean of its points

Values that are not finite are left out. A part where no member has one is no point of the line.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.engine.sampling import POINTS_A_BUCKET, Window, edges

FloatArray = npt.NDArray[np.float64]
Member = tuple[npt.NDArray[Any], FloatArray]
"""x, increasing, and y."""

VALUES = ("mean", "median", "min", "max")
BANDS = ("std", "stderr", "ci95", "minmax", "iqr", "none")
CI95 = 1.96  # standard errors on each side that hold 95 % of a normal distribution


@dataclass(frozen=True)
class Aggregated:
    """
    A group's line and band.

    Attributes:
        x, y, low, high: shape (n,); *low* and *high* are None without a band.
    """

    x: FloatArray
    y: FloatArray
    low: FloatArray | None
    high: FloatArray | None


def aggregate(members: Sequence[Member], buckets: int, window: Window | None, value: str, band: str) -> Aggregated:
    """
    Aggregate curves.

    Args:
        members: one or more, not all empty within the window.
        value: one of `VALUES`.
        band: one of `BANDS`; std and stderr are of a sample, so 0 for one member.

    >>> members = [(np.arange(2), np.array([1.0, 2.0])), (np.arange(2), np.array([3.0, 6.0]))]
    >>> result = aggregate(members, 10, None, "mean", "minmax")
    >>> result.y.tolist(), result.low.tolist(), result.high.tolist()
    ([2.0, 4.0], [1.0, 2.0], [3.0, 6.0])
    """
    inside = [_clip(x, y, window) for x, y in members]
    union = np.unique(np.concatenate([x for x, _ in inside])).astype(np.float64)
    if len(union) <= POINTS_A_BUCKET * buckets:
        x, matrix = union, _aligned(inside, union)
    else:
        low, high = window or (float(union[0]), float(union[-1]))
        x, matrix = _binned(inside, low, high, buckets)
    is_column_kept = np.isfinite(matrix).any(axis=0)
    matrix = np.where(np.isfinite(matrix), matrix, np.nan)[:, is_column_kept]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        y = _middle(matrix, value)
        below, above = _band(matrix, y, band)
    return Aggregated(x[is_column_kept], y, below, above)


def _clip(x: npt.NDArray[Any], y: FloatArray, window: Window | None) -> Member:
    if window is None:
        return x, y
    start = max(int(np.searchsorted(x, window[0], "left")) - 1, 0)
    stop = int(np.searchsorted(x, window[1], "right")) + 1
    return x[start:stop], y[start:stop]


def _aligned(members: Sequence[Member], union: FloatArray) -> FloatArray:
    matrix = np.full((len(members), len(union)), np.nan)
    for row, (x, y) in zip(matrix, members, strict=True):
        finite = np.isfinite(y)
        positions = np.searchsorted(union, x[finite].astype(np.float64))
        # of several points at one x (equal epochs) the mean counts
        sums = np.bincount(positions, y[finite], len(union))
        counts = np.bincount(positions, minlength=len(union))
        row[counts > 0] = sums[counts > 0] / counts[counts > 0]
    return matrix


def _binned(members: Sequence[Member], low: float, high: float, buckets: int) -> tuple[FloatArray, FloatArray]:
    bounds = edges(low, high, buckets)
    matrix = np.full((len(members), buckets), np.nan)
    for row, (x, y) in zip(matrix, members, strict=True):
        is_inside = np.isfinite(y) & (x >= low) & (x <= high)
        bucket_indices = np.searchsorted(bounds, x[is_inside], "right")
        sums = np.bincount(bucket_indices, y[is_inside], buckets)
        counts = np.bincount(bucket_indices, minlength=buckets)
        row[counts > 0] = sums[counts > 0] / counts[counts > 0]
    middles = low + (high - low) * (np.arange(buckets) + 0.5) / buckets
    return middles, matrix


def _middle(matrix: FloatArray, value: str) -> FloatArray:
    if value == "median":
        return np.asarray(np.nanmedian(matrix, axis=0), np.float64)
    if value == "min":
        return np.asarray(np.nanmin(matrix, axis=0), np.float64)
    if value == "max":
        return np.asarray(np.nanmax(matrix, axis=0), np.float64)
    return np.asarray(np.nanmean(matrix, axis=0), np.float64)


def _band(matrix: FloatArray, y: FloatArray, band: str) -> tuple[FloatArray | None, FloatArray | None]:
    if band == "none" or not matrix.shape[1]:
        return (None, None) if band == "none" else (y, y)
    if band == "minmax":
        return np.nanmin(matrix, axis=0), np.nanmax(matrix, axis=0)
    if band == "iqr":
        quartiles = np.nanpercentile(matrix, (25, 75), axis=0)
        return quartiles[0], quartiles[1]
    count = np.isfinite(matrix).sum(axis=0)
    deviation = np.where(count > 1, np.nanstd(matrix, axis=0, ddof=1), 0.0)
    if band != "std":
        deviation = deviation / np.sqrt(count) * (CI95 if band == "ci95" else 1.0)
    return y - deviation, y + deviation
