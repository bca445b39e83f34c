"""
Curves in a page: columns of numbers that compress well. Specified in docs/formats/page.md, section 3.

    steps, times, epochs    each distinct array once, since the metrics of a run share them; as differences
    values                  float32 as in frames of the pages, or float64 when the page has room for all digits

The bytes of a column are sorted by their rank, all first bytes, then all second ones: those that change little so lie
side by side, and deflate makes little of them.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.clock import MICROSECONDS
from aim.engine.long_integers import has_long, long_integers
from aim.engine.sampling import reduce_curves
from aim.storage.forms.state import SequenceKey, SequenceState
from aim.storage.reading.points import Points, floats_of

POINTS_MAX = 2_000  # of a curve, unless all are asked for
KEPT_A_BUCKET = 4  # first, last, least and greatest
EXACT_POINTS_MAX = 250_000  # up to so many points in all, values keep all their digits
COARSE_UNIT_US = 1_000  # of times, when values are float32 too
INT32_MAX = 2**31 - 1
IntArray = npt.NDArray[np.int64]
NONE = -1


class CurveColumns:
    """
    The curves of a page, one added after the other.

    Args:
        is_whole: whether all points are in the page.
    """

    def __init__(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole
        self._metrics: dict[SequenceKey, int] = {}
        self._keys: list[dict[str, Any]] = []
        self._integers: list[dict[int, int]] = []
        self._labels: dict[str, list[int]] = {name: [] for name in ("run", "metric", "n", "points", "nan", "inf")}
        self._arrays: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in ("steps", "times", "epochs", "values")}

    @property
    def point_count(self) -> int:
        """How many points there are."""
        return sum(self._labels["n"])

    def add(self, run: int, sequence: SequenceState, points: Points, created_at_s: float) -> int:
        """Add a curve of the run at index *run*, and return how many of its points are left out."""
        values = floats_of(points)
        chosen = self._chosen(points.steps, values)
        metric = self._metrics.setdefault(sequence.key, len(self._metrics))
        if metric == len(self._keys):
            self._keys.append({"name": sequence.name, "context": sequence.context})
        is_nan, is_infinite = np.isnan(values), np.isinf(values)
        counts = (run, metric, len(chosen), len(points), int(is_nan.sum()), int(is_infinite.sum()))
        for label, count in zip(self._labels, counts, strict=True):
            self._labels[label].append(count)
        self._integers.append({})
        if has_long(points.values):
            long = long_integers(points.values[chosen])
            self._integers[-1] = {index: int(long[index]) for index in np.flatnonzero(long).tolist()}
        times_us = points.times_us[chosen] - round(created_at_s * MICROSECONDS)
        columns = (points.steps[chosen], times_us, points.epochs[chosen], values[chosen])
        for column, array in zip(self._arrays.values(), columns, strict=True):
            column.append(array)
        return len(points) - len(chosen)

    def _chosen(self, steps: IntArray, values: npt.NDArray[np.float64]) -> IntArray:
        if self._is_whole or len(steps) <= POINTS_MAX:
            return np.arange(len(steps))
        return reduce_curves(steps, values[np.newaxis], POINTS_MAX // KEPT_A_BUCKET)[0].point_indices

    def drop(self, indices: Set[int]) -> None:
        """Take the curves at these indices out."""
        staying = [index for index in range(len(self._labels["n"])) if index not in indices]
        self._labels = {name: [column[index] for index in staying] for name, column in self._labels.items()}
        self._arrays = {name: [column[index] for index in staying] for name, column in self._arrays.items()}
        self._integers = [self._integers[index] for index in staying]

    def sizes(self) -> list[int]:
        """Return how many points each curve has."""
        return list(self._labels["n"])

    def encode(self, *, is_exact: bool | None = None) -> tuple[dict[str, Any], bytes]:
        """Return the description of the columns, and their bytes one after the other."""
        exact = self.point_count <= EXACT_POINTS_MAX if is_exact is None else is_exact
        content = bytearray()
        unit_us = 1 if exact else COARSE_UNIT_US
        times = [np.rint(array / unit_us).astype(np.int64) for array in self._arrays["times"]]
        steps_of, steps = _distinct(self._arrays["steps"])
        times_of, distinct_times = _distinct(times)
        epochs_of, epochs = _distinct(self._arrays["epochs"])
        columns = {
            "steps": _stored(_differences(steps), steps, content),
            "times": _stored(_differences(distinct_times), distinct_times, content),
            "epochs": _stored(_joined(epochs, np.float64), epochs, content),
            "values": _stored(_values(self._arrays["values"], exact=exact), self._arrays["values"], content),
        }
        description = {
            "metrics": self._keys,
            **self._labels,
            "steps_of": steps_of,
            "times_of": times_of,
            "epochs_of": epochs_of,
            "columns": columns,
            "time_unit_s": unit_us / MICROSECONDS,
            "exact": exact,
        }
        if any(self._integers):
            description["integers"] = [sorted(integers.items()) or None for integers in self._integers]
        return description, bytes(content)


def _distinct(arrays: list[npt.NDArray[Any]]) -> tuple[list[int], list[npt.NDArray[Any]]]:
    """Return for each array its index among the distinct ones, and these; an array of NaN only has the index -1."""
    by_content: dict[bytes, int] = {}
    distinct: list[npt.NDArray[Any]] = []
    indices = []
    for array in arrays:
        if array.dtype.kind == "f" and bool(np.isnan(array).all()):
            indices.append(NONE)
            continue
        index = by_content.setdefault(array.tobytes(), len(distinct))
        if index == len(distinct):
            distinct.append(array)
        indices.append(index)
    return indices, distinct


def _joined(arrays: list[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype)


def _differences(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the differences within each array, the first from 0: as int32 if they fit, else as doubles."""
    joined = _joined([np.diff(array, prepend=np.int64(0)) for array in arrays], np.int64)
    fits = not len(joined) or (int(joined.min()) >= -INT32_MAX and int(joined.max()) <= INT32_MAX)
    return joined.astype(np.int32 if fits else np.float64)


def _values(arrays: list[npt.NDArray[Any]], *, exact: bool) -> npt.NDArray[Any]:
    joined = _joined(arrays, np.float64)
    with np.errstate(over="ignore"):
        narrow = joined.astype(np.float32)
    is_narrow = not exact and not bool((np.isinf(narrow) & np.isfinite(joined)).any())
    return narrow if is_narrow else joined


def _stored(data: npt.NDArray[Any], arrays: list[npt.NDArray[Any]], content: bytearray) -> dict[str, Any]:
    """
    Append the column *data*, made of *arrays*, to *content*, and return where it is: i4, f4 or f8, its bytes sorted by
    their rank.
    """
    kind = f"{data.dtype.kind}{data.dtype.itemsize}"
    start = len(content)
    ranked = np.ascontiguousarray(data, f"<{kind}").view(np.uint8).reshape(-1, data.dtype.itemsize).T
    content += np.ascontiguousarray(ranked).tobytes()
    return {"type": kind, "at": start, "count": len(data), "lengths": [len(array) for array in arrays]}
