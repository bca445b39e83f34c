"""
A long sequence of numbers that is not read as a whole: what a place of storage answers about parts of it.

A place that can reduce curves implements `StoredSequence`; `engine/stored_reduction.py` makes pictures of what it says.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from aim.storage.forms.records import FloatArray, IntArray

STEP_BUCKET = np.dtype(
    [
        ("first_step", "<i8"), ("first", "<f8"), ("last_step", "<i8"), ("last", "<f8"),
        ("least_step", "<i8"), ("least", "<f8"), ("most_step", "<i8"), ("most", "<f8"),
        ("nan_step", "<i8"), ("nans", "<u8"), ("high_step", "<i8"), ("highs", "<u8"), ("low_step", "<i8"),
        ("lows", "<u8"), ("count", "<u8"),
    ]
)  # fmt: skip
"""
Of the points of some steps: the first and the last one; the first one of the lowest and of the highest finite value, if
there is one; the first step of NaN, +inf and -inf, and how many of each there are; and how many points in all.
"""


class StoredSequence(Protocol):
    """The points of one sequence of numbers, each step once. All raise Unavailable."""

    def bounds(self) -> tuple[int, int] | None:
        """Return the first and the last step; None: there are no points."""

    def buckets(self, starts: IntArray, last: int) -> npt.NDArray[np.void]:
        """
        Return a row of `STEP_BUCKET` for each bucket that has a point.

        Args:
            starts: the least step of each bucket, shape (n,), increasing.
            last: the last step of all.
        """

    def points(self, first: int, last: int) -> tuple[IntArray, FloatArray]:
        """Return steps and values of the points from step *first* to *last*, by step."""

    def before(self, step: int) -> tuple[IntArray, FloatArray]:
        """Return the last point before a step, if there is one."""

    def after(self, step: int) -> tuple[IntArray, FloatArray]:
        """Return the first point after a step, if there is one."""
