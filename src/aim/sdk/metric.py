"""
`Metric`: a series of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence as Sequences
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from aim.core.kinds import METRIC
from aim.sdk.param_columns import flat_params, need_pandas, text_cell
from aim.sdk.sequence import Sequence

if TYPE_CHECKING:
    import pandas as pd

    from aim.storage.reading.points import Points


class _WithParams(Protocol):
    hash: str

    def __getitem__(self, key: Any) -> Any: ...


class Metric(Sequence):
    """
    A tracked series of numbers.

    >>> import tempfile
    >>> from aim.sdk.run import Run
    >>> run = Run(repo=tempfile.mkdtemp())
    >>> for value in (3, 2.5):
    ...     run.track(value, name="loss")
    >>> run.get_metric("loss").values.sparse_list()
    ([0, 1], [3, 2.5])
    >>> run.close()
    """

    subject: ClassVar[str] = METRIC

    def dataframe(
        self,
        include_name: bool = False,
        include_context: bool = False,
        include_run: bool = False,
        only_last: bool = False,
    ) -> pd.DataFrame:
        """
        Return the series as a pandas DataFrame: idx, step, value, epoch, time (local datetime without a zone).

        Args:
            include_name: add the column `metric.name`.
            include_context: add a column `metric.context.<key>` for each key of the context, nested ones by dots.
            include_run: add `run.hash` and a column `run.<param>` for each param, flattened to three levels.
            only_last: give only the row of the last step.
        """
        need_pandas()
        import pandas as pd

        return pd.DataFrame(points_columns([self], include_name, include_context, include_run, only_last))


def points_columns(
    metrics: Sequences[Metric], include_name: bool, include_context: bool, include_run: bool, only_last: bool
) -> dict[str, Any]:
    """
    Return the columns of the data frames of *metrics*, one below the other; what one has not, such as a param, is NaN.

    Cost: reading the points, and some microseconds a metric; a pandas DataFrame for each would take milliseconds.
    """
    import pandas as pd

    parts = [_columns(points, only_last) for points in _points_of(metrics)]
    columns: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["time"] = _local_times(columns["time"])
    counts = [len(part["idx"]) for part in parts]
    about_runs = (
        {metric.run.hash: _about_run(metric.run) for metric in _one_of_each_run(metrics)} if include_run else {}
    )
    constants = [_constants(metric, about_runs, include_name, include_context) for metric in metrics]
    for name in dict.fromkeys(name for extra in constants for name in extra):
        values = np.empty(len(metrics), object)
        values[:] = [extra.get(name, np.nan) for extra in constants]
        columns[name] = pd.Series(np.repeat(values, counts)).infer_objects().array
    return columns


def _one_of_each_run(metrics: Sequences[Metric]) -> list[Metric]:
    return list({metric.run.hash: metric for metric in metrics}.values())


def _about_run(run: Any) -> dict[str, Any]:
    params: _WithParams = run
    # a param whose key is an int stands in brackets: run[3]
    return {"run.hash": params.hash} | {
        f"run{column}" if column.startswith("[") else f"run.{column}": value
        for column, value in flat_params(params[...]).items()
    }


def _constants(
    metric: Metric, about_runs: dict[str, dict[str, Any]], include_name: bool, include_context: bool
) -> dict[str, Any]:
    # the columns that are the same in each row of a metric
    extra = dict(about_runs.get(metric.run.hash, {}))
    if include_name:
        extra["metric.name"] = text_cell(metric.name)
    if include_context:
        context = flat_params(metric.context.to_dict())
        extra |= {f"metric.context.{column}": value for column, value in context.items()}
    return extra


def _points_of(metrics: Sequences[Metric]) -> list[Points]:
    keys: dict[str, list[tuple[str, str]]] = {}
    for metric in metrics:
        keys.setdefault(metric.run.hash, []).append(metric.key)
    read = {
        metric.run.hash: metric.run.read_points_of_many(keys[metric.run.hash]) for metric in _one_of_each_run(metrics)
    }
    return [read[metric.run.hash].get(metric.key) or metric.points() for metric in metrics]


def _columns(points: Points, only_last: bool) -> dict[str, Any]:
    # `time` is in microseconds of UTC
    chosen = slice(-1, None) if only_last else slice(None)
    return {
        "idx": np.arange(len(points), dtype=np.int64)[chosen],
        "step": points.steps[chosen],
        "value": points.values[chosen].astype(np.float64),
        "epoch": points.epochs[chosen],
        "time": np.rint(points.times_s[chosen] * 1e6).astype(np.int64),
    }


def _local_times(times_us: Any) -> Any:
    import pandas as pd

    zone = datetime.now().astimezone().tzinfo
    return pd.to_datetime(times_us, unit="us", utc=True).tz_convert(zone).tz_localize(None)
