"""
Summaries of large integers with all their digits.

The catalogue keeps summaries as doubles, which hold every integer up to 2^53. Where a first, last, lowest or highest
value is larger, the points of that sequence are read, and give it as it was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aim.core.errors import AimError
from aim.engine.backend_repository import BackendRepository
from aim.storage.forms.state import SequenceKey

EXACT_INTEGER_MAX = 2**53  # a double holds every integer up to it
EXACT_SUMMARIES = ("first", "last", "min", "max")
"""The summaries that are one of the recorded values."""


def may_be_longer(name: str, value: object) -> bool:
    """
    Return whether the summary *name* may have digits that *value*, a double, has lost.

    >>> may_be_longer("last", 2.0**60), may_be_longer("last", 0.5), may_be_longer("mean", 2.0**60)
    (True, False, False)
    """
    return name in EXACT_SUMMARIES and isinstance(value, float) and EXACT_INTEGER_MAX <= abs(value) < 2.0**64


def some_may_be_longer(name: str, values: Iterable[object]) -> bool:
    """
    Return whether `may_be_longer` is true for some of many *values*, which are finite. Cost: 60 ns a value.

    >>> some_may_be_longer("last", [0.5, None, 2.0**60]), some_may_be_longer("last", [0.5, "nan"])
    (True, False)
    """
    largest = max((abs(value) for value in values if isinstance(value, float)), default=0.0)
    return name in EXACT_SUMMARIES and largest >= EXACT_INTEGER_MAX


def exact_summary(
    repository: BackendRepository, run_hash: str, key: SequenceKey, name: str, value: float
) -> float | int:
    """
    Return the summary *name* of a metric with all its digits; *value* where it is no integer, or is gone meanwhile.

    Cost: one look at the points of the sequence, 0.1 ms and more.
    """
    try:
        points = repository.run(run_hash).points(key)
    except (AimError, FileNotFoundError):
        return value
    if points is None or not len(points) or points.values.dtype.kind == "f":
        return value
    exact: Any = points.first()[1] if name == "first" else points.last()[1] if name == "last" else None
    if exact is None:
        numbers = [number for number in points.values.tolist() if number == number]
        exact = min(numbers, default=value) if name == "min" else max(numbers, default=value)
    return exact if isinstance(exact, int) else value
