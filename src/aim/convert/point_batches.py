"""
Points that come one by one, gathered into batches: by series, up to so many in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.convert.events import PointBatch
from aim.core import contexts

BATCH_POINTS = 1 << 16
EXACT_INT_MAX = 2**53


@dataclass
class _Series:
    name: str
    context: Mapping[str, Any]
    is_system: bool
    steps: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    has_floats: bool = False


class PointBatches:
    """
    Gathers points.

    A text that holds numbers as JSON does not tell `1.0` from `1`: with *are_floats_lost* a series that has had a float
    has floats from there on.

    >>> batches = PointBatches()
    >>> batches.add("loss", {}, 3, 0.5, 1.7e9)
    >>> [(batch.name, batch.steps.tolist()) for batch in batches.flushed()]
    [('loss', [3])]
    """

    def __init__(self, *, are_floats_lost: bool = False) -> None:
        self._series: dict[Any, _Series] = {}
        self._are_floats_lost = are_floats_lost
        self.point_count = 0

    @property
    def is_full(self) -> bool:
        """Whether there are enough points to pass them on."""
        return self.point_count >= BATCH_POINTS

    def add(
        self,
        name: str,
        context: Mapping[str, Any],
        step: int,
        value: float | int,
        time_s: float = np.nan,
        epoch: float = np.nan,
        *,
        is_system: bool = False,
    ) -> None:
        """Add one point."""
        key = (name, contexts.text(dict(context))) if context else name
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series(name, context, is_system)
        series.steps.append(step)
        series.values.append(value)
        series.times_s.append(time_s)
        series.epochs.append(epoch)
        self.point_count += 1

    def flushed(self) -> Iterator[PointBatch]:
        """Return what was gathered, and forget it."""
        self.point_count = 0
        for series in self._series.values():
            if series.steps:
                values = self._array(series)
                yield PointBatch(
                    series.name,
                    series.context,
                    np.array(series.steps, np.int64),
                    values,
                    np.array(series.times_s, np.float64),
                    np.array(series.epochs, np.float64),
                    series.is_system,
                )
                series.steps, series.values, series.times_s, series.epochs = [], [], [], []

    def _array(self, series: _Series) -> npt.NDArray[Any]:
        if self._are_floats_lost:
            series.has_floats = series.has_floats or any(value.__class__ is float for value in series.values)
            if series.has_floats and all(abs(value) <= EXACT_INT_MAX or value != value for value in series.values):
                return np.array(series.values, np.float64)
        return number_array(series.values)


def number_array(values: list[Any]) -> npt.NDArray[Any]:
    """
    Return numbers as an array: float64, int64, or object where both kinds come. Ints beyond 64 bits become floats.

    >>> number_array([1, 2]).dtype.kind, number_array([0.5, 1]).dtype.kind, number_array([2**70]).tolist()
    ('i', 'O', [1.1805916207174113e+21])
    """
    kinds = set(map(type, values))
    if kinds == {float}:
        return np.array(values, np.float64)
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values):
        return np.array(values, np.int64)
    plain = [float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value for value in values]
    if set(map(type, plain)) == {float}:
        return np.array(plain, np.float64)
    mixed = np.empty(len(plain), object)
    mixed[:] = plain
    return mixed
