"""
A curve as a few numbers that keep its shape: its ends and extremes, where it stays on a level, and where it jumps.

    plateau   the step from which on all levels stay within 2 % of the curve's range around its last level
    jump      a change from one point to the next that is far beyond the usual one, and a tenth of the range at least
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BARS = "▁▂▃▄▅▆▇█"
BLOCKS = 50
PLATEAU_SHARE = 0.02
JUMP_SPREADS, JUMP_SHARE, JUMPS_MAX = 12.0, 0.1, 3
POINTS_MIN = 8  # a shorter curve has neither plateau nor jumps


@dataclass(frozen=True)
class CurveShape:
    """
    The shape of a curve.

    Attributes:
        plateau_step: None: it goes on changing, or is too short.
        jumps: the steps after the largest jumps, with the value before and after each.
        bars: a sparkline.
    """

    point_count: int
    nan_count: int
    first: float
    last: float
    last_step: int
    min: float
    min_step: int
    max: float
    max_step: int
    plateau_step: int | None = None
    jumps: list[tuple[int, float, float]] = field(default_factory=list)
    bars: str = ""

    def text(self) -> str:
        """
        Return the shape as one line.

        >>> curve_shape(np.arange(4), np.array([2.0, 1.0, 0.5, np.nan])).text()
        '█▃▁ 4 points: 2 -> nan @3, min 0.5 @2, max 2 @0, 1 NaN'
        """
        parts = [
            f"{self.bars} {self.point_count} points: {self.first:.4g} -> {self.last:.4g} @{self.last_step}",
            f"min {self.min:.4g} @{self.min_step}",
            f"max {self.max:.4g} @{self.max_step}",
        ]
        if self.plateau_step is not None:
            parts.append(f"flat from {self.plateau_step}")
        parts += [f"jump {before:.4g} -> {after:.4g} @{step}" for step, before, after in self.jumps]
        if self.nan_count:
            parts.append(f"{self.nan_count} NaN")
        return ", ".join(parts)


def curve_shape(steps: IntArray, values: npt.NDArray[Any], width: int = 12) -> CurveShape:
    """
    Return the shape of a curve; NaN and infinities are counted and left out otherwise.

    Args:
        steps, values: shape (n,), of one point or more.
        width: characters of the sparkline.

    Cost: 50 ns a point.
    """
    numbers = np.asarray(values, np.float64)
    finite = np.flatnonzero(np.isfinite(numbers))
    bad_count = len(numbers) - len(finite)
    if not len(finite):
        first, last, step = float(numbers[0]), float(numbers[-1]), int(steps[-1])
        return CurveShape(len(numbers), bad_count, first, last, step, last, step, last, step)
    y, x = numbers[finite], np.asarray(steps)[finite]
    low, high = int(y.argmin()), int(y.argmax())
    return CurveShape(
        len(numbers),
        bad_count,
        float(numbers[0]),
        float(numbers[-1]),
        int(steps[-1]),
        float(y[low]),
        int(x[low]),
        float(y[high]),
        int(x[high]),
        _plateau(x, y),
        _jumps(x, y),
        sparkline(y, width),
    )


def _plateau(x: IntArray, y: FloatArray) -> int | None:
    if len(y) < POINTS_MIN:
        return None
    edges = np.unique(np.linspace(0, len(y), min(BLOCKS, len(y)) + 1).astype(np.int64))
    levels = np.array([np.median(y[start:end]) for start, end in itertools.pairwise(edges.tolist())])
    spread = float(y.max() - y.min())
    away = np.flatnonzero(np.abs(levels - levels[-1]) > PLATEAU_SHARE * spread)
    begin = int(away[-1]) + 1 if len(away) else 0
    return int(x[edges[begin]]) if begin < len(levels) - 2 and spread > 0 else None


def _jumps(x: IntArray, y: FloatArray) -> list[tuple[int, float, float]]:
    if len(y) < POINTS_MIN:
        return []
    changes = np.abs(np.diff(y))
    limit = max(JUMP_SPREADS * float(np.median(changes)), JUMP_SHARE * float(y.max() - y.min()))
    largest = np.argsort(-changes, kind="stable")[:JUMPS_MAX]
    indices = sorted(int(index) for index in largest if changes[index] > limit > 0)
    return [(int(x[index + 1]), float(y[index]), float(y[index + 1])) for index in indices]


def sparkline(values: FloatArray, width: int) -> str:
    """
    Return finite values as bars, each the median of its part.

    >>> sparkline(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), 8), sparkline(np.array([1.0, 1.0]), 8)
    ('▁▂▃▄▅▆▇█', '▁▁')
    """
    edges = np.unique(np.linspace(0, len(values), min(width, len(values)) + 1).astype(np.int64))
    levels = np.array([np.median(values[start:end]) for start, end in itertools.pairwise(edges.tolist())])
    low, spread = float(levels.min()), float(levels.max() - levels.min())
    heights = np.zeros(len(levels)) if spread == 0 else (levels - low) / spread * (len(BARS) - 1)
    return "".join(BARS[int(height)] for height in np.rint(heights))
