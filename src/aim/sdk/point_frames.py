"""
The points of metrics as columns of a pandas DataFrame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aim.core.values import EXACT_INT_MAX
from aim.engine import long_integers
from aim.sdk.param_columns import flat_params, need_pandas, text_cell

if TYPE_CHECKING:
    import pandas as pd

    from aim.sdk.metric import Metric
    from aim.sdk.run_view import RunView
    from aim.storage.reading.points import Points


def frame_of(
    metrics: Sequence[Metric], only_last: bool, include_run: bool, include_name: bool, include_context: bool
) -> pd.DataFrame | None:
    """
    Return the points of *metrics* as one DataFrame, as `Metric.dataframe`; None when there are no metrics.

    Raises:
        NoPandas: pandas is not installed.
    """
    need_pandas()
    import pandas

    if not metrics:
        return None
    columns = points_columns(metrics, include_name, include_context, include_run, only_last)
    return pandas.DataFrame(columns, index=columns["idx"] * (not only_last))


def points_columns(
    metrics: Sequence[Metric], include_name: bool, include_context: bool, include_run: bool, only_last: bool
) -> dict[str, Any]:
    """
    Return the columns of the data frames of *metrics*, one below the other; a missing value, such as a param, is NaN.

    Cost: reading the points, and some microseconds a metric; a pandas DataFrame for each would take milliseconds.
    """
    parts = _last_parts(metrics) if only_last else _whole_parts(metrics)
    columns: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["value"] = _exact_or_floats(columns["value"])
    columns["time"] = _utc_times(columns["time"])
    counts = [len(part["idx"]) for part in parts]
    run_cells = {run.hash: _run_cells(run) for run in _distinct_runs(metrics)} if include_run else {}
    constants = [
        {**run_cells.get(metric.run.hash, {}), **_metric_cells(metric, include_name, include_context)}
        for metric in metrics
    ]
    for name in dict.fromkeys(name for cells in constants for name in cells):
        values = np.empty(len(metrics), object)
        values[:] = [cells.get(name, np.nan) for cells in constants]
        columns[name] = _repeated(values, counts)
    return columns


def _distinct_runs(metrics: Sequence[Metric]) -> list[RunView]:
    return list({metric.run.hash: metric.run for metric in metrics}.values())


def _run_cells(run: RunView) -> dict[str, Any]:
    # a param whose key is an int stands in brackets: run[3]
    return {"run.hash": run.hash} | {
        f"run{column}" if column.startswith("[") else f"run.{column}": value
        for column, value in flat_params(run[...]).items()
    }


def _metric_cells(metric: Metric, include_name: bool, include_context: bool) -> dict[str, Any]:
    # the columns that are the same in each row of a metric
    cells: dict[str, Any] = {"metric.name": text_cell(metric.name)} if include_name else {}
    if include_context:
        context = flat_params(metric.context.to_dict())
        cells |= {f"metric.context.{column}": value for column, value in context.items()}
    return cells


def _keys_by_run(metrics: Sequence[Metric]) -> dict[str, list[tuple[str, str]]]:
    keys: dict[str, list[tuple[str, str]]] = {}
    for metric in metrics:
        keys.setdefault(metric.run.hash, []).append(metric._key)
    return keys


def _last_points_of(metrics: Sequence[Metric]) -> list[tuple[Points, int]]:
    keys = _keys_by_run(metrics)
    ends_by_run = {run.hash: run._read_last_points_of_many(keys[run.hash]) for run in _distinct_runs(metrics)}
    ends = [ends_by_run[metric.run.hash].get(metric._key) for metric in metrics]
    return [end or _with_count(metric._points()) for metric, end in zip(metrics, ends, strict=True)]


def _last_parts(metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    last = slice(-1, None)
    return [_columns(points, last, max(0, count - 1), count) for points, count in _last_points_of(metrics)]


def _whole_parts(metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    return [_columns(points, slice(None), 0, len(points)) for points in _points_of(metrics)]


def _with_count(points: Points) -> tuple[Points, int]:
    return points, len(points)


def _points_of(metrics: Sequence[Metric]) -> list[Points]:
    keys = _keys_by_run(metrics)
    points_by_run = {run.hash: run._read_points_of_many(keys[run.hash]) for run in _distinct_runs(metrics)}
    return [points_by_run[metric.run.hash].get(metric._key) or metric._points() for metric in metrics]


def _columns(points: Points, rows: slice, first: int, stop: int) -> dict[str, Any]:
    # of some rows of the points, which are the rows from *first* to before *stop* of the sequence; `time` is in
    # microseconds of UTC
    return {
        "idx": np.arange(first, stop, dtype=np.int64),
        "step": points.steps[rows],
        "value": points.values[rows].astype(object) if long_integers.has_long(points.values) else points.values[rows],
        "epoch": points.epochs[rows],
        "time": np.rint(points.times_s[rows] * 1e6).astype(np.int64),
    }


def _exact_or_floats(values: Any) -> Any:
    # float64, as in Aim 3; where an int is beyond 2^53, which a double cuts: int64, or objects beside fractions
    if values.dtype != object:
        return values.astype(np.float64)
    is_int = all(isinstance(value, int) for value in values)
    return values.astype(np.int64) if is_int else values


def _repeated(values: Any, counts: Sequence[int]) -> Any:
    import pandas as pd

    column = pd.Series(np.repeat(values, counts), dtype=object)
    return (column if _is_lossy(values) else column.infer_objects()).array


def _is_lossy(values: Any) -> bool:
    # pandas would make floats of ints beside a missing value
    return any(isinstance(value, int) and abs(value) > EXACT_INT_MAX for value in values) and any(
        isinstance(value, float) for value in values
    )


def _utc_times(times_us: Any) -> Any:
    import pandas as pd

    # by way of numpy: `to_datetime` counts in nanoseconds, which end in the year 2262
    return pd.DatetimeIndex(times_us.astype("datetime64[us]")).tz_localize("UTC")
