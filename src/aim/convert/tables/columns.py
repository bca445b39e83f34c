"""
What the columns of a table are, by their names, and their cells as numbers.

    step   step, _step, global_step, iteration, iter; else epoch; else the number of the row
    time   time, timestamp, _timestamp, wall_time: Unix seconds, milliseconds, or a date
    epoch  epoch
    long   name, metric or key beside value: a row a point, else a column a metric
    run    run, only in a long table, unless it is named
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

STEPS = ("step", "_step", "global_step", "iteration", "iter")
TIMES = ("time", "timestamp", "_timestamp", "wall_time")
NAMES = ("name", "metric", "key")
MILLISECONDS_FROM, NANOSECONDS_FROM = 1e11, 1e16  # no training was 3,000 years ago or will be in 300 million
EXACT_MAX = 2.0**53


class ColumnRoles(NamedTuple):
    """Which column is what; None: none is."""

    step: str | None = None
    epoch: str | None = None
    time: str | None = None
    run: str | None = None
    name: str | None = None
    value: str | None = None
    context: str | None = None

    @property
    def is_long(self) -> bool:
        """Whether a row is a point."""
        return self.name is not None and self.value is not None

    def metrics(self, names: Sequence[str]) -> list[str]:
        """Return the columns that are metrics of a wide table."""
        return [name for name in names if name not in (self.step, self.epoch, self.time, self.run)]


def roles_of(names: Sequence[str], chosen: Mapping[str, Any]) -> ColumnRoles:
    """
    Return the roles of the columns *names*; *chosen* are those that the caller names.

    >>> roles_of(["Step", "epoch", "loss"], {})[:3]
    ('Step', 'epoch', None)
    >>> roles_of(["run", "name", "step", "value"], {}).is_long
    True
    """
    by_lower = {name.strip().lower(): name for name in reversed(names)}

    def first(role: str, candidates: Sequence[str]) -> str | None:
        wished = chosen.get(role)
        return str(wished) if wished else next((by_lower[name] for name in candidates if name in by_lower), None)

    value = by_lower.get("value")
    name = first("name", NAMES) if value is not None else None
    epoch = first("epoch", ("epoch",))
    is_long = name is not None
    return ColumnRoles(
        first("step", STEPS) or epoch,
        epoch,
        first("time", TIMES),
        first("run", ("run",) if is_long else ()),
        name,
        value if is_long else None,
        by_lower.get("context") if is_long else None,
    )


def numbers(array: pa.Array) -> npt.NDArray[Any] | None:
    """
    Return cells as numbers: int64 where a double would lose digits, else float64; NaN where a cell is empty. None: they
    are not numbers.
    """
    import pyarrow
    import pyarrow.compute

    if pyarrow.types.is_boolean(array.type):
        array = array.cast(pyarrow.int8())
    if pyarrow.types.is_string(array.type) or pyarrow.types.is_large_string(array.type):
        array = pyarrow.compute.utf8_trim_whitespace(array)
    try:
        floats = cells(array.cast(pyarrow.float64(), safe=False), np.float64)
        floats[empty_cells(array)] = np.nan
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        return None
    with np.errstate(invalid="ignore"):
        is_long = bool((np.abs(floats[np.isfinite(floats)]) >= EXACT_MAX).any())
    if is_long and array.null_count == 0:
        try:
            return cells(array.cast(pyarrow.int64()), np.int64)
        except pyarrow.ArrowInvalid:
            return floats
    return floats


def plain_cells(array: pa.Array) -> list[Any]:
    """Return cells as values of Python; as texts, where Python has none, such as for times beyond the year 9999."""
    import pyarrow

    try:
        return list(array.to_pylist())
    except (OverflowError, ValueError):
        return list(array.cast(pyarrow.string()).to_pylist())


def cells(array: pa.Array, kind: type[np.generic]) -> npt.NDArray[Any]:
    """
    Return a copy of the cells of an array of 8-byte numbers; those that are empty have any value.

    `to_numpy` of pyarrow would import pandas, where it is installed: half a second, and 60 MiB.
    """
    content = array.buffers()[1]
    return (
        np.zeros(len(array), kind)
        if content is None
        else np.frombuffer(content, kind)[array.offset :][: len(array)].copy()
    )


def empty_cells(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which cells are empty."""
    import pyarrow

    return np.from_dlpack(array.is_null().cast(pyarrow.uint8())).astype(bool)


def seconds(array: pa.Array) -> npt.NDArray[np.float64] | None:
    """Return times as Unix seconds, NaN where a cell is empty; None: they are no times."""
    import pyarrow

    if not pyarrow.types.is_timestamp(array.type):
        plain = numbers(array)
        if plain is not None:
            return _scaled(plain.astype(np.float64))
        try:
            array = array.cast(pyarrow.timestamp("us", tz="UTC"))
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
            try:
                array = array.cast(pyarrow.timestamp("us"))
            except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
                return None
    microseconds = array.cast(pyarrow.timestamp("us", tz=array.type.tz)).cast(pyarrow.int64())
    times = cells(microseconds, np.int64) / 1e6
    times[empty_cells(array)] = np.nan
    return np.asarray(times, np.float64)


def _scaled(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    finite = times[np.isfinite(times)]
    largest = float(np.abs(finite).max()) if len(finite) else 0.0
    if largest >= NANOSECONDS_FROM:
        return times / 1e9
    return times / 1e3 if largest >= MILLISECONDS_FROM else times
