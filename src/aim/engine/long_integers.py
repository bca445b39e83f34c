"""
Integers that no double holds, among the values of a metric: they reach every outlet with all their digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aim.core.values import EXACT_INT_MAX


def long_integers(values: Any) -> Any:
    """
    Return those of *values*, int64 or objects, that no double holds, and 0 for the others.

    >>> long_integers(np.array([7, 2**53 + 1])).tolist(), long_integers(np.array([0.5, -(2**60)], object)).tolist()
    ([0, 9007199254740993], [0, -1152921504606846976])
    """
    if values.dtype.kind == "i":
        return np.where((values > EXACT_INT_MAX) | (values < -EXACT_INT_MAX), values, 0)
    long = [value if isinstance(value, int) and abs(value) > EXACT_INT_MAX else 0 for value in values.tolist()]
    return np.array(long, np.int64)


def has_long(values: Any) -> bool:
    """Return whether one of *values* is an integer that no double holds."""
    return values.dtype.kind != "f" and bool(long_integers(values).any())
